//! Any text under any settings: observables that stand in it, in order, of the kinds that may be kept.

#![no_main]

use extract::observables;
use libfuzzer_sys::fuzz_target;
use model::{ObservableKind, ObservableSettings};

const REGIONS: [&str; 4] = ["NL", "RU", "US", "no such region"];

fuzz_target!(|input: (u64, u8, bool, &str)| {
    let (kinds, regions, whole_cards, text) = input;
    let chosen = |bits: u64, place: usize| bits >> place & 1 == 1;
    let settings = ObservableSettings {
        kinds: ObservableKind::ALL
            .into_iter()
            .enumerate()
            .filter(|(place, _)| chosen(kinds, *place))
            .map(|(_, kind)| kind)
            .collect(),
        regions: REGIONS
            .iter()
            .enumerate()
            .filter(|(place, _)| chosen(regions.into(), *place))
            .map(|(_, region)| (*region).to_owned())
            .collect(),
        whole_cards,
    };
    let found = observables(text, &settings);
    for found in &found {
        let raw = text.get(found.at.start as usize..found.at.end as usize);
        assert!(raw.is_some_and(|raw| !raw.is_empty()), "{found:?}");
        assert!(settings.kinds.contains(&found.kind), "{found:?}");
    }
    assert!(found.is_sorted_by_key(|found| found.at.start));
});

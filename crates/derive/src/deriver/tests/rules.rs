//! Indicators and site profiles: new documents are looked at as they come, stored ones again when a rule changes, and all of it comes back equal.

use model::{Finding, PageKind};
use store::RuleChange;

use super::*;

const KNIVES: &str = r#"
name = "knives"
why = "Knives are offered."
[[any]]
terms = ["knife"]
weight = 2
[[any]]
terms = ["dagger"]
weight = 3
"#;

/// The same with one word less.
const DAGGERS: &str = r#"
name = "knives"
why = "Daggers are offered."
[[any]]
terms = ["dagger"]
weight = 5
"#;

/// Nothing in it that the index could tell.
const ANY_BLADE: &str = r#"
name = "blades"
why = "Blades of any sort."
[[any]]
pattern = '(?i)\bblades?\b'
"#;

fn change(store: &Store, kind: RuleKind, name: &str, text: Option<&str>) -> u64 {
    let at = Timestamp::from_micros(1);
    let change = RuleChange { kind, name, text, author: "a", replaces: None, at };
    store.change_rule(&Grant::system(Purpose::Maintenance), theme(), &change).unwrap()
}

fn put(store: &Store, text: &str) -> u64 {
    let name = assess::Indicator::parse(text).unwrap().name().to_owned();
    change(store, RuleKind::Indicator, &name, Some(text))
}

fn flagged(store: &Store, version: u64) -> Vec<(u64, i64)> {
    let grant = Grant::system(Purpose::Maintenance);
    store.flags(&grant, theme(), version).unwrap().map(|row| row.map(|(seq, score)| (seq.0, score)).unwrap()).collect()
}

fn findings(store: &Store, seq: u64) -> Vec<Finding> {
    store.findings(&Grant::system(Purpose::Maintenance), CaptureId { theme: theme(), seq: Seq(seq) }).unwrap()
}

async fn derive(store: &Store, indexes: &Arc<Indexes>) {
    // Small steps, so that there are many.
    let config = Config { batch: 2, rescored_per_s: 0, ..Config::default() };
    analyse(Deriver::new(config, store.clone(), Arc::clone(indexes))).await.unwrap();
}

/// Deletes all that is derived, derives it again, and compares.
async fn check_equal(store: &Store, indexes: &Arc<Indexes>) {
    let before = derived_rows(store);
    Deriver::forget(store, indexes, &[theme()]).unwrap();
    assert!(derived_rows(store).is_empty());
    derive(store, indexes).await;
    assert!(derived_rows(store) == before, "derived again, the views differ");
}

#[tokio::test]
async fn new_documents_are_looked_at_as_they_come() {
    let house = House::new();
    let (store, indexes) = house.open();
    let version = put(&store, KNIVES);
    record(&store, "/a", Outcome::Ok, "<p>A knife, and a dagger. One more knife.").await;
    record(&store, "/b", Outcome::Ok, "<p>Apples.").await;
    derive(&store, &indexes).await;
    assert_eq!(flagged(&store, version), [(1, 5)]);
    let found = findings(&store, 1);
    assert_eq!((found.len(), found[0].version, found[0].score), (1, version, 5));
    assert_eq!(found[0].contributions.iter().map(|part| part.weight).sum::<i64>(), found[0].score);
    assert_eq!(found[0].contributions[0].matches, 2);
    assert!(findings(&store, 2).is_empty());
    check_equal(&store, &indexes).await;
}

/// Each version is for what was captured until the next one came, and what it found stays.
#[tokio::test]
async fn a_change_looks_at_everything_again_and_keeps_what_was_found() {
    let house = House::new();
    let (store, indexes) = house.open();
    for (path, text) in [("/a", "a knife"), ("/b", "a dagger"), ("/c", "knife and dagger"), ("/d", "apples")] {
        record(&store, path, Outcome::Ok, &format!("<p>{text}")).await;
    }
    derive(&store, &indexes).await;
    let first = put(&store, KNIVES);
    let other = put(&store, ANY_BLADE);
    derive(&store, &indexes).await;
    assert_eq!(flagged(&store, first), [(1, 2), (2, 3), (3, 5)]);
    let second = put(&store, DAGGERS);
    record(&store, "/e", Outcome::Ok, "<p>a knife, a dagger, two blades").await;
    derive(&store, &indexes).await;
    assert_eq!(flagged(&store, first), [(1, 2), (2, 3), (3, 5)], "it ended before the fifth");
    assert_eq!(flagged(&store, second), [(2, 5), (3, 5), (5, 5)]);
    assert_eq!(flagged(&store, other), [(5, 1)]);
    let third = change(&store, RuleKind::Indicator, "knives", None);
    record(&store, "/f", Outcome::Ok, "<p>a dagger").await;
    derive(&store, &indexes).await;
    assert_eq!((flagged(&store, second).len(), flagged(&store, third).len()), (3, 0), "nothing is looked for any more");
    check_equal(&store, &indexes).await;
}

/// What the index knows only shortens the way: a rule over what is stored finds what it would have found from the start.
#[tokio::test]
async fn looking_again_finds_what_looking_at_once_finds() {
    let house = House::new();
    let (store, indexes) = house.open();
    let words = ["knife", "dagger", "blade", "apple", "Knife", "DAGGER", "knives"];
    for n in 0..30_usize {
        let text: Vec<&str> = (0..n % 4).map(|at| words[(n * 3 + at * 5) % words.len()]).collect();
        record(&store, &format!("/{n}"), Outcome::Ok, &format!("<p>{}", text.join(" "))).await;
    }
    derive(&store, &indexes).await;
    let versions = [put(&store, KNIVES), put(&store, ANY_BLADE), put(&store, DAGGERS)];
    derive(&store, &indexes).await;
    assert!(versions.iter().all(|version| !flagged(&store, *version).is_empty()));
    check_equal(&store, &indexes).await;
}

#[tokio::test]
async fn what_is_erased_or_sealed_is_not_flagged() {
    let house = House::new();
    let (store, indexes) = house.open();
    let version = put(&store, KNIVES);
    for path in ["/a", "/b", "/c"] {
        record(&store, path, Outcome::Ok, &format!("<p>a knife at {path}")).await;
    }
    derive(&store, &indexes).await;
    let grant = Grant::system(Purpose::Maintenance);
    let at = Timestamp::from_micros(9);
    let order =
        store::ErasureOrder { subject: model::Subject::Capture(Seq(1)), ground: "g".into(), forgets_uris: false, at };
    store.erase(&grant, theme(), &order).unwrap();
    let sealed = CaptureId { theme: theme(), seq: Seq(2) };
    store.set_seal(&grant, theme(), sealed.seq, "r", at).unwrap();
    derive(&store, &indexes).await;
    assert_eq!(flagged(&store, version), [(3, 2)]);
    check_equal(&store, &indexes).await;
    let custody = model::Authority::of_this_process().custody("c", theme());
    store.lift_seal(&custody, theme(), sealed.seq, "r", at).unwrap();
    derive(&store, &indexes).await;
    assert_eq!(flagged(&store, version), [(2, 2), (3, 2)], "what is shown again is flagged again");
    check_equal(&store, &indexes).await;
}

const STALL: &str = r#"
name = "stall"
[fingerprint]
title = " - Stall$"
[[page]]
kind = "listing"
when = { selector = "div.thing" }
require = ["title", "price"]
[page.fields]
title = "div.thing em"
price = "div.thing i"
"#;

#[tokio::test]
async fn stored_pages_are_read_again_when_a_site_profile_changes() {
    let house = House::new();
    let (store, indexes) = house.open();
    let page =
        |name: &str| format!("<title>{name} - Stall</title><div class=thing><em>{name}</em> <i>12.50 EUR</i></div>");
    for name in ["Lantern", "Rope", "Oil"] {
        record(&store, &format!("/{name}"), Outcome::Ok, &page(name)).await;
    }
    record(&store, "/else", Outcome::Ok, "<title>Elsewhere</title><p>apples").await;
    derive(&store, &indexes).await;
    let document = |seq| {
        let id = CaptureId { theme: theme(), seq: Seq(seq) };
        store.document(&Grant::system(Purpose::Maintenance), id).unwrap().unwrap()
    };
    let (before, elsewhere) = (document(1), document(4));
    assert_eq!(before.fields.profile, None);
    change(&store, RuleKind::SiteProfile, "stall", Some(STALL));
    derive(&store, &indexes).await;
    let listing = document(1).fields.listing.unwrap();
    assert_eq!(listing.title.unwrap().value, "Lantern");
    assert_eq!((document(2).kind, document(4)), (PageKind::Listing, elsewhere));
    assert_eq!(document(1).content_digest, before.content_digest, "it is the same page");
    let found = |kind| {
        let query = Query { kinds: vec![kind], sort: search::Sort::Oldest, limit: 10, ..Query::default() };
        indexes.theme(theme()).unwrap().search(&Grant::system(Purpose::Maintenance), &query).unwrap().total
    };
    assert_eq!(found(PageKind::Listing), 3);
    check_equal(&store, &indexes).await;
    change(&store, RuleKind::SiteProfile, "stall", None);
    derive(&store, &indexes).await;
    assert_eq!(document(1), before, "without the profile it is what it was");
    check_equal(&store, &indexes).await;
}

/// A process that dies between the documents and the index leaves the index behind; the next one makes it good.
#[tokio::test]
async fn an_index_that_a_death_left_behind_is_filled_again() {
    let house = House::new();
    let (store, indexes) = house.open();
    record(&store, "/a", Outcome::Ok, "<p>apples").await;
    derive(&store, &indexes).await;
    let index = indexes.theme(theme()).unwrap();
    index.replace(&[Seq(1)], &[]).unwrap();
    assert!(found(&indexes, "apples").is_empty());
    let reading = store.site_reading(theme()).unwrap().unwrap();
    store.put_site_reading(theme(), store::SiteReading { is_index_behind: true, ..reading }).unwrap();
    derive(&store, &indexes).await;
    assert_eq!(found(&indexes, "apples"), [1]);
    assert!(!store.site_reading(theme()).unwrap().unwrap().is_index_behind);
}

/// However often the process ends while stored documents are looked at again, nothing is left out.
#[tokio::test]
async fn looking_again_goes_on_where_it_was_ended() {
    let house = House::new();
    let (store, indexes) = house.open();
    for n in 0..40 {
        record(&store, &format!("/{n}"), Outcome::Ok, &format!("<p>{n} blades")).await;
    }
    derive(&store, &indexes).await;
    let version = put(&store, ANY_BLADE);
    let mut ends = 0;
    loop {
        let stop = CancellationToken::new();
        let mut analysed = store.analysed();
        let config = Config { batch: 2, rescored_per_s: 0, ..Config::default() };
        let run = Deriver::new(config, store.clone(), Arc::clone(&indexes)).run(stop.clone());
        // The first sign of progress ends it.
        let end = async {
            analysed.changed().await.unwrap();
            stop.cancel();
        };
        tokio::join!(run, end).0.unwrap();
        if store.scoring(theme(), version).unwrap() == Some(Scoring::Follows) {
            break;
        }
        ends += 1;
    }
    assert!(ends > 0, "it was never ended on the way");
    assert_eq!(flagged(&store, version).len(), 40);
    check_equal(&store, &indexes).await;
}

/// A rule that this release cannot read, as one of a later release would be, finds nothing, and keeps no other waiting.
#[tokio::test]
async fn a_rule_that_cannot_be_read_keeps_nobody_waiting() {
    let house = House::new();
    let (store, indexes) = house.open();
    for path in ["/a", "/b", "/c"] {
        record(&store, path, Outcome::Ok, "<p>a knife").await;
    }
    derive(&store, &indexes).await;
    let first = put(&store, KNIVES);
    derive(&store, &indexes).await;
    let strange = change(&store, RuleKind::Indicator, "strange", Some("of a later release"));
    let second = put(&store, &KNIVES.replace("weight = 2", "weight = 7"));
    // The strange one is further behind.
    store.put_findings(theme(), &[], &[(second, Scoring::UpTo(Seq(1)))]).unwrap();
    let is_done = || store.scoring(theme(), second).unwrap() == Some(Scoring::Follows);
    let stop = CancellationToken::new();
    let mut analysed = store.analysed();
    let run = Deriver::new(Config::default(), store.clone(), Arc::clone(&indexes)).run(stop.clone());
    let end = async {
        while !is_done() {
            analysed.changed().await.unwrap();
        }
        stop.cancel();
    };
    tokio::join!(run, end).0.unwrap();
    assert_eq!([first, second, strange].map(|version| flagged(&store, version).len()), [3, 2, 0]);
}

#[tokio::test]
async fn documents_of_another_extractor_are_made_again() {
    let house = House::new();
    let (store, indexes) = house.open();
    record(&store, "/a", Outcome::Ok, "<p>apples").await;
    derive(&store, &indexes).await;
    let before = derived_rows(&store);
    store.put_extractor(theme(), extract::EXTRACTOR - 1).unwrap();
    // Nobody could tell that they were made again, were they not damaged.
    store
        .forget_views(theme(), &[store::Affected { seq: Seq(1), uri: uri("/a").id(), target: TARGET, payload: None }])
        .unwrap();
    derive(&store, &indexes).await;
    assert!(derived_rows(&store) == before);
    assert_eq!(store.extractor(theme()).unwrap(), Some(extract::EXTRACTOR));
    assert_eq!(found(&indexes, "apples"), [1]);
}

//! More entries than are looked at together: answers must not show where one stretch ends and the next begins.

use std::collections::BTreeMap;

use super::*;

/// More than two stretches of entries that are scored together, in three segments.
const MANY: u64 = 4500;

/// How often the word stands in the text of an entry, and how many words that has.
fn text_of(seq: u64) -> (String, f64, f64) {
    let (count, others) = (1 + seq % 3, seq % 7);
    let words = |word: &str, times: u64| format!("{word} ").repeat(usize::try_from(times).unwrap());
    let text = words("common", count) + &words("other", others);
    (text, u32::try_from(count).unwrap().into(), u32::try_from(count + others).unwrap().into())
}

fn many(make: impl Fn(u64) -> Entry) -> Bench {
    let bench = Bench::empty();
    for from in (1..=MANY).step_by(1500) {
        bench.fill(&(from..from + 1500).map(&make).collect::<Vec<_>>());
    }
    bench
}

/// The score of every entry with the word.
fn scores(bench: &Bench) -> BTreeMap<u64, f64> {
    let (mut scores, mut after) = (BTreeMap::new(), None);
    loop {
        let page = bench.search(&Query { after, ..query("\"common\"") });
        assert_eq!(page.total, MANY);
        scores.extend(page.hits.iter().map(|hit| (hit.seq.0, hit.score.unwrap())));
        after = page.next;
        if after.is_none() {
            return scores;
        }
    }
}

#[test]
fn a_score_does_not_depend_on_what_is_scored_with_it() {
    let bench = many(|seq| entry(seq, &text_of(seq).0));
    let together = scores(&bench);
    let mean_length = (1..=MANY).map(|seq| text_of(seq).2).sum::<f64>() / f64::from(u32::try_from(MANY).unwrap());
    // All entries have the word: BM25's rarity of it is the least there is.
    let rarity = (0.5 / (f64::from(u32::try_from(MANY).unwrap()) + 0.5)).ln_1p();
    for (&seq, &score) in &together {
        let (_, count, length) = text_of(seq);
        let expect = rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / mean_length));
        assert!((score - expect).abs() < expect * 1e-9, "{seq}: {score} and not {expect}");
    }
    let alone = |bench: &Bench, seq: u64| {
        let page = bench.search(&query(&format!("\"common\" seq:[{seq} TO {seq}]")));
        assert_eq!(sequences(&page), [seq]);
        page.hits[0].score.unwrap()
    };
    let places = [1, 64, 127, 128, 129, 1500, 1501, 2048, 2049, 3000, 4096, 4097, MANY];
    for seq in places {
        assert_eq!(alone(&bench, seq).to_bits(), together[&seq].to_bits(), "{seq}");
    }
    bench.index.merge_all().unwrap();
    assert_eq!(scores(&bench), together);
    for seq in places {
        assert_eq!(alone(&bench, seq).to_bits(), together[&seq].to_bits(), "{seq} when merged");
    }
}

#[test]
fn the_latest_of_each_page_is_found_among_many() {
    let pages = 700;
    let bench = many(|seq| Entry {
        uri: format!("http://example.com/{}", seq % pages).parse().unwrap(),
        outcome: if seq > MANY - 50 { Outcome::NotModified } else { Outcome::Ok },
        ..entry(seq, "common")
    });
    let latest = |query: Query| {
        let mut found = sequences(&bench.search(&query));
        found.sort_unstable();
        found
    };
    let of_all = Query { versions: Versions::Latest, sort: Sort::Newest, ..query("common") };
    let last = MANY - 50;
    assert_eq!(latest(of_all.clone()), (last - pages + 1..=last).collect::<Vec<_>>());
    bench.index.merge_all().unwrap();
    assert_eq!(latest(of_all), (last - pages + 1..=last).collect::<Vec<_>>());
    let then = Query { as_of: Some(at(2000)), sort: Sort::Oldest, ..query("common") };
    assert_eq!(latest(then), (2001 - pages..=2000).collect::<Vec<_>>());
}

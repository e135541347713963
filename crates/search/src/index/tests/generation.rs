use super::*;

fn early() -> Vec<Entry> {
    vec![
        entry(1, "red lamp"),
        Entry { title: "lamp".into(), ..entry(2, "green door, red window and a lamp") },
        entry(4, "red red door"),
        entry(5, "lamp lamp lamp lamp red window"),
    ]
}

fn late() -> Vec<Entry> {
    (7..30).map(|seq| entry(seq, if seq % 3 == 0 { "red lamp and so on" } else { "window of another house" })).collect()
}

fn queries() -> Vec<Query> {
    let texts = [
        "lamp",
        "red OR windows",
        "\"red window\" OR door",
        "-door",
        "green OR -red",
        "",
        "uri:page lamp",
        "lam* win*",
        "lmap~ OR window~2",
        "\"lamp red\"~3",
    ];
    let sorts = [Sort::Relevance, Sort::Newest, Sort::Oldest];
    texts.iter().flat_map(|text| sorts.map(|sort| Query { sort, ..query(text) })).collect()
}

#[test]
fn an_answer_as_of_a_sequence_stays_to_the_last_bit() {
    let bench = Bench::with(&early());
    let as_of = |query: &Query| bench.search(&Query { up_to: Some(Seq(5)), ..query.clone() });
    let before: Vec<Page> = queries().iter().map(as_of).collect();
    let whole: Vec<Page> = queries().iter().map(|query| bench.search(query)).collect();
    assert_eq!(before, whole);
    for part in late().chunks(5) {
        bench.fill(part);
    }
    let after: Vec<Page> = queries().iter().map(as_of).collect();
    assert_eq!(after, before);
    bench.merge_all();
    let merged: Vec<Page> = queries().iter().map(as_of).collect();
    assert_eq!(merged, before);
    // What came later does change an answer that is not held to the earlier sequence: scores too, and not only hits.
    let now = bench.search(&query("lamp"));
    let score_of_first = |page: &Page| page.hits.iter().find(|hit| hit.seq == Seq(1)).and_then(|hit| hit.score);
    assert_ne!(score_of_first(&now), score_of_first(&before[0]));
}

#[test]
fn scores_are_bm25_over_the_entries_up_to_the_sequence() {
    let bench = Bench::with(&[entry(1, "red lamp"), entry(2, "lamp lamp door of a house"), entry(3, "door")]);
    bench.fill(&[entry(4, "lamp and much more than that")]);
    let page = bench.search(&Query { up_to: Some(Seq(3)), ..query("\"lamp\"") });
    let rarity = (1.0_f64 + (3.0 - 2.0 + 0.5) / (2.0 + 0.5)).ln();
    let bm25 = |count: f64, length: f64| rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / (9.0 / 3.0)));
    let expected = [(1, bm25(1.0, 2.0)), (2, bm25(2.0, 6.0))];
    assert_eq!(page.hits.len(), 2);
    for (seq, score) in expected {
        let hit = page.hits.iter().find(|hit| hit.seq == Seq(seq)).unwrap();
        assert!((hit.score.unwrap() - score).abs() < 1e-12, "{seq}: {:?}, not {score}", hit.score);
    }
}

#[test]
fn answers_do_not_depend_on_segments() {
    let all: Vec<Entry> = early().into_iter().chain(late()).collect();
    let together = Bench::with(&all);
    let apart = Bench::empty();
    for entry in &all {
        apart.fill(std::slice::from_ref(entry));
    }
    for query in queries() {
        assert_eq!(together.search(&query), apart.search(&query), "{query:?}");
    }
}

#[test]
fn an_answer_never_runs_ahead_of_the_index() {
    let bench = Bench::with(&early());
    let result = bench.index.search(&grant(), &Query { up_to: Some(Seq(6)), ..query("lamp") });
    assert!(matches!(result, Err(Error::NotYetIndexed { asked: Seq(6), indexed: Seq(5) })));
    bench.index.commit(Seq(6)).unwrap();
    assert_eq!(bench.search(&Query { up_to: Some(Seq(6)), ..query("lamp") }).total, 3);
    assert_eq!(bench.search(&Query { up_to: Some(Seq(0)), ..query("lamp") }).total, 0);
}

impl Bench {
    fn merge_all(&self) {
        self.index.merge_all().unwrap();
        assert_eq!(self.index.engine.searchable_segment_ids().unwrap().len(), 1);
    }
}

use super::*;

/// All pages of `limit` hits; `between` runs after each.
fn pages(bench: &Bench, query: &Query, limit: usize, mut between: impl FnMut()) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    loop {
        let after = match pages.last() {
            None => None,
            Some(Page { next: Some(next), .. }) => Some(next.to_string().parse().unwrap()),
            Some(_) => return pages,
        };
        pages.push(bench.search(&Query { limit, after, ..query.clone() }));
        between();
    }
}

#[test]
fn pages_follow_each_other_whatever_comes_in() {
    for sort in [Sort::Relevance, Sort::Newest, Sort::Oldest, Sort::Price, Sort::Score] {
        // Times that go the other way than sequences, and many equals.
        let make =
            |seq| Entry { captured_at: at((100 - seq) / 3), ..entry(seq, if seq % 2 == 0 { "a a b" } else { "a" }) };
        let bench = Bench::with(&(1..=20).map(make).collect::<Vec<_>>());
        let query = Query { sort, ..query("a") };
        let whole = bench.search(&query);
        let mut next_seq = 21;
        let pages = pages(&bench, &query, 3, || {
            bench.fill(&[make(next_seq)]);
            next_seq += 1;
        });
        assert_eq!(pages.len(), 7, "{sort:?}");
        assert!(pages.iter().all(|page| page.total == 20 && page.up_to == Seq(20)));
        let hits: Vec<Hit> = pages.into_iter().flat_map(|page| page.hits).collect();
        assert_eq!(hits, whole.hits, "{sort:?}");
    }
}

#[test]
fn times_sort_both_ways_and_ties_break_on_the_sequence() {
    let times = [5, 3, 5, 1];
    let entries: Vec<Entry> =
        (1..).zip(times).map(|(seq, time)| Entry { captured_at: at(time), ..entry(seq, "a") }).collect();
    let bench = Bench::with(&entries);
    assert_eq!(sequences(&bench.search(&Query { sort: Sort::Newest, ..query("a") })), [3, 1, 2, 4]);
    assert_eq!(sequences(&bench.search(&Query { sort: Sort::Oldest, ..query("a") })), [4, 2, 1, 3]);
}

#[test]
fn a_cursor_is_for_its_own_query_only() {
    let bench = Bench::with(&[entry(1, "a b"), entry(2, "a b")]);
    let first = Query { limit: 1, ..query("a") };
    let after = bench.search(&first).next;
    assert!(after.is_some());
    let refused = |query: Query| {
        matches!(bench.index.search(&grant(), &query), Err(Error::Cursor(InvalidCursor::OfAnotherQuery)))
    };
    assert!(!refused(Query { after, limit: 5, up_to: Some(Seq(2)), ..query("a") }));
    assert!(refused(Query { after, ..query("b") }));
    assert!(refused(Query { after, sort: Sort::Oldest, ..first.clone() }));
    assert!(refused(Query { after, kinds: vec![PageKind::Pgp], ..first.clone() }));
    assert!(refused(Query { after, up_to: Some(Seq(1)), ..first }));
}

#[test]
fn a_page_can_be_empty_and_is_never_endless() {
    let bench = Bench::with(&[entry(1, "a"), entry(2, "a")]);
    let none = bench.search(&Query { limit: 0, ..query("a") });
    assert_eq!((none.total, none.hits.len(), none.next), (2, 0, None));
    let page = bench.search(&Query { limit: usize::MAX, ..query("a") });
    assert_eq!((page.hits.len(), page.next), (2, None));
}

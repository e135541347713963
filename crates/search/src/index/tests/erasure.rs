//! What is taken out is not found, not counted, not weighed, and in no file.

use super::*;

/// Everything that the index holds of entries, read from the stored documents of every segment, also of those that are marked as deleted.
fn stored(bench: &Bench) -> Vec<u64> {
    let searcher = bench.index.state().searcher.clone();
    let mut sequences = Vec::new();
    for segment in searcher.segment_readers() {
        for document in segment.get_store_reader(0).unwrap().iter::<TantivyDocument>(None) {
            sequences.push(bench.index.fields.entry(&document.unwrap()).unwrap().seq.0);
        }
    }
    sequences.sort_unstable();
    sequences
}

fn segments_on_disk(bench: &Bench) -> std::collections::BTreeSet<String> {
    std::fs::read_dir(bench.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap().split('.').next().unwrap().to_owned())
        .filter(|stem| stem.len() == 32)
        .collect()
}

fn entries() -> Vec<Entry> {
    (1..=9).map(|seq| entry(seq, if seq % 2 == 0 { "red lamp" } else { "red door and window" })).collect()
}

#[test]
fn an_index_without_entries_is_as_if_they_had_never_been_there() {
    let bench = Bench::empty();
    for part in entries().chunks(2) {
        bench.fill(part);
    }
    // An entry that is added and not committed yet.
    bench.index.add(&entry(10, "red lamp")).unwrap();
    let searching = bench.index.state();
    bench.index.replace(&[2, 3, 10].map(Seq), &[]).unwrap();
    let left: Vec<Entry> = entries().into_iter().filter(|entry| !matches!(entry.seq.0, 2 | 3)).collect();
    let never = Bench::with(&left);
    for sort in [Sort::Relevance, Sort::Newest] {
        for text in ["lamp", "red", "-door", "door OR lamp"] {
            let query = Query { sort, up_to: Some(Seq(9)), ..query(text) };
            assert_eq!(bench.search(&query), never.search(&query), "{text}");
        }
    }
    assert_eq!(bench.index.indexed_up_to(), Seq(10));
    assert_eq!(stored(&bench), [1, 4, 5, 6, 7, 8, 9]);
    let live: std::collections::BTreeSet<String> = bench
        .index
        .engine
        .searchable_segment_ids()
        .unwrap()
        .iter()
        .map(tantivy::index::SegmentId::uuid_string)
        .collect();
    assert_eq!(segments_on_disk(&bench), live, "a search that began before keeps no file by its name");
    drop(searching);
    bench.fill(&[entry(11, "red lamp")]);
    assert_eq!(bench.find("lamp"), [4, 6, 8, 11]);
}

#[test]
fn entries_come_back_where_they_were() {
    let bench = Bench::with(&entries());
    let before = bench.search(&query("lamp"));
    bench.index.replace(&[Seq(4)], &[]).unwrap();
    assert_eq!(bench.find("lamp"), [2, 6, 8]);
    for _ in 0..2 {
        bench.index.replace(&[], &[entry(4, "red lamp")]).unwrap();
        assert_eq!(bench.search(&query("lamp")), before);
    }
}

#[test]
fn all_entries_may_go() {
    let bench = Bench::with(&[entry(1, "a")]);
    bench.index.replace(&[Seq(1)], &[]).unwrap();
    bench.index.replace(&[Seq(1)], &[]).unwrap();
    assert_eq!((bench.find(""), bench.index.indexed_up_to()), (vec![], Seq(1)));
    assert!(segments_on_disk(&bench).is_empty());
}

#[test]
fn nothing_is_answered_between_taking_out_and_merging() {
    let bench = Bench::with(&entries());
    let mut writer: tantivy::IndexWriter = bench.index.engine.writer(15_000_000).unwrap_or_else(|_| {
        bench.index.lock_writer().abandon();
        bench.index.engine.writer(15_000_000).unwrap()
    });
    writer.delete_term(tantivy::Term::from_field_u64(bench.index.fields.seq, 2));
    let mut prepared = writer.prepare_commit().unwrap();
    prepared.set_payload("9");
    prepared.commit().unwrap();
    drop(writer);
    // The process died there.
    let Bench { directory, index } = bench;
    drop(index);
    let bench = Bench { index: open(&directory.path().join("index")), directory };
    assert!(matches!(bench.index.search(&grant(), &query("lamp")), Err(Error::Erasing(_))));
    bench.index.replace(&[Seq(2)], &[]).unwrap();
    assert_eq!(bench.find("lamp"), [4, 6, 8]);
    assert_eq!(stored(&bench), [1, 3, 4, 5, 6, 7, 8, 9]);
}

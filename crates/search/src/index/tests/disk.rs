use std::{fs, path::PathBuf};

use super::*;

#[test]
fn what_is_committed_survives_and_the_rest_is_added_again() {
    let bench = Bench::with(&[entry(1, "a"), entry(2, "a")]);
    bench.index.commit(Seq(4)).unwrap();
    bench.index.add(&entry(5, "a")).unwrap();
    assert_eq!(bench.find("a"), [1, 2]);
    let Bench { directory, index } = bench;
    drop(index);
    let bench = Bench { index: open(&directory.path().join("index")), directory };
    assert_eq!(bench.index.indexed_up_to(), Seq(4));
    assert_eq!(bench.find("a"), [1, 2]);
    bench.fill(&[entry(2, "a"), entry(4, "a"), entry(5, "a"), entry(5, "a"), entry(6, "a")]);
    assert_eq!(bench.find("a"), [1, 2, 5, 6]);
    assert_eq!(bench.index.indexed_up_to(), Seq(6));
}

#[test]
fn a_commit_vouches_for_all_that_was_added() {
    let bench = Bench::empty();
    bench.index.add(&entry(3, "a")).unwrap();
    bench.index.commit(Seq(1)).unwrap();
    assert_eq!(bench.index.indexed_up_to(), Seq(3));
    bench.index.commit(Seq(2)).unwrap();
    assert_eq!(bench.index.indexed_up_to(), Seq(3));
}

#[test]
fn a_lock_that_a_dead_process_left_does_not_hinder() {
    let bench = Bench::with(&[entry(1, "a")]);
    let Bench { directory, index } = bench;
    drop(index);
    let path = directory.path().join("index");
    fs::write(path.join(".tantivy-writer.lock"), "").unwrap();
    fs::write(path.join(".tantivy-meta.lock"), "").unwrap();
    // Half a segment that no commit knows.
    fs::write(path.join("0123456789abcdef0123456789abcdef.store"), "half").unwrap();
    let bench = Bench { index: open(&path), directory };
    bench.fill(&[entry(2, "a")]);
    assert_eq!(bench.find("a"), [1, 2]);
}

#[test]
fn only_one_handle_writes() {
    let bench = Bench::with(&[entry(1, "a")]);
    let second = open(&bench.path());
    assert!(matches!(second.add(&entry(2, "b")), Err(Error::InUse(_))));
    assert_eq!(second.search(&grant(), &query("a")).unwrap().total, 1);
}

#[test]
fn a_rewound_index_forgets_what_was_not_committed() {
    let bench = Bench::with(&[entry(1, "a")]);
    bench.index.add(&entry(2, "b")).unwrap();
    assert_eq!(bench.index.rewind().unwrap(), Seq(1));
    bench.fill(&[entry(2, "c")]);
    assert_eq!(bench.find(""), [1, 2]);
    assert_eq!(bench.find("b"), [0; 0]);
    assert_eq!(bench.find("c"), [2]);
}

#[test]
fn after_a_failure_nothing_is_added_behind_the_gap() {
    let bench = Bench::with(&[entry(1, "a")]);
    bench.index.add(&entry(2, "a")).unwrap();
    bench.index.lock_writer().abandon();
    assert!(matches!(bench.index.add(&entry(3, "a")), Err(Error::WriteFailed(_))));
    assert!(matches!(bench.index.commit(Seq(3)), Err(Error::WriteFailed(_))));
    assert_eq!(bench.index.rewind().unwrap(), Seq(1));
    bench.fill(&[entry(2, "a"), entry(3, "a")]);
    assert_eq!(bench.find("a"), [1, 2, 3]);
}

#[test]
fn a_cleared_index_is_as_new() {
    let bench = Bench::with(&[entry(1, "a"), entry(2, "a")]);
    bench.index.add(&entry(3, "a")).unwrap();
    bench.index.clear().unwrap();
    assert_eq!(bench.index.indexed_up_to(), Seq(0));
    assert_eq!(bench.find(""), [0; 0]);
    bench.fill(&[entry(1, "b")]);
    assert_eq!(bench.find(""), [1]);
}

/// Copies an index of two segments, lets `spoil` loose on one of its files, and opens it: whole or empty, it can be
/// filled to hold everything.
fn survives(spoil: impl Fn(&Path)) {
    let original = Bench::with(&[entry(1, "a b"), entry(2, "a c")]);
    original.fill(&[entry(3, "a")]);
    let mut emptied = 0;
    for file in files(&original.path()) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index");
        fs::create_dir(&path).unwrap();
        for file in files(&original.path()) {
            fs::copy(&file, path.join(file.file_name().unwrap())).unwrap();
        }
        spoil(&path.join(file.file_name().unwrap()));
        let bench = Bench { index: open(&path), directory };
        let up_to = bench.index.indexed_up_to();
        assert!(up_to == Seq(0) || up_to == Seq(3), "{}: {up_to}", file.display());
        emptied += u32::from(up_to == Seq(0));
        bench.fill(&[entry(1, "a b"), entry(2, "a c"), entry(3, "a")]);
        assert_eq!(bench.find("a"), [1, 2, 3], "{}", file.display());
    }
    assert!(emptied > 0);
}

fn files(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect()
}

#[test]
fn an_empty_file_makes_a_new_index() {
    survives(|file| fs::write(file, "").unwrap());
}

#[test]
fn a_missing_file_makes_a_new_index() {
    survives(|file| fs::remove_file(file).unwrap());
}

#[test]
fn a_truncated_file_makes_a_new_index() {
    survives(|file| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    });
}

#[test]
fn a_file_of_something_else_makes_a_new_index() {
    survives(|file| fs::write(file, "something else\n".repeat(20)).unwrap());
}

#[test]
fn an_index_of_another_version_is_built_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index");
    fs::create_dir(&path).unwrap();
    let mut schema = tantivy::schema::Schema::builder();
    schema.add_text_field("other", tantivy::schema::TEXT);
    tantivy::Index::create_in_dir(&path, schema.build()).unwrap();
    let bench = Bench { index: open(&path), directory };
    assert_eq!(bench.index.indexed_up_to(), Seq(0));
    bench.fill(&[entry(1, "a")]);
    assert_eq!(bench.find("a"), [1]);
}

#[test]
fn a_path_that_is_no_directory_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index");
    fs::write(&path, "mine").unwrap();
    let result = Index::open(&path, theme(), &Config::default());
    assert!(matches!(result, Err(Error::Directory { .. })));
    assert_eq!(fs::read(path).unwrap(), b"mine");
}

#[test]
fn themes_are_apart() {
    let directory = tempfile::tempdir().unwrap();
    let indexes = crate::Indexes::open(directory.path().join("indexes"), Config::default()).unwrap();
    let other: ThemeId = "cybercrime".parse().unwrap();
    let market = indexes.theme(theme()).unwrap();
    assert!(Arc::ptr_eq(&market, &indexes.theme(theme()).unwrap()));
    market.add(&entry(1, "a")).unwrap();
    market.commit(Seq(1)).unwrap();
    let other_grant = Authority::of_this_process().grant("tester", other, Phase::Analysis);
    assert_eq!(indexes.theme(other).unwrap().search(&other_grant, &query("a")).unwrap().total, 0);
    assert_eq!(market.search(&grant(), &query("a")).unwrap().total, 1);
}

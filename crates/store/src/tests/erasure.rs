//! Holds, erasure, seals and retention: what goes, what stays, and who may.

use std::{collections::BTreeSet, fs};

use model::{Authority, Retention, Subject};
use proof::{Fact, Leaf, LeafKind};

use super::*;
use crate::{ChangeKind, Depth, ErasureOrder, Expired, LocalCopy, Report};

const SECRET: &str = "mijn-buurvrouw-woont-op-nummer-elf";

fn market() -> ThemeId {
    theme("marketplace")
}

fn person() -> Grant {
    Authority::of_this_process().grant("person", market(), model::Phase::Analysis)
}

fn custody() -> Grant {
    Authority::of_this_process().custody("custodian", market())
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn order(subject: Subject) -> ErasureOrder {
    ErasureOrder { subject, ground: "article 17".into(), at: at(9_000), forgets_uris: false }
}

fn id(seq: u64) -> CaptureId {
    CaptureId { theme: market(), seq: Seq(seq) }
}

fn verified(store: &Store) -> Report {
    store.verify(Depth::Full, &mut |_| true).unwrap()
}

/// Records a page as what changed since the last capture of its URI.
async fn record(store: &Store, path: &str, page: &[u8], started_at: i64) -> Seq {
    let visit = finished("marketplace", path, page);
    let capture = Capture { started_at: at(started_at), ..visit.evidence.capture().clone() };
    let evidence = store.evidence(market(), capture, page).unwrap();
    store.record(FinishedVisit { evidence, ..visit }).await.unwrap()
}

/// A page of some size that differs from its like by one number.
fn page(n: u32) -> Vec<u8> {
    let lines: String = (0..200u32).map(|line| format!("<p>{}</p>", line.wrapping_mul(0x9e37_79b9))).collect();
    format!("{lines}<b>{n}</b>").into_bytes()
}

/// Says that everything is analysed, as derive does; only the named runs are versions.
fn analysed(store: &Store, runs: &[(&str, &[u64])]) {
    let mut analyses = Vec::new();
    for (path, run) in runs {
        let version = Version {
            number: 1,
            digest_rule: 1,
            first_seen: at(1),
            last_seen: at(1),
            first: Seq(run[0]),
            last: Seq(run[run.len() - 1]),
            captures: 1,
            content_digest: Digest::of(b"x"),
        };
        for seq in *run {
            let hint = CrawlHint {
                target: TARGET,
                uri: uri(path).id(),
                outcome: Outcome::Ok,
                kind: PageKind::Other,
                refresh: None,
                has_changed: false,
                is_quarantined: false,
            };
            let version = Some((uri(path).id(), version));
            let document = Some(document());
            analyses.push(Analysis { seq: Seq(*seq), hint, document, sketch: None, version, findings: Vec::new() });
        }
    }
    let newest = store.newest().borrow()[&market()];
    store.put_analyses(market(), &analyses, newest).unwrap();
}

fn document() -> Document {
    Document {
        extractor: 1,
        charset: "UTF-8".into(),
        charset_source: model::CharsetSource::Guess,
        title: "t".into(),
        text: SECRET.into(),
        language: None,
        languages: Vec::new(),
        hidden: Vec::new(),
        images: Vec::new(),
        shape: 0,
        kind: PageKind::Other,
        links: vec![model::Link { uri: uri("/b"), anchor: SECRET.into(), rel: None }],
        refresh: None,
        forms: Vec::new(),
        observables: vec![model::Observable {
            kind: model::ObservableKind::Wickr,
            grade: model::Grade::ShapeOnly,
            value: SECRET.into(),
            at: 0..4,
            key: None,
        }],
        cues: Vec::new(),
        fields: model::Fields::default(),
        content_digest: Digest::of(b"t"),
        digest_rule: 1,
    }
}

#[tokio::test]
async fn an_erased_capture_is_gone_and_its_leaf_stands() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for path in ["/a", "/b"] {
        record(&store, path, format!("page {path}").as_bytes(), 1).await;
    }
    let before = store.log_leaf(0).unwrap();
    let one = order(Subject::Capture(Seq(1)));
    assert!(matches!(store.erase(&person(), market(), &one), Err(Error::NotAnalysed(not)) if not == id(1)));
    analysed(&store, &[("/a", &[1]), ("/b", &[2])]);
    let plan = store.erasure_plan(&person(), market(), &one.subject).unwrap();
    assert_eq!((plan.captures, plan.payload_bytes, plan.held), (1, 7, None));
    let taken = store.erase(&person(), market(), &one).unwrap();
    assert_eq!((taken.leaves.as_slice(), taken.captures), ([2].as_slice(), 1));
    assert!(matches!(store.capture(&custody(), id(1)), Err(Error::Erased(gone, 2)) if gone == id(1)));
    assert!(matches!(store.disclosure(&person(), id(1)), Err(Error::Erased(..))));
    assert_eq!(store.document(&person(), id(1)).unwrap(), None);
    assert_eq!(store.links(&person(), market(), Seq(1)).unwrap(), []);
    assert_eq!(store.log_leaf(0).unwrap(), before);
    let run = store.captures_after(&person(), market(), Seq(0), 9).unwrap();
    assert_eq!((run.captures.len(), run.captures[0].seq, run.up_to), (1, Seq(2), Seq(2)));
    let leaf = Leaf::decode(&store.log_leaf(2).unwrap().unwrap()).unwrap();
    assert_eq!(
        (leaf.kind, &leaf.facts["captures"], &leaf.facts["count"]),
        (LeafKind::Erasure, &Fact::Text("1".into()), &Fact::Int(1))
    );
    assert_eq!(store.acts(&person(), market(), 0, 9).unwrap()[0].parts["ground"], b"article 17");
    let report = verified(&store);
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.captures, report.erased), (1, 1));
    let erased = |up_to| store.erased_up_to(market(), Seq(up_to)).unwrap();
    assert_eq!((erased(0), erased(1), erased(9)), (0, 1, 1));
    analysed(&store, &[]);
    assert_eq!(store.erase(&person(), market(), &order(Subject::Uri(uri("/b")))).unwrap().captures, 1);
    assert_eq!(store.erased_up_to(market(), Seq(2)).unwrap(), 2, "the number is counted anew");
    assert!(matches!(store.erase(&person(), market(), &one), Err(Error::Erased(..))));
}

/// Whoever writes "erased" over a capture must have a leaf that says so.
#[tokio::test]
async fn an_erasure_that_no_leaf_tells_of_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for path in ["/a", "/b", "/c"] {
        record(&store, path, path.as_bytes(), 1).await;
    }
    analysed(&store, &[]);
    store.erase(&person(), market(), &order(Subject::Capture(Seq(1)))).unwrap();
    for erasure in [0, 2, 3, 99] {
        let key = crate::key::Key::theme(market()).seq(Seq(2));
        let good = store.tables.get_raw(Table::Captures, &key).unwrap().unwrap();
        let mut batch = rocksdb::WriteBatch::default();
        store.tables.put(&mut batch, Table::Captures, &key, &CaptureRow::Erased { leaf: 1, erasure });
        store.tables.write_synced(batch).unwrap();
        let findings = verified(&store).findings;
        let told = format!("leaf {erasure} does not tell that the capture was erased");
        assert!(findings.iter().any(|finding| finding.problem == told), "{findings:?}");
        let mut batch = rocksdb::WriteBatch::default();
        batch.put_cf(store.tables.family(Table::Captures), &key, good);
        store.tables.write_synced(batch).unwrap();
    }
    assert!(verified(&store).is_sound());
}

#[tokio::test]
async fn a_payload_goes_with_its_last_capture_and_what_builds_on_it_stays_readable() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..6 {
        record(&store, "/a", &page(n), 1).await;
    }
    record(&store, "/b", &page(2), 1).await;
    analysed(&store, &[]);
    let deltas = || store.raw_rows(&reader(), Table::PayloadDependants).unwrap().len();
    assert_eq!(deltas(), 5, "each page is kept as what changed");
    for (seq, payloads) in [(3, 6), (1, 5), (7, 4), (6, 3)] {
        store.erase(&person(), market(), &order(Subject::Capture(Seq(seq)))).unwrap();
        assert_eq!(store.raw_rows(&reader(), Table::Payloads).unwrap().len(), payloads, "after {seq}");
    }
    for (seq, n) in [(2, 1), (4, 3), (5, 4)] {
        let capture = store.capture(&reader(), id(seq)).unwrap().unwrap();
        assert_eq!(store.payload(&reader(), market(), &capture).unwrap(), page(n));
    }
    assert_eq!(deltas(), 1, "only the fifth builds on the fourth");
    let report = verified(&store);
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(record(&store, "/a", &page(5), 1).await, Seq(8));
    assert!(verified(&store).is_sound());
}

#[tokio::test]
async fn a_hold_beats_an_erasure_until_it_is_lifted() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for path in ["/a", "/a", "/a", "/b"] {
        record(&store, path, b"x", 1).await;
    }
    analysed(&store, &[("/a", &[1, 2, 3]), ("/b", &[4])]);
    let all = order(Subject::Target(TARGET));
    let subjects = [
        (Subject::Target(TARGET), vec![1, 2, 3, 4]),
        (Subject::Uri(uri("/a")), vec![1, 2, 3]),
        (Subject::Version(Seq(2)), vec![1, 2, 3]),
        (Subject::Capture(Seq(4)), vec![4]),
    ];
    for (subject, held) in subjects {
        let leaf = store.set_hold(&person(), market(), subject.clone(), "a trial", at(1)).unwrap();
        let is_held = |seq: &u64| {
            let plan = store.erasure_plan(&person(), market(), &Subject::Capture(Seq(*seq))).unwrap();
            plan.held == Some((id(*seq), leaf))
        };
        assert_eq!((1..=4).filter(is_held).collect::<Vec<_>>(), held, "{subject}");
        assert!(matches!(store.erase(&custody(), market(), &all), Err(Error::Held(_, by)) if by == leaf), "{subject}");
        assert_eq!(store.holds(&person(), market()).unwrap()[0].reason, "a trial");
        assert_eq!(store.lift_hold(&person(), market(), leaf + 100, "no", at(2)).unwrap(), None);
        store.lift_hold(&person(), market(), leaf, "the trial is over", at(2)).unwrap().unwrap();
    }
    assert_eq!(store.holds(&person(), market()).unwrap(), []);
    let leaves = store.acts(&person(), market(), 0, 99).unwrap();
    assert!(leaves.iter().all(|act| Leaf::decode(&act.entry).unwrap().kind == LeafKind::Hold) && leaves.len() == 8);
    assert_eq!(store.erase(&person(), market(), &all).unwrap().captures, 4);
    assert!(verified(&store).is_sound());
}

#[tokio::test]
async fn the_crawl_goes_on_or_forgets() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let owing = CrawlBatch { uris: vec![record_of("/owed", Some(7))], ..CrawlBatch::default() };
    store.apply(market(), &owing).unwrap();
    for path in ["/a", "/b"] {
        record(&store, path, path.as_bytes(), 1).await;
    }
    analysed(&store, &[]);
    let due = |path: &str| store.uri(market(), TARGET, uri(path).id()).unwrap().map(|record| record.due);
    assert_eq!((due("/a"), due("/owed")), (Some(None), Some(Some(at(7)))));
    store.erase(&person(), market(), &order(Subject::Capture(Seq(1)))).unwrap();
    assert_eq!(due("/a"), Some(Some(at(9_000))), "its hint is gone, and the visit is owed again");
    let forgetting = ErasureOrder { forgets_uris: true, ..order(Subject::Target(TARGET)) };
    store.erase(&person(), market(), &forgetting).unwrap();
    assert_eq!((due("/a"), due("/b"), due("/owed")), (None, None, None));
    assert_eq!(store.queues().unwrap(), []);
}

fn record_of(path: &str, due: Option<i64>) -> UriRecord {
    super::record(path, due)
}

#[tokio::test]
async fn a_seal_hides_at_once_and_blocks_the_payload_for_every_theme() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for path in ["/a", "/twin", "/other"] {
        record(&store, path, if path == "/other" { b"other" } else { b"unlawful" }, 1).await;
    }
    analysed(&store, &[("/a", &[1]), ("/twin", &[2]), ("/other", &[3])]);
    // On its way to the committer when the seal is set.
    let late = finished("marketplace", "/late", b"unlawful");
    let taken = store.set_seal(&person(), market(), Seq(1), "R23", at(5)).unwrap();
    assert_eq!((taken.captures, taken.leaves.as_slice()), (2, [3].as_slice()));
    store.record(late).await.unwrap();
    for seq in [1, 2, 4] {
        assert!(matches!(store.capture(&person(), id(seq)), Err(Error::Sealed(_, 3))), "{seq}");
        assert!(matches!(store.disclosure(&reader(), id(seq)), Err(Error::Sealed(..))));
        assert!(matches!(store.document(&person(), id(seq)), Err(Error::Sealed(..))));
        let capture = store.capture(&custody(), id(seq)).unwrap().unwrap();
        assert!(matches!(store.payload(&reader(), market(), &capture), Err(Error::Sealed(..))));
        assert_eq!(store.payload(&custody(), market(), &capture).unwrap(), b"unlawful");
    }
    let listed = store.captures(&reader(), market(), CaptureFilter::All, None, 9).unwrap().captures;
    assert_eq!(listed.iter().map(|capture| capture.seq).collect::<Vec<_>>(), [Seq(3)]);
    assert_eq!(store.captures_after(&reader(), market(), Seq(0), 9).unwrap().captures, listed);
    assert_eq!(store.set_seal(&person(), market(), Seq(2), "again", at(6)).unwrap().captures, 0);

    for name in ["marketplace", "cybercrime"] {
        let visit = finished(name, "/again", b"unlawful");
        let evidence = store.evidence(theme(name), visit.evidence.capture().clone(), b"unlawful").unwrap();
        let capture = evidence.capture();
        assert_eq!((capture.outcome, capture.payload_len, capture.block_len), (Outcome::Blocked, 0, 0));
        assert_eq!((capture.payload_digest, capture.response_head.as_slice()), (Digest::of(b""), &b""[..]));
        store.record(FinishedVisit { evidence, ..visit }).await.unwrap();
    }
    assert_eq!(store.raw_rows(&reader(), Table::Payloads).unwrap().len(), 2);
    assert!(verified(&store).is_sound(), "{:?}", verified(&store));

    assert!(matches!(store.erase(&person(), market(), &order(Subject::Capture(Seq(1)))), Err(Error::Sealed(..))));
    assert!(matches!(store.lift_seal(&person(), market(), Seq(1), "wrong", at(7)), Err(Error::Sealed(..))));
    assert_eq!(store.erase(&custody(), market(), &order(Subject::Capture(Seq(2)))).unwrap().captures, 1);
    assert_eq!(store.lift_seal(&custody(), market(), Seq(1), "it was lawful", at(8)).unwrap().captures, 2);
    assert_eq!(store.seals(&person(), market()).unwrap(), []);
    store.capture(&person(), id(1)).unwrap().unwrap();
    let evidence = store.evidence(market(), capture("/x", b"unlawful"), b"unlawful").unwrap();
    assert_eq!(evidence.capture().outcome, Outcome::Ok, "it may be kept again");
    let kinds: Vec<_> = store.view_changes(market()).unwrap().into_iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Sealed, ChangeKind::Erased, ChangeKind::Unsealed]);
    assert!(store.is_changing(market()).unwrap());
    assert!(verified(&store).is_sound());
}

#[tokio::test]
async fn retention_takes_what_was_not_seen_for_long_and_holds_beat_it() {
    let day = 86_400_000_000_i64;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    // A page seen on days 1 and 9, one on day 2, one that is held and one that is sealed, and two attempts that failed.
    for (path, body, days) in [
        ("/a", "x", 1),
        ("/a", "x", 9),
        ("/b", "b", 2),
        ("/held", "h", 2),
        ("/sealed", "s", 2),
        ("/f", "", 1),
        ("/f", "", 9),
    ] {
        record(&store, path, body.as_bytes(), days * day).await;
    }
    analysed(&store, &[("/a", &[1, 2]), ("/b", &[3]), ("/held", &[4]), ("/sealed", &[5])]);
    store.set_hold(&person(), market(), Subject::Uri(uri("/held")), "a trial", at(0)).unwrap();
    store.set_seal(&person(), market(), Seq(5), "R23", at(0)).unwrap();
    let now = at(12 * day);
    let keep = Retention { content_days: Some(5), attempts_days: Some(8) };
    assert!(matches!(store.expired(&person(), market(), &keep, now), Err(Error::Changing(_))));
    for change in store.view_changes(market()).unwrap() {
        store.views_followed(market(), &change).unwrap();
    }
    let nothing = store.expired(&person(), market(), &Retention::default(), now).unwrap();
    assert_eq!(nothing, crate::RetentionRun::default());
    let size = store.log_head().size;
    let tried = store.expired(&person(), market(), &keep, now).unwrap();
    let one = |bytes| Expired { captures: 1, payload_bytes: bytes };
    assert_eq!((tried.content, tried.attempts, tried.held, tried.sealed), (one(1), one(0), 1, 1));
    assert_eq!((store.log_head().size, tried.leaves.len()), (size, 0), "a trial leaves no trace");
    let run = store.retain(&person(), market(), &keep, now).unwrap();
    assert_eq!(
        (run.content, run.attempts, run.leaves.as_slice()),
        (tried.content, tried.attempts, &[size, size + 1][..])
    );
    let left: Vec<u64> = store
        .captures(&custody(), market(), CaptureFilter::All, None, 9)
        .unwrap()
        .captures
        .iter()
        .map(|capture| capture.seq.0)
        .collect();
    assert_eq!(left, [7, 5, 4, 2, 1], "a version goes as a whole, by when it was last seen");
    for change in store.view_changes(market()).unwrap() {
        store.views_followed(market(), &change).unwrap();
    }
    let later = store.retain(&person(), market(), &keep, at(14 * day)).unwrap();
    assert_eq!((later.content.captures, later.leaves.len()), (2, 2));
    assert!(verified(&store).is_sound());
}

#[tokio::test]
async fn copies_that_hold_what_was_erased_are_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("store"));
    for path in ["/a", "/b"] {
        record(&store, path, path.as_bytes(), 1).await;
    }
    analysed(&store, &[]);
    let path = |name: &str| dir.path().join(name);
    let (own, other, gone, place) = (path("own.wacz"), path("other.wacz"), path("gone.wacz"), path("place.wacz"));
    for (path, seq) in [(&own, 1), (&other, 2), (&gone, 1), (&place, 1)] {
        let copy = LocalCopy { path: path.clone(), theme: market(), captures: vec![Seq(seq)], must_go: false };
        store.note_copy(&copy).unwrap();
    }
    for file in [&own, &other] {
        fs::write(file, SECRET).unwrap();
    }
    fs::create_dir(&place).unwrap();
    store.set_seal(&custody(), market(), Seq(2), "R23", at(1)).unwrap();
    store.erase(&person(), market(), &order(Subject::Capture(Seq(1)))).unwrap();
    purge(&store);
    assert_eq!(
        (own.exists(), other.exists(), place.exists()),
        (false, true, true),
        "a seal deletes nothing, and no directory goes"
    );
    assert_eq!(store.copies(&person(), market()).unwrap().iter().map(|copy| &copy.path).collect::<Vec<_>>(), [&other]);
    assert!(store.copies_left(&person(), market()).unwrap().is_empty());
}

/// It is listed until it is gone, and holds nothing up.
#[tokio::test]
async fn a_copy_that_cannot_be_deleted_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("store"));
    for path in ["/a", "/b"] {
        record(&store, path, path.as_bytes(), 1).await;
    }
    analysed(&store, &[]);
    // No name of a file is that long: it can neither be looked at nor deleted, for root either.
    let path = dir.path().join("a".repeat(300));
    let copy = LocalCopy { path: path.clone(), theme: market(), captures: vec![Seq(1)], must_go: false };
    store.note_copy(&copy).unwrap();
    store.erase(&person(), market(), &order(Subject::Capture(Seq(1)))).unwrap();
    purge(&store);
    assert_eq!(store.copies_left(&person(), market()).unwrap(), [path]);
    let elsewhere = theme("cybercrime");
    assert!(matches!(store.copies_left(&person(), elsewhere), Err(Error::NotGranted(theme)) if theme == elsewhere));
}

/// A backup works on links to the files of the store: what they hold is there as long as they are.
#[tokio::test]
async fn an_erasure_is_complete_when_no_backup_has_links_to_what_it_erased() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    record(&store, "/a", SECRET.as_bytes(), 1).await;
    analysed(&store, &[]);
    store.erase(&person(), market(), &order(Subject::Capture(Seq(1)))).unwrap();
    let change = store.view_changes(market()).unwrap().remove(0);
    let backup = store.backing_up.lock().unwrap();
    assert!(!store.purge(market(), &change).unwrap());
    drop(backup);
    let links = crate::backup::checkpoint_dir(dir.path());
    fs::create_dir(&links).unwrap();
    fs::write(links.join("000009.sst"), SECRET).unwrap();
    purge(&store);
    assert!(!links.exists());
}

/// Carries out what is due, as derive does but for versions.
fn purge(store: &Store) {
    for change in store.view_changes(market()).unwrap() {
        store.forget_views(market(), &change.captures).unwrap();
        let uris: BTreeSet<_> = change.captures.iter().map(|capture| capture.uri).collect();
        for uri in uris {
            store.replace_versions(market(), uri, &[], &[]).unwrap();
        }
        store.views_followed(market(), &change).unwrap();
    }
    for change in store.view_changes(market()).unwrap() {
        let tries = (0..1_000).find(|_| store.purge(market(), &change).unwrap());
        assert!(tries.is_some(), "a file stays that may hold what was erased");
    }
    assert_eq!(store.view_changes(market()).unwrap(), []);
}

#[tokio::test]
async fn a_purge_waits_for_whoever_holds_a_file_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    record(&store, "/a", SECRET.as_bytes(), 1).await;
    analysed(&store, &[]);
    store.tables.flush().unwrap();
    let reading = store.tables.scan(Table::Captures, &crate::key::Key::default(), None);
    store.erase(&person(), market(), &order(Subject::Capture(Seq(1)))).unwrap();
    let change = store.view_changes(market()).unwrap().remove(0);
    assert!(!store.purge(market(), &change).unwrap(), "a reader still has the file");
    assert!(!store.purge(market(), &change).unwrap(), "and the second time it is not forgotten");
    drop(reading);
    purge(&store);
}

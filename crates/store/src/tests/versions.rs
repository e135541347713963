//! Versions and their names, and what stands for a page that has not changed.

use proof::{Fact, Leaf, LeafKind};

use super::*;
use crate::{Depth, MOST_REVISITS, Naming};

fn market() -> ThemeId {
    theme("marketplace")
}

fn id(seq: u64) -> CaptureId {
    CaptureId { theme: market(), seq: Seq(seq) }
}

fn seconds(n: i64) -> Timestamp {
    Timestamp::from_micros(n * 1_000_000)
}

/// A capture of `/a` that ended so.
async fn record_as(store: &Store, target: TargetId, outcome: Outcome, payload: &[u8]) -> Seq {
    let visit = finished("marketplace", "/a", payload);
    let capture = Capture { outcome, target, ..visit.evidence.capture().clone() };
    let evidence = store.evidence(market(), capture, payload).unwrap();
    store.record(FinishedVisit { evidence, ..visit }).await.unwrap()
}

fn analysed(store: &Store, seq: Seq, version: Version) {
    let hint = CrawlHint {
        target: TARGET,
        uri: uri("/a").id(),
        outcome: Outcome::Ok,
        kind: PageKind::Other,
        refresh: None,
        has_changed: true,
        is_quarantined: false,
    };
    let version = Some((uri("/a").id(), version));
    let analysis = Analysis { seq, hint, document: None, sketch: None, version, findings: Vec::new() };
    store.put_analyses(market(), &[analysis], seq).unwrap();
}

#[tokio::test]
async fn versions_are_listed_newest_first_and_found_by_any_of_their_captures() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for outcome in [Outcome::Ok, Outcome::NotModified, Outcome::DescriptorNotFound, Outcome::Ok, Outcome::Ok] {
        record_as(&store, TARGET, outcome, if outcome == Outcome::Ok { b"page" } else { b"" }).await;
    }
    let (first, second) = (version(1, Seq(1), Seq(4), b"x"), version(2, Seq(5), Seq(5), b"y"));
    assert_eq!(store.version_of(&reader(), id(1)).unwrap(), None, "nothing is analysed yet");
    analysed(&store, Seq(4), first);
    analysed(&store, Seq(5), second);
    let page = |from| store.versions(&reader(), market(), uri("/a").id(), from, 1).unwrap();
    assert_eq!((page(None).versions, page(None).next), (vec![second], Some(Seq(1))));
    assert_eq!((page(Some(Seq(1))).versions, page(Some(Seq(1))).next), (vec![first], None));
    let of = |seq| store.version_of(&reader(), id(seq)).unwrap().map(|(_, version)| version.number);
    assert_eq!([of(1), of(2), of(3), of(4), of(5), of(6)], [Some(1), Some(1), None, Some(1), Some(2), None]);
}

#[tokio::test]
async fn a_name_is_an_act_and_renaming_and_removing_keep_the_history() {
    let dir = tempfile::tempdir().unwrap();
    let uri = uri("/a").id();
    {
        let store = open(dir.path());
        let name = |version, name, author, at| {
            store.name_version(&reader(), id(version), uri, name, author, seconds(at)).unwrap()
        };
        assert_eq!(name(3, Some("Before the raid"), "anna", 1), 0);
        name(5, Some("After it"), "ben", 2);
        name(3, Some("The day before the raid"), "carla", 3);
        name(5, None, "dirk", 4);
    }
    let store = open(dir.path());
    let namings = store.namings(&reader(), market(), uri, (Seq(1), Seq(9))).unwrap();
    let told = |naming: &Naming| {
        (naming.version.0, naming.at, naming.name.clone().unwrap_or_default(), naming.author.clone().unwrap())
    };
    let expect = [
        (3, seconds(1), "Before the raid", "anna"),
        (3, seconds(3), "The day before the raid", "carla"),
        (5, seconds(2), "After it", "ben"),
        (5, seconds(4), "", "dirk"),
    ];
    let expect = expect.map(|(version, at, name, author)| (version, at, name.to_owned(), author.to_owned()));
    assert_eq!(namings.iter().map(told).collect::<Vec<_>>(), expect);
    let present: Vec<_> = Naming::present(&namings).into_iter().map(|naming| naming.version.0).collect();
    assert_eq!(present, [3], "a name that was taken away is none");
    let within = |first, last| store.namings(&reader(), market(), uri, (Seq(first), Seq(last))).unwrap().len();
    assert_eq!([within(4, 9), within(1, 4), within(1, 2), within(6, 9)], [2, 2, 0, 0]);

    let acts = store.acts(&reader(), market(), 0, 10).unwrap();
    let leaves: Vec<Leaf> = acts.iter().map(|act| Leaf::decode(&act.entry).unwrap()).collect();
    assert!(leaves.iter().all(|leaf| leaf.kind == LeafKind::Name));
    assert_eq!(leaves[0].facts["version"], Fact::Text("marketplace/3".into()));
    let in_the_clear = String::from_utf8_lossy(&acts[0].entry).into_owned();
    assert!(
        !in_the_clear.contains("raid") && !in_the_clear.contains("anna"),
        "a leaf tells what may have to be erased"
    );
    assert!(store.verify(Depth::Full, &mut |_| true).unwrap().is_sound());

    store.forget_derived("derive").unwrap();
    assert_eq!(
        store.namings(&reader(), market(), uri, (Seq(1), Seq(9))).unwrap(),
        namings,
        "names are no derived view"
    );
}

#[tokio::test]
async fn a_page_is_held_while_the_service_says_that_it_has_not_changed() {
    const OTHER: TargetId = TargetId::from_u64(8);
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let held = |target, before: Option<u64>| {
        let page = store.page_held(&reader(), market(), uri("/a").id(), target, before.map(Seq)).unwrap();
        page.map(|page| page.seq.0)
    };
    record_as(&store, TARGET, Outcome::Ok, b"one").await;
    record_as(&store, TARGET, Outcome::NotModified, b"").await;
    assert_eq!((held(TARGET, None), held(TARGET, Some(1)), held(OTHER, None)), (Some(1), None, None));
    record_as(&store, OTHER, Outcome::Ok, b"two").await;
    assert_eq!((held(TARGET, None), held(OTHER, None)), (Some(1), Some(3)));
    record_as(&store, TARGET, Outcome::HttpError(404), b"gone").await;
    assert_eq!((held(TARGET, None), held(TARGET, Some(4))), (None, Some(1)));
    record_as(&store, TARGET, Outcome::Ok, b"three").await;
    for _ in 1..MOST_REVISITS {
        record_as(&store, TARGET, Outcome::NotModified, b"").await;
        assert_eq!(held(TARGET, None), Some(5));
    }
    record_as(&store, TARGET, Outcome::NotModified, b"").await;
    assert_eq!(held(TARGET, None), None, "now and then the whole page is wanted");
}

#[tokio::test]
async fn a_payload_builds_on_the_last_one_of_its_kind_whatever_came_between() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let page = |n: u32| {
        let lines: String = (0..300u32).map(|line| format!("<p>{}</p>", line.wrapping_mul(0x9e37_79b9))).collect();
        format!("{lines}<b>{n}</b>").into_bytes()
    };
    record_as(&store, TARGET, Outcome::Ok, &page(1)).await;
    for (outcome, payload) in [
        (Outcome::NotModified, b"".as_slice()),
        (Outcome::HttpError(503), b"busy, come again later"),
        (Outcome::DescriptorNotFound, b""),
    ] {
        record_as(&store, TARGET, outcome, payload).await;
    }
    record_as(&store, TARGET, Outcome::Ok, &page(2)).await;
    let rows = store.raw_rows(&reader(), Table::Payloads).unwrap();
    let largest = rows.iter().map(|(_, row)| row.len()).max().unwrap();
    let all: usize = rows.iter().map(|(_, row)| row.len()).sum();
    assert!(all < largest + 250, "the second page takes more than its change: {all} bytes, the first alone {largest}");
}

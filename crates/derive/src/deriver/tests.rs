mod erasure;
mod rules;

use std::path::Path;

use model::{ClockSource, Digest, Isolation, Outcome, TargetId, Timestamp, Uri};
use search::Query;
use store::{
    CrawlState, CredentialKey, FinishedVisit, HostRecord, Kind, Priority, RuleKind, Scoring, Table, UriRecord,
};

use super::*;

const TARGET: TargetId = TargetId::from_u64(7);

struct House {
    dir: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn open(&self) -> (Store, Arc<Indexes>) {
        let path = |name: &str| -> std::path::PathBuf { Path::new(self.dir.path()).join(name) };
        let store =
            Store::open(&path("store"), &store::Config::default(), CredentialKey::from_bytes(&[7; 32])).unwrap();
        (store, Arc::new(Indexes::open(path("index"), search::Config::default()).unwrap()))
    }
}

fn theme() -> ThemeId {
    "marketplace".parse().unwrap()
}

fn uri(path: &str) -> Uri {
    format!("http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion{path}").parse().unwrap()
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";

async fn record(store: &Store, path: &str, outcome: Outcome, body: &str) -> Seq {
    record_for(store, TARGET, path, outcome, body).await
}

async fn record_for(store: &Store, target: TargetId, path: &str, outcome: Outcome, body: &str) -> Seq {
    let uri = uri(path);
    let now = Timestamp::from_micros(1_000_000);
    let record = UriRecord {
        uri: uri.clone(),
        target,
        via: None,
        hops: 0,
        redirects: Vec::new(),
        priority: Priority::Normal,
        due: Some(now),
        attempts: 0,
        failures: 0,
        interval_s: 0,
        outcome: None,
        last: None,
    };
    let capture = Capture {
        seq: Seq(0),
        target,
        decision: 1,
        uri: uri.clone(),
        started_at: now,
        first_byte_at: None,
        ended_at: now,
        clock: ClockSource::Manual,
        outcome,
        detail: None,
        status: Some(200),
        isolation: Isolation { target, epoch: 0 },
        reused_connection: false,
        tls: None,
        request: Vec::new(),
        secrets: Vec::new(),
        response_head: HEAD.to_vec(),
        block_digest: Digest::of_parts(&[HEAD, body.as_bytes()]),
        block_len: (HEAD.len() + body.len()) as u64,
        payload_digest: Digest::of(body.as_bytes()),
        payload_len: body.len() as u64,
        framing: None,
        truncation: None,
        redirect_to: None,
        via: None,
        hops: 0,
        software: Digest::of(b""),
        configuration: Digest::of(b""),
    };
    let visit = FinishedVisit {
        theme: theme(),
        evidence: store.evidence(theme(), capture, body.as_bytes()).unwrap(),
        visit: record.entry(theme()).unwrap(),
        uri: UriRecord { due: None, ..record },
        host: (uri.service(), HostRecord::default()),
        state: (target, CrawlState::default()),
    };
    store.record(visit).await.unwrap()
}

/// Whether every rule has seen all that it is for.
fn is_settled(store: &Store) -> bool {
    let rules = |kind| store.rules(&Grant::system(Purpose::Maintenance), theme(), kind).unwrap();
    let indicators = rules(RuleKind::Indicator).into_iter().flat_map(|rule| rule.versions);
    let mut indicators = indicators.filter(|version| !version.is_removal);
    let newest =
        |rules: Vec<store::Rule>| rules.iter().flat_map(|rule| &rule.versions).map(|version| version.leaf).max();
    let is_complete = |version: store::RuleVersion| match store.scoring(theme(), version.leaf).unwrap() {
        Some(Scoring::Follows) => true,
        Some(Scoring::UpTo(done)) => version.until.is_some_and(|until| done >= until),
        None => version.until == Some(Seq(0)),
    };
    let reading = store.site_reading(theme()).unwrap();
    indicators.all(is_complete)
        && reading.is_some_and(|reading| {
            reading.up_to.is_none() && reading.set == newest(rules(RuleKind::SiteProfile)).unwrap_or(0)
        })
}

/// Runs the analysis until it has dealt with everything there is, erasures, seals and changed rules too.
async fn analyse(deriver: Deriver) -> Result<(), Error> {
    let store = deriver.store.clone();
    let stop = CancellationToken::new();
    let (mut analysed, mut changed) = (store.analysed(), store.changed());
    let run = deriver.run(stop.clone());
    tokio::pin!(run);
    loop {
        let is_analysed = store.derive_cursor(theme()).unwrap() == store.newest().borrow()[&theme()];
        if is_analysed && store.view_changes(theme()).unwrap().is_empty() && is_settled(&store) {
            stop.cancel();
            return run.await;
        }
        tokio::select! {
            result = &mut run => return result,
            _ = analysed.changed() => {}
            _ = changed.changed() => {}
        }
    }
}

fn found(indexes: &Indexes, text: &str) -> Vec<u64> {
    let grant = Grant::system(Purpose::Maintenance);
    let query = Query { text: text.into(), sort: search::Sort::Oldest, limit: 100, ..Query::default() };
    let page = indexes.theme(theme()).unwrap().search(&grant, &query).unwrap();
    assert_eq!(page.total, page.hits.len() as u64);
    page.hits.iter().map(|hit| hit.seq.0).collect()
}

fn derived_rows(store: &Store) -> Vec<(Vec<u8>, Vec<u8>)> {
    Table::ALL
        .iter()
        .filter(|table| table.kind() == Kind::Derived)
        .flat_map(|table| store.raw_rows(&Grant::system(Purpose::Maintenance), *table).unwrap())
        .collect()
}

#[tokio::test]
async fn captures_become_documents_versions_hints_and_hits() {
    let house = House::new();
    let (store, indexes) = house.open();
    record(&store, "/a", Outcome::Ok, "<title>Stall</title><p>red apples <a href=/b>more</a>").await;
    record(&store, "/b", Outcome::DescriptorNotFound, "").await;
    record(&store, "/a", Outcome::Ok, "<title>Stall</title><p>red apples <a href=/b>more</a><!-- again -->").await;
    record(&store, "/a", Outcome::Ok, "<title>Stall</title><p>green apples <a href=/b>more</a>").await;
    analyse(Deriver::new(Config::default(), store.clone(), Arc::clone(&indexes))).await.unwrap();
    let hints = store.crawl_hints_after(theme(), Seq(0), 10).unwrap();
    assert_eq!(hints.iter().map(|(_, hint)| hint.has_changed).collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!(store.links(&Grant::system(Purpose::Maintenance), theme(), Seq(1)).unwrap()[0].uri, uri("/b"));
    let version = store.version_before(theme(), uri("/a").id(), Seq(3)).unwrap().unwrap();
    assert_eq!((version.first, version.last, version.captures), (Seq(1), Seq(3), 2));
    assert_eq!(found(&indexes, "apples"), [1, 3, 4]);
    assert_eq!(found(&indexes, "outcome:DescriptorNotFound"), [2]);
}

#[tokio::test]
async fn derived_views_come_back_equal_after_they_are_deleted() {
    let house = House::new();
    let (store, indexes) = house.open();
    for n in 0..20 {
        record(&store, &format!("/{}", n % 7), Outcome::Ok, &format!("<p>number {} <a href='/{n}'>x</a>", n % 3)).await;
    }
    analyse(Deriver::new(Config { batch: 3, ..Config::default() }, store.clone(), Arc::clone(&indexes))).await.unwrap();
    let (rows, hits) = (derived_rows(&store), found(&indexes, "number"));
    Deriver::forget(&store, &indexes, &[theme()]).unwrap();
    assert_eq!((derived_rows(&store), found(&indexes, "number")), (vec![], vec![]));
    analyse(Deriver::new(Config::default(), store.clone(), Arc::clone(&indexes))).await.unwrap();
    assert_eq!((derived_rows(&store), found(&indexes, "number")), (rows, hits));
}

#[tokio::test]
async fn a_lost_index_is_filled_from_the_documents() {
    let house = House::new();
    {
        let (store, indexes) = house.open();
        record(&store, "/a", Outcome::Ok, "<p>apples").await;
        analyse(Deriver::new(Config::default(), store, indexes)).await.unwrap();
    }
    std::fs::remove_dir_all(house.dir.path().join("index")).unwrap();
    let (store, indexes) = house.open();
    record(&store, "/b", Outcome::Ok, "<p>apples too").await;
    analyse(Deriver::new(Config::default(), store, Arc::clone(&indexes))).await.unwrap();
    assert_eq!(found(&indexes, "apples"), [1, 2]);
}

/// The versions of `/a` as number, first and last capture, and count; oldest first.
fn versions(store: &Store) -> Vec<(u32, u64, u64, u32)> {
    let grant = Grant::system(Purpose::Maintenance);
    let page = store.versions(&grant, theme(), uri("/a").id(), None, 100).unwrap();
    let told = |version: &store::Version| (version.number, version.first.0, version.last.0, version.captures);
    page.versions.iter().rev().map(told).collect()
}

#[tokio::test]
async fn versions_are_numbered_and_a_304_continues_the_one_that_its_target_was_shown() {
    const OTHER: TargetId = TargetId::from_u64(8);
    let house = House::new();
    let (store, indexes) = house.open();
    for (target, outcome, body) in [
        (TARGET, Outcome::Ok, "<p>red"),
        (TARGET, Outcome::NotModified, ""),
        (TARGET, Outcome::TimedOut(model::Stage::Body), ""),
        (TARGET, Outcome::Ok, "<p>green"),
        (TARGET, Outcome::NotModified, ""),
        (TARGET, Outcome::NotModified, ""),
        (TARGET, Outcome::Ok, "<p>red"),
        // Somebody else is shown something else, and what the first one has is still red.
        (OTHER, Outcome::Ok, "<p>blue"),
        (TARGET, Outcome::NotModified, ""),
        (OTHER, Outcome::NotModified, ""),
    ] {
        record_for(&store, target, "/a", outcome, body).await;
    }
    let expect = [(1, 1, 2, 2), (2, 4, 6, 3), (3, 7, 7, 1), (4, 8, 8, 1), (5, 9, 9, 1), (6, 10, 10, 1)];
    for batch in [1, 3, 64] {
        analyse(Deriver::new(Config { batch, ..Config::default() }, store.clone(), Arc::clone(&indexes)))
            .await
            .unwrap();
        assert_eq!(versions(&store), expect, "in batches of {batch}");
        let hints = store.crawl_hints_after(theme(), Seq(0), 20).unwrap();
        let changed: Vec<_> = hints.iter().filter(|(_, hint)| hint.has_changed).map(|(seq, _)| seq.0).collect();
        assert_eq!(changed, [1, 4, 7, 8, 9, 10], "in batches of {batch}");
        Deriver::forget(&store, &indexes, &[theme()]).unwrap();
    }
}

#[tokio::test]
async fn a_name_stays_with_its_version_when_all_is_derived_again() {
    let house = House::new();
    let (store, indexes) = house.open();
    for body in ["<p>red", "<p>green", "<p>green <!-- again -->"] {
        record(&store, "/a", Outcome::Ok, body).await;
    }
    let grant = Grant::system(Purpose::Maintenance);
    let id = |seq| CaptureId { theme: theme(), seq: Seq(seq) };
    let names_at = |seq| {
        let (_, version) = store.version_of(&grant, id(seq)).unwrap().unwrap();
        let namings = store.namings(&grant, theme(), uri("/a").id(), (version.first, version.last)).unwrap();
        namings.into_iter().filter_map(|naming| naming.name).collect::<Vec<_>>()
    };
    analyse(Deriver::new(Config::default(), store.clone(), Arc::clone(&indexes))).await.unwrap();
    let at = Timestamp::from_micros(2_000_000);
    store.name_version(&grant, id(2), uri("/a").id(), Some("the rise"), "anna", at).unwrap();
    assert_eq!((names_at(1), names_at(3)), (vec![], vec!["the rise".to_owned()]));
    Deriver::forget(&store, &indexes, &[theme()]).unwrap();
    assert_eq!(store.version_of(&grant, id(3)).unwrap(), None);
    analyse(Deriver::new(Config::default(), store.clone(), Arc::clone(&indexes))).await.unwrap();
    assert_eq!((names_at(1), names_at(3)), (vec![], vec!["the rise".to_owned()]));
}

fn insists_on_giving_way(capture: &Capture, payload: &[u8], reading: &analysis::Reading) -> Option<Document> {
    assert_eq!(rustix::process::getpriority_process(None), Ok(PRIORITY));
    analysis::document(capture, payload, reading)
}

#[tokio::test]
async fn the_analysis_alone_gives_way() {
    let house = House::new();
    let (store, indexes) = house.open();
    record(&store, "/a", Outcome::Ok, "<p>apples").await;
    let deriver =
        Deriver { extractor: insists_on_giving_way, ..Deriver::new(Config::default(), store, Arc::clone(&indexes)) };
    analyse(deriver).await.unwrap();
    assert_eq!(found(&indexes, "apples"), [1]);
    assert!(rustix::process::getpriority_process(None).unwrap() < PRIORITY);
}

fn dies_of_poison(capture: &Capture, payload: &[u8], reading: &analysis::Reading) -> Option<Document> {
    assert!(!payload.starts_with(b"poison"), "poisoned");
    analysis::document(capture, payload, reading)
}

#[tokio::test]
async fn a_capture_that_kills_analysis_twice_is_put_aside_and_the_rest_goes_on() {
    let house = House::new();
    let (store, indexes) = house.open();
    record(&store, "/a", Outcome::Ok, "<p>before").await;
    record(&store, "/b", Outcome::Ok, "poison").await;
    record(&store, "/c", Outcome::Ok, "<p>after").await;
    let mut deaths = 0;
    let deriver = || Deriver {
        extractor: dies_of_poison,
        ..Deriver::new(Config::default(), store.clone(), Arc::clone(&indexes))
    };
    while let Err(error) = analyse(deriver()).await {
        assert!(matches!(error, Error::Died(_)), "{error}");
        deaths += 1;
        assert!(deaths < 10, "the poison is never put aside");
    }
    assert_eq!(deaths, 3, "once in its batch, and twice alone");
    let hints = store.crawl_hints_after(theme(), Seq(0), 10).unwrap();
    assert_eq!(hints.iter().map(|(_, hint)| hint.is_quarantined).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(found(&indexes, "before OR after"), [1, 3]);
    assert_eq!(found(&indexes, "").len(), 3, "the capture itself is found");
}

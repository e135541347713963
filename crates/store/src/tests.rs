mod decisions;
mod dossiers;
mod erasure;
mod log;
mod raw;
mod rules;
mod versions;
mod watches;

use std::path::Path;

use model::{
    Capture, CaptureId, ClockSource, CrawlHint, Digest, Document, Grant, Isolation, Outcome, PageKind, Purpose, Seq,
    TargetId, ThemeId, Timestamp, Uri,
};

use crate::{
    Analysis, Attempt, CaptureFilter, Config, Cookie, CrawlBatch, CrawlState, CredentialKey, Error, Evidence,
    FinishedProbe, FinishedVisit, HostRecord, Kind, NewAnswer, NewProposal, Priority, Store, Table, TemplateRecord,
    UriRecord, Version, acts::ActRow, codec, evidence::CaptureRow,
};

const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
const TARGET: TargetId = TargetId::from_u64(7);

fn theme(name: &str) -> ThemeId {
    name.parse().unwrap()
}

pub(crate) fn open(directory: &Path) -> Store {
    Store::open(directory, &Config::default(), CredentialKey::from_bytes(&[7; 32])).unwrap()
}

fn uri(path: &str) -> Uri {
    format!("http://{ONION}{path}").parse().unwrap()
}

fn record(path: &str, due: Option<i64>) -> UriRecord {
    UriRecord {
        uri: uri(path),
        target: TARGET,
        via: None,
        hops: 0,
        redirects: Vec::new(),
        priority: Priority::Normal,
        due: due.map(Timestamp::from_micros),
        attempts: 0,
        failures: 0,
        interval_s: 0,
        outcome: None,
        last: None,
    }
}

fn capture(path: &str, payload: &[u8]) -> Capture {
    Capture {
        seq: Seq(0),
        target: TARGET,
        decision: 1,
        uri: uri(path),
        started_at: Timestamp::from_micros(1_000),
        first_byte_at: Some(Timestamp::from_micros(2_000)),
        ended_at: Timestamp::from_micros(3_000),
        clock: ClockSource::Manual,
        outcome: Outcome::Ok,
        detail: None,
        status: Some(200),
        isolation: Isolation { target: TARGET, epoch: 0 },
        reused_connection: false,
        tls: None,
        request: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        secrets: Vec::new(),
        response_head: HEAD.to_vec(),
        block_digest: Digest::of_parts(&[HEAD, payload]),
        block_len: (HEAD.len() + payload.len()) as u64,
        payload_digest: Digest::of(payload),
        payload_len: payload.len() as u64,
        framing: None,
        truncation: None,
        redirect_to: None,
        via: None,
        hops: 0,
        software: Digest::of(b"software"),
        configuration: Digest::of(b"configuration"),
    }
}

pub(crate) fn finished(theme_name: &str, path: &str, payload: &[u8]) -> FinishedVisit {
    let before = record(path, Some(0));
    FinishedVisit {
        theme: theme(theme_name),
        evidence: Evidence::of(capture(path, payload), payload).unwrap(),
        visit: before.entry(theme(theme_name)).unwrap(),
        uri: UriRecord { due: None, attempts: 1, outcome: Some(Outcome::Ok), ..before },
        host: (uri(path).service(), HostRecord { not_before: Timestamp::from_micros(9), ..HostRecord::default() }),
        state: (TARGET, CrawlState::default().counting(Outcome::Ok, Timestamp::from_micros(3_000))),
    }
}

fn somebody(name: &str) -> Grant {
    model::Authority::of_this_process().grant(name, theme("marketplace"), model::Phase::Technique)
}

fn terms() -> model::Terms {
    model::Terms {
        seeds: vec![uri("/")],
        scope: model::Scope::default(),
        pace: model::Pace::default(),
        grounds: "grounds".into(),
        expected_value: "value".into(),
        legal_basis: "basis".into(),
        necessity: "necessity".into(),
        proportionality: "proportionality".into(),
        reliability: model::Reliability::default(),
        credibility: model::Credibility::default(),
        media: model::MediaPolicy::default(),
        robots: model::RobotsPolicy::default(),
        allows_exit: false,
        allows_proof_of_work: false,
        allows_conditional_requests: false,
        retention_days: None,
        review_at: Timestamp::from_micros(50),
        ends_at: Timestamp::from_micros(100),
    }
}

/// A proposal to crawl on these terms, made at a moment.
fn crawl(terms: model::Terms, at: i64) -> NewProposal {
    NewProposal { matter: model::Matter::Crawl(Box::new(terms)), found_in: None, at: Timestamp::from_micros(at) }
}

fn answer(proposal: u64, at: i64) -> NewAnswer<'static> {
    NewAnswer { proposal, reasons: "because", at: Timestamp::from_micros(at) }
}

/// A target that one person proposed and another approved: two leaves.
fn add_target(store: &Store) -> model::Target {
    let market = theme("marketplace");
    let (_, proposal) = store.propose_target(&somebody("ann"), market, (TARGET, "market"), crawl(terms(), 1)).unwrap();
    store.approve(&somebody("ben"), market, TARGET, &answer(proposal.leaf, 2)).unwrap().0
}

fn version(number: u32, first: Seq, last: Seq, content: &[u8]) -> Version {
    Version {
        number,
        digest_rule: 1,
        first,
        last,
        captures: 1,
        first_seen: Timestamp::from_micros(1_000),
        last_seen: Timestamp::from_micros(1_000),
        content_digest: Digest::of(content),
    }
}

fn reader() -> Grant {
    Grant::system(Purpose::Maintenance)
}

#[tokio::test]
async fn a_recorded_visit_is_all_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let market = theme("marketplace");
    {
        let store = open(dir.path());
        store
            .apply(
                market,
                &CrawlBatch { uris: vec![record("/a", Some(0)), record("/b", Some(5))], ..CrawlBatch::default() },
            )
            .unwrap();
        assert_eq!(store.queues().unwrap(), [((market, TARGET, uri("/a").service()), 2)]);
        assert_eq!(store.record(finished("marketplace", "/a", b"page")).await.unwrap(), Seq(1));
    }
    let store = open(dir.path());
    let id = CaptureId { theme: market, seq: Seq(1) };
    let capture = store.capture(&reader(), id).unwrap().unwrap();
    assert_eq!(store.payload(&reader(), market, &capture).unwrap(), b"page");
    let owed = store.owed((market, TARGET, uri("/a").service()), Priority::Normal, 10, |_| false).unwrap();
    assert_eq!(
        owed.iter().map(|entry| entry.uri).collect::<Vec<_>>(),
        [uri("/b").id()],
        "the visit is no longer owed, the other one is"
    );
    assert_eq!(store.uri(market, TARGET, uri("/a").id()).unwrap().unwrap().last, Some(Seq(1)));
    assert_eq!(store.host(uri("/a").service()).unwrap().not_before, Timestamp::from_micros(9));
    assert_eq!(store.crawl_state(market, TARGET).unwrap().captures, 1);
    assert_eq!(
        store.record(finished("marketplace", "/b", b"page")).await.unwrap(),
        Seq(2),
        "sequences go on where they were"
    );
}

#[tokio::test]
async fn many_writers_share_groups_without_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..100 {
        let store = store.clone();
        let name = if n % 3 == 0 { "cybercrime" } else { "marketplace" };
        writers.spawn(async move {
            store.record(finished(name, &format!("/{n}"), format!("page {n}").as_bytes())).await.map(|seq| (name, seq))
        });
    }
    let mut sequences: Vec<_> = writers.join_all().await.into_iter().map(Result::unwrap).collect();
    sequences.sort_unstable();
    let expected: Vec<_> =
        (1..=34).map(|n| ("cybercrime", Seq(n))).chain((1..=66).map(|n| ("marketplace", Seq(n)))).collect();
    assert_eq!(sequences, expected);
    assert_eq!(store.newest().borrow()[&theme("cybercrime")], Seq(34));
}

#[tokio::test]
async fn a_payload_is_stored_once_per_theme() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for path in ["/a", "/b"] {
        store.record(finished("marketplace", path, b"same")).await.unwrap();
    }
    assert_eq!(store.raw_rows(&reader(), Table::Payloads).unwrap().len(), 1);
    store.record(finished("cybercrime", "/a", b"same")).await.unwrap();
    assert_eq!(store.raw_rows(&reader(), Table::Payloads).unwrap().len(), 2);
}

#[tokio::test]
async fn another_themes_grant_reads_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.record(finished("marketplace", "/a", b"page")).await.unwrap();
    let grant = model::Authority::of_this_process().grant("somebody", theme("cybercrime"), model::Phase::Analysis);
    let id = CaptureId { theme: theme("marketplace"), seq: Seq(1) };
    assert!(matches!(store.capture(&grant, id), Err(Error::NotGranted(_))));
    assert!(matches!(store.document(&grant, id), Err(Error::NotGranted(_))));
    assert!(matches!(store.captures(&grant, id.theme, CaptureFilter::All, None, 1), Err(Error::NotGranted(_))));
    assert!(matches!(store.links(&grant, id.theme, id.seq), Err(Error::NotGranted(_))));
    assert!(matches!(store.disclosure(&grant, id), Err(Error::NotGranted(_))));
    assert!(matches!(store.acts(&grant, id.theme, 0, 1), Err(Error::NotGranted(_))));
    let uri = uri("/a").id();
    assert!(matches!(store.version_of(&grant, id), Err(Error::NotGranted(_))));
    assert!(matches!(store.versions(&grant, id.theme, uri, None, 1), Err(Error::NotGranted(_))));
    assert!(matches!(store.namings(&grant, id.theme, uri, (Seq(0), Seq(9))), Err(Error::NotGranted(_))));
    let named = store.name_version(&grant, id, uri, Some("x"), "y", Timestamp::from_micros(1));
    assert!(matches!(named, Err(Error::NotGranted(_))));
    assert!(matches!(store.sequences(&grant, id.theme, CaptureFilter::All, Seq(0), 1), Err(Error::NotGranted(_))));
    assert!(matches!(store.raw_rows(&grant, Table::Captures), Err(Error::NotGrantedEverywhere)));
    let own = store.captures(&grant, theme("cybercrime"), CaptureFilter::All, None, 10).unwrap();
    assert_eq!(own.captures, []);
}

#[tokio::test]
async fn captures_are_listed_newest_first_in_pages() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..5 {
        store.record(finished("marketplace", if n == 2 { "/two" } else { "/x" }, b"p")).await.unwrap();
    }
    let list = |filter, from| {
        let page = store.captures(&reader(), theme("marketplace"), filter, from, 2).unwrap();
        (page.captures.iter().map(|capture| capture.seq.0).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(list(CaptureFilter::All, None), (vec![5, 4], Some(Seq(3))));
    assert_eq!(list(CaptureFilter::Target(TARGET), Some(Seq(3))), (vec![3, 2], Some(Seq(1))));
    assert_eq!(list(CaptureFilter::Uri(uri("/two").id()), None), (vec![3], None));
    assert_eq!(list(CaptureFilter::Target(TargetId::from_u64(8)), None), (vec![], None));
    let ascending = |filter, after| store.sequences(&reader(), theme("marketplace"), filter, after, 2).unwrap();
    assert_eq!(ascending(CaptureFilter::All, Seq(0)), [Seq(1), Seq(2)]);
    assert_eq!(ascending(CaptureFilter::Target(TARGET), Seq(4)), [Seq(5)]);
    assert_eq!(ascending(CaptureFilter::Uri(uri("/x").id()), Seq(1)), [Seq(2), Seq(4)]);
    assert_eq!(ascending(CaptureFilter::Uri(uri("/two").id()), Seq(3)), []);
}

#[tokio::test]
async fn derived_views_come_back_with_their_links() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let market = theme("marketplace");
    let version = version(1, Seq(1), Seq(1), b"text");
    let hint = CrawlHint {
        target: TARGET,
        uri: uri("/a").id(),
        outcome: Outcome::Ok,
        kind: PageKind::Listing,
        refresh: None,
        has_changed: true,
        is_quarantined: false,
    };
    let document = Document {
        extractor: 1,
        charset: "UTF-8".into(),
        charset_source: model::CharsetSource::Header,
        title: "T".into(),
        text: "text ".repeat(100),
        language: None,
        languages: vec![model::Spoken { at: 0..300, language: "eng".into() }],
        hidden: vec![400..404, 405..409],
        images: vec![uri("/c.png").to_string()],
        shape: u64::MAX,
        kind: PageKind::Listing,
        links: vec![model::Link { uri: uri("/b"), anchor: "b".into(), rel: None }],
        refresh: None,
        forms: Vec::new(),
        observables: Vec::new(),
        cues: Vec::new(),
        fields: model::Fields::default(),
        content_digest: Digest::of(b"text"),
        digest_rule: 1,
    };
    store.begin_attempt(market, &Attempt { first: Seq(1), last: Seq(1), deaths: 0 }).unwrap();
    let analysis = Analysis {
        seq: Seq(1),
        hint: hint.clone(),
        document: Some(document.clone()),
        sketch: None,
        version: Some((uri("/a").id(), version)),
        findings: Vec::new(),
    };
    store.put_analyses(market, &[analysis], Seq(1)).unwrap();
    assert_eq!(store.interrupted_attempt(market).unwrap(), None, "finished work leaves no trace of an attempt");
    assert_eq!(store.derive_cursor(market).unwrap(), Seq(1));
    assert_eq!(store.document(&reader(), CaptureId { theme: market, seq: Seq(1) }).unwrap(), Some(document));
    assert_eq!(store.crawl_hints_after(market, Seq(0), 10).unwrap(), [(Seq(1), hint)]);
    assert_eq!(store.version_before(market, uri("/a").id(), Seq(1)).unwrap(), Some(version));
    assert_eq!(store.version_before(market, uri("/a").id(), Seq(0)).unwrap(), None);
    store.forget_derived("derive").unwrap();
    assert_eq!(store.derive_cursor(market).unwrap(), Seq(0));
    for table in Table::ALL.iter().filter(|table| table.kind() == Kind::Derived) {
        assert_eq!(store.raw_rows(&reader(), *table).unwrap(), [], "{table}");
    }
}

#[test]
fn a_login_opens_only_with_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let cookies = [Cookie { name: "session".into(), value: "hush-hush".into() }];
    {
        let store = open(dir.path());
        store.set_login(theme("marketplace"), TARGET, &cookies).unwrap();
        assert_eq!(store.login(theme("marketplace"), TARGET).unwrap(), cookies);
        let rows = store.raw_rows(&reader(), Table::Logins).unwrap();
        assert!(!rows[0].1.windows(4).any(|window| window == b"hush"), "the secret lies there in the clear");
    }
    let store = Store::open(dir.path(), &Config::default(), CredentialKey::from_bytes(&[8; 32])).unwrap();
    assert!(matches!(store.login(theme("marketplace"), TARGET), Err(Error::CredentialKey(_))));
    store.set_login(theme("marketplace"), TARGET, &[]).unwrap();
    assert_eq!(store.login(theme("marketplace"), TARGET).unwrap(), []);
}

#[test]
fn a_store_in_use_or_of_a_later_release_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = open(dir.path());
        let again = Store::open(dir.path(), &Config::default(), CredentialKey::from_bytes(&[7; 32])).map(|_| ());
        assert!(matches!(again, Err(Error::Locked(_))), "{again:?}");
        let mut batch = rocksdb::WriteBatch::default();
        store.tables.put(&mut batch, Table::Format, &crate::key::Key::bytes(b"format"), &(crate::FORMAT + 1));
        store.tables.write_synced(batch).unwrap();
    }
    let newer = Store::open(dir.path(), &Config::default(), CredentialKey::from_bytes(&[7; 32])).map(|_| ());
    assert!(matches!(newer, Err(Error::NewerFormat { found: 4, supported: 3 })), "{newer:?}");
}

#[test]
fn a_damaged_row_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let key = crate::key::Key::theme(theme("marketplace")).target(TARGET);
    let mut batch = rocksdb::WriteBatch::default();
    batch.put_cf(store.tables.family(Table::Targets), &key, b"\x01\xff");
    store.tables.write_synced(batch).unwrap();
    let error = store.target(theme("marketplace"), TARGET).unwrap_err().to_string();
    let hex: String = key.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(error, format!("store: table targets, key {hex}: the row is damaged"));
}

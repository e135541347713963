//! A store with captures of every kind.

use std::{fs, sync::Arc};

use model::{
    Authority, Capture, ClockSource, CrawlHint, Digest, Framing, FramingPiece, Grant, Isolation, Outcome, PageKind,
    Phase, Secret, Seq, TargetId, ThemeId, Timestamp, TlsFacts, Truncation, Uri,
};
use proof::{Authorities, SignerKey, VerifierKey};
use store::{
    Analysis, CrawlState, CredentialKey, Evidence, FinishedVisit, HostRecord, Notary, Priority, Store, UriRecord,
    Version,
};
use verify::{Summary, Trust};
use warc::Header;

use crate::{Error, Export, Exporter, Order, Selection};

pub(super) const MARKET: &str = "marketplace";
pub(super) const TARGET: TargetId = TargetId::from_u64(7);
pub(super) const PAGE: &[u8] = b"<p>lantern oil";
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";

pub(super) fn theme(name: &str) -> ThemeId {
    name.parse().unwrap()
}

pub(super) fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

pub(super) fn uri(path: &str) -> Uri {
    format!("http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion{path}").parse().unwrap()
}

pub(super) fn everything() -> Selection {
    Selection::Target { id: TARGET, from: None, until: None }
}

pub(super) struct House {
    dir: tempfile::TempDir,
    pub(super) store: Store,
    pub(super) notary: Arc<Notary>,
    pub(super) exporter: Exporter,
    authority: Authority,
}

impl House {
    /// Eight captures, a minute apart: a chunked page; the same once more; one whose response was cut short; a request without an answer; nothing sent at all;
    /// one that is no HTTP, over TLS; one whose type was refused; one with bytes behind its end, asked with a secret.
    pub(super) async fn with_captures() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = CredentialKey::from_bytes(&[7; 32]);
        let store = Store::open(&dir.path().join("store"), &store::Config::default(), key).unwrap();
        let signer = SignerKey::from_secret("nachtwacht/test", &[1; 32]).unwrap();
        let notary = Arc::new(Notary::new(store.clone(), signer, &dir.path().join("checkpoints")));
        notary.begin(noon()).unwrap();
        let exporter = Exporter::new(store.clone(), Arc::clone(&notary), "1.2.3");
        let house = Self { dir, store, notary, exporter, authority: Authority::of_this_process() };
        for _ in 0..2 {
            house.page("/", PAGE, chunked).await;
        }
        house
            .page("/cut", b"HTTP", |capture| {
                capture.response_head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".to_vec();
                capture.truncation = Some(Truncation::Disconnect);
            })
            .await;
        let silent = |capture: &mut Capture| capture.response_head.clear();
        house.page("/silent", b"", silent).await;
        house
            .page("/gone", b"", |capture| {
                silent(capture);
                capture.request.clear();
                (capture.outcome, capture.detail) = (Outcome::DescriptorNotFound, Some("no\r\ndescriptor\n".into()));
                (capture.via, capture.hops) = (Some(uri("/")), 2);
            })
            .await;
        house
            .page("/garbage", b"\xff\x00garbage\r\n\r\n", |capture| {
                silent(capture);
                capture.tls = Some(TlsFacts {
                    protocol: "TLSv1_3".into(),
                    certificate_digest: Digest::of(b"der"),
                    certificate: b"der".to_vec(),
                });
            })
            .await;
        house.page("/image", b"", |capture| capture.outcome = Outcome::ContentTypeRefused).await;
        house
            .page("/excess", b"body and more", |capture| {
                capture.response_head = b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\n".to_vec();
                capture.request = b"GET / HTTP/1.1\r\nHost: a.onion\r\nCookie: session=\r\n\r\n".to_vec();
                capture.secrets =
                    vec![Secret { offset: 47, len: 6, commitment: Digest::of(b"salted secret"), salt: None }];
            })
            .await;
        house
    }

    /// Records a capture of `path`, as `change` has it.
    pub(super) async fn page(&self, path: &str, payload: &[u8], change: impl FnOnce(&mut Capture)) {
        let minute = self.store.newest().borrow().get(&theme(MARKET)).map_or(0, |seq| seq.0);
        let at = |micros: u64| {
            Timestamp::from_micros(
                noon().as_micros() + i64::try_from(minute * 60_000_000 + 60_000_000 + micros).unwrap(),
            )
        };
        let mut capture = capture(path, at(123_456), at(1_623_456));
        (capture.payload_digest, capture.payload_len) = (Digest::of(payload), payload.len() as u64);
        change(&mut capture);
        let block = capture.block(payload);
        (capture.block_digest, capture.block_len) = (Digest::of(&block), block.len() as u64);
        let record = UriRecord {
            uri: uri(path),
            target: TARGET,
            via: None,
            hops: 0,
            redirects: Vec::new(),
            priority: Priority::Normal,
            due: Some(noon()),
            attempts: 0,
            failures: 0,
            interval_s: 0,
            outcome: None,
            last: None,
        };
        let visit = FinishedVisit {
            theme: theme(MARKET),
            visit: record.entry(theme(MARKET)).unwrap(),
            host: (uri(path).service(), HostRecord::default()),
            state: (TARGET, CrawlState::default().counting(capture.outcome, capture.ended_at)),
            uri: UriRecord { due: None, ..record },
            evidence: Evidence::of(capture, payload).unwrap(),
        };
        self.store.record(visit).await.unwrap();
    }

    /// Notes that the captures of `/` from one to another are one version.
    pub(super) fn analyse(&self, first: Seq, last: Seq) {
        let hint = CrawlHint {
            target: TARGET,
            uri: uri("/").id(),
            outcome: Outcome::Ok,
            kind: PageKind::Listing,
            refresh: None,
            has_changed: false,
            is_quarantined: false,
        };
        let version = Version {
            number: 1,
            digest_rule: 1,
            first,
            last,
            captures: 2,
            first_seen: model::Timestamp::from_micros(0),
            last_seen: model::Timestamp::from_micros(1),
            content_digest: Digest::of(b"text"),
        };
        let version = Some((uri("/").id(), version));
        let analysis = Analysis { seq: last, hint, document: None, sketch: None, version, findings: Vec::new() };
        self.store.put_analyses(theme(MARKET), &[analysis], last).unwrap();
    }

    pub(super) fn grant(&self) -> Grant {
        self.grant_for(MARKET)
    }

    pub(super) fn grant_for(&self, name: &str) -> Grant {
        self.authority.grant("somebody", theme(name), Phase::OperationalUse)
    }

    pub(super) fn order(&self, order: &Order) -> Result<Export, Error> {
        self.exporter.order(&self.grant(), theme(MARKET), order, noon())
    }

    pub(super) fn bytes(&self, export: &Export, offset: u64) -> Vec<u8> {
        let mut out = Vec::new();
        self.exporter.write(&self.grant(), export, offset, &mut out).unwrap();
        out
    }

    /// What a stranger finds who has the log's key.
    pub(super) fn verify(&self, export: &Export, bytes: &[u8]) -> (Summary, Vec<String>) {
        self.verify_with(export, bytes, None)
    }

    /// The same of a stranger who knows whom to believe about time.
    pub(super) fn verify_with(
        &self,
        export: &Export,
        bytes: &[u8],
        authorities: Option<Authorities>,
    ) -> (Summary, Vec<String>) {
        let path = self.dir.path().join(export.filename());
        fs::write(&path, bytes).unwrap();
        let keys: Vec<VerifierKey> = self.notary.keys().unwrap().iter().map(|key| key.parse().unwrap()).collect();
        let mut lines = Vec::new();
        let trust = Trust { keys, authorities, ..Trust::default() };
        let summary = verify::verify(&path, &trust, &mut |statement| lines.push(statement.to_string())).unwrap();
        (summary, lines)
    }
}

/// A record read back.
pub(super) struct Record {
    pub(super) header: Header,
    pub(super) block: Vec<u8>,
}

pub(super) fn records(bytes: &[u8]) -> Vec<Record> {
    let mut reader = warc::Reader::new(bytes);
    let mut records = Vec::new();
    while let Some(mut record) = reader.next_record().unwrap() {
        let mut block = Vec::new();
        std::io::Read::read_to_end(&mut record, &mut block).unwrap();
        records.push(Record { header: record.header().clone(), block });
    }
    records
}

fn chunked(capture: &mut Capture) {
    capture.response_head =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let piece = FramingPiece { before: b"e;odd=1\r\n".to_vec(), len: 14 };
    capture.framing = Some(Framing { pieces: vec![piece], end: b"\r\n0\r\nTrailer: x\r\n\r\n".to_vec() });
}

fn capture(path: &str, started_at: Timestamp, ended_at: Timestamp) -> Capture {
    Capture {
        seq: Seq(0),
        target: TARGET,
        decision: 1,
        uri: uri(path),
        started_at,
        first_byte_at: None,
        ended_at,
        clock: ClockSource::Manual,
        outcome: Outcome::Ok,
        detail: None,
        status: None,
        isolation: Isolation { target: TARGET, epoch: 3 },
        reused_connection: false,
        tls: None,
        request: b"GET / HTTP/1.1\r\nHost: a.onion\r\n\r\n".to_vec(),
        secrets: Vec::new(),
        response_head: HEAD.to_vec(),
        block_digest: Digest::of(b""),
        block_len: 0,
        payload_digest: Digest::of(b""),
        payload_len: 0,
        framing: None,
        truncation: None,
        redirect_to: None,
        via: None,
        hops: 0,
        software: Digest::of(b"software"),
        configuration: Digest::of(b"configuration"),
    }
}

//! Captures, documents and entries to ask for; invented.

use model::{
    Capture, CharsetSource, ClockSource, CrawlHint, Digest, Document, Framing, FramingPiece, Isolation, Link, Outcome,
    PageKind, Seq, TargetId, Timestamp, Uri,
};
use store::{Analysis, CrawlState, Evidence, FinishedProbe, FinishedVisit, HostRecord, Priority, UriRecord};

use super::{House, noon, theme};

pub(super) const TARGET: TargetId = TargetId::from_u64(0x07f3);

pub(super) const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nx-ODD: \xff\r\n\r\n";

pub(super) const PAGE: &[u8] = b"<html><script>alert(1)</script><p>lantern oil</p></html>";

/// [`PAGE`] as it lay on the wire: two chunks, one of them with an extension, and a trailer.
pub(super) fn block() -> Vec<u8> {
    let (first, second) = PAGE.split_at(16);
    [HEAD, b"10;odd=1\r\n", first, b"\r\n0028\r\n", second, b"\r\n0\r\nTrailer: x\r\n\r\n"].concat()
}

fn framing() -> Framing {
    let piece = |before: &[u8], len: u64| FramingPiece { before: before.to_vec(), len };
    let pieces = vec![piece(b"10;odd=1\r\n", 16), piece(b"\r\n0028\r\n", PAGE.len() as u64 - 16)];
    Framing { pieces, end: b"\r\n0\r\nTrailer: x\r\n\r\n".to_vec() }
}

/// A URI of the service, by its path, or a whole one.
pub(super) fn uri(path: &str) -> Uri {
    if path.starts_with("http") {
        return path.parse().unwrap();
    }
    format!("http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion{path}").parse().unwrap()
}

pub(super) fn document(title: &str, text: &str) -> Document {
    Document {
        extractor: 1,
        charset: "UTF-8".into(),
        charset_source: CharsetSource::Header,
        title: title.into(),
        text: text.into(),
        language: Some("eng".into()),
        languages: Vec::new(),
        hidden: Vec::new(),
        images: Vec::new(),
        shape: 0,
        kind: PageKind::Listing,
        links: vec![Link { uri: uri("/next"), anchor: "next".into(), rel: None }],
        refresh: None,
        forms: Vec::new(),
        observables: Vec::new(),
        cues: Vec::new(),
        fields: model::Fields::default(),
        content_digest: Digest::of(text.as_bytes()),
        digest_rule: 1,
    }
}

impl House {
    /// Records a capture of `path` for `target`, with [`PAGE`] as its payload where it is a good one.
    pub(super) async fn record(&self, theme_name: &str, target: TargetId, path: &str, outcome: Outcome) -> Seq {
        let payload = if outcome == Outcome::Ok { PAGE } else { b"" };
        let record = UriRecord {
            uri: uri(path),
            target,
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
        let capture = capture(target, path, outcome, payload);
        let visit = FinishedVisit {
            theme: theme(theme_name),
            visit: record.entry(theme(theme_name)).unwrap(),
            host: (uri(path).service(), HostRecord::default()),
            state: (target, CrawlState::default().counting(outcome, capture.ended_at)),
            uri: UriRecord { due: None, ..record },
            evidence: Evidence::of(capture, payload).unwrap(),
        };
        self.store.record(visit).await.unwrap()
    }

    /// Records what the crawl would of a probe on the target's first decision.
    pub(super) async fn record_probe(&self, target: TargetId, path: &str) -> Seq {
        let capture = capture(target, path, Outcome::Ok, PAGE);
        let probe = FinishedProbe {
            theme: theme(super::MARKET),
            host: (uri(path).service(), HostRecord::default()),
            state: CrawlState::default().counting(Outcome::Ok, capture.ended_at),
            evidence: Evidence::of(capture, PAGE).unwrap(),
        };
        self.store.submit_probe(probe).await.unwrap().acknowledged().await.unwrap()
    }

    /// Notes what the analysis of a capture came to.
    pub(super) fn analyse(
        &self,
        theme_name: &str,
        seq: Seq,
        path: &str,
        document: Option<Document>,
        is_quarantined: bool,
    ) {
        let kind = document.as_ref().map_or(PageKind::Error, |document| document.kind);
        let hint = CrawlHint {
            target: TARGET,
            uri: uri(path).id(),
            outcome: Outcome::Ok,
            kind,
            refresh: None,
            has_changed: true,
            is_quarantined,
        };
        let capture = Capture { seq, ..capture(TARGET, path, Outcome::Ok, PAGE) };
        let sketch = document.as_ref().map(|document| derive::sketch(&capture, document));
        let analysis = Analysis { seq, hint, document, sketch, version: None, findings: Vec::new() };
        self.store.put_analyses(theme(theme_name), &[analysis], seq).unwrap();
    }

    /// Adds entries to the index of a theme: the path, the moment in minutes after noon, the text.
    pub(super) fn index(&self, theme_name: &str, entries: &[(&str, i64, &str)]) {
        let index = self.indexes.theme(theme(theme_name)).unwrap();
        for (seq, (path, minute, text)) in (1..).map(Seq).zip(entries) {
            let entry = search::Entry {
                seq,
                target: if path.starts_with("/b") { TargetId::from_u64(2) } else { TARGET },
                uri: uri(path),
                captured_at: Timestamp::from_micros(noon().as_micros() + minute * 60_000_000),
                outcome: if text.is_empty() { Outcome::HttpError(404) } else { Outcome::Ok },
                kind: PageKind::Listing,
                language: Some("nld".into()),
                price: None,
                observables: Vec::new(),
                title: format!("Page <b>{path}</b>"),
                text: (*text).into(),
            };
            index.add(&entry).unwrap();
        }
        let last = Seq(entries.len() as u64);
        index.commit(last).unwrap();
        // What is indexed is analysed.
        let analysed = self.store.derive_cursor(theme(theme_name)).unwrap();
        self.store.put_analyses(theme(theme_name), &[], last.max(analysed)).unwrap();
    }
}

pub(super) fn capture(target: TargetId, path: &str, outcome: Outcome, payload: &[u8]) -> Capture {
    let is_page = !payload.is_empty();
    let block = if is_page { block() } else { Vec::new() };
    Capture {
        seq: Seq(0),
        target,
        decision: 1,
        uri: uri(path),
        started_at: noon(),
        first_byte_at: is_page.then(noon),
        ended_at: noon(),
        clock: ClockSource::Manual,
        outcome,
        detail: None,
        status: is_page.then_some(200),
        isolation: Isolation { target, epoch: 3 },
        reused_connection: false,
        tls: None,
        request: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        secrets: Vec::new(),
        response_head: if is_page { HEAD.to_vec() } else { Vec::new() },
        block_digest: Digest::of(&block),
        block_len: block.len() as u64,
        payload_digest: Digest::of(payload),
        payload_len: payload.len() as u64,
        framing: is_page.then(framing),
        truncation: None,
        redirect_to: None,
        via: None,
        hops: 0,
        software: Digest::of(b"software"),
        configuration: Digest::of(b"configuration"),
    }
}

//! Captures to record where nothing is fetched.

use model::{
    Capture, ClockSource, Decision, Digest, Isolation, Outcome, RobotsPolicy, Seq, Target, TargetId, ThemeId,
    Timestamp, Uri,
};
use store::{CrawlState, FinishedVisit, HostRecord, Priority, Store, UriRecord};

use crate::Chance;

const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
const TARGET: TargetId = TargetId::from_u64(7);

/// A page as a crawl meets it: new, as before, or changed a little.
pub fn payload(chance: &mut Chance, before: Option<&[u8]>) -> Vec<u8> {
    match (before, chance.below(4)) {
        (Some(before), 0) => before.to_vec(),
        (Some(before), 1 | 2) if !before.is_empty() => {
            let mut changed = before.to_vec();
            let at = usize::try_from(chance.below(changed.len() as u64)).unwrap_or(0);
            changed.splice(at..at, chance.bytes(20));
            changed
        }
        _ => {
            let length = usize::try_from(chance.below(20_000)).unwrap_or(0);
            chance.bytes(length)
        }
    }
}

/// A visit of a page that came to this payload.
///
/// # Panics
///
/// Where `path` is no path of a URI.
pub fn visit(store: &Store, theme: ThemeId, path: &str, payload: &[u8]) -> Result<FinishedVisit, store::Error> {
    #[expect(clippy::expect_used, reason = "an onion service and a path that the caller writes")]
    let uri: Uri = format!("http://{ONION}{path}").parse().expect("a URI");
    let known = store.uri(theme, TARGET, uri.id())?;
    let record = UriRecord {
        uri: uri.clone(),
        target: TARGET,
        via: None,
        hops: 0,
        redirects: Vec::new(),
        priority: Priority::Normal,
        due: Some(Timestamp::from_micros(1)),
        attempts: 0,
        failures: 0,
        interval_s: 0,
        outcome: None,
        last: known.and_then(|known| known.last),
    };
    let capture = Capture {
        seq: Seq(0),
        target: TARGET,
        decision: 1,
        uri: uri.clone(),
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
        request: format!("GET {path} HTTP/1.1\r\nHost: {ONION}\r\n\r\n").into_bytes(),
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
    };
    let evidence = store.evidence(theme, capture, payload)?;
    #[expect(clippy::expect_used, reason = "the record has a due time")]
    let owed = record.entry(theme).expect("a visit that is owed");
    Ok(FinishedVisit {
        theme,
        evidence,
        visit: owed,
        uri: UriRecord { due: None, attempts: 1, outcome: Some(Outcome::Ok), ..record },
        host: (uri.service(), HostRecord::default()),
        state: (TARGET, CrawlState::default()),
    })
}

/// Records a visit; returns what the store promised.
pub async fn record(store: &Store, theme: ThemeId, path: &str, payload: &[u8]) -> Result<(Seq, Digest), store::Error> {
    let visit = visit(store, theme, path, payload)?;
    Ok((store.record(visit).await?, Digest::of(payload)))
}

/// A target with a decision.
pub fn target(theme: ThemeId, id: TargetId) -> Target {
    let decision = Decision {
        number: 1,
        grounds: "A test of the whole.".into(),
        legal_basis: "None is needed.".into(),
        author: "test".into(),
        made_at: Timestamp::from_micros(1),
        ends_at: Timestamp::from_micros(2),
        robots: RobotsPolicy::Record,
        allows_exit: false,
        allows_proof_of_work: false,
        allows_conditional_requests: false,
    };
    Target {
        id,
        theme,
        name: "sample".into(),
        added_at: Timestamp::from_micros(1),
        seeds: Vec::new(),
        scope: model::Scope::default(),
        pace: model::Pace::default(),
        decisions: vec![decision],
        state: model::TargetState::Active,
        attention: None,
        epoch: 0,
    }
}

//! Captures to record where nothing is fetched, and decisions to make where nobody is asked.

use model::{
    Authority, Capture, ClockSource, Digest, Grant, Isolation, Matter, Outcome, Phase, Seq, Target, TargetId, Terms,
    ThemeId, Timestamp, Uri,
};
use store::{CrawlState, FinishedVisit, HostRecord, NewAnswer, NewProposal, Priority, Store, UriRecord};

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

/// A page of the service that everything here is of.
///
/// # Panics
///
/// Where `path` is no path of a URI.
pub fn uri(path: &str) -> Uri {
    #[expect(clippy::expect_used, reason = "an onion service and a path that the caller writes")]
    format!("http://{ONION}{path}").parse().expect("a URI")
}

/// A visit of a page that came to this payload.
///
/// # Panics
///
/// Where `path` is no path of a URI.
pub fn visit(store: &Store, theme: ThemeId, path: &str, payload: &[u8]) -> Result<FinishedVisit, store::Error> {
    let uri = uri(path);
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

/// What two people need to agree on a target, for as long as anybody tests.
pub fn terms(seed: Uri) -> Terms {
    let end = Timestamp::from_micros(4_000_000_000_000_000);
    Terms {
        seeds: vec![seed],
        scope: model::Scope::default(),
        pace: model::Pace::default(),
        grounds: "A test of the whole.".into(),
        expected_value: "That all of it works together.".into(),
        legal_basis: "None is needed.".into(),
        necessity: "Nothing else shows that.".into(),
        proportionality: "Nobody is concerned.".into(),
        reliability: model::Reliability::default(),
        credibility: model::Credibility::default(),
        media: model::MediaPolicy::default(),
        robots: model::RobotsPolicy::default(),
        allows_exit: false,
        allows_proof_of_work: false,
        allows_conditional_requests: false,
        retention_days: None,
        review_at: end,
        ends_at: end,
    }
}

/// Somebody who sees to targets.
pub fn person(name: &str, theme: ThemeId) -> Grant {
    Authority::of_this_process().grant(name, theme, Phase::Technique)
}

/// What somebody proposes.
pub const fn proposal(matter: Matter, at: Timestamp) -> NewProposal {
    NewProposal { matter, found_in: None, at }
}

/// Decides on a matter: one person proposes it, another approves.
pub fn decide(
    store: &Store,
    theme: ThemeId,
    target: TargetId,
    matter: Matter,
    at: Timestamp,
) -> Result<Target, store::Error> {
    let leaf = store.propose(&person("proposer", theme), theme, target, proposal(matter, at))?.leaf;
    approve(store, theme, target, leaf, at)
}

/// Approves what another person proposed.
pub fn approve(
    store: &Store,
    theme: ThemeId,
    target: TargetId,
    proposal: u64,
    at: Timestamp,
) -> Result<Target, store::Error> {
    let answer = NewAnswer { proposal, reasons: "A test needs it.", at };
    store.approve(&person("approver", theme), theme, target, &answer).map(|(target, _)| target)
}

/// Adds a target on which two people agree.
pub fn add_target(
    store: &Store,
    theme: ThemeId,
    id: TargetId,
    terms: Terms,
    at: Timestamp,
) -> Result<Target, store::Error> {
    let new = proposal(Matter::Crawl(Box::new(terms)), at);
    let (_, proposal) = store.propose_target(&person("proposer", theme), theme, (id, "sample"), new)?;
    approve(store, theme, id, proposal.leaf, at)
}

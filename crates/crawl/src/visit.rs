//! One visit: the fetch of a URI that is owed, and the capture that it becomes.

use std::sync::Arc;

use fetch::{Exchange, Fetcher, Request, Validators};
use model::{
    Capture, Clock, Decision, Digest, Grant, Isolation, MediaPolicy, Pace, Probe, Purpose, Seq, Target, Terms,
};
use store::{Evidence, FrontierEntry, Store, UriRecord};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What identifies the running program in each capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// SHA-256 of the program.
    pub software: Digest,
    /// SHA-256 of the configuration in force.
    pub configuration: Digest,
}

/// What a visit works with.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) store: Store,
    pub(crate) fetcher: Arc<Fetcher>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What it is now; it changes when another configuration comes into force.
    pub(crate) identity: watch::Receiver<Identity>,
}

/// What a visit may do, and the decision that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leave {
    pub(crate) decision: u32,
    pub(crate) pace: Pace,
    /// A probe is one capture of which the frontier learns nothing: no link of it is followed, and it is not made again.
    pub(crate) is_probe: bool,
    allows_exit: bool,
    allows_proof_of_work: bool,
    allows_images: bool,
    allows_conditional_requests: bool,
}

impl Leave {
    /// To crawl.
    pub(crate) fn of_decision(decision: &Decision, terms: &Terms) -> Self {
        Self {
            decision: decision.number,
            pace: terms.pace,
            is_probe: false,
            allows_exit: terms.allows_exit,
            allows_proof_of_work: terms.allows_proof_of_work,
            allows_images: terms.media == MediaPolicy::TextAndImages,
            allows_conditional_requests: terms.allows_conditional_requests,
        }
    }

    /// To look at one page, and to spend no work on it.
    pub(crate) fn of_probe(decision: &Decision, probe: &Probe) -> Self {
        Self {
            decision: decision.number,
            pace: Pace::default(),
            is_probe: true,
            allows_exit: probe.allows_exit,
            allows_proof_of_work: false,
            allows_images: false,
            allows_conditional_requests: false,
        }
    }
}

/// A visit under way.
pub(crate) struct Visit {
    pub(crate) entry: FrontierEntry,
    pub(crate) record: UriRecord,
    pub(crate) target: Arc<Target>,
    pub(crate) leave: Leave,
    pub(crate) hosts: Arc<Vec<String>>,
    pub(crate) cancel: CancellationToken,
}

/// A visit that came to an end.
pub(crate) struct Visited {
    pub(crate) visit: Visit,
    /// `None` when it was called off; nothing is recorded then, and the visit is still owed.
    pub(crate) result: Option<Result<Finished, store::Error>>,
}

pub(crate) struct Finished {
    pub(crate) evidence: Evidence,
    pub(crate) retry_after: Option<std::time::Duration>,
    pub(crate) needs_new_epoch: bool,
}

impl Visitor {
    pub(crate) async fn go(self, visit: Visit) -> Visited {
        let request = self.request(&visit);
        let result = tokio::select! {
            biased;
            () = visit.cancel.cancelled() => None,
            exchange = self.fetcher.fetch(&request) => Some(self.finished(&visit, request.isolation, exchange)),
        };
        Visited { visit, result }
    }

    fn request(&self, visit: &Visit) -> Request {
        let isolation = Isolation { target: visit.target.id, epoch: visit.target.epoch };
        Request {
            uri: visit.record.uri.clone(),
            isolation,
            redirects: visit.record.redirects.clone(),
            hosts: visit.hosts.to_vec(),
            allows_exit: visit.leave.allows_exit,
            allows_proof_of_work: visit.leave.allows_proof_of_work,
            allows_images: visit.leave.allows_images,
            validators: visit.leave.allows_conditional_requests.then(|| self.validators(visit, isolation)).flatten(),
        }
    }

    /// The validators of the page that the target has, if it came in the same isolation group: beyond it they would be a tracking cookie.
    fn validators(&self, visit: &Visit, isolation: Isolation) -> Option<Validators> {
        let (grant, uri) = (Grant::system(Purpose::Scheduling), visit.record.uri.id());
        let page = self.store.page_held(&grant, visit.entry.theme, uri, visit.target.id, None).ok()??;
        let text = |name| page.header(name).and_then(|value| String::from_utf8(value.to_vec()).ok());
        (page.isolation == isolation).then(|| Validators { etag: text("etag"), last_modified: text("last-modified") })
    }

    fn finished(&self, visit: &Visit, isolation: Isolation, exchange: Exchange) -> Result<Finished, store::Error> {
        let Identity { software, configuration } = *self.identity.borrow();
        let capture = Capture {
            seq: Seq::default(),
            target: visit.target.id,
            decision: visit.leave.decision,
            uri: visit.record.uri.clone(),
            started_at: exchange.started_at,
            first_byte_at: exchange.first_byte_at,
            ended_at: exchange.ended_at,
            clock: self.clock.source(),
            outcome: exchange.outcome,
            detail: exchange.detail,
            status: exchange.status,
            isolation,
            reused_connection: exchange.reused_connection,
            tls: exchange.tls,
            request: exchange.request,
            secrets: exchange.secrets,
            response_head: exchange.response_head,
            block_digest: exchange.block_digest,
            block_len: exchange.block_len,
            payload_digest: exchange.payload_digest,
            payload_len: exchange.payload.len() as u64,
            framing: exchange.framing,
            truncation: exchange.truncation,
            redirect_to: exchange.redirect_to,
            via: visit.record.via.clone(),
            hops: visit.record.hops,
            software,
            configuration,
        };
        Ok(Finished {
            evidence: self.store.evidence(visit.entry.theme, capture, &exchange.payload)?,
            retry_after: exchange.retry_after,
            needs_new_epoch: exchange.needs_new_epoch,
        })
    }
}

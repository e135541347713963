use std::time::Duration;

use model::{Digest, Framing, Isolation, Outcome, Secret, Timestamp, TlsFacts, Truncation, Uri};

/// What to fetch, and what the decision allows on the way.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to ask for.
    pub uri: Uri,
    /// The group with which its connection may share circuits.
    pub isolation: Isolation,
    /// The URIs whose redirects led here, the first one first.
    pub redirects: Vec<Uri>,
    /// Hosts besides its own service to which a redirect may lead.
    pub hosts: Vec<String>,
    /// Whether a host of the clear net may be reached through a Tor exit.
    pub allows_exit: bool,
    /// Whether the service's demand for a proof of work may be met.
    pub allows_proof_of_work: bool,
    /// Whether the body of an image is read.
    pub allows_images: bool,
    /// What makes the request conditional, where the decision allows that.
    pub validators: Option<Validators>,
}

impl Request {
    /// An unconditional request, without any further permission.
    pub fn new(uri: Uri, isolation: Isolation) -> Self {
        Self {
            uri,
            isolation,
            redirects: Vec::new(),
            hosts: Vec::new(),
            allows_exit: false,
            allows_proof_of_work: false,
            allows_images: false,
            validators: None,
        }
    }
}

/// The validators of an earlier response (RFC 9110, section 8.8).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validators {
    /// The value of its `ETag`.
    pub etag: Option<String>,
    /// The value of its `Last-Modified`.
    pub last_modified: Option<String>,
}

/// One attempt to retrieve one URI: what was sent, what came back, and how it ended.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// How it ended.
    pub outcome: Outcome,
    /// The outcome's cause in the words of the layer that it came from; never page content.
    pub detail: Option<String>,
    /// When it began; waiting for a free slot to open a service does not count.
    pub started_at: Timestamp,
    /// When the first byte of the response came, if any did.
    pub first_byte_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The status code, if a head was read.
    pub status: Option<u16>,
    /// The request as sent, secrets cut out.
    pub request: Vec<u8>,
    /// Where secrets were cut out of the request.
    pub secrets: Vec<Secret>,
    /// Status line and header fields as received, interim responses (1xx) before them included.
    pub response_head: Vec<u8>,
    /// The body without its transfer coding.
    pub payload: Vec<u8>,
    /// SHA-256 of the payload.
    pub payload_digest: Digest,
    /// SHA-256 of all that was received.
    pub block_digest: Digest,
    /// Length of all that was received, in bytes.
    pub block_len: u64,
    /// What lay around the payload on the wire: chunked framing, or bytes behind the announced end of the body.
    pub framing: Option<Framing>,
    /// What is missing of the response, if anything.
    pub truncation: Option<Truncation>,
    /// The TLS session, for `https`.
    pub tls: Option<TlsFacts>,
    /// Whether the connection had carried an earlier request.
    pub reused_connection: bool,
    /// Where a redirect or refresh header leads, as far as that may be followed.
    pub redirect_to: Option<Uri>,
    /// How long the service asks to be left alone (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// Whether a connect or a read overran, so that the circuits it used should not be used again: the caller advances the
    /// target's epoch.
    pub needs_new_epoch: bool,
}

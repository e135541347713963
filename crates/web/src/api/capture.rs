use model::{CaptureId, ClockSource, Digest, Outcome, PageKind, Seq, TargetId, Timestamp, Truncation, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema;

/// A page of captures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Captures {
    /// The newest first.
    pub captures: Vec<CaptureSummary>,
    /// What to give as `from` for the next page, if there is one.
    #[schema(value_type = Option<u64>)]
    pub next: Option<Seq>,
}

/// A capture in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaptureSummary {
    /// Theme and sequence.
    #[schema(value_type = String, example = "marketplace/17")]
    pub capture: CaptureId,
    /// The sequence within the theme.
    #[schema(value_type = u64)]
    pub seq: Seq,
    /// The target that it was made for.
    #[schema(value_type = String)]
    pub target: TargetId,
    /// What was asked for.
    #[schema(value_type = String)]
    pub uri: Uri,
    /// When the attempt began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// How it ended.
    #[schema(value_type = String, example = "HttpError(404)")]
    pub outcome: Outcome,
    /// The status code, if a head was read.
    pub status: Option<u16>,
    /// Length of the payload in bytes.
    pub payload_len: u64,
    /// What is missing of the response, if anything: `length`, `time` or `disconnect`.
    #[schema(value_type = Option<String>)]
    pub truncation: Option<Truncation>,
}

/// One attempt to retrieve one URI: all that is kept of it but its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Capture {
    /// Theme and sequence.
    #[schema(value_type = String, example = "marketplace/17")]
    pub capture: CaptureId,
    /// The sequence within the theme.
    #[schema(value_type = u64)]
    pub seq: Seq,
    /// The target that it was made for.
    #[schema(value_type = String)]
    pub target: TargetId,
    /// The number of the decision that it was made under.
    pub decision: u32,
    /// What was asked for.
    #[schema(value_type = String)]
    pub uri: Uri,
    /// When the attempt began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When the first byte of the response came, if any did.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_byte_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// What is known of the clock behind these times.
    #[schema(value_type = String)]
    pub clock: ClockSource,
    /// How it ended.
    #[schema(value_type = String, example = "Ok")]
    pub outcome: Outcome,
    /// The outcome's cause in the words of the layer that it came from.
    pub detail: Option<String>,
    /// The status code, if a head was read.
    pub status: Option<u16>,
    /// The epoch of the target's circuits.
    pub epoch: u32,
    /// Whether the connection had carried an earlier request.
    pub reused_connection: bool,
    /// The TLS session, for `https`.
    pub tls: Option<Tls>,
    /// Length of the request in bytes, without the secrets that were cut out of it.
    pub request_len: u64,
    /// How many secrets were cut out of the request.
    pub secrets: usize,
    /// Status line and header fields as received, byte for byte, in base 64 (RFC 4648).
    pub response_head: String,
    /// SHA-256 of all that was received.
    #[schema(value_type = String)]
    pub block_digest: Digest,
    /// Length of all that was received, in bytes.
    pub block_len: u64,
    /// SHA-256 of the payload.
    #[schema(value_type = String)]
    pub payload_digest: Digest,
    /// Length of the payload in bytes.
    pub payload_len: u64,
    /// Whether the body came in chunks.
    pub is_chunked: bool,
    /// What is missing of the response, if anything: `length`, `time` or `disconnect`.
    #[schema(value_type = Option<String>)]
    pub truncation: Option<Truncation>,
    /// Where a redirect or refresh leads, as far as that may be followed.
    #[schema(value_type = Option<String>)]
    pub redirect_to: Option<Uri>,
    /// The page on which the URI was found.
    #[schema(value_type = Option<String>)]
    pub via: Option<Uri>,
    /// Links from a seed.
    pub hops: u16,
    /// SHA-256 of the program that made it.
    #[schema(value_type = String)]
    pub software: Digest,
    /// SHA-256 of the configuration then in force.
    #[schema(value_type = String)]
    pub configuration: Digest,
    /// What analysis made of it; null until it is analysed.
    pub analysis: Option<Analysis>,
}

/// The certificate that the service showed: recorded, and not trusted as an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tls {
    /// The version of TLS.
    #[schema(example = "TLSv1_3")]
    pub protocol: String,
    /// SHA-256 of the certificate.
    #[schema(value_type = String)]
    pub certificate_digest: Digest,
    /// The certificate (DER) in base 64 (RFC 4648).
    pub certificate: String,
}

/// What analysis made of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Analysis {
    /// What the page is.
    #[schema(schema_with = schema::page_kind)]
    pub kind: PageKind,
    /// Whether its content differs from that of the URI's capture before.
    pub has_changed: bool,
    /// Whether analysis was given up, because the capture killed it twice.
    pub is_quarantined: bool,
}

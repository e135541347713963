use serde::{Deserialize, Serialize};

use crate::{ClockSource, Digest, Outcome, Seq, TargetId, Timestamp, Uri};

/// One attempt to retrieve one URI, as it is kept for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Its sequence within the theme.
    pub seq: Seq,
    /// The target that it was made for.
    pub target: TargetId,
    /// The number of the target's decision that it was made under.
    pub decision: u32,
    /// What was asked for.
    pub uri: Uri,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// When the first byte of the response came, if any did.
    pub first_byte_at: Option<Timestamp>,
    /// When the attempt ended.
    pub ended_at: Timestamp,
    /// What is known of the clock behind these times.
    pub clock: ClockSource,
    /// How the attempt ended.
    pub outcome: Outcome,
    /// The outcome's cause in the words of the layer that it came from; never page content.
    pub detail: Option<String>,
    /// The status code, if a head was read.
    pub status: Option<u16>,
    /// The circuits it could share.
    pub isolation: Isolation,
    /// Whether the connection had carried an earlier request.
    pub reused_connection: bool,
    /// The TLS session, for `https`.
    pub tls: Option<TlsFacts>,
    /// The request as sent, secrets cut out.
    #[serde(with = "crate::bytes")]
    pub request: Vec<u8>,
    /// Where secrets were cut out of the request.
    pub secrets: Vec<Secret>,
    /// Status line and header fields as received, the empty line included.
    #[serde(with = "crate::bytes")]
    pub response_head: Vec<u8>,
    /// SHA-256 of all that was received for this exchange.
    pub block_digest: Digest,
    /// Length of all that was received, in bytes.
    pub block_len: u64,
    /// SHA-256 of the payload: the body without its transfer coding (WARC/1.1, section 5.9).
    pub payload_digest: Digest,
    /// Length of the payload in bytes.
    pub payload_len: u64,
    /// How the body lay on the wire around the payload, where that was chunked.
    pub framing: Option<Framing>,
    /// What is missing of the response, if anything.
    pub truncation: Option<Truncation>,
    /// Where a redirect or refresh header leads, as far as that may be followed.
    pub redirect_to: Option<Uri>,
    /// The page on which the URI was found.
    pub via: Option<Uri>,
    /// Links from a seed.
    pub hops: u16,
    /// SHA-256 of the running program.
    pub software: Digest,
    /// SHA-256 of the configuration in force.
    pub configuration: Digest,
}

impl Capture {
    /// The bytes received for this exchange, put together again from head, framing and payload.
    pub fn block(&self, payload: &[u8]) -> Vec<u8> {
        let mut block = self.response_head.clone();
        match &self.framing {
            Some(framing) => framing.weave_into(payload, &mut block),
            None => block.extend_from_slice(payload),
        }
        block
    }

    /// The value of a response header field, without white space around it; the first one where there are several.
    ///
    /// Works on the raw head and therefore also on one that a strict parser rejects.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.response_head.split(|&byte| byte == b'\n').skip(1).find_map(|line| {
            let at = line.iter().position(|&byte| byte == b':')?;
            line[..at].eq_ignore_ascii_case(name.as_bytes()).then(|| line[at + 1..].trim_ascii())
        })
    }
}

/// What a capture's connection may share circuits with: the same group, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Isolation {
    /// The target.
    pub target: TargetId,
    /// The target's epoch.
    pub epoch: u32,
}

/// The certificate chain that a service showed: recorded, and not trusted as an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFacts {
    /// `TLSv1_2` or `TLSv1_3`.
    pub protocol: String,
    /// SHA-256 of the certificate of the service (DER).
    pub certificate_digest: Digest,
    /// The certificate itself (DER).
    #[serde(with = "crate::bytes")]
    pub certificate: Vec<u8>,
}

/// A secret that was sent and is not kept: a commitment stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Offset in the kept request, in bytes, at which it was cut out.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// SHA-256 of the salt followed by the secret.
    pub commitment: Digest,
    /// The salt. It is kept beside the record and not in it, so that whoever is shown the record cannot try secrets.
    #[serde(skip)]
    pub salt: Option<Digest>,
}

/// What is missing of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truncation {
    /// A limit of length was reached (WARC: `length`).
    Length,
    /// A limit of time was reached (WARC: `time`).
    Time,
    /// The connection broke (WARC: `disconnect`).
    Disconnect,
}

/// The chunked transfer coding around a payload (RFC 9112, section 7.1): what lay between its pieces, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Framing {
    /// In order.
    pub pieces: Vec<FramingPiece>,
    /// What came after the last piece of the payload.
    #[serde(with = "crate::bytes")]
    pub end: Vec<u8>,
}

/// Bytes of framing, and how much of the payload follows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FramingPiece {
    /// The bytes of framing.
    #[serde(with = "crate::bytes")]
    pub before: Vec<u8>,
    /// The length of the payload that follows, in bytes.
    pub len: u64,
}

impl Framing {
    /// Appends the body to `block` as it lay on the wire around `payload`.
    pub fn weave_into(&self, mut payload: &[u8], block: &mut Vec<u8>) {
        for piece in &self.pieces {
            block.extend_from_slice(&piece.before);
            let len = usize::try_from(piece.len).unwrap_or(usize::MAX).min(payload.len());
            let (now, later) = payload.split_at(len);
            block.extend_from_slice(now);
            payload = later;
        }
        block.extend_from_slice(&self.end);
        block.extend_from_slice(payload);
    }
}

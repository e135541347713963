//! What makes a capture evidence: its record as it was committed to, and the commitments that its leaf carries.

use std::collections::BTreeMap;

use model::{Capture, Digest, Seq, ThemeId};
use proof::{Commitment, Fact, Leaf, LeafKind, Salt};
use serde::{Deserialize, Serialize};

use crate::{
    Error, codec,
    payload::{Base, CompressedPayload},
    schema::Table,
};

/// What a fetch came to, ready to be recorded. Whoever fetched it makes it, so that the one committer neither compresses nor hashes
/// content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub(crate) capture: Capture,
    pub(crate) payload: CompressedPayload,
    salt: Salt,
    parts: BTreeMap<String, Commitment>,
}

impl Evidence {
    /// Commits to a capture and its payload; some 0.2 ms of CPU for 20 KB. Fails only where there is no randomness.
    pub fn of(capture: Capture, payload: &[u8]) -> Result<Self, Error> {
        Self::since(capture, payload, None)
    }

    /// The same, the payload kept as what has changed since `base`.
    pub(crate) fn since(capture: Capture, payload: &[u8], base: Option<&Base>) -> Result<Self, Error> {
        let salt = new_salt()?;
        let commit = |name: &str, part: &[u8]| (name.to_owned(), Commitment::of(&salt.for_part(name), part));
        let parts = BTreeMap::from([
            commit(part::URI, capture.uri.as_str().as_bytes()),
            commit(part::REQUEST, &capture.request),
            commit(part::RESPONSE, &capture.block(payload)),
            commit(part::PAYLOAD, payload),
        ]);
        let payload =
            base.map_or_else(|| CompressedPayload::of(payload), |base| CompressedPayload::since(payload, base));
        Ok(Self { capture, payload, salt, parts })
    }

    /// The capture, as yet without its sequence.
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// The row and the leaf of the capture, now that both have their numbers.
    pub(crate) fn seal(mut self, theme: ThemeId, seq: Seq, leaf: u64) -> (CaptureRow, Leaf) {
        self.capture.seq = seq;
        let Self { capture, mut parts, salt, .. } = self;
        let record = codec::encode(&capture);
        parts.insert(part::RECORD.to_owned(), Commitment::of(&salt.for_part(part::RECORD), &record));
        let facts = BTreeMap::from([
            ("capture".to_owned(), format!("{theme}/{seq}").into()),
            ("target".to_owned(), capture.target.to_string().into()),
            ("decision".to_owned(), Fact::Int(capture.decision.into())),
            ("outcome".to_owned(), capture.outcome.to_string().into()),
            ("block_len".to_owned(), length(capture.block_len)),
            ("payload_len".to_owned(), length(capture.payload_len)),
        ]);
        let time_us = capture.started_at.as_micros();
        let secret_salts = capture.secrets.iter().filter_map(|secret| secret.salt).collect();
        let row =
            CaptureRow::Kept(KeptCapture { leaf, salt: Digest::from_bytes(*salt.as_bytes()), secret_salts, record });
        (row, Leaf { kind: LeafKind::Capture, seq: leaf, time_us, facts, parts })
    }
}

/// The names of the erasable parts that a capture's leaf commits to.
pub mod part {
    /// The canonical URI.
    pub const URI: &str = "uri";
    /// The request as kept, secrets cut out.
    pub const REQUEST: &str = "request";
    /// All that was received.
    pub const RESPONSE: &str = "response";
    /// The body without its transfer coding.
    pub const PAYLOAD: &str = "payload";
    /// The capture's record, byte for byte as it is stored.
    pub const RECORD: &str = "record";

    /// Every part.
    pub const ALL: [&str; 5] = [URI, REQUEST, RESPONSE, PAYLOAD, RECORD];
}

/// A row of `captures`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CaptureRow {
    /// The capture, and what its leaf is opened with.
    Kept(KeptCapture),
    /// What is left of a capture after its erasure: where its leaf is, and the leaf of the act that erased it.
    Erased {
        /// The capture's leaf.
        leaf: u64,
        /// The erasure's leaf.
        erasure: u64,
    },
}

/// A capture with its salt, which dies with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptCapture {
    /// The index of its leaf.
    pub(crate) leaf: u64,
    /// From it the salts of the parts are made.
    pub(crate) salt: Digest,
    /// The salts of the secrets that were cut out of the request.
    secret_salts: Vec<Digest>,
    /// The encoded `Capture`, never encoded again: its bytes are committed to.
    #[serde(with = "model::bytes")]
    pub(crate) record: Vec<u8>,
}

impl KeptCapture {
    /// The capture.
    pub(crate) fn capture(&self, key: &[u8]) -> Result<Capture, Error> {
        let mut capture: Capture = codec::decode(Table::Captures, key, &self.record)?;
        for (secret, salt) in capture.secrets.iter_mut().zip(&self.secret_salts) {
            secret.salt = Some(*salt);
        }
        Ok(capture)
    }

    pub(crate) fn salt(&self) -> Salt {
        Salt::from_bytes(*self.salt.as_bytes())
    }
}

fn length(bytes: u64) -> Fact {
    Fact::Int(i64::try_from(bytes).unwrap_or(i64::MAX))
}

/// A salt for a record.
pub(crate) fn new_salt() -> Result<Salt, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Error::NoRandomness)?;
    Ok(Salt::from_bytes(bytes))
}

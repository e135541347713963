use sha2::{Digest as _, Sha256};

use crate::{Digest, Header, PayloadHasher, RecordType};

/// What a stated digest is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The header states none.
    Absent,
    /// It is the digest of what the record holds.
    Matches,
    /// It is not the digest of what the record holds.
    Differs,
    /// It is of another algorithm, or cannot be read.
    Unreadable,
    /// The record does not hold what it is the digest of: a revisit, or a response that is cut short or malformed.
    NotHere,
}

/// What came of checking a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// The digest of the whole block, as found.
    pub block_digest: Digest,
    /// What the stated block digest is worth.
    pub block: Verdict,
    /// What the stated payload digest is worth.
    pub payload: Verdict,
}

/// Holds a block against the digests that its header states, piece by piece and in bounded memory.
#[derive(Debug)]
pub struct Checker {
    stated_block: Stated,
    stated_payload: Stated,
    block: Sha256,
    payload: Source,
}

type Stated = Option<Option<Digest>>;

/// Where the payload lies in the block.
#[derive(Debug)]
enum Source {
    /// In an HTTP message.
    Http(Box<PayloadHasher>),
    /// It is the block.
    Block,
    /// It is not in there.
    Elsewhere,
}

impl Checker {
    /// For a record with this header.
    pub fn new(header: &Header) -> Self {
        let stated = |name: &str| header.get(name).map(|value| value.parse().ok());
        let payload = match header.kind() {
            Some(RecordType::Revisit | RecordType::Warcinfo | RecordType::Metadata | RecordType::Continuation)
            | None => Source::Elsewhere,
            _ if header.is_http_response() => Source::Http(Box::default()),
            _ if header.is_http() => Source::Elsewhere,
            _ => Source::Block,
        };
        Self {
            stated_block: stated("WARC-Block-Digest"),
            stated_payload: stated("WARC-Payload-Digest"),
            block: Sha256::new(),
            payload,
        }
    }

    /// Takes the next bytes of the block.
    pub fn update(&mut self, bytes: &[u8]) {
        self.block.update(bytes);
        if let Source::Http(payload) = &mut self.payload {
            payload.update(bytes);
        }
    }

    /// What came of it.
    pub fn finish(self) -> Checked {
        let block_digest = self.block.into();
        let payload_digest = match self.payload {
            Source::Http(payload) => payload.finish().map(|payload| payload.digest),
            Source::Block => Some(block_digest),
            Source::Elsewhere => None,
        };
        Checked {
            block_digest,
            block: judge(self.stated_block, Some(block_digest)),
            payload: judge(self.stated_payload, payload_digest),
        }
    }
}

fn judge(stated: Stated, found: Option<Digest>) -> Verdict {
    match (stated, found) {
        (None, _) => Verdict::Absent,
        (Some(None), _) => Verdict::Unreadable,
        (Some(Some(_)), None) => Verdict::NotHere,
        (Some(Some(stated)), Some(found)) if stated == found => Verdict::Matches,
        (Some(Some(_)), Some(_)) => Verdict::Differs,
    }
}

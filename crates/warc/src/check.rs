use sha2::{Digest as _, Sha256};

use crate::{Digest, Header, PayloadHasher, RecordType, Span};

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

/// A record, examined: its header, where it lies, and what its block says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Its header as it stands in the file.
    pub header: Header,
    /// Where it lies.
    pub span: Span,
    /// What came of the digests.
    pub checked: Checked,
}

/// What a block says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The digest of the whole block, as found.
    pub block_digest: Digest,
    /// What the stated block digest is worth.
    pub block: Verdict,
    /// What the stated payload digest is worth.
    pub payload: Verdict,
    /// The status code, where the block is an HTTP response, or the head of one.
    pub status: Option<u16>,
    /// Its `Content-Type`, as the server sent it.
    pub content_type: Option<Vec<u8>>,
}

/// Holds a block against the digests that its header states, piece by piece and in bounded memory.
#[derive(Debug)]
pub(crate) struct Checker {
    stated_block: Stated,
    stated_payload: Stated,
    block: Sha256,
    http: Option<Box<PayloadHasher>>,
    payload: Source,
}

type Stated = Option<Option<Digest>>;

/// Where the payload lies in the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// In an HTTP response.
    Http,
    /// It is the block.
    Block,
    /// It is not in there.
    Elsewhere,
}

impl Checker {
    /// For a record with this header.
    pub(crate) fn new(header: &Header) -> Self {
        let stated = |name: &str| header.get(name).map(|value| value.parse().ok());
        let payload = match header.kind() {
            Some(RecordType::Response) if header.is_http() => Source::Http,
            Some(RecordType::Response | RecordType::Resource | RecordType::Conversion) => Source::Block,
            _ => Source::Elsewhere,
        };
        let is_response = matches!(header.kind(), Some(RecordType::Response | RecordType::Revisit)) && header.is_http();
        Self {
            stated_block: stated("WARC-Block-Digest"),
            stated_payload: stated("WARC-Payload-Digest"),
            block: Sha256::new(),
            http: is_response.then(Box::default),
            payload,
        }
    }

    /// Takes the next bytes of the block.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.block.update(bytes);
        if let Some(http) = &mut self.http {
            http.update(bytes);
        }
    }

    /// What came of it.
    pub(crate) fn finish(self) -> Checked {
        let block_digest = self.block.into();
        let status = self.http.as_ref().and_then(|http| http.status());
        let content_type = self.http.as_ref().and_then(|http| http.content_type()).map(<[u8]>::to_vec);
        let payload_digest = match self.payload {
            Source::Http => self.http.and_then(|http| http.finish()).map(|payload| payload.digest),
            Source::Block => Some(block_digest),
            Source::Elsewhere => None,
        };
        Checked {
            block_digest,
            block: judge(self.stated_block, Some(block_digest)),
            payload: judge(self.stated_payload, payload_digest),
            status,
            content_type,
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

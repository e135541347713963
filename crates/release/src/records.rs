//! The records of one capture: what they are, how they name each other, and what is disclosed of the leaf.

use model::{Capture, Outcome, Secret, Truncation};
use proof::{InclusionProof, leaf_hash};
use store::{Disclosure, part};
use warc::{Date, Fields, Header, Original, PayloadHasher, RecordId};

use crate::Error;

/// The longest part `record` that stands in an export, in bytes. Beyond it lies a response in hundreds of thousands of chunks, whose framing is in the
/// block as well.
const MAX_RECORD: usize = 2 << 20;

/// A record to be written.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) header: Header,
    pub(crate) block: Vec<u8>,
}

/// What is known of a capture that is to be exported.
pub(crate) struct Exhibit<'a> {
    pub(crate) capture: &'a Capture,
    pub(crate) block: Vec<u8>,
    pub(crate) disclosure: &'a Disclosure,
    pub(crate) proof: &'a InclusionProof,
    pub(crate) timestamps: &'a [Vec<u8>],
}

impl Exhibit<'_> {
    /// When the capture began: the date of all its records.
    pub(crate) fn date(&self) -> Result<Date, Error> {
        let date = Date::from_micros(self.capture.started_at.as_micros());
        Ok(date.ok_or(warc::Error::FieldMissing("WARC-Date"))?)
    }

    /// What a later capture may refer to, if its payload is well defined.
    pub(crate) fn original(&self) -> Result<Option<Original>, Error> {
        if self.capture.payload_len == 0 || self.truncation().is_some() || !self.has_plain_payload() {
            return Ok(None);
        }
        Ok(Some(Original {
            id: self.id("response"),
            target_uri: self.uri().to_owned(),
            date: self.date()?,
            payload_digest: warc::Digest::from_bytes(*self.capture.payload_digest.as_bytes()),
        }))
    }

    /// The records, the main one first. With an `original` a revisit stands in place of the response.
    pub(crate) fn records(&self, original: Option<&Original>) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        if !self.block.is_empty() {
            records.push(self.answer(original)?);
        }
        if !self.capture.request.is_empty() {
            records.push(self.request()?);
        }
        records.push(self.metadata()?);
        records.push(self.proof()?);
        let main = records.first().and_then(|record| record.header.record_id()).map(|id| format!("<{id}>"));
        let others = records.iter_mut().skip(1);
        for (record, main) in others.zip(std::iter::repeat(main.unwrap_or_default())) {
            record.header = record.header.clone().with("WARC-Concurrent-To", main);
        }
        Ok(records)
    }

    fn answer(&self, original: Option<&Original>) -> Result<Record, Error> {
        let protocol = if self.block.starts_with(b"HTTP/1.0") { "http/1.0" } else { "http/1.1" };
        if let Some(original) = original {
            let header = Header::revisit(self.id("revisit"), self.date()?, self.uri(), original);
            return Ok(Record { header: self.over(header, protocol), block: self.capture.response_head.clone() });
        }
        let header = self.over(Header::response(self.id("response"), self.date()?, self.uri()), protocol);
        let header = self.truncation().into_iter().fold(header, Header::truncated);
        Ok(Record { header, block: self.block.clone() })
    }

    fn request(&self) -> Result<Record, Error> {
        let header = self.over(Header::request(self.id("request"), self.date()?, self.uri()), "http/1.1");
        let secrets: Vec<String> = self.capture.secrets.iter().map(taken_out).collect();
        let header = if secrets.is_empty() { header } else { header.redacted(&secrets.join(", ")) };
        Ok(Record { header, block: self.capture.request.clone() })
    }

    fn metadata(&self) -> Result<Record, Error> {
        let capture = self.capture;
        let mut fields = Fields::new();
        if let Some(via) = &capture.via {
            fields.push("via", via.as_str());
        }
        if capture.hops > 0 {
            fields.push("hopsFromSeed", "L".repeat(capture.hops.into()));
        }
        let took = capture.ended_at.since(capture.started_at);
        fields.push("fetchTimeMs", took.as_millis().to_string());
        fields.push("nachtwacht-capture", capture.seq.to_string());
        fields.push("nachtwacht-outcome", capture.outcome.to_string());
        if let Some(detail) = capture.detail.as_deref().map(one_line).filter(|detail| !detail.is_empty()) {
            fields.push("nachtwacht-outcome-detail", detail);
        }
        let header = Header::metadata(self.id("metadata"), self.date()?, self.uri());
        Ok(Record { header, block: fields.to_bytes()? })
    }

    fn proof(&self) -> Result<Record, Error> {
        let disclosure = self.disclosure;
        let (is_plain, is_short) = (self.has_plain_payload(), disclosure.record.len() <= MAX_RECORD);
        let is_shown = |name: &str| match name {
            part::PAYLOAD => is_plain,
            part::RECORD => is_short,
            _ => true,
        };
        let salts = disclosure.salts.iter().filter(|(name, _)| is_shown(name));
        let salts = salts.map(|(name, salt)| ((*name).to_owned(), *salt));
        let record = if is_short { disclosure.record.clone() } else { Vec::new() };
        let shown = verify::Disclosure::new(disclosure.entry.clone(), salts, record, self.proof.to_string());
        let json = self.timestamps.iter().cloned().fold(shown, verify::Disclosure::with_timestamp).to_json();
        let id = RecordId::derived(&[b"nachtwacht proof", json.as_bytes()]);
        let target = verify::target_uri(disclosure.leaf);
        let header = Header::resource(id, self.date()?, &target, verify::CONTENT_TYPE);
        Ok(Record { header, block: json.into_bytes() })
    }

    /// The same capture's record of the same kind has the same identifier in every export.
    fn id(&self, kind: &str) -> RecordId {
        let leaf = leaf_hash(&self.disclosure.entry);
        RecordId::derived(&[b"nachtwacht capture", kind.as_bytes(), leaf.as_bytes()])
    }

    fn uri(&self) -> &str {
        self.capture.uri.as_str()
    }

    /// Says over what a message travelled, the higher protocol first.
    fn over(&self, header: Header, protocol: &str) -> Header {
        let tls = self.capture.tls.as_ref().map(|tls| tls.protocol.replace("TLSv", "tls/").replace('_', "."));
        tls.iter().fold(header.protocol(protocol), |header, tls| header.protocol(tls))
    }

    /// What the standard calls the reason for which not all is there. A body whose type is not collected was not read.
    fn truncation(&self) -> Option<warc::Truncation> {
        match self.capture.truncation {
            Some(Truncation::Length) => Some(warc::Truncation::Length),
            Some(Truncation::Time) => Some(warc::Truncation::Time),
            Some(Truncation::Disconnect) => Some(warc::Truncation::Disconnect),
            None => (self.capture.outcome == Outcome::ContentTypeRefused).then_some(warc::Truncation::Unspecified),
        }
    }

    /// Whether others find the payload where we found it. What a site sends behind the end of its body, or in contradiction to itself, we may have
    /// taken for payload; the standards do not, and a salt would invite a comparison that cannot come out.
    fn has_plain_payload(&self) -> bool {
        let found = PayloadHasher::of(&self.block);
        found.is_none_or(|found| found.digest.as_bytes() == self.capture.payload_digest.as_bytes())
    }
}

/// Where a secret was taken out of the request, and the commitment that stands for it.
fn taken_out(secret: &Secret) -> String {
    format!("{} bytes at {}: sha256:{}", secret.len, secret.offset, secret.commitment)
}

/// Text that a field can hold.
fn one_line(text: &str) -> String {
    text.replace(|character: char| character.is_control(), " ").trim().to_owned()
}

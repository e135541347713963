use std::{fmt, str::FromStr};

use crate::{Date, Digest, Error, Fields, RecordId, Result, surt};

/// What a record is (WARC/1.1, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordType {
    /// Describes the records behind it.
    Warcinfo,
    /// What a server answered, as received.
    Response,
    /// Something without a protocol around it.
    Resource,
    /// What was asked of a server, as sent.
    Request,
    /// What is known besides about a capture.
    Metadata,
    /// A capture whose payload an earlier record holds.
    Revisit,
    /// Another form of something; never written here.
    Conversion,
    /// A further piece of a record; never written here.
    Continuation,
}

impl RecordType {
    const ALL: [(Self, &str); 8] = [
        (Self::Warcinfo, "warcinfo"),
        (Self::Response, "response"),
        (Self::Resource, "resource"),
        (Self::Request, "request"),
        (Self::Metadata, "metadata"),
        (Self::Revisit, "revisit"),
        (Self::Conversion, "conversion"),
        (Self::Continuation, "continuation"),
    ];

    /// The word for it in `WARC-Type`.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }
}

/// A word that is none of the eight types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a type of record")]
pub struct UnknownType;

impl FromStr for RecordType {
    type Err = UnknownType;

    fn from_str(text: &str) -> std::result::Result<Self, UnknownType> {
        Self::ALL.iter().find(|(_, word)| *word == text).map(|(kind, _)| *kind).ok_or(UnknownType)
    }
}

/// Why a block is not all there was (WARC/1.1, section 5.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truncation {
    /// A limit of length was reached.
    Length,
    /// A limit of time was reached.
    Time,
    /// The connection broke.
    Disconnect,
    /// Another reason, or an unknown one.
    Unspecified,
}

impl fmt::Display for Truncation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "length",
            Self::Time => "time",
            Self::Disconnect => "disconnect",
            Self::Unspecified => "unspecified",
        })
    }
}

/// The record whose payload a revisit found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// The record's identifier.
    pub id: RecordId,
    /// Its target.
    pub target_uri: String,
    /// Its date.
    pub date: Date,
    /// The digest of its payload.
    pub payload_digest: Digest,
}

/// The header of a record: its named fields (WARC/1.1, section 5).
///
/// `Content-Length` and the digests that can be computed are the writer's to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    fields: Fields,
}

impl Header {
    /// A header with what every record has.
    pub fn new(kind: RecordType, id: RecordId, date: Date) -> Self {
        let fields = Fields::new()
            .with("WARC-Type", kind.as_str())
            .with("WARC-Record-ID", bracketed(id))
            .with("WARC-Date", date.to_string());
        Self { fields }
    }

    /// The description of an archive; `filename` is the archive's own. The block is [`Fields`].
    pub fn warcinfo(id: RecordId, date: Date, filename: &str) -> Self {
        Self::new(RecordType::Warcinfo, id, date)
            .with("WARC-Filename", filename)
            .with("Content-Type", "application/warc-fields")
    }

    /// What a server answered over HTTP, byte for byte.
    pub fn response(id: RecordId, date: Date, target_uri: &str) -> Self {
        Self::new(RecordType::Response, id, date)
            .with("WARC-Target-URI", target_uri)
            .with("Content-Type", "application/http; msgtype=response")
    }

    /// What was asked over HTTP, byte for byte.
    pub fn request(id: RecordId, date: Date, target_uri: &str) -> Self {
        Self::new(RecordType::Request, id, date)
            .with("WARC-Target-URI", target_uri)
            .with("Content-Type", "application/http; msgtype=request")
    }

    /// What is known of a capture besides. The block is [`Fields`], of which the standard knows `via` (the page that led there),
    /// `hopsFromSeed` (a letter for each step from the seed: `L` for a link, `R` for a redirect) and `fetchTimeMs` (section 6.6).
    pub fn metadata(id: RecordId, date: Date, target_uri: &str) -> Self {
        Self::new(RecordType::Metadata, id, date)
            .with("WARC-Target-URI", target_uri)
            .with("Content-Type", "application/warc-fields")
    }

    /// Something without a protocol around it, such as a certificate.
    pub fn resource(id: RecordId, date: Date, target_uri: &str, content_type: &str) -> Self {
        Self::new(RecordType::Resource, id, date).with("WARC-Target-URI", target_uri).with("Content-Type", content_type)
    }

    /// A response whose payload is that of an earlier one. The block is the head of the response, its empty line included; the payload
    /// is left off, which the standard has marked as truncation (section 6.7.2).
    pub fn revisit(id: RecordId, date: Date, target_uri: &str, original: &Original) -> Self {
        Self::new(RecordType::Revisit, id, date)
            .with("WARC-Target-URI", target_uri)
            .with("WARC-Profile", "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest")
            .with("WARC-Refers-To", bracketed(original.id))
            .with("WARC-Refers-To-Target-URI", &original.target_uri)
            .with("WARC-Refers-To-Date", original.date.to_string())
            .with("Content-Type", "application/http; msgtype=response")
            .payload_digest(original.payload_digest)
            .truncated(Truncation::Length)
    }

    /// A response that says that nothing has changed (304). The block is the whole response (section 6.7.3).
    pub fn not_modified(id: RecordId, date: Date, target_uri: &str, original: &Original) -> Self {
        Self::new(RecordType::Revisit, id, date)
            .with("WARC-Target-URI", target_uri)
            .with("WARC-Profile", "http://netpreserve.org/warc/1.1/revisit/server-not-modified")
            .with("WARC-Refers-To", bracketed(original.id))
            .with("WARC-Refers-To-Target-URI", &original.target_uri)
            .with("WARC-Refers-To-Date", original.date.to_string())
            .with("Content-Type", "application/http; msgtype=response")
            .payload_digest(original.payload_digest)
    }

    /// This header and one more field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push(name, value);
        self
    }

    /// Another record of the same capture; may be said several times.
    #[must_use]
    pub fn concurrent_to(self, id: RecordId) -> Self {
        self.with("WARC-Concurrent-To", bracketed(id))
    }

    /// The record that describes the archive.
    #[must_use]
    pub fn warcinfo_id(self, id: RecordId) -> Self {
        self.with("WARC-Warcinfo-ID", bracketed(id))
    }

    /// A protocol that the message travelled over, the higher ones first: `http/1.1`, then `tls/1.3`. An adopted extension of the IIPC.
    #[must_use]
    pub fn protocol(self, protocol: &str) -> Self {
        self.with("WARC-Protocol", protocol)
    }

    /// Why the block is not all there was.
    #[must_use]
    pub fn truncated(self, why: Truncation) -> Self {
        self.with("WARC-Truncated", why.to_string())
    }

    /// What was taken out of the block and replaced by a commitment, such as `cookie`: the extension field `Nachtwacht-Redacted`. Digests
    /// are those of the block as it stands in the archive.
    #[must_use]
    pub fn redacted(self, what: &str) -> Self {
        self.with("Nachtwacht-Redacted", what)
    }

    /// The digest of the block; the writer holds the block against it.
    #[must_use]
    pub fn block_digest(self, digest: Digest) -> Self {
        self.with("WARC-Block-Digest", digest.to_string())
    }

    /// The digest of the payload; the writer holds the block against it where that has a whole one.
    #[must_use]
    pub fn payload_digest(self, digest: Digest) -> Self {
        self.with("WARC-Payload-Digest", digest.to_string())
    }

    /// Every field.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The value of a field; the first one where there are several.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// The type, if it is one of the eight; others are to be passed over (section 6.1).
    pub fn kind(&self) -> Option<RecordType> {
        self.get("WARC-Type")?.parse().ok()
    }

    /// The identifier, without the angle brackets.
    pub fn record_id(&self) -> Option<&str> {
        self.get("WARC-Record-ID").map(unbracketed)
    }

    /// The date, if it can be read.
    pub fn date(&self) -> Option<Date> {
        self.get("WARC-Date")?.parse().ok()
    }

    /// The target, without the angle brackets that some put around it.
    pub fn target_uri(&self) -> Option<&str> {
        self.get("WARC-Target-URI").map(unbracketed)
    }

    /// Whether the block is an HTTP message.
    pub fn is_http(&self) -> bool {
        let media_type = self.get("Content-Type").and_then(|value| value.split(';').next()).unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case("application/http")
    }

    pub(crate) fn from_fields(fields: Fields) -> Self {
        Self { fields }
    }

    /// Whether the type has the fields that it must have, and none that it must not have (section 5).
    pub(crate) fn obey_rules(&self) -> Result<()> {
        use RecordType::{Continuation, Conversion, Metadata, Revisit, Warcinfo};
        let kind = self.kind();
        let is = |kinds: &[RecordType]| kind.is_some_and(|kind| kinds.contains(&kind));
        let has = |name| self.get(name).is_some();
        let forbid = |name, is_forbidden: bool| {
            if is_forbidden && has(name) { Err(Error::FieldForbidden(name)) } else { Ok(()) }
        };
        let demand = |name, is_due: bool| if is_due && !has(name) { Err(Error::FieldMissing(name)) } else { Ok(()) };
        let has_no_capture = is(&[Warcinfo, Conversion, Continuation]);
        demand("WARC-Target-URI", !is(&[Warcinfo, Metadata]))?;
        demand("WARC-Profile", is(&[Revisit]))?;
        forbid("WARC-Target-URI", is(&[Warcinfo]))?;
        forbid("WARC-Warcinfo-ID", is(&[Warcinfo]))?;
        forbid("WARC-Filename", !is(&[Warcinfo]))?;
        forbid("WARC-Concurrent-To", has_no_capture)?;
        // A hidden service has no address on the Internet, and one that stands there would be somebody else's.
        let is_onion = self.target_uri().is_some_and(|uri| surt::key(uri).starts_with("onion,"));
        forbid("WARC-IP-Address", has_no_capture || is_onion)?;
        forbid("WARC-Protocol", has_no_capture)?;
        forbid("WARC-Refers-To", !is(&[Metadata, Revisit, Conversion]))?;
        forbid("WARC-Refers-To-Target-URI", !is(&[Revisit]))?;
        forbid("WARC-Refers-To-Date", !is(&[Revisit]))?;
        forbid("WARC-Payload-Digest", is(&[Warcinfo, Metadata]))?;
        forbid("Content-Length", true)
    }

    /// Fails where a field that may stand once stands twice (section 5.1).
    pub(crate) fn no_field_twice(&self) -> Result<()> {
        const ONCE: [&str; 14] = [
            "WARC-Type",
            "WARC-Record-ID",
            "WARC-Date",
            "Content-Type",
            "WARC-Block-Digest",
            "WARC-Payload-Digest",
            "WARC-IP-Address",
            "WARC-Refers-To",
            "WARC-Target-URI",
            "WARC-Truncated",
            "WARC-Warcinfo-ID",
            "WARC-Filename",
            "WARC-Profile",
            "WARC-Identified-Payload-Type",
        ];
        ONCE.iter()
            .find(|name| self.fields.all(name).count() > 1)
            .map_or(Ok(()), |name| Err(Error::FieldForbidden(name)))
    }
}

/// An identifier as WARC/1.1 writes it; addresses it writes without the brackets.
fn bracketed(id: RecordId) -> String {
    format!("<{id}>")
}

fn unbracketed(uri: &str) -> &str {
    uri.strip_prefix('<').and_then(|uri| uri.strip_suffix('>')).unwrap_or(uri)
}

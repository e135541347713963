//! The leaf: what the log says of one event, in deterministic CBOR.
//!
//! ```text
//! { "v": 1, "seq": uint, "kind": text, "time": int,
//!   "facts": { * text => int / text / bytes / bool },
//!   "parts": { * text => 32 bytes } }
//! ```
//!
//! Keys stand in the bytewise order of their encodings (RFC 8949 §4.2.1), so shorter ones come first.

mod cbor;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::{Commitment, Error};
use cbor::{BYTES, FALSE, MAP, NEGATIVE, Reader, SIMPLE, TEXT, TRUE, UINT};

/// The greatest length of an encoded leaf, in bytes: C2SP's entry bundles write lengths with 16 bits.
pub const MAX_LEAF_BYTES: usize = 0xffff;

const VERSION: i64 = 1;
const KEYS: [&str; 6] = ["v", "seq", "kind", "time", "facts", "parts"];

/// What a leaf tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeafKind {
    /// One attempt to retrieve one URI.
    Capture,
    /// Grounds for watching a target: made, approved, changed, withdrawn.
    Decision,
    /// A person's feedback.
    Label,
    /// The name of a version.
    Name,
    /// A hold, or its end.
    Hold,
    /// Versions released to operational use.
    Release,
    /// An export written.
    Export,
    /// Captures hidden from all but whoever decides about them, or shown again.
    Seal,
    /// Content and salts gone, by which ground.
    Erasure,
    /// How long things are kept: a change of it, or a run by which what was kept long enough goes.
    Retention,
    /// A signing key that begins or ends.
    Key,
    /// A version of an indicator: what to look for, or that it is looked for no more.
    Indicator,
    /// A version of a site profile: where on the pages of a site each field stands, or that it stands there no more.
    SiteProfile,
    /// How far the audit log has come: it is covered by what covers this log.
    Audit,
    /// Of the audit log: something that somebody asked for, and what became of it.
    Access,
    /// Of the audit log: an account, its password, its tokens or its roles changed.
    Account,
    /// A watch, a saved query that tells when something matches it: made, changed, deleted.
    Watch,
}

impl LeafKind {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::Capture,
        Self::Decision,
        Self::Label,
        Self::Name,
        Self::Hold,
        Self::Release,
        Self::Export,
        Self::Seal,
        Self::Erasure,
        Self::Retention,
        Self::Key,
        Self::Indicator,
        Self::SiteProfile,
        Self::Audit,
        Self::Access,
        Self::Account,
        Self::Watch,
    ];

    /// The name in the leaf.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Decision => "decision",
            Self::Label => "label",
            Self::Name => "name",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Export => "export",
            Self::Seal => "seal",
            Self::Erasure => "erasure",
            Self::Retention => "retention",
            Self::Key => "key",
            Self::Indicator => "indicator",
            Self::SiteProfile => "site-profile",
            Self::Audit => "audit",
            Self::Access => "access",
            Self::Account => "account",
            Self::Watch => "watch",
        }
    }
}

impl fmt::Display for LeafKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for LeafKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| Error::UnknownKind(name.into()))
    }
}

/// Something that a leaf says in the clear, and that may stay for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes, such as a digest.
    Bytes(Vec<u8>),
    /// Yes or no.
    Bool(bool),
}

impl From<i64> for Fact {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Fact {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Fact {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Fact {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<bool> for Fact {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// What it tells of.
    pub kind: LeafKind,
    /// Its index in the log, from 0.
    pub seq: u64,
    /// When what it tells of happened, in microseconds since 1970-01-01T00:00:00Z. For a capture: when it began.
    pub time_us: i64,
    /// What may stay for ever, by name.
    pub facts: BTreeMap<String, Fact>,
    /// What may be erased, by name: only the commitments stand in the leaf.
    pub parts: BTreeMap<String, Commitment>,
}

impl Leaf {
    /// Whether the fact `name` is this text.
    pub fn says(&self, name: &str, text: &str) -> bool {
        matches!(self.facts.get(name), Some(Fact::Text(said)) if said == text)
    }

    /// The leaf's one encoding. Errors: [`Error::TooLarge`] beyond [`MAX_LEAF_BYTES`].
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let to = &mut bytes;
        cbor::write_head(to, MAP, KEYS.len() as u64);
        cbor::write_text(to, "v");
        cbor::write_int(to, VERSION);
        cbor::write_text(to, "seq");
        cbor::write_head(to, UINT, self.seq);
        cbor::write_text(to, "kind");
        cbor::write_text(to, self.kind.name());
        cbor::write_text(to, "time");
        cbor::write_int(to, self.time_us);
        cbor::write_text(to, "facts");
        write_map(to, &self.facts, write_fact);
        cbor::write_text(to, "parts");
        write_map(to, &self.parts, |to, commitment| cbor::write_bytes(to, commitment.as_bytes()));
        if bytes.len() > MAX_LEAF_BYTES {
            return Err(Error::TooLarge { what: "leaf", limit: MAX_LEAF_BYTES });
        }
        Ok(bytes)
    }

    /// Reads what [`Self::encode`] writes and refuses every other spelling, so that a leaf has one hash.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_LEAF_BYTES {
            return Err(Error::TooLarge { what: "leaf", limit: MAX_LEAF_BYTES });
        }
        let mut from = Reader::new(bytes);
        if from.head()? != (MAP, KEYS.len() as u64) {
            return Err(from.error("no map of the leaf's fields"));
        }
        expect_key(&mut from, "v")?;
        if read_int(&mut from)? != VERSION {
            return Err(from.error("a version of the leaf's form that is not known"));
        }
        expect_key(&mut from, "seq")?;
        let (UINT, seq) = from.head()? else { return Err(from.error("no number where one is due")) };
        expect_key(&mut from, "kind")?;
        let kind = from.text()?.parse()?;
        expect_key(&mut from, "time")?;
        let time_us = read_int(&mut from)?;
        expect_key(&mut from, "facts")?;
        let facts = read_map(&mut from, read_fact)?;
        expect_key(&mut from, "parts")?;
        let parts = read_map(&mut from, read_commitment)?;
        from.finish()?;
        Ok(Self { kind, seq, time_us, facts, parts })
    }
}

/// The order of encoded text keys: the head holds the length and comes first.
fn key_order(key: &str) -> (usize, &str) {
    (key.len(), key)
}

fn write_map<V>(to: &mut Vec<u8>, map: &BTreeMap<String, V>, write_value: impl Fn(&mut Vec<u8>, &V)) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| key_order(key));
    cbor::write_head(to, MAP, entries.len() as u64);
    for (key, value) in entries {
        cbor::write_text(to, key);
        write_value(to, value);
    }
}

fn write_fact(to: &mut Vec<u8>, fact: &Fact) {
    match fact {
        Fact::Int(value) => cbor::write_int(to, *value),
        Fact::Text(value) => cbor::write_text(to, value),
        Fact::Bytes(value) => cbor::write_bytes(to, value),
        Fact::Bool(value) => cbor::write_head(to, SIMPLE, if *value { TRUE } else { FALSE }),
    }
}

fn expect_key(from: &mut Reader<'_>, key: &str) -> Result<(), Error> {
    if from.text()? == key { Ok(()) } else { Err(from.error(&format!("the field {key:?} is not in its place"))) }
}

fn read_map<V>(
    from: &mut Reader<'_>,
    read_value: impl Fn(&mut Reader<'_>) -> Result<V, Error>,
) -> Result<BTreeMap<String, V>, Error> {
    let (MAP, length) = from.head()? else { return Err(from.error("no map where one is due")) };
    let mut map = BTreeMap::new();
    let mut last: Option<&str> = None;
    for _ in 0..length {
        let key = from.text()?;
        if last.is_some_and(|last| key_order(last) >= key_order(key)) {
            return Err(from.error("keys out of order, or one twice"));
        }
        last = Some(key);
        map.insert(key.to_owned(), read_value(from)?);
    }
    Ok(map)
}

fn read_fact(from: &mut Reader<'_>) -> Result<Fact, Error> {
    match from.head()? {
        (TEXT, length) => Ok(Fact::Text(from.text_of(length)?.to_owned())),
        (BYTES, length) => Ok(Fact::Bytes(from.bytes_of(length)?.to_owned())),
        (SIMPLE, FALSE) => Ok(Fact::Bool(false)),
        (SIMPLE, TRUE) => Ok(Fact::Bool(true)),
        (major, argument) => int_of(from, major, argument).map(Fact::Int),
    }
}

fn read_int(from: &mut Reader<'_>) -> Result<i64, Error> {
    let (major, argument) = from.head()?;
    int_of(from, major, argument)
}

fn int_of(from: &Reader<'_>, major: u8, argument: u64) -> Result<i64, Error> {
    match (major, i64::try_from(argument)) {
        (UINT, Ok(value)) => Ok(value),
        (NEGATIVE, Ok(value)) => Ok(!value),
        (UINT | NEGATIVE, Err(_)) => Err(from.error("a number beyond 64 bits with sign")),
        _ => Err(from.error("a value of a kind that leaves do not hold")),
    }
}

fn read_commitment(from: &mut Reader<'_>) -> Result<Commitment, Error> {
    match from.head()? {
        (BYTES, length @ 32) => {
            let bytes = from.bytes_of(length)?;
            <[u8; 32]>::try_from(bytes).map(Commitment::from_bytes).map_err(|_| from.error("no commitment"))
        }
        _ => Err(from.error("a commitment is 32 bytes")),
    }
}

use std::collections::BTreeMap;

use data_encoding::BASE64;
use proof::PartSalt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The content type of the record that carries a capture's proof.
pub const CONTENT_TYPE: &str = "application/vnd.nachtwacht.proof+json";

/// The field of a `warcinfo` block that names a key of the log, in its text form. There may be several.
pub const KEY_FIELD: &str = "nachtwacht-log-key";

/// Where in a WACZ the proofs of all captures stand, one after the other.
pub const PROOFS_PATH: &str = "proof/proof.txt";

/// The greatest length of a proof record's block, in bytes.
pub(crate) const MAX_BYTES: u64 = 4 << 20;

const URN: &str = "urn:nachtwacht:leaf:";

/// The `WARC-Target-URI` of the record that carries the proof of the leaf at `index`.
pub fn target_uri(index: u64) -> String {
    format!("{URN}{index}")
}

/// Whether a record with this target carries a proof.
pub(crate) fn is_proof(target_uri: &str) -> bool {
    target_uri.starts_with(URN)
}

/// What an export discloses of one capture, as JSON in a `resource` record beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// The leaf, as the log holds it.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    leaf: Vec<u8>,
    /// The salts of the parts that are in the export, by the parts' names.
    salts: BTreeMap<String, Salt>,
    /// The part `record`: what was noted of the capture.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    record: Vec<u8>,
    /// That the log holds the leaf (C2SP tlog-proof@v1).
    proof: String,
    /// Answers of authorities that stamped the checkpoint (RFC 3161).
    timestamps: Vec<Bytes>,
}

impl Disclosure {
    /// What is disclosed: the encoded leaf, and the salts by the names of the parts.
    pub fn new(
        leaf: Vec<u8>,
        salts: impl IntoIterator<Item = (String, PartSalt)>,
        record: Vec<u8>,
        proof: String,
    ) -> Self {
        let salts = salts.into_iter().map(|(name, salt)| (name, Salt(salt))).collect();
        Self { leaf, salts, record, proof, timestamps: Vec::new() }
    }

    /// With an answer of an authority that stamped the checkpoint within the proof.
    #[must_use]
    pub fn with_timestamp(mut self, response: Vec<u8>) -> Self {
        self.timestamps.push(Bytes(response));
        self
    }

    /// The block of the record. Text and numbers in maps by text always have a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the block of a record. The message of the error says what is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// The encoded leaf.
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// The bytes of the part `record`.
    pub fn record(&self) -> &[u8] {
        &self.record
    }

    /// The text of the proof.
    pub fn proof(&self) -> &str {
        &self.proof
    }

    /// The names of the parts whose salts are disclosed.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.salts.keys().map(String::as_str)
    }

    /// The salt of a part, if it is disclosed.
    pub fn salt(&self, part: &str) -> Option<&PartSalt> {
        self.salts.get(part).map(|salt| &salt.0)
    }

    /// The answers of authorities.
    pub fn timestamps(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.timestamps.iter().map(|bytes| &bytes.0[..])
    }
}

/// Bytes that stand in JSON as standard base64 with padding (RFC 4648 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to_base64(&self.0, to)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from_base64(from).map(Self)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Salt(PartSalt);

impl Serialize for Salt {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to_base64(self.0.as_bytes(), to)
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = <[u8; 32]>::try_from(&from_base64(from)?[..]);
        bytes.map(|bytes| Self(PartSalt::from_bytes(bytes))).map_err(|_| D::Error::custom("a salt has 32 bytes"))
    }
}

fn to_base64<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&BASE64.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    BASE64.decode(String::deserialize(from)?.as_bytes()).map_err(D::Error::custom)
}

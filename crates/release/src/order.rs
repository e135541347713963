use std::collections::BTreeMap;

use model::{Digest, Seq, TargetId, ThemeId, Timestamp};
use proof::{Fact, Leaf, LeafKind};
use serde::{Deserialize, Serialize};
use store::{Act, RecordedAct};

use crate::Error;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// WARC/1.1, each record a gzip member: `.warc.gz`.
    Warc,
    /// WACZ 1.1.1 around such a file: `.wacz`.
    Wacz,
}

impl Format {
    const ALL: [Self; 2] = [Self::Warc, Self::Wacz];

    /// Its name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warc => "warc",
            Self::Wacz => "wacz",
        }
    }

    /// How the names of its files end.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Warc => "warc.gz",
            Self::Wacz => "wacz",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// Which captures of a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Selection {
    /// These. Each must be there.
    Captures(Vec<Seq>),
    /// Those of a target that began within a time.
    Target {
        /// The target.
        id: TargetId,
        /// At or after this moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
        /// Before this moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Those of a version: the captures of its URI from the first of its run to the last.
    Version {
        /// Any capture of the version; as ordered, the first one.
        first: Seq,
        /// The last one, as far as the version went when the export was ordered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<Seq>,
    },
    /// Those that a dossier holds, but for erased and sealed ones.
    Dossier {
        /// The dossier's leaf.
        id: u64,
        /// The captures, as they were when the export was ordered.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        captures: Vec<Seq>,
    },
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Which captures.
    pub selection: Selection,
    /// In which form.
    pub format: Format,
    /// What for; it is kept with the export's leaf and can be erased.
    pub purpose: String,
    /// Whether a payload that the export holds already for the same URI is left out, and a revisit refers to it. The export is smaller, and the
    /// response as received cannot be checked where a revisit stands.
    pub with_revisits: bool,
    /// The size of the log at the checkpoint that the proofs rest on; a new one where none is named.
    pub checkpoint: Option<u64>,
}

/// An export that the log knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The index of its leaf.
    pub leaf: u64,
    /// The theme.
    pub theme: ThemeId,
    /// When it was ordered.
    pub at: Timestamp,
    /// Its form.
    pub format: Format,
    /// The number of captures in it.
    pub captures: u64,
    /// The size of the log at its checkpoint.
    pub log_size: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    pub(crate) plan: Plan,
}

/// All that the bytes of an export depend on, besides what is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) theme: ThemeId,
    pub(crate) selection: Selection,
    pub(crate) format: Format,
    pub(crate) with_revisits: bool,
    /// The size of the log at the checkpoint.
    pub(crate) log_size: u64,
    /// How many of the checkpoint's time-stamps are taken along: later ones would change the bytes.
    pub(crate) timestamps: usize,
}

impl Export {
    /// A name for its file.
    pub fn filename(&self) -> String {
        self.plan.filename()
    }

    /// The act that becomes its leaf.
    pub(crate) fn act(&self, who: &str, purpose: &str) -> Act {
        let int = |number: u64| Fact::Int(i64::try_from(number).unwrap_or(i64::MAX));
        let act = Act::new(self.theme, LeafKind::Export, self.at);
        let act = match &self.plan.selection {
            Selection::Dossier { id, .. } => act.fact("dossier", int(*id)),
            Selection::Captures(_) | Selection::Target { .. } | Selection::Version { .. } => act,
        };
        act.fact("format", self.format.name())
            .fact("captures", int(self.captures))
            .fact("log_size", int(self.log_size))
            .fact("timestamps", int(self.plan.timestamps as u64))
            .fact("revisits", self.plan.with_revisits)
            .fact("bytes", int(self.bytes))
            .fact("digest", self.digest.as_bytes().to_vec())
            .part("who", who)
            .part("purpose", purpose)
            .part("selection", self.plan.selection.to_json())
    }

    /// Reads it back. `None` for an act of another kind, and for an export of search results, which holds no captures.
    pub(crate) fn of(theme: ThemeId, act: &RecordedAct) -> Result<Option<Self>, Error> {
        let damaged = || Error::Damaged(act.leaf);
        let leaf = Leaf::decode(&act.entry).map_err(|_| damaged())?;
        if leaf.kind != LeafKind::Export || !leaf.facts.contains_key("captures") {
            return Ok(None);
        }
        let facts = Facts(&leaf.facts);
        let selection = act.parts.get("selection").and_then(|json| serde_json::from_slice(json).ok());
        let read = || {
            let (format, log_size) = (facts.text("format").and_then(Format::of)?, facts.number("log_size")?);
            let plan = Plan {
                theme,
                selection: selection?,
                format,
                with_revisits: facts.truth("revisits")?,
                log_size,
                timestamps: usize::try_from(facts.number("timestamps")?).ok()?,
            };
            Some(Self {
                leaf: act.leaf,
                theme,
                at: Timestamp::from_micros(leaf.time_us),
                format,
                captures: facts.number("captures")?,
                log_size,
                bytes: facts.number("bytes")?,
                digest: Digest::from_bytes(facts.bytes("digest")?.try_into().ok()?),
                plan,
            })
        };
        read().map(Some).ok_or_else(damaged)
    }
}

impl Plan {
    /// The name of the file: the same plan has the same name, and another one another.
    pub(crate) fn filename(&self) -> String {
        let digest = Digest::of_parts(&[self.selection.to_json().as_bytes(), &[u8::from(self.with_revisits)]]);
        let digest = digest.to_string();
        format!("{}-{}-{}.{}", self.theme, self.log_size, &digest[..8], self.format.extension())
    }
}

impl Selection {
    /// As the export's act keeps it.
    pub(crate) fn to_json(&self) -> String {
        // Plain data has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The facts of a leaf, by name and type.
struct Facts<'a>(&'a BTreeMap<String, Fact>);

impl Facts<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        if let Some(Fact::Text(text)) = self.0.get(name) { Some(text) } else { None }
    }

    fn number(&self, name: &str) -> Option<u64> {
        if let Some(Fact::Int(number)) = self.0.get(name) { u64::try_from(*number).ok() } else { None }
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        if let Some(Fact::Bytes(bytes)) = self.0.get(name) { Some(bytes) } else { None }
    }

    fn truth(&self, name: &str) -> Option<bool> {
        if let Some(Fact::Bool(truth)) = self.0.get(name) { Some(*truth) } else { None }
    }
}

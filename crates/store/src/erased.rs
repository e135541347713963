//! The list of what was erased: kept elsewhere, it makes a restored backup forget again what the law made it forget.

use std::collections::BTreeMap;

use model::{CaptureId, Seq, ThemeId, Timestamp};
use proof::{Leaf, LeafKind};
use serde::{Deserialize, Serialize};

use crate::{
    Act, BackupError, Error, Store, Taken, codec,
    erasure::OnHold,
    evidence::CaptureRow,
    key::{Key, Reader},
    schema::Table,
    verify::capture_of,
};

/// Captures in one act, so that what its leaf says of them is bounded.
const CHUNK: usize = 256;

/// The follower whose views are made again after erasures.
const DERIVE: &str = "derive";

/// What was erased of a log, as far as it had grown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureList {
    /// When it was exported.
    pub exported_at: Timestamp,
    /// The leaves of the log at that time.
    pub leaves: u64,
    /// What was erased.
    pub captures: Vec<ErasedCapture>,
}

/// A capture that was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasedCapture {
    /// The capture, as `theme/sequence`.
    #[serde(with = "as_text")]
    pub capture: CaptureId,
    /// Its leaf.
    pub leaf: u64,
    /// The leaf of the act that erased it.
    pub erasure: u64,
}

mod as_text {
    use model::CaptureId;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(id: &CaptureId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CaptureId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl ErasureList {
    /// The list as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// The list of a file.
    pub fn from_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }
}

impl Store {
    /// What was erased so far.
    pub fn erasure_list(&self, now: Timestamp) -> Result<ErasureList, Error> {
        let leaves = self.log_head().size;
        let mut captures = Vec::new();
        for row in self.tables.scan(Table::Captures, &Key::default(), None) {
            let (key, value) = row?;
            if let CaptureRow::Erased { leaf, erasure } = codec::decode(Table::Captures, &key, &value)? {
                let mut reader = Reader(&key);
                let damaged = || Error::corrupt(Table::Captures, &key);
                let (theme, seq) = (reader.theme().ok_or_else(damaged)?, reader.seq().ok_or_else(damaged)?);
                captures.push(ErasedCapture { capture: CaptureId { theme, seq }, leaf, erasure });
            }
        }
        Ok(ErasureList { exported_at: now, leaves, captures })
    }

    /// Erases again what a list says was erased, in a store that was restored from before, and that nobody else works on; says how many captures
    /// that were. New leaves tell of it: those of the first erasure are not in this log.
    ///
    /// Views are deleted with it, and are made again from what is left.
    pub(crate) fn erase_again(&self, list: &ErasureList, now: Timestamp) -> Result<u64, BackupError> {
        let mut again: BTreeMap<ThemeId, Vec<Seq>> = BTreeMap::new();
        for erased in &list.captures {
            // A leaf beyond the end belongs to a capture that was made after the backup, and is not here.
            let Some(entry) = self.log_leaf(erased.leaf)? else { continue };
            if Leaf::decode(&entry).ok().and_then(|leaf| capture_of(&leaf)) != Some(erased.capture) {
                return Err(BackupError::Erasures(format!(
                    "leaf {} does not tell of {}: the list is of another log",
                    erased.leaf, erased.capture
                )));
            }
            let CaptureId { theme, seq } = erased.capture;
            if let Some(CaptureRow::Kept(_)) = self.tables.get(Table::Captures, &Key::theme(theme).seq(seq))? {
                again.entry(theme).or_default().push(seq);
            }
        }
        let mut taken = Taken::default();
        for (theme, sequences) in &again {
            let act = Act::new(*theme, LeafKind::Erasure, now).fact("restored", true);
            for chunk in sequences.chunks(CHUNK) {
                self.erase_some(*theme, chunk, &act, OnHold::Override, false, &mut taken, |_| Ok(()))?;
            }
        }
        if !again.is_empty() {
            self.forget_derived(DERIVE)?;
            self.tables.compact()?;
        }
        Ok(again.values().map(|sequences| sequences.len() as u64).sum())
    }
}

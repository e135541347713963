//! The list of what was erased: kept elsewhere, it makes a restored backup forget again what the law made it forget.

use std::collections::BTreeSet;

use model::{Capture, CaptureId, Digest, ThemeId, Timestamp};
use proof::{Leaf, LeafKind};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{
    Act, BackupError, Error, Store, codec,
    evidence::CaptureRow,
    key::{Key, Reader},
    payload,
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
        let mut again = Vec::new();
        for erased in &list.captures {
            // A leaf beyond the end belongs to a capture that was made after the backup, and is not here.
            let Some(entry) = self.log_leaf(erased.leaf)? else { continue };
            if Leaf::decode(&entry).ok().and_then(|leaf| capture_of(&leaf)) != Some(erased.capture) {
                return Err(BackupError::Erasures(format!(
                    "leaf {} does not tell of {}: the list is of another log",
                    erased.leaf, erased.capture
                )));
            }
            let key = Key::theme(erased.capture.theme).seq(erased.capture.seq);
            if let Some(CaptureRow::Kept(kept)) = self.tables.get(Table::Captures, &key)? {
                again.push((*erased, kept.capture(key.as_ref())?));
            }
        }
        let themes: BTreeSet<ThemeId> = again.iter().map(|(erased, _)| erased.capture.theme).collect();
        for theme in themes {
            let of_theme: Vec<_> = again.iter().filter(|(erased, _)| erased.capture.theme == theme).collect();
            for chunk in of_theme.chunks(CHUNK) {
                self.erase_chunk(theme, chunk, now)?;
            }
            self.drop_unreferenced(theme, of_theme.iter().map(|(_, capture)| capture))?;
        }
        if !again.is_empty() {
            self.forget_derived(DERIVE)?;
            self.tables.compact()?;
        }
        Ok(again.len() as u64)
    }

    fn erase_chunk(&self, theme: ThemeId, chunk: &[&(ErasedCapture, Capture)], now: Timestamp) -> Result<(), Error> {
        let count = i64::try_from(chunk.len()).unwrap_or(i64::MAX);
        let act = Act::new(theme, LeafKind::Erasure, now).fact("captures", count).fact("restored", true);
        self.act(&act, |tables, batch, act_leaf| {
            for (erased, capture) in chunk {
                let seq = erased.capture.seq;
                let row = CaptureRow::Erased { leaf: erased.leaf, erasure: act_leaf };
                tables.put(batch, Table::Captures, &Key::theme(theme).seq(seq), &row);
                let by_uri = Key::theme(theme).uri(capture.uri.id()).seq(seq);
                batch.delete_cf(tables.family(Table::CapturesByUri), by_uri);
                let by_target = Key::theme(theme).target(capture.target).seq(seq);
                batch.delete_cf(tables.family(Table::CapturesByTarget), by_target);
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Deletes the payloads of erased captures that no other one of the theme has; what builds on them is kept whole first.
    fn drop_unreferenced<'a>(&self, theme: ThemeId, erased: impl Iterator<Item = &'a Capture>) -> Result<(), Error> {
        let mut gone: BTreeSet<Digest> =
            erased.filter(|capture| capture.payload_len > 0).map(|capture| capture.payload_digest).collect();
        for row in self.tables.scan(Table::Captures, &Key::theme(theme), None) {
            let (key, value) = row?;
            if let CaptureRow::Kept(kept) = codec::decode(Table::Captures, &key, &value)? {
                gone.remove(&kept.capture(&key)?.payload_digest);
            }
        }
        for digest in &gone {
            let mut batch = WriteBatch::default();
            let prefix = Key::theme(theme).digest(digest);
            for row in self.tables.scan(Table::PayloadDependants, &prefix, None) {
                let (key, _) = row?;
                let dependant = Reader(&key[prefix.as_ref().len()..]).take::<32>().map(Digest::from_bytes);
                let dependant = dependant.ok_or_else(|| Error::corrupt(Table::PayloadDependants, &key))?;
                batch.delete_cf(self.tables.family(Table::PayloadDependants), &key);
                if let Some(read) = payload::read(&self.tables, theme, &dependant)? {
                    let row = payload::compress(&read.payload);
                    batch.put_cf(self.tables.family(Table::Payloads), Key::theme(theme).digest(&dependant), row);
                }
            }
            if let Some(row) = self.tables.get_raw(Table::Payloads, &prefix)? {
                if let Some(base) = payload::base_of(prefix.as_ref(), &row)? {
                    batch.delete_cf(
                        self.tables.family(Table::PayloadDependants),
                        Key::theme(theme).digest(&base).digest(digest),
                    );
                }
                batch.delete_cf(self.tables.family(Table::Payloads), &prefix);
            }
            self.tables.write_synced(batch)?;
        }
        Ok(())
    }
}

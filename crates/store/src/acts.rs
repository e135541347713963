//! Acts: what people and the machine did that counts, besides capturing. Each is a leaf of the evidence log; what may have to be erased of it
//! is kept in a row of its own, and the leaf only commits to it.

use std::collections::BTreeMap;

use model::{Digest, Grant, ThemeId, Timestamp};
use proof::{Commitment, Fact, Leaf, LeafKind, Salt};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Store, codec,
    evidence::new_salt,
    key::{Key, Reader},
    log::{Appending, missing_leaf},
    schema::Table,
    store::{Tables, demand},
};

/// Something done that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The theme that it concerns; none for what concerns the whole house.
    pub theme: Option<ThemeId>,
    /// What was done.
    pub kind: LeafKind,
    /// When.
    pub at: Timestamp,
    /// What may be known for ever.
    pub facts: BTreeMap<String, Fact>,
    /// What may have to be erased, such as a person's name or words.
    pub parts: BTreeMap<String, Vec<u8>>,
}

/// An act as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAct {
    /// The index of its leaf.
    pub leaf: u64,
    /// The leaf itself.
    pub entry: Vec<u8>,
    /// The erasable parts that are still there, by name.
    pub parts: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActRow {
    /// What the leaf is opened with; none when the act's parts were erased.
    pub(crate) salt: Option<Digest>,
    pub(crate) parts: BTreeMap<String, Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Part(#[serde(with = "model::bytes")] pub(crate) Vec<u8>);

impl Act {
    /// An act without facts or parts as yet.
    pub fn new(theme: impl Into<Option<ThemeId>>, kind: LeafKind, at: Timestamp) -> Self {
        Self { theme: theme.into(), kind, at, facts: BTreeMap::new(), parts: BTreeMap::new() }
    }

    /// With something that may be known for ever.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Fact>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// With something that may have to be erased.
    #[must_use]
    pub fn part(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.parts.insert(name.to_owned(), bytes.into());
        self
    }

    /// Adds the leaf of this act to what is about to be written; returns the row with what may be erased of it.
    pub(crate) fn push(&self, log: &mut Appending<'_>) -> Result<ActRow, Error> {
        let salt = new_salt()?;
        log.push(&self.leaf(log.next(), &salt))?;
        Ok(ActRow {
            salt: Some(Digest::from_bytes(*salt.as_bytes())),
            parts: self.parts.iter().map(|(name, part)| (name.clone(), Part(part.clone()))).collect(),
        })
    }

    fn leaf(&self, seq: u64, salt: &Salt) -> Leaf {
        let mut facts = self.facts.clone();
        if let Some(theme) = self.theme {
            facts.insert("theme".to_owned(), theme.to_string().into());
        }
        let commit = |(name, part): (&String, &Vec<u8>)| (name.clone(), Commitment::of(&salt.for_part(name), part));
        let parts = self.parts.iter().map(commit).collect();
        Leaf { kind: self.kind, seq, time_us: self.at.as_micros(), facts, parts }
    }
}

impl Store {
    /// Records an act together with the rows that it changes, in one synced batch; returns the index of its leaf.
    ///
    /// `rows` is told that index and adds to the batch. An act is recorded on a full disk too, while there is a reserve; that may take some seconds.
    pub(crate) fn act(
        &self,
        act: &Act,
        rows: impl FnOnce(&Tables, &mut WriteBatch, u64) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let mut log = self.log.append();
        let index = self.add_act(&mut log, act)?;
        rows(&self.tables, &mut log.batch, index)?;
        log.commit_on_reserve(&self.space)?;
        Ok(index)
    }

    /// Adds an act to what is about to be written, for whoever must look at the store before it says what it does; returns the index of its leaf.
    pub(crate) fn add_act(&self, log: &mut Appending<'_>, act: &Act) -> Result<u64, Error> {
        let index = log.next();
        let row = act.push(log)?;
        self.tables.put(&mut log.batch, Table::Acts, &act_key(act.theme, index), &row);
        Ok(index)
    }

    /// Records an act that changes nothing else, such as an export; returns the index of its leaf when it is on disk.
    pub fn record_act(&self, grant: &Grant, theme: ThemeId, act: Act) -> Result<u64, Error> {
        demand(grant, theme)?;
        self.act(&Act { theme: Some(theme), ..act }, |_, _, _| Ok(()))
    }

    /// The acts of a theme from the leaf `from` on, in order, at most `limit`.
    pub fn acts(&self, grant: &Grant, theme: ThemeId, from: u64, limit: usize) -> Result<Vec<RecordedAct>, Error> {
        demand(grant, theme)?;
        let prefix = Key::theme(theme);
        let rows = self.tables.scan(Table::Acts, &prefix, Some(&act_key(Some(theme), from)));
        rows.take(limit)
            .map(|row| {
                let (key, value) = row?;
                let damaged = || Error::corrupt(Table::Acts, &key);
                let leaf = Reader(&key[prefix.as_ref().len()..]).take().map(u64::from_be_bytes).ok_or_else(damaged)?;
                self.recorded(leaf, codec::decode(Table::Acts, &key, &value)?)
            })
            .collect()
    }

    /// The act of a theme with this leaf, of which other rows tell.
    pub(crate) fn recorded_act(&self, theme: ThemeId, leaf: u64) -> Result<RecordedAct, Error> {
        let key = act_key(Some(theme), leaf);
        let row = self.tables.get(Table::Acts, &key)?.ok_or_else(|| Error::corrupt(Table::Acts, key.as_ref()))?;
        self.recorded(leaf, row)
    }

    fn recorded(&self, leaf: u64, row: ActRow) -> Result<RecordedAct, Error> {
        let entry = self.log_leaf(leaf)?.ok_or_else(|| missing_leaf(leaf))?;
        let parts = row.parts.into_iter().map(|(name, part)| (name, part.0)).collect();
        Ok(RecordedAct { leaf, entry, parts })
    }
}

/// Acts of a theme lie under the theme, those of the house under no theme's name.
pub(crate) fn act_key(theme: Option<ThemeId>, leaf: u64) -> Key {
    theme.map_or_else(|| Key::bytes(&[0; ThemeId::LEN]), Key::theme).with(&leaf.to_be_bytes())
}

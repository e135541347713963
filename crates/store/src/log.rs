//! A log: one Merkle tree (RFC 9162, section 2.1) over everything that counts, in the order in which it was written. There are two: the
//! evidence log, and the audit log.
//!
//! Whoever writes a leaf holds the log until the batch with the leaf is on disk, so that the log has one order, whoever writes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Digest;
use proof::{CompactRange, Hash, Leaf, Node, leaf_hash};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    key::Key,
    room::SpaceKeeper,
    schema::Table,
    store::{Store, Tables},
};

/// How large the log is, and the hash over all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of leaves.
    pub size: u64,
    /// The root hash of the tree.
    pub root: Hash,
}

/// The row of the head.
#[derive(Serialize, Deserialize)]
struct HeadRow {
    size: u64,
    root: Digest,
}

impl Store {
    /// Where the evidence log ends.
    pub fn log_head(&self) -> Head {
        self.log.head()
    }

    /// A leaf, as it was written: for auditors, and for whoever may see what it tells of.
    pub fn log_leaf(&self, index: u64) -> Result<Option<Vec<u8>>, Error> {
        self.tables.get_raw(Table::LogLeaves, &leaf_key(index))
    }

    /// The hash of a complete subtree of the log.
    pub fn log_hash(&self, node: Node) -> Result<Hash, Error> {
        self.tables.log_hash(node)
    }

    /// The proof that the leaf at `index` is in the log of `size` leaves.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, Error> {
        proof::inclusion_proof(index, self.within(size)?, |node| self.tables.log_hash(node))
    }

    /// The proof that the log of `old` leaves is the beginning of the log of `new` leaves.
    pub fn consistency_proof(&self, old: u64, new: u64) -> Result<Vec<Hash>, Error> {
        proof::consistency_proof(old, self.within(new)?, |node| self.tables.log_hash(node))
    }

    /// The root of the log as it was when it had `size` leaves.
    pub fn log_root(&self, size: u64) -> Result<Hash, Error> {
        proof::root(self.within(size)?, |node| self.tables.log_hash(node))
    }

    fn within(&self, size: u64) -> Result<u64, Error> {
        let head = self.log_head().size;
        if size <= head {
            Ok(size)
        } else {
            Err(proof::Error::OutOfRange { what: "size", asked: size, size: head }.into())
        }
    }
}

/// The tables of a log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) leaves: Table,
    pub(crate) hashes: Table,
    pub(crate) head: Table,
}

impl Places {
    /// Those of the evidence log.
    pub(crate) const EVIDENCE: Self = Self { leaves: Table::LogLeaves, hashes: Table::LogHashes, head: Table::LogHead };
    /// Those of the audit log.
    pub(crate) const AUDIT: Self =
        Self { leaves: Table::AuditLeaves, hashes: Table::AuditHashes, head: Table::AuditHead };
}

/// The writing end of a log.
pub(crate) struct Log {
    tables: Arc<Tables>,
    places: Places,
    range: Mutex<CompactRange>,
}

impl Log {
    /// Reads where the log ends, and checks that its hashes come to the root that was written with them.
    pub(crate) fn open(tables: Arc<Tables>, places: Places) -> Result<Self, Error> {
        let row: Option<HeadRow> = tables.get(places.head, &head_key())?;
        let size = row.as_ref().map_or(0, |row| row.size);
        let range = CompactRange::load(size, |node| tables.hash_in(places.hashes, node))?;
        if row.is_some_and(|row| row.root.as_bytes() != range.root().as_bytes()) {
            return Err(Error::corrupt(places.head, head_key().as_ref()));
        }
        Ok(Self { tables, places, range: Mutex::new(range) })
    }

    /// Where the log ends.
    pub(crate) fn head(&self) -> Head {
        let range = self.lock();
        Head { size: range.size(), root: range.root() }
    }

    /// Begins to append. Nobody else appends until the result is dropped.
    pub(crate) fn append(&self) -> Appending<'_> {
        let range = self.lock();
        let batch = WriteBatch::default();
        Appending { tables: &self.tables, places: self.places, grown: range.clone(), range, batch }
    }

    fn lock(&self) -> MutexGuard<'_, CompactRange> {
        // It changes only after a write that succeeded: a panic elsewhere leaves it true.
        self.range.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves on their way into the log, with the rows that belong to them.
pub(crate) struct Appending<'a> {
    tables: &'a Tables,
    places: Places,
    range: MutexGuard<'a, CompactRange>,
    grown: CompactRange,
    /// The rows that become durable together with the leaves.
    pub(crate) batch: WriteBatch,
}

impl Appending<'_> {
    /// The index that the next leaf gets.
    pub(crate) fn next(&self) -> u64 {
        self.grown.size()
    }

    /// Adds a leaf, whose `seq` is [`Appending::next`].
    pub(crate) fn push(&mut self, leaf: &Leaf) -> Result<(), Error> {
        debug_assert_eq!(leaf.seq, self.next());
        let bytes = leaf.encode()?;
        self.batch.put_cf(self.tables.family(self.places.leaves), leaf_key(leaf.seq), &bytes);
        let hashes = self.tables.family(self.places.hashes);
        self.grown.append(leaf_hash(&bytes), |node, hash| self.batch.put_cf(hashes, hash_key(node), hash.as_bytes()));
        Ok(())
    }

    /// Writes everything: when this returns it is on disk, and the log is longer. On an error nothing has changed.
    pub(crate) fn commit(mut self) -> Result<(), Error> {
        self.put_head();
        self.tables.write_synced(self.batch)?;
        *self.range = self.grown;
        Ok(())
    }

    /// The same for what must be possible on a full disk too.
    pub(crate) fn commit_on_reserve(mut self, space: &SpaceKeeper) -> Result<(), Error> {
        self.put_head();
        let data = self.batch.data();
        space.on_reserve(|| self.tables.write_synced(WriteBatch::from_data(data)))?;
        *self.range = self.grown;
        Ok(())
    }

    fn put_head(&mut self) {
        let row = HeadRow { size: self.grown.size(), root: Digest::from_bytes(*self.grown.root().as_bytes()) };
        self.tables.put(&mut self.batch, self.places.head, &head_key(), &row);
    }
}

pub(crate) fn missing_leaf(index: u64) -> Error {
    Error::corrupt(Table::LogLeaves, leaf_key(index).as_ref())
}

fn head_key() -> Key {
    Key::bytes(b"head")
}

pub(crate) fn leaf_key(index: u64) -> Key {
    Key::bytes(&index.to_be_bytes())
}

pub(crate) fn hash_key(node: Node) -> Key {
    Key::bytes(&[node.level]).with(&node.index.to_be_bytes())
}

impl Tables {
    /// The hash of a complete subtree of the evidence log.
    pub(crate) fn log_hash(&self, node: Node) -> Result<Hash, Error> {
        self.hash_in(Table::LogHashes, node)
    }

    /// The hash of a complete subtree of the log that keeps its hashes in `table`.
    pub(crate) fn hash_in(&self, table: Table, node: Node) -> Result<Hash, Error> {
        let key = hash_key(node);
        let bytes = self.get_raw(table, &key)?.and_then(|row| <[u8; 32]>::try_from(row).ok());
        bytes.map(Hash::from_bytes).ok_or_else(|| Error::corrupt(table, key.as_ref()))
    }
}

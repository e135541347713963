//! The audit log: who asked for what, and what became of it. A second Merkle log, whose leaves are acts; texts of questions and purposes are
//! kept beside them for a time of their own, and the leaves only commit to them.
//!
//! Whoever is audited waits until the leaf is on disk. Those who wait at the same time share one sync: the first of them to get the log
//! writes for all.

use std::sync::{Arc, Mutex, OnceLock};

use model::{Grant, Phase, ThemeId, Timestamp};
use proof::{Fact, Hash, Leaf, LeafKind};
use rocksdb::WriteBatch;

use crate::{
    Act, Error, Head, RecordedAct, Store,
    acts::ActRow,
    key::{Key, Reader},
    log::{Appending, Log, Places, leaf_key},
    room::Room,
    schema::Table,
    store::{Tables, lock_data},
};

/// The most leaves that one page looks at to find what is asked for.
const MOST_LOOKED_AT: usize = 20_000;

/// The writing end of the audit log, and those who wait for it.
pub(crate) struct AuditLog {
    log: Log,
    waiting: Mutex<Vec<Waiting>>,
}

/// Somebody who waits until an act is on disk.
struct Waiting {
    act: Act,
    is_vital: bool,
    outcome: Arc<OnceLock<Result<u64, String>>>,
}

impl AuditLog {
    pub(crate) fn open(tables: Arc<Tables>) -> Result<Self, Error> {
        Ok(Self { log: Log::open(tables, Places::AUDIT)?, waiting: Mutex::default() })
    }
}

/// Which leaves of the audit log are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this account.
    pub who: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// A page of the audit log, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// What was found.
    pub acts: Vec<RecordedAct>,
    /// The leaf before which to go on, if there may be more.
    pub next: Option<u64>,
}

impl Store {
    /// Where the audit log ends.
    pub fn audit_head(&self) -> Head {
        self.audit.log.head()
    }

    /// The root of the audit log as it was when it had `size` leaves.
    pub fn audit_root(&self, size: u64) -> Result<Hash, Error> {
        let head = self.audit_head().size;
        if size > head {
            return Err(proof::Error::OutOfRange { what: "size", asked: size, size: head }.into());
        }
        proof::root(size, |node| self.tables.hash_in(Table::AuditHashes, node))
    }

    /// Records an act in the audit log; returns the index of its leaf when it is on disk. Those who come at the same time share a sync.
    /// What is vital, such as an erasure, may use the reserve of a full disk.
    ///
    /// Errors: [`Error::Unaudited`]; what the act tells of must then not be answered.
    pub fn audit(&self, act: Act, is_vital: bool) -> Result<u64, Error> {
        if !is_vital && self.room() == Room::ForActs {
            return Err(Error::Unaudited("the disk is full".to_owned()));
        }
        let outcome = Arc::new(OnceLock::new());
        lock_data(&self.audit.waiting).push(Waiting { act, is_vital, outcome: Arc::clone(&outcome) });
        let mut log = self.audit.log.append();
        if outcome.get().is_none() {
            let waiting = std::mem::take(&mut *lock_data(&self.audit.waiting));
            let written = waiting.iter().map(|one| self.add_audit(&mut log, &one.act)).collect::<Result<Vec<_>, _>>();
            let is_vital = waiting.iter().any(|one| one.is_vital);
            let written = written.and_then(|leaves| {
                if is_vital { log.commit_on_reserve(&self.space) } else { log.commit() }.map(|()| leaves)
            });
            match written {
                Ok(leaves) => {
                    for (one, leaf) in waiting.iter().zip(leaves) {
                        drop(one.outcome.set(Ok(leaf)));
                    }
                }
                Err(error) => {
                    for one in &waiting {
                        drop(one.outcome.set(Err(error.to_string())));
                    }
                }
            }
        }
        let told = outcome.get().cloned().unwrap_or_else(|| Err("nobody wrote it".to_owned()));
        told.map_err(Error::Unaudited)
    }

    /// Records an act in the audit log together with the rows that it changes, in one synced batch.
    pub(crate) fn audit_with(&self, act: &Act, rows: impl FnOnce(&Tables, &mut WriteBatch)) -> Result<u64, Error> {
        let mut log = self.audit.log.append();
        let index = self.add_audit(&mut log, act)?;
        rows(&self.tables, &mut log.batch);
        log.commit_on_reserve(&self.space)?;
        Ok(index)
    }

    fn add_audit(&self, log: &mut Appending<'_>, act: &Act) -> Result<u64, Error> {
        let index = log.next();
        let row = act.push(log)?;
        self.tables.put(&mut log.batch, Table::AuditActs, &leaf_key(index), &row);
        Ok(index)
    }

    /// What the audit log tells, newest first, before the leaf `before`; at most `limit`. A grant for a theme shows what concerns that theme.
    pub fn audit_page(
        &self,
        grant: &Grant,
        theme: Option<ThemeId>,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<AuditPage, Error> {
        let is_granted = theme.map_or_else(|| grant.covers_every_theme(), |theme| grant.covers(theme));
        if grant.phase() != Phase::Audit || !is_granted {
            return Err(theme.map_or(Error::NotGrantedEverywhere, Error::NotGranted));
        }
        let mut page = AuditPage { acts: Vec::new(), next: None };
        let Some(from) = before.unwrap_or(u64::MAX).checked_sub(1) else { return Ok(page) };
        let rows = self.tables.scan_back(Table::AuditLeaves, &Key::default(), Some(&leaf_key(from)));
        for (looked_at, row) in rows.enumerate() {
            let (key, entry) = row?;
            let damaged = || Error::corrupt(Table::AuditLeaves, &key);
            let index = Reader(&key).take().map(u64::from_be_bytes).ok_or_else(damaged)?;
            if page.acts.len() >= limit || looked_at >= MOST_LOOKED_AT {
                page.next = Some(index + 1);
                break;
            }
            let leaf = Leaf::decode(&entry).map_err(|_| damaged())?;
            if filter.lets_pass(&leaf) && theme.is_none_or(|theme| leaf.says("theme", theme.as_str())) {
                let row: Option<ActRow> = self.tables.get(Table::AuditActs, &leaf_key(index))?;
                let row = row.ok_or_else(|| Error::corrupt(Table::AuditActs, &key))?;
                let parts = row.parts.into_iter().map(|(name, part)| (name, part.0)).collect();
                page.acts.push(RecordedAct { leaf: index, entry, parts });
            }
        }
        Ok(page)
    }

    /// Forgets the texts of questions and purposes that were recorded before `before`; the leaves stay. Returns how many were forgotten.
    pub fn forget_audited_texts(&self, before: Timestamp) -> Result<u64, Error> {
        let mut forgotten = 0;
        let mut batch = WriteBatch::default();
        for row in self.tables.scan(Table::AuditLeaves, &Key::default(), None) {
            let (key, entry) = row?;
            let leaf = Leaf::decode(&entry).map_err(|_| Error::corrupt(Table::AuditLeaves, &key))?;
            if leaf.time_us >= before.as_micros() {
                break;
            }
            let key = leaf_key(leaf.seq);
            let row: Option<ActRow> = self.tables.get(Table::AuditActs, &key)?;
            if leaf.kind == LeafKind::Access && row.is_some_and(|row| row.salt.is_some() && !row.parts.is_empty()) {
                self.tables.put(&mut batch, Table::AuditActs, &key, &ActRow::default());
                forgotten += 1;
            }
        }
        self.tables.write_synced(batch)?;
        if forgotten > 0 {
            self.tables.compact_table(Table::AuditActs)?;
        }
        Ok(forgotten)
    }

    /// Writes into the evidence log how far the audit log has come, so that what covers the one covers the other; nothing when that is told
    /// already, or when the audit log is not the one that it was: `verify` tells of that until somebody looks.
    pub fn anchor_audit(&self, now: Timestamp) -> Result<(), Error> {
        let head = self.audit_head();
        let anchored = self.anchored()?;
        if head.size == 0 || anchored == Some(head) {
            return Ok(());
        }
        let continues = |old: Head| Ok::<_, Error>(old.size <= head.size && self.audit_root(old.size)? == old.root);
        if !anchored.map_or(Ok(true), continues)? {
            tracing::error!("the audit log is not the one that the evidence log has seen: verify the store");
            return Ok(());
        }
        let act = Act::new(None, LeafKind::Audit, now)
            .fact("size", i64::try_from(head.size).unwrap_or(i64::MAX))
            .fact("root", head.root.as_bytes().to_vec());
        self.act(&act, |tables, batch, leaf| {
            tables.put(batch, Table::AuditHead, &anchor_key(), &leaf);
            Ok(())
        })?;
        Ok(())
    }

    /// What the evidence log last said of the audit log.
    fn anchored(&self) -> Result<Option<Head>, Error> {
        let damaged = || Error::corrupt(Table::AuditHead, anchor_key().as_ref());
        let Some(index) = self.tables.get::<u64>(Table::AuditHead, &anchor_key())? else { return Ok(None) };
        let leaf = self.log_leaf(index)?.and_then(|entry| Leaf::decode(&entry).ok()).ok_or_else(damaged)?;
        anchor_of(&leaf).map(Some).ok_or_else(damaged)
    }
}

/// How far the audit log had come, by a leaf of the evidence log.
pub(crate) fn anchor_of(leaf: &Leaf) -> Option<Head> {
    let (Fact::Int(size), Fact::Bytes(root)) = (leaf.facts.get("size")?, leaf.facts.get("root")?) else { return None };
    let root = <[u8; 32]>::try_from(root.as_slice()).ok()?;
    Some(Head { size: u64::try_from(*size).ok()?, root: Hash::from_bytes(root) })
}

impl AuditFilter {
    fn lets_pass(&self, leaf: &Leaf) -> bool {
        let is = |name: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| leaf.says(name, wanted));
        is("who", &self.who)
            && is("action", &self.action)
            && self.from.is_none_or(|from| leaf.time_us >= from.as_micros())
            && self.until.is_none_or(|until| leaf.time_us < until.as_micros())
    }
}

fn anchor_key() -> Key {
    Key::bytes(b"anchor")
}

#[cfg(test)]
mod tests;

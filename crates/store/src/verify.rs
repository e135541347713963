//! Checks the store against itself: every leaf, hash, commitment, payload and checkpoint, and every row's checksum.

use model::{CaptureId, Digest, ThemeId};
use proof::{Commitment, CompactRange, Fact, Leaf, LeafKind, Node, Salt, leaf_hash};
use rocksdb::{IteratorMode, ReadOptions};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Head, Store,
    acts::{ActRow, act_key},
    audit, codec, erasure,
    evidence::{CaptureRow, KeptCapture, part},
    key::{Key, Reader},
    log::{Places, hash_key, leaf_key},
    payload,
    schema::Table,
};

/// What is told in full; of further findings only the number.
const MOST_FINDINGS: usize = 100;

/// Leaves between two reports of progress.
const STEP: u64 = 256;

/// How much to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Everything.
    Full,
    /// The last so many leaves with what they commit to, and the newest checkpoint.
    Tail(u64),
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Leaves and rows that were looked at.
    pub done: u64,
    /// Leaves and rows in all; an estimate.
    pub total: u64,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The table.
    pub table: String,
    /// The key in hexadecimal.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What was checked, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Leaves whose hash was computed again.
    pub leaves: u64,
    /// Hashes of subtrees that were compared, those of leaves included.
    pub hashes: u64,
    /// Captures whose commitments were opened.
    pub captures: u64,
    /// Captures and acts that were erased: their leaves stand.
    pub erased: u64,
    /// Acts whose commitments were opened.
    pub acts: u64,
    /// Checkpoints whose signatures and roots were checked.
    pub checkpoints: u64,
    /// Bytes of payload that were hashed.
    pub payload_bytes: u64,
    /// Rows that were read against their checksums.
    pub rows: u64,
    /// What is wrong, the first hundred.
    pub findings: Vec<Finding>,
    /// How many things are wrong.
    pub problems: u64,
}

impl Report {
    /// Whether everything that was checked holds.
    pub const fn is_sound(&self) -> bool {
        self.problems == 0
    }

    pub(crate) fn find(&mut self, table: Table, key: &[u8], problem: impl Into<String>) {
        self.problems += 1;
        if self.findings.len() < MOST_FINDINGS {
            let key = key.iter().map(|byte| format!("{byte:02x}")).collect();
            self.findings.push(Finding { table: table.name().to_owned(), key, problem: problem.into() });
        }
    }

    /// Notes an error that names a place, and hands on any other one.
    fn note(&mut self, table: Table, key: &[u8], error: Error) -> Result<(), Error> {
        match error {
            Error::Corrupt { table, key } => {
                self.problems += 1;
                if self.findings.len() < MOST_FINDINGS {
                    self.findings.push(Finding {
                        table: table.name().to_owned(),
                        key,
                        problem: "the row is damaged or missing".into(),
                    });
                }
            }
            Error::Log(error) => self.find(table, key, error.to_string()),
            Error::Database(error) if error.kind() == rocksdb::ErrorKind::Corruption => {
                self.find(table, key, error.to_string());
            }
            error => return Err(error),
        }
        Ok(())
    }
}

impl Store {
    /// Checks the store in bounded memory, while it is at work or not. What is written meanwhile is left for the next time.
    ///
    /// `progress` is told now and then; when it answers `false` the check ends early, as an error.
    pub fn verify(&self, depth: Depth, progress: &mut dyn FnMut(Progress) -> bool) -> Result<Report, Error> {
        let (head, audited) = (self.log_head(), self.audit_head());
        let first = |size: u64| match depth {
            Depth::Full => 0,
            Depth::Tail(leaves) => size.saturating_sub(leaves),
        };
        let leaves = [head.size, audited.size].map(|size| size - first(size));
        let rows = if depth == Depth::Full { self.estimated_rows() } else { 0 };
        let mut checking = Checking {
            store: self,
            report: Report::default(),
            progress,
            at: Progress { done: 0, total: leaves.iter().sum::<u64>() + rows },
        };
        checking.leaves(Places::EVIDENCE, first(head.size), head)?;
        checking.leaves(Places::AUDIT, first(audited.size), audited)?;
        if depth == Depth::Full {
            for table in Table::ALL {
                checking.rows(*table)?;
            }
            checking.captures_without_leaves(head.size)?;
        }
        Ok(checking.report)
    }

    fn estimated_rows(&self) -> u64 {
        Table::ALL.iter().map(|table| self.tables.estimated_rows(*table)).sum()
    }
}

/// A check under way.
struct Checking<'a> {
    store: &'a Store,
    report: Report,
    progress: &'a mut dyn FnMut(Progress) -> bool,
    at: Progress,
}

impl Checking<'_> {
    fn step(&mut self, by: u64) -> Result<(), Error> {
        self.at.done += by;
        self.at.total = self.at.total.max(self.at.done);
        if (self.progress)(self.at) { Ok(()) } else { Err(Error::Closing) }
    }

    /// Computes the tree again from `first` on, opening what each leaf commits to.
    fn leaves(&mut self, of: Places, first: u64, head: crate::Head) -> Result<(), Error> {
        let load = CompactRange::load(first, |node| self.store.tables.hash_in(of.hashes, node));
        let mut range = match load {
            Ok(range) => range,
            Err(error) => return self.report.note(of.hashes, &[], error),
        };
        for index in first..head.size {
            let key = leaf_key(index);
            let Some(entry) = self.store.tables.get_raw(of.leaves, &key)? else {
                self.report.find(of.leaves, key.as_ref(), "the leaf is missing");
                return Ok(());
            };
            let mut nodes = Vec::with_capacity(2);
            range.append(leaf_hash(&entry), |node, hash| nodes.push((node, hash)));
            for (node, hash) in nodes {
                self.hash(of, node, hash)?;
            }
            match Leaf::decode(&entry) {
                Ok(leaf) if leaf.seq == index => self.opened(of, &leaf)?,
                Ok(leaf) => {
                    self.report.find(of.leaves, key.as_ref(), format!("the leaf says that it is number {}", leaf.seq));
                }
                Err(error) => self.report.find(of.leaves, key.as_ref(), error.to_string()),
            }
            self.report.leaves += 1;
            if (index + 1) % STEP == 0 {
                self.step(STEP)?;
            }
        }
        if range.root() != head.root {
            self.report.find(of.head, b"head", "the leaves do not come to the root of the log");
        }
        self.step(head.size % STEP)
    }

    fn hash(&mut self, of: Places, node: Node, hash: proof::Hash) -> Result<(), Error> {
        self.report.hashes += 1;
        match self.store.tables.hash_in(of.hashes, node) {
            Ok(stored) if stored == hash => Ok(()),
            Ok(_) => {
                self.report.find(of.hashes, hash_key(node).as_ref(), "the hash is not that of the leaves below it");
                if node.level == 0 {
                    self.report.find(
                        of.leaves,
                        leaf_key(node.index).as_ref(),
                        "the leaf does not have the hash that was written with it",
                    );
                }
                Ok(())
            }
            Err(error) => self.report.note(of.hashes, hash_key(node).as_ref(), error),
        }
    }

    /// Opens what a leaf commits to.
    fn opened(&mut self, of: Places, leaf: &Leaf) -> Result<(), Error> {
        match (of.leaves, leaf.kind) {
            (Table::AuditLeaves, _) => self.act(leaf, Table::AuditActs, &leaf_key(leaf.seq)),
            (_, LeafKind::Capture) => self.capture(leaf),
            (_, LeafKind::Audit) => {
                self.anchor(leaf)?;
                self.act(leaf, Table::Acts, &act_key(None, leaf.seq))
            }
            _ => self.act(leaf, Table::Acts, &act_key(theme_of(leaf), leaf.seq)),
        }
    }

    /// Whether the audit log continues what a leaf of the evidence log says of it.
    fn anchor(&mut self, leaf: &Leaf) -> Result<(), Error> {
        let (number, now) = (leaf.seq, self.store.audit_head().size);
        let problem = match audit::anchor_of(leaf) {
            None => format!("leaf {number} of the evidence log says nothing of it that can be read"),
            Some(Head { size, .. }) if size > now => {
                format!("leaf {number} of the evidence log saw {size} leaves, and there are {now} now")
            }
            Some(Head { size, root }) => match self.store.audit_root(size) {
                Ok(present) if present == root => return Ok(()),
                Ok(_) => format!("its first {size} leaves are not those that leaf {number} of the evidence log saw"),
                Err(error) => return self.report.note(Table::AuditHashes, &[], error),
            },
        };
        self.report.find(Table::AuditHead, b"head", problem);
        Ok(())
    }

    fn capture(&mut self, leaf: &Leaf) -> Result<(), Error> {
        let Some(id) = capture_of(leaf) else {
            self.report.find(Table::LogLeaves, leaf_key(leaf.seq).as_ref(), "the leaf names no capture");
            return Ok(());
        };
        let key = Key::theme(id.theme).seq(id.seq);
        let row = match self.store.tables.get::<CaptureRow>(Table::Captures, &key) {
            Ok(row) => row,
            Err(error) => return self.report.note(Table::Captures, key.as_ref(), error),
        };
        match row {
            None => self.report.find(Table::Captures, key.as_ref(), "the capture is missing"),
            Some(CaptureRow::Erased { leaf: at, erasure }) if at == leaf.seq => {
                self.report.erased += 1;
                if !self.is_told(id, erasure)? {
                    let problem = format!("leaf {erasure} does not tell that the capture was erased");
                    self.report.find(Table::Captures, key.as_ref(), problem);
                }
            }
            Some(CaptureRow::Kept(kept)) if kept.leaf == leaf.seq => {
                if let Err(error) = self.kept(leaf, id.theme, &key, &kept) {
                    self.report.note(Table::Captures, key.as_ref(), error)?;
                }
            }
            Some(_) => {
                self.report.find(
                    Table::Captures,
                    key.as_ref(),
                    format!("the capture is not that of leaf {}", leaf.seq),
                );
            }
        }
        Ok(())
    }

    /// Whether a leaf tells of the erasure of a capture.
    fn is_told(&self, id: CaptureId, erasure: u64) -> Result<bool, Error> {
        let Some(leaf) = self.store.log_leaf(erasure)?.and_then(|entry| Leaf::decode(&entry).ok()) else {
            return Ok(false);
        };
        let says = |name: &str, is_so: &dyn Fn(&str) -> bool| matches!(leaf.facts.get(name), Some(Fact::Text(text)) if is_so(text));
        Ok(leaf.kind == LeafKind::Erasure
            && says("theme", &|theme| theme == id.theme.as_str())
            && says("captures", &|captures| erasure::names(captures, id.seq)))
    }

    fn kept(&mut self, leaf: &Leaf, theme: ThemeId, key: &Key, kept: &KeptCapture) -> Result<(), Error> {
        let salt = kept.salt();
        // A record that is not the one committed to says nothing of where its payload lies.
        if !self.commitment(leaf, &salt, part::RECORD, &kept.record, Table::Captures, key) {
            return Ok(());
        }
        let capture = kept.capture(key.as_ref())?;
        let payload_key = Key::theme(theme).digest(&capture.payload_digest);
        if capture.payload_len > 0 {
            // Without this row an erasure would not know that the payload is needed.
            let reference = payload_key.clone().seq(capture.seq);
            if !self.store.tables.contains(Table::CapturesByPayload, &reference)? {
                self.report.find(Table::CapturesByPayload, reference.as_ref(), "the row is missing");
            }
        }
        let payload = if capture.payload_len == 0 {
            Vec::new()
        } else {
            let read = payload::read(&self.store.tables, theme, &capture.payload_digest)?;
            read.map(|read| read.payload).ok_or_else(|| Error::corrupt(Table::Payloads, payload_key.as_ref()))?
        };
        let block = capture.block(&payload);
        if Digest::of(&block) != capture.block_digest {
            self.report.find(
                Table::Captures,
                key.as_ref(),
                "what was received does not have the digest that was recorded",
            );
        }
        let parts = [
            (part::URI, capture.uri.as_str().as_bytes(), Table::Captures, key),
            (part::REQUEST, &capture.request, Table::Captures, key),
            (part::RESPONSE, &block, Table::Captures, key),
            (part::PAYLOAD, &payload, Table::Payloads, &payload_key),
        ];
        for (name, bytes, table, key) in parts {
            self.commitment(leaf, &salt, name, bytes, table, key);
        }
        self.report.captures += 1;
        self.report.payload_bytes += payload.len() as u64;
        Ok(())
    }

    fn act(&mut self, leaf: &Leaf, table: Table, key: &Key) -> Result<(), Error> {
        let row = match self.store.tables.get::<ActRow>(table, key) {
            Ok(row) => row,
            Err(error) => return self.report.note(table, key.as_ref(), error),
        };
        let Some(row) = row else {
            self.report.find(table, key.as_ref(), "the act is missing");
            return Ok(());
        };
        let Some(salt) = row.salt.map(|salt| Salt::from_bytes(*salt.as_bytes())) else {
            self.report.erased += 1;
            return Ok(());
        };
        if !row.parts.keys().eq(leaf.parts.keys()) {
            self.report.find(table, key.as_ref(), format!("leaf {} commits to other parts", leaf.seq));
        }
        for (name, part) in &row.parts {
            self.commitment(leaf, &salt, name, &part.0, table, key);
        }
        self.report.acts += 1;
        Ok(())
    }

    /// Whether a leaf commits to these bytes under this name.
    fn commitment(&mut self, leaf: &Leaf, salt: &Salt, name: &str, bytes: &[u8], table: Table, key: &Key) -> bool {
        let holds = leaf.parts.get(name) == Some(&Commitment::of(&salt.for_part(name), bytes));
        if !holds {
            self.report.find(table, key.as_ref(), format!("leaf {} commits to another {name}", leaf.seq));
        }
        holds
    }

    /// Reads every row of a table against the checksums of its blocks.
    fn rows(&mut self, table: Table) -> Result<(), Error> {
        let mut options = ReadOptions::default();
        options.set_verify_checksums(true);
        options.fill_cache(false);
        let mut last = Vec::new();
        let mut seen = 0;
        for row in self.store.tables.iterate(table, options, IteratorMode::Start) {
            match row {
                Ok((key, _)) => last = key.into_vec(),
                Err(error) => {
                    self.report.find(table, &last, format!("no row can be read after this one: {error}"));
                    break;
                }
            }
            seen += 1;
            if seen % STEP == 0 {
                self.step(STEP)?;
            }
        }
        self.report.rows += seen;
        Ok(())
    }

    /// A capture that no leaf tells of was not written by the committer.
    fn captures_without_leaves(&mut self, size: u64) -> Result<(), Error> {
        for row in self.store.tables.scan(Table::Captures, &Key::default(), None) {
            let (key, value) = row?;
            let mut reader = Reader(&key);
            let (Some(theme), Some(seq)) = (reader.theme(), reader.seq()) else {
                self.report.find(Table::Captures, &key, "the key is no capture's");
                continue;
            };
            // A damaged one is told already, where its leaf was opened.
            let Ok(CaptureRow::Kept(KeptCapture { leaf, .. }) | CaptureRow::Erased { leaf, .. }) =
                codec::decode(Table::Captures, &key, &value)
            else {
                continue;
            };
            if leaf >= size {
                continue;
            }
            let told = self
                .store
                .log_leaf(leaf)?
                .and_then(|entry| Leaf::decode(&entry).ok())
                .and_then(|leaf| capture_of(&leaf));
            if told != Some(CaptureId { theme, seq }) {
                self.report.find(Table::Captures, &key, format!("leaf {leaf} does not tell of this capture"));
            }
        }
        Ok(())
    }
}

/// The theme that a leaf tells of.
fn theme_of(leaf: &Leaf) -> Option<ThemeId> {
    match leaf.facts.get("theme") {
        Some(Fact::Text(theme)) => theme.parse().ok(),
        _ => None,
    }
}

/// The capture that a leaf tells of.
pub(crate) fn capture_of(leaf: &Leaf) -> Option<CaptureId> {
    match leaf.facts.get("capture") {
        Some(Fact::Text(id)) if leaf.kind == LeafKind::Capture => id.parse().ok(),
        _ => None,
    }
}

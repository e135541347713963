//! Whoever signs for the evidence log: checkpoints (C2SP tlog-checkpoint), the proofs that rest on them, and their time-stamps (RFC 3161).

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use model::{Clock, Digest, Pulse, Timestamp};
use proof::{
    InclusionProof, LeafKind, Note, SignerKey, Tile, TileKind, TimestampResponse, VerifierKey, timestamp_request,
    write_entry,
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    Act, Depth, Error, Progress, Report, Store, codec,
    key::{Key, Reader},
    log,
    schema::Table,
    store::lock,
};

/// The most time-stamps that are kept with a checkpoint.
const MOST_TIMESTAMPS: usize = 8;

/// A signed state of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of leaves.
    pub size: u64,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// The signed note.
    pub note: String,
    /// Answers of time-stamping authorities (`TimeStampResp`, DER).
    pub timestamps: Vec<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct CheckpointRow {
    signed_at: Timestamp,
    note: String,
    timestamps: Vec<Der>,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Der(#[serde(with = "model::bytes")] Vec<u8>);

/// Signs the evidence log with a key that lies outside the store.
pub struct Notary {
    store: Store,
    signer: SignerKey,
    /// Where a checkpoint of each day is written, to be kept elsewhere.
    directory: PathBuf,
    /// Serialises signing.
    signing: Mutex<()>,
    pulse: Pulse,
}

/// What holding a kept checkpoint against the log comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The log continues it.
    Continues {
        /// The leaves at the checkpoint.
        then: u64,
        /// The leaves now.
        now: u64,
    },
    /// It is no checkpoint, or none that a key of this log signed.
    NotOurs(String),
    /// The log is shorter now than it was.
    Shortened {
        /// The leaves at the checkpoint.
        then: u64,
        /// The leaves now.
        now: u64,
    },
    /// The log was another one when it had as many leaves.
    Rewritten {
        /// The leaves at the checkpoint.
        then: u64,
    },
}

impl Verdict {
    /// Whether the log continues the checkpoint.
    pub const fn holds(&self) -> bool {
        matches!(self, Self::Continues { .. })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Continues { then, now } => write!(f, "the log of {now} leaves continues the checkpoint of {then}"),
            Self::NotOurs(why) => write!(f, "not a checkpoint of this log: {why}"),
            Self::Shortened { then, now } => {
                write!(f, "the log had {then} leaves and has {now} now: leaves are missing")
            }
            Self::Rewritten { then } => write!(f, "the first {then} leaves of the log are not those that were signed"),
        }
    }
}

impl Notary {
    /// A notary for `store`. Writes nothing yet.
    pub fn new(store: Store, signer: SignerKey, directory: &Path) -> Self {
        Self { store, signer, directory: directory.to_owned(), signing: Mutex::default(), pulse: Pulse::default() }
    }

    /// Beats at each turn of the loop.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Takes up its work: a key that is new here becomes a leaf, and a file beside the checkpoints names every key.
    pub fn begin(&self, now: Timestamp) -> Result<(), Error> {
        let _guard = lock(&self.signing);
        let mut keys = self.keys()?;
        let key = self.signer.verifier().to_string();
        if keys.last() != Some(&key) {
            let act = Act::new(None, LeafKind::Key, now).fact("key", key.as_str());
            self.store.act(&act, |tables, batch, leaf| {
                tables.put(batch, Table::LogKeys, &log::leaf_key(leaf), &key);
                Ok(())
            })?;
            keys.push(key);
        }
        self.write("keys.txt", &format!("{}\n", keys.join("\n")))
    }

    /// The keys that ever signed for this log (C2SP signed-note verifier keys), the present one last.
    pub fn keys(&self) -> Result<Vec<String>, Error> {
        let rows = self.store.tables.scan(Table::LogKeys, &Key::default(), None);
        rows.map(|row| row.and_then(|(key, value)| codec::decode(Table::LogKeys, &key, &value))).collect()
    }

    fn verifiers(&self) -> Result<Vec<VerifierKey>, Error> {
        let mut keys = self.keys()?.iter().map(|key| key.parse()).collect::<Result<Vec<VerifierKey>, _>>()?;
        if !keys.contains(self.signer.verifier()) {
            keys.push(self.signer.verifier().clone());
        }
        Ok(keys)
    }

    /// Signs what the log is now; the newest checkpoint if it has not grown since.
    pub fn sign(&self, now: Timestamp) -> Result<Checkpoint, Error> {
        let _guard = lock(&self.signing);
        let head = self.store.log_head();
        if let Some(newest) = self.newest()?.filter(|newest| newest.size == head.size) {
            return Ok(newest);
        }
        let origin = self.signer.verifier().name().to_owned();
        let checkpoint = proof::Checkpoint { origin, size: head.size, root: head.root, extensions: Vec::new() };
        let note = checkpoint.sign(&[&self.signer])?.to_string();
        let signed = Checkpoint { size: head.size, signed_at: now, note, timestamps: Vec::new() };
        self.keep(&signed)?;
        self.write(&format!("{}.txt", day(now)), &signed.note)?;
        Ok(signed)
    }

    /// The newest checkpoint.
    pub fn newest(&self) -> Result<Option<Checkpoint>, Error> {
        Ok(self.checkpoints(1)?.pop())
    }

    /// The checkpoints, newest first, at most `limit`.
    pub fn checkpoints(&self, limit: usize) -> Result<Vec<Checkpoint>, Error> {
        let rows = self.store.tables.scan_back(Table::Checkpoints, &Key::default(), None);
        rows.take(limit).map(|row| row.and_then(|(key, value)| checkpoint_of(&key, &value))).collect()
    }

    /// The checkpoint of the log of `size` leaves.
    pub fn checkpoint(&self, size: u64) -> Result<Option<Checkpoint>, Error> {
        let key = log::leaf_key(size);
        let row = self.store.tables.get_raw(Table::Checkpoints, &key)?;
        row.map(|row| checkpoint_of(key.as_ref(), &row)).transpose()
    }

    /// What a time-stamping authority is asked about the checkpoint of `size` leaves (`TimeStampReq`, DER); none where there is no such
    /// checkpoint.
    pub fn request(&self, size: u64) -> Result<Option<Vec<u8>>, Error> {
        let request = |checkpoint: Checkpoint| timestamp_request(checkpoint.note.as_bytes(), nonce(&checkpoint.note));
        Ok(self.checkpoint(size)?.map(request))
    }

    /// Keeps the answer of a time-stamping authority (`TimeStampResp`, DER) with the checkpoint that it stamps. Whether the authority is to be
    /// believed is for whoever verifies to say. Errors: [`Error::Unproven`] for an answer that does not stamp this checkpoint.
    pub fn attach(&self, size: u64, answer: &[u8]) -> Result<Option<Checkpoint>, Error> {
        let _guard = lock(&self.signing);
        let Some(mut checkpoint) = self.checkpoint(size)? else { return Ok(None) };
        stamped(&checkpoint.note, answer).map_err(Error::Unproven)?;
        if !checkpoint.timestamps.iter().any(|held| held == answer) {
            if checkpoint.timestamps.len() >= MOST_TIMESTAMPS {
                return Err(Error::TooManyTimestamps(MOST_TIMESTAMPS));
            }
            checkpoint.timestamps.push(answer.to_vec());
            self.keep(&checkpoint)?;
        }
        Ok(Some(checkpoint))
    }

    fn keep(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let row = CheckpointRow {
            signed_at: checkpoint.signed_at,
            note: checkpoint.note.clone(),
            timestamps: checkpoint.timestamps.iter().cloned().map(Der).collect(),
        };
        self.store.space.on_reserve(|| {
            let mut batch = rocksdb::WriteBatch::default();
            self.store.tables.put(&mut batch, Table::Checkpoints, &log::leaf_key(checkpoint.size), &row);
            self.store.tables.write_synced(batch)
        })
    }

    /// The proof that the log holds the leaf at `index`, resting on the newest checkpoint; where that does not reach so far, on a new one.
    pub fn proof(&self, index: u64, now: Timestamp) -> Result<InclusionProof, Error> {
        let checkpoint = match self.newest()?.filter(|newest| newest.size > index) {
            Some(newest) => newest,
            None => self.sign(now)?,
        };
        self.proof_at(index, &checkpoint)
    }

    /// The proof that the log holds the leaf at `index`, resting on a checkpoint of this log.
    pub fn proof_at(&self, index: u64, checkpoint: &Checkpoint) -> Result<InclusionProof, Error> {
        let hashes = self.store.inclusion_proof(index, checkpoint.size)?;
        Ok(InclusionProof { extra: None, index, hashes, checkpoint: Note::parse(checkpoint.note.as_bytes())? })
    }

    /// The public key, 32 bytes (RFC 8032, section 5.1.2), that goes with what is signed now.
    pub fn public_key(&self) -> [u8; 32] {
        *self.signer.verifier().public_key()
    }

    /// The Ed25519 signature of a line of text that is no note, such as a digest, and the public key that goes with it.
    pub fn sign_line(&self, line: &str) -> ([u8; 64], [u8; 32]) {
        (self.signer.sign(line.as_bytes()), *self.signer.verifier().public_key())
    }

    /// The content of a tile or bundle of the log (C2SP tlog-tiles); none where the log does not reach so far.
    pub fn tile(&self, tile: &Tile) -> Result<Option<Vec<u8>>, Error> {
        if !tile.is_within(self.store.log_head().size) {
            return Ok(None);
        }
        if tile.kind() != TileKind::Entries {
            return tile.hashes(|node| self.store.log_hash(node)).map(Some);
        }
        let mut bundle = Vec::new();
        for index in tile.range().unwrap_or_default() {
            let entry = self.store.log_leaf(index)?.ok_or_else(|| log::missing_leaf(index))?;
            write_entry(&mut bundle, &entry)?;
        }
        Ok(Some(bundle))
    }

    /// Holds a checkpoint that was kept elsewhere against the log.
    pub fn consistency(&self, kept: &str) -> Result<Verdict, Error> {
        let ours = Note::parse(kept.as_bytes()).and_then(|note| {
            let keys = self.verifiers().map_err(|_| proof::Error::Untrusted)?;
            proof::Checkpoint::verify(&note, &keys)
        });
        let kept = match ours {
            Ok(kept) => kept,
            Err(error) => return Ok(Verdict::NotOurs(error.to_string())),
        };
        let (then, now) = (kept.size, self.store.log_head().size);
        if then > now {
            return Ok(Verdict::Shortened { then, now });
        }
        let is_same = self.store.log_root(then)? == kept.root;
        Ok(if is_same { Verdict::Continues { then, now } } else { Verdict::Rewritten { then } })
    }

    /// Checks the store, and the signature of every checkpoint.
    pub fn verify(&self, depth: Depth, progress: &mut dyn FnMut(Progress) -> bool) -> Result<Report, Error> {
        let mut report = self.store.verify(depth, progress)?;
        let limit = if depth == Depth::Full { usize::MAX } else { 1 };
        for row in self.store.tables.scan_back(Table::Checkpoints, &Key::default(), None).take(limit) {
            let (key, value) = row?;
            report.checkpoints += 1;
            match checkpoint_of(&key, &value) {
                Ok(checkpoint) => {
                    let verdict = self.consistency(&checkpoint.note)?;
                    let says = Note::parse(checkpoint.note.as_bytes()).and_then(|note| proof::Checkpoint::of(&note));
                    if !verdict.holds() {
                        report.find(Table::Checkpoints, &key, verdict.to_string());
                    } else if let Some(error) =
                        checkpoint.timestamps.iter().find_map(|answer| stamped(&checkpoint.note, answer).err())
                    {
                        report.find(Table::Checkpoints, &key, error.to_string());
                    } else if says.map(|says| says.size) != Ok(checkpoint.size) {
                        report.find(Table::Checkpoints, &key, "the checkpoint is of another size");
                    }
                }
                Err(error) => report.find(Table::Checkpoints, &key, error.to_string()),
            }
        }
        Ok(report)
    }

    /// Signs at a steady pace while the log grows, until `stop`; before each time, the evidence log is told how far the audit log has come. A full disk
    /// makes it wait for the next time.
    pub async fn run(
        self: Arc<Self>,
        clock: Arc<dyn Clock>,
        every: Duration,
        stop: CancellationToken,
    ) -> Result<(), Error> {
        let signed = |result: Result<(), Error>| match result {
            Err(error) if error.is_disk_full() => {
                tracing::error!(%error, "the log is not signed");
                Ok(())
            }
            result => result,
        };
        signed(self.begin(clock.now()))?;
        let sign = || {
            self.store.anchor_audit(clock.now())?;
            self.sign(clock.now()).map(drop)
        };
        let mut sign_at = Instant::now() + every;
        let rest = |sign_at: Instant| sleep_until(sign_at.min(Instant::now() + Pulse::REST));
        while stop.run_until_cancelled(rest(sign_at)).await.is_some() {
            self.pulse.beat();
            if sign_at <= Instant::now() {
                signed(sign())?;
                sign_at = Instant::now() + every;
            }
        }
        signed(sign())
    }

    /// Writes a file for people beside the store, whole or not at all.
    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.directory.join(name);
        let write = || {
            fs::create_dir_all(&self.directory)?;
            let beside = path.with_extension("new");
            fs::write(&beside, text)?;
            fs::rename(&beside, &path)
        };
        write().map_err(|source| Error::Directory { path: path.clone(), source })
    }
}

/// Checks that an answer stamps a checkpoint.
fn stamped(note: &str, answer: &[u8]) -> Result<(), proof::Error> {
    TimestampResponse::parse(answer)?.check(note.as_bytes(), Some(nonce(note))).map(drop)
}

fn checkpoint_of(key: &[u8], value: &[u8]) -> Result<Checkpoint, Error> {
    let size = Reader(key).take().map(u64::from_be_bytes).ok_or_else(|| Error::corrupt(Table::Checkpoints, key))?;
    let CheckpointRow { signed_at, note, timestamps } = codec::decode(Table::Checkpoints, key, value)?;
    Ok(Checkpoint { size, signed_at, note, timestamps: timestamps.into_iter().map(|der| der.0).collect() })
}

/// The nonce of the request for a checkpoint: the same each time, so that nothing has to be kept until the answer comes, and another one for each
/// checkpoint, so that no answer serves twice.
fn nonce(note: &str) -> u64 {
    let digest = *Digest::of_parts(&[b"nachtwacht time-stamp nonce v1\n", note.as_bytes()]).as_bytes();
    // Positive and of full length, as authorities expect.
    u64::from_be_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]]) >> 1
        | 1 << 62
}

/// The day of a moment, as in 2026-01-31.
fn day(moment: Timestamp) -> String {
    moment.to_string().chars().take(10).collect()
}

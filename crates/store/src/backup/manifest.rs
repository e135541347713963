use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// What a backup consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when it may be restored.
    pub expires_at: Timestamp,
    /// The leaves of the log that it holds, at the least.
    pub leaves: u64,
    /// The root of the log of so many leaves.
    pub root: Digest,
    /// The files of the store.
    pub(super) files: Vec<File>,
}

/// A file in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Its name, without a directory.
    pub(super) name: String,
    /// Its length in bytes.
    pub(super) len: u64,
    /// The names of its pieces, in order.
    pub(super) pieces: Vec<Digest>,
}

impl Manifest {
    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.len).sum()
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = &Digest> {
        self.files.iter().flat_map(|file| &file.pieces)
    }
}

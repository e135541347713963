//! Backups: a consistent state of the store, taken while it is at work, in encrypted pieces in another directory.
//!
//! A backup is a manifest that names pieces by content. Tables never change once they are written, so that a further backup adds only the
//! pieces of new ones. The search index is no part of it: it is made again. The keys of the house are none either: whoever holds a backup
//! alone reads nothing.

mod manifest;
mod restore;
mod vault;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use model::{Digest, Timestamp};
use serde::Serialize;

use crate::{Head, Store, erased::ErasureList};

pub use manifest::Manifest;
pub use restore::{RestoreOrder, Restored, restore};
pub use vault::BackupKey;
use vault::Vault;

/// What can go wrong with a backup, split by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or directory cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no backup there, or none of that time.
    #[error("there is no backup in {0} that was made by then")]
    None(PathBuf),
    /// It may no longer be used.
    #[error("the backup of {made_at} expired at {expired_at}: what was erased or has lapsed since may not come back")]
    Expired {
        /// When it was made.
        made_at: Timestamp,
        /// Since when.
        expired_at: Timestamp,
    },
    /// It does not open: it is damaged, or another key made it.
    #[error("{0} does not open: it is damaged, or the backup key is another one")]
    Damaged(PathBuf),
    /// What is to be restored into has something in it already.
    #[error("{0} is not empty: a restore never writes over what is there")]
    NotEmpty(PathBuf),
    /// The list of erasures is not one that the backup can be restored with.
    #[error("the list of erasures does not fit the backup: {0}")]
    Erasures(String),
    /// Whoever asked has gone.
    #[error("the backup was called off")]
    CalledOff,
    /// The system gives no random bytes.
    #[error("no randomness for a nonce")]
    NoRandomness,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::Error),
}

impl BackupError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// How far a backup or a restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Bytes dealt with.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// What a backup came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackedUp {
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when it may be restored.
    pub expires_at: Timestamp,
    /// The leaves of the log that it holds.
    pub leaves: u64,
    /// Bytes that it holds.
    pub bytes: u64,
    /// Bytes that were not in the directory yet.
    pub new_bytes: u64,
    /// Earlier backups that had expired and were deleted.
    pub deleted: u64,
}

/// When a backup is made, and until when it may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// When it is made.
    pub made_at: Timestamp,
    /// Until when it may be restored.
    pub expires_at: Timestamp,
}

impl Store {
    /// Makes a backup into the directory `to`, while the store is at work; deletes what has expired there.
    ///
    /// `progress` is told now and then; when it answers `false` the backup ends early, as an error, and leaves nothing but pieces that the next
    /// one deletes.
    pub fn backup(
        &self,
        to: &Path,
        key: &BackupKey,
        term: Term,
        progress: &mut dyn FnMut(Moved) -> bool,
    ) -> Result<BackedUp, BackupError> {
        let _guard = crate::store::lock(&self.backing_up);
        let vault = Vault::open(to, key)?;
        let deleted = vault.delete_expired(term.made_at)?;
        let checkpoint = checkpoint_dir(&self.tables.directory);
        remove_dir(&checkpoint)?;
        // The head is the earlier of the two, so that the copy holds all of it.
        let head = self.log_head();
        self.tables.checkpoint(&checkpoint)?;
        let result = self.copy(&vault, &checkpoint, head, term, progress);
        remove_dir(&checkpoint)?;
        let (manifest, new_bytes) = result?;
        Ok(BackedUp {
            made_at: term.made_at,
            expires_at: term.expires_at,
            leaves: manifest.leaves,
            bytes: manifest.bytes(),
            new_bytes,
            deleted,
        })
    }

    fn copy(
        &self,
        vault: &Vault,
        checkpoint: &Path,
        head: Head,
        term: Term,
        progress: &mut dyn FnMut(Moved) -> bool,
    ) -> Result<(Manifest, u64), BackupError> {
        let erasures = self.erasure_list(term.made_at)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(checkpoint).map_err(BackupError::file(checkpoint))? {
            let entry = entry.map_err(BackupError::file(checkpoint))?;
            let len = entry.metadata().map_err(BackupError::file(&entry.path()))?.len();
            files.push((entry.path(), len));
        }
        files.sort();
        let mut moved = Moved { done: 0, total: files.iter().map(|(_, len)| len).sum() };
        let mut manifest = Manifest {
            made_at: term.made_at,
            expires_at: term.expires_at,
            leaves: head.size,
            root: Digest::from_bytes(*head.root.as_bytes()),
            files: Vec::new(),
        };
        let mut new_bytes = 0;
        for (path, _) in &files {
            let (file, new) = vault.put_file(path, &mut |bytes| {
                moved.done += bytes;
                progress(moved)
            })?;
            new_bytes += new;
            manifest.files.push(file);
        }
        vault.put_erasures(&erasures)?;
        vault.put_manifest(&manifest)?;
        Ok((manifest, new_bytes))
    }
}

/// The list of erasures in a file, as `nachtwacht erasures export` wrote it.
pub fn read_erasures(path: &Path) -> Result<ErasureList, BackupError> {
    let text = fs::read(path).map_err(BackupError::file(path))?;
    ErasureList::from_json(&text).map_err(|problem| BackupError::Erasures(format!("{}: {problem}", path.display())))
}

/// Hard links to tables lie here while they are copied: on the store's own disk, and never in a backup themselves.
pub(crate) fn checkpoint_dir(store: &Path) -> PathBuf {
    store.join("BACKUP")
}

fn remove_dir(path: &Path) -> Result<(), BackupError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BackupError::file(path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

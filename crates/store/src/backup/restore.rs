//! The way back: pieces into files, erasures over them, and a look at everything before anything is served.

use std::{fs, io::Write as _, path::Path};

use model::Timestamp;
use serde::Serialize;

use super::{BackupError, BackupKey, Manifest, Moved, vault::Vault};
use crate::{Config, CredentialKey, ErasureList, Store};

/// What a restore came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// When the backup was made.
    pub made_at: Timestamp,
    /// The leaves of the log, those of the erasures that were carried out again included.
    pub leaves: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// Captures that were erased since the backup, and erased again now.
    pub erased: u64,
}

/// What to restore.
#[derive(Debug, Clone, Copy)]
pub struct RestoreOrder<'a> {
    /// The directory of backups.
    pub from: &'a Path,
    /// The newest backup that was made by then; the newest one where it is not given.
    pub at: Option<Timestamp>,
    /// Where the store is to be: empty, or not there yet.
    pub into: &'a Path,
    /// What was erased, as it is known now.
    pub erasures: &'a ErasureList,
    /// The present time.
    pub now: Timestamp,
}

/// Restores a store, carries out again what was erased since, and opens it. Nothing stands at `into` before all of that is done.
pub fn restore(
    order: &RestoreOrder<'_>,
    key: &BackupKey,
    config: &Config,
    credential: CredentialKey,
    progress: &mut dyn FnMut(Moved),
) -> Result<(Store, Restored), BackupError> {
    if fs::read_dir(order.into).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(BackupError::NotEmpty(order.into.to_owned()));
    }
    let vault = Vault::read(order.from, key);
    let by_then = |manifest: &Manifest| order.at.is_none_or(|at| manifest.made_at <= at);
    let newest = vault.manifests()?.into_iter().map(|(_, manifest)| manifest).rfind(by_then);
    let manifest = newest.ok_or_else(|| BackupError::None(order.from.to_owned()))?;
    if manifest.expires_at <= order.now {
        return Err(BackupError::Expired { made_at: manifest.made_at, expired_at: manifest.expires_at });
    }
    if order.erasures.leaves < manifest.leaves {
        return Err(BackupError::Erasures(format!(
            "it was exported when the log had {} leaves, and the backup has {}: export it anew, or take the one beside the backup",
            order.erasures.leaves, manifest.leaves
        )));
    }
    let beside = order.into.with_extension("restoring");
    super::remove_dir(&beside)?;
    write_files(&vault, &manifest, &beside, progress)?;
    let erased = {
        let store =
            Store::open(&beside, &Config { reserve_mb: 0, ..config.clone() }, CredentialKey::from_bytes(&[0; 32]))?;
        if store.log_root(manifest.leaves)?.as_bytes() != manifest.root.as_bytes() {
            return Err(BackupError::Damaged(beside));
        }
        store.erase_again(order.erasures, order.now)?
    };
    if order.into.exists() {
        fs::remove_dir(order.into).map_err(BackupError::file(order.into))?;
    }
    fs::rename(&beside, order.into).map_err(BackupError::file(order.into))?;
    let store = Store::open(order.into, config, credential)?;
    let leaves = store.log_head().size;
    Ok((store, Restored { made_at: manifest.made_at, leaves, bytes: manifest.bytes(), erased }))
}

fn write_files(
    vault: &Vault<'_>,
    manifest: &Manifest,
    into: &Path,
    progress: &mut dyn FnMut(Moved),
) -> Result<(), BackupError> {
    fs::create_dir_all(into).map_err(BackupError::file(into))?;
    let mut moved = Moved { done: 0, total: manifest.bytes() };
    for file in &manifest.files {
        // A name with a directory in it was never written by a backup.
        if Path::new(&file.name).components().count() != 1 || file.name.contains('/') || file.name.starts_with("..") {
            return Err(BackupError::Damaged(into.join("manifest")));
        }
        let path = into.join(&file.name);
        let mut to = fs::File::create(&path).map_err(BackupError::file(&path))?;
        let mut len = 0;
        for name in &file.pieces {
            let piece = vault.piece(name)?;
            to.write_all(&piece).map_err(BackupError::file(&path))?;
            len += piece.len() as u64;
            moved.done += piece.len() as u64;
            progress(moved);
        }
        if len != file.len {
            return Err(BackupError::Damaged(path));
        }
        to.sync_all().map_err(BackupError::file(&path))?;
    }
    Ok(())
}

//! Files outside the store that hold captures: whoever writes one that stays (a spooled body, an export, a backup) notes it here, so that an
//! erasure reaches it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use model::{Digest, Seq, ThemeId};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{Error, Store, ViewChange, codec, key::Key, schema::Table};

/// A file, or a directory with all that is in it, which holds captures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalCopy {
    /// Where it lies.
    pub path: PathBuf,
    /// What it holds.
    pub holds: CopyOf,
}

/// What a local copy holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CopyOf {
    /// Captures of one theme.
    Captures(ThemeId, Vec<Seq>),
    /// Whatever the store held when it was made.
    Everything,
}

impl CopyOf {
    fn has_any_of(&self, theme: ThemeId, change: &ViewChange) -> bool {
        match self {
            Self::Everything => !change.captures.is_empty(),
            Self::Captures(of, sequences) => {
                *of == theme && change.captures.iter().any(|capture| sequences.contains(&capture.seq))
            }
        }
    }
}

impl Store {
    /// Notes a local copy, before it is made.
    pub fn note_copy(&self, copy: &LocalCopy) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::LocalCopies, &copy_key(&copy.path), copy);
        self.tables.write_synced(batch)
    }

    /// The local copies that were noted and not deleted by an erasure.
    pub fn copies(&self) -> Result<Vec<LocalCopy>, Error> {
        let rows = self.tables.scan(Table::LocalCopies, &Key::default(), None);
        rows.map(|row| row.and_then(|(key, value)| codec::decode(Table::LocalCopies, &key, &value))).collect()
    }

    /// Deletes every local copy that holds something of what was erased.
    pub(crate) fn delete_copies(&self, theme: ThemeId, change: &ViewChange) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        for copy in self.copies()?.into_iter().filter(|copy| copy.holds.has_any_of(theme, change)) {
            delete(&copy.path).map_err(|source| Error::Directory { path: copy.path.clone(), source })?;
            tracing::info!(path = %copy.path.display(), leaf = change.leaf, "a local copy was deleted by an erasure");
            batch.delete_cf(self.tables.family(Table::LocalCopies), copy_key(&copy.path));
        }
        self.tables.write_synced(batch)
    }
}

/// What is gone already is as good as deleted. A symbolic link is deleted, and not what it leads to.
fn delete(path: &Path) -> io::Result<()> {
    let deleted = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    deleted.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn copy_key(path: &Path) -> Key {
    Key::bytes(Digest::of(path.as_os_str().as_encoded_bytes()).as_bytes())
}

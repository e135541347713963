//! Files outside the store that hold captures: whoever carries an export to one on this machine notes it here, so that an erasure reaches it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use model::{Digest, Grant, Seq, ThemeId};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{ChangeKind, Error, Store, ViewChange, codec, key::Key, schema::Table, store::demand};

/// A file that holds captures of a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalCopy {
    /// Where it lies.
    pub path: PathBuf,
    /// Whose captures.
    pub theme: ThemeId,
    /// Which ones, in order.
    pub captures: Vec<Seq>,
    /// Whether some of them are erased, and the file could not be deleted.
    pub must_go: bool,
}

impl LocalCopy {
    fn has_any_of(&self, change: &ViewChange) -> bool {
        change.captures.iter().any(|capture| self.captures.binary_search(&capture.seq).is_ok())
    }
}

impl Store {
    /// Notes a local copy, before it is made.
    pub fn note_copy(&self, copy: &LocalCopy) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::LocalCopies, &copy_key(copy), copy);
        self.tables.write_synced(batch)
    }

    /// The local copies of a theme's captures that were noted, and not deleted by an erasure.
    pub fn copies(&self, grant: &Grant, theme: ThemeId) -> Result<Vec<LocalCopy>, Error> {
        demand(grant, theme)?;
        self.copies_of(theme)
    }

    fn copies_of(&self, theme: ThemeId) -> Result<Vec<LocalCopy>, Error> {
        let rows = self.tables.scan(Table::LocalCopies, &Key::theme(theme), None);
        rows.map(|row| row.and_then(|(key, value)| codec::decode(Table::LocalCopies, &key, &value))).collect()
    }

    /// The files that hold something erased and could not be deleted: whoever keeps them must do it.
    pub fn copies_left(&self, grant: &Grant, theme: ThemeId) -> Result<Vec<PathBuf>, Error> {
        let copies = self.copies(grant, theme)?.into_iter();
        Ok(copies.filter(|copy| copy.must_go && is_there(&copy.path)).map(|copy| copy.path).collect())
    }

    /// Deletes every local copy that holds something of what was erased. One that cannot be deleted does not keep the erasure from its end.
    pub(crate) fn delete_copies(&self, theme: ThemeId, change: &ViewChange) -> Result<(), Error> {
        if change.kind != ChangeKind::Erased {
            return Ok(());
        }
        let mut batch = WriteBatch::default();
        for copy in self.copies_of(theme)?.into_iter().filter(|copy| copy.must_go || copy.has_any_of(change)) {
            let path = copy.path.display();
            match delete(&copy.path) {
                Ok(()) => {
                    tracing::info!(%path, leaf = change.leaf, "a local copy was deleted by an erasure");
                    batch.delete_cf(self.tables.family(Table::LocalCopies), copy_key(&copy));
                }
                Err(_) if copy.must_go => {}
                Err(error) => {
                    tracing::error!(%path, leaf = change.leaf, %error, "a file that holds what was erased cannot be deleted");
                    self.tables.put(
                        &mut batch,
                        Table::LocalCopies,
                        &copy_key(&copy),
                        &LocalCopy { must_go: true, ..copy },
                    );
                }
            }
        }
        if batch.is_empty() { Ok(()) } else { self.tables.write_synced(batch) }
    }
}

fn is_there(path: &Path) -> bool {
    !fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// What is gone already is as good as deleted. Only a file goes: whatever else has taken its place is not what was noted.
fn delete(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => fs::remove_file(path),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn copy_key(copy: &LocalCopy) -> Key {
    Key::theme(copy.theme).digest(&Digest::of(copy.path.as_os_str().as_encoded_bytes()))
}

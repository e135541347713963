use std::{io, path::PathBuf, sync::Arc};

use model::{Seq, ThemeId};
use tantivy::{
    TantivyError,
    directory::error::{LockError, OpenReadError},
};

use crate::{InvalidCursor, QueryError};

/// Why the index did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The grant is for another theme, or for a phase in which no page is read.
    #[error("no leave to search theme {0}")]
    NotGranted(ThemeId),
    /// The text of the query cannot be understood. The person who wrote it can mend it.
    #[error("the query cannot be read: {0}")]
    Query(#[from] QueryError),
    /// The cursor is damaged, or was made for another query.
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// More values of one filter than are looked at.
    #[error("more than {limit} values for one filter")]
    TooManyFilters {
        /// How many are allowed.
        limit: usize,
    },
    /// The query asks for a state that the index has not reached. Waiting helps.
    #[error("sequence {asked} is not indexed yet; the index is complete to {indexed}")]
    NotYetIndexed {
        /// The sequence that was asked for.
        asked: Seq,
        /// The sequence to which the index is complete.
        indexed: Seq,
    },
    /// More would have to be looked at than a query may cost. The person who wrote it can narrow it.
    #[error("the query costs more than {limit} looks at entries; ask for less, or narrow it")]
    TooCostly {
        /// How many are allowed.
        limit: u64,
    },
    /// An earlier write failed; what was added since the last commit is lost. [`crate::Index::rewind`] begins again.
    #[error("an earlier write to the index of theme {0} failed")]
    WriteFailed(ThemeId),
    /// Entries are being taken out, and what would be found is not right before that is done. Waiting helps.
    #[error("an erasure is being carried out in theme {0}; ask again in a moment")]
    Erasing(ThemeId),
    /// Another process, or another handle, writes this index.
    #[error("the index of theme {0} is in use")]
    InUse(ThemeId),
    /// The configuration cannot be.
    #[error("search configuration: {0}")]
    Config(String),
    /// A directory cannot be made or emptied.
    #[error("index directory {path}: {source}")]
    Directory {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The engine beneath failed: a disk that is full or broken, or an index that is damaged.
    #[error("the index engine failed: {0}")]
    Engine(#[from] TantivyError),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Engine(TantivyError::IoError(Arc::new(error)))
    }
}

/// Whether an error on opening speaks of what lies on the disk, so that a new index is the cure, and not of the disk
/// itself, its rights or another user of it.
pub(crate) fn is_damage(error: &TantivyError) -> bool {
    let by_kind = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::Other)
    };
    match error {
        TantivyError::IoError(error)
        | TantivyError::OpenReadError(OpenReadError::IoError { io_error: error, .. })
        | TantivyError::LockFailure(LockError::IoError(error), _) => by_kind(error),
        TantivyError::LockFailure(..)
        | TantivyError::OpenDirectoryError(_)
        | TantivyError::OpenWriteError(_)
        | TantivyError::SystemError(_)
        | TantivyError::Poisoned => false,
        _ => true,
    }
}

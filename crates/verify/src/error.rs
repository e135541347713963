use std::{io, path::PathBuf};

/// Why nothing can be said of an export.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("{}: it cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// What is to be trusted is not in its form.
    #[error("{}: {source}", path.display())]
    Trust {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: proof::Error,
    },
}

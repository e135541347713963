//! What ends a command, with an exit code of its own for each thing that an administrator does differently about.

use std::{path::PathBuf, process::ExitCode};

/// Why a command ended without doing what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Exit code 3.
    #[error("configuration {path}: {problem}")]
    Configuration { path: PathBuf, problem: String },
    /// Exit code 3.
    #[error(
        "only {most} files may be open at a time, and the daemon needs {least}: raise LimitNOFILE= of the service, or `ulimit -Hn`"
    )]
    Descriptors { most: u64, least: u64 },
    /// Exit code 4.
    #[error("{0}; is the daemon running already?")]
    StoreLocked(store::Error),
    /// Exit code 5.
    #[error("{0}")]
    StoreOther(store::Error),
    /// Exit code 6.
    #[error("directory {path} cannot be written: {source}")]
    Directory { path: PathBuf, source: std::io::Error },
    /// Exit code 7.
    #[error("{0}")]
    Address(String),
    /// Exit code 8.
    #[error("{0} is missing: run `nachtwacht init` first")]
    NotInitialised(PathBuf),
    /// Exit code 9.
    #[error("no daemon answers on {socket}: {source}; is `nachtwacht serve` running, and may you use its socket?")]
    NoDaemon { socket: PathBuf, source: std::io::Error },
    /// Exit code 10.
    #[error("{0}")]
    Refused(String),
    /// Exit code 3.
    #[error("{0} thing(s) are wrong; what was in force before stays so")]
    NotReloaded(usize),
    /// Exit code 11.
    #[error("the evidence does not hold: {0} thing(s) are wrong")]
    Unsound(u64),
    /// Exit code 12.
    #[error("{0} thing(s) are wrong")]
    Unwell(usize),
    /// Exit code 1.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Other(_) => 1,
            Self::Configuration { .. } | Self::Descriptors { .. } | Self::NotReloaded(_) => 3,
            Self::StoreLocked(_) => 4,
            Self::StoreOther(_) => 5,
            Self::Directory { .. } => 6,
            Self::Address(_) => 7,
            Self::NotInitialised(_) => 8,
            Self::NoDaemon { .. } => 9,
            Self::Refused(_) => 10,
            Self::Unsound(_) => 11,
            Self::Unwell(_) => 12,
        })
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Locked(_) => Self::StoreLocked(error),
            store::Error::NewerFormat { .. } | store::Error::OlderFormat(_) => Self::StoreOther(error),
            store::Error::Directory { path, source } => Self::Directory { path, source },
            other => Self::Other(other.into()),
        }
    }
}

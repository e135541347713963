use std::{io, path::PathBuf};

use crate::schema::Table;

/// What can go wrong with the store, split by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk or the database under the tables failed; the process should stop.
    #[error("store: {0}")]
    Database(#[from] rocksdb::Error),
    /// The directory cannot be made or written.
    #[error("store directory {path}: {source}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process has it open.
    #[error("store {0} is in use by another process")]
    Locked(PathBuf),
    /// A later release wrote it; this one must not touch it.
    #[error(
        "store has format {found}, and this release knows formats up to {supported}: use the release that wrote it, or a later one"
    )]
    NewerFormat {
        /// The format on disk.
        found: u32,
        /// The newest format this release knows.
        supported: u32,
    },
    /// A version that was never released wrote it.
    #[error(
        "store has format {0}, which no release wrote; this release begins with format 3: start with a new data directory"
    )]
    OlderFormat(u32),
    /// Too little room is left on the disk to record anything but acts; it goes on by itself when there is room again.
    #[error(
        "the disk of {directory} has {free_mb} MB free, too little to record more: make room there, or erase something"
    )]
    NoRoom {
        /// The store's directory.
        directory: PathBuf,
        /// What is free.
        free_mb: u64,
    },
    /// A row does not decode.
    #[error("store: table {table}, key {key}: the row is damaged")]
    Corrupt {
        /// The table.
        table: Table,
        /// The key in hexadecimal.
        key: String,
    },
    /// The capture was erased, lawfully.
    #[error("capture {0} was erased; leaf {1} of the evidence log says when and on what ground")]
    Erased(model::CaptureId, u64),
    /// The capture is sealed: it is shown to nobody but whoever decides about it.
    #[error("capture {0} is sealed; leaf {1} of the evidence log says when, and a decision is pending")]
    Sealed(model::CaptureId, u64),
    /// A hold keeps the capture from being erased.
    #[error("capture {0} is held: leaf {1} of the evidence log set the hold; it must be lifted first")]
    Held(model::CaptureId, u64),
    /// What the analysis has not seen cannot be erased: which version it belongs to is not known yet.
    #[error("capture {0} is not analysed yet; it can be erased when it is")]
    NotAnalysed(model::CaptureId),
    /// An erasure or a seal is being carried out, and what would be answered is not right before that is done. Waiting helps.
    #[error("an erasure is being carried out in theme {0}; ask again in a moment")]
    Changing(model::ThemeId),
    /// What is asked of the log lies outside it, or a leaf cannot be made.
    #[error("evidence log: {0}")]
    Log(#[from] proof::Error),
    /// What was brought to be kept as proof proves nothing of what it is to be kept with.
    #[error("{0}")]
    Unproven(#[source] proof::Error),
    /// A checkpoint has as many time-stamps as are kept.
    #[error("the checkpoint has {0} time-stamps already, and no more are kept")]
    TooManyTimestamps(usize),
    /// The system gives no random bytes, without which no salt can be made.
    #[error("no randomness for the salt of a record")]
    NoRandomness,
    /// The grant does not cover the theme.
    #[error("the grant does not cover theme {0}")]
    NotGranted(model::ThemeId),
    /// What was done cannot be recorded in the audit log, and so it is not done, or not told of.
    #[error("the audit log cannot be written: {0}")]
    Unaudited(String),
    /// There is such an account already.
    #[error("there is an account {0} already")]
    AccountTaken(model::AccountName),
    /// The grant does not cover every theme, and what was asked for would show them all.
    #[error("the grant does not cover every theme")]
    NotGrantedEverywhere,
    /// The rule has another version than whoever changes it has seen, or there is none.
    #[error("{}", match .0 {
        Some(version) => format!("the version in force is {version}: look at it, and say what it should become"),
        None => "there is no such rule".to_owned(),
    })]
    RuleChanged(Option<u64>),
    /// A proposal or a decision about a source is not as asked.
    #[error(transparent)]
    Decision(#[from] crate::DecisionError),
    /// The watch has another version than whoever changes it has seen.
    #[error("the version of the watch is {0} now: look at it, and say what it should become")]
    WatchChanged(u64),
    /// The theme has as many watches as it may.
    #[error("the theme has {0} watches already, and no more are kept; delete one that is not needed")]
    TooManyWatches(usize),
    /// Somebody has seen to the alert already.
    #[error("alert {0} is acknowledged already, and the first word stands")]
    Acknowledged(u64),
    /// The capture has no version that could be released.
    #[error("capture {0} belongs to no version: it has no content, or is not analysed yet")]
    NoVersion(model::CaptureId),
    /// More versions at once than one act releases.
    #[error("more than {0} versions at once; add the rest afterwards")]
    TooManyVersions(usize),
    /// There is no such dossier in the theme.
    #[error("there is no dossier {0} in this theme")]
    NoDossier(u64),
    /// The dossier was withdrawn: nothing is read through it any more.
    #[error("dossier {0} was withdrawn; leaf {1} of the evidence log says when")]
    DossierWithdrawn(u64, u64),
    /// The dossier does not hold the capture, whether there is one or not.
    #[error("there is no capture {0} in dossier {1}")]
    NotInDossier(model::CaptureId, u64),
    /// A login cannot be sealed or opened with the credential key.
    #[error("the login of target {0} cannot be opened: the credential key is another one")]
    CredentialKey(model::TargetId),
    /// The committer has stopped; nothing more is recorded.
    #[error("the store is closing")]
    Closing,
}

impl Error {
    /// Whether the disk is full, or nearly so: what was not recorded may be tried again when there is room.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::NoRoom { .. } => true,
            // RocksDB tells the kinds of an I/O error apart by text alone; the text is the system's for ENOSPC and EDQUOT.
            Self::Database(error) => {
                let text = error.to_string();
                text.contains("No space left on device") || text.contains("Disk quota exceeded")
            }
            Self::Directory { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }

    /// Whether a capture is withheld: erased, or sealed. Whoever can do without it goes on.
    pub const fn is_withheld(&self) -> bool {
        matches!(self, Self::Erased(..) | Self::Sealed(..))
    }

    pub(crate) fn corrupt(table: Table, key: &[u8]) -> Self {
        Self::Corrupt { table, key: key.iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}

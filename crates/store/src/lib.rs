//! The truth: RocksDB with typed tables, a versioned codec, and one committer that acknowledges a capture only when it is on disk.
//!
//! This crate deliberately indexes no text and decides no policy: what to fetch next, how long to wait and what a page means
//! is computed above it and handed down as records.

mod acts;
mod backup;
mod captures;
mod codec;
mod committer;
mod erased;
mod error;
mod evidence;
mod frontier;
mod key;
mod log;
mod logins;
mod names;
mod notary;
mod payload;
mod room;
mod schema;
mod store;
mod targets;
mod verify;
mod views;

#[cfg(test)]
mod tests;

pub use acts::{Act, RecordedAct};
pub use backup::{
    BackedUp, BackupError, BackupKey, Manifest, Moved, RestoreOrder, Restored, Term, read_erasures, restore,
};
pub use captures::{CaptureFilter, CapturePage, Disclosure, MOST_REVISITS};
pub use committer::{FinishedVisit, Receipt};
pub use erased::{ErasedCapture, ErasureList};
pub use error::Error;
pub use evidence::{Evidence, part};
pub use frontier::{CrawlBatch, CrawlState, FrontierEntry, HostRecord, Priority, TemplateRecord, UriRecord};
pub use log::Head;
pub use logins::{Cookie, CredentialKey};
pub use names::Naming;
pub use notary::{Checkpoint, Notary, Verdict};
pub use room::{Room, Space};
pub use schema::{FORMAT, Kind, Table};
pub use store::{Config, DiskUse, Store};
pub use verify::{Depth, Finding, Progress, Report};
pub use views::{Analysis, Attempt, Version, VersionPage};

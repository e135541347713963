//! The truth: RocksDB with typed tables, a versioned codec, and one committer that acknowledges a capture only when it is on disk.
//!
//! This crate deliberately indexes no text and decides no policy: what to fetch next, how long to wait and what a page means
//! is computed above it and handed down as records.

mod accounts;
mod acts;
mod alerts;
mod audit;
mod backup;
mod captures;
mod codec;
mod committer;
mod copies;
mod decisions;
mod dossiers;
mod editions;
mod element;
mod erased;
mod erasure;
mod error;
mod evidence;
mod findings;
mod frontier;
mod holds;
mod key;
mod labels;
mod log;
mod logins;
mod names;
mod notary;
mod payload;
mod purge;
mod request_keys;
mod retention;
mod room;
mod rules;
mod schema;
mod seals;
mod sightings;
mod sketches;
mod store;
mod targets;
mod verify;
mod view_changes;
mod views;
mod watches;

#[cfg(test)]
mod tests;

pub use accounts::{Account, Password, Scope as TokenScope, Token, TokenKind};
pub use acts::{Act, RecordedAct};
pub use alerts::{Acknowledgement, Alert, AlertFilter, AlertPage, SpoolState, Told, WatchRun};
pub use audit::{AuditFilter, AuditPage};
pub use backup::{
    BackedUp, BackupError, BackupKey, Manifest, Moved, RestoreOrder, Restored, Term, read_erasures, restore,
};
pub use captures::{CaptureFilter, CapturePage, Disclosure, MOST_REVISITS, Run};
pub use committer::{FinishedProbe, FinishedVisit, Receipt};
pub use copies::LocalCopy;
pub use decisions::{DecisionError, HistoryEntry, NewAnswer, NewProposal, Step};
pub use dossiers::{Dossier, DossierStep, DossierWithdrawal, NewDossier, ReleasedVersion};
pub use element::{Element, ElementKind};
pub use erased::{ErasedCapture, ErasureList};
pub use erasure::{ErasureOrder, ErasurePlan, Taken};
pub use error::Error;
pub use evidence::{Evidence, part};
pub use findings::{Flagged, Scoring};
pub use frontier::{CrawlBatch, CrawlState, FrontierEntry, HostRecord, Priority, TemplateRecord, UriRecord};
pub use holds::Hold;
pub use labels::{Labelling, NewLabel};
pub use log::Head;
pub use logins::{Cookie, CredentialKey};
pub use names::Naming;
pub use notary::{Checkpoint, Notary, Verdict};
pub use request_keys::{KeyedAnswer, KeyedRequest};
pub use retention::{Expired, Keeping, RetentionRun};
pub use room::{Room, Space};
pub use rules::{Rule, RuleChange, RuleKind, RuleText, RuleVersion, SiteReading};
pub use schema::{FORMAT, Kind, Table};
pub use seals::Seal;
pub use sightings::Sightings;
pub use sketches::{ListingSketch, MOST_COUNTED, Mark, Mention, Places, Sketch, folded, is_tie};
pub use store::{Config, DiskUse, Store};
pub use targets::Steering;
pub use verify::{Depth, Finding, Progress, Report};
pub use view_changes::{Affected, ChangeKind, ViewChange};
pub use views::{Analysis, Attempt, Version, VersionPage};
pub use watches::{KeptWatch, NewWatch, WatchChange, WatchState, WatchStep};

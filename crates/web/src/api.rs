//! The shapes on the wire, for the daemon that answers and for programs that ask.

mod backup;
mod capture;
mod custody;
mod document;
mod export;
mod log;
mod problem;
mod schema;
mod search;
mod settings;
mod sightings;
mod status;
mod target;
mod theme;
mod version;

pub use backup::{ErasedCapture, ErasureList, NewBackup};
pub use capture::{Analysis, Capture, CaptureSummary, Captures, Tls};
pub use custody::{
    Done, Erasure, Hold, Holds, NewErasure, NewHold, NewRetentionRun, PendingErasure, PendingErasures, Reason,
    RetentionRun, Seal, Seals,
};
pub use document::{Cue, Document, Link, Observable, PgpKey, PgpKeyPart, Refresh, Spoken};
pub use export::{Export, ExportFile, ExportFormat, ExportSelection, NewExport};
pub use log::{Checkpoint, Checkpoints, Consistency, KeptCheckpoint};
pub use problem::Problem;
pub use search::{Hit, SearchAnswer, Span};
pub use settings::{Cookie, NewDecision, NewLogin, NewTarget, PaceSettings, ScopeSettings, TargetChange};
pub use sightings::{Companion, Sightings};
pub use status::{Crawl, Disk, Health, ProofsOfWork, Status, TargetStatus, ThemeAnalysis, Tor};
pub use target::{Attention, Decision, Login, Pace, Scope, Target, TargetCrawl, TargetDetail, Targets, Trap};
pub use theme::{Theme, Themes};
pub use version::{
    Compared, Comparison, FieldChange, LinkChanges, Naming, NewName, TextChange, TextChanges, Version, VersionDetail,
    Versions,
};

//! The shapes on the wire, for the daemon that answers and for programs that ask.

mod account;
mod audit;
mod backup;
mod capture;
mod custody;
mod decision;
mod document;
mod dossier;
mod export;
mod item;
mod log;
mod problem;
mod rule;
mod schema;
mod search;
mod service;
mod settings;
mod sightings;
mod status;
mod target;
mod theme;
mod version;
mod watch;

pub use account::{
    Account, Accounts, HeldRole, NewAccount, NewPassword, NewRole, NewSession, NewToken, OneTimePassword, OwnAccount,
    RoleGrant, Scope as TokenScope, Token, Tokens, ToldToken,
};
pub use audit::{AuditEntry, AuditPage};
pub use backup::{ErasedCapture, ErasureList, NewBackup};
pub use capture::{Analysis, Capture, CaptureSummary, Captures, Tls};
pub use custody::{
    Done, Erasure, Hold, Holds, NewErasure, NewHold, NewRetentionRun, PendingErasure, PendingErasures, Reason,
    RetentionRun, Seal, Seals,
};
pub use decision::{
    Decision, Ending, FoundIn, HistoryStep, Probe, ProbeResult, ProposalAnswer, ProposalHint, TargetHistory,
    TargetProposal, TargetProposalDetail, TargetProposals, Terms, TermsChange,
};
pub use document::{Cue, Document, Link, Observable, PgpKey, PgpKeyPart, Refresh, Spoken};
pub use dossier::{
    Dossier, DossierAddition, DossierStep, DossierSummary, DossierVersion, DossierWithdrawal, Dossiers, NewDossier,
};
pub use export::{Export, ExportFile, ExportFormat, ExportSelection, NewExport, NewResults};
pub use item::{CalledBy, Item, ItemCapture, PriceRun, Proposal, Proposals, Vendor, VendorKey, VendorPage};
pub use log::{Checkpoint, Checkpoints, Consistency, KeptCheckpoint};
pub use problem::Problem;
pub use rule::{
    Agreement, Contribution, Finding, Findings, FlaggedCapture, FlaggedCaptures, IndicatorTrial, LabelPair, Labelling,
    Labels, MatchedSpan, NewLabel, ProfileTrial, ProfiledPage, Rescored, RescoringReport, Rule, RuleSummary,
    RuleVersion, Rules, ScoringProgress, ThemeLabels,
};
pub use search::{FacetCounts, FacetValue, Hit, SearchAnswer, Similar, SimilarPage, Span};
pub use service::{
    Cluster, Clusters, DifferingElement, NamedBy, PagePair, SeenAt, Service, ServiceElement, ServicePair,
    ServiceSummary, Services, SharedElement,
};
pub use settings::{
    Cookie, DecisionEnd, NewLogin, NewProbe, NewTarget, NewTerms, PaceSettings, Reasons, ScopeSettings, TargetChange,
    TermsSettings,
};
pub use sightings::{Companion, Pivot, Sightings, ThemeSightings};
pub use status::{Crawl, Disk, Health, Memory, ProofsOfWork, Status, TargetStatus, ThemeAnalysis, Tor};
pub use target::{
    Attention, Login, Pace, ProfileDrift, Scope, SourceHealth, SourceState, SourcesHealth, Target, TargetCrawl,
    TargetDetail, Targets, Trap,
};
pub use theme::{Theme, Themes};
pub use version::{
    Compared, Comparison, FieldChange, LinkChanges, Naming, NewName, TextChange, TextChanges, Version, VersionDetail,
    Versions,
};
pub use watch::{
    Acknowledgement, Alert, Alerts, NewAcknowledgement, NewWatch, Spool, Watch, WatchDetail, WatchStep, WatchUpdate,
    Watches,
};

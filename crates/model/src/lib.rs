//! The domain nouns of Nachtwacht: ids, digests, addresses, targets, decisions, captures, documents, outcomes, grants,
//! and the `Clock`.
//!
//! This crate deliberately does no I/O and nothing asynchronous: it says what things *are*. How they are fetched, kept
//! and found is the business of the crates above it.

mod account;
pub mod bytes;
mod capture;
mod clock;
mod decision;
mod digest;
mod document;
mod fields;
mod finding;
mod grant;
mod hex;
mod hint;
mod id;
mod label;
mod observable;
mod onion;
mod outcome;
mod pulse;
mod stem;
mod subject;
mod target;
mod terms;
mod theme;
mod time;
mod uri;
mod watch;
pub mod words;

pub use account::{AccountName, InvalidAccountName, Role, RoleEnd, RoleGrant, UnknownRole};
pub use capture::{Capture, Framing, FramingPiece, Isolation, Secret, TlsFacts, Truncation};
pub use clock::{Clock, ClockSource, ManualClock, SystemClock};
pub use decision::{Answer, Decision, Ending, FoundIn, Matter, Proposal, Verdict};
pub use digest::Digest;
pub use document::{CharsetSource, Cue, Document, FormKind, Link, PageKind, Problem, Refresh, Spoken};
pub use fields::{Field, Fields, ListingFields, Post, Price, ProfileUse, Row, Source, VendorFields};
pub use finding::{Contribution, Finding, Place, Span};
pub use grant::{Authority, Grant, Phase, Purpose};
pub use hint::CrawlHint;
pub use id::{CaptureId, InvalidId, Seq, ServiceId, TargetId, ThemeId, UriId};
pub use label::Label;
pub use observable::{Grade, Observable, ObservableKind, ObservableSettings, PgpKey, PgpKeyPart};
pub use onion::{InvalidOnion, OnionAddress};
pub use outcome::{Malformation, Outcome, Stage, TlsFailure, UnknownOutcome};
pub use pulse::{LongWork, Pulse};
pub use stem::Language;
pub use subject::{InvalidSubject, Subject};
pub use target::{Attention, Target, TargetState};
pub use terms::{
    Credibility, FieldChange, InvalidTerms, MediaPolicy, Pace, Probe, Reliability, RobotsPolicy, Scope, Terms,
};
pub use theme::{Retention, Theme};
pub use time::{InvalidTimestamp, Timestamp};
pub use uri::{Host, InvalidUri, Uri};
pub use watch::{Grouping, QuietHours, TimeOfDay, Trigger, Watch};

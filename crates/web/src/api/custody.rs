use model::{CaptureId, Subject, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A hold to set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHold {
    /// What is held: `capture:17`, `version:17`, `uri:http://…` or `target:00000000000007f3`.
    #[schema(value_type = String, example = "version:17")]
    pub subject: Subject,
    /// Why.
    pub reason: String,
}

/// Why something is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// In a sentence.
    pub reason: String,
}

/// What keeps captures from erasure and retention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    /// The leaf of the evidence log that tells of it, by which it is named.
    pub leaf: u64,
    /// What is held.
    #[schema(value_type = String, example = "version:17")]
    pub subject: Subject,
    /// Who set it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// The holds of a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Holds {
    /// By subject.
    pub holds: Vec<Hold>,
}

/// What was done, as the evidence log tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// The leaves that tell of it; none where there was nothing to do.
    pub leaves: Vec<u64>,
    /// How many captures it concerned.
    pub captures: u64,
}

/// A sealed capture. The decision is pending: to lift the seal, or to erase what it hides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Seal {
    /// The capture.
    #[schema(value_type = String, example = "marketplace/17")]
    pub capture: CaptureId,
    /// The leaf of the evidence log that tells of it.
    pub leaf: u64,
    /// Who set it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// The seals of a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Seals {
    /// By capture.
    pub seals: Vec<Seal>,
}

/// An erasure to carry out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewErasure {
    /// What goes: `capture:17`, `version:17`, `uri:http://…` or `target:00000000000007f3`.
    #[schema(value_type = String, example = "capture:17")]
    pub subject: Subject,
    /// On what ground.
    pub ground: String,
    /// Whether the crawl forgets the URIs of which nothing is left.
    #[serde(default)]
    pub forgets_uris: bool,
    /// Whether to tell only what would go.
    #[serde(default)]
    pub dry_run: bool,
}

/// What an erasure takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Erasure {
    /// How many captures.
    pub captures: u64,
    /// Bytes of payload that they have, counted once for each capture.
    pub payload_bytes: u64,
    /// How many of them are sealed.
    pub sealed: u64,
    /// A capture that is held, because of which nothing is erased.
    #[schema(value_type = Option<String>)]
    pub held: Option<CaptureId>,
    /// The leaves that tell of it; none of a dry run.
    pub leaves: Vec<u64>,
}

/// Erasures and seals that are not carried out to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingErasures {
    /// In order. Nothing of what they took is served.
    pub pending: Vec<PendingErasure>,
    /// Files of exports that hold something erased and could not be deleted: whoever keeps them must do it.
    pub files_left: Vec<String>,
}

/// An erasure, a seal or the lifting of one that is not carried out to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingErasure {
    /// The leaf that tells of it.
    pub leaf: u64,
    /// `erased`, `sealed` or `unsealed`.
    pub change: String,
    /// How many captures it concerns.
    pub captures: u64,
    /// Whether search is right again; what is left is to take the bytes out of files.
    pub views_follow: bool,
}

/// A run of retention to carry out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRetentionRun {
    /// Whether to tell only what would go.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a run of retention takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetentionRun {
    /// Days that content is kept; none where it is kept for good.
    pub content_days: Option<u32>,
    /// Days that captures without content are kept; none where they are kept for good.
    pub attempts_days: Option<u32>,
    /// Captures with content that go.
    pub content: u64,
    /// Bytes of payload that these have, counted once for each capture.
    pub content_bytes: u64,
    /// Captures without content that go.
    pub attempts: u64,
    /// Captures that a hold keeps.
    pub held: u64,
    /// Captures that wait under a seal for a decision.
    pub sealed: u64,
    /// The leaves that tell of it; none of a dry run.
    pub leaves: Vec<u64>,
}

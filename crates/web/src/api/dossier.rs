use model::{CaptureId, Timestamp, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Versions to be released to somebody's operational use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDossier {
    /// What people call it.
    #[schema(example = "Ship lanterns, June")]
    pub title: String,
    /// What for.
    pub purpose: String,
    /// To whom: the name of an account or of a unit.
    pub recipient: String,
    /// What else is to be said.
    #[serde(default)]
    pub note: Option<String>,
    /// The versions, each named by the sequence of any of its captures; at least one.
    pub versions: Vec<u64>,
}

/// Versions to be released in a dossier that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DossierAddition {
    /// The versions, each named by the sequence of any of its captures; at least one. One that the dossier holds already reaches as far as it does now.
    pub versions: Vec<u64>,
    /// What else is to be said.
    #[serde(default)]
    pub note: Option<String>,
}

/// A dossier, without what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DossierSummary {
    /// The leaf of the evidence log that tells that it was released, which is its name.
    pub id: u64,
    /// What people call it.
    pub title: String,
    /// What for.
    pub purpose: String,
    /// To whom.
    pub recipient: String,
    /// Who released it.
    pub released_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub released_at: Timestamp,
    /// What else was said.
    pub note: Option<String>,
    /// How many versions it holds.
    pub versions: u64,
    /// That it was withdrawn, so that nothing is read through it any more; null where it was not.
    pub withdrawn: Option<DossierWithdrawal>,
}

/// That a dossier was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DossierWithdrawal {
    /// The leaf of the evidence log that tells of it.
    pub leaf: u64,
    /// Who.
    pub who: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A page of dossiers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dossiers {
    /// The newest first.
    pub dossiers: Vec<DossierSummary>,
    /// What the next page begins with, if there is one.
    pub next: Option<u64>,
}

/// A dossier, with what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dossier {
    /// What it is.
    pub dossier: DossierSummary,
    /// What it holds, in the order in which it was released; nothing where it was withdrawn.
    pub versions: Vec<DossierVersion>,
    /// Everything that was done to it, in order.
    pub history: Vec<DossierStep>,
}

/// A version in a dossier: its captures, as they were when it was released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DossierVersion {
    /// The version: theme and sequence of its first capture.
    #[schema(value_type = String, example = "marketplace/17")]
    pub version: CaptureId,
    /// What was asked for; null where none of its captures is left.
    #[schema(value_type = Option<String>)]
    pub uri: Option<Uri>,
    /// Those of its captures that are neither erased nor sealed, in order.
    #[schema(value_type = Vec<String>)]
    pub captures: Vec<CaptureId>,
    /// The leaf of the evidence log that tells of its release.
    pub leaf: u64,
    /// The leaf of a hold that keeps it as long as it is there. A release is no hold.
    pub held_by: Option<u64>,
    /// When a run of retention takes it, unless it is held, or seen again before; null where its theme keeps it for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub kept_until: Option<Timestamp>,
}

/// What was done to a dossier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DossierStep {
    /// The leaf of the evidence log that tells of it.
    pub leaf: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `released`, `added` or `withdrawn`.
    pub change: String,
    /// The versions that it is about, by their first captures, as in `3,7-12`; null where it is about all.
    pub versions: Option<String>,
    /// Who; null when that has been erased.
    pub who: Option<String>,
    /// What was said: a note, or why; null where nothing was, or that has been erased.
    pub note: Option<String>,
}

use std::path::PathBuf;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A backup to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackup {
    /// The directory of backups, an absolute path; it is made where it is missing.
    #[schema(value_type = String)]
    pub to: PathBuf,
    /// How many days it may be restored; after that it is refused, and the next backup deletes it.
    pub keep_days: u32,
}

/// What was erased of the log, as far as it had grown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureList {
    /// When the list was made.
    #[schema(value_type = String, format = DateTime)]
    pub exported_at: Timestamp,
    /// The leaves of the log at that time.
    pub leaves: u64,
    /// What was erased.
    pub captures: Vec<ErasedCapture>,
}

/// A capture that was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasedCapture {
    /// The capture, as `theme/sequence`.
    pub capture: String,
    /// Its leaf.
    pub leaf: u64,
    /// The leaf of the act that erased it.
    pub erasure: u64,
}

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A signed state of the evidence log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checkpoint {
    /// The number of leaves.
    pub size: u64,
    /// When it was signed.
    #[schema(value_type = String, format = DateTime)]
    pub signed_at: Timestamp,
    /// How many time-stamps are kept with it.
    pub timestamps: usize,
    /// The signed note (C2SP tlog-checkpoint).
    pub note: String,
}

/// Signed states of the evidence log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checkpoints {
    /// The newest first.
    pub checkpoints: Vec<Checkpoint>,
    /// The keys that signed them (C2SP signed-note verifier keys), the present one last.
    pub keys: Vec<String>,
}

/// A checkpoint that was kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeptCheckpoint {
    /// The signed note.
    pub checkpoint: String,
}

/// Whether the log continues what a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consistency {
    /// Whether it does.
    pub holds: bool,
    /// In a sentence.
    pub verdict: String,
}

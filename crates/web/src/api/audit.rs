use std::collections::BTreeMap;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// The leaves in the log; told to an auditor of the house.
    pub size: Option<u64>,
    /// The root hash of the log; told to an auditor of the house.
    pub root: Option<String>,
    /// What was found, the newest first.
    pub entries: Vec<AuditEntry>,
    /// What to give as `before` for the next page, if there may be more.
    pub next: Option<u64>,
}

/// A leaf of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// The index of the leaf.
    pub leaf: u64,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `access`: something was asked for; `account`: an account changed.
    pub kind: String,
    /// What is known for ever: who, what was asked for, with which answer, and whatever else it concerns.
    #[schema(value_type = BTreeMap<String, Value>)]
    pub facts: BTreeMap<String, Value>,
    /// What is known for a time: the text of a question, a purpose. The leaf commits to it.
    pub texts: BTreeMap<String, String>,
    /// The names of what the leaf commits to, also where the text is forgotten.
    pub commits_to: Vec<String>,
}

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was not answered as asked (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The kind of problem, for programs: a tag URI (RFC 4151).
    #[serde(rename = "type")]
    #[schema(example = "tag:nachtwacht,2026:bad-query")]
    pub kind: String,
    /// The kind of problem, for people.
    pub title: String,
    /// The status code of the answer.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// Of a search query: the place, in characters, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// Of a daemon that is not ready: what it still lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub missing: Vec<String>,
}

//! What people hand in: new targets, changes, decisions, logins. A field that is not known is refused.

use std::fmt;

use model::{RobotsPolicy, Timestamp, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema;

/// A target to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTarget {
    /// What people call it.
    pub name: String,
    /// Where the crawl begins; at least one.
    #[schema(value_type = Vec<String>)]
    pub seeds: Vec<Uri>,
    /// What belongs to it.
    #[serde(default)]
    pub scope: ScopeSettings,
    /// How fast it is crawled.
    #[serde(default)]
    pub pace: PaceSettings,
    /// The grounds, without which nothing is crawled.
    pub decision: NewDecision,
}

/// A change of a target; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TargetChange {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the crawl begins; at least one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub seeds: Option<Vec<Uri>>,
    /// What belongs to it.
    pub scope: ScopeSettings,
    /// How fast it is crawled.
    pub pace: PaceSettings,
}

/// What belongs to a target. What is left out has its default in a new target, and stays in a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScopeSettings {
    /// Hosts that belong to it beside those of the seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// Patterns over path and query of which at least one must match, unless there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<Vec<String>>,
    /// Patterns over path and query of which none may match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Vec<String>>,
    /// The greatest number of links from a seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_depth: Option<u16>,
    /// The greatest number of captures a UTC day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages_per_day: Option<u32>,
}

/// How fast a target is crawled. What is left out has its default in a new target, and stays in a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PaceSettings {
    /// The least time between two requests to one service, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u32>,
    /// The greatest number of requests in flight to one service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u16>,
    /// The shortest time until a page that changes is visited again, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revisit_min_s: Option<u32>,
    /// The longest time until a page that never changes is visited again, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revisit_max_s: Option<u32>,
}

/// The grounds on which a target is crawled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    /// Why this source: what it is expected to add.
    pub grounds: String,
    /// The provision that the crawl rests on.
    pub legal_basis: String,
    /// Who decided.
    pub author: String,
    /// The moment at which it lapses, in the future.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// Whether `robots.txt` is only recorded, or binds.
    #[serde(default)]
    #[schema(schema_with = schema::robots, required = false)]
    pub robots: RobotsPolicy,
    /// Whether hosts of the clear net that are in scope may be reached through a Tor exit.
    #[serde(default)]
    pub allows_exit: bool,
    /// Whether the service's demand for a proof of work may be met.
    #[serde(default)]
    pub allows_proof_of_work: bool,
    /// Whether validators may be sent; an `ETag` is also a tracking cookie.
    #[serde(default)]
    pub allows_conditional_requests: bool,
}

/// A session that a person hands over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLogin {
    /// Its cookies; at least one.
    pub cookies: Vec<Cookie>,
}

/// A cookie (RFC 6265). Its value is kept encrypted, and is never told again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value, a secret.
    #[schema(write_only)]
    pub value: String,
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cookie({}=…)", self.name)
    }
}

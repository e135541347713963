//! What people hand in: proposals, changes, answers, logins. A field that is not known is refused.

use std::fmt;

use model::{Credibility, MediaPolicy, Reliability, RobotsPolicy, Timestamp, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::FoundIn;

/// A target to watch, as somebody proposes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTarget {
    /// What people call it.
    pub name: String,
    /// Why it should be watched, what of it, how, and until when.
    pub terms: TermsSettings,
    /// Where it was come by.
    #[serde(default)]
    pub found_in: Option<FoundIn>,
}

/// A change of what was decided about a target, as somebody proposes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTerms {
    /// What is to be another; what is left out stays. Of a target on which nothing was decided: as it was last proposed.
    pub terms: TermsSettings,
    /// Where it was come by.
    #[serde(default)]
    pub found_in: Option<FoundIn>,
}

/// A page to look at once, as somebody proposes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProbe {
    /// The page.
    #[schema(value_type = String)]
    pub uri: Uri,
    /// What points to it.
    pub grounds: String,
    /// The provision that the fetch rests on.
    pub legal_basis: String,
    /// Whether it may be reached through a Tor exit.
    #[serde(default)]
    pub allows_exit: bool,
    /// The moment at which the leave lapses: a week from now, where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
}

/// Why somebody answers a proposal as he does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reasons {
    /// Why.
    pub reasons: String,
}

/// The end of a decision before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionEnd {
    /// The number of the decision.
    pub decision: u32,
    /// Why it ends.
    pub reasons: String,
}

/// A change of a target that needs no decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetChange {
    /// What people call it.
    pub name: String,
}

/// What is decided about a source. In a change, what is left out stays. In a first proposal, `seeds`, `grounds`, `expected_value`, `legal_basis`, `necessity`,
/// `proportionality`, `review_at` and `ends_at` are needed, and the others have their defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TermsSettings {
    /// Where the crawl begins; at least one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub seeds: Option<Vec<Uri>>,
    /// What belongs to the target.
    pub scope: ScopeSettings,
    /// How fast it is crawled.
    pub pace: PaceSettings,
    /// What points to this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grounds: Option<String>,
    /// What it is expected to add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_value: Option<String>,
    /// The provision that the crawl rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// Why the same cannot be had by lesser means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub necessity: Option<String>,
    /// Why the intrusion is in proportion to what is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proportionality: Option<String>,
    /// How far the source can be relied on: the letter of the Admiralty code, from `A` to `F`. `F`, it cannot be judged, where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "C")]
    pub reliability: Option<Reliability>,
    /// How far what it says can be believed: the digit of the Admiralty code, from 1 to 6. 6, it cannot be judged, where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u8>, minimum = 1, maximum = 6)]
    pub credibility: Option<Credibility>,
    /// Whether images are fetched: `text-only` or `text-and-images`. They are not, where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "text-only")]
    pub media: Option<MediaPolicy>,
    /// What `robots.txt` means: `record` or `obey`. It is recorded, where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "record")]
    pub robots: Option<RobotsPolicy>,
    /// Whether hosts of the clear net that are in scope may be reached through a Tor exit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allows_exit: Option<bool>,
    /// Whether the service's demand for a proof of work may be met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allows_proof_of_work: Option<bool>,
    /// Whether validators may be sent; an `ETag` is also a tracking cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allows_conditional_requests: Option<bool>,
    /// How long content is kept, in days, which must be shorter than the theme says; 0 for as long as the theme says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// When a person must look at it again: in the future, and not after the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub review_at: Option<Timestamp>,
    /// The moment at which the decision lapses, in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
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

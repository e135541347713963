use model::{Outcome, Seq, TargetId, TargetState, ThemeId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Decision, TargetProposal, schema};

/// The targets of a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Targets {
    /// In order of id.
    pub targets: Vec<Target>,
}

/// A watched service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Target {
    /// Its theme.
    #[schema(value_type = String)]
    pub theme: ThemeId,
    /// Its id: 16 hexadecimal digits.
    #[schema(value_type = String)]
    pub id: TargetId,
    /// What people call it.
    pub name: String,
    /// When it was first proposed.
    #[schema(value_type = String, format = DateTime)]
    pub added_at: Timestamp,
    /// What people want of it.
    #[schema(schema_with = schema::target_state)]
    pub state: TargetState,
    /// Why the crawl stopped by itself and waits for a person, if it does.
    pub attention: Option<Attention>,
    /// The decisions, the earliest first. Of those on crawling the last one counts.
    pub decisions: Vec<Decision>,
    /// The number of the decision that is in force now; without one nothing is fetched.
    pub decision_in_force: Option<u32>,
    /// The state of the crawl.
    pub crawl: TargetCrawl,
}

/// A target, and what is only told of one at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetDetail {
    /// The target.
    #[serde(flatten)]
    pub target: Target,
    /// The proposals that await an answer, the earliest first.
    pub open_proposals: Vec<TargetProposal>,
    /// The session that was handed over, if one was.
    pub login: Option<Login>,
    /// Shapes of URIs that turned out to be crawler traps; at most 100.
    pub traps: Vec<Trap>,
    /// Site profiles that do not fit any more: the site has changed, and a profile must follow.
    pub drifts: Vec<ProfileDrift>,
}

/// That a site has drifted from its profile: most of its newest pages that the profile should read lack something that it requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProfileDrift {
    /// The profile.
    pub profile: String,
    /// On how many of the newest pages of the target something required is missing.
    pub missed: u64,
    /// How many of the newest pages the profile should read.
    pub of: u64,
    /// The newest capture that shows it.
    #[schema(value_type = u64)]
    pub seen_in: Seq,
}

/// Why a target waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attention {
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// In a sentence.
    pub reason: String,
    /// The sequence of the capture that shows it.
    #[schema(value_type = Option<u64>)]
    pub seen_in: Option<Seq>,
}

/// What belongs to a target. The hosts of its seeds always do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scope {
    /// Further hosts.
    pub hosts: Vec<String>,
    /// Patterns over path and query of which at least one must match, unless there are none.
    pub include: Vec<String>,
    /// Patterns over path and query of which none may match.
    pub exclude: Vec<String>,
    /// The greatest number of links from a seed.
    pub max_depth: u16,
    /// The greatest number of captures a UTC day.
    pub pages_per_day: u32,
}

/// How fast a target is crawled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pace {
    /// The least time between two requests to one service, in milliseconds.
    pub delay_ms: u32,
    /// The greatest number of requests in flight to one service.
    pub concurrency: u16,
    /// The shortest time until a page that changes is visited again, in seconds.
    pub revisit_min_s: u32,
    /// The longest time until a page that never changes is visited again, in seconds.
    pub revisit_max_s: u32,
}

/// The state of the crawl of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetCrawl {
    /// Visits that have begun and are not recorded yet.
    pub in_flight: usize,
    /// Visits owed, due or not.
    pub queued: u64,
    /// Whether nothing is in flight and nothing is due.
    pub is_idle: bool,
    /// Captures ever.
    pub captures: u64,
    /// How the last attempt ended.
    #[schema(value_type = Option<String>, example = "Ok")]
    pub last_outcome: Option<Outcome>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_at: Option<Timestamp>,
    /// Why nothing is fetched at present, if so.
    pub waits_because: Option<String>,
    /// Since when a person should have looked at the decision in force again, if that is overdue. The crawl goes on.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub review_overdue: Option<Timestamp>,
}

/// What may be told of a session that was handed over: never a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Login {
    /// How many cookies it has.
    pub count: usize,
    /// Their names.
    pub names: Vec<String>,
    /// Whether it can be used: false when it was kept under another credential key.
    pub is_usable: bool,
}

/// A shape of URIs (numbers and tokens aside) of which some were refused, because there was no end of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trap {
    /// The shape.
    pub template: String,
    /// URIs of it that were admitted.
    pub admitted: u32,
    /// URIs of it that were refused.
    pub refused: u32,
}

/// How the sources of a theme are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourcesHealth {
    /// How many a person should look at.
    pub need_attention: u64,
    /// Every source, those first that a person should look at.
    pub sources: Vec<SourceHealth>,
}

/// How a source is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceHealth {
    /// The id of the target.
    #[schema(value_type = String)]
    pub id: TargetId,
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: SourceState,
    /// Why, in plain words.
    pub cause: String,
    /// Since when, as far as the newest attempts tell; of one that is well, its last attempt.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
}

/// How a source is, in the order in which it should be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceState {
    /// The crawl has stopped until a person has looked, such as at a challenge or a login that has lapsed.
    Attention,
    /// Nothing comes.
    Failing,
    /// Pages come, and fit the profile that reads them no more.
    Drifted,
    /// Nothing is asked for at present.
    Waiting,
    /// It goes on, and its decision should be looked at again.
    ReviewOverdue,
    /// What is asked for comes.
    Well,
}

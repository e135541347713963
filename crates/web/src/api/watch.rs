use model::{CaptureId, Grouping, QuietHours, Seq, Timestamp, Trigger};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A watch to be kept: a saved query that tells when something matches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWatch {
    /// What people call it.
    #[schema(example = "ship lanterns")]
    pub name: String,
    /// Why it is kept.
    pub reason: String,
    /// The purpose or the number of the case that it serves.
    #[serde(default)]
    pub purpose: Option<String>,
    /// What to look for: the parameters of a search, as `GET /themes/{theme}/search` takes them, without those that say which page of which answer.
    #[schema(example = "q=%22ship+lantern%22&kind=listing")]
    pub query: String,
    /// What makes it run: `arrival` (each time the index has come further), `every:30` (minutes), or `daily:06:30` (UTC).
    #[schema(value_type = String, example = "arrival")]
    pub trigger: Trigger,
    /// What one alert is about: a `hit`, a `uri`, a `target`, or all that a `run` found.
    #[schema(value_type = String, example = "uri")]
    pub grouping: Grouping,
    /// Hours of each day, in UTC, in which it waits, so that nobody is told: `22:00-06:00`. What matches meanwhile is told afterwards.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "22:00-06:00")]
    pub quiet: Option<QuietHours>,
    /// Whether it rests. What matches meanwhile is told when it goes on.
    #[serde(default)]
    pub is_paused: bool,
}

/// What a watch is to become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchUpdate {
    /// All of it.
    pub watch: NewWatch,
    /// Why it is changed.
    pub reason: String,
    /// The version that whoever changes it has seen: refused when another one came since. Absent: whatever is there.
    #[serde(default)]
    pub replaces: Option<u64>,
}

/// A watch, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Watch {
    /// The leaf of the evidence log that tells that it was made, which is its name.
    pub id: u64,
    /// The leaf that tells what it is now.
    pub version: u64,
    /// What people call it.
    pub name: String,
    /// Whose it is: whoever wrote it last. It runs under their grant, as it is at that moment.
    pub owner: String,
    /// Why it is kept.
    pub reason: String,
    /// The purpose or the number of the case that it serves.
    pub purpose: Option<String>,
    /// What it looks for.
    pub query: String,
    /// What makes it run.
    #[schema(value_type = String)]
    pub trigger: Trigger,
    /// What one alert is about.
    #[schema(value_type = String)]
    pub grouping: Grouping,
    /// When it waits.
    #[schema(value_type = Option<String>)]
    pub quiet: Option<QuietHours>,
    /// Whether it rests.
    pub is_paused: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
    /// Every capture up to this one was looked at.
    #[schema(value_type = u64)]
    pub looked_at_up_to: Seq,
    /// When it ran last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ran_at: Option<Timestamp>,
    /// How many captures matched then.
    pub hits: u64,
    /// Whether that run was full, so that the next one goes on at once.
    pub has_more: bool,
    /// When it runs next; null where that is not a matter of time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// Why it does not run at present; null where nothing keeps it. Nothing is lost: it goes on from where it was.
    pub waits_because: Option<String>,
}

/// The watches of a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Watches {
    /// The oldest first.
    pub watches: Vec<Watch>,
    /// How the files of their alerts are.
    pub spool: Spool,
}

/// How the spool directory is, to which alerts are also written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Spool {
    /// Whether there is one.
    pub is_on: bool,
    /// How many alerts are not written yet.
    pub waiting: u64,
    /// Why the next one could not be written; it is tried again.
    pub problem: Option<String>,
}

/// A watch with its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchDetail {
    /// The watch.
    pub watch: Watch,
    /// Everything that was done to it, in order.
    pub history: Vec<WatchStep>,
}

/// What was done to a watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchStep {
    /// The leaf of the evidence log that tells of it.
    pub leaf: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `made`, `changed` or `deleted`.
    pub change: String,
    /// Who; null when that has been erased.
    pub who: Option<String>,
    /// Why; null when that has been erased.
    pub reason: Option<String>,
    /// What it became, but for its state; null where it was deleted, or that has been erased.
    #[schema(value_type = Option<Object>)]
    pub watch: Option<model::Watch>,
}

/// What a watch found. It tells which captures, and nothing of what they say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Its place among the alerts of the theme, in the order in which they came.
    pub alert: u64,
    /// An id that never changes, which also names its file in the spool directory.
    #[schema(example = "marketplace-17-21-345")]
    pub id: String,
    /// The watch.
    pub watch: u64,
    /// The version of the watch that found it.
    pub version: u64,
    /// What the watch was called then.
    pub name: String,
    /// Whose it was.
    pub owner: String,
    /// What the alert is about.
    #[schema(value_type = String)]
    pub grouping: Grouping,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How many captures it is about, without sealed ones.
    pub count: u64,
    /// How many of them were erased since.
    pub erased: u64,
    /// The others, in order; in a list at most 100 of them.
    #[schema(value_type = Vec<String>)]
    pub captures: Vec<CaptureId>,
    /// Whether the run had not looked at everything yet, so that more may follow at once.
    pub has_more: bool,
    /// That somebody has seen to it; null as long as nobody has.
    pub acknowledged: Option<Acknowledgement>,
}

/// That somebody has seen to an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledgement {
    /// Who.
    pub who: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What else was said.
    pub note: Option<String>,
}

/// What to say of an alert that one has seen to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAcknowledgement {
    /// What else is to be said.
    #[serde(default)]
    pub note: Option<String>,
}

/// A page of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alerts {
    /// The newest first; or, where `after` was given, in the order in which they came.
    pub alerts: Vec<Alert>,
    /// What the next page begins with: to be given as `from`, or as `after`. Null where there is no more. A page may be short, or empty, though there
    /// is more.
    pub next: Option<u64>,
    /// The number of the newest alert of the theme when it was asked; 0 before the first. Where there is no `next`, whoever follows what comes goes on after
    /// this one, or after the last one told, whichever is later.
    pub newest: u64,
}

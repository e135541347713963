use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Decision, TargetId, ThemeId, Timestamp, Uri};

/// A watched service and its policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its id.
    pub id: TargetId,
    /// The theme that everything captured from it belongs to.
    pub theme: ThemeId,
    /// What people call it.
    pub name: String,
    /// When it was added.
    pub added_at: Timestamp,
    /// Where a crawl begins.
    pub seeds: Vec<Uri>,
    /// What belongs to it.
    pub scope: Scope,
    /// How fast it is crawled.
    pub pace: Pace,
    /// The grounds; the last one counts, the earlier ones are its history.
    pub decisions: Vec<Decision>,
    /// What people want of it.
    pub state: TargetState,
    /// Why the crawler stopped by itself and waits for a person.
    pub attention: Option<Attention>,
    /// Advances when circuits must not be shared with what went before: after an overrun, or a new login.
    pub epoch: u32,
}

impl Target {
    /// The decision in force at `now`, if any.
    pub fn decision_in_force(&self, now: Timestamp) -> Option<&Decision> {
        self.decisions.last().filter(|decision| decision.is_in_force(now))
    }

    /// Whether the crawler may fetch for this target at `now`.
    pub fn is_crawlable(&self, now: Timestamp) -> bool {
        self.state == TargetState::Active && self.attention.is_none() && self.decision_in_force(now).is_some()
    }
}

/// What people want of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetState {
    /// It is crawled while a decision is in force.
    Active,
    /// It rests; its frontier is kept.
    Paused,
    /// It is finished with; what was captured stays.
    Retired,
}

/// Why a target waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// Since when.
    pub since: Timestamp,
    /// In a sentence.
    pub reason: String,
    /// The sequence of the capture that shows it.
    pub seen_in: Option<crate::Seq>,
}

/// What belongs to a target. The hosts of its seeds always do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// Further hosts that belong to it.
    pub hosts: Vec<String>,
    /// Patterns over the path and query of which at least one must match, unless there are none.
    pub include: Vec<String>,
    /// Patterns over the path and query of which none may match.
    pub exclude: Vec<String>,
    /// The greatest number of links from a seed.
    pub max_depth: u16,
    /// The greatest number of captures a UTC day.
    pub pages_per_day: u32,
}

impl Default for Scope {
    fn default() -> Self {
        Self { hosts: Vec::new(), include: Vec::new(), exclude: Vec::new(), max_depth: 64, pages_per_day: 50_000 }
    }
}

/// How fast a target is crawled. Politeness is the strictest of what the service's targets ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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

impl Pace {
    /// The least time between two requests to one service.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.into())
    }

    /// The bounds of the time between two visits.
    pub fn revisit(&self) -> (Duration, Duration) {
        (Duration::from_secs(self.revisit_min_s.into()), Duration::from_secs(self.revisit_max_s.into()))
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self { delay_ms: 2_000, concurrency: 2, revisit_min_s: 6 * 3_600, revisit_max_s: 14 * 86_400 }
    }
}

/// What is wrong with a target that somebody wants to add or change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// A field that must say something says nothing.
    #[error("{0} must not be empty")]
    Empty(&'static str),
    /// A number is outside its bounds.
    #[error("{0}")]
    OutOfBounds(&'static str),
    /// A seed lies on the clear net, and the decision does not allow the exit.
    #[error("seed {0} is on the clear net, and the decision does not allow the exit")]
    ExitNotAllowed(Uri),
}

impl Target {
    /// Checks what can be checked without a store.
    pub fn validate(&self) -> Result<(), InvalidTarget> {
        let decision = self.decisions.last().ok_or(InvalidTarget::Empty("decision"))?;
        let texts = [
            ("name", &self.name),
            ("grounds", &decision.grounds),
            ("legal basis", &decision.legal_basis),
            ("author", &decision.author),
        ];
        if let Some((what, _)) = texts.into_iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(InvalidTarget::Empty(what));
        }
        if self.seeds.is_empty() {
            return Err(InvalidTarget::Empty("seeds"));
        }
        if decision.ends_at <= decision.made_at {
            return Err(InvalidTarget::OutOfBounds("the decision's end date is not in the future"));
        }
        if self.pace.concurrency == 0 || self.pace.concurrency > 64 {
            return Err(InvalidTarget::OutOfBounds("concurrency must be from 1 to 64"));
        }
        if self.pace.revisit_min_s == 0 || self.pace.revisit_min_s > self.pace.revisit_max_s {
            return Err(InvalidTarget::OutOfBounds("revisit_min_s must be from 1 to revisit_max_s"));
        }
        let exit = |seed: &&Uri| matches!(seed.host(), crate::Host::ClearNet(_));
        match self.seeds.iter().find(exit) {
            Some(seed) if !decision.allows_exit => Err(InvalidTarget::ExitNotAllowed(seed.clone())),
            _ => Ok(()),
        }
    }
}

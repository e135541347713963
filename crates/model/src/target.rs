use serde::{Deserialize, Serialize};

use crate::{Decision, Matter, Pace, Probe, TargetId, Terms, ThemeId, Timestamp};

/// A watched service. What may be fetched of it, and how, is for its decisions to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its id.
    pub id: TargetId,
    /// The theme that everything captured from it belongs to.
    pub theme: ThemeId,
    /// What people call it.
    pub name: String,
    /// When it was first proposed.
    pub added_at: Timestamp,
    /// The decisions, the earliest first. Of those on crawling the last one counts, the earlier ones are its history.
    pub decisions: Vec<Decision>,
    /// What people want of it.
    pub state: TargetState,
    /// Why the crawler stopped by itself and waits for a person.
    pub attention: Option<Attention>,
    /// Advances when circuits must not be shared with what went before: after an overrun, or a new login.
    pub epoch: u32,
}

impl Target {
    /// The last decision on crawling, in force or not, with its terms.
    pub fn last_decision(&self) -> Option<(&Decision, &Terms)> {
        self.decisions.iter().rev().find_map(|decision| Some((decision, decision.terms()?)))
    }

    /// The decision on crawling that is in force at `now`, if any, with its terms.
    pub fn decision_in_force(&self, now: Timestamp) -> Option<(&Decision, &Terms)> {
        self.last_decision().filter(|(decision, _)| decision.is_in_force(now))
    }

    /// What was last decided about crawling.
    pub fn terms(&self) -> Option<&Terms> {
        self.last_decision().map(|(_, terms)| terms)
    }

    /// The pace that was last decided; the default one where nothing was.
    pub fn pace(&self) -> Pace {
        self.terms().map(|terms| terms.pace).unwrap_or_default()
    }

    /// The probes that were decided.
    pub fn probes(&self) -> impl Iterator<Item = (&Decision, &Probe)> {
        self.decisions.iter().filter_map(|decision| match &decision.matter {
            Matter::Probe(probe) => Some((decision, probe)),
            Matter::Crawl(_) => None,
        })
    }

    /// Whether the crawler may fetch for this target at `now`, probes aside.
    pub fn is_crawlable(&self, now: Timestamp) -> bool {
        self.state == TargetState::Active && self.attention.is_none() && self.decision_in_force(now).is_some()
    }

    /// Since when a person should have looked at the decision in force again, if that is overdue at `now`.
    pub fn review_overdue(&self, now: Timestamp) -> Option<Timestamp> {
        let (_, terms) = self.decision_in_force(now).filter(|_| self.state != TargetState::Retired)?;
        (terms.review_at <= now).then_some(terms.review_at)
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

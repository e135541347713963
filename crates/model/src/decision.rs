use serde::{Deserialize, Serialize};

use crate::{Probe, Seq, TargetId, Terms, Timestamp, Uri};

/// What is proposed, and decided: to watch a target on certain terms, or to look at one page once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matter {
    /// To crawl the target.
    Crawl(Box<Terms>),
    /// To fetch one page.
    Probe(Probe),
}

impl Matter {
    /// The word for it in the evidence log.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Crawl(_) => "crawl",
            Self::Probe(_) => "probe",
        }
    }

    /// When a decision on it lapses.
    pub fn ends_at(&self) -> Timestamp {
        match self {
            Self::Crawl(terms) => terms.ends_at,
            Self::Probe(probe) => probe.ends_at,
        }
    }

    /// Checks what can be checked without a theme, for a decision that would begin at `now`.
    pub fn validate(&self, now: Timestamp) -> Result<(), crate::InvalidTerms> {
        match self {
            Self::Crawl(terms) => terms.validate(now),
            Self::Probe(probe) => probe.validate(now),
        }
    }

    /// The hosts that it is about.
    pub fn hosts(&self) -> Vec<String> {
        match self {
            Self::Crawl(terms) => terms.hosts(),
            Self::Probe(probe) => vec![probe.uri.host().to_string()],
        }
    }
}

/// A proposal that a second person approved (R10, R27, R30). Without one in force nothing is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Counted from 1 per target; a change is a new decision. Captures name the one that they were made under.
    pub number: u32,
    /// The proposal, by its leaf.
    pub proposal: u64,
    /// Who proposed it.
    pub proposed_by: String,
    /// Who approved it: never the one who proposed it.
    pub approved_by: String,
    /// Why.
    pub reasons: String,
    /// When it was approved, and came into force.
    pub made_at: Timestamp,
    /// What was decided.
    pub matter: Matter,
    /// Its end before its time, if somebody ended it.
    pub ended: Option<Ending>,
}

/// The end that an approver made of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Decision {
    /// Whether the decision is in force at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.made_at <= now && now < self.matter.ends_at() && self.ended.is_none()
    }

    /// What it says of crawling, if it is about that.
    pub fn terms(&self) -> Option<&Terms> {
        match &self.matter {
            Matter::Crawl(terms) => Some(terms),
            Matter::Probe(_) => None,
        }
    }
}

/// What somebody proposes, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The leaf of the act, which names it.
    pub leaf: u64,
    /// The target.
    pub target: TargetId,
    /// What is proposed.
    pub matter: Matter,
    /// Who proposed it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Where the source was come by.
    pub found_in: Option<FoundIn>,
    /// The decision on crawling that was the last one then; it is the one to be replaced.
    pub replaces: Option<u32>,
    /// What became of it; nothing yet where it is open.
    pub answer: Option<Answer>,
}

/// Where a source was come by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FoundIn {
    /// A capture of the theme that shows it.
    pub capture: Option<Seq>,
    /// The service that names it, or whose mirror or copy it seems to be.
    pub service: Option<String>,
    /// The link, as the capture has it.
    pub link: Option<Uri>,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The leaf of the act.
    pub leaf: u64,
    /// Which answer.
    pub verdict: Verdict,
    /// Who gave it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reasons: String,
}

/// An answer to a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It became the decision of this number.
    Approved(u32),
    /// A second person refused it.
    Rejected,
    /// Whoever proposed it took it back.
    Withdrawn,
}

impl Verdict {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved(_) => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }
}

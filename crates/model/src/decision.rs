use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The recorded grounds on which a target is crawled (R10, R27, R30). Without one in force nothing is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Counted from 1 per target; a change is a new decision.
    pub number: u32,
    /// Why this source: what it is expected to add.
    pub grounds: String,
    /// The provision that the crawl rests on.
    pub legal_basis: String,
    /// Who decided.
    pub author: String,
    /// When it was recorded.
    pub made_at: Timestamp,
    /// The moment at which it lapses.
    pub ends_at: Timestamp,
    /// Whether `robots.txt` binds or is only recorded.
    pub robots: RobotsPolicy,
    /// Whether hosts of the clear net that are in scope may be reached through a Tor exit.
    pub allows_exit: bool,
    /// Whether the service's demand for a proof of work may be met.
    pub allows_proof_of_work: bool,
    /// Whether validators may be sent (`If-None-Match`); an `ETag` is also a tracking cookie.
    pub allows_conditional_requests: bool,
}

impl Decision {
    /// Whether the decision is in force at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.made_at <= now && now < self.ends_at
    }
}

/// What a site's `robots.txt` (RFC 9309) means for the crawl. It is fetched and kept in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RobotsPolicy {
    /// Kept as evidence; it binds nobody.
    #[default]
    Record,
    /// Its rules for every agent bind.
    Obey,
}

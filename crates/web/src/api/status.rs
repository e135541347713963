use model::{Seq, TargetId, ThemeId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TargetCrawl;

/// That the daemon lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `alive` or `ready`.
    pub status: String,
}

/// How the daemon is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The version of the program.
    pub version: String,
    /// How long it has been serving, in seconds.
    pub uptime_s: u64,
    /// The Tor client.
    pub tor: Tor,
    /// The crawl.
    pub crawl: Crawl,
    /// The analysis of each theme.
    pub analysis: Vec<ThemeAnalysis>,
    /// Themes of them in which nobody may approve at present, so that nothing new is crawled.
    #[schema(value_type = Vec<String>)]
    pub without_approver: Vec<ThemeId>,
    /// Space on disk.
    pub disk: Disk,
    /// Memory of the process.
    pub memory: Memory,
}

/// How ready the Tor client is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tor {
    /// Progress of the bootstrap, from 0 to 100.
    pub percent: u8,
    /// Whether a connection can be opened now.
    pub is_ready: bool,
    /// What stands in the way, as far as that is known.
    pub blocked_because: Option<String>,
    /// How many attempts to bootstrap have failed.
    pub failed_attempts: u32,
    /// The work that services have demanded, in all themes; told to an administrator.
    pub proofs_of_work: Option<ProofsOfWork>,
}

/// How many proofs of work have been made since the daemon began, for targets whose decision allows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofsOfWork {
    /// Attempts to connect that wait for their turn.
    pub waiting: u32,
    /// Proofs being made: one at most.
    pub under_way: u32,
    /// Proofs that were made.
    pub made: u64,
    /// Proofs that were given up, because they took too long.
    pub given_up: u64,
}

/// The crawl.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Crawl {
    /// Visits that have begun and are not recorded yet: of the targets that are told of, or, for an administrator, of all.
    pub in_flight: usize,
    /// Visits owed, due or not, of the same.
    pub queued: u64,
    /// Captures since the daemon began, in all themes; told to an administrator.
    pub captures: Option<u64>,
    /// Captures within the last minute, in all themes; told to an administrator.
    pub captures_last_minute: Option<u64>,
    /// Every target of the themes in which one sees to the crawl or its outcome.
    pub targets: Vec<TargetStatus>,
}

/// The state of the crawl of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetStatus {
    /// Its theme.
    #[schema(value_type = String)]
    pub theme: ThemeId,
    /// Its id.
    #[schema(value_type = String)]
    pub id: TargetId,
    /// Its name.
    pub name: String,
    /// The state.
    #[serde(flatten)]
    pub crawl: TargetCrawl,
}

/// How far the analysis of a theme is. Sequences count from 1, so each is also a number of captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ThemeAnalysis {
    /// The theme.
    #[schema(value_type = String)]
    pub theme: ThemeId,
    /// The last capture.
    #[schema(value_type = u64)]
    pub captured: Seq,
    /// The last one that is analysed.
    #[schema(value_type = u64)]
    pub analysed: Seq,
    /// The last one that is found by a search.
    #[schema(value_type = u64)]
    pub indexed: Seq,
    /// The last one whose links the crawl has followed; 0 where no target is watched.
    #[schema(value_type = u64)]
    pub followed: Seq,
}

/// Space on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Disk {
    /// Bytes that the store takes, without the reserve, with all themes; told to an administrator.
    pub store_bytes: Option<u64>,
    /// Bytes that are free on the store's disk.
    pub free_bytes: u64,
    /// Nothing is fetched while less is free than this, in bytes; below half of it nothing but acts is recorded.
    pub floor_bytes: u64,
    /// Bytes that are held back for acts of audit and erasure and a clean stop.
    pub reserve_bytes: u64,
    /// Whether there is room to go on fetching.
    pub has_room: bool,
}

/// Memory of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Memory {
    /// Bytes that the process holds and the system cannot take back.
    pub used_bytes: u64,
    /// Bytes that it may hold, where that is known: nothing new is fetched above nine tenths of it.
    pub ceiling_bytes: Option<u64>,
    /// Whether there is memory to go on fetching.
    pub has_room: bool,
}

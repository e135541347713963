//! What the crawler says of itself.

use std::collections::{BTreeMap, VecDeque};

use model::{Outcome, Seq, TargetId, ThemeId, Timestamp};
use serde::Serialize;

use crate::Memory;

/// The state of the crawl, refreshed several times a second.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CrawlStatus {
    /// Visits that have begun and are not recorded yet.
    pub in_flight: usize,
    /// Visits owed, due or not.
    pub queued: u64,
    /// Captures since the process began.
    pub captures: u64,
    /// Captures within the last minute.
    pub captures_last_minute: u64,
    /// Up to which capture of each theme links were followed. A target that is idle and not followed to the end is about to go on.
    pub followed: BTreeMap<ThemeId, Seq>,
    /// The memory of the process.
    pub memory: Memory,
    /// Every target.
    pub targets: Vec<TargetStatus>,
}

/// The state of the crawl of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetStatus {
    /// Its theme.
    pub theme: ThemeId,
    /// Its id.
    pub id: TargetId,
    /// Its name.
    pub name: String,
    /// Visits that have begun and are not recorded yet.
    pub in_flight: usize,
    /// Visits owed, due or not.
    pub queued: u64,
    /// Whether nothing is in flight, and nothing due.
    pub is_idle: bool,
    /// Captures ever.
    pub captures: u64,
    /// How the last attempt ended.
    pub last_outcome: Option<Outcome>,
    /// When it ended.
    pub last_at: Option<Timestamp>,
    /// Why nothing is fetched at present, if so.
    pub waits_because: Option<String>,
    /// Since when a person should have looked at the decision in force again, if that is overdue. The crawl goes on.
    pub review_overdue: Option<Timestamp>,
}

/// Counts events of the last minute, second by second.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    seconds: VecDeque<(i64, u64)>,
}

impl Rate {
    pub(crate) fn count(&mut self, now: Timestamp) {
        let second = now.as_micros() / 1_000_000;
        match self.seconds.back_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.seconds.push_back((second, 1)),
        }
        self.forget(second);
    }

    pub(crate) fn last_minute(&mut self, now: Timestamp) -> u64 {
        self.forget(now.as_micros() / 1_000_000);
        self.seconds.iter().map(|(_, count)| count).sum()
    }

    fn forget(&mut self, second: i64) {
        while self.seconds.front().is_some_and(|(oldest, _)| *oldest <= second - 60) {
            self.seconds.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_minute_counts() {
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let mut rate = Rate::default();
        for second in [0, 0, 30, 59] {
            rate.count(at(second));
        }
        assert_eq!(rate.last_minute(at(59)), 4);
        assert_eq!(rate.last_minute(at(60)), 2);
        assert_eq!(rate.last_minute(at(500)), 0);
    }
}

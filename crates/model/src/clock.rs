use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The one source of time. A capture records what kept it, as far as that is known.
pub trait Clock: Send + Sync + 'static {
    /// The present moment in UTC.
    fn now(&self) -> Timestamp;

    /// What keeps the time right.
    fn source(&self) -> ClockSource;
}

/// What is known of the clock that dated a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockSource {
    /// The machine's clock; nothing is seen to keep it right.
    Unknown,
    /// The machine's clock, which systemd-timesyncd has set.
    Timesyncd,
    /// The machine's clock, which chrony keeps; whether it has set it yet is not told.
    Chrony,
    /// A clock that a test sets.
    Manual,
}

/// The machine's real-time clock, without a look at what keeps it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one clock that the rest of the house asks")]
        Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
    }

    fn source(&self) -> ClockSource {
        ClockSource::Unknown
    }
}

/// A clock that stands still until it is told to go on.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.as_micros()))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn source(&self) -> ClockSource {
        ClockSource::Manual
    }
}

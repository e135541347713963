//! Politeness towards one service: how many requests at once, how far apart, and when not at all.

use std::{num::NonZeroU32, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _};
use model::{Pace, Timestamp};
use store::HostRecord;

/// The present state of a service.
pub(crate) struct Gate {
    pub(crate) record: HostRecord,
    pub(crate) in_flight: usize,
    rests_until: Timestamp,
    delay: Duration,
    concurrency: usize,
    /// With the delay that it was made for; a limiter is kept as long as that stays, so that a reload grants no extra request.
    limiter: Option<(Duration, DefaultDirectRateLimiter)>,
    jitter_until: Timestamp,
}

impl Gate {
    /// The gate of a service as the store remembers it: what it was owed before a restart it is still owed.
    pub(crate) fn new(record: HostRecord) -> Self {
        let rests_until = record.not_before;
        Self {
            record,
            in_flight: 0,
            rests_until,
            delay: Duration::ZERO,
            concurrency: 0,
            limiter: None,
            jitter_until: Timestamp::default(),
        }
    }

    /// Forgets the pace, so that the targets that use the service can set it anew.
    pub(crate) fn begin_pace(&mut self) {
        self.delay = Duration::ZERO;
        self.concurrency = usize::MAX;
    }

    /// Takes the stricter of the pace so far and this one.
    pub(crate) fn tighten(&mut self, pace: Pace) {
        self.delay = self.delay.max(pace.delay());
        self.concurrency = self.concurrency.min(pace.concurrency.into());
    }

    /// Puts the pace in force.
    pub(crate) fn end_pace(&mut self, burst: u32) {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        if self.limiter.as_ref().map_or(Duration::ZERO, |(delay, _)| *delay) != self.delay {
            let quota = Quota::with_period(self.delay).map(|quota| quota.allow_burst(burst));
            self.limiter = quota.map(|quota| (self.delay, RateLimiter::direct(quota)));
        }
    }

    /// Leaves the service alone until `moment`.
    pub(crate) fn rest(&mut self, moment: Timestamp) {
        self.rests_until = self.rests_until.max(moment);
    }

    /// Until when the service rests, if it does at `now`.
    pub(crate) fn resting(&self, now: Timestamp) -> Option<Timestamp> {
        (self.rests_until > now).then_some(self.rests_until)
    }

    /// Takes a place for one request, or says how long to wait: `None` until one in flight has ended.
    ///
    /// A service that failed is tried by one request at a time, so that a dead one holds no workers.
    pub(crate) fn enter(&mut self, now: Timestamp, jitter: Duration) -> Result<(), Option<Duration>> {
        let limit = if self.record.failures > 0 || self.record.refusals > 0 { 1 } else { self.concurrency };
        if self.in_flight >= limit {
            return Err(None);
        }
        let not_before = self.rests_until.max(self.jitter_until);
        if not_before > now {
            return Err(Some(not_before.since(now)));
        }
        if let Some((_, limiter)) = &self.limiter {
            limiter.check().map_err(|not_until| Some(not_until.wait_time_from(limiter.clock().now())))?;
        }
        self.jitter_until = now.after(jitter);
        self.in_flight += 1;
        Ok(())
    }

    /// The delay between two requests.
    pub(crate) fn delay(&self) -> Duration {
        self.delay
    }

    /// Gives the place back.
    pub(crate) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(delay_ms: u32, concurrency: u16) -> Gate {
        let mut gate = Gate::new(HostRecord::default());
        gate.begin_pace();
        gate.tighten(Pace { delay_ms, concurrency, ..Pace::default() });
        gate.end_pace(1);
        gate
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(ms * 1_000)
    }

    #[test]
    fn no_more_requests_at_once_than_the_pace_allows() {
        let mut gate = gate(0, 2);
        assert_eq!(gate.enter(at(0), Duration::ZERO), Ok(()));
        assert_eq!(gate.enter(at(0), Duration::ZERO), Ok(()));
        assert_eq!(gate.enter(at(0), Duration::ZERO), Err(None));
        gate.leave();
        assert_eq!(gate.enter(at(0), Duration::ZERO), Ok(()));
    }

    #[test]
    fn two_requests_are_a_delay_apart() {
        let mut gate = gate(3_600_000, 9);
        assert_eq!(gate.enter(at(0), Duration::ZERO), Ok(()));
        let wait = gate.enter(at(0), Duration::ZERO).unwrap_err().unwrap();
        assert!(wait > Duration::from_secs(3_500), "{wait:?}");
    }

    #[test]
    fn the_strictest_target_sets_the_pace() {
        let mut gate = Gate::new(HostRecord::default());
        gate.begin_pace();
        gate.tighten(Pace { delay_ms: 10, concurrency: 1, ..Pace::default() });
        gate.tighten(Pace { delay_ms: 500, concurrency: 8, ..Pace::default() });
        assert_eq!((gate.delay, gate.concurrency), (Duration::from_millis(500), 1));
    }

    #[test]
    fn a_rest_outlives_a_restart_and_a_failed_service_is_probed_alone() {
        let mut gate = Gate::new(HostRecord { not_before: at(50), failures: 1, refusals: 0 });
        gate.begin_pace();
        gate.tighten(Pace { delay_ms: 0, concurrency: 5, ..Pace::default() });
        gate.end_pace(1);
        assert_eq!(gate.enter(at(0), Duration::ZERO), Err(Some(Duration::from_millis(50))));
        assert_eq!(gate.enter(at(50), Duration::ZERO), Ok(()));
        assert_eq!(gate.enter(at(50), Duration::ZERO), Err(None));
    }

    #[test]
    fn jitter_keeps_the_next_request_back() {
        let mut gate = gate(0, 5);
        assert_eq!(gate.enter(at(0), Duration::from_millis(7)), Ok(()));
        assert_eq!(gate.enter(at(0), Duration::ZERO), Err(Some(Duration::from_millis(7))));
        assert_eq!(gate.enter(at(7), Duration::ZERO), Ok(()));
    }
}

//! Which visit is next, and whether it may begin.

use std::{sync::Arc, time::Duration};

use model::{ThemeId, Timestamp};
use store::{FrontierEntry, Priority};

use super::{Crawler, Error, QueueId, random};
use crate::{
    scope::Refusal,
    visit::{Leave, Visit},
};

/// Visits of a queue that are held in memory.
const AHEAD: usize = 32;

/// What an attempt to start a visit came to.
enum Step {
    Started,
    /// The queue may go on after this time.
    Wait(Duration),
    Nothing,
    /// Nobody may go on before this time.
    Everybody(Duration),
}

impl Crawler {
    /// Starts what may be started; returns the time until more may be.
    pub(super) fn dispatch(&mut self) -> Result<Duration, Error> {
        let mut wait = self.start_probes()?;
        // A queue after the last one served, then round once more from the front.
        let mut order: Vec<QueueId> =
            self.queues.iter().filter(|(_, queue)| queue.owed > 0).map(|(id, _)| *id).collect();
        let pivot = order.partition_point(|id| Some(*id) <= self.last_served);
        order.rotate_left(pivot);
        loop {
            let mut has_started = false;
            for id in &order {
                if self.fetches.len() >= self.config.concurrency {
                    return Ok(wait);
                }
                match self.start_one(*id)? {
                    Step::Started => {
                        has_started = true;
                        self.last_served = Some(*id);
                    }
                    Step::Wait(time) => wait = wait.min(time),
                    Step::Nothing => {}
                    Step::Everybody(time) => return Ok(wait.min(time)),
                }
            }
            if !has_started {
                return Ok(wait);
            }
        }
    }

    /// Starts the next visit of a queue, if it has one that is due and the service may be asked.
    fn start_one(&mut self, id: QueueId) -> Result<Step, Error> {
        let now = self.clock.now();
        let (theme, target_id, service) = id;
        let Some(watched) = self.targets.get(&target_id) else { return Ok(Step::Nothing) };
        if !watched.target.is_crawlable(now) || watched.has_spent_its_day(now) {
            return Ok(Step::Nothing);
        }
        self.look(id, now)?;
        let Some(queue) = self.queues.get_mut(&id) else { return Ok(Step::Nothing) };
        if queue.ready.is_empty() {
            return Ok(queue.look_at.map_or(Step::Nothing, |at| Step::Wait(at.since(now))));
        }
        let Some(gate) = self.gates.get_mut(&service) else { return Ok(Step::Nothing) };
        if let Some(limiter) = &self.overall
            && gate.resting(now).is_none()
            && let Err(not_until) = limiter.check()
        {
            return Ok(Step::Everybody(not_until.wait_time_from(governor::clock::Clock::now(limiter.clock()))));
        }
        let jitter = gate.delay().mul_f64(random() * f64::from(self.config.jitter_percent) / 100.0);
        if let Err(wait) = gate.enter(now, jitter) {
            return Ok(wait.map_or(Step::Nothing, Step::Wait));
        }
        while let Some(entry) = self.queues.get_mut(&id).and_then(|queue| queue.ready.pop_front()) {
            if self.start(theme, entry, now)? {
                return Ok(Step::Started);
            }
        }
        if let Some(gate) = self.gates.get_mut(&service) {
            gate.leave();
        }
        Ok(Step::Nothing)
    }

    /// Fills the memory of a queue from the store, where that is worth a look.
    fn look(&mut self, id: QueueId, now: Timestamp) -> Result<(), Error> {
        let Some(queue) = self.queues.get_mut(&id) else { return Ok(()) };
        if !queue.ready.is_empty() || queue.look_at.is_some_and(|at| at > now) {
            return Ok(());
        }
        let mut soonest: Option<Timestamp> = None;
        for priority in Priority::ALL {
            let leased = &self.leased;
            for entry in self.store.owed(id, priority, AHEAD, |entry| leased.contains(&(entry.target, entry.uri)))? {
                if entry.due <= now {
                    queue.ready.push_back(entry);
                } else {
                    soonest = Some(soonest.map_or(entry.due, |before| before.min(entry.due)));
                    break;
                }
            }
        }
        // With nothing to do and nothing to come, only a new visit is worth another look, and it resets this.
        queue.look_at =
            if queue.ready.is_empty() { Some(soonest.unwrap_or(Timestamp::from_micros(i64::MAX))) } else { None };
        Ok(())
    }

    /// Starts one visit; `false` when it turns out that it is not to be made now.
    fn start(&mut self, theme: ThemeId, entry: FrontierEntry, now: Timestamp) -> Result<bool, Error> {
        let lease = (entry.target, entry.uri);
        let Some(watched) = self.targets.get_mut(&entry.target) else { return Ok(false) };
        let leave = watched.target.decision_in_force(now).map(|(decision, terms)| Leave::of_decision(decision, terms));
        let (Some(leave), Some(record)) = (leave, self.store.uri(theme, entry.target, entry.uri)?) else {
            return Ok(false);
        };
        if record.entry(theme) != Some(entry) || self.leased.contains(&lease) {
            return Ok(false);
        }
        // It was admitted under another decision.
        if watched.scope.check(&record.uri, record.hops, &self.config) == Err(Refusal::OutOfScope) {
            return self.put_off(theme, leave, record);
        }
        if watched.obeys_robots() && record.uri.path() != "/robots.txt" {
            match watched.robots.get(&entry.service) {
                None => return Ok(false),
                Some(robots) if !robots.allows(&record.uri.path_and_query()) => {
                    return self.put_off(theme, leave, record);
                }
                Some(_) => {}
            }
        }
        watched.in_flight += 1;
        self.leased.insert(lease);
        let visit = Visit {
            entry,
            record,
            target: Arc::clone(&watched.target),
            leave,
            hosts: Arc::clone(&watched.hosts),
            cancel: watched.cancel.clone(),
        };
        self.fetches.spawn(self.visitor.clone().go(visit));
        Ok(true)
    }

    /// Owes a URI that may not be fetched under the present decision its next look at the longest revisit time; it is not started.
    fn put_off(&self, theme: ThemeId, leave: Leave, record: store::UriRecord) -> Result<bool, Error> {
        let due = Some(self.clock.now().after(leave.pace.revisit().1));
        let later = store::UriRecord { due, priority: Priority::Low, ..record };
        self.store.apply(theme, &store::CrawlBatch { uris: vec![later], ..store::CrawlBatch::default() })?;
        Ok(false)
    }
}

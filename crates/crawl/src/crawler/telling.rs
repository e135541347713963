//! What the crawler says of itself, and the hold that others have on it.

use std::sync::Arc;

use model::{Pulse, Timestamp};
use tokio::sync::{Notify, watch};

use super::{Crawler, Queue, QueueId, TICK};
use crate::{CrawlStatus, Identity, TargetStatus, watched::Watched};

/// A hold on the running crawl, for those who change targets and those who ask how it goes.
#[derive(Clone)]
pub struct CrawlHandle {
    changed: Arc<Notify>,
    status: watch::Receiver<CrawlStatus>,
    identity: watch::Sender<Identity>,
    memory_mb: watch::Sender<u32>,
}

impl CrawlHandle {
    /// Tells the crawl that targets, decisions or logins have changed in the store.
    pub fn targets_changed(&self) {
        self.changed.notify_one();
    }

    /// Says what captures tell of the running program from now on.
    pub fn identity_changed(&self, identity: Identity) {
        self.identity.send_replace(identity);
    }

    /// Sets how much memory the process may hold from now on, as [`Config::memory_mb`](crate::Config::memory_mb) does at the start.
    pub fn memory_limited(&self, memory_mb: u32) {
        self.memory_mb.send_replace(memory_mb);
    }

    /// The state of the crawl, as it changes.
    pub fn status(&self) -> watch::Receiver<CrawlStatus> {
        self.status.clone()
    }
}

impl Crawler {
    /// A hold on this crawl.
    pub fn handle(&self) -> CrawlHandle {
        CrawlHandle {
            changed: Arc::clone(&self.changed),
            status: self.status.subscribe(),
            identity: self.identity.clone(),
            memory_mb: self.memory.ceiling_mb(),
        }
    }

    /// Beats at each turn of the loop.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Publishes the state, not too often.
    pub(super) fn tell(&mut self, at_once: bool) {
        let now = tokio::time::Instant::now();
        if !at_once && now < self.told_at + TICK / 2 {
            return;
        }
        self.told_at = now;
        let utc = self.clock.now();
        let mut targets: Vec<TargetStatus> =
            self.targets.values().map(|watched| self.target_status(watched, utc)).collect();
        targets.sort_by(|a, b| (a.theme, &a.name, a.id).cmp(&(b.theme, &b.name, b.id)));
        let status = CrawlStatus {
            in_flight: self.leased.len(),
            queued: self.queues.values().map(|queue| queue.owed).sum(),
            captures: self.captures,
            followed: self.followed.clone(),
            captures_last_minute: self.rate.last_minute(utc),
            memory: self.memory.last(),
            targets,
        };
        self.status.send_if_modified(|before| std::mem::replace(before, status.clone()) != status);
    }

    fn target_status(&self, watched: &Watched, now: Timestamp) -> TargetStatus {
        let target = &watched.target;
        let own = |(id, _): &(&QueueId, &Queue)| id.1 == target.id;
        let is_waiting =
            |(_, queue): (&QueueId, &Queue)| queue.ready.is_empty() && queue.look_at.is_some_and(|at| at > now);
        let without_tor = || (!self.is_tor_ready).then(|| "Tor is not ready".to_owned());
        let without_room = || (!self.has_room).then(|| "the disk has too little room".to_owned());
        let without_memory = || self.memory.last().is_short.then(|| "nearly all memory is used".to_owned());
        let rests = || {
            let services = self.queues.iter().filter(own).map(|((_, _, service), _)| service);
            let until = services.filter_map(|service| self.gates.get(service)?.resting(now)).max()?;
            Some(format!("the service rests until {until}"))
        };
        let in_flight = self.leased.iter().filter(|(id, _)| *id == target.id).count();
        TargetStatus {
            theme: target.theme,
            id: target.id,
            name: target.name.clone(),
            in_flight,
            queued: self.queues.iter().filter(own).map(|(_, queue)| queue.owed).sum(),
            is_idle: in_flight == 0 && self.queues.iter().filter(own).all(is_waiting),
            captures: watched.state.captures,
            last_outcome: watched.state.last_outcome,
            last_at: watched.state.last_at,
            waits_because: watched
                .hindrance(self.clock.as_ref())
                .or_else(without_room)
                .or_else(without_memory)
                .or_else(without_tor)
                .or_else(rests),
            review_overdue: target.review_overdue(now),
        }
    }
}

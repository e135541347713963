//! Probes: one fetch of one page on a decision of its own. It goes through the gate of the service like any other, owes nothing to the frontier, and nothing of
//! it is followed. `robots.txt` is not asked: it speaks to crawlers (RFC 9309), and a probe is a page that two people chose.

use std::{sync::Arc, time::Duration};

use model::{Decision, Probe, ServiceId, TargetState, Timestamp};
use store::{Priority, UriRecord};
use tokio_util::sync::CancellationToken;

use super::{Crawler, Error, Lease, TICK, random};
use crate::visit::{Leave, Visit};

/// A probe that is being fetched or recorded.
pub(super) struct Probing {
    /// The decision that it rests on.
    pub(super) decision: u32,
    cancel: CancellationToken,
}

impl Crawler {
    /// The services that probes are owed to.
    pub(super) fn probed_services(&self) -> impl Iterator<Item = ServiceId> {
        let now = self.clock.now();
        self.targets.values().flat_map(move |watched| watched.probes_owed(now)).map(|(_, probe)| probe.uri.service())
    }

    /// Starts the probes that may be made; returns the time until more may be.
    pub(super) fn start_probes(&mut self) -> Result<Duration, Error> {
        let now = self.clock.now();
        let mut owed: Vec<(Lease, Decision, Probe)> = Vec::new();
        for watched in self.targets.values() {
            let of_target = watched
                .probes_owed(now)
                .map(|(decision, probe)| ((watched.target.id, probe.uri.id()), decision.clone(), probe.clone()));
            owed.extend(of_target.filter(|(lease, _, _)| !self.leased.contains(lease)));
        }
        let mut wait = TICK;
        for (lease, decision, probe) in owed {
            if self.fetches.len() >= self.config.concurrency {
                break;
            }
            // Two probes of one page are made one after the other.
            if !self.leased.contains(&lease) {
                wait = wait.min(self.start_probe(lease, &decision, &probe, now)?);
            }
        }
        Ok(wait)
    }

    fn start_probe(
        &mut self,
        lease: Lease,
        decision: &Decision,
        probe: &Probe,
        now: Timestamp,
    ) -> Result<Duration, Error> {
        let service = probe.uri.service();
        if !self.gates.contains_key(&service) {
            self.set_paces()?;
        }
        let (Some(gate), Some(watched)) = (self.gates.get_mut(&service), self.targets.get_mut(&lease.0)) else {
            return Ok(TICK);
        };
        // One that waits for a service that rests takes nothing of what everybody shares.
        if let Some(until) = gate.resting(now) {
            return Ok(until.since(now).min(TICK));
        }
        if self.overall.as_ref().is_some_and(|limiter| limiter.check().is_err()) {
            return Ok(TICK);
        }
        let jitter = gate.delay().mul_f64(random() * f64::from(self.config.jitter_percent) / 100.0);
        if let Err(wait) = gate.enter(now, jitter) {
            return Ok(wait.unwrap_or(TICK));
        }
        let record = record(lease, probe, now);
        let Some(entry) = record.entry(watched.target.theme) else {
            gate.leave();
            return Ok(TICK);
        };
        watched.in_flight += 1;
        self.leased.insert(lease);
        let cancel = CancellationToken::new();
        self.probing.insert(lease, Probing { decision: decision.number, cancel: cancel.clone() });
        let leave = Leave::of_probe(decision, probe);
        let (target, hosts) = (Arc::clone(&watched.target), Arc::new(vec![probe.uri.host().to_string()]));
        self.fetches.spawn(self.visitor.clone().go(Visit { entry, record, target, leave, hosts, cancel }));
        Ok(TICK)
    }

    /// Ends the fetches of probes whose decision is not in force any more.
    pub(super) fn call_off_probes(&self, now: Timestamp) {
        for ((target, _), probing) in &self.probing {
            let is_allowed = self.targets.get(target).is_some_and(|watched| {
                let of_probe = |decision: &&Decision| decision.number == probing.decision;
                let decision = watched.target.decisions.iter().find(of_probe);
                watched.target.state == TargetState::Active && decision.is_some_and(|it| it.is_in_force(now))
            });
            if !is_allowed {
                probing.cancel.cancel();
            }
        }
    }
}

/// The page of a probe, as a visit has it; it is not kept.
fn record(lease: Lease, probe: &Probe, now: Timestamp) -> UriRecord {
    UriRecord {
        uri: probe.uri.clone(),
        target: lease.0,
        via: None,
        hops: 0,
        redirects: Vec::new(),
        priority: Priority::High,
        due: Some(now),
        attempts: 0,
        failures: 0,
        interval_s: 0,
        outcome: None,
        last: None,
    }
}

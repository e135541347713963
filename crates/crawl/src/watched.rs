//! A target as the crawler sees it.

use std::{collections::HashMap, sync::Arc};

use model::{
    Clock, Decision, Grant, Probe, Purpose, RobotsPolicy, Seq, ServiceId, Target, TargetState, Timestamp, Uri,
};
use store::{CrawlState, Store};
use tokio_util::sync::CancellationToken;

use crate::{Error, robots, robots::Robots, scope::Scope};

/// A target with what is compiled and counted for it.
pub(crate) struct Watched {
    pub(crate) target: Arc<Target>,
    pub(crate) scope: Scope,
    pub(crate) hosts: Arc<Vec<String>>,
    pub(crate) state: CrawlState,
    pub(crate) in_flight: u32,
    /// Pages in a row that were walls.
    pub(crate) walls: u32,
    /// What `robots.txt` says, where it binds and is known.
    pub(crate) robots: HashMap<ServiceId, Robots>,
    /// The captures that probes came to, by their decisions.
    pub(crate) probed: HashMap<u32, Seq>,
    /// Ends the fetches in flight when the decision that they rest on is not in force any more.
    pub(crate) cancel: CancellationToken,
}

impl Watched {
    pub(crate) fn new(store: &Store, target: Target) -> Result<Self, Error> {
        let scope =
            Scope::compile(&target).map_err(|source| Error::Scope { target: target.id, source: Box::new(source) })?;
        let hosts = Arc::new(scope.hosts());
        let state = store.crawl_state(target.theme, target.id)?;
        let cancel = CancellationToken::new();
        Ok(Self {
            target: Arc::new(target),
            scope,
            hosts,
            state,
            in_flight: 0,
            walls: 0,
            robots: HashMap::new(),
            probed: HashMap::new(),
            cancel,
        })
    }

    /// Takes over a changed target. Counts stay, and so does what is in flight, unless another decision is to be crawled by: then it is called off, and owed
    /// under that.
    pub(crate) fn update(&mut self, target: Target) -> Result<(), Error> {
        let number = |target: &Target| target.last_decision().map(|(decision, _)| decision.number);
        if number(&self.target) != number(&target) {
            self.call_off();
        }
        if *self.target != target {
            self.scope = Scope::compile(&target)
                .map_err(|source| Error::Scope { target: target.id, source: Box::new(source) })?;
            self.hosts = Arc::new(self.scope.hosts());
            self.target = Arc::new(target);
        }
        Ok(())
    }

    /// Ends the fetches in flight, probes aside.
    pub(crate) fn call_off(&mut self) {
        self.cancel.cancel();
        self.cancel = CancellationToken::new();
    }

    /// Reads which probes were made.
    pub(crate) fn learn_probes(&mut self, store: &Store) -> Result<(), Error> {
        let target = Arc::clone(&self.target);
        for (decision, _) in target.probes() {
            if let Some(seq) = store.probe_capture(target.theme, target.id, decision.number)? {
                self.probed.insert(decision.number, seq);
            }
        }
        Ok(())
    }

    /// The probes that may be made at `now` and were not yet.
    pub(crate) fn probes_owed(&self, now: Timestamp) -> impl Iterator<Item = (&Decision, &Probe)> {
        let is_active = self.target.state == TargetState::Active;
        let is_owed = move |(decision, _): &(&Decision, &Probe)| {
            is_active && decision.is_in_force(now) && !self.probed.contains_key(&decision.number)
        };
        self.target.probes().filter(is_owed)
    }

    /// Whether a capture is what a probe came to.
    pub(crate) fn is_probe(&self, store: &Store, seq: Seq) -> Result<bool, Error> {
        for (decision, _) in self.target.probes() {
            if store.probe_capture(self.target.theme, self.target.id, decision.number)? == Some(seq) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the decision in force makes `robots.txt` bind.
    pub(crate) fn obeys_robots(&self) -> bool {
        self.target.terms().is_some_and(|terms| terms.robots == RobotsPolicy::Obey)
    }

    /// `robots.txt` of every service of the seeds.
    pub(crate) fn robots_files(&self) -> impl Iterator<Item = Uri> {
        self.seeds().filter_map(|seed| seed.join("/robots.txt").ok())
    }

    /// Where a crawl begins; nowhere where nothing is decided.
    pub(crate) fn seeds(&self) -> impl Iterator<Item = &Uri> {
        self.target.terms().into_iter().flat_map(|terms| &terms.seeds)
    }

    /// Reads what the last capture of a `robots.txt` says: rules, none where the service has none, nothing allowed where it could not be asked.
    pub(crate) fn learn_robots(&mut self, store: &Store, file: &Uri) -> Result<(), Error> {
        let grant = Grant::system(Purpose::Maintenance);
        let theme = self.target.theme;
        let Some(last) = store.uri(theme, self.target.id, file.id())?.and_then(|record| record.last) else {
            return Ok(());
        };
        let Some(capture) = store.capture_if_open(&grant, model::CaptureId { theme, seq: last })? else {
            return Ok(());
        };
        let rules = match capture.status {
            Some(200..=299) if capture.outcome.has_content() => {
                let payload = match store.payload(&grant, theme, &capture) {
                    Err(error) if error.is_withheld() => return Ok(()),
                    payload => payload?,
                };
                Robots::parse(&String::from_utf8_lossy(&payload[..payload.len().min(robots::MAX_LEN)]))
            }
            Some(300..=499) => Robots::default(),
            _ => Robots::unreachable(),
        };
        self.robots.insert(file.service(), rules);
        Ok(())
    }

    /// Why nothing is fetched for the target at present, apart from the pace of its services.
    pub(crate) fn hindrance(&self, clock: &dyn Clock) -> Option<String> {
        let now = clock.now();
        match self.target.state {
            TargetState::Paused => return Some("paused".into()),
            TargetState::Retired => return Some("retired".into()),
            TargetState::Active => {}
        }
        if let Some(attention) = &self.target.attention {
            return Some(format!("needs attention: {}", attention.reason));
        }
        match self.target.last_decision() {
            None => return Some("no decision to crawl it was made".into()),
            Some((decision, _)) if !decision.is_in_force(now) => return Some(lapse(decision)),
            Some(_) => {}
        }
        self.has_spent_its_day(now).then(|| "the pages of the day are used up".into())
    }

    pub(crate) fn has_spent_its_day(&self, now: Timestamp) -> bool {
        let most = self.target.terms().map_or(0, |terms| terms.scope.pages_per_day);
        self.state.used_today(now).saturating_add(self.in_flight) >= most
    }
}

/// How a decision came to be in force no more.
fn lapse(decision: &Decision) -> String {
    match &decision.ended {
        Some(ending) => format!("decision {} was ended at {}", decision.number, ending.at),
        None => format!("decision {} lapsed at {}", decision.number, decision.matter.ends_at()),
    }
}

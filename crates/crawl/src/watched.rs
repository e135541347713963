//! A target as the crawler sees it.

use std::{collections::HashMap, sync::Arc};

use model::{Clock, Grant, Purpose, RobotsPolicy, ServiceId, Target, Timestamp, Uri};
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
    /// Ends the fetches in flight when the target may no longer be crawled.
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
            cancel,
        })
    }

    /// Takes over a changed target; counts and what is in flight stay.
    pub(crate) fn update(&mut self, target: Target) -> Result<(), Error> {
        if *self.target != target {
            self.scope = Scope::compile(&target)
                .map_err(|source| Error::Scope { target: target.id, source: Box::new(source) })?;
            self.hosts = Arc::new(self.scope.hosts());
            self.target = Arc::new(target);
        }
        Ok(())
    }

    /// Whether the decision in force makes `robots.txt` bind.
    pub(crate) fn obeys_robots(&self) -> bool {
        self.target.decisions.last().is_some_and(|decision| decision.robots == RobotsPolicy::Obey)
    }

    /// `robots.txt` of every service of the seeds.
    pub(crate) fn robots_files(&self) -> impl Iterator<Item = Uri> {
        self.target.seeds.iter().filter_map(|seed| seed.join("/robots.txt").ok())
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
            model::TargetState::Paused => return Some("paused".into()),
            model::TargetState::Retired => return Some("retired".into()),
            model::TargetState::Active => {}
        }
        if let Some(attention) = &self.target.attention {
            return Some(format!("needs attention: {}", attention.reason));
        }
        if self.target.decision_in_force(now).is_none() {
            return Some("no decision is in force".into());
        }
        self.has_spent_its_day(now).then(|| "the pages of the day are used up".into())
    }

    pub(crate) fn has_spent_its_day(&self, now: Timestamp) -> bool {
        self.state.used_today(now).saturating_add(self.in_flight) >= self.target.scope.pages_per_day
    }
}

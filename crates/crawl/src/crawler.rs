//! The loop of the crawl: one task that owns frontier queues, gates and targets, starts fetches and records what they came to.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use fetch::{Fetcher, LoginCookie};
use futures::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use model::{Clock, Pace, Pulse, Seq, ServiceId, TargetId, ThemeId, Timestamp, UriId};
use store::{FinishedProbe, FinishedVisit, FrontierEntry, HostRecord, Room, Store};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Config, CrawlStatus,
    follower::{Followed, Follower},
    gate::Gate,
    memory::MemoryKeeper,
    schedule,
    status::Rate,
    visit::{Finished, Identity, Visited, Visitor},
    watched::Watched,
};

mod probing;
mod starting;
mod telling;
#[cfg(test)]
mod tests;

pub use telling::CrawlHandle;

/// The longest time without a look at decisions, pauses and due times.
const TICK: Duration = Duration::from_millis(250);

/// What ends the crawl.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed; nothing more can be recorded.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A target's scope has a pattern that does not compile.
    #[error("target {target}: {source}")]
    Scope {
        /// The target.
        target: TargetId,
        /// Why.
        #[source]
        source: Box<regex::Error>,
    },
    /// A fetch panicked.
    #[error("a fetch died: {0}")]
    Fetch(#[from] tokio::task::JoinError),
}

/// A queue: a target's share of one service.
type QueueId = (ThemeId, TargetId, ServiceId);

/// A URI of a target that is being fetched.
type Lease = (TargetId, UriId);

/// What is known in memory of a queue.
#[derive(Default)]
struct Queue {
    /// Visits that are due, soonest first.
    ready: VecDeque<FrontierEntry>,
    /// No look at the store is worth while before this moment; `None` asks for one at once.
    look_at: Option<Timestamp>,
    /// Visits owed, due or not.
    owed: u64,
}

/// The crawl.
pub struct Crawler {
    config: Config,
    store: Store,
    clock: Arc<dyn Clock>,
    visitor: Visitor,
    follower: Follower,
    /// Up to which capture of each theme links were followed.
    followed: BTreeMap<ThemeId, Seq>,
    /// Whether there may be crawl hints that were not followed.
    has_hints: bool,
    targets: HashMap<TargetId, Watched>,
    queues: BTreeMap<QueueId, Queue>,
    gates: HashMap<ServiceId, Gate>,
    /// Visits that have begun and are not recorded yet.
    leased: HashSet<Lease>,
    /// Those of them that are probes.
    probing: HashMap<Lease, probing::Probing>,
    overall: Option<DefaultDirectRateLimiter>,
    fetches: JoinSet<Visited>,
    acknowledgements: FuturesUnordered<BoxFuture<'static, (Lease, Result<model::Seq, store::Error>)>>,
    changed: Arc<Notify>,
    status: watch::Sender<CrawlStatus>,
    told_at: tokio::time::Instant,
    captures: u64,
    rate: Rate,
    is_tor_ready: bool,
    /// Whether the disk has room for more captures.
    has_room: bool,
    memory: MemoryKeeper,
    /// The queue after which the next round begins, so that none is favoured.
    last_served: Option<QueueId>,
    identity: watch::Sender<Identity>,
    pulse: Pulse,
}

impl Crawler {
    /// A crawl over what `store` owes. Nothing is fetched before [`Crawler::run`].
    pub fn new(config: Config, store: Store, fetcher: Arc<Fetcher>, clock: Arc<dyn Clock>, identity: Identity) -> Self {
        let (identity, identities) = watch::channel(identity);
        let memory = MemoryKeeper::new(config.memory_mb);
        let overall =
            std::num::NonZeroU32::new(config.requests_per_s).map(|rate| RateLimiter::direct(Quota::per_second(rate)));
        Self {
            follower: Follower::new(store.clone(), config.clone()),
            followed: BTreeMap::new(),
            has_hints: true,
            visitor: Visitor { store: store.clone(), fetcher, clock: Arc::clone(&clock), identity: identities },
            config,
            store,
            clock,
            targets: HashMap::new(),
            queues: BTreeMap::new(),
            gates: HashMap::new(),
            leased: HashSet::new(),
            probing: HashMap::new(),
            overall,
            fetches: JoinSet::new(),
            acknowledgements: FuturesUnordered::new(),
            changed: Arc::default(),
            status: watch::Sender::default(),
            told_at: tokio::time::Instant::now(),
            captures: 0,
            rate: Rate::default(),
            is_tor_ready: false,
            has_room: true,
            memory,
            last_served: None,
            identity,
            pulse: Pulse::default(),
        }
    }

    /// Asks `used` how many bytes the process holds, in place of the system.
    #[must_use]
    pub fn measuring_memory_by(mut self, used: impl Fn() -> u64 + Send + 'static) -> Self {
        self.memory.measure_by(used);
        self
    }

    /// Crawls until `stop`; then fetches in flight may end, within bounds, and what does not is still owed.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Error> {
        for (queue, owed) in self.store.queues()? {
            self.queues.entry(queue).or_default().owed = owed;
        }
        let mut analysed = self.store.analysed();
        let mut tor = self.visitor.fetcher.status();
        match self.load_targets() {
            Err(Error::Store(error)) if error.is_disk_full() => self.wait_for_room(&error).await?,
            result => result?,
        }
        while !stop.is_cancelled() {
            self.pulse.beat();
            match self.turn(&stop, &mut analysed, &mut tor).await {
                Err(Error::Store(error)) if error.is_disk_full() => self.wait_for_room(&error).await?,
                result => result?,
            }
        }
        self.drain().await
    }

    /// One turn of the loop: follows, starts, waits for something to happen and deals with it.
    async fn turn(
        &mut self,
        stop: &CancellationToken,
        analysed: &mut watch::Receiver<HashMap<ThemeId, model::Seq>>,
        tor: &mut watch::Receiver<fetch::TorStatus>,
    ) -> Result<(), Error> {
        self.has_room = self.store.room() == Room::ForAll;
        if self.has_hints && self.has_room {
            self.has_hints = self.follow_hints()?;
        }
        self.call_off();
        self.is_tor_ready = tor.borrow_and_update().is_ready;
        let has_memory = !self.memory.look().is_short;
        let wait = if self.is_tor_ready && self.has_room && has_memory { self.dispatch()? } else { TICK };
        let wait = if self.has_hints && self.has_room { Duration::ZERO } else { wait.min(TICK) };
        self.tell(false);
        let changed = Arc::clone(&self.changed);
        tokio::select! {
            () = stop.cancelled() => {}
            Some(visited) = self.fetches.join_next() => self.finish(visited?).await?,
            Some((lease, recorded)) = self.acknowledgements.next() => self.acknowledged(lease, recorded)?,
            () = changed.notified() => {
                self.load_targets()?;
                // Nobody has followed the hints of a theme that had no target.
                self.has_hints = true;
            }
            Ok(()) = analysed.changed() => self.has_hints = true,
            Ok(()) = tor.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
        Ok(())
    }

    /// What did not fit on the disk was not recorded, and is owed as before: makes memory agree with that, and gives the disk a moment.
    async fn wait_for_room(&mut self, error: &store::Error) -> Result<(), Error> {
        if std::mem::take(&mut self.has_room) {
            tracing::error!(%error, "what was fetched could not be recorded and is fetched again when there is room");
        }
        let owed: HashMap<QueueId, u64> = self.store.queues()?.into_iter().collect();
        for (id, queue) in &mut self.queues {
            queue.owed = owed.get(id).copied().unwrap_or_default();
            queue.look_at = None;
        }
        for watched in self.targets.values_mut() {
            watched.state = self.store.crawl_state(watched.target.theme, watched.target.id)?;
        }
        // Targets that changed meanwhile may have been read half.
        self.changed.notify_one();
        self.tell(true);
        tokio::time::sleep(TICK).await;
        Ok(())
    }

    /// Reads the targets anew: seeds, paces, logins, decisions.
    fn load_targets(&mut self) -> Result<(), Error> {
        let now = self.clock.now();
        for target in self.store.all_targets()? {
            let id = target.id;
            let group = |targets: &HashMap<TargetId, Watched>| {
                targets.get(&id).map(|watched| (watched.target.epoch, Arc::clone(&watched.hosts)))
            };
            let group_before = group(&self.targets);
            let updated = match self.targets.get_mut(&id) {
                Some(watched) => watched.update(target.clone()),
                None => Watched::new(&self.store, target.clone()).map(|watched| _ = self.targets.insert(id, watched)),
            };
            if let Err(error @ Error::Scope { .. }) = updated {
                // The API refuses such patterns; one that got here all the same must not stop the others.
                tracing::error!(target_id = %id, %error, "the target cannot be crawled");
                continue;
            }
            updated?;
            if let Some(watched) = self.targets.get_mut(&id) {
                watched.learn_probes(&self.store)?;
            }
            if group(&self.targets) != group_before {
                let cookies = self.store.login(target.theme, id).unwrap_or_else(|error| {
                    tracing::error!(target_id = %id, %error, "the login cannot be used");
                    Vec::new()
                });
                let hosts = self.targets.get(&id).map(|watched| watched.hosts.to_vec()).unwrap_or_default();
                let cookies = cookies.into_iter().map(|cookie| LoginCookie { name: cookie.name, value: cookie.value });
                self.visitor.fetcher.set_cookies(id, hosts, cookies.collect());
            }
            if target.is_crawlable(now) {
                self.begin(id, now)?;
            }
        }
        self.set_paces()
    }

    /// Makes sure that what a crawl of the target begins with is owed.
    fn begin(&mut self, id: TargetId, now: Timestamp) -> Result<(), Error> {
        let Some(watched) = self.targets.get_mut(&id) else { return Ok(()) };
        if watched.obeys_robots() {
            for file in watched.robots_files().collect::<Vec<_>>() {
                watched.learn_robots(&self.store, &file)?;
            }
        }
        let theme = watched.target.theme;
        let followed = self.follower.admit_seeds(watched, now)?;
        self.take_over(theme, followed)
    }

    fn set_paces(&mut self) -> Result<(), Error> {
        let queues: Vec<QueueId> = self.queues.keys().copied().collect();
        let probed: Vec<ServiceId> = self.probed_services().collect();
        for service in queues.iter().map(|(_, _, service)| service).chain(&probed) {
            if !self.gates.contains_key(service) {
                self.gates.insert(*service, Gate::new(self.store.host(*service)?));
            }
        }
        self.gates.values_mut().for_each(Gate::begin_pace);
        for (_, target, service) in &queues {
            if let (Some(gate), Some(watched)) = (self.gates.get_mut(service), self.targets.get(target)) {
                gate.tighten(watched.target.pace());
            }
        }
        // A service that nobody crawls is probed at the default pace.
        for service in probed.iter().filter(|probed| queues.iter().all(|(_, _, crawled)| crawled != *probed)) {
            if let Some(gate) = self.gates.get_mut(service) {
                gate.tighten(Pace::default());
            }
        }
        let burst = self.config.burst;
        self.gates.values_mut().for_each(|gate| gate.end_pace(burst));
        Ok(())
    }

    /// Turns new crawl hints into visits; `true` when there may be more.
    fn follow_hints(&mut self) -> Result<bool, Error> {
        let themes: HashSet<ThemeId> = self.targets.values().map(|watched| watched.target.theme).collect();
        let mut has_more = false;
        for theme in themes {
            if let Some(followed) = self.follower.step(theme, &mut self.targets, self.clock.now())? {
                self.take_over(theme, followed)?;
                has_more = true;
            }
            self.followed.insert(theme, self.store.crawl_cursor(theme)?);
        }
        Ok(has_more)
    }

    /// Makes the loop's own state agree with what following the hints came to.
    fn take_over(&mut self, theme: ThemeId, followed: Followed) -> Result<(), Error> {
        let mut has_new_queue = false;
        for (target, service) in followed.owed {
            let queue = self.queues.entry((theme, target, service)).or_insert_with(|| {
                has_new_queue = true;
                Queue::default()
            });
            queue.owed += 1;
            queue.look_at = None;
        }
        for (target, attention) in followed.attention {
            tracing::warn!(target_id = %target, reason = attention.reason, "the target needs attention");
            let updated =
                self.store.update_target(theme, target, |target| target.attention.get_or_insert(attention).clone())?;
            if let (Some((changed, _)), Some(watched)) = (updated, self.targets.get_mut(&target)) {
                watched.update(changed)?;
            }
        }
        for (target, file) in followed.robots {
            if let Some(watched) = self.targets.get_mut(&target).filter(|watched| watched.obeys_robots()) {
                watched.learn_robots(&self.store, &file)?;
            }
        }
        if has_new_queue { self.set_paces() } else { Ok(()) }
    }

    /// Ends the fetches of targets that may no longer be crawled.
    fn call_off(&mut self) {
        let now = self.clock.now();
        let is_over = |watched: &&mut Watched| watched.in_flight > 0 && !watched.target.is_crawlable(now);
        self.targets.values_mut().filter(is_over).for_each(Watched::call_off);
        self.call_off_probes(now);
    }

    /// Records what a fetch came to; what cannot be recorded is owed as before.
    async fn finish(&mut self, visited: Visited) -> Result<(), Error> {
        let lease = (visited.visit.entry.target, visited.visit.entry.uri);
        let recorded = self.record(visited).await;
        if recorded.is_err() {
            self.leased.remove(&lease);
            self.probing.remove(&lease);
        }
        recorded
    }

    /// Hands what a fetch came to over to the store. Waits while the disk is behind, and the crawl waits with it.
    async fn record(&mut self, visited: Visited) -> Result<(), Error> {
        let Visited { visit, result } = visited;
        let entry = visit.entry;
        let lease = (entry.target, entry.uri);
        let Some(watched) = self.targets.get_mut(&entry.target) else { return Ok(()) };
        watched.in_flight = watched.in_flight.saturating_sub(1);
        let gate = match self.gates.entry(entry.service) {
            std::collections::hash_map::Entry::Occupied(gate) => gate.into_mut(),
            std::collections::hash_map::Entry::Vacant(gate) => gate.insert(Gate::new(HostRecord::default())),
        };
        gate.leave();
        let Some(finished) = result else {
            self.leased.remove(&lease);
            self.probing.remove(&lease);
            self.look_again(entry);
            return Ok(());
        };
        let Finished { evidence, retry_after, needs_new_epoch } = finished?;
        let capture = evidence.capture();
        let outcome = capture.outcome;
        let before = (&visit.record, &gate.record);
        let times = (capture.started_at, capture.ended_at);
        let verdict =
            schedule::after_attempt(&self.config, visit.leave.pace, before, outcome, retry_after, times, random());
        gate.record = verdict.host.clone();
        if verdict.must_rest {
            gate.rest(verdict.host.not_before);
            tracing::info!(target_id = %entry.target, %outcome, failures = verdict.host.failures, until = %verdict.host.not_before, "the service rests");
        }
        watched.state = watched.state.counting(outcome, capture.ended_at);
        if !visit.leave.is_probe
            && let Some(queue) = self.queues.get_mut(&(entry.theme, entry.target, entry.service))
        {
            queue.owed = queue.owed.saturating_sub(u64::from(verdict.uri.due.is_none()));
        }
        self.captures += 1;
        self.rate.count(capture.ended_at);
        let (host, state) = ((entry.service, verdict.host), watched.state.clone());
        if needs_new_epoch {
            self.advance_epoch(&entry, visit.target.epoch)?;
        }
        let theme = entry.theme;
        let receipt = if visit.leave.is_probe {
            self.store.submit_probe(FinishedProbe { theme, evidence, host, state }).await?
        } else {
            let state = (entry.target, state);
            self.store.submit(FinishedVisit { theme, evidence, visit: entry, uri: verdict.uri, host, state }).await?
        };
        self.acknowledgements.push(Box::pin(async move { (lease, receipt.acknowledged().await) }));
        Ok(())
    }

    /// Gives the target new circuits, unless somebody did since this fetch began.
    fn advance_epoch(&mut self, entry: &FrontierEntry, seen: u32) -> Result<(), Error> {
        let updated = self.store.update_target(entry.theme, entry.target, |target| {
            if target.epoch == seen {
                target.epoch += 1;
            }
        })?;
        if let (Some((changed, ())), Some(watched)) = (updated, self.targets.get_mut(&entry.target)) {
            watched.update(changed)?;
        }
        Ok(())
    }

    fn acknowledged(&mut self, lease: Lease, recorded: Result<model::Seq, store::Error>) -> Result<(), Error> {
        self.leased.remove(&lease);
        let probing = self.probing.remove(&lease);
        let seq = recorded?;
        if let (Some(probing), Some(watched)) = (probing, self.targets.get_mut(&lease.0)) {
            watched.probed.insert(probing.decision, seq);
        }
        // A failed attempt owes another one, which the queue learns of by looking.
        for ((_, target, _), queue) in &mut self.queues {
            if *target == lease.0 && queue.ready.is_empty() {
                queue.look_at = None;
            }
        }
        Ok(())
    }

    fn look_again(&mut self, entry: FrontierEntry) {
        if let Some(queue) = self.queues.get_mut(&(entry.theme, entry.target, entry.service)) {
            queue.look_at = None;
        }
    }

    /// Lets fetches in flight end for a while, calls off the rest, and waits for the disk.
    async fn drain(&mut self) -> Result<(), Error> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(self.config.drain_s.into());
        let mut result = Ok(());
        while let Ok(Some(visited)) = tokio::time::timeout_at(deadline, self.fetches.join_next()).await {
            let finished = self.finish(visited?).await;
            result = result.and(unless_full(finished));
        }
        self.fetches.abort_all();
        while let Some((lease, recorded)) = self.acknowledgements.next().await {
            let acknowledged = self.acknowledged(lease, recorded);
            result = result.and(unless_full(acknowledged));
        }
        self.tell(true);
        result
    }
}

/// A full disk does not make a stop unclean: what did not fit is still owed.
fn unless_full(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::Store(error)) if error.is_disk_full() => Ok(()),
        result => result,
    }
}

/// A number from 0 to 1.
fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without chance there is no jitter; politeness does not depend on it.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}

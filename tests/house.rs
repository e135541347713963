//! Crawl, store, analysis and index together, in this process, over a loopback transport and under a clock that stands still.

mod decisions;
mod disk;
mod exports;
mod memory;
mod mirrors;
mod politeness;
mod revisits;
mod scope;
mod site;
mod walls;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use model::{
    Capture, Clock as _, Digest, Grant, ManualClock, Matter, OnionAddress, Outcome, Pace, Purpose, RobotsPolicy,
    Target, TargetId, Terms, ThemeId, Timestamp, Uri,
};
use site::Site;
use store::{CaptureFilter, CredentialKey, Store};
use testnet::Loopback;
use tests::{Deadline, samples, wait_until};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

const TARGET: TargetId = TargetId::from_u64(1);
const HOUR: Duration = Duration::from_hours(1);

/// The house at work on one scripted site.
struct House {
    _dir: tempfile::TempDir,
    site: Site,
    store: Store,
    clock: Arc<ManualClock>,
    crawl: crawl::CrawlHandle,
    /// What the process holds, in bytes, as far as the crawl knows.
    memory: Arc<AtomicU64>,
    tasks: JoinSet<()>,
    /// Also a test that fails ends what it began.
    stop: DropGuard,
}

impl House {
    fn open(site: Site, config: crawl::Config) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), site, config, &store::Config::default())
    }

    fn open_in(dir: tempfile::TempDir, site: Site, config: crawl::Config, kept: &store::Config) -> Self {
        Self::at(dir, site.address(), site, config, &fetch::Config::default(), kept)
    }

    /// The house at work on what answers at `address`.
    fn at(
        dir: tempfile::TempDir,
        address: SocketAddr,
        site: Site,
        config: crawl::Config,
        fetch: &fetch::Config,
        kept: &store::Config,
    ) -> Self {
        let clock = Arc::new(ManualClock::at("2031-01-01T00:00:00Z".parse().unwrap()));
        let store = Store::open(&dir.path().join("store"), kept, CredentialKey::from_bytes(&[1; 32])).unwrap();
        let indexes = Arc::new(search::Indexes::open(dir.path().join("index"), search::Config::default()).unwrap());
        let transport = Arc::new(Loopback::new([((onion(), 80), address)]));
        let fetcher = Arc::new(fetch::Fetcher::new(transport, clock.clone(), fetch).unwrap());
        let identity = crawl::Identity { software: Digest::of(b"test"), configuration: Digest::of(b"test") };
        let crawler = crawl::Crawler::new(config, store.clone(), fetcher, clock.clone(), identity);
        let memory = Arc::new(AtomicU64::new(0));
        let measured = Arc::clone(&memory);
        let crawler = crawler.measuring_memory_by(move || measured.load(Relaxed));
        let deriver = derive::Deriver::new(derive::Config::default(), store.clone(), indexes);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let crawl = crawler.handle();
        let (crawl_stop, derive_stop) = (stop.clone(), stop.clone());
        tasks.spawn(async move { Box::pin(crawler.run(crawl_stop)).await.unwrap() });
        tasks.spawn(async move { deriver.run(derive_stop).await.unwrap() });
        Self { _dir: dir, site, store, clock, crawl, memory, tasks, stop: stop.drop_guard() }
    }

    /// Adds a target on which two people agree.
    fn add(&self, change: impl FnOnce(&mut Terms)) {
        let proposal = self.propose(change);
        self.approve(proposal);
    }

    /// Adds a target that is only proposed; returns the proposal.
    fn propose(&self, change: impl FnOnce(&mut Terms)) -> u64 {
        let mut terms = terms(self.clock.now());
        change(&mut terms);
        let new = samples::proposal(Matter::Crawl(Box::new(terms)), self.clock.now());
        let proposer = samples::person("proposer", theme());
        let (_, proposal) = self.store.propose_target(&proposer, theme(), (TARGET, "site"), new).unwrap();
        self.crawl.targets_changed();
        proposal.leaf
    }

    /// Approves a proposal.
    fn approve(&self, proposal: u64) {
        samples::approve(&self.store, theme(), TARGET, proposal, self.clock.now()).unwrap();
        self.crawl.targets_changed();
    }

    /// Makes another decision, which differs in something from the last one.
    fn decide(&self, change: impl FnOnce(&mut Terms)) {
        let mut terms = self.target().terms().unwrap().clone();
        change(&mut terms);
        let matter = Matter::Crawl(Box::new(terms));
        samples::decide(&self.store, theme(), TARGET, matter, self.clock.now()).unwrap();
        self.crawl.targets_changed();
    }

    fn change(&self, change: impl FnOnce(&mut Target)) {
        self.store.update_target(theme(), TARGET, change).unwrap().unwrap();
        self.crawl.targets_changed();
    }

    fn target(&self) -> Target {
        self.store.target(theme(), TARGET).unwrap().unwrap()
    }

    /// The captures so far, oldest first, as path and outcome.
    fn captures(&self) -> Vec<(String, Outcome)> {
        self.all_captures().iter().map(|capture| (capture.uri.path_and_query(), capture.outcome)).collect()
    }

    fn all_captures(&self) -> Vec<Capture> {
        let page = self.store.captures(&grant(), theme(), CaptureFilter::Target(TARGET), None, 10_000).unwrap();
        page.captures.into_iter().rev().collect()
    }

    /// The paths captured, each as often as it was.
    fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.captures().into_iter().map(|(path, _)| path).collect();
        paths.sort();
        paths
    }

    /// Waits until `condition` holds of the house.
    async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        wait_until(what, Deadline::seconds(120), || async { Ok(condition(self).then_some(())) })
            .await
            .unwrap_or_else(|error| panic!("{error}: {:?}; {:?}", self.captures(), *self.crawl.status().borrow()));
    }

    /// Waits until everything that is due is fetched and analysed, and the crawler knows it.
    async fn until_idle(&self) {
        self.until("the crawl comes to rest", |house| {
            let newest = house.store.newest().borrow().get(&theme()).copied().unwrap_or_default();
            let status = house.crawl.status();
            let status = status.borrow();
            newest.0 > 0
                && house.store.crawl_cursor(theme()).unwrap() == newest
                // What was followed, and whether anything is due, are of one moment.
                && status.followed.get(&theme()) == Some(&newest)
                && status.captures == newest.0
                && status.in_flight == 0
                && status.targets.iter().all(|target| target.is_idle || target.waits_because.is_some())
        })
        .await;
    }

    /// Why the target is not crawled at present.
    fn waits_because(&self) -> Option<String> {
        let status = self.crawl.status();
        let status = status.borrow();
        status.targets.iter().find(|target| target.id == TARGET)?.waits_because.clone()
    }

    async fn close(mut self) {
        drop(self.stop);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

fn grant() -> Grant {
    Grant::system(Purpose::Maintenance)
}

fn theme() -> ThemeId {
    "marketplace".parse().unwrap()
}

fn onion() -> OnionAddress {
    OnionAddress::from_public_key([7; 32])
}

fn front() -> Uri {
    format!("http://{}/", onion()).parse().unwrap()
}

/// The scripted site, crawled as fast as it goes and visited again after an hour.
fn terms(now: Timestamp) -> Terms {
    let end = now.after(1_000 * HOUR);
    Terms {
        pace: Pace { delay_ms: 0, concurrency: 4, revisit_min_s: 3_600, revisit_max_s: 8 * 3_600 },
        review_at: end,
        ends_at: end,
        ..samples::terms(front())
    }
}

fn quick() -> crawl::Config {
    crawl::Config { requests_per_s: 0, jitter_percent: 0, ..crawl::Config::default() }
}

//! Evidence at rest: what ten visits to the market take, beside gzip WARC of the same captures.

use std::{io::Write as _, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use flate2::{Compression, write::GzEncoder};
use model::{
    Capture, CaptureId, Digest, Grant, ManualClock, OnionAddress, Pace, Purpose, Scope, Seq, TargetId, Terms, ThemeId,
    Timestamp,
};
use store::{CredentialKey, Kind, Store, Table};
use testnet::{
    Loopback,
    sites::{Site, Sites},
};
use tests::{Deadline, samples, wait_until};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

const VISITS: u32 = 10;
const TARGET: TargetId = TargetId::from_u64(1);

/// How fast the market changes: what it is called, and the step of its schedule at a visit. At a step one listing in ten has another
/// price, one in eight another stock, four vanish and four appear. Token, clock and duration differ at every load.
const RATES: [(&str, fn(u32) -> u32); 3] = [
    ("low: a step every fifth visit", |visit| visit / 5),
    ("middle: a step each visit", |visit| visit),
    ("high: eight steps each visit", |visit| visit * 8),
];

/// Measures and prints the table.
pub(crate) async fn run() -> anyhow::Result<()> {
    println!(
        "| rate of change | captures | versions | a page, bytes | payload rows | all rows | all files | gzip of the payload | gzip WARC | payload rows : gzip | all files : gzip WARC | read p50 | read p99 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (name, step) in RATES {
        println!("| {name} | {} |", measured(step).await?.columns().join(" | "));
    }
    Ok(())
}

/// Sums over the captures that have a payload; all bytes.
#[derive(Default)]
struct Measured {
    captures: usize,
    versions: usize,
    pages: usize,
    payload_rows: usize,
    all_rows: usize,
    files: usize,
    gzip_payloads: usize,
    gzip_warc: usize,
    read: Vec<Duration>,
}

impl Measured {
    fn columns(&self) -> Vec<String> {
        let each = |sum: usize| (sum / self.captures.max(1)).to_string();
        #[expect(clippy::cast_precision_loss, reason = "the sums are far below 2^52")]
        let ratio = |ours: usize, theirs: usize| format!("{:.2}", ours as f64 / theirs.max(1) as f64);
        let read = |percent: usize| {
            let time = self.read.get(self.read.len() * percent / 100).copied().unwrap_or_default();
            format!("{:.2} ms", time.as_secs_f64() * 1000.0)
        };
        vec![
            self.captures.to_string(),
            self.versions.to_string(),
            each(self.pages),
            each(self.payload_rows),
            each(self.all_rows),
            each(self.files),
            each(self.gzip_payloads),
            each(self.gzip_warc),
            ratio(self.payload_rows, self.gzip_payloads),
            ratio(self.files, self.gzip_warc),
            read(50),
            read(99),
        ]
    }
}

/// Has the market crawled ten times, with a step of its schedule before each visit, and looks at what is kept.
async fn measured(step: fn(u32) -> u32) -> anyhow::Result<Measured> {
    let dir = tempfile::tempdir()?;
    let sites = Sites::start(1).await?;
    let watching = Watching::start(dir.path(), sites.market())?;
    for visit in 0..VISITS {
        sites.market().set_step(step(visit));
        watching.visit().await.with_context(|| format!("visit {visit}"))?;
    }
    watching.stop().await?;
    // What was in memory is in files once the store has been opened again.
    let store = open(dir.path())?;
    let measured = tokio::task::spawn_blocking(move || look(&store)).await??;
    sites.stop().await;
    Ok(measured)
}

fn look(store: &Store) -> anyhow::Result<Measured> {
    let grant = Grant::system(Purpose::Maintenance);
    let theme = theme()?;
    let mut measured = Measured::default();
    let size = |table: Table| -> anyhow::Result<usize> {
        Ok(store.raw_rows(&grant, table)?.iter().map(|(key, value)| key.len() + value.len()).sum())
    };
    for table in Table::ALL.iter().filter(|table| table.kind() == Kind::Truth) {
        measured.all_rows += size(*table)?;
        measured.files += usize::try_from(store.table_bytes(*table)?)?;
    }
    measured.payload_rows = size(Table::Payloads)? + size(Table::PayloadDependants)?;
    measured.versions = store.raw_rows(&grant, Table::VersionsByUri)?.len();
    let mut after = Seq(0);
    loop {
        let run = store.captures_after(&grant, theme, after, 256)?;
        if run.up_to == after {
            break;
        }
        after = run.up_to;
        for capture in run.captures.iter().filter(|capture| capture.payload_len > 0) {
            let begun = Instant::now();
            let id = CaptureId { theme, seq: capture.seq };
            let capture = store.capture(&grant, id)?.context("a capture is gone")?;
            let payload = store.payload(&grant, theme, &capture)?;
            measured.read.push(begun.elapsed());
            measured.captures += 1;
            measured.pages += payload.len();
            measured.gzip_payloads += gzip(&payload)?;
            measured.gzip_warc += warc(&capture, id, "response", &capture.block(&payload))?;
            measured.gzip_warc += warc(&capture, id, "request", &capture.request)?;
        }
    }
    measured.read.sort_unstable();
    Ok(measured)
}

/// The length of a WARC/1.1 record as writers of WARC compress it: a gzip member of its own (Annex D).
fn warc(capture: &Capture, id: CaptureId, kind: &str, block: &[u8]) -> anyhow::Result<usize> {
    let head = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{:.36}>\r\nWARC-Date: {}\r\nWARC-Target-URI: {}\r\n\
         WARC-Block-Digest: sha256:{}\r\nWARC-Payload-Digest: sha256:{}\r\nContent-Type: application/http;msgtype={kind}\r\n\
         Content-Length: {}\r\n\r\n",
        Digest::of(format!("{id} {kind}").as_bytes()).to_string(),
        capture.started_at,
        capture.uri,
        capture.block_digest,
        capture.payload_digest,
        block.len(),
    );
    gzip(&[head.as_bytes(), block, b"\r\n\r\n"].concat())
}

fn gzip(bytes: &[u8]) -> anyhow::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

/// The crawl and the analysis at work on one site, under a clock that is set by hand.
struct Watching {
    store: Store,
    clock: Arc<ManualClock>,
    crawl: crawl::CrawlHandle,
    tasks: JoinSet<anyhow::Result<()>>,
    stop: CancellationToken,
}

impl Watching {
    fn start(dir: &Path, site: &Site) -> anyhow::Result<Self> {
        let clock = Arc::new(ManualClock::at("2031-01-01T00:00:00Z".parse()?));
        let store = open(dir)?;
        let indexes = Arc::new(search::Indexes::open(dir.join("index"), search::Config::default())?);
        let transport = Arc::new(Loopback::new([((onion(), 80), site.http())]));
        let fetcher = Arc::new(fetch::Fetcher::new(transport, clock.clone(), &fetch::Config::default())?);
        let identity = crawl::Identity { software: Digest::of(b"bench"), configuration: Digest::of(b"bench") };
        let config = crawl::Config { requests_per_s: 0, ..crawl::Config::default() };
        let crawler = crawl::Crawler::new(config, store.clone(), fetcher, clock.clone(), identity);
        let deriver = derive::Deriver::new(derive::Config::default(), store.clone(), indexes);
        let (crawl, stop, mut tasks) = (crawler.handle(), CancellationToken::new(), JoinSet::new());
        let (crawl_stop, derive_stop) = (stop.clone(), stop.clone());
        tasks.spawn(async move { Ok(Box::pin(crawler.run(crawl_stop)).await?) });
        tasks.spawn(async move { Ok(deriver.run(derive_stop).await?) });
        let now = model::Clock::now(&*clock);
        samples::add_target(&store, theme()?, TARGET, terms(now)?, now)?;
        crawl.targets_changed();
        Ok(Self { store, clock, crawl, tasks, stop })
    }

    /// Waits until every page that is due is captured once more.
    async fn visit(&self) -> anyhow::Result<()> {
        let theme = theme()?;
        let newest = || self.store.newest().borrow().get(&theme).copied().unwrap_or_default();
        let before = newest();
        self.clock.advance(Duration::from_hours(2));
        wait_until("every page is captured and analysed", Deadline::seconds(600), || async {
            let status = self.crawl.status().borrow().clone();
            let is_idle = status.in_flight == 0 && status.targets.iter().all(|target| target.is_idle);
            let is_done = newest() > before && self.store.crawl_cursor(theme)? == newest();
            Ok((is_idle && is_done).then_some(()))
        })
        .await
    }

    async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(())
    }
}

fn open(dir: &Path) -> anyhow::Result<Store> {
    Ok(Store::open(&dir.join("store"), &store::Config::default(), CredentialKey::from_bytes(&[1; 32]))?)
}

fn theme() -> anyhow::Result<ThemeId> {
    Ok("marketplace".parse()?)
}

fn onion() -> OnionAddress {
    OnionAddress::from_public_key([7; 32])
}

/// The market, visited once an hour.
fn terms(now: Timestamp) -> anyhow::Result<Terms> {
    let end = now.after(Duration::from_hours(10_000));
    Ok(Terms {
        scope: Scope { pages_per_day: u32::MAX, ..Scope::default() },
        pace: Pace { delay_ms: 0, concurrency: 16, revisit_min_s: 3_600, revisit_max_s: 3_600 },
        review_at: end,
        ends_at: end,
        ..samples::terms(format!("http://{}/", onion()).parse()?)
    })
}

//! `bench soak`: the daemon on the private network while the market changes and relays and services die and come back, minute by minute.
//!
//! What grows without an end shows here: memory, descriptors, threads, disk, and what waits behind the cursors.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, bail};
use serde_json::Value;
use testnet::network::Onion;
use tests::{Daemon, Underworld};
use tokio::time::{Instant, sleep_until};

use super::process;

const MINUTE: Duration = Duration::from_mins(1);

/// Minutes in which caches, pools and the index find their size; growth is counted from their end.
const WARM_UP: usize = 5;

/// Over how many minutes growth is told.
const SPAN: f64 = 10.0;

/// How long a service that freezes stays so.
const FROZEN: Duration = Duration::from_secs(20);

/// The service that dies and freezes, on a host of its own.
const MORTAL: &str = "mortal";

/// What fails is tried again within the minute, and what a hostile site draws out ends within half of one.
const SETTINGS: &str = "log = \"warn\"\ncrawl.requests_per_s = 0\ncrawl.backoff_min_s = 2\ncrawl.backoff_max_s = 20\ncrawl.retry_after_max_s = 5\n\
     crawl.uris_per_template = 50\nfetch.limits.connect_s = 30\nfetch.limits.first_byte_s = 10\nfetch.limits.idle_s = 5\nfetch.limits.total_s = 20\n";

/// Pages come round every minute or two.
const PACE: [&str; 8] = ["--delay-ms", "50", "--concurrency", "4", "--revisit-min-s", "60", "--revisit-max-s", "120"];

const TARGETS: [(&str, &str); 4] =
    [("market", "marketplace"), (MORTAL, "marketplace"), ("forum", "cybercrime"), ("hostile", "cybercrime")];

/// What befalls relays and services, minute by minute and again from the start.
#[derive(Debug, Clone, Copy)]
enum Event {
    Nothing,
    RelayDies,
    RelaysReturn,
    ServiceDies,
    ServiceReturns,
    ServiceFreezes,
}

const EVENTS: [Event; 6] = [
    Event::Nothing,
    Event::RelayDies,
    Event::RelaysReturn,
    Event::ServiceDies,
    Event::ServiceReturns,
    Event::ServiceFreezes,
];

/// How the daemon is at the end of a minute.
struct Row {
    minute: usize,
    own_kb: u64,
    resident_kb: u64,
    descriptors: usize,
    threads: u64,
    store_kb: u64,
    index_kb: u64,
    captures: u64,
    lag: u64,
    queued: u64,
    is_ready: bool,
}

pub(crate) async fn run(minutes: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mortal = |sites: &testnet::sites::Sites| {
        vec![Onion { host: MORTAL.to_owned(), ..Onion::new(MORTAL, sites.mirror().http()) }]
    };
    let progress = tokio::sync::watch::Sender::default();
    let underworld = Underworld::start(&dir.path().join("tor"), true, mortal, &progress).await?;
    let config = underworld.network.arti_config_file();
    let mut daemon = Daemon::prepare(&dir.path().join("daemon"), &config, SETTINGS).await?;
    daemon.start().await?;
    for (name, theme) in TARGETS {
        daemon.add_target(theme, name, &underworld.seed(name)?, &PACE).await?;
    }
    println!("{minutes} minutes, of which {WARM_UP} to warm up; the market changes in each.\n");
    println!(
        "| minute | what happens | own MB | resident MB | descriptors | threads | store MB | index MB | captures | lag | queued | Tor |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    let begun = Instant::now();
    let mut rows = Vec::new();
    for (minute, event) in (1..=minutes).zip(EVENTS.into_iter().cycle()) {
        underworld.sites.market().advance();
        befall(&underworld, event).await.with_context(|| format!("minute {minute}: {event:?}"))?;
        sleep_until(begun + MINUTE * u32::try_from(minute)?).await;
        let row = Row::take(minute, &daemon).await.with_context(|| daemon.end_of_log())?;
        println!("{}", row.cells(event));
        rows.push(row);
    }
    println!("\n{}", growth(&rows));
    daemon.stop().await?;
    underworld.network.stop().await;
    Ok(())
}

async fn befall(underworld: &Underworld, event: Event) -> anyhow::Result<()> {
    let network = &underworld.network;
    match event {
        Event::Nothing => {}
        // The last is a mere relay: authorities are needed for the consensus.
        Event::RelayDies => network.kill_relays(&[*network.relay_names().last().context("no relays")?]).await?,
        Event::RelaysReturn => network.restart_relays().await?,
        Event::ServiceDies => network.kill_host(MORTAL).await?,
        Event::ServiceReturns => network.restart_host(MORTAL).await?,
        Event::ServiceFreezes => {
            network.freeze_host(MORTAL).await?;
            sleep_until(Instant::now() + FROZEN).await;
            network.thaw_host(MORTAL).await?;
        }
    }
    Ok(())
}

impl Row {
    async fn take(minute: usize, daemon: &Daemon) -> anyhow::Result<Self> {
        let pid = daemon.pid()?;
        let status = daemon.get("/status").await?;
        let themes = status["analysis"].as_array().context("no analysis in the status")?;
        let of = |theme: &Value, what: &str| theme[what].as_u64().unwrap_or(0);
        // The last cursor is furthest behind, since it follows what the others have done; the index has one of its own.
        let lag = |theme: &Value| {
            of(theme, "captured")
                .saturating_sub(of(theme, "indexed").min(of(theme, "analysed")).min(of(theme, "followed")))
        };
        Ok(Self {
            minute,
            own_kb: process::own_kb(pid)?,
            resident_kb: process::resident_kb(pid)?,
            descriptors: process::descriptors(pid)?,
            threads: process::threads(pid)?,
            store_kb: disk_kb(&daemon.data().join("store"))?,
            index_kb: disk_kb(&daemon.data().join("index"))?,
            captures: themes.iter().map(|theme| of(theme, "captured")).sum(),
            lag: themes.iter().map(lag).max().unwrap_or(0),
            queued: status["crawl"]["queued"].as_u64().unwrap_or(0),
            is_ready: status["tor"]["is_ready"] == true,
        })
    }

    fn cells(&self, event: Event) -> String {
        let what = match event {
            Event::Nothing => "–",
            Event::RelayDies => "a relay is killed",
            Event::RelaysReturn => "it comes back, and every service anew",
            Event::ServiceDies => "a service is killed",
            Event::ServiceReturns => "it comes back",
            Event::ServiceFreezes => "it freezes for a while",
        };
        let Self { minute, descriptors, threads, captures, lag, queued, .. } = self;
        let tor = if self.is_ready { "ready" } else { "not ready" };
        format!(
            "| {minute} | {what} | {:.1} | {:.1} | {descriptors} | {threads} | {:.1} | {:.1} | {captures} | {lag} | {queued} | {tor} |",
            mb(self.own_kb),
            mb(self.resident_kb),
            mb(self.store_kb),
            mb(self.index_kb)
        )
    }
}

/// How memory grew after the warm-up: the slope of the line that fits the minutes best, since single minutes swing with what is in flight.
#[expect(clippy::cast_precision_loss, reason = "minutes and kilobytes of a process")]
fn growth(rows: &[Row]) -> String {
    let rows: Vec<(f64, f64)> =
        rows.iter().filter(|row| row.minute > WARM_UP).map(|row| (row.minute as f64, mb(row.own_kb))).collect();
    let count = rows.len() as f64;
    let (x, y) = rows.iter().fold((0.0, 0.0), |(x, y), row| (x + row.0 / count, y + row.1 / count));
    let (above, below) = rows
        .iter()
        .fold((0.0, 0.0), |(above, below), row| (above + (row.0 - x) * (row.1 - y), below + (row.0 - x).powi(2)));
    if rows.len() < 3 {
        return format!("Growth is told from minute {} on.", WARM_UP + 3);
    }
    format!("Own memory after the warm-up: {:+.2} MB in {SPAN} minutes, {y:.1} MB on average.", above / below * SPAN)
}

#[expect(clippy::cast_precision_loss, reason = "kilobytes of a process or a directory")]
fn mb(kb: u64) -> f64 {
    kb as f64 / 1024.0
}

/// The bytes of the files beneath a directory, in KB. A file that is gone meanwhile counts nothing.
fn disk_kb(directory: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    let mut due = vec![directory.to_owned()];
    while let Some(directory) = due.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => bail!("{}: {error}", directory.display()),
        };
        for entry in entries {
            let entry = entry?;
            match entry.metadata() {
                Ok(data) if data.is_dir() => due.push(entry.path()),
                Ok(data) => bytes += data.len(),
                Err(_) => {}
            }
        }
    }
    Ok(bytes / 1024)
}

//! `bench crawl`: the daemon with politeness off, durable, analysing and indexing, beside the bare loop and curl.
//!
//! The daemon's time runs from its first attempt until a search finds the last page; its CPU time is that of the whole process.

use std::{net::SocketAddr, path::Path, process::Stdio};

use anyhow::{Context as _, ensure};
use model::{Clock as _, SystemClock, Timestamp};
use testnet::network::{Network, Onion, Plan};
use tests::{Daemon, Deadline};
use tokio::{process::Command, task::JoinSet, time::Instant};

use super::{bare::CONCURRENCY, figures::Figures, pages, process};

/// What was measured of one way to fetch, round by round.
#[derive(Default)]
struct Rounds {
    pages_per_s: Figures,
    /// From the last attempt's end until its page was found, in milliseconds.
    found_after_ms: Figures,
    cpu_ms_per_page: Figures,
    peak_mb: Figures,
}

pub(crate) async fn run(rounds: usize, pages: usize) -> anyhow::Result<()> {
    println!(
        "{rounds} interleaved rounds, {pages} pages of 20 KB a service, {CONCURRENCY} requests in flight to each; median (least … most)\n"
    );
    println!(
        "| regime | services | what | pages/s | of the limit | found after ms | CPU ms/page | peak MB |\n|---|---|---|---|---|---|---|---|"
    );
    for (regime, tcp_nodelay) in [("CPU-bound (TCP_NODELAY)", true), ("latency-bound (stock TCP)", false)] {
        for services in [1, 3] {
            measure(regime, tcp_nodelay, services, rounds, pages).await?;
        }
    }
    queued().await
}

async fn measure(regime: &str, tcp_nodelay: bool, services: usize, rounds: usize, pages: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut tasks = JoinSet::new();
    let network = network(dir.path(), tcp_nodelay, services, pages, &mut tasks).await?;
    let onions: Vec<String> = (0..services)
        .map(|n| Ok(network.onion(&format!("site{n}")).context("no onion")?.to_string()))
        .collect::<anyhow::Result<_>>()?;
    let socks = network.socks_client().await?;
    let (mut ours, mut limit, mut peer) = (Rounds::default(), Rounds::default(), Rounds::default());
    for round in 0..rounds {
        eprintln!("{regime}, {services} services: round {}", round + 1);
        daemon(&mut ours, &dir.path().join(format!("daemon{round}")), &network, tcp_nodelay, &onions, pages).await?;
        bare(&mut limit, &network, tcp_nodelay, &onions, pages).await?;
        curl(&mut peer, dir.path(), socks, &onions, pages).await?;
    }
    let ceiling = limit.pages_per_s.median();
    for (what, Rounds { pages_per_s, found_after_ms, cpu_ms_per_page, peak_mb }) in [
        ("the daemon", &ours),
        ("bare loop over the same client (limit)", &limit),
        ("curl --parallel over C tor", &peer),
    ] {
        println!(
            "| {regime} | {services} | {what} | {pages_per_s:.0} | {:.2} | {found_after_ms:.0} | {cpu_ms_per_page:.2} | {peak_mb:.0} |",
            pages_per_s.median() / ceiling
        );
    }
    network.stop().await;
    Ok(())
}

async fn network(
    dir: &Path,
    tcp_nodelay: bool,
    services: usize,
    pages: usize,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<Network> {
    let mut onions = Vec::new();
    for n in 0..services {
        onions.push(Onion::new(format!("site{n}"), pages::serve(pages, tasks).await?));
    }
    Ok(Network::start(&dir.join("tor"), Plan { tcp_nodelay, onions, ..Plan::default() }).await?)
}

/// The daemon crawls every service whole.
#[expect(clippy::cast_precision_loss, reason = "counts of pages and of megabytes")]
async fn daemon(
    rounds: &mut Rounds,
    dir: &Path,
    network: &Network,
    tcp_nodelay: bool,
    onions: &[String],
    pages: usize,
) -> anyhow::Result<()> {
    let settings = format!(
        "log = \"warn\"\ncrawl.requests_per_s = 0\ncrawl.concurrency = 64\ncrawl.jitter_percent = 0\nfetch.tor.tcp_nodelay = {tcp_nodelay}\nfetch.http.connections_per_target = {CONCURRENCY}\n"
    );
    let mut daemon = Daemon::prepare(dir, &network.arti_config_file(), &settings).await?;
    daemon.start().await?;
    until_tor_is_ready(&daemon).await?;
    let cpu = process::cpu(daemon.pid()?)?;
    let concurrency = CONCURRENCY.to_string();
    let settings = ["--delay-ms", "0", "--concurrency", &concurrency];
    // All at once: the loop beside it knows every service from the start.
    let add =
        async |onion: &String| daemon.add_target("marketplace", onion, &format!("http://{onion}/"), &settings).await;
    futures::future::try_join_all(onions.iter().map(add)).await?;
    daemon.wait_until_idle(Deadline::seconds(300)).await?;
    let found_at = SystemClock.now();
    let cpu = process::cpu(daemon.pid()?)?.saturating_sub(cpu);
    let peak_mb = process::peak_mb(daemon.pid()?)?;
    let captures = daemon.captures("marketplace").await?;
    ensure!(captures.len() >= onions.len() * pages, "{} captures", captures.len());
    let first = captures.iter().filter_map(|capture| moment(&capture["started_at"])).min();
    // Newest first; the list leaves out when each ended.
    let newest = captures.first().map(|capture| &capture["seq"]).context("no capture")?;
    let newest = daemon.get(&format!("/themes/marketplace/captures/{newest}")).await?;
    let last = moment(&newest["ended_at"]);
    let count = captures.len() as f64;
    rounds.pages_per_s.add(count / found_at.since(first.context("no capture")?).as_secs_f64());
    rounds.found_after_ms.add(found_at.since(last.context("no capture")?).as_secs_f64() * 1000.0);
    rounds.cpu_ms_per_page.add(cpu.as_secs_f64() * 1000.0 / count);
    rounds.peak_mb.add(peak_mb as f64);
    daemon.stop().await?;
    Ok(())
}

fn moment(value: &serde_json::Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

async fn until_tor_is_ready(daemon: &Daemon) -> anyhow::Result<()> {
    tests::wait_until("Tor is ready", Deadline::seconds(60), || async {
        Ok((daemon.get("/status").await?["tor"]["is_ready"] == true).then_some(()))
    })
    .await
}

#[expect(clippy::cast_precision_loss, reason = "a count of pages")]
async fn bare(
    rounds: &mut Rounds,
    network: &Network,
    tcp_nodelay: bool,
    onions: &[String],
    pages: usize,
) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("bare")
        .arg("--network-config")
        .arg(network.arti_config_file())
        .arg("--pages")
        .arg(pages.to_string())
        .args(onions);
    if tcp_nodelay {
        command.arg("--tcp-nodelay");
    }
    let output = command.stderr(Stdio::inherit()).kill_on_drop(true).output().await?;
    ensure!(output.status.success(), "the bare loop failed");
    let text = String::from_utf8(output.stdout)?;
    let mut numbers = text.split_whitespace().filter_map(|number| number.parse::<f64>().ok());
    let (seconds, cpu_ms) = (numbers.next().context("no time")?, numbers.next().context("no CPU time")?);
    let count = (pages * onions.len()) as f64;
    rounds.pages_per_s.add(count / seconds);
    rounds.cpu_ms_per_page.add(cpu_ms / count);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a count of pages")]
async fn curl(
    rounds: &mut Rounds,
    dir: &Path,
    socks: SocketAddr,
    onions: &[String],
    pages: usize,
) -> anyhow::Result<()> {
    let urls: String = (0..pages)
        .flat_map(|page| {
            onions.iter().map(move |onion| format!("url = \"http://{onion}/p/{page}\"\noutput = \"/dev/null\"\n"))
        })
        .collect();
    let config = dir.join("curl");
    std::fs::write(&config, urls)?;
    let begun = Instant::now();
    let most = (CONCURRENCY * onions.len()).to_string();
    let status = Command::new("curl")
        .args([
            "--silent",
            "--fail",
            "--no-progress-meter",
            "--parallel",
            "--parallel-max",
            &most,
            "--socks5-hostname",
            &socks.to_string(),
            "--config",
        ])
        .arg(&config)
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await?;
    ensure!(status.success(), "curl failed: {status}");
    rounds.pages_per_s.add((pages * onions.len()) as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}

/// Memory with more than ten thousand URIs queued.
async fn queued() -> anyhow::Result<()> {
    const PAGES: usize = 12_000;
    let dir = tempfile::tempdir()?;
    let mut tasks = JoinSet::new();
    let network = network(dir.path(), true, 1, PAGES, &mut tasks).await?;
    let settings = "log = \"warn\"\ncrawl.requests_per_s = 0\n";
    let mut daemon = Daemon::prepare(&dir.path().join("daemon"), &network.arti_config_file(), settings).await?;
    daemon.start().await?;
    daemon
        .add_target(
            "marketplace",
            "site",
            &format!("http://{}/", network.onion("site0").context("no onion")?),
            &["--delay-ms", "0", "--concurrency", "16"],
        )
        .await?;
    let most = tests::wait_until("ten thousand URIs are queued", Deadline::seconds(300), || async {
        let queued = daemon.get("/status").await?["crawl"]["queued"].as_u64().unwrap_or(0);
        Ok((queued >= 10_000).then_some(queued))
    })
    .await?;
    println!(
        "\nWith {most} URIs queued, at the height of the crawl: {} MB peak resident memory.",
        process::peak_mb(daemon.pid()?)?
    );
    daemon.wait_until_idle(Deadline::seconds(300)).await?;
    let (peak, mapped) = (process::peak_mb(daemon.pid()?)?, process::mapped_mb(daemon.pid()?)?);
    println!("At the end of its {PAGES} pages: {peak} MB peak; at the end {mapped} MB are mapped files.");
    daemon.stop().await?;
    network.stop().await;
    Ok(())
}

//! `bench crawl`: the daemon with politeness off, durable, analysing and indexing, beside the bare loop and curl.

use std::{net::SocketAddr, path::Path, process::Stdio};

use anyhow::{Context as _, ensure};
use model::Timestamp;
use testnet::network::{Network, Onion, Plan};
use tests::{Daemon, Deadline};
use tokio::{process::Command, task::JoinSet, time::Instant};

use super::{bare::CONCURRENCY, median, pages, process};

/// One measurement.
struct Figure {
    pages_per_s: f64,
    cpu_ms_per_page: Option<f64>,
    peak_mb: Option<u64>,
}

pub(crate) async fn run(rounds: usize, pages: usize) -> anyhow::Result<()> {
    println!(
        "{rounds} interleaved rounds, {pages} pages of 20 KB a service, {CONCURRENCY} requests in flight to each; median (least … most)\n"
    );
    println!(
        "| regime | services | what | pages/s | of the limit | CPU ms/page | peak MB |\n|---|---|---|---|---|---|---|"
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
    let (mut ours, mut limit, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        eprintln!("{regime}, {services} services: round {}", round + 1);
        ours.push(daemon(&dir.path().join(format!("daemon{round}")), &network, tcp_nodelay, &onions, pages).await?);
        limit.push(bare(&network, tcp_nodelay, &onions, pages).await?);
        peer.push(curl(dir.path(), socks, &onions, pages).await?);
    }
    let ceiling = median(limit.iter().map(|figure| figure.pages_per_s)).0;
    for (what, figures) in [
        ("the daemon", &ours),
        ("bare loop over the same client (limit)", &limit),
        ("curl --parallel over C tor", &peer),
    ] {
        let (speed, least, most) = median(figures.iter().map(|figure| figure.pages_per_s));
        let cpu = figures.iter().filter_map(|figure| figure.cpu_ms_per_page).collect::<Vec<_>>();
        let cpu = if cpu.is_empty() {
            "–".into()
        } else {
            format!(
                "{:.2} ({:.2} … {:.2})",
                median(cpu.iter().copied()).0,
                median(cpu.iter().copied()).1,
                median(cpu.iter().copied()).2
            )
        };
        let peak =
            figures.iter().filter_map(|figure| figure.peak_mb).max().map_or("–".into(), |peak| peak.to_string());
        println!(
            "| {regime} | {services} | {what} | {speed:.0} ({least:.0} … {most:.0}) | {:.2} | {cpu} | {peak} |",
            speed / ceiling
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

/// The daemon crawls every service whole; the time is that from the first attempt's beginning to the moment at which the last page is found.
async fn daemon(
    dir: &Path,
    network: &Network,
    tcp_nodelay: bool,
    onions: &[String],
    pages: usize,
) -> anyhow::Result<Figure> {
    let settings = format!(
        "log = \"warn\"\ncrawl.requests_per_s = 0\ncrawl.concurrency = 64\ncrawl.jitter_percent = 0\nfetch.tor.tcp_nodelay = {tcp_nodelay}\nfetch.http.connections_per_target = {CONCURRENCY}\n"
    );
    let mut daemon = Daemon::prepare(dir, &network.arti_config_file(), &settings).await?;
    daemon.start().await?;
    until_tor_is_ready(&daemon).await?;
    let cpu = process::cpu(daemon.pid()?)?;
    for (n, onion) in onions.iter().enumerate() {
        let concurrency = CONCURRENCY.to_string();
        daemon
            .add_target(
                "marketplace",
                &format!("site {n}"),
                &format!("http://{onion}/"),
                &["--delay-ms", "0", "--concurrency", &concurrency],
            )
            .await?;
    }
    daemon.wait_until_idle(Deadline::seconds(300)).await?;
    let cpu = process::cpu(daemon.pid()?)?.saturating_sub(cpu);
    let peak_mb = process::peak_mb(daemon.pid()?)?;
    let captures = daemon.captures("marketplace").await?;
    ensure!(captures.len() >= onions.len() * pages, "{} captures", captures.len());
    let moment =
        |capture: &serde_json::Value| capture["started_at"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let (first, last) = (captures.iter().filter_map(moment).min(), captures.iter().filter_map(moment).max());
    let seconds = last.context("no capture")?.since(first.context("no capture")?).as_secs_f64();
    daemon.stop().await?;
    #[expect(clippy::cast_precision_loss, reason = "a count of pages")]
    let count = captures.len() as f64;
    Ok(Figure {
        pages_per_s: count / seconds,
        cpu_ms_per_page: Some(cpu.as_secs_f64() * 1000.0 / count),
        peak_mb: Some(peak_mb),
    })
}

async fn until_tor_is_ready(daemon: &Daemon) -> anyhow::Result<()> {
    tests::wait_until("Tor is ready", Deadline::seconds(60), || async {
        Ok((daemon.get("/status").await?["tor"]["is_ready"] == true).then_some(()))
    })
    .await
}

#[expect(clippy::cast_precision_loss, reason = "a count of pages")]
async fn bare(network: &Network, tcp_nodelay: bool, onions: &[String], pages: usize) -> anyhow::Result<Figure> {
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
    Ok(Figure { pages_per_s: count / seconds, cpu_ms_per_page: Some(cpu_ms / count), peak_mb: None })
}

#[expect(clippy::cast_precision_loss, reason = "a count of pages")]
async fn curl(dir: &Path, socks: SocketAddr, onions: &[String], pages: usize) -> anyhow::Result<Figure> {
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
    Ok(Figure {
        pages_per_s: (pages * onions.len()) as f64 / begun.elapsed().as_secs_f64(),
        cpu_ms_per_page: None,
        peak_mb: None,
    })
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
    println!("At the end of its {PAGES} pages: {} MB.", process::peak_mb(daemon.pid()?)?);
    daemon.stop().await?;
    network.stop().await;
    Ok(())
}

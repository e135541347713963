//! The demonstration: a private Tor network, two hidden sites, and the daemon that watches them.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a demonstration speaks to people")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::Context as _;
use clap::Parser;
use serde_json::{Value, json};
use testnet::{network::Progress, sites::Site};
use tests::{Daemon, Deadline, Person, Underworld, expected_uris};
use tokio::{sync::watch, time::Instant};

/// The longest time that the crawl may take, in seconds.
const PATIENCE_S: u64 = 600;

/// What the demonstration looks for: words of which the market has some.
const QUERY: &str = "Harbour Mix";

/// Boots a private Tor network with hidden sites, crawls them with the daemon, and shows what came of it.
#[derive(Parser)]
struct Args {
    /// Ends when the crawl is done, instead of staying up until Ctrl-C.
    #[arg(long)]
    once: bool,
    /// Ends with one line of JSON.
    #[arg(long)]
    json: bool,
}

/// One watched site, and what came of it.
struct Watched<'a> {
    site: &'a Site,
    theme: &'static str,
    onion: model::OnionAddress,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tokio::select! {
        result = demonstrate(&args) => result,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("\nStopped.");
            Ok(())
        }
    }
}

async fn demonstrate(args: &Args) -> anyhow::Result<()> {
    let begun = Instant::now();
    let dir = tempfile::Builder::new().prefix("nachtwacht-demo-").tempdir()?;
    say("Starting a private Tor network of C-tor processes on loopback (some 12 seconds)");
    let underworld = start_underworld(&dir).await?;
    say("Starting the daemon; its Tor client is embedded");
    let settings = "crawl.requests_per_s = 0\nderive.index_after_ms = 500\n";
    let mut daemon =
        Daemon::prepare(&dir.path().join("nachtwacht"), &underworld.network.arti_config_file(), settings).await?;
    daemon.start().await?;
    let watched = [
        Watched { site: underworld.sites.market(), theme: "marketplace", onion: underworld.onion("market")? },
        Watched { site: underworld.sites.forum(), theme: "cybercrime", onion: underworld.onion("forum")? },
    ];
    for Watched { site, theme, .. } in &watched {
        let seed = underworld.seed(site.name())?;
        say(&format!("Adding {} at {seed} to theme {theme}", site.name()));
        daemon.add_target(theme, site.name(), &seed, &["--delay-ms", "0", "--concurrency", "8"]).await?;
    }
    crawl(&daemon).await?;
    let result = result(&daemon, &watched, begun).await?;
    show(&result, &daemon);
    if !args.once {
        say("Everything stays up until Ctrl-C.");
        std::future::pending::<()>().await;
    }
    daemon.stop().await?;
    underworld.network.stop().await;
    if args.json {
        println!("{result}");
    }
    Ok(())
}

async fn start_underworld(dir: &tempfile::TempDir) -> anyhow::Result<Underworld> {
    let (progress, mut seen) = watch::channel(Progress::default());
    let directory = dir.path().join("tor");
    let start = Underworld::start(&directory, true, |_| Vec::new(), &progress);
    tokio::pin!(start);
    loop {
        tokio::select! {
            underworld = &mut start => return underworld,
            Ok(()) = seen.changed() => say(&format!("  {}", *seen.borrow_and_update())),
        }
    }
}

/// Shows the progress of the crawl until it comes to rest.
async fn crawl(daemon: &Daemon) -> anyhow::Result<()> {
    let idle = daemon.wait_until_idle(Deadline::seconds(PATIENCE_S));
    tokio::pin!(idle);
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    loop {
        tokio::select! {
            result = &mut idle => return result,
            _ = tick.tick() => {
                let status = daemon.get("/status").await?;
                let crawl = &status["crawl"];
                say(&format!("  tor {} %, {} captures, {} queued, {} in flight", status["tor"]["percent"], crawl["captures"], crawl["queued"], crawl["in_flight"]));
            }
        }
    }
}

async fn result(daemon: &Daemon, watched: &[Watched<'_>], begun: Instant) -> anyhow::Result<Value> {
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    let mut sites = Vec::new();
    for Watched { site, theme, onion } in watched {
        let expected = expected_uris(site, *onion)?;
        let robots: model::Uri = format!("http://{onion}/robots.txt").parse()?;
        let (mut captured, mut duplicates, mut out_of_scope) = (BTreeSet::new(), 0u64, 0u64);
        for capture in daemon.captures(theme).await? {
            *outcomes.entry(capture["outcome"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            let uri: model::Uri = capture["uri"].as_str().context("a capture without a URI")?.parse()?;
            if uri == robots {
                continue;
            }
            out_of_scope += u64::from(!expected.contains(&uri));
            duplicates += u64::from(expected.contains(&uri) && !captured.insert(uri));
        }
        sites.push(json!({
            "name": site.name(),
            "onion": onion.to_string(),
            "expected": expected.len(),
            "captured": captured.len(),
            "duplicates": duplicates,
            "out_of_scope": out_of_scope,
        }));
    }
    let answer = daemon.get(&format!("/themes/marketplace/search?limit=3&q={}", QUERY.replace(' ', "%20"))).await?;
    Ok(json!({
        "sites": sites,
        "outcomes": outcomes,
        "search": { "query": QUERY, "total": answer["total"] },
        "seconds": begun.elapsed().as_secs_f64().round(),
    }))
}

fn show(result: &Value, daemon: &Daemon) {
    eprintln!(
        "\n{:8} {:64} {:>8} {:>8} {:>10} {:>12}",
        "SITE", "ONION", "EXPECTED", "CAPTURED", "DUPLICATES", "OUT OF SCOPE"
    );
    for site in result["sites"].as_array().into_iter().flatten() {
        let text = |key: &str| site[key].as_str().map_or_else(|| site[key].to_string(), str::to_owned);
        eprintln!(
            "{:8} {:64} {:>8} {:>8} {:>10} {:>12}",
            text("name"),
            text("onion"),
            text("expected"),
            text("captured"),
            text("duplicates"),
            text("out_of_scope"),
        );
    }
    eprintln!("\nOutcomes: {}", result["outcomes"]);
    eprintln!("Search for {}: {} captures", result["search"]["query"], result["search"]["total"]);
    let program = tests::program().map(|path| path.display().to_string()).unwrap_or_default();
    eprintln!("\nTry next:");
    for command in [
        "status",
        "target list",
        &format!("search --theme marketplace {QUERY}"),
        "search --theme cybercrime lang:rus",
        "capture list --theme marketplace",
    ] {
        eprintln!(
            "  {program} --config {} --token-file {} {command}",
            daemon.config().display(),
            daemon.token_file(Person::Tester).display()
        );
    }
}

fn say(text: &str) {
    eprintln!("{text}");
}

//! `testnet up`, `status` and `down`: a private Tor network with its hidden sites, for whoever wants to look at one.
#![expect(clippy::print_stdout, reason = "a command line program answers on standard output")]

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use rustix::process::{Pid, Signal, kill_process};
use testnet::{
    network::{self, Network, Onion, Plan, State},
    sites::Sites,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{sleep, timeout},
};
use tracing_subscriber::EnvFilter;

/// How long a network may take to stop.
const STOPPING: Duration = Duration::from_secs(15);
/// The time between two looks whether a network has stopped, which no event tells to another process.
const TICK: Duration = Duration::from_millis(50);

/// A private Tor network on loopback, with hidden sites to crawl.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a network and its sites, and keep them until Ctrl-C or `down`.
    Up {
        #[command(flatten)]
        at: At,
        /// Say where everything is in one line of JSON.
        #[arg(long)]
        json: bool,
        /// What the content of the sites follows from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Say what runs, and where.
    Status {
        #[command(flatten)]
        at: At,
        /// The same in one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Stop a network.
    Down {
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Args)]
struct At {
    /// The directory of the network.
    #[arg(long, default_value_os_t = network::default_dir())]
    dir: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
    match Cli::parse().command {
        Command::Up { at, json, seed } => up(at, json, seed).await,
        Command::Status { at, json } => status(&at, json),
        Command::Down { at } => down(&at).await,
    }
}

async fn up(At { dir }: At, json: bool, seed: u64) -> anyhow::Result<ExitCode> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let sites = Sites::start(seed).await.context("the hidden sites do not start")?;
    let plan = Plan { onions: sites.all().map(Onion::of_site).to_vec(), ..Plan::default() };
    let network = tokio::select! {
        network = Network::start(&dir, plan) => network?,
        _ = interrupt.recv() => return Ok(ExitCode::FAILURE),
        _ = terminate.recv() => return Ok(ExitCode::FAILURE),
    };
    let state =
        State { pid: std::process::id(), arti_config: network.arti_config_file(), onions: network.onions().clone() };
    state.write(network.dir())?;
    show(&state, json)?;

    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    network.stop().await;
    sites.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn status(At { dir }: &At, json: bool) -> anyhow::Result<ExitCode> {
    match (State::read(dir), network::holder(dir)) {
        (Some(state), _) => {
            show(&state, json)?;
            return Ok(ExitCode::SUCCESS);
        }
        (None, Some(pid)) => println!("process {pid} starts a network in {}", dir.display()),
        (None, None) => println!("no network runs in {}", dir.display()),
    }
    Ok(ExitCode::FAILURE)
}

async fn down(At { dir }: &At) -> anyhow::Result<ExitCode> {
    let Some(id) = network::holder(dir) else {
        println!("no network runs in {}", dir.display());
        return Ok(ExitCode::SUCCESS);
    };
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw).context("the lock of the network names no process")?;
    kill_process(pid, Signal::TERM).with_context(|| format!("cannot tell process {id} to stop"))?;
    let stopped = timeout(STOPPING, async {
        while network::holder(dir).is_some() {
            sleep(TICK).await;
        }
    });
    if stopped.await.is_err() {
        bail!("process {id} still runs after {} s", STOPPING.as_secs());
    }
    Ok(ExitCode::SUCCESS)
}

fn show(state: &State, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(state)?);
        return Ok(());
    }
    for (name, address) in &state.onions {
        println!("{name:<10} http://{address}/");
    }
    println!("for arti   {}", state.arti_config.display());
    println!("process    {} (Ctrl-C there, or `testnet down`, stops everything)", state.pid);
    Ok(())
}

//! The victim of the crash rounds: records captures until it is killed, fails or is done, and says of each what was acknowledged.
//!
//! It begins a capture only where there is room, as the crawl does, and records an act now and then, room or not.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is what it promises")]

use std::{collections::HashMap, path::PathBuf, time::Duration};

use anyhow::bail;
use clap::Parser;
use model::{TargetId, ThemeId, Timestamp};
use store::{CredentialKey, Room, Store};
use tests::{Chance, samples};
use tokio::task::JoinSet;

const WORKERS: u64 = 8;

/// How many refusals of the store a worker survives.
const PATIENCE: u32 = 3;

const TICK: Duration = Duration::from_millis(50);

/// Records captures.
#[derive(Parser)]
struct Args {
    /// The store's directory.
    directory: PathBuf,
    #[arg(long)]
    seed: u64,
    /// Captures of each worker.
    #[arg(long, default_value_t = 50)]
    captures: u64,
    #[arg(long, default_value_t = 0)]
    floor_mb: u64,
    #[arg(long, default_value_t = 0)]
    reserve_mb: u64,
    /// Waits on a full disk until there is room.
    #[arg(long)]
    waits_for_room: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    // Small buffers, so that tables are flushed and compacted within a round.
    let config = store::Config {
        cache_mb: 4,
        write_buffer_mb: 1,
        group_size: 16,
        floor_mb: args.floor_mb,
        reserve_mb: args.reserve_mb,
        ..store::Config::default()
    };
    let store = Store::open(&args.directory, &config, CredentialKey::from_bytes(&[7; 32]))?;
    println!("open");
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let chance = Chance::of(args.seed, worker);
        workers.spawn(work(store.clone(), worker, chance, args.captures, args.waits_for_room));
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    println!("done");
    Ok(())
}

async fn work(store: Store, worker: u64, mut chance: Chance, captures: u64, waits: bool) -> anyhow::Result<()> {
    let theme: ThemeId = if worker.is_multiple_of(2) { "marketplace" } else { "cybercrime" }.parse()?;
    let mut before: HashMap<u64, Vec<u8>> = HashMap::new();
    let mut refusals = 0;
    for _ in 0..captures {
        if chance.below(16) == 0 {
            act(&store, theme, &mut chance);
        }
        let page = chance.below(6);
        let payload = samples::payload(&mut chance, before.get(&page).map(Vec::as_slice));
        loop {
            if store.room() != Room::ForAll {
                println!("full");
                while store.room() != Room::ForAll {
                    // A full disk keeps nobody from recording an act.
                    if worker == 0 {
                        act(&store, theme, &mut chance);
                    }
                    tokio::time::sleep(TICK).await;
                }
                println!("room");
            }
            match samples::record(&store, theme, &format!("/{worker}/{page}"), &payload).await {
                Ok((seq, digest)) => {
                    println!("capture {theme}/{seq} {digest}");
                    break;
                }
                Err(error) if waits && error.is_disk_full() => {
                    println!("full");
                    tokio::time::sleep(TICK).await;
                }
                Err(error) => {
                    eprintln!("refused: {error}");
                    refusals += 1;
                    if refusals == PATIENCE {
                        bail!(error);
                    }
                }
            }
        }
        before.insert(page, payload);
    }
    Ok(())
}

/// A target with its decision: two leaves of the log.
fn act(store: &Store, theme: ThemeId, chance: &mut Chance) {
    let id = TargetId::from_u64(chance.draw());
    let terms = samples::terms(samples::uri("/"));
    match samples::add_target(store, theme, id, terms, Timestamp::from_micros(1)) {
        Ok(_) => println!("target {theme} {id}"),
        Err(error) if error.is_disk_full() => println!("full"),
        Err(error) => eprintln!("refused: {error}"),
    }
}

//! Benchmarks: ours, a peer and the physical limit, interleaved in one run. Figures are printed, never asserted.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints a table")]

mod bench {
    pub(crate) mod bare;
    pub(crate) mod crash;
    pub(crate) mod crawl;
    pub(crate) mod derive;
    pub(crate) mod figures;
    pub(crate) mod pages;
    pub(crate) mod payloads;
    pub(crate) mod process;
    pub(crate) mod rescore;
    pub(crate) mod search;
    pub(crate) mod soak;
    pub(crate) mod store;
}

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Pages per second and CPU per page of the daemon, beside a bare loop over the same Tor client and curl over C tor.
    Crawl {
        /// Rounds of each measurement.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Pages of each service.
        #[arg(long, default_value_t = 2000)]
        pages: usize,
    },
    /// Pages per second of CPU time of the analysis, from payload to index entry, beside html5ever's bare parse of the same bytes.
    Derive {
        /// Rounds of each measurement.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// A directory of saved pages to measure on as well: every `.html` file beneath it.
        #[arg(long)]
        saved: Option<PathBuf>,
    },
    /// Bytes on disk of ten visits to the market at three rates of change, beside gzip WARC, and how fast each is read back.
    Payloads,
    /// Synced captures beside bare RocksDB and SQLite, verification beside `sha256sum`, the start beside a bare open.
    Store {
        /// Rounds of each measurement.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Captures of a round.
        #[arg(long, default_value_t = 20_000)]
        captures: usize,
        /// Sizes of the stores that are started, in gigabytes; may be given several times.
        #[arg(long = "gigabytes", default_values_t = [1])]
        gigabytes: Vec<u64>,
    },
    /// What a changed indicator costs over everything that is stored, beside ripgrep over the same text.
    Rescore {
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Stored documents.
        #[arg(long, default_value_t = 100_000)]
        documents: usize,
    },
    /// Queries with facets and joins beside bare tantivy and SQLite's FTS5 over the same texts, and how fast each takes them in.
    Search {
        /// Rounds of each measurement.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Documents.
        #[arg(long, default_value_t = 100_000)]
        documents: usize,
        /// Measures on 1,000,000 documents as well.
        #[arg(long)]
        large: bool,
    },
    /// The daemon for as long as one likes while the market changes and relays and services die: memory, descriptors, threads, disk and lag.
    Soak {
        #[arg(default_value_t = 30)]
        minutes: usize,
    },
    /// Kills a writer in every way that can be thought of, and looks whether anything acknowledged is lost.
    Crash {
        #[arg(long, default_value_t = 200)]
        rounds: usize,
        /// What decides the deaths; chance when it is not given.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// The bare loop, as a process of its own: what `crawl` measures as the limit.
    #[command(hide = true)]
    Bare {
        #[arg(long)]
        network_config: PathBuf,
        #[arg(long)]
        tcp_nodelay: bool,
        #[arg(long)]
        pages: usize,
        onions: Vec<String>,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Crawl { rounds, pages } => bench::crawl::run(rounds, pages).await,
        Command::Derive { rounds, saved } => bench::derive::run(rounds, saved).await,
        Command::Payloads => bench::payloads::run().await,
        Command::Store { rounds, captures, gigabytes } => bench::store::run(rounds, captures, &gigabytes).await,
        Command::Rescore { rounds, documents } => bench::rescore::run(rounds, documents).await,
        Command::Search { rounds, documents, large } => bench::search::run(rounds, documents, large),
        Command::Soak { minutes } => bench::soak::run(minutes).await,
        Command::Crash { rounds, seed } => bench::crash::run(rounds, seed),
        Command::Bare { network_config, tcp_nodelay, pages, onions } => {
            bench::bare::run(network_config, tcp_nodelay, pages, onions).await
        }
    }
}

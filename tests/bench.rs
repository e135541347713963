//! Benchmarks: ours, a peer and the physical limit, interleaved in one run. Figures are printed, never asserted.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints a table")]

mod bench {
    pub(crate) mod bare;
    pub(crate) mod crawl;
    pub(crate) mod pages;
    pub(crate) mod payloads;
    pub(crate) mod process;
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
        #[arg(long, default_value_t = 600)]
        pages: usize,
    },
    /// Bytes on disk of ten visits to the market at three rates of change, beside gzip WARC, and how fast each is read back.
    Payloads,
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
        Command::Payloads => bench::payloads::run().await,
        Command::Bare { network_config, tcp_nodelay, pages, onions } => {
            bench::bare::run(network_config, tcp_nodelay, pages, onions).await
        }
    }
}

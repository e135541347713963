//! The binary: command line, configuration, lifecycle, telemetry, wiring. Logic lives in the crates below it.

mod back_off;
mod cli;
mod client;
mod client_keys;
mod clock;
mod command;
mod config;
mod credentials;
mod descriptors;
mod failure;
mod identity;
mod lifecycle;
mod print;
mod reload;
mod serve;
mod starters;
mod supervisor;
mod telemetry;
mod themes;

use std::process::ExitCode;

use clap::Parser as _;

/// glibc keeps an arena for each thread, and in each what its busiest moment took: in time five times of what is in use.
/// This one gives back to the kernel within seconds what nobody needs any more. It serves `RocksDB` too.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match command::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::problem(&failure);
            failure.exit_code()
        }
    }
}

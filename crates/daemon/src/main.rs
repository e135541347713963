//! The binary: command line, configuration, lifecycle, telemetry, wiring. Logic lives in the crates below it.

mod back_off;
mod cli;
mod client;
mod client_keys;
mod command;
mod config;
mod credentials;
mod failure;
mod identity;
mod lifecycle;
mod print;
mod reload;
mod serve;
mod starters;
mod supervisor;
mod themes;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match command::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::problem(&failure);
            failure.exit_code()
        }
    }
}

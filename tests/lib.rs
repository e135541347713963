//! What demo, benchmark and end-to-end tests share: a private Tor network with hidden sites behind it, and a real daemon that crawls
//! them; and a store that dies in every way that can be thought of.

mod chance;
pub mod crash;
mod daemon;
pub mod samples;
mod underworld;
mod wait;

pub use chance::Chance;
pub use daemon::{Daemon, PASSWORD, Person, built, program};
pub use underworld::{TLS_PORT, Underworld, expected_uris};
pub use wait::{Deadline, wait_until};

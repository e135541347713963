//! What demo, benchmark and end-to-end tests share: a private Tor network with hidden sites behind it, and a real daemon that crawls them.

mod daemon;
mod underworld;
mod wait;

pub use daemon::{Daemon, program};
pub use underworld::{TLS_PORT, Underworld, expected_uris};
pub use wait::{Deadline, wait_until};

//! A private Tor network of C-tor processes on loopback, and hidden sites to crawl: for the demo, the tests and the benchmarks.
//!
//! It deliberately ships in no package, and nothing the daemon runs depends on it.

mod loopback;
pub mod network;
pub mod sites;

pub use loopback::Loopback;

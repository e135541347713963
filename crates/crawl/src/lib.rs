//! Phase *technique*: what to fetch next, how politely, and when to come again.
//!
//! The crate owns frontier, scope, politeness, revisits, handed-over logins and the workers. It deliberately judges no content: what a
//! page is, and whether it changed, is told to it by crawl hints.

mod config;
mod crawler;
mod follower;
mod gate;
mod memory;
mod robots;
mod schedule;
mod scope;
mod status;
mod visit;
mod watched;

pub use config::Config;
pub use crawler::{CrawlHandle, Crawler, Error};
pub use memory::Memory;
pub use scope::check_patterns;
pub use status::{CrawlStatus, TargetStatus};
pub use visit::Identity;

//! The truth: RocksDB with typed tables, a versioned codec, and one committer that acknowledges a capture only when it is on disk.
//!
//! This crate deliberately indexes no text and decides no policy: what to fetch next, how long to wait and what a page means
//! is computed above it and handed down as records.

mod captures;
mod codec;
mod committer;
mod error;
mod frontier;
mod key;
mod logins;
mod payload;
mod schema;
mod store;
mod targets;
mod views;

#[cfg(test)]
mod tests;

pub use captures::{CaptureFilter, CapturePage};
pub use committer::{FinishedVisit, Receipt};
pub use error::Error;
pub use frontier::{CrawlBatch, CrawlState, FrontierEntry, HostRecord, Priority, TemplateRecord, UriRecord};
pub use logins::{Cookie, CredentialKey};
pub use payload::CompressedPayload;
pub use schema::{FORMAT, Kind, Table};
pub use store::{Config, DiskUse, Store};
pub use views::{Analysis, Attempt, Version};

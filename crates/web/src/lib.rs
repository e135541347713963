//! The API: who may ask, what may be asked, and how it is answered. JSON over HTTP/1.1, on TCP and on a Unix socket, with a
//! bearer token or a browser's session.
//!
//! This crate owns routes, the shapes on the wire, authentication, the making of grants, and the listeners. It
//! deliberately holds no state of its own and decides nothing about a crawl: it writes what people decided into the
//! store and tells the crawl that something changed. What a hostile site wrote leaves it as text or as an attachment,
//! and never as a page.

mod access;
pub mod api;
mod app;
mod audit;
mod authentication;
mod compression;
mod controllers;
mod csv;
mod description;
mod hardening;
mod idempotency;
mod limits;
mod lines;
mod metrics;
mod precondition;
mod reference;
mod refusal;
mod request;
mod router;
mod server;
mod watching;

#[cfg(test)]
pub(crate) mod tests;

pub use app::{App, Themes};
pub use authentication::{Config, first_accounts};
pub use router::{openapi, router};
pub use server::{CertificateHandle, Error, Server, TlsFiles};
pub use watching::{WatchConfig, Watcher, WatcherError};

//! The API: who may ask, what may be asked, and how it is answered. JSON over HTTP/1.1, on TCP with a bearer token and
//! on a Unix socket for whoever may open it.
//!
//! This crate owns routes, the shapes on the wire, authentication, the making of grants, and the listeners. It
//! deliberately holds no state of its own and decides nothing about a crawl: it writes what people decided into the
//! store and tells the crawl that something changed. What a hostile site wrote leaves it as text or as an attachment,
//! and never as a page.

pub mod api;
mod app;
mod authentication;
mod controllers;
mod csv;
mod hardening;
mod lines;
mod refusal;
mod request;
mod router;
mod server;

#[cfg(test)]
pub(crate) mod tests;

pub use app::App;
pub use router::{openapi, router};
pub use server::{Error, Server};

//! The only way out: the embedded Tor client, and HTTP/1.1 over the streams that it opens.
//!
//! This crate owns everything that a hostile site can do to a connection: limits of time and size, broken framing,
//! decompression bombs, redirects, cookies, TLS without trust. It keeps the exact bytes that were sent and received, and says
//! how each attempt ended. It is the only crate that opens an outward connection, and the only one that names arti.
//!
//! It deliberately does not decide *what* to fetch or *when*: retry policy, politeness and scheduling belong to `crawl`, and the
//! meaning of a page to `extract`.

mod block_list;
mod chunked;
mod config;
mod connection;
mod cookies;
mod error;
mod exchange;
mod fetcher;
mod head;
mod meter;
mod policy;
mod pool;
mod redirect;
mod tee;
mod tls;
mod tor;
mod transport;

pub use config::{Config, HttpConfig, Limits, TorConfig};
pub use cookies::LoginCookie;
pub use error::Error;
pub use exchange::{Exchange, Request, Validators};
pub use fetcher::Fetcher;
pub use policy::onion_objection;
pub use tor::{ClientKey, Tor};
pub use transport::{
    BoxStream, ConnectFailure, ConnectOptions, Destination, ProofsOfWork, Stream, TorStatus, Transport,
};

use std::sync::Arc;

use futures::future::BoxFuture;
use model::{Host, Isolation, Outcome, Uri};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Notify, watch},
};

/// What carries an exchange: a connection of bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection of either transport.
pub type BoxStream = Box<dyn Stream>;

/// The way to a service: Tor, or a loopback in tests.
pub trait Transport: Send + Sync + 'static {
    /// Opens a connection. The caller bounds the time: an implementation may wait for ever.
    fn connect<'a>(
        &'a self,
        to: &'a Destination,
        options: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>>;

    /// How ready the transport is, now and whenever that changes. The channel closes when the transport is gone.
    fn status(&self) -> watch::Receiver<TorStatus>;
}

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The service.
    pub host: Host,
    /// The port.
    pub port: u16,
}

impl Destination {
    /// Where a request for `uri` is sent.
    pub fn of(uri: &Uri) -> Self {
        Self { host: uri.host(), port: uri.port() }
    }
}

/// How a connection may be opened.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The group with which it may share circuits.
    pub isolation: Isolation,
    /// Whether a service's demand for a proof of work may be met; and who is told when the attempt comes to one, and so builds
    /// no circuits for a while.
    pub proof_of_work: Option<Arc<Notify>>,
}

/// Why a connection did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectFailure {
    /// As an outcome.
    pub outcome: Outcome,
    /// In the words of the transport.
    pub detail: String,
}

/// How ready the Tor client is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TorStatus {
    /// Progress of the bootstrap, from 0 to 100.
    pub percent: u8,
    /// Whether a connection can be opened now.
    pub is_ready: bool,
    /// What stands in the way, as far as that is known.
    pub blocked_because: Option<String>,
    /// How many attempts to bootstrap have failed.
    pub failed_attempts: u32,
    /// The work that services have demanded.
    pub proofs_of_work: ProofsOfWork,
}

/// How many proofs of work a Tor client has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProofsOfWork {
    /// Attempts to connect that wait for their turn.
    pub waiting: u32,
    /// Proofs being made: one at most.
    pub under_way: u32,
    /// Proofs that were made.
    pub made: u64,
    /// Proofs that were given up, because their time was over or nobody waited for the connection any more.
    pub given_up: u64,
}

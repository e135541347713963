//! The listeners, and the connections that they take.

mod connection;
mod error;
mod socket;
mod tls;

#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::Router;
use model::Pulse;
use tokio::{
    net::TcpListener,
    task::{JoinError, JoinSet},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::{either::Either, sync::CancellationToken};

pub use error::Error;
pub use tls::TlsFiles;

use self::{connection::Stream, socket::Socket, tls::Certificate};
use crate::{
    App, Watcher,
    app::{Running, Shared},
    authentication::Peer,
    idempotency,
    router::{figures, serving},
    watching,
};

/// How long open requests may take after a stop.
const DRAIN: Duration = Duration::from_secs(5);

/// The most connections of one listener at a time, where nobody says otherwise.
const MAX_CONNECTIONS: usize = 256;

const DAY: Duration = Duration::from_hours(24);

/// The wait after a connection could not be taken: the process has run out of something, and trying at once brings it
/// not back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The API, bound to its addresses.
pub struct Server {
    running: Shared,
    doors: Vec<Door>,
    /// What TCP is encrypted with, if it is.
    certificate: Option<Arc<Certificate>>,
    /// The most connections of one listener at a time.
    connections: usize,
    addresses: Vec<SocketAddr>,
}

/// A hold on the certificate of a server, which may be running.
#[derive(Clone)]
pub struct CertificateHandle(Arc<Certificate>);

impl CertificateHandle {
    /// Reads certificate and key anew. Files that cannot be used leave the ones before in force; [`Error::Tls`] names them.
    pub fn reload(&self) -> Result<(), Error> {
        self.0.reload()
    }
}

/// A listener, and what those who come through it get.
struct Door {
    listener: Listener,
    service: Router,
    /// What TCP is encrypted with, if it is.
    certificate: Option<Arc<Certificate>>,
    pulse: Pulse,
}

enum Listener {
    Tcp(TcpListener),
    Unix(Socket),
}

impl Server {
    /// Takes the addresses and the Unix socket. Whoever opens the socket as root or as the daemon's own user needs no token.
    /// With `tls` TCP is encrypted. Nobody is answered before [`Server::run`].
    pub async fn bind(app: App, tcp: &[SocketAddr], socket: &Path, tls: Option<TlsFiles>) -> Result<Self, Error> {
        let certificate = tls.map(Certificate::load).transpose()?.map(Arc::new);
        let running = Running::new(app);
        let router = serving(Arc::clone(&running));
        let mut doors = Vec::with_capacity(tcp.len() + 1);
        let mut addresses = Vec::with_capacity(tcp.len());
        for address in tcp {
            let listener = TcpListener::bind(address).await.map_err(|source| Error::address(*address, source))?;
            addresses.push(listener.local_addr().map_err(|source| Error::address(*address, source))?);
            doors.push(Door::new(Listener::Tcp(listener), router.clone(), certificate.clone()));
        }
        let socket = Socket::bind(socket).await?;
        doors.push(Door::new(Listener::Unix(socket), router, None));
        Ok(Self { running, doors, certificate, connections: MAX_CONNECTIONS, addresses })
    }

    /// Takes an address at which `GET /metrics` tells figures of the house to whoever asks, unencrypted.
    pub async fn with_metrics(mut self, address: SocketAddr) -> Result<Self, Error> {
        let listener = TcpListener::bind(address).await.map_err(|source| Error::address(address, source))?;
        self.addresses.push(listener.local_addr().map_err(|source| Error::address(address, source))?);
        let service = figures(Shared::clone(&self.running));
        self.doors.push(Door::new(Listener::Tcp(listener), service, None));
        Ok(self)
    }

    /// Takes at most so many connections of one listener at a time; whoever comes then waits.
    #[must_use]
    pub const fn with_connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }

    /// The TCP addresses, with the ports that the system chose where 0 was asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// One for each listener; it beats at each turn of the listener's loop.
    pub fn pulses(&self) -> Vec<Pulse> {
        self.doors.iter().map(|door| door.pulse.clone()).collect()
    }

    /// A hold on the certificate that TCP is encrypted with, if it is.
    pub fn certificate(&self) -> Option<CertificateHandle> {
        self.certificate.clone().map(CertificateHandle)
    }

    /// What runs the watches that are kept over this API.
    pub fn watcher(&self) -> Watcher {
        Watcher::new(Shared::clone(&self.running), watching::owners(&self.running))
    }

    /// Answers until `stop`. Open requests then have 5 s to end; what is still open is cut off.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let requests = self.running.requests.clone();
        let mut doors = JoinSet::new();
        doors.spawn(forget(self.running, stop.clone()));
        for door in self.doors {
            doors.spawn(door.serve(self.connections, stop.clone()));
        }
        while let Some(ended) = doors.join_next().await {
            ended?;
        }
        requests.close();
        if timeout(DRAIN, requests.wait()).await.is_err() {
            tracing::warn!("requests that nobody waits for any more are cut off");
        }
        Ok(())
    }
}

impl Door {
    fn new(listener: Listener, service: Router, certificate: Option<Arc<Certificate>>) -> Self {
        Self { listener, service, certificate, pulse: Pulse::default() }
    }

    async fn serve(self, most: usize, stop: CancellationToken) {
        let Self { listener, service, certificate, pulse } = self;
        let mut connections = JoinSet::new();
        loop {
            pulse.beat();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = connections.join_next() => note(ended),
                accepted = listener.accept(), if connections.len() < most => match accepted {
                    Ok((stream, peer)) => {
                        let certificate = certificate.clone();
                        connections.spawn(connection::serve(stream, certificate, peer, service.clone(), stop.clone()));
                        if connections.len() == most {
                            tracing::warn!(most, "as many connections are open as there may be: others wait");
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                () = sleep(Pulse::REST) => {}
            }
        }
        // The address is free from here on, while those who are inside may finish.
        drop(listener);
        let deadline = Instant::now() + DRAIN;
        while let Ok(Some(ended)) = timeout_at(deadline, connections.join_next()).await {
            note(ended);
        }
        connections.shutdown().await;
    }
}

impl Listener {
    async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Either::Left(stream), Peer::Address(address.ip())))
            }
            Self::Unix(socket) => {
                let (stream, peer) = socket.accept().await?;
                Ok((Either::Right(stream), peer))
            }
        }
    }
}

/// Forgets, day by day, the texts of the audit log whose time has come.
async fn forget(running: Shared, stop: CancellationToken) {
    loop {
        let forgotten = running.blocking(|running| {
            let term = DAY * running.app.config.audit_text_days;
            let (store, now) = (&running.app.store, running.app.clock.now());
            store.forget_keyed_requests(now.before(idempotency::REMEMBERED))?;
            Ok(store.forget_audited_texts(now.before(term))?)
        });
        match forgotten.await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "texts of the audit log were forgotten: their time has come"),
            Err(error) => tracing::error!(%error, "texts of the audit log could not be forgotten"),
        }
        if stop.run_until_cancelled(sleep(DAY)).await.is_none() {
            return;
        }
    }
}

/// A connection that panics costs its client the answer, and nobody else.
fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection died");
    }
}

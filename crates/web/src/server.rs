//! The listeners, and the connections that they take.

mod connection;
mod error;
mod socket;

#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, path::Path, time::Duration};

use axum::{Extension, Router};
use tokio::{
    net::TcpListener,
    task::{JoinError, JoinSet},
    time::{Instant, sleep, timeout_at},
};
use tokio_util::{either::Either, sync::CancellationToken};

pub use error::Error;

use self::{connection::Stream, socket::Socket};
use crate::{App, authentication::Who};

/// How long open requests may take after a stop.
const DRAIN: Duration = Duration::from_secs(5);

/// The most connections of one listener at a time; whoever comes then waits.
const MAX_CONNECTIONS: usize = 256;

/// The wait after a connection could not be taken: the process has run out of something, and trying at once brings it
/// not back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The API, bound to its addresses.
pub struct Server {
    doors: Vec<Door>,
    addresses: Vec<SocketAddr>,
}

/// A listener, and what those who come through it get.
struct Door {
    listener: Listener,
    service: Router,
}

enum Listener {
    Tcp(TcpListener),
    Unix(Socket),
}

impl Server {
    /// Takes the addresses, where the bearer token is asked for, and the Unix socket, where its permissions are enough.
    /// Nobody is answered before [`Server::run`].
    pub async fn bind(app: App, tcp: &[SocketAddr], socket: &Path) -> Result<Self, Error> {
        let router = crate::router(app);
        let mut doors = Vec::with_capacity(tcp.len() + 1);
        let mut addresses = Vec::with_capacity(tcp.len());
        for address in tcp {
            let listener = TcpListener::bind(address).await.map_err(|source| Error::address(*address, source))?;
            addresses.push(listener.local_addr().map_err(|source| Error::address(*address, source))?);
            doors.push(Door { listener: Listener::Tcp(listener), service: router.clone() });
        }
        let socket = Socket::bind(socket).await?;
        doors.push(Door { listener: Listener::Unix(socket), service: router.layer(Extension(Who::Socket)) });
        Ok(Self { doors, addresses })
    }

    /// The TCP addresses, with the ports that the system chose where 0 was asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Answers until `stop`. Open requests then have 5 s to end; what is still open is cut off.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let mut doors = JoinSet::new();
        for door in self.doors {
            doors.spawn(door.serve(stop.clone()));
        }
        while let Some(ended) = doors.join_next().await {
            ended?;
        }
        Ok(())
    }
}

impl Door {
    async fn serve(self, stop: CancellationToken) {
        let Self { listener, service } = self;
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = connections.join_next() => note(ended),
                accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                    Ok(stream) => _ = connections.spawn(connection::serve(stream, service.clone(), stop.clone())),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
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
    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Either::Left(stream))
            }
            Self::Unix(socket) => socket.accept().await.map(Either::Right),
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

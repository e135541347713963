use std::{collections::HashMap, io, net::SocketAddr};

use fetch::{BoxStream, ConnectFailure, ConnectOptions, Destination, TorStatus, Transport};
use futures::future::BoxFuture;
use model::{Host, OnionAddress, Outcome, Stage};
use tokio::{net::TcpStream, sync::watch};

/// A transport without Tor: onion addresses lead to sockets on this machine. For tests of what lies above the
/// transport.
#[derive(Debug)]
pub struct Loopback {
    services: HashMap<(OnionAddress, u16), SocketAddr>,
    status: watch::Sender<TorStatus>,
}

impl Loopback {
    /// A transport that knows these services by address and port, and is ready.
    ///
    /// A service that is not among them has no descriptor; a port that is not refuses connections.
    pub fn new(services: impl IntoIterator<Item = ((OnionAddress, u16), SocketAddr)>) -> Self {
        let ready = TorStatus { percent: 100, is_ready: true, ..TorStatus::default() };
        Self { services: services.into_iter().collect(), status: watch::Sender::new(ready) }
    }

    /// An address for a name: always the same, and no service has the key to it.
    pub fn address(name: &str) -> OnionAddress {
        OnionAddress::from_public_key(*model::Digest::of(name.as_bytes()).as_bytes())
    }

    /// Makes the transport look as a Tor client in this state would. While it is not ready, nothing connects.
    pub fn set_status(&self, status: TorStatus) {
        self.status.send_replace(status);
    }

    async fn open(&self, to: &Destination) -> Result<BoxStream, ConnectFailure> {
        if !self.status.borrow().is_ready {
            return Err(failure(Outcome::TorUnavailable, "the loopback is not ready"));
        }
        let Host::Onion(onion) = to.host else {
            return Err(failure(Outcome::Blocked, "the loopback leads to no clear net"));
        };
        let Some(address) = self.services.get(&(onion, to.port)) else {
            let is_known = self.services.keys().any(|(known, _)| *known == onion);
            return Err(if is_known {
                failure(Outcome::ConnectionRefused, "the loopback knows no such port")
            } else {
                failure(Outcome::DescriptorNotFound, "the loopback knows no such service")
            });
        };
        #[expect(clippy::disallowed_methods, reason = "the address is a test's own, on this machine")]
        match TcpStream::connect(address).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Err(failure(Outcome::ConnectionRefused, &error.to_string()))
            }
            Err(error) => Err(failure(Outcome::Interrupted(Stage::Connect), &error.to_string())),
        }
    }
}

impl Transport for Loopback {
    fn connect<'a>(
        &'a self,
        to: &'a Destination,
        _: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
        Box::pin(self.open(to))
    }

    fn status(&self) -> watch::Receiver<TorStatus> {
        self.status.subscribe()
    }
}

fn failure(outcome: Outcome, detail: &str) -> ConnectFailure {
    ConnectFailure { outcome, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    use super::*;

    #[tokio::test]
    async fn each_way_to_fail_has_its_outcome() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let site = Loopback::address("site");
        let loopback = Loopback::new([((site, 80), listener.local_addr().unwrap()), ((site, 81), closed)]);
        let connect = async |host: Host, port: u16| {
            loopback.open(&Destination { host, port }).await.map_err(|failure| failure.outcome)
        };

        let mut stream = connect(Host::Onion(site), 80).await.map_err(|outcome| panic!("{outcome}")).unwrap();
        drop(listener.accept().await.unwrap());
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);

        assert_eq!(connect(Host::Onion(site), 81).await.err(), Some(Outcome::ConnectionRefused));
        assert_eq!(connect(Host::Onion(site), 82).await.err(), Some(Outcome::ConnectionRefused));
        assert_eq!(
            connect(Host::Onion(Loopback::address("nobody")), 80).await.err(),
            Some(Outcome::DescriptorNotFound)
        );
        assert_eq!(connect(Host::ClearNet("example.com".to_owned()), 80).await.err(), Some(Outcome::Blocked));
        loopback.set_status(TorStatus::default());
        assert_eq!(connect(Host::Onion(site), 80).await.err(), Some(Outcome::TorUnavailable));
    }
}

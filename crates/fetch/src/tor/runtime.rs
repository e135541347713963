//! Connections to relays, with `TCP_NODELAY` where that is wanted: arti does not set it.

use std::{future::Future, io, net::SocketAddr, pin::Pin};

use tor_rtcompat::{CompoundRuntime, NetStreamProvider, PreferredRuntime};

/// Tokio, with our way of connecting to relays.
pub(crate) type Runtime = CompoundRuntime<
    PreferredRuntime,
    PreferredRuntime,
    PreferredRuntime,
    RelayTcp,
    PreferredRuntime,
    PreferredRuntime,
    PreferredRuntime,
>;

type Tcp = <PreferredRuntime as NetStreamProvider>::Stream;
type Connecting<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Opens the connections to relays.
#[derive(Clone)]
pub(crate) struct RelayTcp {
    inner: PreferredRuntime,
    sends_at_once: bool,
}

impl RelayTcp {
    pub(crate) fn new(inner: PreferredRuntime, sends_at_once: bool) -> Self {
        Self { inner, sends_at_once }
    }
}

impl NetStreamProvider for RelayTcp {
    type Stream = Tcp;
    type Listener = <PreferredRuntime as NetStreamProvider>::Listener;
    type ConnectOptions = <PreferredRuntime as NetStreamProvider>::ConnectOptions;
    type ListenOptions = <PreferredRuntime as NetStreamProvider>::ListenOptions;

    fn connect<'a, 'b, 'c, 'd>(
        &'a self,
        address: &'b SocketAddr,
        options: &'c Self::ConnectOptions,
    ) -> Connecting<'d, Self::Stream>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
        Self: 'd,
    {
        if !self.sends_at_once {
            return self.inner.connect(address, options);
        }
        Box::pin(async move {
            #[expect(clippy::disallowed_methods, reason = "arti connects to a relay: the one connection that leaves")]
            let stream = tokio::net::TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(stream.into())
        })
    }

    fn listen<'a, 'b, 'c, 'd>(
        &'a self,
        address: &'b SocketAddr,
        options: &'c Self::ListenOptions,
    ) -> Connecting<'d, Self::Listener>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
        Self: 'd,
    {
        self.inner.listen(address, options)
    }
}

//! What arti runs on: tokio, with tasks that inherit the leave to work, and connections to relays with `TCP_NODELAY` where that
//! is wanted. Arti sets it nowhere.

use std::{future::Future, io, net::SocketAddr, pin::Pin};

use futures::{
    future::FutureObj,
    task::{Spawn, SpawnError},
};
use tor_rtcompat::{Blocking, CompoundRuntime, NetStreamProvider, PreferredRuntime};

use super::work;

/// Tokio, with our way of spawning tasks and of connecting to relays.
pub(crate) type Runtime = CompoundRuntime<
    Tasks,
    PreferredRuntime,
    PreferredRuntime,
    RelayTcp,
    PreferredRuntime,
    PreferredRuntime,
    PreferredRuntime,
>;

/// The runtime of the tokio runtime from within which it is called.
pub(crate) fn current(tcp_nodelay: bool) -> io::Result<Runtime> {
    let tokio = PreferredRuntime::current()?;
    let part = || tokio.clone();
    let relays = RelayTcp { inner: part(), sends_at_once: tcp_nodelay };
    Ok(Runtime::new(Tasks(part()), part(), part(), relays, part(), part(), part()))
}

/// Spawns tasks.
#[derive(Clone)]
pub(crate) struct Tasks(PreferredRuntime);

impl Spawn for Tasks {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.0.spawn_obj(work::inherit(future))
    }
}

impl Blocking for Tasks {
    type ThreadHandle<T: Send + 'static> = <PreferredRuntime as Blocking>::ThreadHandle<T>;

    fn spawn_blocking<F, T>(&self, work: F) -> Self::ThreadHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn_blocking(work)
    }

    fn reenter_block_on<F>(&self, future: F) -> F::Output
    where
        F: Future,
        F::Output: Send + 'static,
    {
        self.0.reenter_block_on(future)
    }

    fn blocking_io<F, T>(&self, work: F) -> impl Future<Output = T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.blocking_io(work)
    }
}

type Tcp = <PreferredRuntime as NetStreamProvider>::Stream;
type Connecting<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Opens the connections to relays.
#[derive(Clone)]
pub(crate) struct RelayTcp {
    inner: PreferredRuntime,
    sends_at_once: bool,
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

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// How long to wait before a failed accept or a failed binding is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// What a test does to a site from outside: hold its answers back, or close its port.
#[derive(Debug)]
pub(crate) struct Gate {
    paused: watch::Sender<bool>,
    refusing: watch::Sender<bool>,
    listening: watch::Sender<bool>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            paused: watch::Sender::new(false),
            refusing: watch::Sender::new(false),
            listening: watch::Sender::new(true),
        }
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.send_replace(paused);
    }

    /// Returns when answers may be given.
    pub(crate) async fn passed(&self) {
        // The sender lives in `self`, so that waiting cannot fail.
        let _ = self.paused.subscribe().wait_for(|paused| !paused).await;
    }

    /// Closes or opens the port, and returns when it is so.
    pub(crate) async fn set_refusing(&self, refusing: bool) {
        self.refusing.send_replace(refusing);
        let _ = self.listening.subscribe().wait_for(|listening| *listening != refusing).await;
    }
}

/// A listening port on 127.0.0.1 that its gate can close and open again.
#[derive(Debug)]
pub(crate) struct Door {
    listener: Option<TcpListener>,
    address: SocketAddr,
    gate: Arc<Gate>,
}

impl Door {
    /// Binds a free port.
    pub(crate) async fn open(gate: Arc<Gate>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener: Some(listener), address, gate })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection, with Nagle's algorithm off: a small answer is not to wait for an acknowledgement.
    pub(crate) async fn next(&mut self) -> TcpStream {
        let mut refusing = self.gate.refusing.subscribe();
        loop {
            if *refusing.borrow_and_update() {
                self.listener = None;
                self.gate.listening.send_replace(false);
                let _ = refusing.wait_for(|refusing| !refusing).await;
                continue;
            }
            let Some(listener) = &self.listener else {
                self.bind_again().await;
                continue;
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = refusing.changed() => continue,
            };
            match accepted {
                Ok((stream, _)) if stream.set_nodelay(true).is_ok() => return stream,
                // The peer is gone already.
                Ok(_) => {}
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }

    async fn bind_again(&mut self) {
        match TcpListener::bind(self.address).await {
            Ok(listener) => {
                self.listener = Some(listener);
                self.gate.listening.send_replace(true);
            }
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

impl axum::serve::Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        (self.next().await, self.address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

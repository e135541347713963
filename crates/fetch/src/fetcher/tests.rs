//! A loopback in place of Tor, and servers that say exactly what a test wants them to say.

use std::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures::{FutureExt, future::BoxFuture};
use model::{Isolation, ManualClock, OnionAddress, Uri};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::watch,
    task::JoinSet,
};

use super::*;
use crate::{BoxStream, ConnectFailure, TorStatus};

mod bytes;
mod connections;
mod limits;
mod redirects;
mod sessions;
mod tls;

type Server = Box<dyn Fn(usize, DuplexStream) -> BoxFuture<'static, ()> + Send + Sync>;

/// Hands every connection to the same server, with its number.
struct Loopback {
    server: Server,
    opened: AtomicUsize,
    tasks: Mutex<JoinSet<()>>,
    status: watch::Sender<TorStatus>,
}

impl Loopback {
    fn new<F: Future<Output = ()> + Send + 'static>(
        server: impl Fn(usize, DuplexStream) -> F + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            server: Box::new(move |number, stream| server(number, stream).boxed()),
            opened: AtomicUsize::new(0),
            tasks: Mutex::default(),
            status: watch::Sender::new(TorStatus::default()),
        })
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

impl Transport for Loopback {
    fn connect<'a>(
        &'a self,
        _to: &'a Destination,
        _options: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
        let number = self.opened.fetch_add(1, Ordering::SeqCst);
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        lock(&self.tasks).spawn((self.server)(number, theirs));
        async move { Ok(Box::new(ours) as BoxStream) }.boxed()
    }

    fn status(&self) -> watch::Receiver<TorStatus> {
        self.status.subscribe()
    }
}

/// Reads one request; `None` when the connection ends first.
async fn read_request(stream: &mut DuplexStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    Some(request)
}

/// A server that answers each request with `answer`, and then ends the connection.
fn serve(answer: impl Into<Vec<u8>>) -> Arc<Loopback> {
    let answer = answer.into();
    Loopback::new(move |_, mut stream| {
        let answer = answer.clone();
        async move {
            if read_request(&mut stream).await.is_some() {
                // The client may hang up in the middle of it.
                let _gone = stream.write_all(&answer).await;
            }
        }
    })
}

/// A server that answers each request with `answer`, and keeps the connection.
fn serve_and_hold(answer: impl Into<Vec<u8>>) -> Arc<Loopback> {
    let answer = answer.into();
    Loopback::new(move |_, mut stream| {
        let answer = answer.clone();
        async move {
            while read_request(&mut stream).await.is_some() {
                let _gone = stream.write_all(&answer).await;
            }
        }
    })
}

fn uri(rest: &str) -> Uri {
    format!("http://{}{rest}", OnionAddress::from_public_key([1; 32])).parse().unwrap()
}

const GROUP: Isolation = Isolation { target: TargetId::from_u64(1), epoch: 0 };

fn request(rest: &str) -> Request {
    Request::new(uri(rest), GROUP)
}

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn fetcher_with(transport: &Arc<Loopback>, change: impl FnOnce(&mut Config)) -> Fetcher {
    let mut config = Config::default();
    change(&mut config);
    let transport: Arc<dyn Transport> = Arc::<Loopback>::clone(transport);
    Fetcher::new(transport, Arc::new(ManualClock::at(NOW)), &config).unwrap()
}

fn fetcher(transport: &Arc<Loopback>) -> Fetcher {
    fetcher_with(transport, |_| ())
}

/// Fetches one page from a server that answers with `answer`, and checks that exactly that was kept.
#[track_caller]
fn check(answer: impl Into<Vec<u8>>) -> impl Future<Output = Exchange> {
    check_with(answer, |_| ())
}

#[track_caller]
fn check_with(answer: impl Into<Vec<u8>>, change: impl FnOnce(&mut Config)) -> impl Future<Output = Exchange> {
    let answer = answer.into();
    async move {
        let exchange = fetcher_with(&serve(answer.clone()), change).fetch(&request("/")).await;
        assert_eq!(text(&block(&exchange)), text(&answer), "{:?}", exchange.outcome);
        assert_eq!(exchange.block_digest, Digest::of(&answer));
        assert_eq!(exchange.block_len, answer.len() as u64);
        assert_eq!(exchange.payload_digest, Digest::of(&exchange.payload));
        exchange
    }
}

/// What was received, put together again as the model does it.
fn block(exchange: &Exchange) -> Vec<u8> {
    let mut block = exchange.response_head.clone();
    match &exchange.framing {
        Some(framing) => framing.weave_into(&exchange.payload, &mut block),
        None => block.extend_from_slice(&exchange.payload),
    }
    block
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

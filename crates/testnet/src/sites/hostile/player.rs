use std::{io, sync::Arc};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::sites::{
    door::{Door, Gate},
    hostile::{
        case::Request,
        script::{Step, Then},
        tls::Greeter,
    },
    ledger::Ledger,
};

/// The longest head of a request that is read, in bytes.
const HEAD_LIMIT: usize = 64 << 10;
/// How much of a repeated part is written at once, in bytes.
const WRITE: usize = 64 << 10;

/// Where scripts are played: what all connections of the hostile site share.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) gate: Arc<Gate>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Stage {
    /// Takes connections until the site stops, each on a task of its own.
    pub(crate) async fn serve(self: Arc<Self>, mut door: Door, greeter: Option<Greeter>) {
        let greeter = greeter.map(Arc::new);
        while let Some(stream) = self.stop.run_until_cancelled(door.next()).await {
            let (stage, greeter) = (Arc::clone(&self), greeter.clone());
            self.tasks.spawn(async move {
                // A client that breaks off is what most of these pages are for.
                let _ = stage.stop.run_until_cancelled(Box::pin(stage.receive(stream, greeter))).await;
            });
        }
    }

    async fn receive(&self, stream: TcpStream, greeter: Option<Arc<Greeter>>) -> io::Result<()> {
        match greeter {
            None => self.converse(stream).await,
            Some(greeter) => match greeter.greet(stream).await? {
                Some(stream) => self.converse(stream).await,
                None => Ok(()),
            },
        }
    }

    /// Answers the requests of one connection, one after the other.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S) -> io::Result<()> {
        let mut pending = Vec::new();
        let mut turn = 0;
        while let Some(head) = read_head(&mut stream, &mut pending).await? {
            let Some(mut request) = Request::parse(&head) else { break };
            turn += 1;
            request.turn = turn;
            request.load = self.ledger.count(&request.method, &request.target);
            self.gate.passed().await;
            self.ledger.begin(&request.target);
            let script = super::script(&request);
            for step in &script.steps {
                self.play(step, &request.target, &mut stream).await?;
            }
            if script.then == Then::Close || request.wants_close {
                break;
            }
        }
        stream.shutdown().await
    }

    async fn play<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        step: &Step,
        target: &str,
        stream: &mut S,
    ) -> io::Result<()> {
        match step {
            Step::Bytes(bytes) => self.send(bytes, target, stream).await,
            Step::Repeat { bytes, times } => {
                let at_once = (WRITE / bytes.len().max(1)).max(1);
                let mut left = *times;
                while left > 0 {
                    let now = usize::try_from(left).unwrap_or(usize::MAX).min(at_once);
                    self.send(&bytes.repeat(now), target, stream).await?;
                    left -= now as u64;
                }
                Ok(())
            }
            Step::Forever(bytes) => {
                let block = bytes.repeat((WRITE / bytes.len().max(1)).max(1));
                loop {
                    self.send(&block, target, stream).await?;
                }
            }
            Step::Drip { bytes, every } => loop {
                tokio::select! {
                    () = tokio::time::sleep(*every) => self.send(bytes, target, stream).await?,
                    () = until_gone(stream) => return Err(io::ErrorKind::UnexpectedEof.into()),
                }
            },
            Step::Silence => {
                until_gone(stream).await;
                Ok(())
            }
        }
    }

    /// Notes bytes and sends them, in this order: who has received them finds them noted.
    async fn send<S: AsyncWrite + Unpin>(&self, bytes: &[u8], target: &str, stream: &mut S) -> io::Result<()> {
        self.ledger.send(target, bytes);
        stream.write_all(bytes).await?;
        stream.flush().await
    }
}

/// Returns when the client has closed the connection.
async fn until_gone<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut ignored = [0; 512];
    while matches!(stream.read(&mut ignored).await, Ok(length) if length > 0) {}
}

/// The next head without its empty line; `None` where the client is done, or sends more than a head should hold.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S, pending: &mut Vec<u8>) -> io::Result<Option<String>> {
    const END: &[u8] = b"\r\n\r\n";
    let mut block = [0; 4096];
    loop {
        if let Some(at) = pending.windows(END.len()).position(|window| window == END) {
            let head = String::from_utf8_lossy(pending.get(..at).unwrap_or_default()).into_owned();
            pending.drain(..at + END.len());
            return Ok(Some(head));
        }
        let length = stream.read(&mut block).await?;
        if length == 0 || pending.len() > HEAD_LIMIT {
            return Ok(None);
        }
        pending.extend(block.iter().take(length));
    }
}

//! The tee beneath hyper: every byte that is written to or read from a connection is kept, before anybody has parsed it.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use model::{Clock, Timestamp};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use crate::BoxStream;

/// Read at most this much at once where the allowance is nearly spent.
const LAST_READ: usize = 4096;

/// What one exchange sent and received.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) sent: Vec<u8>,
    pub(crate) received: Vec<u8>,
    pub(crate) first_byte_at: Option<Timestamp>,
    /// When bytes came last; the beginning of the exchange while none have come.
    pub(crate) last_read: Instant,
    /// Whether more was to be read than the allowance.
    pub(crate) is_exhausted: bool,
    /// How the connection ended, if it did: cleanly, or with an error.
    pub(crate) ended: Option<Result<(), String>>,
    allowance: usize,
}

impl Record {
    fn new(allowance: usize) -> Self {
        Self {
            sent: Vec::new(),
            received: Vec::new(),
            first_byte_at: None,
            last_read: Instant::now(),
            is_exhausted: false,
            ended: None,
            allowance,
        }
    }
}

/// A record that the tee and the exchange share.
#[derive(Clone)]
pub(crate) struct Tape(Arc<Mutex<Record>>);

impl Tape {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Record::new(0))))
    }

    /// Begins the record of an exchange, which may receive `allowance` bytes in all.
    pub(crate) fn begin(&self, allowance: usize) {
        *self.lock() = Record::new(allowance);
    }

    /// Changes how many bytes the exchange may receive in all.
    pub(crate) fn allow(&self, allowance: usize) {
        self.lock().allowance = allowance;
    }

    /// Takes the record out; a clean one stays.
    pub(crate) fn cut(&self) -> Record {
        std::mem::replace(&mut *self.lock(), Record::new(0))
    }

    /// Looks at the record.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Record) -> T) -> T {
        look(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that keeps what passes through it.
pub(crate) struct Tee {
    inner: BoxStream,
    tape: Tape,
    clock: Arc<dyn Clock>,
}

impl Tee {
    pub(crate) fn new(inner: BoxStream, clock: Arc<dyn Clock>) -> (Self, Tape) {
        let tape = Tape::new();
        (Self { inner, tape: tape.clone(), clock }, tape)
    }

    fn note(&self, result: Result<&[u8], &io::Error>) {
        let mut record = self.tape.lock();
        match result {
            Ok([]) => record.ended = Some(Ok(())),
            Ok(bytes) => {
                record.first_byte_at.get_or_insert_with(|| self.clock.now());
                record.last_read = Instant::now();
                record.received.extend_from_slice(bytes);
            }
            Err(error) => record.ended = Some(Err(error.to_string())),
        }
    }
}

impl AsyncRead for Tee {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let left = {
            let mut record = this.tape.lock();
            let left = record.allowance.saturating_sub(record.received.len());
            record.is_exhausted |= left == 0;
            left
        };
        if left == 0 {
            return Poll::Ready(Err(io::Error::other("the response is larger than allowed")));
        }
        if buf.remaining() <= left {
            let before = buf.filled().len();
            let result = std::task::ready!(Pin::new(&mut this.inner).poll_read(cx, buf));
            this.note(result.as_ref().map(|()| buf.filled().get(before..).unwrap_or_default()));
            return Poll::Ready(result);
        }
        let mut space = [0; LAST_READ];
        let space = &mut space[..left.min(LAST_READ)];
        let mut last = ReadBuf::new(space);
        let result = std::task::ready!(Pin::new(&mut this.inner).poll_read(cx, &mut last));
        this.note(result.as_ref().map(|()| last.filled()));
        buf.put_slice(last.filled());
        Poll::Ready(result)
    }
}

impl AsyncWrite for Tee {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = std::task::ready!(Pin::new(&mut this.inner).poll_write(cx, bytes));
        match &result {
            Ok(len) => this.tape.lock().sent.extend_from_slice(bytes.get(..*len).unwrap_or(bytes)),
            Err(error) => this.note(Err(error)),
        }
        Poll::Ready(result)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use model::SystemClock;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn what_passes_is_kept_up_to_the_allowance() {
        let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
        let (mut tee, tape) = Tee::new(Box::new(ours), Arc::new(SystemClock));
        tape.begin(10_000);
        tee.write_all(b"question").await.unwrap();
        theirs.write_all(&vec![7; 20_000]).await.unwrap();
        let mut got = Vec::new();
        tee.read_to_end(&mut got).await.unwrap_err();
        let record = tape.cut();
        assert_eq!(record.sent, b"question");
        assert_eq!((got.len(), record.received.len(), record.is_exhausted), (10_000, 10_000, true));
        assert!(record.first_byte_at.is_some());
    }

    #[tokio::test]
    async fn the_end_of_the_connection_is_noted() {
        let (ours, theirs) = tokio::io::duplex(64);
        let (mut tee, tape) = Tee::new(Box::new(ours), Arc::new(SystemClock));
        tape.begin(10);
        drop(theirs);
        tee.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(tape.cut().ended, Some(Ok(())));
        assert_eq!(tape.cut().ended, None);
    }
}

//! A connection with hyper on top and the tee beneath, driven by whoever uses it: no task of its own, so that dropping it
//! closes it.

use std::{future::Future, pin::pin, sync::Arc};

use futures::{FutureExt, future::poll_fn};
use http_body_util::Empty;
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use model::{Clock, TlsFacts};

use crate::{
    BoxStream, Limits,
    tee::{Tape, Tee},
};

/// The least buffer that hyper takes.
pub(crate) const MIN_BUFFER: usize = 8192;

/// The most header fields, however large the head may be.
const MAX_FIELDS: usize = 8192;

type Driver = http1::Connection<TokioIo<Tee>, Empty<Bytes>>;

/// The sending half of a connection.
pub(crate) type Sender = http1::SendRequest<Empty<Bytes>>;

/// An open connection to a service.
pub(crate) struct Connection {
    pub(crate) sender: Sender,
    pub(crate) driver: Drive,
    pub(crate) tape: Tape,
    pub(crate) tls: Option<TlsFacts>,
}

/// What moves the bytes while somebody waits; nothing once the connection has ended.
pub(crate) struct Drive(Option<Driver>);

impl Connection {
    pub(crate) async fn new(
        stream: BoxStream,
        tls: Option<TlsFacts>,
        clock: Arc<dyn Clock>,
        limits: &Limits,
    ) -> hyper::Result<Self> {
        let (tee, tape) = Tee::new(stream, clock);
        let (sender, driver) = http1::Builder::new()
            .title_case_headers(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true)
            .max_headers((limits.head_bytes / 32).clamp(100, MAX_FIELDS))
            .max_buf_size(limits.head_bytes.max(MIN_BUFFER))
            .handshake(TokioIo::new(tee))
            .await?;
        Ok(Self { sender, driver: Drive(Some(driver)), tape, tls })
    }

    /// Lets an idle connection see what has come meanwhile: whether it can carry another exchange.
    pub(crate) fn is_usable(&mut self) -> bool {
        // One byte is enough to find out: nothing may come unasked.
        self.tape.begin(1);
        self.driver.settle();
        self.driver.0.is_some() && !self.sender.is_closed()
    }
}

impl Drive {
    /// Waits for `work` and moves the connection's bytes meanwhile.
    pub(crate) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            if let Some(driver) = &mut self.0
                && driver.poll_unpin(cx).is_ready()
            {
                // The exchange hears of its end, and of an error, by way of its own future.
                self.0 = None;
            }
            work.as_mut().poll(cx)
        })
        .await
    }

    fn settle(&mut self) {
        if self.0.as_mut().is_some_and(|driver| driver.now_or_never().is_some()) {
            self.0 = None;
        }
    }
}

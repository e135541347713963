//! Whatever bytes a server answers with, an exchange ends, keeps a beginning of exactly those bytes, and never panics.

#![no_main]

use std::sync::Arc;

use fetch::{
    BoxStream, Config, ConnectFailure, ConnectOptions, Destination, Exchange, Fetcher, Request, TorStatus, Transport,
};
use futures::{FutureExt, future::BoxFuture};
use libfuzzer_sys::fuzz_target;
use model::{Digest, Isolation, ManualClock, OnionAddress, TargetId, Timestamp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
};

/// Answers every connection with the same bytes.
struct Answer(Vec<u8>);

impl Transport for Answer {
    fn connect<'a>(
        &'a self,
        _to: &'a Destination,
        _options: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
        let answer = self.0.clone();
        async move {
            let (ours, mut theirs) = tokio::io::duplex(answer.len().max(16 * 1024));
            tokio::task::spawn_local(async move {
                let mut request = [0; 16 * 1024];
                let _gone = theirs.read(&mut request).await;
                let _gone = theirs.write_all(&answer).await;
            });
            Ok(Box::new(ours) as BoxStream)
        }
        .boxed()
    }

    fn status(&self) -> watch::Receiver<TorStatus> {
        watch::Sender::new(TorStatus::default()).subscribe()
    }
}

fuzz_target!(|answer: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let exchange = tokio::task::LocalSet::new().block_on(&runtime, fetch(answer));
    let block = block(&exchange);
    assert!(answer.starts_with(&block), "what is kept is not what was sent");
    assert_eq!(exchange.block_digest, Digest::of(&block));
    assert_eq!(exchange.block_len, block.len() as u64);
    assert_eq!(exchange.payload_digest, Digest::of(&exchange.payload));
});

async fn fetch(answer: &[u8]) -> Exchange {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(0)));
    let fetcher = Fetcher::new(Arc::new(Answer(answer.to_vec())), clock, &Config::default()).expect("a fetcher");
    let uri = format!("http://{}/", OnionAddress::from_public_key([1; 32])).parse().expect("a URI");
    fetcher.fetch(&Request::new(uri, Isolation { target: TargetId::from_u64(1), epoch: 0 })).await
}

/// Head, framing and payload, put together again.
fn block(exchange: &Exchange) -> Vec<u8> {
    let mut block = exchange.response_head.clone();
    match &exchange.framing {
        Some(framing) => framing.weave_into(&exchange.payload, &mut block),
        None => block.extend_from_slice(&exchange.payload),
    }
    block
}

//! What a hostile site costs is bounded. Time is paused: it jumps when everybody waits.

use std::io::Write;

use futures::future::pending;
use model::{Malformation, Truncation};

use super::*;

/// Fetches from `transport` and says how long that took.
async fn timed(transport: &Arc<Loopback>, change: impl FnOnce(&mut Config)) -> (Exchange, Duration) {
    let fetcher = fetcher_with(transport, change);
    let before = Instant::now();
    let exchange = fetcher.fetch(&request("/")).await;
    (exchange, before.elapsed())
}

/// A transport whose connections never come about.
struct Nowhere;

impl Transport for Nowhere {
    fn connect<'a>(
        &'a self,
        _to: &'a Destination,
        _options: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
        pending().boxed()
    }

    fn status(&self) -> watch::Receiver<TorStatus> {
        watch::Sender::new(TorStatus::default()).subscribe()
    }
}

#[tokio::test(start_paused = true)]
async fn connecting_ends_in_time() {
    let fetcher = Fetcher::new(Arc::new(Nowhere), Arc::new(ManualClock::at(NOW)), &Config::default()).unwrap();
    let before = Instant::now();
    let exchange = fetcher.fetch(&request("/")).await;
    assert_eq!(exchange.outcome, Outcome::TimedOut(Stage::Connect));
    assert!(exchange.needs_new_epoch && exchange.request.is_empty());
    assert_eq!(before.elapsed().as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_in_time_wherever_it_begins() {
    for (answer, stage, seconds) in [
        ("", Stage::FirstByte, 60),
        ("HTTP/1.1 200 OK\r\nA: ", Stage::Head, 30),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Stage::Body, 30),
    ] {
        let (exchange, took) = timed(&serve_and_hold(answer), |_| ()).await;
        assert_eq!(exchange.outcome, Outcome::TimedOut(stage), "{answer:?}");
        assert_eq!(took.as_secs(), seconds, "{answer:?}");
        assert_eq!((exchange.truncation, exchange.needs_new_epoch), (Some(Truncation::Time), true));
        assert_eq!(text(&block(&exchange)), answer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_drip_ends_with_the_whole_exchange() {
    let drip = Loopback::new(|_, mut stream| async move {
        read_request(&mut stream).await;
        let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(b".").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
    });
    let (exchange, took) = timed(&drip, |_| ()).await;
    assert_eq!(exchange.outcome, Outcome::TimedOut(Stage::Body));
    assert_eq!((took.as_secs(), exchange.payload.len()), (300, 15));
    assert!(!exchange.needs_new_epoch, "the site is slow, and not the circuit");
}

#[tokio::test]
async fn large_heads_end() {
    let megabytes = format!("HTTP/1.1 200 OK\r\nX-Long: {}", "x".repeat(10_000_000));
    let exchange = fetcher(&serve(megabytes)).fetch(&request("/")).await;
    assert_eq!((exchange.outcome, exchange.truncation), (Outcome::TooLarge, Some(Truncation::Length)));
    assert!(exchange.block_len < 600_000, "{}", exchange.block_len);
    assert_eq!(exchange.block_len, exchange.response_head.len() as u64);

    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(100_000);
    let exchange = fetcher(&serve(hints)).fetch(&request("/")).await;
    assert_eq!(exchange.outcome, Outcome::TooLarge);
    assert!(exchange.block_len < 600_000, "{}", exchange.block_len);

    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(9000));
    let exchange = fetcher(&serve(many)).fetch(&request("/")).await;
    assert_eq!(exchange.outcome, Outcome::TooLarge);

    let fits = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(200_000));
    assert_eq!(check(fits).await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn large_bodies_end_at_the_byte() {
    let small = |config: &mut Config| config.limits.body_bytes = 1000;
    for framing in ["", "Transfer-Encoding: chunked\r\n"] {
        let head = format!("HTTP/1.1 200 OK\r\n{framing}\r\n");
        let endless = format!("{head}{}", "4\r\nabcd\r\n".repeat(100_000));
        let large = |config: &mut Config| config.limits.body_bytes = 100_000;
        let exchange = fetcher_with(&serve(endless.clone()), large).fetch(&request("/")).await;
        assert_eq!((exchange.outcome, exchange.truncation), (Outcome::TooLarge, Some(Truncation::Length)));
        assert_eq!(text(&block(&exchange)), endless[..head.len() + 100_000]);
        // Even a whole body that came with the head is one too many.
        let whole = format!("{head}{}0\r\n\r\n", "4\r\nabcd\r\n".repeat(200));
        let exchange = fetcher_with(&serve(whole.clone()), small).fetch(&request("/")).await;
        assert_eq!((exchange.outcome, exchange.truncation), (Outcome::TooLarge, Some(Truncation::Length)));
        assert!(whole.as_bytes().starts_with(&block(&exchange)));
    }
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n";
    let exchange = fetcher_with(&serve_and_hold(announced), small).fetch(&request("/")).await;
    assert_eq!(exchange.outcome, Outcome::TooLarge, "{:?}", exchange.detail);
    let fits = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}", "x".repeat(1000));
    assert_eq!(check_with(fits, small).await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_body_in_crumbs_ends() {
    let crumbs = "1\r\na\r\n".repeat(crate::chunked::MAX_PIECES + 1);
    let exchange = check(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{crumbs}0\r\n\r\n")).await;
    assert_eq!((exchange.outcome, exchange.truncation), (Outcome::TooLarge, Some(Truncation::Length)));
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn encoded(coding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn bombs_are_told_and_pages_pass() {
    let bomb = encoded("gzip", &gzip(&vec![0; 64 * 1024 * 1024]));
    let exchange = fetcher(&serve(bomb.clone())).fetch(&request("/")).await;
    assert_eq!((exchange.outcome, exchange.truncation), (Outcome::DecompressionBomb, Some(Truncation::Length)));
    assert!(bomb.starts_with(&block(&exchange)));
    let page = encoded("GZip", &gzip(&vec![b'x'; 900_000]));
    assert_eq!(check(page.clone()).await.outcome, Outcome::Ok);
    let small = |config: &mut Config| config.limits.decoded_bytes = 899_999;
    assert_eq!(fetcher_with(&serve(page), small).fetch(&request("/")).await.outcome, Outcome::DecompressionBomb);
}

#[tokio::test]
async fn a_broken_encoding_is_told_and_the_body_kept() {
    let exchange = check(encoded("br", &[0xff; 3000])).await;
    assert_eq!(exchange.outcome, Outcome::Malformed(Malformation::Encoding));
    assert_eq!((exchange.payload.len(), exchange.truncation), (3000, None));
}

#[tokio::test]
async fn refused_types_are_not_read() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 5000000\r\n\r\n";
    let exchange = fetcher(&serve_and_hold(head)).fetch(&request("/")).await;
    assert_eq!(exchange.outcome, Outcome::ContentTypeRefused);
    assert_eq!((text(&exchange.response_head).as_str(), exchange.payload.len()), (head, 0));
    let image = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 3\r\n\r\npng";
    let allowed = fetcher(&serve(image)).fetch(&Request { allows_images: true, ..request("/") }).await;
    assert_eq!((allowed.outcome, allowed.payload.as_slice()), (Outcome::Ok, b"png".as_slice()));
    let drawing = "HTTP/1.1 200 OK\r\nContent-Type: image/svg+xml\r\nContent-Length: 3\r\n\r\nsvg";
    let refused = fetcher(&serve(drawing)).fetch(&Request { allows_images: true, ..request("/") }).await;
    assert_eq!(refused.outcome, Outcome::ContentTypeRefused);
    let error = "HTTP/1.1 503 Busy\r\nContent-Type: image/png\r\nContent-Length: 5000000\r\n\r\n";
    assert_eq!(fetcher(&serve_and_hold(error)).fetch(&request("/")).await.outcome, Outcome::HttpError(503));
    let page = "HTTP/1.1 200 OK\r\nContent-Type: Text/HTML ; charset=utf-8\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(check(page).await.outcome, Outcome::Ok);
}

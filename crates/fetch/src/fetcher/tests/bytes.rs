//! What is kept is what was sent, whatever it is.

use model::{Malformation, Truncation};

use super::*;

#[tokio::test]
async fn a_page_is_kept_with_its_times_and_its_request() {
    let exchange = check("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello").await;
    assert_eq!(exchange.outcome, Outcome::Ok);
    assert_eq!(exchange.status, Some(200));
    assert_eq!(exchange.payload, b"hello");
    assert_eq!((exchange.started_at, exchange.first_byte_at, exchange.ended_at), (NOW, Some(NOW), NOW));
    assert!(exchange.framing.is_none() && exchange.truncation.is_none() && exchange.detail.is_none());
    let host = uri("/").host_str().to_owned();
    let sent = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n\
         Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nSec-Fetch-User: ?1\r\n\
         Priority: u=0, i\r\n\r\n"
    );
    assert_eq!(text(&exchange.request), sent);
}

#[tokio::test]
async fn every_character_of_a_uri_can_be_asked_for() {
    let fetcher = fetcher(&serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    for rest in ["/a|b^c`d{e}[f]\"g<h>?i|j^k`l{m}[n]\"o<p>'q", "/%ff%00?%ff", "/ü?ü", "//", "/?", "/a b?c d"] {
        let exchange = fetcher.fetch(&request(rest)).await;
        assert_eq!(exchange.outcome, Outcome::Ok, "{rest}: {:?}", exchange.detail);
        let line = format!("GET {} HTTP/1.1\r\n", uri(rest).path_and_query());
        assert!(exchange.request.starts_with(line.as_bytes()), "{}", text(&exchange.request));
    }
}

#[tokio::test]
async fn odd_heads_are_kept_as_they_came() {
    for head in [
        "HTTP/1.1 200 OK\r\ncOnTeNt-LeNgTh: 2\r\nX-A: 1\r\nx-a: 2\r\nX-A:3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\n\tthree\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-Spaced  : a \r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200\r\nthis line is no field\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\n",
        "\r\nHTTP/1.1 200 All is w\u{e9}ll\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.0 200 OK\r\nX-Empty:\r\nContent-Length: 2, 2\r\n\r\n",
    ] {
        let exchange = check(format!("{head}ok")).await;
        assert_eq!(text(&exchange.response_head), head);
        if head.contains("2, 2") {
            continue;
        }
        assert_eq!(exchange.outcome, Outcome::Ok, "{head:?}: {:?}", exchange.detail);
        assert_eq!(exchange.payload, b"ok", "{head:?}");
    }
}

#[tokio::test]
async fn heads_that_are_rejected_are_kept_too() {
    let malformed = Outcome::Malformed(Malformation::Head);
    for (answer, head_len, outcome) in [
        ("SSH-2.0-Ancient_1.0\r\n", 21, malformed),
        ("HTTP/1.1 OK\r\nA: b\r\n\r\n<p>", 21, malformed),
        ("HTTP/2.0 200 OK\r\nA: b\r\n\r\n<p>", 25, malformed),
        ("<html>\n\n<p>a page without a head</p>", 8, malformed),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
            57,
            Outcome::Malformed(Malformation::Length),
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc", 41, Outcome::Malformed(Malformation::Length)),
    ] {
        let exchange = check(answer).await;
        assert_eq!(exchange.outcome, outcome, "{answer:?}: {:?}", exchange.detail);
        assert_eq!(exchange.response_head.len(), head_len, "{answer:?}");
        assert_eq!((exchange.status, exchange.framing), (None, None));
    }
}

#[tokio::test]
async fn chunks_come_apart_and_together_again() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Expires\r\n\r\n";
    for (body, payload) in [
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("2;name=value;flag\r\nhe\r\n003 \r\nllo\r\n0\r\nExpires: never\r\nX: y\r\n\r\n", "hello"),
        ("0\r\n\r\n", ""),
    ] {
        let exchange = check(format!("{head}{body}")).await;
        assert_eq!(exchange.outcome, Outcome::Ok, "{body:?}: {:?}", exchange.detail);
        assert_eq!(text(&exchange.payload), payload);
        assert!(exchange.framing.is_some());
    }
}

#[tokio::test]
async fn broken_chunks_are_told_from_broken_connections() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (body, payload, outcome) in [
        ("5\r\nhello\r\nzz\r\n", "hello", Outcome::Malformed(Malformation::Chunk)),
        ("5\r\nhelloworld\r\n0\r\n\r\n", "hello", Outcome::Malformed(Malformation::Chunk)),
        ("fffffffffffffffff\r\n", "", Outcome::Malformed(Malformation::Chunk)),
        ("5\r\nhel", "hel", Outcome::Interrupted(Stage::Body)),
        ("5\r\nhello\r\n", "hello", Outcome::Interrupted(Stage::Body)),
        ("", "", Outcome::Interrupted(Stage::Body)),
    ] {
        let exchange = check(format!("{head}{body}")).await;
        assert_eq!(exchange.outcome, outcome, "{body:?}: {:?}", exchange.detail);
        assert_eq!(text(&exchange.payload), payload, "{body:?}");
        let is_cut = outcome == Outcome::Interrupted(Stage::Body);
        assert_eq!(exchange.truncation, is_cut.then_some(Truncation::Disconnect), "{body:?}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_fit_its_length_is_kept() {
    let short = check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello").await;
    assert_eq!(short.outcome, Outcome::Interrupted(Stage::Body));
    assert_eq!((text(&short.payload).as_str(), short.truncation), ("hello", Some(Truncation::Disconnect)));
    let long = check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello").await;
    assert_eq!((long.outcome, text(&long.payload).as_str()), (Outcome::Ok, "he"));
    let none = check("HTTP/1.1 204 No Content\r\n\r\nhello").await;
    assert_eq!((none.outcome, none.payload.len()), (Outcome::Ok, 0));
    let open = check("HTTP/1.1 200 OK\r\n\r\nhello").await;
    assert_eq!((open.outcome, text(&open.payload).as_str()), (Outcome::Ok, "hello"));
}

#[tokio::test]
async fn connections_that_end_early_say_how_far_they_came() {
    let nothing = check("").await;
    assert_eq!((nothing.outcome, nothing.truncation), (Outcome::Interrupted(Stage::FirstByte), None));
    assert!(!nothing.request.is_empty() && nothing.first_byte_at.is_none());
    let half = check("HTTP/1.1 200 OK\r\nContent-Ty").await;
    assert_eq!((half.outcome, half.truncation), (Outcome::Interrupted(Stage::Head), Some(Truncation::Disconnect)));
}

#[tokio::test]
async fn statuses_become_outcomes() {
    for (line, outcome) in [
        ("206 Partial", Outcome::Ok),
        ("304 Not Modified", Outcome::HttpError(304)),
        ("302 Found", Outcome::HttpError(302)),
        ("404 Not Found", Outcome::HttpError(404)),
        ("503 Busy", Outcome::HttpError(503)),
        ("999 Odd", Outcome::HttpError(999)),
    ] {
        let exchange = check(format!("HTTP/1.1 {line}\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")).await;
        assert_eq!(exchange.outcome, outcome, "{line}");
        assert_eq!(exchange.retry_after, Some(Duration::from_secs(7)));
    }
}

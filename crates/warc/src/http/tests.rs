use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(response: &str, payload: Option<&str>) {
    let expected = payload.map(|text| Payload { digest: Digest::of(text.as_bytes()), len: text.len() as u64 });
    assert_eq!(PayloadHasher::of(response.as_bytes()), expected, "{response:?}");
}

#[test]
fn a_body_ends_where_the_head_says() {
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Some("hello"));
    check("HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\nContent-Length: 5\r\n\r\nhello", Some("hello"));
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more", Some("hello"));
    check("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Some(""));
    check("HTTP/1.0 200\r\n\r\nto the end\r\n", Some("to the end\r\n"));
    check("\r\nHTTP/1.1 200 OK\nA: b\n\nbare", Some("bare"));
    check("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Some(""));
    check("HTTP/1.1 204 No Content\r\n\r\n", Some(""));
}

#[test]
fn chunks_are_put_together() {
    let chunked = |body: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n{body}");
    check(&chunked("5\r\nhello\r\n0\r\n\r\n"), Some("hello"));
    check(
        &chunked("5;a=\"b\"\r\nhello\r\nA ; x\r\n0123456789\r\n000\r\nExpires: never\r\n\r\nmore"),
        Some("hello0123456789"),
    );
    check(&chunked("1\na\n0\n\n"), Some("a"));
    check(&chunked("0\r\n\r\n"), Some(""));
    check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", Some("a"));
}

#[test]
fn a_prefix_is_hashed_before_the_payload() {
    let mut hasher = PayloadHasher::with_prefix(b"salt");
    hasher.update(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
    assert_eq!(hasher.finish(), Some(Payload { digest: Digest::of(b"saltab"), len: 2 }));
}

#[test]
fn interim_responses_are_passed_over() {
    let interim = "HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\n";
    check(&format!("{interim}{interim}HTTP/1.1 200 OK\r\n\r\nbody"), Some("body"));
    check(interim, None);
    check("HTTP/1.1 101 Switching Protocols\r\n\r\nx", Some(""));
}

#[test]
fn a_response_that_is_cut_short_has_no_payload() {
    check("", None);
    check("HTTP/1.1 200 OK\r\nA: b\r\n", None);
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", None);
    for body in ["", "5", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "0\r\nA: b\r\n"] {
        check(&format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}"), None);
    }
}

#[test]
fn a_response_that_contradicts_itself_has_no_payload() {
    check("SSH-2.0-dropbear\r\n\r\n", None);
    check("HTTP/2 200\r\n\r\nbody", None);
    check("HTTP/1.1 2x0\r\n\r\nbody", None);
    for field in [
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 1, 2",
        "Content-Length: -1",
        "Content-Length: +1",
        "Content-Length:",
        "Content-Length: 99999999999999999999999",
        "Content-Length : 1",
        "A: b\r\n Content-Length: 1",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "no field",
    ] {
        check(&format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\na"), None);
    }
    check("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", None);
    for body in
        ["x\r\n", "5\r\nhelloworld\r\n", "-5\r\n", "\r\n", "fffffffffffffffff\r\na", "5 5\r\nhello\r\n0\r\n\r\n"]
    {
        check(&format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}"), None);
    }
}

#[test]
fn the_head_tells_status_and_type_even_where_it_contradicts_itself() {
    let told = |response: &str| {
        let mut hasher = PayloadHasher::new();
        hasher.update(response.as_bytes());
        (hasher.status(), hasher.content_type().map(|value| String::from_utf8_lossy(value).into_owned()))
    };
    let html = || Some("text/html; charset=utf-8".to_owned());
    let head = "HTTP/1.1 404 Not Found\r\nContent-Length: x\r\nContent-Type: text/html; charset=utf-8\r\nContent-Type: b\r\n\r\n";
    assert_eq!(told(head), (Some(404), html()));
    assert_eq!(told(&format!("HTTP/1.1 103 Early Hints\r\nContent-Type: a\r\n\r\n{head}")), (Some(404), html()));
    assert_eq!(told("HTTP/1.1 404 Not Found\r\n\r\nContent-Type: a\r\n\r\n"), (Some(404), None));
    assert_eq!(told("hello"), (None, None));
}

#[test]
fn heads_cost_bounded_memory() {
    check(&format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "b".repeat(MAX_LINE)), None);
    check(&format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(MAX_LINES as usize)), None);
    check(&format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(MAX_LINES as usize - 2)), Some(""));
    let mut hasher = PayloadHasher::new();
    for _ in 0..1000 {
        hasher.update(&[b'a'; 1000]);
    }
    assert!(hasher.line.len() <= MAX_LINE + 1000);
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        head in "HTTP/1\\.[01] (103|200|304) OK\r?\n((Content-Length: [0-9]|Transfer-Encoding: chunked|A: b)\r?\n){0,3}\r?\n",
        body in "([0-9a-c]{1,2}(;x)?\r?\n[a-z]{0,12}\r?\n){0,9}(0\r\n)?(\r\n)?[a-z]{0,4}",
        cuts in proptest::collection::vec(1usize..9, 1..9),
    ) {
        let response = format!("{head}{body}").into_bytes();
        let mut hasher = PayloadHasher::new();
        let (mut rest, mut cuts) = (response.as_slice(), cuts.iter().cycle());
        while let Some(&cut) = cuts.next().filter(|_| !rest.is_empty()) {
            let (piece, later) = rest.split_at(cut.min(rest.len()));
            hasher.update(piece);
            rest = later;
        }
        prop_assert_eq!(hasher.finish(), PayloadHasher::of(&response));
    }

    #[test]
    fn what_is_chunked_comes_out_again(pieces in proptest::collection::vec("[ -~]{1,40}", 0..9)) {
        let chunks: String = pieces.iter().map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len())).collect();
        check(&format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"), Some(&pieces.concat()));
    }

    #[test]
    fn any_bytes_have_a_payload_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let payload = PayloadHasher::of(&bytes);
        prop_assert!(payload.is_none_or(|payload| payload.len <= bytes.len() as u64));
    }
}

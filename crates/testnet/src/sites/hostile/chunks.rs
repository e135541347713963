use crate::sites::hostile::{
    case::Case,
    script::{Script, Step, html_head},
};

const PART: &str = "<!DOCTYPE html><title>Chunks</title><p>A page in pieces.</p>\n";

/// What is odd or wrong about the chunked transfer coding (RFC 9112, section 7.1).
pub(super) const CASES: &[Case] = &[
    Case::new("/chunk/extensions", "chunk extensions", |_| {
        chunked(&format!("{:x};name=value;quoted=\"a;b\\\"c\"\r\n{PART}\r\n0;last\r\n\r\n", PART.len()))
    }),
    Case::new("/chunk/trailers", "trailer fields", |_| {
        let whole = format!("{:x}\r\n{PART}\r\n0\r\nX-Digest: none\r\nSet-Cookie: late=1\r\n\r\n", PART.len());
        Script::raw(html_head(&[("Transfer-Encoding", "chunked"), ("Trailer", "X-Digest")])).and_bytes(whole)
    }),
    Case::new("/chunk/odd-sizes", "sizes in upper case and with leading zeros", |_| {
        chunked(&format!("0000{:X}\r\n{PART}\r\n00A\r\n<p>ten</p>\r\n00000\r\n\r\n", PART.len()))
    }),
    Case::new("/chunk/single-bytes", "20,000 chunks of one byte", |_| {
        Script::raw(html_head(&[("Transfer-Encoding", "chunked")]))
            .and(Step::Repeat { bytes: b"1\r\nx\r\n".to_vec(), times: 20_000 })
            .and_bytes("0\r\n\r\n")
    }),
    Case::new("/chunk/odd-name", "the coding's name in odd case", |_| {
        Script::raw(html_head(&[("transfer-encoding", "ChUnKeD")]))
            .and_bytes(format!("{:x}\r\n{PART}\r\n0\r\n\r\n", PART.len()))
    }),
    Case::new("/chunk/truncated", "closed within a chunk", |_| {
        chunked(&format!("{:x}\r\n{PART}", PART.len() + 500)).then_close()
    }),
    Case::new("/chunk/no-end", "closed without the last chunk", |_| {
        chunked(&format!("{:x}\r\n{PART}\r\n", PART.len())).then_close()
    }),
    Case::new("/chunk/broken-size", "a size that is no number", |_| {
        chunked(&format!("{:x}\r\n{PART}\r\nxyz\r\nmore\r\n", PART.len())).then_close()
    }),
    Case::new("/chunk/negative", "a negative size", |_| chunked("-1\r\nx\r\n0\r\n\r\n").then_close()),
    Case::new("/chunk/overflow", "a size beyond 64 bits", |_| {
        chunked("fffffffffffffffff\r\nx\r\n0\r\n\r\n").then_close()
    }),
    Case::new("/chunk/missing-end", "no line end behind the data of a chunk", |_| {
        chunked(&format!("{:x}\r\n{PART}0\r\n\r\n", PART.len())).then_close()
    }),
    Case::new("/chunk/bare-newlines", "size lines that end without a carriage return", |_| {
        chunked(&format!("{:x}\n{PART}\n0\n\n", PART.len())).then_close()
    }),
    Case::new("/chunk/long-extension", "an extension of 1 MB", |_| {
        Script::raw(html_head(&[("Transfer-Encoding", "chunked")]))
            .and_bytes(format!("{:x};", PART.len()))
            .and(Step::Repeat { bytes: vec![b'e'; 1000], times: 1000 })
            .and_bytes(format!("\r\n{PART}\r\n0\r\n\r\n"))
            .then_close()
    }),
    Case::new("/chunk/endless-trailers", "trailer fields without an end", |_| {
        chunked(&format!("{:x}\r\n{PART}\r\n0\r\n", PART.len()))
            .and(Step::Forever(b"X-On-It-Goes: and on\r\n".to_vec()))
    }),
    Case::new("/chunk/unknown-coding", "a transfer coding that nobody knows", |_| {
        Script::raw(html_head(&[("Transfer-Encoding", "ferry")])).and_bytes(PART).then_close()
    }),
    Case::new("/chunk/twice", "chunked twice", |_| {
        let inner = format!("{:x}\r\n{PART}\r\n0\r\n\r\n", PART.len());
        let outer = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
        Script::raw(html_head(&[("Transfer-Encoding", "chunked, chunked")])).and_bytes(outer).then_close()
    }),
    Case::new("/chunk/one-zero", "chunked in HTTP/1.0", |_| {
        let head = "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
        Script::raw(head).and_bytes(format!("{:x}\r\n{PART}\r\n0\r\n\r\n", PART.len())).then_close()
    }),
];

fn chunked(rest: &str) -> Script {
    Script::raw(html_head(&[("Transfer-Encoding", "chunked")])).and_bytes(rest)
}

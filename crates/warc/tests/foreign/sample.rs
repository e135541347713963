//! An archive with one capture of every kind.

use warc::{Date, Digest, Fields, Header, Original, RecordId, Truncation};

/// The name of a record, its header and its block. Names are how the tests speak of records.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) header: Header,
    pub(crate) block: Vec<u8>,
}

pub(crate) const ONION: &str = "http://shopexampleaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad.onion";

pub(crate) fn id(name: &str) -> RecordId {
    RecordId::derived(&[name.as_bytes()])
}

pub(crate) fn date() -> Date {
    "2026-01-31T12:00:00.123456Z".parse().unwrap()
}

fn response(name: &'static str, uri: &str, block: &str) -> Sample {
    let header = Header::response(id(name), date(), uri).warcinfo_id(id("warcinfo")).protocol("http/1.1");
    Sample { name, header, block: block.as_bytes().to_vec() }
}

/// Requests, responses, revisits and what is around them.
pub(crate) fn samples(filename: &str) -> Vec<Sample> {
    let uri = |path: &str| format!("{ONION}{path}");
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 5\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
    let original =
        Original { id: id("response"), target_uri: uri("/"), date: date(), payload_digest: Digest::of(b"hello") };
    let later: Date = "2026-02-01T12:00:00Z".parse().unwrap();
    let warcinfo = Fields::new().with("software", "nachtwacht/0.0.0").with("format", "WARC File Format 1.1");
    let metadata = Fields::new().with("via", uri("/")).with("hopsFromSeed", "LL").with("fetchTimeMs", "1500");
    let gzip =
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0];
    let mut encoded = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        gzip.len()
    )
    .into_bytes();
    encoded.extend(gzip);
    vec![
        Sample {
            name: "warcinfo",
            header: Header::warcinfo(id("warcinfo"), date(), filename),
            block: warcinfo.to_bytes().unwrap(),
        },
        Sample {
            name: "request",
            header: Header::request(id("request"), date(), &uri("/")).concurrent_to(id("response")).redacted("cookie"),
            block: b"GET / HTTP/1.1\r\nHost: a\r\nCookie: session=sha256:00\r\n\r\n".to_vec(),
        },
        response("response", &uri("/"), &format!("{html}hello")),
        Sample {
            name: "metadata",
            header: Header::metadata(id("metadata"), date(), &uri("/")).concurrent_to(id("response")),
            block: metadata.to_bytes().unwrap(),
        },
        Sample {
            name: "revisit",
            header: Header::revisit(id("revisit"), later, &uri("/"), &original),
            block: html.into(),
        },
        Sample {
            name: "not-modified",
            header: Header::not_modified(id("not-modified"), later, &uri("/"), &original),
            block: b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n".to_vec(),
        },
        Sample {
            name: "certificate",
            header: Header::resource(id("certificate"), date(), "urn:x-tls:Example", "application/pkix-cert"),
            block: vec![0x30, 0x03, 0x02, 0x01, 0x00],
        },
        response(
            "redirect",
            &uri("/%C3%A9/?b=2&a=1"),
            "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        ),
        response(
            "to-the-end",
            "https://WWW.example.com:8443/A/../b/",
            "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nhello",
        ),
        response("chunked", &uri("/chunked"), &format!("{chunked}5\r\nhello\r\n0\r\n\r\n")),
        Sample { block: encoded, ..response("encoded", &uri("/encoded"), "") },
        response("interim", &uri("/interim"), &format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{html}hello")),
        response("excess", &uri("/excess"), &format!("{html}hello and more")),
        response("malformed", &uri("/malformed"), "SSH-2.0-dropbear\r\n"),
        response("cut-chunks", &uri("/cut-chunks"), &format!("{chunked}5\r\nhel")),
        Sample {
            header: response("truncated", &uri("/truncated"), "").header.truncated(Truncation::Time),
            ..response("truncated", &uri("/truncated"), &format!("{html}hel"))
        },
        response("empty", &uri("/empty"), ""),
    ]
}

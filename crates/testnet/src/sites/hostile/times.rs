use std::time::Duration;

use crate::sites::hostile::{
    case::{Case, Request},
    script::{Script, Step, html_head, long_page, page},
};

const SECOND: Duration = Duration::from_secs(1);

/// What takes too long, or never ends.
pub(super) const CASES: &[Case] = &[
    Case::new("/slow/drip", "a body of one byte a second for ever", |_| {
        Script::raw(html_head(&[])).and(Step::Drip { bytes: b"x".to_vec(), every: SECOND })
    }),
    Case::new("/slow/drip-length", "the same, with a length that a day would not fill", |_| {
        Script::raw(html_head(&[("Content-Length", "100000")])).and(Step::Drip { bytes: b"x".to_vec(), every: SECOND })
    }),
    Case::new("/slow/head", "a head of one byte a second for ever", |_| {
        Script::raw("HTTP/1.1 200 OK\r\nX-Slow: ").and(Step::Drip { bytes: b"x".to_vec(), every: SECOND })
    }),
    Case::new("/slow/answer", "no answer at all, and the connection stays open", |_| {
        Script::raw("").and(Step::Silence)
    }),
    Case::new("/slow/stall", "half of the promised body, then nothing", |_| {
        Script::raw(html_head(&[("Content-Length", "8000")]))
            .and_bytes(long_page("Half a page", 4000))
            .and(Step::Silence)
    }),
    Case::new("/slow/stall-head", "half of a head, then nothing", |_| {
        Script::raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n").and(Step::Silence)
    }),
    Case::new("/slow/after-close", "says that it closes the connection, and does not", |_| {
        let body = page("Connection: close", "<p>All is here; the connection stays open.</p>");
        Script::status("200 OK", &[("Connection", "close")], body).and(Step::Silence)
    }),
    Case::new("/endless/body", "a body without a length that never ends", |_| {
        Script::raw(html_head(&[("Connection", "close")])).and(Step::Forever(b"<p>and on it goes</p>\n".to_vec()))
    }),
    Case::new("/endless/chunks", "a chunked body that never ends", |_| {
        Script::raw(html_head(&[("Transfer-Encoding", "chunked")]))
            .and(Step::Forever(b"15\r\n<p>and on it goes</p>\r\n".to_vec()))
    }),
    Case::new("/endless/head", "a head that never ends", |_| {
        Script::raw("HTTP/1.1 200 OK\r\n").and(Step::Forever(b"X-On-It-Goes: and on\r\n".to_vec()))
    }),
    Case::new("/endless/early-hints", "interim responses without an end and never a final one", |_| {
        Script::raw("").and(Step::Forever(b"HTTP/1.1 103 Early Hints\r\nLink: </static/site.css>\r\n\r\n".to_vec()))
    }),
    Case::new(
        "/connection/limited",
        "the connection is closed without notice after its second answer",
        |request: &Request| {
            let script = Script::html(page("Limited", "<p>Two answers, then the door is shut.</p>"));
            if request.turn >= 2 { script.then_close() } else { script }
        },
    ),
    Case::new("/connection/one-answer", "keep-alive is promised and the connection closed at once", |_| {
        Script::status(
            "200 OK",
            &[("Connection", "keep-alive"), ("Keep-Alive", "timeout=60")],
            page("One answer", "<p>Only one.</p>"),
        )
        .then_close()
    }),
];

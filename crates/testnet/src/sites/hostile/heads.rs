use crate::sites::hostile::{
    case::Case,
    script::{Script, Step, html_head, page},
};

/// Heads that are unusual or too large, and still a beginning of HTTP.
pub(super) const CASES: &[Case] = &[
    Case::new("/head/odd-case", "field names in odd case", |_| {
        let body = page("Odd case", "<p>Names are what you make of them.</p>");
        let head = format!(
            "HTTP/1.1 200 OK\r\ncOnTeNt-TyPe: text/html; CHARSET=UTF-8\r\nX-oDD: 1\r\nCONTENT-LENGTH: {}\r\n\r\n",
            body.len()
        );
        Script::raw(head + &body)
    }),
    Case::new("/head/duplicates", "the same fields several times", |_| {
        let fields = [
            ("X-Twice", "first"),
            ("Set-Cookie", "a=1"),
            ("X-Twice", "second"),
            ("Set-Cookie", "b=2"),
            ("x-twice", "third"),
        ];
        Script::status("200 OK", &fields, page("Duplicates", "<p>Said three times.</p>"))
    }),
    Case::new("/head/two-types", "two different content types", |_| {
        let fields = [("Content-Type", "text/html; charset=utf-8"), ("Content-Type", "image/png")];
        Script::status("200 OK", &fields, page("Two types", "<p>A page or a picture.</p>"))
    }),
    Case::new("/head/folded", "a field folded over three lines (obs-fold)", |_| {
        Script::status(
            "200 OK",
            &[("X-Folded", "first\r\n second\r\n\tthird")],
            page("Folded", "<p>An old way to write.</p>"),
        )
    }),
    Case::new("/head/bare-newlines", "lines that end without a carriage return", |_| {
        let body = page("Bare newlines", "<p>Half of each line end is missing.</p>");
        Script::raw(format!("HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: {}\n\n{body}", body.len()))
    }),
    Case::new("/head/leading-newlines", "empty lines before the status line", |_| {
        let body = page("Leading newlines", "<p>Nothing, nothing, then a page.</p>");
        Script::raw(format!(
            "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }),
    Case::new("/head/latin-one", "a field value in ISO 8859-1", |_| {
        Script::raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Ship: f\xe4hre\r\nContent-Length: 15\r\n\r\n<p>An umlaut.\n\n".to_vec())
    }),
    Case::new("/head/no-reason", "a status line without a reason", |_| {
        Script::raw("HTTP/1.1 200\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<p>No reason.\n")
    }),
    Case::new("/head/long-reason", "a reason of 64 KiB", |_| {
        Script::status(&format!("200 {}", "y".repeat(65_536)), &[], page("Reason", ""))
    }),
    Case::new("/head/one-zero", "HTTP/1.0 without a length", |_| {
        Script::raw(format!(
            "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n{}",
            page("One zero", "<p>An old server.</p>")
        ))
        .then_close()
    }),
    Case::new("/head/early-hints", "two interim responses before the final one", |_| {
        Script::raw(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </static/site.css>; rel=preload\r\n\r\n",
        )
        .and_bytes("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 17\r\n\r\n<p>Here at last.\n")
    }),
    Case::new("/head/tell-tales", "Alt-Svc, HSTS, Onion-Location, Link and Report-To, all to the clear net", |_| {
        let fields = [
            ("Alt-Svc", "h2=\"www.clear-net.example:443\"; ma=86400; persist=1"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
            ("Onion-Location", "http://www.clear-net.example/"),
            ("Link", "<http://www.clear-net.example/style.css>; rel=preload; as=style"),
            (
                "Report-To",
                "{\"group\":\"all\",\"max_age\":86400,\"endpoints\":[{\"url\":\"https://www.clear-net.example/report\"}]}",
            ),
            ("NEL", "{\"report_to\":\"all\",\"max_age\":86400,\"success_fraction\":1.0}"),
            ("Content-Security-Policy", "default-src 'self'; report-uri https://www.clear-net.example/csp"),
            ("Set-Cookie", "track=1; Domain=clear-net.example; Max-Age=31536000"),
            ("ETag", "\"visitor-4711\""),
        ];
        Script::status("200 OK", &fields, page("Tell-tales", "<p>Whoever obeys gives himself away.</p>"))
    }),
    Case::new("/head/many-fields", "5,000 small fields", |_| {
        let fields: String = (0..5000).map(|number| format!("X-Field-{number}: {number}\r\n")).collect();
        Script::raw(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{fields}Content-Length: 9\r\n\r\n<p>Many.\n"
        ))
    }),
    Case::new("/head/huge", "10 MB of fields", |_| {
        let field = format!("X-Filler: {}\r\n", "z".repeat(988)).into_bytes();
        Script::raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")
            .and(Step::Repeat { bytes: field, times: 10_000 })
            .and_bytes("Content-Length: 9\r\n\r\n<p>Huge.\n")
    }),
    Case::new("/head/huge-field", "one field of 10 MB", |_| {
        Script::raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Filler: ")
            .and(Step::Repeat { bytes: vec![b'z'; 1000], times: 10_000 })
            .and_bytes("\r\nContent-Length: 9\r\n\r\n<p>Huge.\n")
    }),
];

/// Heads that are no HTTP/1.1.
pub(super) const BROKEN: &[Case] = &[
    Case::new("/broken/nothing", "the connection is closed without a byte", |_| Script::raw("").then_close()),
    Case::new("/broken/cut-status", "closed within the status line", |_| Script::raw("HTTP/1.1 20").then_close()),
    Case::new("/broken/cut-head", "closed within a field", |_| {
        Script::raw("HTTP/1.1 200 OK\r\nContent-Type: text/ht").then_close()
    }),
    Case::new("/broken/cut-before-body", "closed before the empty line", |_| {
        Script::raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n").then_close()
    }),
    Case::new("/broken/status-word", "a status that is no number", |_| {
        Script::raw("HTTP/1.1 fine thank you\r\n\r\n").then_close()
    }),
    Case::new("/broken/status-long", "a status of five digits", |_| {
        Script::raw("HTTP/1.1 20000 OK\r\nContent-Length: 0\r\n\r\n").then_close()
    }),
    Case::new("/broken/status-zero", "status 000", |_| {
        Script::raw("HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n").then_close()
    }),
    Case::new("/broken/status-999", "status 999", |_| {
        Script::status("999 Out of range", &[], page("999", "<p>Beyond the list.</p>"))
    }),
    Case::new("/broken/version", "a version that HTTP/1.1 does not know", |_| {
        Script::raw("HTTP/2.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n").then_close()
    }),
    Case::new("/broken/lower-case", "the protocol's name in lower case", |_| {
        Script::raw("http/1.1 200 ok\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n").then_close()
    }),
    Case::new("/broken/zero-nine", "a page without any head, as in HTTP/0.9", |_| {
        Script::raw(page("No head", "<p>Only a page.</p>")).then_close()
    }),
    Case::new("/broken/garbage", "bytes without a meaning", |_| {
        Script::raw((0..1024_u32).flat_map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()).collect::<Vec<_>>())
            .then_close()
    }),
    Case::new("/broken/banner", "the greeting of another protocol", |_| {
        Script::raw("SSH-2.0-ferry_1.0\r\n").then_close()
    }),
    Case::new("/broken/no-colon", "a field without a colon", |_| field("X-No-Colon at all")),
    Case::new("/broken/no-name", "a field without a name", |_| field(": nameless")),
    Case::new("/broken/space-before-colon", "a space between name and colon", |_| field("X-Space : here")),
    Case::new("/broken/nul", "a NUL byte in a value", |_| field("X-Nul: a\0b")),
    Case::new("/broken/bare-return", "a carriage return within a value", |_| field("X-Return: a\rb")),
    Case::new("/broken/switching", "101 Switching Protocols, which nobody asked for", |_| {
        Script::raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: ferry\r\nConnection: Upgrade\r\n\r\n").then_close()
    }),
    Case::new("/broken/second-answer", "a second response right behind the first, which nobody asked for", |_| {
        Script::html(page("First", "<p>The answer.</p>"))
            .and_bytes(html_head(&[("Content-Length", "15")]))
            .and_bytes("<p>Smuggled.</p")
    }),
];

/// A proper page but for one line of its head.
fn field(line: &str) -> Script {
    Script::raw(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{line}\r\nContent-Length: 15\r\n\r\n<p>One line.</p"
    ))
    .then_close()
}

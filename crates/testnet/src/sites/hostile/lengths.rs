use crate::sites::hostile::{
    case::Case,
    script::{Script, Step, head, html_head, page},
};

const BODY: &str = "<!DOCTYPE html><title>Length</title><p>Forty-two and some bytes of a page.</p>\n";

/// What is wrong with `Content-Length` (RFC 9112, section 6).
pub(super) const CASES: &[Case] = &[
    Case::new("/length/none", "no length: the body ends with the connection", |_| {
        Script::raw(html_head(&[])).and_bytes(BODY).then_close()
    }),
    Case::new("/length/too-long", "a length beyond the body, then the end of the connection", |_| {
        length("5000").then_close()
    }),
    Case::new("/length/too-short", "a length short of the body, on a connection that stays open", |_| length("40")),
    Case::new("/length/zero", "a length of 0 before a body", |_| length("0").then_close()),
    Case::new("/length/negative", "a negative length", |_| length("-5").then_close()),
    Case::new("/length/signed", "a length with a plus sign", |_| length(&format!("+{}", BODY.len())).then_close()),
    Case::new("/length/letters", "a length with letters", |_| length("12abc").then_close()),
    Case::new("/length/empty", "an empty length", |_| length("").then_close()),
    Case::new("/length/overflow", "a length beyond 64 bits", |_| length("18446744073709551700").then_close()),
    Case::new("/length/huge", "a length of 1 TB, some bytes, then nothing", |_| {
        length("1099511627776").and(Step::Silence)
    }),
    Case::new("/length/twice", "the same length twice", |_| {
        let length = BODY.len().to_string();
        Script::raw(html_head(&[("Content-Length", &length), ("Content-Length", &length)])).and_bytes(BODY)
    }),
    Case::new("/length/list", "the same length twice in one field", |_| length(&format!("{0}, {0}", BODY.len()))),
    Case::new("/length/contradiction", "two different lengths", |_| {
        let length = BODY.len().to_string();
        Script::raw(html_head(&[("Content-Length", &length), ("Content-Length", "7")])).and_bytes(BODY).then_close()
    }),
    Case::new("/length/and-chunked", "a length and chunked at once", |_| {
        let chunk = format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len());
        Script::raw(html_head(&[("Content-Length", "7"), ("Transfer-Encoding", "chunked")]))
            .and_bytes(chunk)
            .then_close()
    }),
    Case::new("/length/no-content", "204 with a body", |_| {
        Script::raw(head("204 No Content", &[("Content-Type", "text/html")]))
            .and_bytes(page("204", "<p>There should be nothing.</p>"))
            .then_close()
    }),
];

fn length(value: &str) -> Script {
    Script::raw(html_head(&[("Content-Length", value)])).and_bytes(BODY)
}

use std::time::Duration;

/// What goes out in answer to a request, step by step, and what happens then.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) then: Then,
}

/// A part of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// These bytes, at once.
    Bytes(Vec<u8>),
    /// These bytes again and again.
    Repeat { bytes: Vec<u8>, times: u64 },
    /// These bytes again and again without an end.
    Forever(Vec<u8>),
    /// These bytes after each pause, without an end.
    Drip { bytes: Vec<u8>, every: Duration },
    /// Nothing, until the client goes away.
    Silence,
}

/// What becomes of the connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next request is awaited.
    KeepOpen,
    /// The connection is closed.
    Close,
}

impl Script {
    /// An answer of exactly these bytes, after which the connection stays open.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { steps: vec![Step::Bytes(bytes.into())], then: Then::KeepOpen }
    }

    /// An answer with status, fields, a correct length and a body. `Content-Type` is HTML in UTF-8 unless the fields say otherwise.
    pub(crate) fn status(status: &str, fields: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        let mut all = vec![("Content-Length", length.as_str())];
        if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            all.push(("Content-Type", "text/html; charset=utf-8"));
        }
        all.extend(fields);
        let mut bytes = head(status, &all);
        bytes.extend(body);
        Self::raw(bytes)
    }

    /// A proper page.
    pub(crate) fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::status("200 OK", &[], body)
    }

    /// A proper answer of another type.
    pub(crate) fn typed(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::status("200 OK", &[("Content-Type", content_type)], body)
    }

    /// A proper redirect.
    pub(crate) fn redirect(to: &str) -> Self {
        Self::status("302 Found", &[("Location", to)], page("Moved", "<p>The page is elsewhere.</p>"))
    }

    /// The same, and one step more.
    pub(crate) fn and(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The same, and these bytes.
    pub(crate) fn and_bytes(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.and(Step::Bytes(bytes.into()))
    }

    /// The same, and the connection is closed afterwards.
    pub(crate) fn then_close(mut self) -> Self {
        self.then = Then::Close;
        self
    }
}

/// The head of a response with its empty line.
pub(crate) fn head(status: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in fields {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// The head of a page in UTF-8, with more fields.
pub(crate) fn html_head(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut all = vec![("Content-Type", "text/html; charset=utf-8")];
    all.extend(fields);
    head("200 OK", &all)
}

/// A small page.
pub(crate) fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n{body}\n\
         </body>\n</html>\n"
    )
}

/// A page with text of about so many bytes, to have something to cut or to encode.
pub(crate) fn long_page(title: &str, length: usize) -> String {
    const SENTENCE: &str = "<p>The ferry leaves at night and nobody counts who is on board.</p>\n";
    page(title, &SENTENCE.repeat(length / SENTENCE.len()))
}

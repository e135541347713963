/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// HTML, in its XML form too.
    Html,
    /// Any other text: kept as it stands.
    Plain,
    /// Nothing that a person reads.
    Binary,
}

/// How many bytes are looked at to tell text from anything else.
const SNIFF_BYTES: usize = 4096;

impl Media {
    /// What `body` is by its declared type, or by its first bytes where the type says little or lies.
    pub(crate) fn of(content_type: Option<&[u8]>, body: &[u8], is_wide: bool) -> Self {
        let declared = Self::declared(content_type.unwrap_or_default());
        if declared == Some(Self::Binary) {
            return Self::Binary;
        }
        let start = body.get(..SNIFF_BYTES).unwrap_or(body);
        if !is_wide && looks_binary(start) {
            return Self::Binary;
        }
        declared.unwrap_or_else(|| if looks_like_html(start) { Self::Html } else { Self::Plain })
    }

    /// What the type says; `None` where it is missing, unknown, or the catch-all that servers send for anything.
    fn declared(content_type: &[u8]) -> Option<Self> {
        let value = String::from_utf8_lossy(content_type.get(..200).unwrap_or(content_type)).to_ascii_lowercase();
        let essence = value.split(';').next().unwrap_or_default().trim();
        let (main, sub) = essence.split_once('/')?;
        match (main, sub) {
            ("text", "html") | ("application", "xhtml+xml") => Some(Self::Html),
            ("text", _)
            | ("image", "svg+xml")
            | (
                "application",
                "json" | "xml" | "javascript" | "ecmascript" | "x-www-form-urlencoded" | "pgp-keys" | "pgp-signature",
            ) => Some(Self::Plain),
            ("image" | "audio" | "video" | "font" | "model", _)
            | ("application", "zip" | "gzip" | "pdf" | "x-tar" | "x-7z-compressed" | "x-rar-compressed" | "wasm") => {
                Some(Self::Binary)
            }
            (_, sub) if sub.ends_with("+json") || sub.ends_with("+xml") => Some(Self::Plain),
            _ => None,
        }
    }
}

/// Whether the bytes hold what no text does: zero bytes, or more than a few other control characters.
fn looks_binary(start: &[u8]) -> bool {
    let count = |is_odd: fn(u8) -> bool| start.iter().filter(|&&byte| is_odd(byte)).count();
    let zeros = count(|byte| byte == 0);
    let controls = count(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B));
    // A stray zero byte in a page is an old trick against filters, and browsers read on.
    zeros > start.len() / 100 || controls > start.len() / 20
}

fn looks_like_html(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    let markers = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<title",
        "<meta",
        "<script",
        "<style",
        "<table",
        "<div",
        "<a",
        "<p",
        "<h1",
        "<br",
        "<!--",
        "<form",
        "<b",
    ];
    markers.iter().any(|marker| {
        let follows = text.get(marker.len()..).and_then(|rest| rest.chars().next());
        starts_with_ignoring_case(text, marker)
            && follows.is_none_or(|c| !c.is_ascii_alphanumeric() || marker.starts_with("<!"))
    })
}

/// Whether `text` begins with `start`, ASCII case ignored.
pub(crate) fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content_type: &str, body: &[u8], expect: Media) {
        assert_eq!(
            Media::of(Some(content_type.as_bytes()), body, false),
            expect,
            "{content_type} {}",
            String::from_utf8_lossy(body)
        );
    }

    #[test]
    fn the_type_tells_where_it_can() {
        check("Text/HTML; charset=utf-8", b"plain words", Media::Html);
        check("application/xhtml+xml", b"<html/>", Media::Html);
        check("text/plain", b"<html>", Media::Plain);
        check("application/ld+json", b"{}", Media::Plain);
        check("image/png", b"words", Media::Binary);
    }

    #[test]
    fn the_bytes_tell_where_the_type_does_not() {
        check("", b" <!DOCTYPE html><p>x", Media::Html);
        check("application/octet-stream", b"<div class=x>", Media::Html);
        check("nonsense", b"<abbreviation>", Media::Plain);
        check("", b"words", Media::Plain);
        check("", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", Media::Binary);
        check("text/html", b"PK\x03\x04\x14\0\0\0\x08\0", Media::Binary);
        assert_eq!(Media::of(None, b"\0<\0p\0>", true), Media::Plain);
    }
}

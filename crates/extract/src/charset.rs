use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252, X_USER_DEFINED};
use model::CharsetSource;

use crate::media;

/// How far a declaration within the document may lie from its start (HTML, section 13.2.3.2).
const PRESCAN_BYTES: usize = 1024;

/// How many bytes the guess looks at, from the first one that is not ASCII.
const GUESS_BYTES: usize = 64 << 10;

/// The text of a body, and how it was read.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) charset: &'static Encoding,
    pub(crate) source: CharsetSource,
    /// Whether bytes that are not of the encoding were replaced.
    pub(crate) has_errors: bool,
}

/// Finds the character encoding of `body` and decodes it.
pub(crate) fn decode<'a>(content_type: Option<&[u8]>, body: &'a [u8]) -> Decoded<'a> {
    let (charset, source) = find(content_type, body);
    let (text, has_errors) = charset.decode_with_bom_removal(body);
    Decoded { text, charset, source, has_errors }
}

/// Whether the declared encoding is UTF-16, in which a zero byte is nothing strange.
pub(crate) fn is_declared_wide(content_type: Option<&[u8]>, body: &[u8]) -> bool {
    let bom = Encoding::for_bom(body).map(|(found, _)| found);
    bom.or_else(|| from_content_type(content_type)).is_some_and(|found| found.name().starts_with("UTF-16"))
}

/// The order of HTML, section 13.2.3.1, except that a page which declares nothing may be guessed to be UTF-8.
fn find(content_type: Option<&[u8]>, body: &[u8]) -> (&'static Encoding, CharsetSource) {
    if let Some((found, _)) = Encoding::for_bom(body) {
        return (found, CharsetSource::ByteOrderMark);
    }
    if let Some(found) = from_content_type(content_type) {
        return (found, CharsetSource::Header);
    }
    if let Some(found) = from_document(body.get(..PRESCAN_BYTES).unwrap_or(body)) {
        return (found, CharsetSource::Meta);
    }
    (guess(body), CharsetSource::Guess)
}

fn from_content_type(content_type: Option<&[u8]>) -> Option<&'static Encoding> {
    from_parameter(&String::from_utf8_lossy(content_type?))
}

/// The `charset` parameter anywhere in a value (HTML, "extracting a character encoding from a meta element").
fn from_parameter(value: &str) -> Option<&'static Encoding> {
    let lower = value.to_ascii_lowercase();
    let mut rest = lower.as_str();
    while let Some((_, after)) = rest.split_once("charset") {
        rest = after;
        let Some(label) = after.trim_start().strip_prefix('=') else { continue };
        let label = label.trim_start();
        let label = match label.chars().next() {
            Some(quote @ ('"' | '\'')) => label.split(quote).nth(1).unwrap_or_default(),
            _ => label.split([';', ' ', '\t', '"', '\'', ',']).next().unwrap_or_default(),
        };
        return Encoding::for_label(label.as_bytes());
    }
    None
}

/// The declaration of an XML prologue or of the first `meta` element that has one.
fn from_document(start: &[u8]) -> Option<&'static Encoding> {
    // Bytes become characters one for one: all that matters here is ASCII.
    let text: String = start.iter().copied().map(char::from).collect();
    from_prologue(&text).or_else(|| from_meta(&text)).map(readable)
}

/// A declaration that could be read cannot be UTF-16 (HTML, section 13.2.3.2, the last steps of the prescan).
fn readable(declared: &'static Encoding) -> &'static Encoding {
    if declared.name().starts_with("UTF-16") {
        UTF_8
    } else if declared == X_USER_DEFINED {
        WINDOWS_1252
    } else {
        declared
    }
}

fn from_prologue(text: &str) -> Option<&'static Encoding> {
    let (prologue, _) = text.trim_start().strip_prefix("<?xml")?.split_once("?>")?;
    let value = prologue.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    Encoding::for_label(value.split(quote).nth(1)?.as_bytes())
}

fn from_meta(text: &str) -> Option<&'static Encoding> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
        } else if media::starts_with_ignoring_case(after, "meta")
            && let Some(attributes) =
                after.get(4..).filter(|rest| rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '/'))
            && let Some(found) = from_meta_attributes(attributes)
        {
            return Some(found);
        }
    }
    None
}

/// Reads the attributes of a `meta` tag up to its end; one that the window cuts off counts as far as it goes.
fn from_meta_attributes(mut rest: &str) -> Option<&'static Encoding> {
    let (mut charset, mut content, mut is_pragma) = (None, None, false);
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            break;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/')).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end.max(1));
        let (value, after) = attribute_value(after);
        rest = after;
        match name.to_ascii_lowercase().as_str() {
            "charset" => charset = charset.or_else(|| Encoding::for_label(value.as_bytes())),
            "http-equiv" => is_pragma |= value.trim().eq_ignore_ascii_case("content-type"),
            "content" => content = content.or_else(|| from_parameter(value)),
            _ => {}
        }
    }
    charset.or(content.filter(|_| is_pragma))
}

/// The value behind an attribute's name, and what follows it.
fn attribute_value(after: &str) -> (&str, &str) {
    let Some(value) = after.trim_start().strip_prefix('=') else { return ("", after) };
    let value = value.trim_start();
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let value = value.strip_prefix(quote).unwrap_or_default();
            value.split_once(quote).unwrap_or((value, ""))
        }
        _ => value.split_at(value.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(value.len())),
    }
}

fn guess(body: &[u8]) -> &'static Encoding {
    let Some(first) = body.iter().position(|byte| !byte.is_ascii()) else { return UTF_8 };
    match std::str::from_utf8(body) {
        Ok(_) => return UTF_8,
        // The last character may be cut off, where some came before it.
        Err(error) if error.error_len().is_none() && error.valid_up_to() > first => return UTF_8,
        Err(_) => {}
    }
    // A little of what stands before tells where a word begins.
    let rest = body.get(first.saturating_sub(16)..).unwrap_or(body);
    let sample = rest.get(..GUESS_BYTES).unwrap_or(rest);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, sample.len() == rest.len());
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{KOI8_R, SHIFT_JIS, WINDOWS_1251};

    use super::*;

    fn check(content_type: &str, body: &[u8], charset: &str, source: CharsetSource) {
        let found = decode(Some(content_type.as_bytes()), body);
        assert_eq!(
            (found.charset.name(), found.source),
            (charset, source),
            "{content_type} {}",
            String::from_utf8_lossy(body)
        );
    }

    #[test]
    fn the_nearest_declaration_wins() {
        check(
            "text/html; charset=koi8-r",
            b"\xEF\xBB\xBF<meta charset=windows-1251>",
            "UTF-8",
            CharsetSource::ByteOrderMark,
        );
        check("text/html; charset=koi8-r", b"<meta charset=windows-1251>", "KOI8-R", CharsetSource::Header);
        check("text/html;Charset = \"Windows-1251\"", b"", "windows-1251", CharsetSource::Header);
        check("text/html; charset=bogus", b"<meta charset=windows-1251>", "windows-1251", CharsetSource::Meta);
        check(
            "text/html",
            b"<META content='text/html; charset=koi8-r' HTTP-EQUIV=Content-Type>",
            "KOI8-R",
            CharsetSource::Meta,
        );
        check("text/html", b"<meta name=a content='charset=koi8-r'>", "UTF-8", CharsetSource::Guess);
        check("text/html", b"<!-- <meta charset=koi8-r> --><meta charset='utf-16'>", "UTF-8", CharsetSource::Meta);
        check("text/html", b"<meta charset=x-user-defined>", "windows-1252", CharsetSource::Meta);
        check("text/xml", b"<?xml version='1.0' encoding='koi8-r'?><a/>", "KOI8-R", CharsetSource::Meta);
        check("text/html", &[&[b' '; 1024][..], b"<meta charset=koi8-r>"].concat(), "UTF-8", CharsetSource::Guess);
        check("text/html", b"<meta charset=koi8-r", "KOI8-R", CharsetSource::Meta);
        check("text/html", b"<meta charset", "UTF-8", CharsetSource::Guess);
    }

    const RUSSIAN: &str =
        "Отправка из Нидерландов, доставка по всей Европе. Продавец отвечает в течение суток, оплата через гаранта.";

    #[test]
    fn what_nobody_declares_is_guessed() {
        for charset in [WINDOWS_1251, KOI8_R] {
            let (bytes, _, _) = charset.encode(RUSSIAN);
            let padded = [b"<html><body>".repeat(20_000).as_slice(), &bytes].concat();
            assert_eq!(decode(Some(b"text/html"), &bytes).text, RUSSIAN, "{}", charset.name());
            assert!(decode(None, &padded).text.ends_with(RUSSIAN), "{}", charset.name());
        }
        check("text/html", RUSSIAN.as_bytes(), "UTF-8", CharsetSource::Guess);
        check("text/html", &RUSSIAN.as_bytes()[..RUSSIAN.len() - 2], "UTF-8", CharsetSource::Guess);
        let (bytes, _, _) = SHIFT_JIS.encode("これは日本語の文章です。商品は在庫があります。");
        check("text/html", &bytes, "Shift_JIS", CharsetSource::Guess);
    }

    #[test]
    fn bytes_of_another_encoding_are_replaced_and_told() {
        let found = decode(Some(b"text/html; charset=utf-8"), b"caf\xE9");
        assert_eq!((&*found.text, found.has_errors), ("caf\u{FFFD}", true));
    }
}

//! The chunked transfer coding (RFC 9112, section 7.1), taken apart so that the exact bytes can be put together again.

use model::{Framing, FramingPiece};

/// More pieces than this cost more memory than any page is worth.
pub(crate) const MAX_PIECES: usize = 65_536;

/// A body as it lay on the wire, in two.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unwoven {
    /// The data of the chunks.
    pub(crate) payload: Vec<u8>,
    /// Everything else.
    pub(crate) framing: Framing,
    /// How many bytes followed the end of the body; `None` when it did not end.
    pub(crate) excess: Option<usize>,
    /// Whether there were more than [`MAX_PIECES`]; what came after them lies in the framing.
    pub(crate) has_too_many_pieces: bool,
}

/// Takes a chunked body apart as far as it makes sense. Where it stops making sense, the rest is framing.
pub(crate) fn unweave(body: &[u8]) -> Unwoven {
    let mut payload = Vec::with_capacity(body.len());
    let mut pieces = Vec::new();
    // `from` is where the framing of the next piece begins, `rest` what is not yet read.
    let mut from = body;
    let mut rest = body;
    let (excess, has_too_many_pieces) = loop {
        let Some((size, line)) = size_line(rest) else { break (None, false) };
        if size == 0 {
            break (rest.get(line..).and_then(excess_after_trailers), false);
        }
        if pieces.len() == MAX_PIECES {
            break (None, true);
        }
        let (before, data) = split(from, from.len() - rest.len() + line);
        let (data, after) = split(data, usize::try_from(size).unwrap_or(usize::MAX));
        pieces.push(FramingPiece { before: before.to_vec(), len: data.len() as u64 });
        payload.extend_from_slice(data);
        from = after;
        rest = match after {
            [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => rest,
            _ => break (None, false),
        };
    };
    Unwoven { payload, framing: Framing { pieces, end: from.to_vec() }, excess, has_too_many_pieces }
}

/// The size of the next chunk, and the length of the line that announces it.
fn size_line(bytes: &[u8]) -> Option<(u64, usize)> {
    let len = bytes.iter().position(|&byte| byte == b'\n')? + 1;
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let text = std::str::from_utf8(bytes.get(..digits)?).ok()?;
    Some((u64::from_str_radix(text, 16).ok()?, len))
}

/// What lies behind the trailer section and its empty line.
fn excess_after_trailers(bytes: &[u8]) -> Option<usize> {
    let mut left = bytes.len();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        left -= line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return Some(left);
        }
    }
    None
}

fn split(bytes: &[u8], at: usize) -> (&[u8], &[u8]) {
    bytes.split_at(at.min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn weave(unwoven: &Unwoven) -> Vec<u8> {
        let mut block = Vec::new();
        unwoven.framing.weave_into(&unwoven.payload, &mut block);
        block
    }

    #[track_caller]
    fn check(body: &str, payload: &str, excess: Option<usize>) {
        let unwoven = unweave(body.as_bytes());
        assert_eq!(String::from_utf8_lossy(&unwoven.payload), payload, "{body:?}");
        assert_eq!(unwoven.excess, excess, "{body:?}");
        assert_eq!(weave(&unwoven), body.as_bytes());
    }

    #[test]
    fn chunks_extensions_and_trailers_come_apart() {
        check("5\r\nhello\r\n0\r\n\r\n", "hello", Some(0));
        check("5;a=\"b\"\r\nhello\r\n1 ; x\r\n!\r\n000\r\nExpires: never\r\n\r\n", "hello!", Some(0));
        check("A\r\n0123456789\r\n0\r\n\r\nmore", "0123456789", Some(4));
        check("1\na\n0\n\n", "a", Some(0));
    }

    #[test]
    fn broken_chunks_keep_what_there_was() {
        check("5\r\nhel", "hel", None);
        check("5\r\nhello", "hello", None);
        check("5\r\nhello\r", "hello", None);
        check("5\r\nhelloworld\r\n", "hello", None);
        check("x\r\nhello", "", None);
        check("2\r\nab\r\nzz\r\ncd\r\n", "ab", None);
        check("0\r\nA: b\r\n", "", None);
        check("fffffffffffffffff\r\na", "", None);
        check("", "", None);
    }

    #[test]
    fn a_body_in_crumbs_is_bounded() {
        let unwoven = unweave("1\r\na\r\n".repeat(MAX_PIECES + 2).as_bytes());
        assert!(unwoven.has_too_many_pieces);
        assert_eq!(unwoven.framing.pieces.len(), MAX_PIECES);
        assert_eq!(weave(&unwoven).len(), 6 * (MAX_PIECES + 2));
    }

    proptest! {
        #[test]
        fn every_body_can_be_put_together_again(body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "([0-9a-f]{1,2}(;x)?\r?\n[a-z]{0,12}\r?\n){0,9}(0\r\n)?(\r\n)?[a-z]{0,4}".prop_map(String::into_bytes),
        ]) {
            prop_assert_eq!(weave(&unweave(&body)), body);
        }
    }
}

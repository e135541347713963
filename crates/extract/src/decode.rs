use std::{
    borrow::Cow,
    io::{self, Read},
};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use model::Problem;

/// More codings than this on one payload is play, and each costs a pass.
const MAX_CODINGS: usize = 4;

/// The largest window of zstd that a client must accept, as a power of two (RFC 9659, section 3).
const ZSTD_WINDOW_LOG: u32 = 23;

/// Undoes the content codings of `payload` (RFC 9110, section 8.4), the last applied first: `gzip`, `x-gzip`, `deflate` in its zlib form and in the
/// raw form that some servers send, `br`, `zstd`, `identity`.
///
/// Each coding yields `limit` bytes at the most. A payload that ends early or breaks yields what came out until then; one that was never encoded,
/// or in a coding that is not known, stays as it is. Both are a [`Problem::Encoding`].
pub fn decode<'a>(
    content_encoding: Option<&[u8]>,
    payload: &'a [u8],
    limit: usize,
) -> (Cow<'a, [u8]>, Option<Problem>) {
    let codings = codings(content_encoding.unwrap_or_default());
    let mut body = Cow::Borrowed(payload);
    let mut problem = None;
    if codings.len() > MAX_CODINGS {
        problem = Some(Problem::Encoding);
    } else {
        for coding in codings.iter().rev() {
            if body.is_empty() {
                break;
            }
            let (decoded, trouble) = undo(coding, &body, limit);
            problem = problem.or(trouble);
            match decoded {
                Some(decoded) => body = Cow::Owned(decoded),
                None => break,
            }
        }
    }
    let (body, is_cut) = truncate(body, limit);
    (body, problem.or(is_cut.then_some(Problem::TooLong)))
}

/// The names of the codings in the order in which they were applied, `identity` left out.
fn codings(value: &[u8]) -> Vec<String> {
    let names =
        value.split(|&byte| byte == b',').map(|name| String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase());
    names.filter(|name| !name.is_empty() && name != "identity").take(MAX_CODINGS + 1).collect()
}

fn truncate(body: Cow<'_, [u8]>, limit: usize) -> (Cow<'_, [u8]>, bool) {
    match body {
        Cow::Borrowed(bytes) => (Cow::Borrowed(bytes.get(..limit).unwrap_or(bytes)), bytes.len() > limit),
        Cow::Owned(mut bytes) => {
            let is_cut = bytes.len() > limit;
            bytes.truncate(limit);
            (Cow::Owned(bytes), is_cut)
        }
    }
}

/// What came out of one coding; `None` leaves the input as it is.
fn undo(coding: &str, input: &[u8], limit: usize) -> (Option<Vec<u8>>, Option<Problem>) {
    match coding {
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(input), limit),
        "deflate" => match read(ZlibDecoder::new(input), limit) {
            (None, _) => read(DeflateDecoder::new(input), limit),
            decoded => decoded,
        },
        "br" => read(brotli::Decompressor::new(input, 4096), limit),
        "zstd" => match zstd_decoder(input) {
            Ok(decoder) => read(decoder, limit),
            Err(_) => (None, Some(Problem::Encoding)),
        },
        _ => (None, Some(Problem::Encoding)),
    }
}

fn zstd_decoder(input: &[u8]) -> io::Result<impl Read> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

/// Reads to the end, to the limit, or until the coding breaks. Input of which nothing comes out was never encoded so.
fn read(mut decoder: impl Read, limit: usize) -> (Option<Vec<u8>>, Option<Problem>) {
    let mut out = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return (Some(out), None),
            Ok(len) => out.extend_from_slice(buffer.get(..len).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return ((!out.is_empty()).then_some(out), Some(Problem::Encoding)),
        }
        if out.len() > limit {
            out.truncate(limit);
            return (Some(out), Some(Problem::TooLong));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    const TEXT: &[u8] = b"ships from nowhere, ships from nowhere, ships from nowhere";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut to = GzEncoder::new(Vec::new(), Compression::fast());
        to.write_all(bytes).unwrap();
        to.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut to = ZlibEncoder::new(Vec::new(), Compression::fast());
        to.write_all(bytes).unwrap();
        to.finish().unwrap()
    }

    fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
        let mut to = DeflateEncoder::new(Vec::new(), Compression::fast());
        to.write_all(bytes).unwrap();
        to.finish().unwrap()
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut to = Vec::new();
        brotli::CompressorWriter::new(&mut to, 4096, 4, 20).write_all(bytes).unwrap();
        to
    }

    fn check(codings: &str, payload: &[u8], expect: &[u8], problem: Option<Problem>) {
        let (body, found) = decode(Some(codings.as_bytes()), payload, 1000);
        assert_eq!((&*body, found), (expect, problem), "{codings}");
    }

    #[test]
    fn each_coding_is_undone() {
        check("gzip", &gzip(TEXT), TEXT, None);
        check("X-GZip", &gzip(TEXT), TEXT, None);
        check("deflate", &zlib(TEXT), TEXT, None);
        check("deflate", &raw_deflate(TEXT), TEXT, None);
        check("br", &brotli(TEXT), TEXT, None);
        check("zstd", &zstd::encode_all(TEXT, 1).unwrap(), TEXT, None);
        check("identity", TEXT, TEXT, None);
        check("", TEXT, TEXT, None);
        check("deflate , gzip,", &gzip(&zlib(TEXT)), TEXT, None);
        assert_eq!(decode(None, TEXT, 1000).0, TEXT);
    }

    #[test]
    fn what_is_not_encoded_stays_as_it_is() {
        check("gzip", TEXT, TEXT, Some(Problem::Encoding));
        check("zstd", TEXT, TEXT, Some(Problem::Encoding));
        check("compress", TEXT, TEXT, Some(Problem::Encoding));
        check("gzip", b"", b"", None);
        check("gzip,gzip,gzip,gzip,gzip", &gzip(TEXT), &gzip(TEXT), Some(Problem::Encoding));
    }

    #[test]
    fn what_came_before_the_break_is_read() {
        let noise: Vec<u8> = (0..900_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
        let packed = gzip(&noise);
        let (body, problem) = decode(Some(b"gzip"), &packed[..packed.len() - 100], 1000);
        assert!(!body.is_empty() && noise.starts_with(&body));
        assert_eq!(problem, Some(Problem::Encoding));
    }

    #[test]
    fn a_bomb_yields_no_more_than_the_limit() {
        let zeros = vec![0; 20 << 20];
        for (coding, bomb) in
            [("gzip", gzip(&zeros)), ("br", brotli(&zeros)), ("zstd", zstd::encode_all(&*zeros, 1).unwrap())]
        {
            let (body, problem) = decode(Some(coding.as_bytes()), &bomb, 1 << 20);
            assert_eq!((body.len(), problem), (1 << 20, Some(Problem::TooLong)), "{coding}");
        }
        let twice = gzip(&gzip(&zeros));
        let (body, problem) = decode(Some(b"gzip, gzip"), &twice, 1 << 20);
        assert_eq!((body.len(), problem), (1 << 20, Some(Problem::TooLong)));
        let (body, problem) = decode(None, &zeros, 10);
        assert_eq!((body.len(), problem), (10, Some(Problem::TooLong)));
    }
}

use std::{io, sync::LazyLock};

use flate2::{
    Compress, Compression, Crc, FlushCompress,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};

use crate::sites::hostile::{
    case::Case,
    script::{Script, Step, html_head, long_page},
};

const MIB: usize = 1 << 20;
/// The decoded size of the large bombs, in MiB.
const LARGE_MIB: u64 = 8 << 10;

/// Bodies that decode to far more than they are.
pub(super) const BOMBS: &[Case] = &[
    Case::new("/bomb/gzip", "8 MB of gzip that decode to 8 GiB", |_| {
        let bomb = &*GZIP_BOMB;
        Script::raw(html_head(&[("Content-Encoding", "gzip"), ("Connection", "close")]))
            .and_bytes(GZIP_HEAD)
            .and(Step::Repeat { bytes: bomb.block.clone(), times: LARGE_MIB })
            .and_bytes(bomb.end.clone())
            .then_close()
    }),
    Case::new("/bomb/gzip-endless", "gzip of zeros without an end", |_| {
        Script::raw(html_head(&[("Content-Encoding", "gzip"), ("Connection", "close")]))
            .and_bytes(GZIP_HEAD)
            .and(Step::Forever(GZIP_BOMB.block.clone()))
    }),
    Case::new("/bomb/gzip-twice", "some KB of gzip in gzip that decode to 256 MiB", |_| encoded("gzip, gzip", &TWICE)),
    Case::new("/bomb/zstd", "256 KB of zstd that decode to 8 GiB", |_| {
        Script::raw(html_head(&[("Content-Encoding", "zstd"), ("Connection", "close")]))
            .and_bytes(ZSTD_HEAD)
            .and(Step::Repeat { bytes: zstd_block(Zstd::Run(b' '), ZSTD_BLOCK, false), times: LARGE_MIB * 8 })
            .and_bytes(zstd_block(Zstd::Raw(&[]), 0, true))
            .then_close()
    }),
];

/// Content codings (RFC 9110, section 8.4.1), right and wrong.
pub(super) const CASES: &[Case] = &[
    Case::new("/encoding/gzip", "gzip", |_| encoded("gzip", &gzip(&plain("gzip")))),
    Case::new("/encoding/x-gzip", "gzip by its old name", |_| encoded("x-gzip", &gzip(&plain("x-gzip")))),
    Case::new("/encoding/deflate", "deflate with its zlib frame, as the standard has it", |_| {
        encoded("deflate", &zlib(&plain("deflate")))
    }),
    Case::new("/encoding/deflate-raw", "deflate without a frame, as some servers send it", |_| {
        encoded("deflate", &deflate(&plain("deflate-raw")))
    }),
    Case::new("/encoding/br", "brotli", |_| encoded("br", &brotli(&plain("br")))),
    Case::new("/encoding/zstd", "zstd", |_| encoded("zstd", &zstd(&plain("zstd")))),
    Case::new("/encoding/identity", "identity", |_| encoded("identity", &plain("identity"))),
    Case::new("/encoding/gzip-chunked", "gzip in chunks of seven bytes", |_| {
        let chunks: Vec<u8> = gzip(&plain("gzip-chunked"))
            .chunks(7)
            .flat_map(|part| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat())
            .collect();
        Script::raw(html_head(&[("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")]))
            .and_bytes(chunks)
            .and_bytes("0\r\n\r\n")
    }),
    Case::new("/encoding/two-members", "gzip of two members", |_| {
        encoded("gzip", &[gzip(&plain("first member")), gzip(b"<p>The second member.</p>\n")].concat())
    }),
    Case::new("/encoding/layers", "gzip three times", |_| {
        encoded("gzip, gzip, gzip", &gzip(&gzip(&gzip(&plain("layers")))))
    }),
    Case::new("/encoding/many-layers", "gzip forty times", |_| {
        let body = (0..40).fold(plain("many-layers"), |body, _| gzip(&body));
        encoded(&["gzip"; 40].join(", "), &body)
    }),
    Case::new("/encoding/corrupt", "gzip with wrong bytes in its middle", |_| {
        let mut body = gzip(&plain("corrupt"));
        let middle = body.len() / 2;
        body.iter_mut().skip(middle).take(16).for_each(|byte| *byte = !*byte);
        encoded("gzip", &body)
    }),
    Case::new("/encoding/checksum", "gzip with a wrong checksum", |_| {
        let mut body = gzip(&plain("checksum"));
        body.iter_mut().rev().skip(4).take(4).for_each(|byte| *byte = !*byte);
        encoded("gzip", &body)
    }),
    Case::new("/encoding/truncated", "the first half of gzip, with a length that fits", |_| {
        let body = gzip(&plain("truncated"));
        encoded("gzip", body.get(..body.len() / 2).unwrap_or_default())
    }),
    Case::new("/encoding/trailing", "gzip with bytes behind its end", |_| {
        encoded("gzip", &[gzip(&plain("trailing")), b"behind the end".to_vec()].concat())
    }),
    Case::new("/encoding/claimed", "plain text that claims to be gzip", |_| encoded("gzip", &plain("claimed"))),
    Case::new("/encoding/unclaimed", "gzip that does not say so", |_| Script::html(gzip(&plain("unclaimed")))),
    Case::new("/encoding/unknown", "a coding that nobody knows", |_| encoded("ferry", &plain("unknown"))),
    Case::new("/encoding/empty", "gzip of nothing at all, not even a header", |_| encoded("gzip", b"")),
];

fn encoded(coding: &str, body: &[u8]) -> Script {
    Script::status("200 OK", &[("Content-Encoding", coding)], body)
}

fn plain(title: &str) -> Vec<u8> {
    long_page(title, 6000).into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    written(GzEncoder::new(Vec::new(), Compression::default()), bytes, GzEncoder::finish)
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    written(ZlibEncoder::new(Vec::new(), Compression::default()), bytes, ZlibEncoder::finish)
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    written(DeflateEncoder::new(Vec::new(), Compression::default()), bytes, DeflateEncoder::finish)
}

/// Writing to memory does not fail.
fn written<W: io::Write>(mut encoder: W, bytes: &[u8], finish: fn(W) -> io::Result<Vec<u8>>) -> Vec<u8> {
    let _ = encoder.write_all(bytes);
    finish(encoder).unwrap_or_default()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
    let _ = brotli::BrotliCompress(&mut io::Cursor::new(bytes), &mut body, &params);
    body
}

/// A gzip header without a name or a time (RFC 1952, section 2.3).
const GZIP_HEAD: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

struct Bomb {
    /// Deflate of one MiB of zeros that refers to nothing before it, so that it may be said again and again.
    block: Vec<u8>,
    /// The last block, and checksum and length of the whole.
    end: Vec<u8>,
}

static GZIP_BOMB: LazyLock<Bomb> = LazyLock::new(|| bomb(LARGE_MIB));

static TWICE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let times = 256;
    let inner = bomb(times);
    gzip(&[GZIP_HEAD.to_vec(), inner.block.repeat(usize::try_from(times).unwrap_or_default()), inner.end].concat())
});

fn bomb(mib: u64) -> Bomb {
    let zeros = vec![0; MIB];
    let mut block = Vec::with_capacity(64 << 10);
    // A full flush ends on a whole byte and forgets what came before.
    let _ = Compress::new(Compression::best(), false).compress_vec(&zeros, &mut block, FlushCompress::Full);
    let (mut part, mut whole) = (Crc::new(), Crc::new());
    part.update(&zeros);
    for _ in 0..mib {
        whole.combine(&part);
    }
    // An empty stored block that is the last, then CRC-32 and the length modulo 2^32.
    let mut end = vec![1, 0, 0, 0xff, 0xff];
    end.extend(whole.sum().to_le_bytes());
    end.extend(whole.amount().to_le_bytes());
    Bomb { block, end }
}

/// Magic number, no content size, no checksum, a window of 128 KiB (RFC 8878, section 3.1.1).
const ZSTD_HEAD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
/// The largest block that the window allows, in bytes.
const ZSTD_BLOCK: usize = 128 << 10;

#[derive(Clone, Copy)]
enum Zstd<'a> {
    Raw(&'a [u8]),
    /// One byte, repeated.
    Run(u8),
}

fn zstd_block(content: Zstd<'_>, size: usize, is_last: bool) -> Vec<u8> {
    let (kind, bytes) = match content {
        Zstd::Raw(bytes) => (0, bytes.to_vec()),
        Zstd::Run(byte) => (1, vec![byte]),
    };
    let header = u32::try_from(size).unwrap_or_default() << 3 | kind << 1 | u32::from(is_last);
    let [first, second, third, _] = header.to_le_bytes();
    [vec![first, second, third], bytes].concat()
}

/// A frame of a raw block, for less than 128 KiB.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    [ZSTD_HEAD.to_vec(), zstd_block(Zstd::Raw(bytes), bytes.len(), true)].concat()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_bomb_is_valid_gzip_and_far_beyond_its_size() {
        let small = bomb(3);
        let whole = [GZIP_HEAD.to_vec(), small.block.repeat(3), small.end].concat();
        let mut decoded = Vec::new();
        // The decoder checks length and checksum.
        flate2::read::GzDecoder::new(&*whole).read_to_end(&mut decoded).unwrap();
        assert_eq!(decoded.len(), 3 * MIB);
        assert!(decoded.iter().all(|byte| *byte == 0));
        assert!(decoded.len() > 900 * whole.len(), "{} from {}", decoded.len(), whole.len());
    }

    #[test]
    fn zstd_blocks_have_the_headers_of_the_standard() {
        // 128 KiB as a run: size << 3, type 1, not the last.
        assert_eq!(zstd_block(Zstd::Run(b' '), ZSTD_BLOCK, false), [0x02, 0x00, 0x10, b' ']);
        assert_eq!(zstd_block(Zstd::Raw(b"ab"), 2, true), [0x11, 0x00, 0x00, b'a', b'b']);
    }
}

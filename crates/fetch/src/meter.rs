//! The size of a body once its content encodings are undone, measured while it arrives and without keeping it.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

/// Below this size no ratio is too high: it is no danger, and short texts compress well.
const RATIO_FLOOR: u64 = 1024 * 1024;

/// More encodings in a chain than anybody has a use for.
const MAX_CHAIN: usize = 4;

/// The largest zstd window (RFC 9659, section 3): 8 MiB.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The body decodes to more than is allowed.
#[derive(Debug)]
pub(crate) struct Bomb;

/// Undoes content encodings (RFC 9110, section 8.4), and counts.
pub(crate) struct Meter {
    chain: Option<Box<dyn Write + Send>>,
    scale: Arc<Scale>,
    broken: Option<String>,
}

/// What the end of the chain counts.
struct Scale {
    encoded: AtomicU64,
    decoded: AtomicU64,
    max_decoded: u64,
    max_ratio: u64,
    is_bomb: AtomicBool,
}

impl Meter {
    /// A meter for a body with these codings, in the order in which they were applied. A coding that is not known ends the
    /// chain: what it hides is never decoded by anybody here.
    pub(crate) fn new(codings: &[String], max_decoded: u64, max_ratio: u64) -> Self {
        let scale = Arc::new(Scale {
            encoded: AtomicU64::new(0),
            decoded: AtomicU64::new(0),
            max_decoded,
            max_ratio,
            is_bomb: AtomicBool::new(false),
        });
        if codings.len() > MAX_CHAIN {
            let broken = Some(format!("{} content codings in a chain", codings.len()));
            return Self { chain: None, scale, broken };
        }
        let known = codings.iter().rev().take_while(|coding| is_known(coding)).count();
        if known == 0 {
            return Self { chain: None, scale, broken: None };
        }
        let mut chain: io::Result<Box<dyn Write + Send>> = Ok(Box::new(Sink(Arc::clone(&scale))));
        // The coding that was applied last is undone first: the chain is built from its far end.
        for coding in codings.get(codings.len() - known..).unwrap_or_default() {
            chain = chain.and_then(|next| layer(coding, next));
        }
        match chain {
            Ok(chain) => Self { chain: Some(chain), scale, broken: None },
            Err(error) => Self { chain: None, scale, broken: Some(error.to_string()) },
        }
    }

    /// Counts what these bytes of the body decode to.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<(), Bomb> {
        self.scale.encoded.fetch_add(bytes.len() as u64, Relaxed);
        self.run(|chain| chain.write_all(bytes))
    }

    /// Counts what the decoders still hold. A body that stops in the middle is no error: a browser shows such a page too.
    pub(crate) fn finish(&mut self) -> Result<(), Bomb> {
        self.run(|chain| match chain.flush() {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            result => result,
        })
    }

    /// What is wrong with the encoding, if anything.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    fn run(&mut self, step: impl FnOnce(&mut Box<dyn Write + Send>) -> io::Result<()>) -> Result<(), Bomb> {
        let Some(chain) = &mut self.chain else { return Ok(()) };
        let result = step(chain);
        if self.scale.is_bomb.load(Relaxed) {
            self.chain = None;
            return Err(Bomb);
        }
        if let Err(error) = result {
            self.chain = None;
            self.broken = Some(error.to_string());
        }
        Ok(())
    }
}

fn is_known(coding: &str) -> bool {
    matches!(coding, "gzip" | "x-gzip" | "deflate" | "br" | "zstd" | "identity" | "")
}

fn layer(coding: &str, next: Box<dyn Write + Send>) -> io::Result<Box<dyn Write + Send>> {
    Ok(match coding {
        "gzip" | "x-gzip" => Box::new(Gzip(Some(flate2::write::GzDecoder::new(next)))),
        "deflate" => Box::new(Deflate::Undecided(Some(next))),
        "br" => Box::new(brotli::DecompressorWriter::new(next, 4096)),
        "zstd" => {
            let mut decoder = zstd::stream::write::Decoder::new(next)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
        _ => next,
    })
}

/// A chain of gzip members (RFC 1952, section 2.2). What follows the last one is no member, and is passed over as browsers do;
/// they do not look at the checksum either. Nothing is left once the last member has ended.
struct Gzip(Option<flate2::write::GzDecoder<Box<dyn Write + Send>>>);

impl Write for Gzip {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.0 else { return Ok(bytes.len()) };
        let taken = decoder.write(bytes)?;
        if taken == 0 && !bytes.is_empty() {
            let next = self.0.take().filter(|_| bytes.starts_with(&[0x1f])).map(flate2::write::GzDecoder::finish);
            // A member with a wrong checksum is the last one: its decoder does not give back what it wrote to.
            self.0 = next.and_then(Result::ok).map(flate2::write::GzDecoder::new);
            return self.write(bytes);
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// The coding `deflate` is a zlib stream, and from some servers a bare one (RFC 9110, section 8.4.1.2): the first byte tells.
enum Deflate {
    Undecided(Option<Box<dyn Write + Send>>),
    Zlib(flate2::write::ZlibDecoder<Box<dyn Write + Send>>),
    Bare(flate2::write::DeflateDecoder<Box<dyn Write + Send>>),
}

impl Write for Deflate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let (Self::Undecided(next), Some(first)) = (&mut *self, bytes.first()) {
            let Some(next) = next.take() else { return Ok(bytes.len()) };
            // Compression method 8 with a window of at most 32 KiB (RFC 1950, section 2.2). A bare stream cannot begin so.
            let is_zlib = first & 0x8f == 0x08;
            *self = if is_zlib {
                Self::Zlib(flate2::write::ZlibDecoder::new(next))
            } else {
                Self::Bare(flate2::write::DeflateDecoder::new(next))
            };
        }
        match self {
            Self::Undecided(_) => Ok(0),
            Self::Zlib(decoder) => decoder.write(bytes).map(|taken| or_all(taken, bytes)),
            Self::Bare(decoder) => decoder.write(bytes).map(|taken| or_all(taken, bytes)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Undecided(_) => Ok(()),
            Self::Zlib(decoder) => decoder.flush(),
            Self::Bare(decoder) => decoder.flush(),
        }
    }
}

/// A decoder at its end takes nothing more; what follows is passed over.
fn or_all(taken: usize, bytes: &[u8]) -> usize {
    if taken == 0 { bytes.len() } else { taken }
}

/// The end of the chain.
struct Sink(Arc<Scale>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let scale = &self.0;
        let decoded = scale.decoded.fetch_add(bytes.len() as u64, Relaxed) + bytes.len() as u64;
        let fair = scale.encoded.load(Relaxed).saturating_mul(scale.max_ratio).max(RATIO_FLOOR);
        if decoded > scale.max_decoded || decoded > fair {
            scale.is_bomb.store(true, Relaxed);
            return Err(io::Error::other("larger than allowed"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(coding: &str, plain: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::best();
        match coding {
            "gzip" => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "deflate" => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "bare" => {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "br" => {
                let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 9, 20);
                encoder.write_all(plain).unwrap();
                encoder.into_inner()
            }
            _ => zstd::encode_all(plain, 3).unwrap(),
        }
    }

    fn measure(
        codings: &[&str],
        body: &[u8],
        max_decoded: u64,
        max_ratio: u64,
    ) -> (Result<(), Bomb>, u64, Option<String>) {
        let codings: Vec<String> = codings.iter().map(|&coding| coding.to_owned()).collect();
        let mut meter = Meter::new(&codings, max_decoded, max_ratio);
        let result = body.chunks(1000).try_for_each(|bytes| meter.add(bytes)).and_then(|()| meter.finish());
        (result, meter.scale.decoded.load(Relaxed), meter.broken().map(str::to_owned))
    }

    /// Text that does not compress to nothing.
    fn plain(len: u32) -> Vec<u8> {
        (0..len).map(|n| (n.wrapping_mul(2_654_435_761) >> 27) as u8).collect()
    }

    #[test]
    fn each_coding_is_measured_and_bounded() {
        let plain = plain(300_000);
        for coding in ["gzip", "deflate", "br", "zstd"] {
            let body = encode(coding, &plain);
            let (result, decoded, broken) = measure(&[coding], &body, 300_000, 1000);
            assert!(result.is_ok() && broken.is_none(), "{coding}: {broken:?}");
            assert_eq!(decoded, 300_000, "{coding}");
            assert!(measure(&[coding], &body, 299_999, 1000).0.is_err(), "{coding}");
        }
        assert_eq!(measure(&["deflate"], &encode("bare", &plain), 300_000, 1000).1, 300_000);
    }

    #[test]
    fn a_ratio_counts_from_a_mebibyte_on() {
        let short = encode("gzip", &vec![0; 1024 * 1024]);
        assert!(measure(&["gzip"], &short, u64::MAX, 10).0.is_ok());
        let long = encode("gzip", &vec![0; 4 * 1024 * 1024]);
        assert!(measure(&["gzip"], &long, u64::MAX, 10).0.is_err());
        assert!(measure(&["gzip"], &long, u64::MAX, 2000).0.is_ok());
    }

    #[test]
    fn chains_are_undone_in_reverse() {
        let plain = plain(10_000);
        let body = encode("br", &encode("gzip", &plain));
        let (result, decoded, broken) = measure(&["gzip", "br"], &body, 10_000, 10);
        assert!(result.is_ok() && broken.is_none());
        assert_eq!(decoded, 10_000);
        assert!(measure(&["gzip"; 5], &body, 10_000, 10).2.is_some());
    }

    #[test]
    fn members_count_together_and_what_follows_the_end_is_passed_over() {
        let plain = plain(5000);
        for coding in ["gzip", "deflate"] {
            let body = [encode(coding, &plain), b"\n<!-- made by hand -->".to_vec()].concat();
            let (result, decoded, broken) = measure(&[coding], &body, 5000, 100);
            assert!(result.is_ok() && broken.is_none(), "{coding}: {broken:?}");
            assert_eq!(decoded, 5000, "{coding}");
        }
        let two = [encode("gzip", &plain), encode("gzip", &plain)].concat();
        assert_eq!(measure(&["gzip"], &two, 10_000, 100).1, 10_000);
        assert!(measure(&["gzip"], &two, 9_999, 100).0.is_err());
    }

    #[test]
    fn broken_encodings_are_told_and_unknown_ones_left_alone() {
        for coding in ["gzip", "deflate", "br", "zstd"] {
            assert!(measure(&[coding], &[0xff; 4000], 10_000, 10).2.is_some(), "{coding}");
        }
        let (result, decoded, broken) = measure(&["compress"], &[0xff; 400], 10, 10);
        assert!(result.is_ok() && decoded == 0 && broken.is_none());
        for coding in ["gzip", "deflate", "br", "zstd"] {
            let half = encode(coding, &plain(5000));
            assert_eq!(measure(&[coding], &half[..half.len() / 2], 10_000, 10).2, None, "{coding}");
        }
        assert!(measure(&["gzip"], &[], 10_000, 10).2.is_none());
    }
}

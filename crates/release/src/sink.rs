use std::io::{self, BufWriter, Write};

use model::Digest;
use sha2::{Digest as _, Sha256};

/// What goes out at a time, in bytes.
const PIECE: usize = 64 << 10;

/// Takes all bytes of an export, and hands on those behind an offset.
pub(crate) struct Sink<W: Write> {
    out: BufWriter<W>,
    hash: Sha256,
    len: u64,
    /// The bytes that are still to be left out.
    skip: u64,
}

impl<W: Write> Sink<W> {
    pub(crate) fn new(out: W, offset: u64) -> Self {
        Self { out: BufWriter::with_capacity(PIECE, out), hash: Sha256::new(), len: 0, skip: offset }
    }

    /// Length and digest of all that came, and what is yet to be handed on: the last piece is held back until the caller knows that the bytes are
    /// those that were promised.
    pub(crate) fn finish(self) -> (u64, Digest, BufWriter<W>) {
        (self.len, Digest::from_bytes(self.hash.finalize().into()), self.out)
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        let (_, wanted) = bytes.split_at(skipped);
        self.out.write_all(wanted)?;
        self.hash.update(bytes);
        self.skip -= skipped as u64;
        self.len += bytes.len() as u64;
        Ok(bytes.len())
    }

    /// Only the end of an export is worth a smaller piece.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

use std::io::{Read, Write};

use flate2::{Compression as Level, write::GzEncoder};

use crate::{
    Checked, Digest, Error, Examined, Header, PayloadHasher, RecordType, Result, Verdict, check::Checker, io::Counted,
};

/// How records lie in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As they are (`.warc`).
    None,
    /// Each as one gzip member (`.warc.gz`; WARC/1.1, annex D), without a name and a time.
    Gzip,
}

/// Where a record lies in its file, as an index states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first byte, from the start of the file.
    pub offset: u64,
    /// Its length in bytes: of the gzip member, or else of header and block without the two line ends behind them.
    pub len: u64,
}

/// Writes records one behind the other. The same records give the same bytes.
///
/// A record that fails may lie in the file in part: the file is then to be given up.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: Counted<W>,
    compression: Compression,
}

impl<W: Write> Writer<W> {
    /// A writer at the start of a file.
    pub fn new(out: W, compression: Compression) -> Self {
        Self { out: Counted::new(out), compression }
    }

    /// Writes a record. Adds the block digest, and the payload digest of a whole response and of a resource, where the header states
    /// none.
    pub fn write(&mut self, header: &Header, block: &[u8]) -> Result<Examined> {
        let mut header = header.clone();
        if header.get("WARC-Block-Digest").is_none() {
            header = header.block_digest(Digest::of(block));
        }
        if header.get("WARC-Payload-Digest").is_none()
            && let Some(digest) = payload_digest(&header, block)
        {
            header = header.payload_digest(digest);
        }
        self.write_from(header, block.len() as u64, block)
    }

    /// Writes a record whose block of `len` bytes is read piece by piece. The header must state its block digest.
    pub fn write_from(&mut self, header: Header, len: u64, block: impl Read) -> Result<Examined> {
        header.obey_rules()?;
        header.no_field_twice()?;
        if header.get("WARC-Block-Digest").is_none() {
            return Err(Error::FieldMissing("WARC-Block-Digest"));
        }
        let mut head = b"WARC/1.1\r\n".to_vec();
        head.extend(header.fields().to_bytes()?);
        head.extend(format!("Content-Length: {len}\r\n\r\n").into_bytes());

        let offset = self.out.count();
        let (checked, end) = match self.compression {
            Compression::None => {
                self.out.write_all(&head)?;
                let checked = copy(&header, len, block, &mut self.out)?;
                let end = self.out.count();
                self.out.write_all(b"\r\n\r\n")?;
                (checked, end)
            }
            Compression::Gzip => {
                let mut member = GzEncoder::new(&mut self.out, Level::default());
                member.write_all(&head)?;
                let checked = copy(&header, len, block, &mut member)?;
                member.write_all(b"\r\n\r\n")?;
                member.finish()?;
                (checked, self.out.count())
            }
        };
        Ok(Examined { header, span: Span { offset, len: end - offset }, checked })
    }

    /// What was written to, flushed.
    pub fn finish(mut self) -> Result<W> {
        self.out.flush()?;
        Ok(self.out.into_inner())
    }
}

/// The digest of the payload that a block holds, if it holds a whole one.
fn payload_digest(header: &Header, block: &[u8]) -> Option<Digest> {
    match header.kind()? {
        RecordType::Response if header.get("WARC-Truncated").is_some() => None,
        RecordType::Response if header.is_http() => PayloadHasher::of(block).map(|payload| payload.digest),
        RecordType::Resource => Some(Digest::of(block)),
        _ => None,
    }
}

/// Copies a block and holds it against what the header states: an archive that contradicts itself is never finished.
fn copy(header: &Header, len: u64, mut block: impl Read, mut to: impl Write) -> Result<Checked> {
    let mut checker = Checker::new(header);
    let mut left = len;
    let mut buffer = vec![0; usize::try_from(len).unwrap_or(usize::MAX).clamp(1, 64 * 1024)];
    loop {
        let read = match block.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        if read == 0 {
            break;
        }
        left = left.checked_sub(read as u64).ok_or(Error::BlockLength(len))?;
        checker.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
    }
    if left > 0 {
        return Err(Error::BlockLength(len));
    }
    let checked = checker.finish();
    if checked.block != Verdict::Matches {
        return Err(Error::DigestDiffers("WARC-Block-Digest"));
    }
    match checked.payload {
        Verdict::Differs | Verdict::Unreadable => Err(Error::DigestDiffers("WARC-Payload-Digest")),
        Verdict::Absent | Verdict::Matches | Verdict::NotHere => Ok(checked),
    }
}

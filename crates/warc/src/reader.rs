use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use crate::{Damage, Error, Examined, Fields, Header, Result, Span, check::Checker, io::Counted};

/// What reading may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest header of a record, in bytes.
    pub header_bytes: usize,
    /// The longest block of a record, in bytes. Blocks take no memory, but a few bytes of gzip can make a long one.
    pub block_bytes: u64,
}

impl Default for Limits {
    /// 64 KiB of header, 16 GiB of block.
    fn default() -> Self {
        Self { header_bytes: 64 << 10, block_bytes: 16 << 30 }
    }
}

/// Reads records one behind the other, each plain or as a gzip member of its own. Any bytes do; memory is bounded by [`Limits`].
///
/// Behind the first damage nothing is read: where the next record begins can then only be guessed.
#[derive(Debug)]
pub struct Reader<R: BufRead> {
    stream: Stream<R>,
    limits: Limits,
    /// What is still unread of the current block.
    left: u64,
    offset: u64,
}

#[derive(Debug)]
enum Stream<R: BufRead> {
    /// Between records.
    Between(Counted<R>),
    /// In a plain record.
    Plain(Counted<R>),
    /// In a record in a gzip member.
    Member(BufReader<GzDecoder<Counted<R>>>),
    /// At the end, or behind damage.
    Ended,
}

/// A record that is being read: its header at once, its block through [`Read`].
#[derive(Debug)]
pub struct Record<'r, R: BufRead> {
    header: Header,
    len: u64,
    reader: &'r mut Reader<R>,
}

impl<R: BufRead> Reader<R> {
    /// A reader at the start of a file.
    pub fn new(input: R) -> Self {
        Self::with_limits(input, Limits::default())
    }

    /// A reader with other limits.
    pub fn with_limits(input: R, limits: Limits) -> Self {
        Self { stream: Stream::Between(Counted::new(input)), limits, left: 0, offset: 0 }
    }

    /// The next record, or `None` at the end. What is unread of the one before is passed over, and checked for its form.
    pub fn next_record(&mut self) -> Result<Option<Record<'_, R>>> {
        self.end_record()?;
        let Stream::Between(mut input) = std::mem::replace(&mut self.stream, Stream::Ended) else { return Ok(None) };
        self.offset = input.count();
        match input.fill_buf()?.first() {
            None => return Ok(None),
            Some(b'W') => self.stream = Stream::Plain(input),
            Some(0x1f) => self.stream = Stream::Member(BufReader::new(GzDecoder::new(input))),
            Some(_) => return Err(self.damaged(Damage::NoRecord)),
        }
        let header = self.header()?;
        let len = self.block_len(&header)?;
        self.left = len;
        Ok(Some(Record { header, len, reader: self }))
    }

    fn header(&mut self) -> Result<Header> {
        let mut head = Vec::new();
        let mut version_len = None;
        loop {
            let from = head.len();
            self.line(&mut head)?;
            let line = &head[from..];
            match version_len {
                None if matches!(line, b"WARC/1.1\r\n" | b"WARC/1.0\r\n") => version_len = Some(head.len()),
                None => return Err(self.damaged(Damage::NoRecord)),
                Some(start) if matches!(line, b"\r\n" | b"\n") => {
                    let fields = Fields::parse(&head[start..from]).map_err(|damage| self.damaged(damage))?;
                    return Ok(Header::from_fields(fields));
                }
                Some(_) => {}
            }
        }
    }

    /// Appends a line with its end, within the limit for the whole header.
    fn line(&mut self, head: &mut Vec<u8>) -> Result<()> {
        loop {
            let limit = self.limits.header_bytes;
            let bytes = match self.stream.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) => return Err(self.failed(error)),
            };
            let end = bytes.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
            let part = end.unwrap_or(bytes.len());
            if part == 0 {
                return Err(self.damaged(Damage::CutShort));
            }
            if head.len() + part > limit {
                return Err(self.damaged(Damage::HeaderTooLong));
            }
            head.extend_from_slice(&bytes[..part]);
            self.stream.consume(part);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    fn block_len(&mut self, header: &Header) -> Result<u64> {
        let mut lengths = header.fields().all("Content-Length");
        let len = match (lengths.next(), lengths.next()) {
            (Some(len), None) if len.bytes().all(|byte| byte.is_ascii_digit()) => len.parse().ok(),
            _ => None,
        };
        match len {
            None => Err(self.damaged(Damage::NoLength)),
            Some(len) if len > self.limits.block_bytes => Err(self.damaged(Damage::BlockTooLong)),
            Some(len) => Ok(len),
        }
    }

    /// Passes over what is left of the block and over the two line ends; where the record lay.
    fn end_record(&mut self) -> Result<Option<Span>> {
        if matches!(self.stream, Stream::Between(_) | Stream::Ended) {
            return Ok(None);
        }
        while self.left > 0 {
            self.advance(<[u8]>::len)?;
        }
        let plain_end = if let Stream::Plain(input) = &self.stream { input.count() } else { 0 };
        let mut end = [0; 4];
        if let Err(error) = self.stream.read_exact(&mut end) {
            return Err(self.failed(error));
        }
        if &end != b"\r\n\r\n" {
            return Err(self.damaged(Damage::NoEnd));
        }
        // Reading on to the end of a member is what holds it against its checksum.
        if let Stream::Member(member) = &mut self.stream {
            match member.fill_buf() {
                Ok([]) => {}
                Ok(_) => return Err(self.damaged(Damage::NoEnd)),
                Err(error) => return Err(self.failed(error)),
            }
        }
        let (input, end) = match std::mem::replace(&mut self.stream, Stream::Ended) {
            Stream::Plain(input) => (input, plain_end),
            Stream::Member(member) => {
                let input = member.into_inner().into_inner();
                let end = input.count();
                (input, end)
            }
            Stream::Between(_) | Stream::Ended => return Ok(None),
        };
        self.stream = Stream::Between(input);
        Ok(Some(Span { offset: self.offset, len: end - self.offset }))
    }

    /// Shows the next bytes of the block, as far as they are at hand, and passes over as many as the caller took.
    fn advance(&mut self, take: impl FnOnce(&[u8]) -> usize) -> Result<usize> {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let bytes = match self.stream.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) => return Err(self.failed(error)),
        };
        if bytes.is_empty() && left > 0 {
            return Err(self.damaged(Damage::CutShort));
        }
        let taken = take(&bytes[..bytes.len().min(left)]);
        self.stream.consume(taken);
        self.left -= taken as u64;
        Ok(taken)
    }

    fn damaged(&mut self, damage: Damage) -> Error {
        self.stream = Stream::Ended;
        Error::Damaged { offset: self.offset, damage }
    }

    /// What a failed read means: the decoder speaks of a corrupt member through these kinds.
    fn failed(&mut self, error: io::Error) -> Error {
        let is_member = matches!(self.stream, Stream::Member(_));
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(Damage::CutShort),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if is_member => self.damaged(Damage::Gzip),
            _ => {
                self.stream = Stream::Ended;
                Error::Io(error)
            }
        }
    }
}

impl<R: BufRead> Record<'_, R> {
    /// Its header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Where it begins, in bytes from the start of the input.
    pub fn offset(&self) -> u64 {
        self.reader.offset
    }

    /// The length of its block in bytes.
    pub fn block_len(&self) -> u64 {
        self.len
    }

    /// Passes over what is unread of the block; where the record lay. Fails unless the record ends as it must.
    pub fn finish(self) -> Result<Span> {
        self.reader.end_record()?.ok_or(Error::Damaged { offset: self.reader.offset, damage: Damage::CutShort })
    }

    /// Reads the block and holds it against the stated digests. To be asked before anything is read.
    pub fn examine(self) -> Result<Examined> {
        let mut checker = Checker::new(&self.header);
        while self.reader.left > 0 {
            self.reader.advance(|bytes| {
                checker.update(bytes);
                bytes.len()
            })?;
        }
        let header = self.header.clone();
        Ok(Examined { header, span: self.finish()?, checked: checker.finish() })
    }
}

/// Errors are [`Error`]s within [`io::Error`]s; converting them back gives what they were.
impl<R: BufRead> Read for Record<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.reader.left == 0 {
            return Ok(0);
        }
        let copy = |bytes: &[u8]| {
            let len = bytes.len().min(into.len());
            into[..len].copy_from_slice(&bytes[..len]);
            len
        };
        self.reader.advance(copy).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

impl<R: BufRead> Read for Stream<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Between(input) | Self::Plain(input) => input.read(into),
            Self::Member(member) => member.read(into),
            Self::Ended => Ok(0),
        }
    }
}

impl<R: BufRead> BufRead for Stream<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Between(input) | Self::Plain(input) => input.fill_buf(),
            Self::Member(member) => member.fill_buf(),
            Self::Ended => Ok(&[]),
        }
    }

    fn consume(&mut self, len: usize) {
        match self {
            Self::Between(input) | Self::Plain(input) => input.consume(len),
            Self::Member(member) => member.consume(len),
            Self::Ended => {}
        }
    }
}

use std::io::{self, Read, Seek, SeekFrom};

use flate2::{Crc, read::DeflateDecoder};

use super::{CENTRAL, END, END_64, EXTRA_64, LOCAL, LOCATOR_64, LONG, LONG_COUNT, is_safe};
use crate::{Error, Result, Span};

/// How an entry is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Stored,
    Deflated,
}

/// A row of the directory.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) path: String,
    pub(crate) method: Method,
    /// Of the content, in bytes.
    pub(crate) len: u64,
    packed_len: u64,
    crc: u32,
    offset: u64,
}

/// Reads a zip by its directory, and refuses one whose entries tell something else.
#[derive(Debug)]
pub(crate) struct ZipReader<R> {
    input: R,
    rows: Vec<Row>,
}

impl<R: Read + Seek> ZipReader<R> {
    /// Reads the directory, of at most so many rows and bytes.
    pub(crate) fn open(mut input: R, max_rows: usize, max_bytes: usize) -> Result<Self> {
        let file_len = input.seek(SeekFrom::End(0))?;
        let (count, start, len) = end_of_directory(&mut input, file_len)?;
        let max = |max: usize| max as u64;
        if count > max(max_rows) || len > max(max_bytes) {
            return Err(Error::Package("its directory is too long"));
        }
        input.seek(SeekFrom::Start(start))?;
        let mut directory = Vec::new();
        input.by_ref().take(len).read_to_end(&mut directory)?;
        let mut bytes = Bytes(&directory);
        let mut rows = Vec::new();
        for _ in 0..count {
            rows.push(row(&mut bytes).ok_or(BAD_ROW)??);
        }
        if !bytes.0.is_empty() {
            return Err(Error::Package("its directory is longer than its rows"));
        }
        let mut zip = Self { input, rows };
        zip.hold_entries_to_rows(start)?;
        Ok(zip)
    }

    /// Every file, in the directory's order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.path.ends_with('/'))
    }

    /// The content of the file at this path.
    pub(crate) fn content(&mut self, path: &str) -> Result<Option<Content<'_, R>>> {
        let Some(row) = self.rows.iter().find(|row| row.path == path).cloned() else { return Ok(None) };
        let start = self.local_head(&row)?;
        self.input.seek(SeekFrom::Start(start))?;
        let packed = self.input.by_ref().take(row.packed_len);
        let unpacked = match row.method {
            Method::Stored => Unpacked::Stored(packed),
            Method::Deflated => Unpacked::Deflated(DeflateDecoder::new(packed)),
        };
        Ok(Some(Content { unpacked, left: row.len, crc: Crc::new(), expected: row.crc }))
    }

    /// Where the content of the file at this path lies, if it lies there as it is.
    pub(crate) fn span(&mut self, path: &str) -> Result<Option<Span>> {
        let row = self.rows.iter().find(|row| row.path == path && row.method == Method::Stored).cloned();
        row.map(|row| Ok(Span { offset: self.local_head(&row)?, len: row.len })).transpose()
    }

    /// No two entries share bytes or a path, none lies in the directory, and each says of itself what its row says.
    fn hold_entries_to_rows(&mut self, directory: u64) -> Result<()> {
        let mut rows = self.rows.clone();
        rows.sort_by(|one, other| one.path.cmp(&other.path));
        if rows.windows(2).any(|pair| pair[0].path == pair[1].path) {
            return Err(Error::Package("two entries have one path"));
        }
        rows.sort_by_key(|row| row.offset);
        let mut free = 0;
        for row in rows {
            if row.offset < free {
                return Err(Error::Package("two entries share bytes"));
            }
            free = self.local_head(&row)?.checked_add(row.packed_len).ok_or(BAD_ROW)?;
        }
        if free > directory { Err(Error::Package("an entry shares bytes with the directory")) } else { Ok(()) }
    }

    /// Reads the head in front of an entry's data, and holds it against the row; where the data begins.
    fn local_head(&mut self, row: &Row) -> Result<u64> {
        const DIFFERS: Error = Error::Package("an entry and its row in the directory differ");
        self.input.seek(SeekFrom::Start(row.offset))?;
        let mut head = [0; 30];
        self.input.read_exact(&mut head).map_err(|_| BAD_ROW)?;
        let mut bytes = Bytes(&head);
        let mut read = || {
            let is_local = bytes.u32()? == LOCAL;
            bytes.skip(4)?;
            let method = bytes.u16()?;
            bytes.skip(16)?;
            Some((is_local, method, bytes.u16()?, bytes.u16()?))
        };
        let (is_local, method, path_len, extra_len) = read().ok_or(BAD_ROW)?;
        let mut path = vec![0; path_len.into()];
        self.input.read_exact(&mut path).map_err(|_| BAD_ROW)?;
        if !is_local || method_of(method) != Some(row.method) || path != row.path.as_bytes() {
            return Err(DIFFERS);
        }
        row.offset.checked_add(30 + u64::from(path_len) + u64::from(extra_len)).ok_or(BAD_ROW)
    }
}

const BAD_ROW: Error = Error::Package("a row of its directory cannot be read");
const BAD_END: Error = Error::Package("it is no zip, or something lies behind its directory");

/// Count, offset and length of the directory's rows. The end must be the end: a comment behind it could hold another.
fn end_of_directory(input: &mut (impl Read + Seek), file_len: u64) -> Result<(u64, u64, u64)> {
    let end_at = file_len.checked_sub(22).ok_or(BAD_END)?;
    let end = read_at(input, end_at, 22)?;
    let mut bytes = Bytes(&end);
    let mut read = || {
        let is_end = bytes.u32()? == END && bytes.u32()? == 0;
        let (here, count, len, offset) = (bytes.u16()?, bytes.u16()?, bytes.u32()?, bytes.u32()?);
        (is_end && here == count && bytes.u16()? == 0).then_some((count, len, offset))
    };
    let (count, len, offset) = read().ok_or(BAD_END)?;
    let is_long = count == LONG_COUNT || len == LONG || offset == LONG;
    let (count, len, offset, rows_end) = if is_long {
        let (count, len, offset, at) = long_end(input, end_at)?.ok_or(BAD_END)?;
        (count, len, offset, at)
    } else {
        (count.into(), len.into(), offset.into(), end_at)
    };
    if offset.checked_add(len) != Some(rows_end) {
        return Err(Error::Package("its directory does not end where the file does"));
    }
    Ok((count, offset, len))
}

/// The same out of the record for long numbers, and where that begins.
fn long_end(input: &mut (impl Read + Seek), end_at: u64) -> Result<Option<(u64, u64, u64, u64)>> {
    let Some(locator_at) = end_at.checked_sub(20) else { return Ok(None) };
    let locator = read_at(input, locator_at, 20)?;
    let mut bytes = Bytes(&locator);
    let mut read = || (bytes.u32()? == LOCATOR_64 && bytes.u32()? == 0).then(|| bytes.u64())?;
    let Some(at) = read().filter(|at| at.checked_add(56) == Some(locator_at)) else { return Ok(None) };
    let end = read_at(input, at, 56)?;
    let mut bytes = Bytes(&end);
    let mut read = || {
        let is_end = bytes.u32()? == END_64 && bytes.u64()? == 44;
        bytes.skip(4)?;
        let is_one_disk = bytes.u64()? == 0;
        let (here, count, len, offset) = (bytes.u64()?, bytes.u64()?, bytes.u64()?, bytes.u64()?);
        (is_end && is_one_disk && here == count).then_some((count, len, offset, at))
    };
    Ok(read())
}

fn read_at(input: &mut (impl Read + Seek), at: u64, len: usize) -> Result<Vec<u8>> {
    input.seek(SeekFrom::Start(at))?;
    let mut bytes = vec![0; len];
    input.read_exact(&mut bytes).map_err(|_| BAD_END)?;
    Ok(bytes)
}

/// The next row; `None` when it is cut short.
fn row(bytes: &mut Bytes<'_>) -> Option<Result<Row>> {
    if bytes.u32()? != CENTRAL {
        return None;
    }
    bytes.skip(4)?;
    let (flags, method) = (bytes.u16()?, bytes.u16()?);
    bytes.skip(4)?;
    let (crc, packed_len, len) = (bytes.u32()?, bytes.u32()?, bytes.u32()?);
    let (path_len, extra_len, comment_len) = (bytes.u16()?, bytes.u16()?, bytes.u16()?);
    let disk = bytes.u16()?;
    bytes.skip(6)?;
    let offset = bytes.u32()?;
    let path = std::str::from_utf8(bytes.take(path_len)?).ok()?;
    let mut long = extra_64(bytes.take(extra_len)?)?;
    bytes.take(comment_len)?;
    let mut number = |short: u32| if short == LONG { long.u64() } else { Some(short.into()) };
    let (len, packed_len, offset) = (number(len)?, number(packed_len)?, number(offset)?);
    let is_encrypted = flags & 1 == 1;
    let refuse = |why| Some(Err(Error::Package(why)));
    let Some(method) = method_of(method).filter(|_| !is_encrypted && disk == 0) else {
        return refuse("an entry is encrypted, or compressed in an unknown way");
    };
    if !is_safe(path) {
        return refuse("the path of an entry leads elsewhere");
    }
    if method == Method::Stored && len != packed_len || path.ends_with('/') && len != 0 {
        return refuse("an entry has two lengths");
    }
    Some(Ok(Row { path: path.to_owned(), method, len, packed_len, crc, offset }))
}

fn method_of(number: u16) -> Option<Method> {
    match number {
        0 => Some(Method::Stored),
        8 => Some(Method::Deflated),
        _ => None,
    }
}

/// The long numbers among extra fields; `None` when the fields are cut short.
fn extra_64(extra: &[u8]) -> Option<Bytes<'_>> {
    let mut bytes = Bytes(extra);
    while !bytes.0.is_empty() {
        let (tag, len) = (bytes.u16()?, bytes.u16()?);
        let field = bytes.take(len)?;
        if tag == EXTRA_64 {
            return Some(Bytes(field));
        }
    }
    Some(Bytes(&[]))
}

/// Little-endian numbers, one behind the other.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: u16) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len.into())?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn skip(&mut self, len: u16) -> Option<()> {
        self.take(len).map(drop)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

/// The content of an entry. It ends at its stated length or fails: never later, and never with another checksum.
#[derive(Debug)]
pub(crate) struct Content<'z, R: Read> {
    unpacked: Unpacked<'z, R>,
    left: u64,
    crc: Crc,
    expected: u32,
}

#[derive(Debug)]
enum Unpacked<'z, R: Read> {
    Stored(io::Take<&'z mut R>),
    Deflated(DeflateDecoder<io::Take<&'z mut R>>),
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let len = match &mut self.unpacked {
            Unpacked::Stored(content) => content.read(into)?,
            Unpacked::Deflated(content) => content.read(into)?,
        };
        let is_wrong = if len == 0 { self.left > 0 || self.crc.sum() != self.expected } else { len as u64 > self.left };
        if is_wrong {
            let error = Error::Package("an entry does not match its length or checksum");
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        self.crc.update(&into[..len]);
        self.left -= len as u64;
        Ok(len)
    }
}

use std::io::{self, Write};

use flate2::Crc;
use sha2::{Digest as _, Sha256};

use super::{CENTRAL, DESCRIPTOR, END, END_64, EXTRA_64, HAS_DESCRIPTOR, LOCAL, LOCATOR_64, LONG, LONG_COUNT};
use crate::{Digest, Error, Result, io::Counted};

/// Version 4.5 of the format, which brought long numbers; made on Unix.
const VERSION: u16 = 45;
const MADE_BY: u16 = 3 << 8 | VERSION;
/// A plain file that its owner may write and all may read.
const MODE: u32 = 0o100_644 << 16;
/// The first day that the format knows. Time is told in the manifest, and here it would make every file another one.
const DATE: u16 = 1 << 5 | 1;

/// Writes entries one behind the other, uncompressed. What is written to it goes to the entry that is open.
#[derive(Debug)]
pub(crate) struct ZipWriter<W: Write> {
    out: Counted<W>,
    open: Option<Open>,
    entries: Vec<Written>,
}

#[derive(Debug)]
struct Open {
    path: String,
    offset: u64,
    len: u64,
    crc: Crc,
    hash: Sha256,
}

/// An entry that is complete.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) path: String,
    pub(crate) len: u64,
    pub(crate) digest: Digest,
    offset: u64,
    crc: u32,
}

impl<W: Write> ZipWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out: Counted::new(out), open: None, entries: Vec::new() }
    }

    /// As if so many bytes lay before it.
    #[cfg(test)]
    pub(crate) fn new_at(out: W, offset: u64) -> Self {
        Self { out: Counted::new_at(out, offset), open: None, entries: Vec::new() }
    }

    /// Opens an entry. Its size is told behind it, as long numbers: it may be larger than 4 GiB.
    pub(crate) fn begin(&mut self, path: &str) -> Result<()> {
        let offset = self.out.count();
        let mut head = Vec::new();
        head.extend(LOCAL.to_le_bytes());
        head.extend(VERSION.to_le_bytes());
        head.extend(HAS_DESCRIPTOR.to_le_bytes());
        head.extend([0; 4]); // stored, midnight
        head.extend(DATE.to_le_bytes());
        head.extend([0; 4]); // the checksum follows
        head.extend(LONG.to_le_bytes());
        head.extend(LONG.to_le_bytes());
        head.extend(path_len(path)?.to_le_bytes());
        head.extend(20_u16.to_le_bytes());
        head.extend(path.as_bytes());
        head.extend(EXTRA_64.to_le_bytes());
        head.extend(16_u16.to_le_bytes());
        head.extend([0; 16]);
        self.out.write_all(&head)?;
        self.open = Some(Open { path: path.to_owned(), offset, len: 0, crc: Crc::new(), hash: Sha256::new() });
        Ok(())
    }

    /// Closes the entry that is open, if one is.
    pub(crate) fn end(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let crc = open.crc.sum();
        let mut descriptor = Vec::new();
        descriptor.extend(DESCRIPTOR.to_le_bytes());
        descriptor.extend(crc.to_le_bytes());
        descriptor.extend(open.len.to_le_bytes());
        descriptor.extend(open.len.to_le_bytes());
        self.out.write_all(&descriptor)?;
        self.entries.push(Written {
            path: open.path,
            len: open.len,
            digest: open.hash.into(),
            offset: open.offset,
            crc,
        });
        Ok(())
    }

    /// A whole entry.
    pub(crate) fn add(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.begin(path)?;
        self.write_all(bytes)?;
        self.end()
    }

    /// The entries that are complete.
    pub(crate) fn entries(&self) -> &[Written] {
        &self.entries
    }

    /// Writes the directory, which ends the file.
    pub(crate) fn finish(mut self) -> Result<W> {
        self.end()?;
        let offset = self.out.count();
        for entry in &self.entries {
            self.out.write_all(&directory_row(entry)?)?;
        }
        let len = self.out.count() - offset;
        let end = end_of(self.entries.len() as u64, offset, len);
        self.out.write_all(&end)?;
        self.out.flush()?;
        Ok(self.out.into_inner())
    }
}

impl<W: Write> Write for ZipWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(open) = &mut self.open else { return Err(io::Error::other("no entry is open")) };
        let len = self.out.write(bytes)?;
        let written = bytes.get(..len).unwrap_or(bytes);
        open.crc.update(written);
        open.hash.update(written);
        open.len += len as u64;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn path_len(path: &str) -> Result<u16> {
    u16::try_from(path.len()).map_err(|_| Error::UnwritablePath(path.to_owned()))
}

fn directory_row(entry: &Written) -> Result<Vec<u8>> {
    let mut long = Vec::new();
    let len = short_or(entry.len, &mut long);
    if len == LONG {
        // Compressed and uncompressed.
        long.extend(entry.len.to_le_bytes());
    }
    let offset = short_or(entry.offset, &mut long);
    let long_len: u16 = match (len, offset) {
        (LONG, LONG) => 24,
        (LONG, _) => 16,
        (_, LONG) => 8,
        _ => 0,
    };
    let extra_len = if long_len == 0 { 0 } else { 4 + long_len };
    let mut row = Vec::new();
    row.extend(CENTRAL.to_le_bytes());
    row.extend(MADE_BY.to_le_bytes());
    row.extend(VERSION.to_le_bytes());
    row.extend(HAS_DESCRIPTOR.to_le_bytes());
    row.extend([0; 4]); // stored, midnight
    row.extend(DATE.to_le_bytes());
    row.extend(entry.crc.to_le_bytes());
    row.extend(len.to_le_bytes());
    row.extend(len.to_le_bytes());
    row.extend(path_len(&entry.path)?.to_le_bytes());
    row.extend(extra_len.to_le_bytes());
    row.extend([0; 6]); // no comment, first disk, no hint
    row.extend(MODE.to_le_bytes());
    row.extend(offset.to_le_bytes());
    row.extend(entry.path.as_bytes());
    if long_len > 0 {
        row.extend(EXTRA_64.to_le_bytes());
        row.extend(long_len.to_le_bytes());
        row.extend(long);
    }
    Ok(row)
}

/// The number for a short field; one that is too long goes to `long`, and its mark into the field.
fn short_or(number: u64, long: &mut Vec<u8>) -> u32 {
    match u32::try_from(number) {
        Ok(short) if short != LONG => short,
        _ => {
            long.extend(number.to_le_bytes());
            LONG
        }
    }
}

/// The end of a directory of so many rows, at this offset and of this length.
fn end_of(count: u64, offset: u64, len: u64) -> Vec<u8> {
    let mut long = Vec::new();
    let short_offset = short_or(offset, &mut long);
    let short_len = short_or(len, &mut long);
    let short_count = u16::try_from(count).unwrap_or(LONG_COUNT);
    let mut end = Vec::new();
    if !long.is_empty() || short_count == LONG_COUNT {
        end.extend(END_64.to_le_bytes());
        end.extend(44_u64.to_le_bytes());
        end.extend(MADE_BY.to_le_bytes());
        end.extend(VERSION.to_le_bytes());
        end.extend([0; 8]); // one disk
        end.extend(count.to_le_bytes());
        end.extend(count.to_le_bytes());
        end.extend(len.to_le_bytes());
        end.extend(offset.to_le_bytes());
        end.extend(LOCATOR_64.to_le_bytes());
        end.extend([0; 4]);
        end.extend((offset + len).to_le_bytes());
        end.extend(1_u32.to_le_bytes());
    }
    end.extend(END.to_le_bytes());
    end.extend([0; 4]); // one disk
    end.extend(short_count.to_le_bytes());
    end.extend(short_count.to_le_bytes());
    end.extend(short_len.to_le_bytes());
    end.extend(short_offset.to_le_bytes());
    end.extend([0; 2]); // no comment
    end
}

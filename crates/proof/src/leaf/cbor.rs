//! As much of deterministic CBOR (RFC 8949 §4.2.1) as a leaf needs: shortest heads, definite lengths, no tags, no floats.

use crate::Error;

pub(super) const UINT: u8 = 0;
pub(super) const NEGATIVE: u8 = 1;
pub(super) const BYTES: u8 = 2;
pub(super) const TEXT: u8 = 3;
pub(super) const MAP: u8 = 5;
pub(super) const SIMPLE: u8 = 7;
pub(super) const FALSE: u64 = 20;
pub(super) const TRUE: u64 = 21;

/// Writes a major type and its argument in the shortest form.
pub(super) fn write_head(to: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..0x18 => to.push(major | bytes[7]),
        0x18..0x100 => to.extend([major | 0x18, bytes[7]]),
        0x100..0x1_0000 => to.extend([major | 0x19, bytes[6], bytes[7]]),
        0x1_0000..0x1_0000_0000 => {
            to.push(major | 0x1a);
            to.extend(&bytes[4..]);
        }
        _ => {
            to.push(major | 0x1b);
            to.extend(bytes);
        }
    }
}

pub(super) fn write_int(to: &mut Vec<u8>, value: i64) {
    match u64::try_from(value) {
        Ok(value) => write_head(to, UINT, value),
        // CBOR writes -1 - n as n, which is the complement.
        Err(_) => write_head(to, NEGATIVE, (!value).cast_unsigned()),
    }
}

pub(super) fn write_bytes(to: &mut Vec<u8>, value: &[u8]) {
    write_head(to, BYTES, value.len() as u64);
    to.extend(value);
}

pub(super) fn write_text(to: &mut Vec<u8>, value: &str) {
    write_head(to, TEXT, value.len() as u64);
    to.extend(value.as_bytes());
}

/// Reads what the functions above write, and nothing else.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn error(&self, why: &str) -> Error {
        Error::malformed("leaf", format!("{why}, at byte {}", self.at))
    }

    pub(super) fn finish(&self) -> Result<(), Error> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.error("more bytes than the leaf has")) }
    }

    /// A major type and its argument.
    pub(super) fn head(&mut self) -> Result<(u8, u64), Error> {
        let start = self.at;
        let first = self.take(1)?[0];
        let (argument, least) = match first & 0x1f {
            small @ 0..0x18 => (u64::from(small), 0),
            0x18 => (self.number(1)?, 0x18),
            0x19 => (self.number(2)?, 1 << 8),
            0x1a => (self.number(4)?, 1 << 16),
            0x1b => (self.number(8)?, 1 << 32),
            _ => return Err(self.error("an indefinite or reserved length")),
        };
        if argument < least {
            self.at = start;
            return Err(self.error("a number that is not in its shortest form"));
        }
        Ok((first >> 5, argument))
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Error> {
        match self.head()? {
            (TEXT, length) => self.text_of(length),
            _ => Err(self.error("no text where one is due")),
        }
    }

    pub(super) fn text_of(&mut self, length: u64) -> Result<&'a str, Error> {
        let bytes = self.bytes_of(length)?;
        str::from_utf8(bytes).map_err(|_| self.error("text that is not UTF-8"))
    }

    pub(super) fn bytes_of(&mut self, length: u64) -> Result<&'a [u8], Error> {
        usize::try_from(length).map_err(|_| self.error("an end before its time")).and_then(|length| self.take(length))
    }

    fn number(&mut self, width: usize) -> Result<u64, Error> {
        Ok(self.take(width)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let taken = self.bytes[self.at..].get(..length).ok_or_else(|| self.error("an end before its time"))?;
        self.at += length;
        Ok(taken)
    }
}

//! The payload of an HTTP/1 response: its entity body, without the transfer coding (WARC/1.1, section 5.9; RFC 9112, section 6).

use sha2::{Digest as _, Sha256};

use crate::Digest;

/// A line of a head, of framing or of a trailer that is longer belongs to no message that is worth reading on.
const MAX_LINE: usize = 64 * 1024;
/// The same for lines before the body, interim responses included.
const MAX_LINES: u32 = 4096;

/// What a response carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// Its SHA-256; of prefix and payload, where a prefix was given.
    pub digest: Digest,
    /// Its length in bytes.
    pub len: u64,
}

/// Finds the payload in the bytes of a response, piece by piece and in bounded memory.
///
/// The bytes are those received, and may be no HTTP at all. There is a payload only where the message says without contradiction what
/// it is and has all of it. Interim responses (RFC 9110, section 15.2) are passed over; what lies behind the end of the body is ignored.
#[derive(Debug, Clone)]
pub struct PayloadHasher {
    state: State,
    line: Vec<u8>,
    lines: u32,
    head: Head,
    hash: Sha256,
    len: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the status line.
    Start,
    /// In the header section.
    Fields,
    /// In a body of which so much is to come.
    Sized(u64),
    /// In a body that the connection's end ends.
    UntilClose,
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailers,
    /// Behind the body.
    Complete,
    /// It makes no sense.
    Broken,
}

#[derive(Debug, Clone, Default)]
struct Head {
    is_http_1_0: bool,
    status: u16,
    content_length: Option<u64>,
    /// Whether the one transfer coding is `chunked`.
    is_chunked: bool,
    /// Whether its fields leave open where the body ends.
    is_contradictory: bool,
    content_type: Option<Vec<u8>>,
}

impl Default for PayloadHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl PayloadHasher {
    /// At the beginning of a response.
    pub fn new() -> Self {
        Self::with_prefix(&[])
    }

    /// At the beginning of a response whose payload is to be hashed behind `prefix`, as commitments have it.
    pub fn with_prefix(prefix: &[u8]) -> Self {
        let hash = Sha256::new_with_prefix(prefix);
        Self { state: State::Start, line: Vec::new(), lines: 0, head: Head::default(), hash, len: 0 }
    }

    /// The payload of a whole response.
    pub fn of(response: &[u8]) -> Option<Payload> {
        let mut hasher = Self::new();
        hasher.update(response);
        hasher.finish()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Complete | State::Broken => return,
                State::UntilClose => self.body(bytes, u64::MAX).1,
                State::Sized(left) => {
                    let (left, rest) = self.body(bytes, left);
                    self.state = if left == 0 { State::Complete } else { State::Sized(left) };
                    rest
                }
                State::ChunkData(left) => {
                    let (left, rest) = self.body(bytes, left);
                    self.state = if left == 0 { State::ChunkEnd } else { State::ChunkData(left) };
                    rest
                }
                State::Start | State::Fields | State::ChunkSize | State::ChunkEnd | State::Trailers => {
                    self.part_of_line(bytes)
                }
            }
        }
    }

    /// The status code, once its line has been read: the final one, where interim responses come before it.
    pub fn status(&self) -> Option<u16> {
        (self.head.status > 0).then_some(self.head.status)
    }

    /// The value of the first `Content-Type` field, as far as the head has been read.
    pub fn content_type(&self) -> Option<&[u8]> {
        self.head.content_type.as_deref()
    }

    /// The payload, if the response has one that is well defined and whole.
    pub fn finish(self) -> Option<Payload> {
        matches!(self.state, State::UntilClose | State::Complete)
            .then(|| Payload { digest: self.hash.into(), len: self.len })
    }

    /// Hashes at most `left` bytes; how many are left, and the bytes behind them.
    fn body<'a>(&mut self, bytes: &'a [u8], left: u64) -> (u64, &'a [u8]) {
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let (body, rest) = bytes.split_at(len);
        self.hash.update(body);
        self.len = self.len.saturating_add(len as u64);
        (left - len as u64, rest)
    }

    fn part_of_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |at| at + 1));
        self.line.extend_from_slice(part);
        if self.line.len() > MAX_LINE {
            self.state = State::Broken;
        } else if end.is_some() {
            let mut line = std::mem::take(&mut self.line);
            self.state = self.after(without_line_end(&line)).unwrap_or(State::Broken);
            line.clear();
            self.line = line;
        }
        rest
    }

    /// The state behind a line; `None` when the line makes no sense where it stands.
    fn after(&mut self, line: &[u8]) -> Option<State> {
        if matches!(self.state, State::Start | State::Fields | State::Trailers) {
            self.lines += 1;
            if self.lines > MAX_LINES {
                return None;
            }
        }
        match self.state {
            State::Start if line.is_empty() => Some(State::Start),
            State::Start => {
                self.head = Head::of_status_line(line)?;
                Some(State::Fields)
            }
            State::Fields if line.is_empty() => Some(self.head.body()),
            State::Fields => {
                self.head.is_contradictory |= self.head.field(line).is_none();
                Some(State::Fields)
            }
            State::ChunkSize => match chunk_size(line)? {
                0 => Some(State::Trailers),
                size => Some(State::ChunkData(size)),
            },
            State::ChunkEnd => line.is_empty().then_some(State::ChunkSize),
            State::Trailers => Some(if line.is_empty() { State::Complete } else { State::Trailers }),
            State::Sized(_) | State::UntilClose | State::ChunkData(_) | State::Complete | State::Broken => None,
        }
    }
}

impl Head {
    fn of_status_line(line: &[u8]) -> Option<Self> {
        let (&minor, rest) = line.strip_prefix(b"HTTP/1.")?.split_first()?;
        let code = std::str::from_utf8(rest.strip_prefix(b" ")?.get(..3)?).ok()?;
        if !minor.is_ascii_digit() || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { is_http_1_0: minor == b'0', status: code.parse().ok()?, ..Self::default() })
    }

    /// Takes in a field; `None` when it leaves open where the body ends (RFC 9112, sections 5.1, 6.1 and 6.3).
    fn field(&mut self, line: &[u8]) -> Option<()> {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            // A continued line could belong to either field that matters: senders must not write it (section 5.2).
            return None;
        }
        let at = line.iter().position(|&byte| byte == b':')?;
        let (name, value) = (&line[..at], line[at + 1..].trim_ascii());
        if name.trim_ascii_end().len() != name.len() {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-type") {
            self.content_type.get_or_insert_with(|| value.to_vec());
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.is_chunked || self.is_http_1_0 || !value.eq_ignore_ascii_case(b"chunked") {
                return None;
            }
            self.is_chunked = true;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            for number in value.split(|&byte| byte == b',') {
                let number = number_of(number.trim_ascii(), 10)?;
                if *self.content_length.get_or_insert(number) != number {
                    return None;
                }
            }
        }
        Some(())
    }

    /// What follows the head (RFC 9112, section 6.3).
    fn body(&self) -> State {
        match (self.status, self.content_length) {
            // Nothing follows 101 that is HTTP.
            (101 | 204 | 304, _) => State::Complete,
            (100..200, _) => State::Start,
            _ if self.is_contradictory => State::Broken,
            _ if self.is_chunked => State::ChunkSize,
            (_, Some(0)) => State::Complete,
            (_, Some(len)) => State::Sized(len),
            (_, None) => State::UntilClose,
        }
    }
}

/// The size in a chunk's first line; extensions behind it are ignored (RFC 9112, section 7.1.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (size, rest) = line.split_at(digits);
    let rest = rest.trim_ascii_start();
    if !rest.is_empty() && !rest.starts_with(b";") {
        return None;
    }
    number_of(size, 16)
}

/// Digits and nothing else, as a number.
fn number_of(digits: &[u8], radix: u32) -> Option<u64> {
    let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
    let text = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(is_digit))?;
    u64::from_str_radix(text, radix).ok()
}

/// A line feed alone ends a line too (RFC 9112, section 2.2).
fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests;

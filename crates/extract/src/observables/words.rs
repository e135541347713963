//! The words of a text, and what stands around them.
//!
//! All that looks for observables goes over the words once, in order, and looks no further around each than a fixed number of bytes: together
//! they take time linear in the text. What they look at is counted in tests.

use std::ops::Range;

/// The words of a text: runs of ASCII letters and digits, and runs of other letters and digits.
pub(super) struct Words<'a> {
    pub(super) text: &'a str,
    spans: Vec<(u32, u32)>,
}

impl<'a> Words<'a> {
    /// The words of `text` outside `hidden`, which is in order.
    pub(super) fn new(text: &'a str, hidden: &[Range<usize>]) -> Self {
        let mut words = Self { text, spans: Vec::with_capacity(text.len() / 6) };
        let mut from = 0;
        for part in hidden {
            words.add(from..part.start);
            from = part.end;
        }
        words.add(from..text.len());
        words
    }

    fn add(&mut self, part: Range<usize>) {
        let bytes = self.text.as_bytes();
        let mut at = part.start;
        while at < part.end {
            let start = at;
            while at < part.end && is_ascii_word(bytes, at) {
                at += 1;
            }
            if at == start {
                at += self.other_letter(at);
                while at < part.end && at > start {
                    let more = self.other_letter(at);
                    if more == 0 {
                        break;
                    }
                    at += more;
                }
            }
            if at == start {
                at += 1;
            } else {
                self.spans.push((offset(start), offset(at)));
            }
        }
    }

    /// The length of the letter or digit beyond ASCII that begins here, or 0.
    fn other_letter(&self, at: usize) -> usize {
        if self.text.as_bytes().get(at).is_none_or(u8::is_ascii) {
            return 0;
        }
        let Some(rest) = self.text.get(at..) else { return 0 };
        match rest.chars().next() {
            Some(c) if c.is_alphanumeric() && !is_mojibake(rest) => c.len_utf8(),
            _ => 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Where a word stands.
    pub(super) fn at(&self, word: usize) -> Range<usize> {
        let (start, end) = self.spans.get(word).copied().unwrap_or_default();
        start as usize..end as usize
    }

    /// A word; empty where there is none.
    pub(super) fn word(&self, word: usize) -> &'a str {
        self.slice(self.at(word))
    }

    /// What stands between a word and the one after it, or after the last word.
    pub(super) fn gap(&self, word: usize) -> &'a str {
        let end = if word + 1 < self.len() { self.at(word + 1).start } else { self.text.len() };
        self.slice(self.at(word).end..end.min(self.at(word).end + MAX_GAP))
    }

    /// At most `max` bytes of the line before a place.
    pub(super) fn before(&self, at: usize, max: usize) -> &'a str {
        let start = self.text.ceil_char_boundary(at.saturating_sub(max));
        let near = self.slice(start..at);
        near.rsplit('\n').next().unwrap_or(near)
    }

    /// At most `max` bytes of the line from a place on.
    pub(super) fn after(&self, at: usize, max: usize) -> &'a str {
        let near = self.slice(at..self.text.floor_char_boundary(at.saturating_add(max)));
        near.split('\n').next().unwrap_or(near)
    }

    /// The byte before a place; a line break where the text begins.
    pub(super) fn byte_before(&self, at: usize) -> u8 {
        at.checked_sub(1).and_then(|at| self.text.as_bytes().get(at)).copied().unwrap_or(b'\n')
    }

    /// The byte at a place; a line break where the text ends.
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(b'\n')
    }

    /// The text in a range; empty where the range is none.
    pub(super) fn slice(&self, at: Range<usize>) -> &'a str {
        let slice = self.text.get(at).unwrap_or_default();
        #[cfg(test)]
        work::count(slice.len());
        slice
    }
}

/// How much of a gap is looked at, in bytes: leaders such as `……………` go on for long.
const MAX_GAP: usize = 160;

fn is_ascii_word(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

/// Whether a text begins with the first letter of a dash, quote or ellipsis in UTF-8 that was read as Latin-1 or windows-1252.
pub(super) fn is_mojibake(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('â') && chars.next().is_some_and(|c| matches!(c, '\u{80}'..='\u{9F}' | '€'))
}

/// A word of ASCII in lower case, in the room given; empty where that is too small.
pub(super) fn lower_ascii<'r, const N: usize>(word: &str, room: &'r mut [u8; N]) -> &'r str {
    let Some(room) = room.get_mut(..word.len()) else { return "" };
    room.copy_from_slice(word.as_bytes());
    room.make_ascii_lowercase();
    std::str::from_utf8(room).unwrap_or_default()
}

pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// How many bytes were looked at: the cost of a search, without a clock.
#[cfg(test)]
pub(super) mod work {
    use std::cell::Cell;

    thread_local!(static LOOKED_AT: Cell<usize> = const { Cell::new(0) });

    pub(in super::super) fn count(bytes: usize) {
        LOOKED_AT.set(LOOKED_AT.get() + bytes + 1);
    }

    /// What has been looked at since the last time.
    pub(in super::super) fn take() -> usize {
        LOOKED_AT.replace(0)
    }
}

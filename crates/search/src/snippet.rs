mod marker;

use std::ops::Range;

use model::Language;

use self::marker::Marker;
use crate::query::Wanted;

/// The longest snippet, in characters.
const MAX_CHARS: usize = 240;

/// How much of a text is looked through for matches, in bytes. What matches only behind that has an unmarked snippet.
const MAX_SCANNED: usize = 1 << 20;

/// A piece of a text, and what matched in it: offsets in characters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snippet {
    pub(crate) text: String,
    pub(crate) highlights: Vec<Range<usize>>,
}

/// The piece of `text` in which the most of `wanted` stands, its white space and control characters made single spaces.
/// `language` is that of the text.
pub(crate) fn cut(text: &str, wanted: &[Wanted<'_>], language: Option<Language>) -> Snippet {
    let marks = mark(text, wanted, language);
    let window = around_densest(text, &marks);
    // Half a word is no match, but half a phrase that is longer than any window is all that can be shown of it.
    let is_shown =
        |mark: &&Range<usize>| mark.start >= window.start && (mark.end <= window.end || mark.len() > MAX_CHARS);
    let within = marks.iter().filter(is_shown).filter(|mark| mark.start < window.end);
    let highlights = within.map(|mark| mark.start - window.start..mark.end.min(window.end) - window.start);
    let visible = |c: char| if c.is_whitespace() || c.is_control() { ' ' } else { c };
    Snippet {
        highlights: highlights.collect(),
        text: text.chars().skip(window.start).take(window.len()).map(visible).collect(),
    }
}

/// Where what is wanted stands in `text`: in order, apart from each other, in characters.
pub(crate) fn mark(text: &str, wanted: &[Wanted<'_>], language: Option<Language>) -> Vec<Range<usize>> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let scanned = text.get(..text.floor_char_boundary(MAX_SCANNED)).unwrap_or_default();
    in_characters(scanned, &Marker::of(wanted, language).mark(scanned))
}

/// The same ranges, counted in characters and not in bytes.
fn in_characters(text: &str, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let (mut bytes, mut characters) = (0, 0);
    let mut count_to = |end: usize| {
        characters += text.get(bytes..end).unwrap_or_default().chars().count();
        bytes = end;
        characters
    };
    ranges.iter().map(|range| count_to(range.start)..count_to(range.end)).collect()
}

/// The window of at most [`MAX_CHARS`] characters that holds the most marks, filled up on both sides with whole words.
fn around_densest(text: &str, marks: &[Range<usize>]) -> Range<usize> {
    let dense = densest(marks);
    let lead = (MAX_CHARS - dense.len()) / 3;
    let earliest = dense.start.saturating_sub(lead);
    let chars: Vec<char> = text.chars().skip(earliest.saturating_sub(1)).take(MAX_CHARS + lead + 2).collect();
    // `chars` begins one before the earliest place, where there is one, to see whether a word begins there.
    let offset = earliest.saturating_sub(1);
    let is_space = |at: usize| chars.get(at - offset).is_none_or(|c| c.is_whitespace());
    let start = (earliest..dense.start).find(|&at| at == 0 || is_space(at - 1)).unwrap_or(dense.start);
    let all = offset + chars.len();
    let latest = (start + MAX_CHARS).min(all);
    let is_end = |at: usize| at == all || is_space(at);
    let end = (dense.end.max(start + 1)..=latest).rev().find(|&at| is_end(at)).unwrap_or(latest);
    start..end
}

/// The range from the first to the last of those neighbouring marks that fit into a window and are the most.
fn densest(marks: &[Range<usize>]) -> Range<usize> {
    let mut best = (0, 0..0);
    let mut first = 0;
    for (last, mark) in marks.iter().enumerate() {
        while marks.get(first).is_some_and(|begin| first < last && mark.end - begin.start > MAX_CHARS) {
            first += 1;
        }
        let start = marks.get(first).map_or(mark.start, |begin| begin.start);
        if last + 1 - first > best.0 {
            best = (last + 1 - first, start..mark.end.min(start + MAX_CHARS));
        }
    }
    best.1
}

#[cfg(test)]
mod tests;

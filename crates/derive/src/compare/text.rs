use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

/// Tokens of both texts together that are compared by lines, and again by words. Myers' algorithm with the heuristics of GNU diff takes
/// at most some `n · √n` steps for them, whatever a hostile page does.
const MOST_TOKENS: usize = 200_000;

/// The most changes of an answer; beyond it they are given in larger pieces.
pub(super) const MOST_CHANGES: usize = 5_000;

/// Characters of unchanged text that are given on each side of a change.
const CONTEXT: usize = 40;

/// Where two texts differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextDifference {
    /// How finely the texts were compared.
    pub granularity: Granularity,
    /// The changes in order. Each stretch of the old text replaced by what was inserted gives the new text.
    pub changes: Vec<TextChange>,
}

/// The largest piece that stands as changed although it may be so in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Granularity {
    /// Words: everything was compared word by word.
    Word,
    /// Lines: the texts are too large to compare all changed lines word by word.
    Line,
    /// One stretch of the text: it is too large to be compared by lines.
    Whole,
}

/// A stretch of a text that became another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextChange {
    /// Where it lies in the old text, in characters.
    pub old: Range<usize>,
    /// Where it lies in the new text, in characters.
    pub new: Range<usize>,
    /// What was there.
    pub deleted: String,
    /// What is there instead.
    pub inserted: String,
    /// What stands before it on the same line, at most 40 characters.
    pub before: String,
    /// What stands behind it on the same line, at most 40 characters.
    pub after: String,
    /// Whether only what the digest rule takes for noise has changed, such as a clock.
    pub is_noise: bool,
}

impl Granularity {
    /// The name, as everywhere outside the code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Line => "line",
            Self::Whole => "whole",
        }
    }
}

/// Stretches of two texts that stand for each other, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hunk {
    old: Range<usize>,
    new: Range<usize>,
}

/// Compares two texts, by words where their size allows.
pub(super) fn difference(old: &str, new: &str) -> TextDifference {
    let (granularity, hunks) = hunks(old, new);
    TextDifference { granularity, changes: told(old, new, &hunks) }
}

fn hunks(old: &str, new: &str) -> (Granularity, Vec<Hunk>) {
    let mut budget = MOST_TOKENS;
    let lines = within(old, new, |char| char == '\n', |old, new| compared(old, new, lines, &mut budget));
    let Some(lines) = lines.filter(|lines| lines.len() <= MOST_CHANGES) else {
        let whole = |old: &str, new: &str| Some(vec![Hunk { old: 0..old.len(), new: 0..new.len() }]);
        return (Granularity::Whole, within(old, new, char::is_whitespace, whole).unwrap_or_default());
    };
    let mut granularity = Granularity::Word;
    let (mut budget, mut room) = (MOST_TOKENS, MOST_CHANGES - lines.len());
    let mut hunks = Vec::with_capacity(lines.len());
    for line in lines {
        let (deleted, inserted) = (&old[line.old.clone()], &new[line.new.clone()]);
        let words = |old: &str, new: &str| compared(old, new, words, &mut budget).map(|hunks| joined(old, hunks));
        if let Some(words) =
            within(deleted, inserted, char::is_whitespace, words).filter(|words| words.len() <= room + 1)
        {
            room = (room + 1).saturating_sub(words.len());
            hunks.extend(words.into_iter().map(|word| word.behind(line.old.start, line.new.start)));
        } else {
            granularity = Granularity::Line;
            hunks.push(line);
        }
    }
    (granularity, hunks)
}

impl Hunk {
    fn behind(&self, old: usize, new: usize) -> Self {
        Self { old: self.old.start + old..self.old.end + old, new: self.new.start + new..self.new.end + new }
    }
}

/// Compares what lies between a common beginning and a common end, both cut at borders of tokens.
fn within(
    old: &str,
    new: &str,
    is_border: impl Fn(char) -> bool + Copy,
    compare: impl FnOnce(&str, &str) -> Option<Vec<Hunk>>,
) -> Option<Vec<Hunk>> {
    let equal = old.bytes().zip(new.bytes()).take_while(|(old, new)| old == new).count();
    let head = &old[..old.floor_char_boundary(equal)];
    let start = head.rfind(is_border).map_or(0, |at| at + border_len(head, at));
    let (old, new) = (&old[start..], &new[start..]);
    let equal = old.bytes().rev().zip(new.bytes().rev()).take_while(|(old, new)| old == new).count();
    let tail = &old[old.ceil_char_boundary(old.len() - equal)..];
    let end = tail.find(is_border).map_or(0, |at| tail.len() - at - border_len(tail, at));
    let hunks = compare(&old[..old.len() - end], &new[..new.len() - end])?;
    Some(hunks.into_iter().map(|hunk| hunk.behind(start, start)).collect())
}

fn border_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(0, char::len_utf8)
}

/// Compares two texts token by token; `None` where they have more tokens than the budget allows.
fn compared<'a, T: Iterator<Item = &'a str>>(
    old: &'a str,
    new: &'a str,
    tokens: impl Fn(&'a str) -> T,
    budget: &mut usize,
) -> Option<Vec<Hunk>> {
    let count = tokens(old).chain(tokens(new)).take(*budget + 1).count();
    *budget = budget.checked_sub(count)?;
    let mut input = InternedInput::default();
    input.update_before(tokens(old));
    input.update_after(tokens(new));
    let (old, new) = (starts(tokens(old)), starts(tokens(new)));
    let place = |starts: &[usize], range: Range<u32>| starts[range.start as usize]..starts[range.end as usize];
    // Not the histogram algorithm: its time is quadratic where every other token differs.
    let diff = Diff::compute(Algorithm::Myers, &input);
    Some(diff.hunks().map(|hunk| Hunk { old: place(&old, hunk.before), new: place(&new, hunk.after) }).collect())
}

/// Where each token begins, and where the last one ends.
fn starts<'a>(tokens: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut at = 0;
    let ends = tokens.map(|token| {
        at += token.len();
        at
    });
    std::iter::once(0).chain(ends).collect()
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
}

/// Words, and each white space between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let ends = |part: &str| part.chars().next_back().filter(|char| char.is_whitespace()).map_or(0, char::len_utf8);
    let parts = text.split_inclusive(char::is_whitespace);
    let split = parts.flat_map(move |part| {
        let (word, space) = part.split_at(part.len() - ends(part));
        [word, space]
    });
    split.filter(|token| !token.is_empty())
}

/// Takes changes together that only a space parts: they read as one.
fn joined(old: &str, hunks: Vec<Hunk>) -> Vec<Hunk> {
    let mut joined: Vec<Hunk> = Vec::with_capacity(hunks.len());
    for hunk in hunks {
        match joined.last_mut() {
            Some(last) if &old[last.old.end..hunk.old.start] == " " => {
                last.old.end = hunk.old.end;
                last.new.end = hunk.new.end;
            }
            _ => joined.push(hunk),
        }
    }
    joined
}

/// The hunks in characters, with what is around them.
fn told(old: &str, new: &str, hunks: &[Hunk]) -> Vec<TextChange> {
    let noise: (Vec<_>, Vec<_>) = (extract::noise(old).collect(), extract::noise(new).collect());
    let (mut in_old, mut in_new) = (Place::default(), Place::default());
    hunks
        .iter()
        .filter(|hunk| old[hunk.old.clone()] != new[hunk.new.clone()])
        .map(|hunk| TextChange {
            old: in_old.walk(old, &hunk.old),
            new: in_new.walk(new, &hunk.new),
            deleted: old[hunk.old.clone()].to_owned(),
            inserted: new[hunk.new.clone()].to_owned(),
            before: before(&old[..hunk.old.start]),
            after: after(&old[hunk.old.end..]),
            is_noise: is_noise(old, new, hunk, &noise),
        })
        .collect()
}

/// How far a text is counted.
#[derive(Default)]
struct Place {
    byte: usize,
    char: usize,
}

impl Place {
    /// A range of bytes behind all the earlier ones, in characters.
    fn walk(&mut self, text: &str, range: &Range<usize>) -> Range<usize> {
        self.char += text[self.byte..range.start].chars().count();
        let start = self.char;
        self.char += text[range.clone()].chars().count();
        self.byte = range.end;
        start..self.char
    }
}

fn before(text: &str) -> String {
    let line = text.rsplit('\n').next().unwrap_or_default();
    let start = line.char_indices().rev().take(CONTEXT).last().map_or(line.len(), |(at, _)| at);
    line[start..].to_owned()
}

fn after(text: &str) -> String {
    text.chars().take_while(|&char| char != '\n').take(CONTEXT).collect()
}

/// Whether what differs, without the beginning and the end that are equal, lies within noise on both sides.
fn is_noise(old: &str, new: &str, hunk: &Hunk, noise: &(Vec<Range<usize>>, Vec<Range<usize>>)) -> bool {
    let (deleted, inserted) = (&old[hunk.old.clone()], &new[hunk.new.clone()]);
    let head = deleted.bytes().zip(inserted.bytes()).take_while(|(old, new)| old == new).count();
    let rest = |text: &str| text.len() - head;
    let tail = deleted.bytes().rev().zip(inserted.bytes().rev()).take_while(|(old, new)| old == new).count();
    let tail = tail.min(rest(deleted)).min(rest(inserted));
    let lies_within = |noise: &[Range<usize>], range: &Range<usize>| {
        let (start, end) = (range.start + head, range.end - tail);
        let next = noise.partition_point(|noise| noise.end < end);
        noise.get(next).is_some_and(|noise| noise.start <= start)
    };
    lies_within(&noise.0, &hunk.old) && lies_within(&noise.1, &hunk.new)
}

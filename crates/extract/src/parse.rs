//! HTML to a tree, at a cost that grows with the page and never with its square.
//!
//! The HTML standard has every parser do work that a hostile page can drive up: stacks of open elements are searched for each tag, formatting
//! elements are opened again in each paragraph, each attribute of a tag is compared with all others. A guard in front of the tree builder bounds
//! depth, attributes and links, and a meter counts the work. A page that still costs too much is parsed a second time with more care, in which
//! nothing can be driven up, at the price of a coarser tree.

mod guard;
mod sink;

pub(crate) use self::guard::is_block;

use html5ever::{
    TokenizerResult,
    tendril::StrTendril,
    tokenizer::{BufferQueue, Tokenizer},
};
use model::Problem;
use scraper::Html;

use self::guard::Guard;
use crate::Limits;

/// A page's tree, and what had to be left out of it.
pub(crate) struct Parsed {
    pub(crate) html: Html,
    pub(crate) problems: Vec<Problem>,
    /// The work that it took, as the meter counts.
    pub(crate) steps: u64,
}

/// What a parse may cost, and how it keeps to that.
#[derive(Debug, Clone)]
pub(crate) struct Care {
    /// Elements within elements.
    depth: usize,
    /// Links that reach the tree. Some lead to one place, so that it takes more than are kept.
    links: usize,
    /// Work, as the meter counts.
    steps: u64,
    /// Nodes and attributes.
    size: usize,
    /// Whether formatting elements and attributes of no use are left out.
    is_strict: bool,
    /// How many bytes the tokenizer gets at once.
    chunk: usize,
    /// How many bytes that can part two attributes a tag may hold before it is closed by force.
    separators: usize,
}

impl Care {
    /// Enough for any page that was made for people: saved pages of real markets take 0.3 to 1 steps a byte.
    fn ordinary(limits: &Limits, len: usize) -> Self {
        Self {
            depth: limits.depth,
            links: limits.links.saturating_mul(4),
            steps: 500_000 + 16 * len as u64,
            size: 300_000,
            is_strict: false,
            chunk: 4096,
            separators: 16_384,
        }
    }

    fn strict(limits: &Limits, len: usize) -> Self {
        Self {
            depth: limits.depth.min(32),
            steps: 500_000 + 64 * len as u64,
            is_strict: true,
            chunk: 256,
            separators: 64,
            ..Self::ordinary(limits, len)
        }
    }
}

/// Parses `text` within bounds.
pub(crate) fn parse(text: &str, limits: &Limits) -> Parsed {
    let (first, is_complete) = run(text, Care::ordinary(limits, text.len()));
    if is_complete {
        return first;
    }
    let (mut second, is_complete) = run(text, Care::strict(limits, text.len()));
    second.steps += first.steps;
    if !second.problems.contains(&Problem::TooDeep) {
        second.problems.push(Problem::TooDeep);
    }
    if !is_complete {
        second.problems.push(Problem::TooLong);
    }
    second
}

/// One parse; false if it was given up on the way.
fn run(text: &str, care: Care) -> (Parsed, bool) {
    let (chunk, separators) = (care.chunk, care.separators);
    let tokenizer = Tokenizer::new(Guard::new(care), html5ever::tokenizer::TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut rest = text;
    let mut silent = 0;
    while !rest.is_empty() && !tokenizer.sink.is_exhausted() {
        let (now, later) = rest.split_at(rest.ceil_char_boundary(chunk));
        rest = later;
        let before = tokenizer.sink.tokens();
        feed(&tokenizer, &input, now);
        if tokenizer.sink.tokens() > before {
            silent = 0;
            continue;
        }
        silent += now.bytes().filter(|&byte| is_separator(byte)).count();
        if silent > separators {
            // Nothing has come out for long: a tag with attributes without end, whose names would each be compared with all before. These five
            // bytes close it whatever state it is in, and do little harm where the text is something else.
            feed(&tokenizer, &input, "\">'>");
            silent = 0;
        }
    }
    let is_complete = !tokenizer.sink.is_exhausted();
    if is_complete {
        tokenizer.end();
    }
    (tokenizer.sink.into_parsed(), is_complete && rest.is_empty())
}

fn feed(tokenizer: &Tokenizer<Guard>, input: &BufferQueue, text: &str) {
    input.push_back(StrTendril::from_slice(text));
    while !matches!(tokenizer.feed(input), TokenizerResult::Done) {}
}

/// Whether another attribute of a tag may begin behind this byte.
fn is_separator(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'')
}

#[cfg(test)]
mod tests;

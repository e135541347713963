use std::ops::Range;

use super::address::{self, Leads};
use crate::walk::{
    Content,
    outline::{Hints, Outline, Piece, Tag},
};

/// How many elements around a text are asked what it is.
const NEAR: usize = 4;

/// How far a line is followed, in pieces and in bytes.
const MAX_PIECES: usize = 200;
const MAX_LINE: usize = 400;

/// The longest value kept, in bytes.
const MAX_VALUE: usize = 500;

/// A page as fields are read from it.
pub(super) struct Sheet<'a> {
    pub(super) text: &'a str,
    pub(super) title: &'a str,
    pub(super) outline: &'a Outline,
    /// Where each link leads.
    leads: Vec<Leads>,
}

/// What stands between two pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Border {
    /// They stand on one line.
    None,
    Cell,
    Line,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(content: &'a Content) -> Self {
        let outline = &content.outline;
        let leads = (0..outline.links.len()).map(|link| address::leads(outline.href(link))).collect();
        Self { text: &content.text, title: &content.title, outline, leads }
    }

    pub(super) fn len(&self) -> usize {
        self.outline.pieces.len()
    }

    pub(super) fn piece(&self, at: usize) -> &'a str {
        self.outline.pieces.get(at).map_or("", |piece| piece.text(self.text))
    }

    pub(super) fn range(&self, at: usize) -> Range<usize> {
        self.outline.pieces.get(at).map_or(self.text.len()..self.text.len(), |piece| piece.range(self.text))
    }

    pub(super) fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default().trim()
    }

    /// What stands in front of a piece; beyond the last one there is the end of a line.
    pub(super) fn border(&self, at: usize) -> Border {
        if at >= self.len() {
            return Border::Line;
        }
        let start = self.range(at).start;
        match start.checked_sub(1).and_then(|before| self.text.as_bytes().get(before)) {
            None | Some(b'\n') => Border::Line,
            Some(b'\t') => Border::Cell,
            Some(_) => Border::None,
        }
    }

    /// The first piece after `at` that stands on another line or in another cell.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let end = self.len().min(at + MAX_PIECES);
        (at + 1..end).find(|&next| self.border(next) != Border::None).unwrap_or(end)
    }

    /// The pieces that touch a range of the text.
    pub(super) fn pieces_in(&self, range: &Range<usize>) -> Range<usize> {
        let pieces = &self.outline.pieces;
        let start = pieces.partition_point(|piece| piece.range(self.text).end <= range.start);
        let end = pieces.partition_point(|piece| piece.range(self.text).start < range.end);
        start..end.max(start)
    }

    /// The line or cell that a place in the text belongs to, as far as it is near.
    pub(super) fn line(&self, at: usize) -> Range<usize> {
        let is_border = |c: char| matches!(c, '\n' | '\t');
        let (first, last) =
            (self.text.ceil_char_boundary(at.saturating_sub(MAX_LINE)), self.text.floor_char_boundary(at + MAX_LINE));
        let before = self.text.get(first..at).unwrap_or_default();
        let after = self.text.get(at..last).unwrap_or_default();
        let start = before.rfind(is_border).map_or(0, |border| border + 1);
        first.min(at) + start..at + after.find(is_border).unwrap_or(after.len())
    }

    pub(super) fn link(&self, at: usize) -> Option<usize> {
        self.outline.pieces.get(at).and_then(Piece::link)
    }

    /// Where a link leads.
    pub(super) fn leads(&self, link: usize) -> Leads {
        self.leads.get(link).copied().unwrap_or(Leads::Other)
    }

    pub(super) fn is_control(&self, at: usize) -> bool {
        self.outline.pieces.get(at).is_some_and(|piece| piece.is_control)
    }

    pub(super) fn is_alt(&self, at: usize) -> bool {
        self.outline.pieces.get(at).is_some_and(|piece| piece.is_alt)
    }

    pub(super) fn node(&self, at: usize) -> usize {
        self.outline.pieces.get(at).map_or(0, |piece| piece.node)
    }

    /// Whether an element close around a piece carries a hint.
    pub(super) fn is_near(&self, at: usize, hint: Hints) -> bool {
        self.outline.lineage(self.node(at)).take(NEAR).any(|(_, node)| node.hints.has(hint))
    }

    /// Whether a piece stands in what surrounds the page's own content.
    pub(super) fn is_frame(&self, at: usize) -> bool {
        self.outline.lineage(self.node(at)).any(|(_, node)| node.tag == Tag::Frame || node.hints.has(Hints::FRAME))
    }

    /// Whether an element near a piece is one that names what follows: a label, a term, a head of a row.
    pub(super) fn is_name(&self, at: usize) -> bool {
        self.outline.lineage(self.node(at)).take(3).any(|(_, node)| {
            matches!(node.tag, Tag::Name | Tag::HeadCell | Tag::Heading(_)) || node.hints.has(Hints::LABEL)
        })
    }
}

/// A value as it is kept: on one line, of bounded length.
pub(super) fn one_line(text: &str) -> String {
    let text = text.get(..text.floor_char_boundary(MAX_VALUE)).unwrap_or_default().trim();
    text.chars().map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c }).collect()
}

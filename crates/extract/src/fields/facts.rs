use std::ops::Range;

use model::{Field, Source};

use super::{
    labels::{self, Key},
    sheet::{Border, Sheet},
};
use crate::walk::outline::Tag;

/// Labels beyond this number say nothing more.
const MAX_FACTS: usize = 3000;

/// Columns beyond this number head nothing.
const MAX_COLUMNS: usize = 40;

/// The longest stretch of a line behind a label that is taken for its value, in bytes.
const MAX_VALUE: usize = 4000;

/// What stands between one label with its value and the next on one line.
const SEPARATORS: [char; 3] = ['·', '|', '•'];

/// A label, and what stands behind it.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    pub(super) key: Key,
    pub(super) label: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) source: Source,
    pub(super) confidence: u8,
}

/// Every label of a page, in order.
pub(super) struct Facts(Vec<Fact>);

impl Facts {
    pub(super) fn read(sheet: &Sheet<'_>) -> Self {
        let mut facts = Vec::new();
        for at in 0..sheet.len() {
            if facts.len() >= MAX_FACTS {
                break;
            }
            if !sheet.is_control(at) && !sheet.is_alt(at) {
                read_piece(sheet, at, &mut facts);
            }
        }
        Self(facts)
    }

    pub(super) fn all(&self) -> &[Fact] {
        &self.0
    }

    /// Those whose labels stand in a range of the text.
    pub(super) fn within(&self, range: &Range<usize>) -> &[Fact] {
        let start = self.0.partition_point(|fact| fact.label.start < range.start);
        let end = self.0.partition_point(|fact| fact.label.start < range.end);
        self.0.get(start..end).unwrap_or_default()
    }

    /// The best value of a key that `read` understands; it tells how much surer or less sure the value makes it. What stands before `from` counts less.
    pub(super) fn best<T>(
        &self,
        sheet: &Sheet<'_>,
        key: Key,
        from: usize,
        read: impl Fn(&Fact, &str) -> Option<(T, i32)>,
    ) -> Option<Field<T>> {
        let mut best: Option<(i32, Field<T>)> = None;
        for fact in self.0.iter().filter(|fact| fact.key == key) {
            let Some((value, bonus)) = read(fact, sheet.slice(fact.value.clone())) else { continue };
            let at = sheet.pieces_in(&fact.label).start;
            let penalty = 30 * i32::from(fact.label.start < from) + 30 * i32::from(sheet.is_frame(at));
            let score = (i32::from(fact.confidence) + bonus - penalty).clamp(5, 99);
            if best.as_ref().is_none_or(|(least, _)| score > *least) {
                best =
                    Some((score, Field { value, confidence: u8::try_from(score).unwrap_or(5), source: fact.source }));
            }
        }
        best.map(|(_, field)| field)
    }
}

fn read_piece(sheet: &Sheet<'_>, at: usize, facts: &mut Vec<Fact>) {
    let range = sheet.range(at);
    let text = sheet.slice(range.clone());
    if let Some(key) = labels::key(text) {
        // The word behind a label is its value: `Payment` | `Escrow`.
        let is_value = facts.last().is_some_and(|last| last.value == range && last.key != Key::Else);
        if is_value {
            return;
        }
        facts.extend(of_whole_piece(sheet, at, key, text));
        return;
    }
    if !text.contains(':') {
        return;
    }
    let mut start = range.start;
    for line in text.split_inclusive(|c: char| c == '\n' || SEPARATORS.contains(&c)) {
        let end = start + line.len();
        facts.extend(of_part(sheet, at, start..end, end == range.end));
        start = end;
    }
}

/// A piece that is a label and nothing else.
fn of_whole_piece(sheet: &Sheet<'_>, at: usize, key: Key, text: &str) -> Option<Fact> {
    let (label, next) = (sheet.range(at), at + 1);
    let has_colon = text.ends_with([':', '：']) || sheet.piece(next).starts_with(':');
    let is_name = sheet.is_name(at);
    let (begins, ends) = (sheet.border(at) != Border::None, sheet.border(next) != Border::None);
    // Short words are labels only where they are marked as such; what is in a link leads somewhere.
    let is_weak = text.chars().count() <= 4 && !matches!(key, Key::Else | Key::Sold) || sheet.link(at).is_some();
    let leads_to_name = key == Key::Vendor && !ends && sheet.link(next).is_some();
    if !(has_colon
        || is_name && sheet.link(at).is_none()
        || leads_to_name
        || !is_weak && begins && (ends || sheet.node(next) != sheet.node(at)))
    {
        return None;
    }
    let (value, source, confidence) = if !ends {
        let sure = if has_colon {
            95
        } else if is_name {
            90
        } else {
            80
        };
        (rest_of_line(sheet, label.end, next), Source::Label, sure)
    } else if let Some(value) = under_head(sheet, at) {
        (value, Source::Column, 75)
    } else {
        let is_cell = sheet.border(next) == Border::Cell;
        let sure = if is_cell || has_colon {
            90
        } else if is_name {
            80
        } else {
            65
        };
        (value_at(sheet, next)?, Source::Label, sure)
    };
    Some(Fact { key, label, value, source, confidence })
}

/// Part of a piece that holds a label, a colon, and perhaps the value.
fn of_part(sheet: &Sheet<'_>, at: usize, part: Range<usize>, is_last: bool) -> Option<Fact> {
    let text = sheet.text.get(part.clone())?;
    let window = text.get(..text.floor_char_boundary(labels::MAX_LABEL + 8))?;
    let colon = window.find(':')?;
    let key = labels::key(window.get(..colon)?.trim())?;
    let label = part.start..part.start + colon + 1;
    let rest = text.get(colon + 1..)?.trim_matches(|c: char| c.is_whitespace() || SEPARATORS.contains(&c));
    let value = if !rest.is_empty() {
        let is_open = is_last && sheet.border(at + 1) == Border::None;
        if is_open { rest_of_line(sheet, label.end, at + 1) } else { label.end..part.end }
    } else if is_last && sheet.border(at + 1) == Border::None {
        rest_of_line(sheet, label.end, at + 1)
    } else if is_last {
        value_at(sheet, at + 1)?
    } else {
        return None;
    };
    Some(Fact { key, label, value, source: Source::Label, confidence: 92 })
}

/// From a place in the text to the end of its line, or to the next label on it. `next` is the piece that comes after the place.
fn rest_of_line(sheet: &Sheet<'_>, from: usize, next: usize) -> Range<usize> {
    let mut end = from;
    for at in next..sheet.line_end(next.saturating_sub(1)) {
        let text = sheet.piece(at);
        let range = sheet.range(at);
        if range.end > from + MAX_VALUE || sheet.is_control(at) || text.ends_with(':') && labels::key(text).is_some() {
            break;
        }
        // A separator ends the value where another label follows it.
        let label_behind = text.find(SEPARATORS).filter(|&cut| text.get(cut..).is_some_and(|rest| rest.contains(':')));
        if let Some(cut) = label_behind {
            return from..range.start + cut;
        }
        end = range.end;
    }
    from..end.max(from)
}

/// The line or cell that begins with a piece, unless it is a label itself or part of a form.
fn value_at(sheet: &Sheet<'_>, at: usize) -> Option<Range<usize>> {
    let text = sheet.piece(at);
    if at >= sheet.len()
        || sheet.is_control(at)
        || labels::key(text).is_some_and(|_| text.ends_with(':') || sheet.is_name(at))
    {
        return None;
    }
    let last = sheet.line_end(at).saturating_sub(1);
    let range = sheet.range(at).start..sheet.range(last).end;
    (range.len() <= MAX_VALUE).then_some(range)
}

/// What stands under a label that is one of the heads of a table.
fn under_head(sheet: &Sheet<'_>, at: usize) -> Option<Range<usize>> {
    let outline = sheet.outline;
    let (cell, _) =
        outline.lineage(sheet.node(at)).take(4).find(|(_, node)| matches!(node.tag, Tag::Cell | Tag::HeadCell))?;
    let row = outline.parent(cell)?;
    let (mut column, mut heads) = (0, 0);
    for (place, other) in outline.children(row).enumerate() {
        if place >= MAX_COLUMNS {
            return None;
        }
        if other == cell {
            column = place;
        }
        let pieces = outline.nodes.get(other)?.pieces.clone();
        if pieces.is_empty() {
            continue;
        }
        let is_head = outline.nodes.get(other)?.tag == Tag::HeadCell
            || pieces.len() == 1 && labels::key(sheet.piece(pieces.start)).is_some();
        if !is_head {
            return None;
        }
        heads += 1;
    }
    // Two cells are a name and its value.
    if heads < 2 || heads < 3 && outline.nodes.get(cell).is_some_and(|cell| cell.tag == Tag::Cell) {
        return None;
    }
    let after = outline.nodes.get(row)?.end;
    // The next row may stand in the table's body while this one stands in its head.
    let next = (after..outline.nodes.len().min(after + 3))
        .find(|&node| outline.nodes.get(node).is_some_and(|node| node.tag == Tag::Row))?;
    let below = outline.children(next).nth(column)?;
    let pieces = outline.nodes.get(below)?.pieces.clone();
    (!pieces.is_empty()).then(|| sheet.range(pieces.start).start..sheet.range(pieces.end - 1).end)
}

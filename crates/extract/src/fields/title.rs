use std::ops::Range;

use model::{Field, Source};

use super::{
    labels,
    sheet::{Border, Sheet, one_line},
};
use crate::walk::outline::{Hints, Tag};

/// The longest heading that is a title, in bytes.
const MAX_TITLE: usize = 400;

/// How far before the facts a title stands, in bytes, and how many pieces are looked at for one.
const NEAR: usize = 600;
const MAX_PIECES: usize = 5000;

/// What stands between the parts of a page's title.
const SEPARATORS: &[&str] = &[" - ", " | ", " :: ", " » ", " – ", " — ", " · ", " / ", ": "];

/// Headings that say what stands below them rather than what the page is about.
const COMMON: &[&str] = &[
    "listing options",
    "browse categories",
    "search options",
    "profile actions",
    "exchange rates",
    "description",
    "feedback",
    "reviews",
    "refund policy",
    "product details",
    "product description",
    "product",
    "listing",
    "listings",
    "item",
    "item details",
    "details",
    "product information",
    "vendor information",
    "related products",
    "similar products",
    "other listings",
    "more from this vendor",
    "shipping options",
    "terms and conditions",
    "terms & conditions",
    "welcome",
    "menu",
    "search",
    "categories",
    "navigation",
    "buy now",
    "order",
    "place order",
    "login",
    "home",
    "information",
    "about",
    "market",
    "purchase",
    "comments",
    "beschrijving",
    "omschrijving",
    "beoordelingen",
    "beschreibung",
    "bewertungen",
    "описание",
    "отзывы",
    "категории",
];

/// A heading, or what serves as one.
struct Candidate {
    text: Range<usize>,
    score: i32,
    source: Source,
}

/// The title of what a page is about, and where in the text it stands. `anchor` is where the first facts about it stand.
pub(super) fn read(sheet: &Sheet<'_>, anchor: Option<usize>) -> Option<(Field<String>, Range<usize>)> {
    let parts = title_parts(sheet.title);
    let mut best: Option<Candidate> = None;
    let outline = sheet.outline;
    for (at, node) in outline.nodes.iter().enumerate() {
        let level = match node.tag {
            Tag::Heading(level) => i32::from(level),
            _ if node.hints.has(Hints::TITLE) && node.pieces.len() <= 6 => 6,
            _ => continue,
        };
        if node.pieces.is_empty() {
            continue;
        }
        let text = sheet.range(node.pieces.start).start..first_line_end(sheet, &node.pieces);
        if text.len() > MAX_TITLE || text.is_empty() {
            continue;
        }
        let score = score(sheet, at, level, &text, &parts, anchor);
        if best.as_ref().is_none_or(|best| score > best.score) {
            let source = if level < 6 { Source::Heading } else { Source::Class };
            best = Some(Candidate { text, score, source });
        }
    }
    let best = best.filter(|best| best.score >= 30);
    if let Some(Candidate { text, score, source }) = best {
        let confidence = u8::try_from(score.clamp(20, 98)).unwrap_or(20);
        let value = one_line(sheet.slice(text.clone()));
        return Some((Field { value, confidence, source }, text));
    }
    without_headings(sheet, &parts, anchor)
}

/// Where no heading will do: the line that the page's title repeats, the longest one shortly before the facts, or the longer part of the title.
fn without_headings(sheet: &Sheet<'_>, parts: &[&str], anchor: Option<usize>) -> Option<(Field<String>, Range<usize>)> {
    let mut best: Option<(usize, Range<usize>)> = None;
    let first = anchor.map_or(0, |anchor| anchor.saturating_sub(NEAR));
    let start = sheet.outline.pieces.partition_point(|piece| piece.range(sheet.text).end < first);
    for at in (start..sheet.len()).take(MAX_PIECES).filter(|&at| sheet.border(at) != Border::None) {
        let range = sheet.range(at);
        if anchor.is_some_and(|anchor| range.start >= anchor) {
            break;
        }
        let line = range.start..sheet.range(sheet.line_end(at).saturating_sub(1)).end;
        let text = sheet.slice(line.clone());
        let is_repeated = parts.len() > 1 && parts.contains(&text);
        let is_other = sheet.link(at).is_some() || sheet.is_control(at) || sheet.is_frame(at) || text.ends_with(':');
        if text.len() > MAX_TITLE || text.len() < 5 || is_common(text) || is_other && !is_repeated {
            continue;
        }
        let weight = if is_repeated { 1000 } else { text.len().min(120) };
        if (anchor.is_some() || is_repeated) && best.as_ref().is_none_or(|(least, _)| weight > *least) {
            best = Some((weight, line));
        }
    }
    if let Some((weight, line)) = best {
        let confidence = if weight == 1000 { 75 } else { 35 };
        let value = one_line(sheet.slice(line.clone()));
        return Some((Field { value, confidence, source: Source::Pattern }, line));
    }
    // The name of the site is short.
    let part = parts.iter().skip(1).max_by_key(|part| part.len()).filter(|part| !is_common(part))?;
    Some((Field { value: one_line(part), confidence: 45, source: Source::Title }, 0..0))
}

/// Where the line ends that the pieces begin: a heading may hold more than one.
fn first_line_end(sheet: &Sheet<'_>, pieces: &Range<usize>) -> usize {
    let end = (pieces.start + 1..pieces.end).find(|&at| sheet.border(at) != Border::None).unwrap_or(pieces.end);
    sheet.range(end - 1).end
}

fn score(sheet: &Sheet<'_>, at: usize, level: i32, range: &Range<usize>, parts: &[&str], anchor: Option<usize>) -> i32 {
    let outline = sheet.outline;
    let text = sheet.slice(range.clone());
    let Some(node) = outline.nodes.get(at) else { return 0 };
    let link = node.pieces.clone().find_map(|piece| sheet.link(piece));
    let href = link.map(|link| outline.href(link));
    let leads_home = href.is_some_and(|href| {
        matches!(
            href.trim_end_matches('/')
                .split_once("://")
                .map_or(href.trim_end_matches('/'), |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path)),
            "" | "index.php" | "home" | "index" | "."
        )
    });
    let mut score = 60 - 4 * level;
    if is_common(text) || labels::key(text).is_some() {
        score -= 60;
    }
    if leads_home {
        score -= 60;
    } else if link.is_some() {
        score -= 20;
    }
    if sheet.is_frame(node.pieces.start) {
        score -= 30;
    }
    if sheet.is_control(node.pieces.start) {
        score -= 60;
    }
    if parts.contains(&text) {
        // The part that all pages share is the site's name, and it is the first or the last and rarely longer than the other.
        score += if parts.len() > 1 { 25 } else { 5 };
    } else if parts.len() > 1
        && parts.iter().any(|part| {
            part.len() >= 12
                && (text.starts_with(part.trim_end_matches(['.', '…'])) || part.starts_with(text) && text.len() > 12)
        })
    {
        score += 20;
    }
    if let Some(anchor) = anchor {
        // What the facts are about stands before them, and close to them; a heading behind them begins something else.
        let distance = anchor.checked_sub(range.start);
        score += match distance {
            Some(distance) if distance < 400 => 15,
            Some(distance) if distance < 3000 => 10,
            Some(_) => 0,
            None => -15,
        };
    }
    if node.hints.has(Hints::TITLE) {
        score += 6;
    }
    if text.len() < 4 {
        score -= 15;
    }
    score
}

fn is_common(text: &str) -> bool {
    let lower = text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    COMMON.contains(&lower.as_str())
}

/// The parts of a page's title: the name of the site, and what the page is about.
fn title_parts(title: &str) -> Vec<&str> {
    let mut parts = vec![title.trim()];
    // The first separator alone: titles of goods have their own.
    let first = SEPARATORS.iter().filter_map(|separator| Some((title.find(separator)?, separator))).min();
    if let Some((at, separator)) = first {
        parts.extend([title.get(..at), title.get(at + separator.len()..)].into_iter().flatten().map(str::trim));
    }
    let last = SEPARATORS.iter().filter_map(|separator| Some((title.rfind(separator)?, separator))).max();
    if let Some((at, separator)) = last {
        parts.extend([title.get(..at), title.get(at + separator.len()..)].into_iter().flatten().map(str::trim));
    }
    parts.retain(|part| !part.is_empty());
    parts
}

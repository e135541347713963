use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Range,
};

use model::{Field, Source, VendorFields};

use super::{
    facts::{Fact, Facts},
    labels::Key,
    listing::digits,
    people, place,
    sheet::{Sheet, one_line},
};
use crate::walk::outline::{Node, Tag};

/// The longest date or remark in place of one, in bytes.
const MAX_TIME: usize = 60;

/// The longest key kept, in bytes, and how many are.
const MAX_KEY: usize = 64 << 10;
const MAX_KEYS: usize = 4;

/// Headings beyond this number name nobody.
const MAX_HEADINGS: usize = 200;

/// Words of headings that stand beside a name.
const AROUND: &[&str] = &[
    "vendor profile",
    "user profile",
    "seller profile",
    "profile of",
    "profile for",
    "profile",
    "vendor",
    "seller",
    "user",
    "store of",
    "public key of",
    "key of",
    "feedback for",
    "feedback of",
    "профиль",
    "verkoperprofiel",
    "profiel",
];

/// Reads the fields of a page about one seller.
pub(super) fn read(sheet: &Sheet<'_>, facts: &Facts) -> VendorFields {
    let (name, from) = name(sheet, facts).map_or((None, 0), |(field, at)| (Some(field), at));
    let times = |key: Key| facts.best(sheet, key, from, |fact, _| time(sheet, &fact.value));
    VendorFields {
        joined: times(Key::Joined),
        last_seen: times(Key::LastSeen),
        rating: facts.best(sheet, Key::Rating, from, |fact, value| rating(sheet.slice(fact.label.clone()), value)),
        sales: sales(sheet, name.as_ref(), from)
            .or_else(|| facts.best(sheet, Key::Sold, from, |_, value| Some((digits(value)?, 0)))),
        level: level(sheet, from).or_else(|| facts.best(sheet, Key::Level, from, |_, value| short(value))),
        ships_from: facts.best(sheet, Key::ShipsFrom, from, |_, value| {
            place::places(value).map(|(names, all_known)| (names.join(", "), if all_known { 3 } else { -20 }))
        }),
        ships_to: facts.best(sheet, Key::ShipsTo, from, |_, value| {
            place::places(value).map(|(names, all_known)| (names, if all_known { 3 } else { -20 }))
        }),
        keys: keys(sheet.text),
        name,
    }
}

fn short(value: &str) -> Option<(String, i32)> {
    let value = value.split(['\n', '\t']).next().unwrap_or_default().trim();
    (!value.is_empty() && value.len() <= MAX_TIME).then(|| (one_line(value), 0))
}

/// The name, and where it stands. A heading that begins with it, an address that ends in it and a label before it speak for it.
fn name(sheet: &Sheet<'_>, facts: &Facts) -> Option<(Field<String>, usize)> {
    let outline = sheet.outline;
    let ends = ends_of_links(sheet);
    let mut best: Option<(i32, String, usize)> = None;
    let is_heading = |node: &&Node| matches!(node.tag, Tag::Heading(_)) && !node.pieces.is_empty();
    for node in outline.nodes.iter().filter(is_heading).take(MAX_HEADINGS) {
        let Tag::Heading(level) = node.tag else { continue };
        let at = node.pieces.start;
        let whole = sheet.slice(sheet.range(at).start..sheet.range(node.pieces.end - 1).end);
        let Some((bare, is_marked)) = bare_name(sheet, &node.pieces) else { continue };
        let is_linked = ends.contains(&folded(&bare));
        let leads_home = sheet.link(at).is_some_and(|link| matches!(outline.href(link), "/" | "./"));
        let score = 50 - 4 * i32::from(level) + 30 * i32::from(is_linked) + 15 * i32::from(is_marked)
            - 20 * i32::from(bare.contains(' '))
            - 50 * i32::from(leads_home)
            - 30 * i32::from(super::labels::key(whole).is_some())
            - 20 * i32::from(sheet.is_frame(at));
        if score >= 35 && best.as_ref().is_none_or(|(least, _, _)| score > *least) {
            best = Some((score, bare, sheet.range(at).start));
        }
    }
    if let Some((score, value, at)) = best {
        return Some((
            Field { value, confidence: u8::try_from(score.clamp(5, 95)).unwrap_or(5), source: Source::Heading },
            at,
        ));
    }
    let of = |key: Key| facts.best(sheet, key, 0, |fact: &Fact, _| people::name_in(sheet, &fact.value));
    of(Key::Vendor).or_else(|| of(Key::Name)).map(|field| (field, 0)).or_else(|| told_name(sheet, facts, &ends))
}

/// Without heading and label: the last text before the facts that is a name in an address of the page.
fn told_name(sheet: &Sheet<'_>, facts: &Facts, ends: &HashSet<u64>) -> Option<(Field<String>, usize)> {
    let first = facts.all().iter().find(|fact| matches!(fact.key, Key::Joined | Key::LastSeen | Key::Rating))?;
    let last = sheet.pieces_in(&first.label).start;
    let at = (last.saturating_sub(MAX_HEADINGS)..last).rev().find(|&at| {
        let is_told = sheet.link(at).is_none() && !sheet.is_alt(at) && !sheet.is_control(at);
        is_told && people::name(sheet.piece(at)).is_some_and(|name| name.len() > 2 && ends.contains(&folded(&name)))
    })?;
    let value = people::name(sheet.piece(at))?;
    Some((Field { value, confidence: 55, source: Source::Pattern }, sheet.range(at).start))
}

/// The name that a heading begins or ends with, and whether the rest of it says that it is one.
fn bare_name(sheet: &Sheet<'_>, pieces: &Range<usize>) -> Option<(String, bool)> {
    let first = sheet.piece(pieces.start);
    let whole = sheet.slice(sheet.range(pieces.start).start..sheet.range(pieces.end - 1).end);
    let lower = whole.to_lowercase();
    let around = AROUND.iter().find_map(|word| {
        let start = lower.strip_prefix(word)?;
        start.starts_with([' ', ':']).then_some(word.len())
    });
    if let Some(length) = around
        && let Some(rest) = whole.get(length..)
    {
        return people::name(rest.trim_start_matches([':', ' '])).map(|name| (name, true));
    }
    let is_marked = pieces.len() > 1
        && whole.get(first.len()..).is_some_and(|rest| rest.trim_start().starts_with(['(', '[', '|']))
        || lower.contains("profile")
        || lower.contains("'s ");
    let lower = first.to_lowercase();
    let profile_behind = AROUND.iter().find_map(|word| lower.strip_suffix(word)?.strip_suffix([' ', ':']));
    let first = profile_behind.and_then(|name| first.get(..name.len())).unwrap_or(first);
    people::name(first).map(|name| (name, is_marked))
}

/// What the addresses of a page's links are made of: parts of paths, and values in queries.
fn ends_of_links(sheet: &Sheet<'_>) -> HashSet<u64> {
    let outline = sheet.outline;
    let hrefs = (0..outline.links.len()).map(|link| outline.href(link));
    hrefs.flat_map(|href| href.split(['/', '=', '?', '&', '#'])).filter(|part| !part.is_empty()).map(folded).collect()
}

/// Equal for names that differ in case only.
fn folded(name: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    name.bytes().for_each(|byte| byte.to_ascii_lowercase().hash(&mut hash));
    hash.finish()
}

fn time(sheet: &Sheet<'_>, value: &Range<usize>) -> Option<(String, i32)> {
    let (text, _) = short(sheet.slice(value.clone()))?;
    let text = text.trim_matches([':', ' ']).to_owned();
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let is_told = [
        "within",
        "whithin",
        "today",
        "yesterday",
        "recently",
        "now",
        "online",
        "ago",
        "day",
        "week",
        "month",
        "vandaag",
        "gisteren",
        "heute",
        "gestern",
        "сегодня",
        "вчера",
        "недавно",
    ]
    .iter()
    .any(|word| text.to_lowercase().contains(word));
    (has_digit || is_told).then_some((text, if has_digit { 2 } else { 0 }))
}

/// A share or a mark: a number with `%`, `/`, `★`, or one that the label says is a rating.
fn rating(label: &str, value: &str) -> Option<(String, i32)> {
    let value = value.split(['\n', '\t']).next().unwrap_or_default().trim_start_matches([':', ' ', '(']);
    let number: String = value.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).collect();
    let number = number.trim_end_matches([',', '.']);
    let rest = value.get(number.len()..).unwrap_or_default().trim_start();
    if number.is_empty() {
        return None;
    }
    let is_positive = label.to_lowercase().contains("positive");
    if rest.starts_with('%') {
        return Some((format!("{number}%"), 4 + 4 * i32::from(is_positive)));
    }
    if let Some(of) = rest.strip_prefix('/') {
        let of: String = of.trim_start().chars().take_while(char::is_ascii_digit).collect();
        return (!of.is_empty()).then(|| (format!("{number}/{of}"), 0));
    }
    Some((number.to_owned(), if number.contains('.') { -10 } else { -35 }))
}

/// The number in brackets behind the name.
fn sales(sheet: &Sheet<'_>, name: Option<&Field<String>>, from: usize) -> Option<Field<String>> {
    let name = name?;
    let rest = sheet.text.get(from..)?;
    for (at, _) in rest.match_indices(name.value.as_str()).take(8) {
        let behind = rest.get(at + name.value.len()..)?.trim_start_matches([' ', '\u{A0}']);
        if let Some(number) =
            behind.strip_prefix('(').and_then(|inner| inner.split_once(')')).map(|(inner, _)| inner.trim())
            && let Some(value) = digits(number)
            && number.len() <= 12
            && number.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'))
            && !number.contains('.')
        {
            return Some(Field { value, confidence: 75, source: Source::Pattern });
        }
    }
    None
}

/// `Vendor level 7`, as a text of its own.
fn level(sheet: &Sheet<'_>, from: usize) -> Option<Field<String>> {
    let start = sheet.pieces_in(&(from..sheet.text.len())).start;
    (start..sheet.len().min(start + 200)).find_map(|at| {
        let text = sheet.piece(at);
        let lower = text.to_lowercase();
        let rest = ["vendor level", "seller level", "level", "lvl", "niveau", "уровень"]
            .iter()
            .find_map(|word| lower.strip_prefix(word))?;
        let number = rest.trim_start_matches([' ', ':', '.']);
        let is_level = !number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
        is_level.then(|| Field { value: one_line(text), confidence: 80, source: Source::Pattern })
    })
}

/// Armoured public keys (RFC 9580, section 6.2).
fn keys(text: &str) -> Vec<Field<String>> {
    const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";
    let mut keys = Vec::new();
    let mut rest = text;
    while keys.len() < MAX_KEYS
        && let Some(start) = rest.find(BEGIN)
    {
        rest = rest.get(start..).unwrap_or_default();
        let Some(end) = rest.find(END).map(|end| end + END.len()) else { break };
        let (key, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if key.len() <= MAX_KEY {
            keys.push(Field { value: key.to_owned(), confidence: 95, source: Source::Pattern });
        }
        rest = after;
    }
    keys
}

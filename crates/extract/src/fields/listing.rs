use std::ops::Range;

use model::{Field, ListingFields, Price, Source};

use super::{
    address::{self, Leads},
    facts::{Fact, Facts},
    labels::Key,
    people, place,
    price::{self, Found},
    sheet::{Sheet, one_line},
    title,
};
use crate::walk::outline::{Hints, Tag};

/// The longest value that is a word for how money is held, in bytes.
const MAX_WORDS: usize = 60;

/// The way to a page takes no more pieces of text than this.
const MAX_CRUMBS: usize = 24;

/// How far behind its label a price may end, in bytes.
const MAX_PRICE: usize = 60;

/// Words that stand where a number would.
const BOUNDLESS: &[&str] = &[
    "unlimited",
    "infinite",
    "∞",
    "in stock",
    "out of stock",
    "yes",
    "no",
    "available",
    "onbeperkt",
    "unbegrenzt",
    "неограниченно",
];

/// Reads the fields of a page about one offer.
pub(super) fn read(sheet: &Sheet<'_>, facts: &Facts, prices: &[Found]) -> ListingFields {
    let anchor = first_fact(sheet, facts);
    let (title, place) = title::read(sheet, anchor).map_or((None, 0..0), |(field, place)| (Some(field), place));
    let from = if anchor.is_some_and(|anchor| anchor < place.end) { 0 } else { place.end };
    let (ships_from, ships_to) = ships(sheet, facts, from);
    ListingFields {
        price: labelled_price(sheet, facts, from).or_else(|| shown_price(sheet, prices, from)),
        vendor: vendor(sheet, facts, from),
        ships_from,
        ships_to,
        category: category(sheet, facts, from, &place),
        stock: facts.best(sheet, Key::Stock, from, |_, value| Some((count(value)?, 0))),
        sold: facts
            .best(sheet, Key::Sold, from, |_, value| Some((digits(value)?, 0)))
            .or_else(|| told_sold(sheet, from)),
        escrow: escrow(sheet, facts, from),
        payment: payment(sheet, facts, from),
        title,
    }
}

/// Where the first label stands that goods have and little else has, outside of search forms.
fn first_fact(sheet: &Sheet<'_>, facts: &Facts) -> Option<usize> {
    let is_of_goods = |fact: &&Fact| match fact.key {
        Key::Price => {
            let value = sheet.slice(fact.value.clone());
            !price::prices(value.get(..value.floor_char_boundary(MAX_PRICE)).unwrap_or_default(), 1).is_empty()
        }
        Key::Vendor => people::name_in(sheet, &fact.value).is_some_and(|(_, bonus)| bonus >= 0),
        Key::ShipsFrom | Key::ShipsTo => {
            place::places(sheet.slice(fact.value.clone())).is_some_and(|(_, all_known)| all_known)
        }
        _ => false,
    };
    facts.all().iter().find(is_of_goods).map(|fact| fact.label.start)
}

fn labelled_price(sheet: &Sheet<'_>, facts: &Facts, from: usize) -> Option<Field<Price>> {
    facts.best(sheet, Key::Price, from, |_, value| {
        let near = value.get(..value.floor_char_boundary(MAX_PRICE)).unwrap_or_default();
        let found = price::prices(near, 1).into_iter().next()?;
        // What stands far behind its label belongs to something else.
        Some((found.price, if found.at.start <= 12 { 3 } else { -20 }))
    })
}

/// Without a label: the price that stands alone, largest, soonest behind the title.
fn shown_price(sheet: &Sheet<'_>, prices: &[Found], from: usize) -> Option<Field<Price>> {
    let mut best: Option<(i32, Field<Price>)> = None;
    for found in prices {
        let Some(score) = shown_score(sheet, &found.at) else { continue };
        let score = score - 25 * i32::from(found.at.start < from);
        if score >= 35 && best.as_ref().is_none_or(|(least, _)| score > *least) {
            let confidence = u8::try_from(score.clamp(5, 85)).unwrap_or(5);
            let source = if score >= 60 { Source::Class } else { Source::Pattern };
            best = Some((score, Field { value: found.price.clone(), confidence, source }));
        }
    }
    best.map(|(_, field)| field)
}

/// How much a price looks like the price of what is shown around it.
pub(super) fn shown_score(sheet: &Sheet<'_>, at: &Range<usize>) -> Option<i32> {
    let piece = sheet.pieces_in(at).start;
    if sheet.is_control(piece) {
        return None;
    }
    let line = sheet.line(at.start);
    let before = sheet.text.get(line.start..at.start)?.trim_end();
    let text = sheet.slice(line.clone()).to_lowercase();
    let mut score = 45;
    let rest = line.len().saturating_sub(at.len());
    score += match rest {
        0..=20 => 15,
        21..=60 => 0,
        _ => -20,
    };
    score += 20 * i32::from(sheet.is_near(piece, Hints::PRICE));
    score += 8 * i32::from(
        sheet.outline.lineage(sheet.node(piece)).take(3).any(|(_, node)| matches!(node.tag, Tag::Heading(_))),
    );
    score -= 20 * i32::from(before.ends_with(['(', '[', '≈', '~', '=']));
    score -= 25 * i32::from(ASIDES.iter().any(|word| text.contains(word)));
    score -= 30 * i32::from(sheet.is_frame(piece));
    Some(score)
}

/// Words beside prices that are not what the thing costs.
const ASIDES: &[&str] = &[
    "bulk",
    "ship",
    "postage",
    "deliver",
    "minimum",
    "discount",
    "save",
    "was ",
    "instead",
    "rate",
    "balance",
    "wallet",
    "fee",
    "verzend",
    "korting",
    "versand",
    "rabatt",
    "доставк",
    "скидк",
    "курс",
    "баланс",
];

fn vendor(sheet: &Sheet<'_>, facts: &Facts, from: usize) -> Option<Field<String>> {
    let labelled = facts.best(sheet, Key::Vendor, from, |fact, _| people::name_in(sheet, &fact.value));
    if labelled.as_ref().is_some_and(|field| field.confidence >= 60) {
        return labelled;
    }
    // The first link behind the title that leads to a person and names them.
    let linked = (0..sheet.len())
        .filter(|&at| sheet.range(at).start >= from && !sheet.is_alt(at) && !sheet.is_frame(at))
        .find_map(|at| {
            let link = sheet.link(at)?;
            let name = (sheet.leads(link) == Leads::Person).then(|| people::name(sheet.piece(at)))??;
            let href = sheet.outline.href(link);
            let confidence = if href.to_lowercase().contains(&name.to_lowercase()) { 75 } else { 60 };
            Some(Field { value: name, confidence, source: Source::Link })
        });
    linked.or(labelled).or_else(|| named_link(sheet, from))
}

/// The first link behind the title whose address ends in the name that it says.
fn named_link(sheet: &Sheet<'_>, from: usize) -> Option<Field<String>> {
    let behind =
        (0..sheet.len()).filter(|&at| sheet.range(at).start >= from && !sheet.is_alt(at) && !sheet.is_frame(at));
    behind.filter_map(|at| Some((sheet.link(at)?, people::name(sheet.piece(at))?))).find_map(|(link, name)| {
        let is_named = address::is_named_by(sheet.outline.href(link), &name);
        is_named.then_some(Field { value: name, confidence: 45, source: Source::Link })
    })
}

fn ships(sheet: &Sheet<'_>, facts: &Facts, start: usize) -> (Option<Field<String>>, Option<Field<Vec<String>>>) {
    let one = |text: &str| {
        let (names, all_known) = place::places(text)?;
        let sure = if all_known { 3 } else { -20 };
        Some((names.join(", "), sure))
    };
    let from_side = |text: &str| one(place::around_arrow(text).map_or(text, |(from, _)| from));
    let to_side = |text: &str| {
        place::places(place::around_arrow(text).map_or(text, |(_, to)| to))
            .map(|(names, all_known)| (names, if all_known { 3 } else { -20 }))
    };
    let both = |key: Key| {
        facts
            .all()
            .iter()
            .filter(|fact| fact.key == key)
            .find(|fact| place::around_arrow(sheet.slice(fact.value.clone())).is_some())
    };
    let from = facts.best(sheet, Key::ShipsFrom, start, |_, value| from_side(value));
    let to = facts.best(sheet, Key::ShipsTo, start, |_, value| to_side(value));
    // One label before both: `Ships from: A → B`.
    let joint = both(Key::ShipsFrom).or_else(|| both(Key::Ships)).or_else(|| both(Key::ShipsTo));
    let joint_value = joint.map(|fact| sheet.slice(fact.value.clone()));
    let field = |confidence: i32, fact: &Fact| {
        (u8::try_from((i32::from(fact.confidence) + confidence).clamp(5, 99)).unwrap_or(5), fact.source)
    };
    let from = from.or_else(|| {
        let (value, sure) = from_side(joint_value?)?;
        let (confidence, source) = field(sure, joint?);
        Some(Field { value, confidence, source })
    });
    let to = to.or_else(|| {
        let (value, sure) = to_side(joint_value?)?;
        let (confidence, source) = field(sure, joint?);
        Some(Field { value, confidence, source })
    });
    if from.is_some() && to.is_some() {
        return (from, to);
    }
    let (told_from, told_to) = told_ships(sheet, start);
    (from.or(told_from), to.or(told_to))
}

fn told<T>(value: T) -> Field<T> {
    Field { value, confidence: 70, source: Source::Pattern }
}

/// Without labels: lines such as `From Germany to Worldwide`, `To: Europe`, `GER → WW`.
pub(super) fn told_ships(sheet: &Sheet<'_>, start: usize) -> (Option<Field<String>>, Option<Field<Vec<String>>>) {
    let (mut from, mut to) = (None, None);
    let known = |text: &str| place::places(text).filter(|(_, all_known)| *all_known).map(|(names, _)| names);
    for line in sheet.text.get(start..).unwrap_or_default().split(['\n', '\t']).filter(|line| line.len() <= 300) {
        let lower = line.trim().to_ascii_lowercase();
        let line = line.trim();
        let strip = |words: &[&str]| {
            words
                .iter()
                .find(|word| lower.starts_with(**word))
                .and_then(|word| line.get(word.len()..))
                .map(|rest| rest.trim_start_matches([':', ' ']))
        };
        let (mut one, mut other) = (None, None);
        if let Some(rest) = strip(&[
            "ships from ",
            "shipping from ",
            "shipped from ",
            "ship from ",
            "from ",
            "verzending vanuit ",
            "versand aus ",
        ]) {
            let lower = rest.to_ascii_lowercase();
            let joint = [" to ", " naar ", " nach "].iter().find_map(|joint| Some((lower.find(joint)?, joint.len())));
            let parted = joint.and_then(|(at, length)| Some((rest.get(..at)?, rest.get(at + length..)?)));
            one = parted.map_or(Some(rest), |(from, _)| Some(from));
            other = parted.map(|(_, to)| to);
        } else if let Some(rest) =
            strip(&["ships to ", "shipping to ", "ship to ", "to ", "verzending naar ", "versand nach "])
        {
            other = Some(rest);
        } else if let Some((from, to)) = place::around_arrow(line) {
            (one, other) = (Some(from), Some(to));
        }
        from = from.or_else(|| one.and_then(known).map(|names| told(names.join(", "))));
        to = to.or_else(|| other.and_then(known).map(told));
        if from.is_some() && to.is_some() {
            break;
        }
    }
    (from, to)
}

fn category(sheet: &Sheet<'_>, facts: &Facts, from: usize, title: &Range<usize>) -> Option<Field<Vec<String>>> {
    let labelled = facts.best(sheet, Key::Category, from, |_, value| {
        let parts: Vec<String> = value
            .split(['>', '»', '→', '›', '\n', '\t'])
            .flat_map(|part| part.split(" / "))
            .map(one_line)
            .filter(|part| !part.is_empty())
            .collect();
        let is_short = parts.len() <= 6 && parts.iter().all(|part| part.len() <= 80);
        (!parts.is_empty() && is_short).then_some((parts, 0))
    });
    labelled.or_else(|| crumbs(sheet, title))
}

/// The links of the smallest element that holds little else, before the title: the way to it from the front page.
fn crumbs(sheet: &Sheet<'_>, title: &Range<usize>) -> Option<Field<Vec<String>>> {
    let outline = sheet.outline;
    let mut found: Vec<(i32, u32, Vec<String>)> = Vec::new();
    for (at, node) in outline.nodes.iter().enumerate() {
        let pieces = node.pieces.clone();
        let is_behind = || sheet.range(pieces.start).start > title.start.max(1) && !node.hints.has(Hints::PATH);
        if pieces.is_empty() || pieces.len() > MAX_CRUMBS || node.tag == Tag::Link || is_behind() {
            continue;
        }
        let is_category = |at: &usize| sheet.link(*at).is_some_and(|link| sheet.leads(link) == Leads::Category);
        let names = pieces.clone().filter(is_category).filter(|&at| !sheet.is_alt(at));
        let names: Vec<String> = names.map(|at| one_line(sheet.piece(at))).collect();
        let letters = |at: usize| sheet.piece(at).chars().filter(|c| c.is_alphanumeric()).count();
        let others: usize = pieces.clone().filter(|at| !is_category(at)).map(letters).sum();
        if names.is_empty() || names.len() > 6 || others > 60 || found.len() >= MAX_CRUMBS * 10 {
            continue;
        }
        let is_path = outline.lineage(at).any(|(_, node)| node.hints.has(Hints::PATH));
        let in_menu = outline.lineage(at).filter(|(_, node)| node.tag == Tag::Item).count();
        let menu = if is_path { 0 } else { 15 * i32::try_from(in_menu.min(4)).unwrap_or_default() };
        let size = i32::try_from(3 * names.len()).unwrap_or_default() - i32::try_from(others / 4).unwrap_or_default();
        if is_path || others <= 8 {
            found.push((40 + 30 * i32::from(is_path) + size - menu, node.signature, names));
        }
    }
    // Many of one kind are a menu.
    let is_alone = |signature: u32| found.iter().filter(|(_, other, _)| *other == signature).count() <= 2;
    let apart = found.iter().filter(|(score, signature, _)| *score >= 65 || *score >= 35 && is_alone(*signature));
    let (score, _, names) = apart.rev().max_by_key(|(score, ..)| *score)?;
    let confidence = u8::try_from((*score).clamp(5, 80)).unwrap_or(5);
    Some(Field { value: names.clone(), confidence, source: Source::Link })
}

/// A number, or a word that stands for one.
fn count(value: &str) -> Option<String> {
    digits(value).or_else(|| {
        let lower = value.to_lowercase();
        let word = BOUNDLESS.iter().find(|word| lower.starts_with(**word))?;
        value.get(..word.len()).map(str::to_owned)
    })
}

/// The number that a value begins with, its thousands joined.
pub(super) fn digits(value: &str) -> Option<String> {
    let value = value.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '(' | '~' | '≈'));
    let number: String = value.chars().take(16).take_while(|c| c.is_ascii_digit() || matches!(c, ',' | '.')).collect();
    let number = number.trim_end_matches([',', '.']);
    number.starts_with(|c: char| c.is_ascii_digit()).then(|| number.replace(',', ""))
}

/// `32 sold since April`, without a label.
fn told_sold(sheet: &Sheet<'_>, from: usize) -> Option<Field<String>> {
    let value = (0..sheet.len()).filter(|&at| sheet.range(at).start >= from).find_map(|at| {
        let text = sheet.piece(at);
        let number = digits(text)?;
        let rest =
            text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ',' | '.')).trim_start().to_lowercase();
        ["sold", "verkocht", "verkauft", "продано", "sales", "orders completed"]
            .iter()
            .any(|word| rest.starts_with(word))
            .then_some(number)
    })?;
    Some(Field { value, confidence: 75, source: Source::Pattern })
}

/// What stands behind a label that asks whether there is escrow.
const ANSWERS: &[&str] = &[
    "yes",
    "no",
    "enabled",
    "disabled",
    "available",
    "required",
    "optional",
    "none",
    "ja",
    "nee",
    "nein",
    "да",
    "нет",
];

/// Words for how the money is held.
fn holds_money(value: &str) -> bool {
    let lower = value.to_lowercase();
    ["escrow", "finalize", "finalise", "multisig", "эскроу", "гарант", "treuhand"]
        .iter()
        .any(|word| lower.contains(word))
        || lower.split(|c: char| !c.is_alphanumeric()).any(|word| word == "fe")
}

fn escrow(sheet: &Sheet<'_>, facts: &Facts, from: usize) -> Option<Field<String>> {
    let first = |fact: &Fact| {
        let piece =
            sheet.pieces_in(&fact.value).find(|&at| sheet.range(at).start >= fact.value.start && !sheet.is_alt(at));
        piece.map_or_else(|| sheet.slice(fact.value.clone()), |at| sheet.piece(at)).trim_matches([':', ' '])
    };
    let labelled = facts.best(sheet, Key::Escrow, from, |fact, _| {
        let value = first(fact);
        let is_answer = ANSWERS.iter().any(|answer| value.eq_ignore_ascii_case(answer));
        let is_word = !value.is_empty() && value.len() <= MAX_WORDS && !value.ends_with(':');
        is_word.then(|| (one_line(value), if is_answer || holds_money(value) { 0 } else { -40 }))
    });
    let paid = facts.best(sheet, Key::Payment, from, |fact, _| {
        let value = first(fact);
        (value.len() <= MAX_WORDS && holds_money(value)).then(|| (one_line(value), 0))
    });
    [labelled, paid].into_iter().flatten().rev().max_by_key(|field| field.confidence)
}

fn payment(sheet: &Sheet<'_>, facts: &Facts, from: usize) -> Option<Field<Vec<String>>> {
    facts.best(sheet, Key::Payment, from, |fact, value| {
        // Logos stand for coins, each with its description.
        let alts: Vec<String> =
            sheet.pieces_in(&fact.value).filter(|&at| sheet.is_alt(at)).map(|at| one_line(sheet.piece(at))).collect();
        let named = || {
            value
                .split([',', '/', '|', ';', '\n', '\t'])
                .flat_map(|part| part.split(" or "))
                .flat_map(|part| part.split(" and "))
                .map(one_line)
                .filter(|part| !part.is_empty())
                .collect()
        };
        let coins: Vec<String> = if alts.is_empty() { named() } else { alts };
        let is_coin =
            |name: &String| name.split(|c: char| !c.is_alphanumeric()).any(|word| price::currency(word).is_some());
        (!coins.is_empty() && coins.iter().all(is_coin)).then_some((coins, 0))
    })
}

use std::{cmp::Reverse, collections::HashMap, ops::Range};

use model::{Price, Row};

use super::{
    address::{self, Leads},
    facts::Facts,
    labels::Key,
    listing, people, price,
    price::Found,
    sheet::{Border, Sheet, one_line},
};
use crate::walk::{
    links::shape,
    outline::{Hints, Tag},
};

/// Columns beyond this number head nothing.
const MAX_COLUMNS: usize = 40;

/// A thing that is listed alone takes no more pieces of text than this.
const MAX_LONE: usize = 40;

/// Rows beyond this number are not read.
const MAX_ROWS: usize = 1000;

/// Groups of links that are tried.
const MAX_GROUPS: usize = 24;

/// The longest address kept, in bytes.
const MAX_HREF: usize = 2000;

/// What links to goods say where they do not name them.
const IDLE: &[&str] = &[
    "view",
    "view listing",
    "view product",
    "view item",
    "view full description",
    "details",
    "more",
    "more info",
    "read more",
    "buy",
    "buy now",
    "order",
    "order now",
    "add to cart",
    "add to favorites",
    "favorite",
    "bekijken",
    "bestellen",
    "koop nu",
    "ansehen",
    "kaufen",
    "подробнее",
    "купить",
    "заказать",
    "…",
    "...",
    "»",
    ">",
];

/// One record of a list: the links to one and the same thing, and what stands around them.
#[derive(Clone)]
struct Record {
    /// The links to it, by their numbers.
    links: Range<usize>,
    /// The pieces of the record.
    pieces: Range<usize>,
}

/// Reads the offers of a list, and where in the text they stand, in order: the links of one shape that each have a price beside them.
pub(super) fn read(sheet: &Sheet<'_>, facts: &Facts, prices: &[Found]) -> (Vec<Row>, Vec<Range<usize>>) {
    if prices.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let groups = groups(sheet);
    let best = groups
        .iter()
        .map(|group| {
            let all = records(sheet, group, prices);
            let records = once_each(sheet, group, &all, prices);
            (rate(sheet, group, &records, prices), group, records, all)
        })
        .filter(|(rating, ..)| *rating > 0)
        .max_by_key(|(rating, group, ..)| (*rating, Reverse(group.first().copied())));
    let Some((_, group, records, all)) = best else { return (Vec::new(), Vec::new()) };
    let read_row = |record: &Record| row(sheet, facts, group, record, prices, records.len());
    let mut rows: Vec<(Row, &Record)> =
        records.iter().take(MAX_ROWS).filter_map(|record| Some((read_row(record)?, record))).collect();
    if rows.iter().all(|(row, _)| row.vendor.is_none()) {
        name_vendors(sheet, group, &mut rows);
    }
    let rows = rows.into_iter().map(|(row, _)| row).collect();
    (rows, all.iter().map(|record| text_range(sheet, &record.pieces)).collect())
}

/// Each thing once: the first of its records that has a price, or the first.
fn once_each(sheet: &Sheet<'_>, group: &[usize], all: &[Record], prices: &[Found]) -> Vec<Record> {
    let mut places: HashMap<&str, (usize, bool)> = HashMap::new();
    let mut once: Vec<Record> = Vec::new();
    for record in all {
        let href = group.get(record.links.start).map_or("", |&link| sheet.outline.href(link));
        let is_priced = has_price(sheet, &record.pieces, prices);
        match places.get(href) {
            Some(&(at, false)) if is_priced => {
                if let Some(place) = once.get_mut(at) {
                    *place = record.clone();
                }
                places.insert(href, (at, true));
            }
            Some(_) => {}
            None => {
                places.insert(href, (once.len(), is_priced));
                once.push(record.clone());
            }
        }
    }
    once
}

/// The links of each shape, in order; those of more distinct addresses first.
fn groups(sheet: &Sheet<'_>) -> Vec<Vec<usize>> {
    let outline = sheet.outline;
    let mut by_shape: HashMap<(u64, Leads), Vec<usize>> = HashMap::new();
    for link in 0..outline.links.len() {
        let href = outline.href(link).trim();
        if !(href.is_empty()
            || href.starts_with(['#'])
            || href.starts_with("javascript:")
            || href.starts_with("mailto:"))
        {
            let leads = sheet.leads(link);
            // People do not sell themselves, and what does something is no offer.
            if matches!(leads, Leads::Goods | Leads::Other) {
                by_shape.entry((shape(href), leads)).or_default().push(link);
            }
        }
    }
    let mut groups: Vec<Vec<usize>> = by_shape.into_values().collect();
    groups.sort_by_key(|group| (Reverse(group.len()), group.first().copied()));
    groups.truncate(MAX_GROUPS);
    groups
}

/// The records that the links of a group stand for: each the largest element that holds no link to another of them, or, where such elements hold no
/// price, all that stands between one and the next.
fn records(sheet: &Sheet<'_>, group: &[usize], prices: &[Found]) -> Vec<Record> {
    let outline = sheet.outline;
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    while let Some(&link) = group.get(start) {
        let href = outline.href(link);
        let length =
            group.get(start..).unwrap_or_default().iter().take_while(|&&other| outline.href(other) == href).count();
        runs.push(start..start + length);
        start += length;
    }
    let node_of = |at: usize| group.get(at).and_then(|&link| outline.links.get(link)).map(|link| link.node);
    let boxes: Vec<Range<usize>> = runs
        .iter()
        .map(|run| {
            let (before, after) = (run.start.checked_sub(1).and_then(node_of), node_of(run.end));
            let Some(first) = node_of(run.start) else { return 0..0 };
            let last = run.end.checked_sub(1).and_then(node_of).unwrap_or(first);
            let mut pieces = 0..0;
            for (at, node) in outline.lineage(first) {
                let holds = |other: Option<usize>| other.is_some_and(|other| at <= other && other < node.end);
                if holds(before) || holds(after) {
                    break;
                }
                pieces = node.pieces.clone();
                // One thing alone: the element that has a price beside the link is all of it.
                let is_alone = before.is_none() && after.is_none();
                if is_alone
                    && last < node.end
                    && has_price(sheet, &pieces, prices)
                    && (node.tag == Tag::Row || node.tag == Tag::Item || pieces.len() > 5)
                {
                    break;
                }
            }
            pieces
        })
        .collect();
    let priced = boxes.iter().filter(|pieces| has_price(sheet, pieces, prices)).count();
    let mut records = Vec::with_capacity(runs.len());
    for (at, run) in runs.iter().enumerate() {
        let Some(own) = boxes.get(at).cloned() else { continue };
        let pieces = if 2 * priced >= runs.len() {
            own
        } else {
            let next = boxes.get(at + 1).map_or((own.end + own.len() * 4).min(sheet.len()), |next| next.start);
            own.start..next.max(own.end)
        };
        records.push(Record { links: run.clone(), pieces });
    }
    records
}

fn text_range(sheet: &Sheet<'_>, pieces: &Range<usize>) -> Range<usize> {
    match pieces.end.checked_sub(1) {
        Some(last) if !pieces.is_empty() => sheet.range(pieces.start).start..sheet.range(last).end,
        _ => 0..0,
    }
}

fn within<'p>(sheet: &Sheet<'_>, pieces: &Range<usize>, prices: &'p [Found]) -> &'p [Found] {
    let range = text_range(sheet, pieces);
    let start = prices.partition_point(|found| found.at.start < range.start);
    let end = prices.partition_point(|found| found.at.end <= range.end);
    prices.get(start..end.max(start)).unwrap_or_default()
}

fn has_price(sheet: &Sheet<'_>, pieces: &Range<usize>, prices: &[Found]) -> bool {
    !within(sheet, pieces, prices).is_empty()
}

/// How much the records look like a list of offers; nothing where most have no price.
fn rate(sheet: &Sheet<'_>, group: &[usize], records: &[Record], prices: &[Found]) -> usize {
    let priced = records.iter().filter(|record| has_price(sheet, &record.pieces, prices)).count();
    if priced == 0 || 5 * priced < 3 * records.len() {
        return 0;
    }
    let named =
        records.iter().filter_map(|record| title(sheet, group, record)).map(|title| title.len().min(60)).sum::<usize>()
            / records.len().max(1);
    let href = group.first().map_or("", |&link| sheet.outline.href(link));
    let is_of_goods = group.first().is_some_and(|&link| sheet.leads(link) == Leads::Goods);
    // One thing among many is told apart by a number or a name.
    let is_of_one = href.trim_matches('/').contains(['/', '=']);
    let words = 40 * usize::from(is_of_goods);
    let is_lone = records.len() == 1;
    let has_people = records
        .iter()
        .filter(|record| {
            record.pieces.clone().any(|at| sheet.link(at).is_some_and(|link| sheet.leads(link) == Leads::Person))
        })
        .count();
    if named < 3 || is_lone && (words == 0 || !is_of_one || records.iter().any(|record| record.pieces.len() > MAX_LONE))
    {
        return 0;
    }
    100 * priced.min(50) / records.len().max(1)
        + 4 * priced.min(50)
        + named
        + words
        + 20 * has_people / records.len().max(1)
}

fn row(
    sheet: &Sheet<'_>,
    facts: &Facts,
    group: &[usize],
    record: &Record,
    prices: &[Found],
    count: usize,
) -> Option<Row> {
    let title_at = title_place(sheet, group, record);
    let title = title(sheet, group, record)?;
    let best = within(sheet, &record.pieces, prices)
        .iter()
        .filter(|found| {
            title_at.as_ref().is_none_or(|title| found.at.end <= title.start || found.at.start >= title.end)
        })
        .enumerate()
        .filter_map(|(order, found)| {
            let labelled = facts
                .within(&sheet.line(found.at.start))
                .iter()
                .any(|fact| fact.key == Key::Price && fact.value.start <= found.at.start);
            let score = listing::shown_score(sheet, &found.at)? + 15 * i32::from(labelled)
                - 2 * i32::try_from(order.min(9)).unwrap_or(9);
            Some((score, Reverse(order), found))
        })
        .max_by_key(|(score, order, _)| (*score, *order));
    let price: Price = best.filter(|(score, ..)| *score > 0)?.2.price.clone();
    let vendor = vendor(sheet, facts, group, record, title_at.as_ref());
    let href = group
        .get(record.links.start)
        .map(|&link| sheet.outline.href(link).trim())
        .filter(|href| href.len() <= MAX_HREF)
        .map(str::to_owned);
    let confidence = 50 + 25 * u8::from(vendor.is_some()) + 15 * u8::from(count >= 3);
    Some(Row { title, vendor, price: Some(price), href, confidence })
}

/// What a record is called.
fn title(sheet: &Sheet<'_>, group: &[usize], record: &Record) -> Option<String> {
    if let Some(place) = title_place(sheet, group, record) {
        let text = one_line(sheet.slice(place));
        return Some(text);
    }
    // Only a picture leads there, and its description says what it shows.
    let alt = record
        .pieces
        .clone()
        .find(|&at| sheet.is_alt(at) && sheet.piece(at).len() > 3 && is_link_of(sheet, group, record, at))?;
    Some(one_line(sheet.piece(alt)))
}

fn is_link_of(sheet: &Sheet<'_>, group: &[usize], record: &Record, at: usize) -> bool {
    let links = group.get(record.links.clone()).unwrap_or_default();
    sheet.link(at).is_some_and(|link| links.binary_search(&link).is_ok())
}

/// Where a record's name stands: in its link, or in a heading beside a link that says no more than "view".
fn title_place(sheet: &Sheet<'_>, group: &[usize], record: &Record) -> Option<Range<usize>> {
    let mut best: Option<Range<usize>> = None;
    let mut at = record.pieces.start;
    while at < record.pieces.end {
        let Some(link) = sheet.link(at).filter(|_| is_link_of(sheet, group, record, at) && !sheet.is_alt(at)) else {
            at += 1;
            continue;
        };
        let mut end = at + 1;
        while end < record.pieces.end && sheet.link(end) == Some(link) && !sheet.is_alt(end) {
            end += 1;
        }
        let range = line_of_name(sheet, at..end);
        if !is_idle(sheet.slice(range.clone())) && best.as_ref().is_none_or(|best| range.len() > best.len()) {
            best = Some(range);
        }
        at = end;
    }
    best.or_else(|| {
        let named = record.pieces.clone().filter(|&at| !sheet.is_alt(at) && !sheet.is_control(at)).find(|&at| {
            let is_heading = sheet
                .outline
                .lineage(sheet.node(at))
                .take(3)
                .any(|(_, node)| matches!(node.tag, Tag::Heading(_)) || node.hints.has(Hints::TITLE));
            let is_person = sheet.link(at).is_some_and(|link| sheet.leads(link) == Leads::Person);
            is_heading && !is_person && sheet.piece(at).len() > 2 && !is_idle(sheet.piece(at))
        })?;
        Some(sheet.range(named))
    })
}

/// A link that holds a whole card: the line of it that is marked as a name, or the first that is no price.
fn line_of_name(sheet: &Sheet<'_>, pieces: Range<usize>) -> Range<usize> {
    let whole = text_range(sheet, &pieces);
    let mut lines: Vec<Range<usize>> = Vec::new();
    for at in pieces {
        match lines.last_mut() {
            Some(last) if sheet.border(at) == Border::None => last.end = at + 1,
            _ => lines.push(at..at + 1),
        }
    }
    if lines.len() < 2 {
        return whole;
    }
    let is_marked = |line: &&Range<usize>| sheet.is_near(line.start, Hints::TITLE) || sheet.is_name(line.start);
    let is_words = |line: &&Range<usize>| {
        let text = sheet.slice(text_range(sheet, line));
        text.len() > 2 && price::prices(text, 1).is_empty()
    };
    lines
        .iter()
        .filter(is_words)
        .find(is_marked)
        .or_else(|| lines.iter().find(is_words))
        .map_or(whole, |line| text_range(sheet, line))
}

fn is_idle(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    lower.len() < 2 && !lower.chars().any(char::is_alphanumeric) || IDLE.contains(&lower.as_str())
}

fn vendor(
    sheet: &Sheet<'_>,
    facts: &Facts,
    group: &[usize],
    record: &Record,
    title: Option<&Range<usize>>,
) -> Option<String> {
    let in_title =
        |at: usize| title.is_some_and(|title| sheet.range(at).start < title.end && sheet.range(at).end > title.start);
    let others = || record.pieces.clone().filter(|&at| !sheet.is_alt(at) && !in_title(at) && !sheet.is_control(at));
    let linked = others().find_map(|at| {
        let link = sheet.link(at).filter(|_| !is_link_of(sheet, group, record, at))?;
        (sheet.leads(link) == Leads::Person).then(|| people::name(sheet.piece(at)))?
    });
    let labelled = || {
        let range = text_range(sheet, &record.pieces);
        facts
            .within(&range)
            .iter()
            .filter(|fact| fact.key == Key::Vendor)
            .find_map(|fact| people::name_in(sheet, &fact.value))
            .map(|(name, _)| name)
    };
    let marked = || {
        others()
            .find(|&at| sheet.is_near(at, Hints::SELLER) && super::labels::key(sheet.piece(at)).is_none())
            .and_then(|at| people::name(sheet.piece(at)))
    };
    linked.or_else(labelled).or_else(|| headed(sheet, record, Key::Vendor)).or_else(marked)
}

/// Where nothing says who sells: the link of each record whose address ends in the name that it says, if nearly all have one.
fn name_vendors(sheet: &Sheet<'_>, group: &[usize], rows: &mut [(Row, &Record)]) {
    let name = |record: &Record| {
        record.pieces.clone().filter(|&at| !sheet.is_alt(at) && !is_link_of(sheet, group, record, at)).find_map(|at| {
            let (link, name) = (sheet.link(at)?, people::name(sheet.piece(at))?);
            address::is_named_by(sheet.outline.href(link), &name).then_some(name)
        })
    };
    let names: Vec<Option<String>> = rows.iter().map(|(_, record)| name(record)).collect();
    let count = names.iter().flatten().count();
    if count >= 3 && 5 * count >= 4 * rows.len() {
        for ((row, _), name) in rows.iter_mut().zip(names) {
            row.vendor = name;
        }
    }
}

/// What stands in the column of a record's row that a label heads.
fn headed(sheet: &Sheet<'_>, record: &Record, key: Key) -> Option<String> {
    let outline = sheet.outline;
    let (row, _) = outline.lineage(sheet.node(record.pieces.start)).find(|(_, node)| node.tag == Tag::Row)?;
    let table = outline.lineage(row).find(|(_, node)| node.tag == Tag::Table)?.0;
    let head = (table..row).find(|&node| outline.nodes.get(node).is_some_and(|node| node.tag == Tag::Row))?;
    let column = outline.children(head).take(MAX_COLUMNS).position(|cell| {
        outline
            .nodes
            .get(cell)
            .is_some_and(|cell| super::labels::key(sheet.slice(text_range(sheet, &cell.pieces))) == Some(key))
    })?;
    let cell = outline.children(row).nth(column)?;
    people::name(sheet.slice(text_range(sheet, &outline.nodes.get(cell)?.pieces)))
}

use std::{collections::HashMap, ops::Range};

use model::Post;

use super::{
    address::Leads,
    people,
    sheet::{Sheet, one_line},
};
use crate::{
    kind::is_date,
    walk::outline::{Hints, Tag},
};

/// Posts beyond this number are not read.
const MAX_POSTS: usize = 1000;

/// The longest text kept of a post, in bytes.
const MAX_TEXT: usize = 20_000;

/// How many pieces of a post are looked at for its author.
const MAX_HEAD: usize = 40;

/// Elements that are looked at for being posts.
const MAX_NODES: usize = 50_000;

/// Reads the posts of a thread: the elements of one name and class that each hold a date and words.
pub(super) fn read(sheet: &Sheet<'_>) -> Vec<Post> {
    let Some(posts) = best_group(sheet) else { return Vec::new() };
    posts.into_iter().take(MAX_POSTS).filter_map(|node| post(sheet, node)).collect()
}

fn best_group(sheet: &Sheet<'_>) -> Option<Vec<usize>> {
    let outline = sheet.outline;
    let dates: Vec<usize> = (0..sheet.len()).filter(|&at| !sheet.is_control(at) && is_date(sheet.piece(at))).collect();
    let dated = |pieces: &Range<usize>| {
        dates.partition_point(|&at| at < pieces.end) > dates.partition_point(|&at| at < pieces.start)
    };
    let mut groups: HashMap<u32, Vec<usize>> = HashMap::new();
    for (at, node) in outline.nodes.iter().enumerate().take(MAX_NODES) {
        let is_block = !matches!(
            node.tag,
            Tag::Link | Tag::Name | Tag::Cell | Tag::HeadCell | Tag::Heading(_) | Tag::Control | Tag::Table | Tag::Time
        );
        if is_block && node.pieces.len() >= 2 && dated(&node.pieces) {
            groups.entry(node.signature).or_default().push(at);
        }
    }
    let mut best: Option<(usize, usize, Vec<usize>)> = None;
    for group in groups.into_values() {
        // One within another is no record beside another.
        let mut apart: Vec<usize> = Vec::new();
        for at in group {
            let is_inside = apart.last().and_then(|&last| outline.nodes.get(last)).is_some_and(|last| at < last.end);
            if !is_inside {
                apart.push(at);
            }
        }
        let named = apart
            .iter()
            .filter(|&&at| outline.nodes.get(at).is_some_and(|node| author(sheet, &node.pieces).is_some()))
            .count();
        let is_marked =
            apart.first().and_then(|&at| outline.nodes.get(at)).is_some_and(|node| node.hints.has(Hints::POST));
        let words: usize = apart
            .iter()
            .filter_map(|&at| outline.nodes.get(at))
            .map(|node| (sheet.range(node.pieces.end - 1).end - sheet.range(node.pieces.start).start).min(400))
            .sum();
        if apart.len() < 2 && !is_marked || 2 * named < apart.len() {
            continue;
        }
        let score = 100 * apart.len().min(200)
            + 60 * named.min(200)
            + 40 * usize::from(is_marked) * apart.len().min(200)
            + words / 10;
        let first = apart.first().copied().unwrap_or_default();
        if best.as_ref().is_none_or(|(most, earliest, _)| score > *most || score == *most && first < *earliest) {
            best = Some((score, first, apart));
        }
    }
    best.map(|(_, _, group)| group)
}

fn post(sheet: &Sheet<'_>, node: usize) -> Option<Post> {
    let pieces = sheet.outline.nodes.get(node)?.pieces.clone();
    let author = author(sheet, &pieces);
    let time = time(sheet, &pieces);
    let text = text(sheet, &pieces, author.as_deref(), time.as_deref());
    let confidence = 40 + 25 * u8::from(author.is_some()) + 20 * u8::from(time.is_some());
    (!text.is_empty()).then_some(Post { author, time, text, confidence })
}

/// Who wrote it: the first link to a person, what is marked as one, or the name before "wrote".
fn author(sheet: &Sheet<'_>, pieces: &Range<usize>) -> Option<String> {
    let own = || pieces.clone().take(MAX_HEAD).filter(|&at| !sheet.is_alt(at) && !is_quoted(sheet, at));
    let linked = own().find_map(|at| {
        let link = sheet.link(at)?;
        (sheet.leads(link) == Leads::Person).then(|| people::name(sheet.piece(at)))?
    });
    let marked = || {
        own()
            .find(|&at| sheet.is_near(at, Hints::AUTHOR) && !is_date(sheet.piece(at)))
            .and_then(|at| people::name(sheet.piece(at)))
    };
    let told = || {
        own().find_map(|at| {
            let text = sheet.piece(at);
            let name = ["schreef", "wrote", "said", "пишет", "написал", "schrieb"]
                .iter()
                .find_map(|verb| text.find(verb).and_then(|cut| text.get(..cut)))?;
            people::name(name).filter(|name| !name.contains(' '))
        })
    };
    let named = || {
        own()
            .find(|&at| sheet.is_name(at))
            .and_then(|at| people::name(sheet.piece(at)))
            .filter(|name| !name.contains(' '))
    };
    linked.or_else(marked).or_else(told).or_else(named)
}

fn time(sheet: &Sheet<'_>, pieces: &Range<usize>) -> Option<String> {
    let dated = |at: &usize| !is_quoted(sheet, *at) && is_date(sheet.piece(*at));
    // The longest of them tells the hour too; a profile beside the post tells no more than a day.
    let marked = pieces.clone().filter(dated).find(|&at| {
        sheet.is_near(at, Hints::TIME)
            || sheet.outline.nodes.get(sheet.node(at)).is_some_and(|node| node.tag == Tag::Time)
    });
    let with_hour =
        || pieces.clone().filter(dated).find(|&at| sheet.piece(at).contains(':') && sheet.piece(at).len() <= 80);
    let at = marked.or_else(with_hour).or_else(|| pieces.clone().find(dated))?;
    crate::kind::date_in(sheet.piece(at)).map(one_line)
}

fn is_quoted(sheet: &Sheet<'_>, at: usize) -> bool {
    sheet.outline.lineage(sheet.node(at)).take(6).any(|(_, node)| node.tag == Tag::Quote)
}

/// What is said: the element marked as the body of it, or all that is neither name, date, quote, signature nor button.
fn text(sheet: &Sheet<'_>, pieces: &Range<usize>, author: Option<&str>, time: Option<&str>) -> String {
    let is_said = |at: &usize| {
        let text = sheet.piece(*at);
        let is_head = author.is_some_and(|author| text == author)
            || time.is_some_and(|time| text.contains(time) && text.len() < time.len() + 24);
        let is_idle = sheet.link(*at).is_some() && text.chars().count() <= 20;
        !(is_head
            || is_idle
            || sheet.is_control(*at)
            || sheet.is_alt(*at)
            || is_quoted(sheet, *at)
            || sheet.is_near(*at, Hints::SIGNATURE))
    };
    let marked: Vec<usize> = pieces.clone().filter(is_said).filter(|&at| sheet.is_near(at, Hints::BODY)).collect();
    let said: Vec<usize> = if marked.is_empty() {
        pieces.clone().filter(is_said).filter(|&at| !sheet.is_near(at, Hints::AUTHOR)).collect()
    } else {
        marked
    };
    let mut out = String::new();
    let mut last = None;
    for at in said {
        let text = sheet.piece(at);
        if out.len() + text.len() > MAX_TEXT {
            out.push_str(text.get(..text.floor_char_boundary(MAX_TEXT.saturating_sub(out.len()))).unwrap_or_default());
            break;
        }
        let on_line = last.is_some_and(|last| last + 1 == at) && sheet.border(at) == super::sheet::Border::None;
        if !out.is_empty() {
            let touches = on_line && last.is_some_and(|last| sheet.range(last).end == sheet.range(at).start);
            out.push_str(if touches {
                ""
            } else if on_line {
                " "
            } else {
                "\n"
            });
        }
        out.push_str(text);
        last = Some(at);
    }
    out
}

use std::{collections::HashMap, sync::LazyLock};

use model::Link;
use regex::Regex;

use crate::walk::links::shape;

/// Rows beyond this number say nothing more.
const MAX_ROWS: usize = 2000;

/// Links of more shapes than this between two prices are a menu.
const MAX_SHAPES: usize = 20;

/// Boundaries of words are those of ASCII: with those of Unicode the regex engine is slow on any other text.
static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?-u:\b)(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./](?:[0-9]{4}|[0-9]{2})|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? [0-9]{1,2},? [0-9]{4}|[0-9]{1,2} (?-i:[A-Za-z\x{80}-\x{10FFFF}]){3,}\.? [0-9]{4}|[0-9]+ (?-i:[A-Za-z\x{80}-\x{10FFFF}]){3,} (?:ago|geleden|назад))",
    )
    .ok()
});

static MASKED_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[^\s*.,:;(]\*{2,}[^\s*.,:;)]").ok());

/// Where the dates stand in `text`, in bytes.
pub(super) fn dates(text: &str) -> impl Iterator<Item = usize> {
    find_by_line(&DATE, text)
}

/// Whether a date stands in a line.
pub(crate) fn is_date(line: &str) -> bool {
    has_digit(line) && DATE.as_ref().is_some_and(|pattern| pattern.is_match(line))
}

/// The first date in a line, with the time of day where one stands beside it.
pub(crate) fn date_in(line: &str) -> Option<&str> {
    let found = DATE.as_ref()?.find(line)?;
    let rest = line.get(found.end()..)?;
    let is_clock = |c: char| c.is_ascii_digit() || matches!(c, ':' | ' ' | ',' | 'T' | 'Z' | '.');
    let clock = rest.find(|c: char| !is_clock(c)).unwrap_or(rest.len());
    let has_clock = rest.get(..clock).is_some_and(|clock| clock.contains(':'));
    let end = if has_clock { found.end() + clock } else { found.end() };
    line.get(found.start()..end).map(|date| date.trim_end_matches([' ', ',', '.', ':']))
}

/// How many names stand in `text` of which only the ends are shown, as sites write the buyers of feedback.
pub(super) fn masked_names(text: &str) -> usize {
    MASKED_NAME.iter().flat_map(|pattern| pattern.find_iter(text)).take(MAX_ROWS).count()
}

/// Where a pattern matches that keeps to one line and wants a digit: most lines have none, and to see that is cheap.
fn find_by_line<'t>(pattern: &'static LazyLock<Option<Regex>>, text: &'t str) -> impl Iterator<Item = usize> + use<'t> {
    let mut end = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        end += line.len();
        (end - line.len(), line)
    });
    let with_digits = lines.filter(|(_, line)| has_digit(line));
    let found = with_digits.flat_map(move |(start, line)| {
        pattern.iter().flat_map(move |pattern| pattern.find_iter(line)).map(move |found| start + found.start())
    });
    found.take(MAX_ROWS)
}

/// Looks at every byte, without a branch, so that the compiler can take many at once.
fn has_digit(line: &str) -> bool {
    line.bytes().fold(false, |found, byte| found | byte.is_ascii_digit())
}

/// How many of `places` follow a link of one and the same shape since the place before: the rows of a list.
pub(super) fn rows(link_shapes: &[(usize, u64)], places: impl Iterator<Item = usize>) -> usize {
    let mut counts: HashMap<u64, usize> = HashMap::new();
    let mut between = link_shapes.iter().peekable();
    for place in places {
        let mut shapes: Vec<u64> = Vec::new();
        while let Some(&(_, shape)) = between.next_if(|(position, _)| *position <= place) {
            if !shapes.contains(&shape) && shapes.len() < MAX_SHAPES {
                shapes.push(shape);
            }
        }
        for shape in shapes {
            *counts.entry(shape).or_default() += 1;
        }
    }
    counts.into_values().max().unwrap_or_default()
}

/// How many links have the shape that most have, among those whose path has one of `words`.
pub(super) fn links_of<'a>(links: impl Iterator<Item = &'a Link>, words: &[&str]) -> usize {
    let names_one = |link: &&Link| has_part(link.uri.path(), words);
    let mut counts: HashMap<u64, usize> = HashMap::new();
    for link in links.filter(names_one) {
        *counts.entry(shape(link.uri.as_str())).or_default() += 1;
    }
    counts.into_values().max().unwrap_or_default()
}

/// Whether a part of `path`, its file extension left out, is one of `words`. A title within the path is one part, whatever words it is made of.
pub(super) fn has_part(path: &str, words: &[&str]) -> bool {
    let is_one = |part: &str| {
        part.split('.').next().is_some_and(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word)))
    };
    path.split('/').any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_masked_names_are_found() {
        assert!(DATE.is_some() && MASKED_NAME.is_some());
        assert_eq!(dates("2031-02-03, Sep 27, 2031, 3.2.2031 and 3 februari 2031; 5 minutes ago").count(), 5);
        assert_eq!(masked_names("g***s bought from S***P"), 2);
    }

    #[test]
    fn rows_are_places_behind_links_of_one_shape() {
        let hrefs = ["/item/1", "/vendor/a", "http://shop.example.com/item/2", "/vendor/a2", "/about", "/item/3"];
        let links: Vec<(usize, u64)> = [0, 5, 20, 25, 40, 60].into_iter().zip(hrefs.map(shape)).collect();
        assert_eq!(rows(&links, [10, 30, 50, 70].into_iter()), 3);
        assert_eq!(rows(&links, [100, 110, 120].into_iter()), 1);
    }

    #[test]
    fn a_word_in_a_title_is_no_part_of_a_path() {
        assert!(has_part("/forum/ViewTopic.php", &["viewtopic"]));
        assert!(!has_part("/listing/collected-threads", &["threads"]));
    }
}

use std::ops::Range;

use super::{
    address::Leads,
    sheet::{Sheet, one_line},
};

/// How many pieces of a value are looked at.
const MAX_PIECES: usize = 30;

/// The longest name, in characters.
const MAX_NAME: usize = 40;

/// What links say that lead to a person without naming them.
const IDLE: &[&str] = &[
    "profile",
    "view profile",
    "contact",
    "contact seller",
    "contact vendor",
    "send message",
    "message",
    "store",
    "view store",
    "shop",
    "vendor",
    "seller",
    "feedback",
    "pm",
    "report",
    "more",
    "view",
    "details",
    "all listings",
    "settings",
    "account",
    "my account",
    "vendors",
    "listings",
    "home",
    "logout",
    "log out",
    "user",
    "visit store",
    "visit shop",
    "view shop",
    "become a vendor",
    "add to favorites",
    "профиль",
    "магазин",
    "profiel",
    "winkel",
    "profil",
];

/// A name as it stands in `text`, without what sites put behind it: sales in brackets, a mark, `'s profile`.
pub(super) fn name(text: &str) -> Option<String> {
    let line = text.trim().split(['\n', '\t']).next().unwrap_or_default();
    let line =
        line.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '-' | '–' | '|' | '»' | ',' | '·' | '•'));
    let bare = line.split([' ', '\u{A0}']).next().filter(|first| {
        line.get(first.len()..).is_some_and(|rest| {
            rest.trim_start().starts_with(['(', '[', '|', '-', '–', '~', '•', '·', '★', '/', ',', '+', '<'])
        })
    });
    let bare = bare.unwrap_or(line);
    let cut = bare.find(['(', '[']).filter(|&cut| cut > 0).unwrap_or(bare.len());
    let bare = bare.get(..cut)?.trim();
    let bare = ["'s profile", "’s profile", "'s store", "'s shop", "'s"]
        .iter()
        .find_map(|end| strip_end(bare, end))
        .unwrap_or(bare);
    let bare = bare.trim_start_matches('@');
    let is_name = !bare.is_empty() && bare.chars().count() <= MAX_NAME && bare.chars().any(char::is_alphanumeric);
    (is_name && !is_idle(bare)).then(|| one_line(bare))
}

fn strip_end<'t>(text: &'t str, end: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(text.len().checked_sub(end.len())?)?;
    rest.eq_ignore_ascii_case(end).then_some(start)
}

/// Whether a text is what links say that lead to a person without naming them.
pub(super) fn is_idle(text: &str) -> bool {
    let lower = text.to_lowercase();
    IDLE.contains(&lower.as_str())
}

/// The name in a value: what its first link says, or its first words.
pub(super) fn name_in(sheet: &Sheet<'_>, value: &Range<usize>) -> Option<(String, i32)> {
    let pieces = || sheet.pieces_in(value).take(MAX_PIECES).filter(|&at| !sheet.is_alt(at));
    // The value may begin within a piece.
    let text = |at: usize| {
        let range = sheet.range(at);
        sheet.slice(range.start.max(value.start)..range.end.min(value.end)).trim_start_matches([':', ' '])
    };
    let linked = pieces().filter(|&at| sheet.link(at).is_some()).find_map(|at| Some((at, name(text(at))?)));
    if let Some((at, name)) = linked {
        let is_person = sheet.link(at).is_some_and(|link| sheet.leads(link) == Leads::Person);
        return Some((name, if is_person { 12 } else { 0 }));
    }
    let name = pieces().map(text).find(|text| !text.is_empty()).and_then(name)?;
    let bonus = if name.contains(' ') { -30 } else { -15 };
    Some((name, bonus))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_without_what_follows_them() {
        for (text, expect) in [
            ("keeper (1490)", Some("keeper")),
            ("keeper's Profile", Some("keeper")),
            ("keeper [4.9★]", Some("keeper")),
            (" - keeper - ", Some("keeper")),
            ("The Lamp Keeper", Some("The Lamp Keeper")),
            ("Contact seller", None),
            ("***", None),
        ] {
            assert_eq!(name(text).as_deref(), expect, "{text}");
        }
    }
}

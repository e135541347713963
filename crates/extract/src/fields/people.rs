use std::ops::Range;

use super::sheet::{Sheet, one_line};

/// How many pieces of a value are looked at.
const MAX_PIECES: usize = 30;

/// The longest name, in characters.
const MAX_NAME: usize = 40;

/// Words in addresses of people. `contactMember` holds one too.
const PEOPLE: &[&str] = &[
    "vendor", "vendors", "user", "users", "seller", "sellers", "u", "member", "profile", "profiles", "merchant",
    "store", "stores", "shop", "shops", "author", "username",
];

/// Words in addresses of acts upon people and things, rather than of them.
const ACTS: &[&str] = &[
    "message",
    "messages",
    "newmsg",
    "msg",
    "report",
    "addfavorite",
    "favorite",
    "favorites",
    "block",
    "addblock",
    "feedback",
    "search",
    "logout",
    "login",
    "register",
    "image",
    "img",
    "settab",
    "setusertab",
    "order",
    "cart",
];

/// Words in addresses of goods and of lists of them.
const GOODS: &[&str] = &["product", "products", "item", "items", "listing", "offer", "category", "categories"];

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

/// Whether an address is that of a person.
pub(super) fn is_of_person(href: &str) -> bool {
    let is_one = |names: &[&str], word: &str| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    // What a longer path ends with is a name more often than a word.
    let last = path(href).rsplit_once('/').map_or("", |(_, last)| last);
    let is_last = |word: &str| last.as_bytes().as_ptr_range().contains(&word.as_ptr());
    !words(href).any(|word| is_one(ACTS, word) || is_one(GOODS, word))
        && words(href).any(|word| !is_last(word) && is_one(PEOPLE, word))
}

/// Whether an address is that of an act: a message, a report, a way out.
pub(super) fn is_of_act(href: &str) -> bool {
    words(href).any(|word| ACTS.iter().any(|act| word.eq_ignore_ascii_case(act)))
}

/// Whether an address ends in the name that its link says, as those of people do.
pub(super) fn is_named_by(href: &str, name: &str) -> bool {
    let last = href.trim_end_matches('/').rsplit(['/', '=']).next().unwrap_or_default();
    last.len() > 2 && last.eq_ignore_ascii_case(name) && !is_of_act(href)
}

/// The path of an address.
pub(super) fn path(href: &str) -> &str {
    let path = href
        .split_once("://")
        .map_or(href, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default());
    path.split('?').next().unwrap_or_default().trim_matches('/')
}

/// The words of an address's path and of the names in its query, `viewProduct` being two. Titles within a path are left out.
pub(super) fn words(href: &str) -> impl Iterator<Item = &str> {
    let is_short = |part: &&str| part.bytes().filter(|&byte| matches!(byte, b'-' | b'_' | b'+')).count() < 3;
    let parts = path(href).split('/').filter(is_short);
    let path = parts.flat_map(|part| camel(part.split('.').next().unwrap_or_default()));
    let query = href.split_once('?').map_or("", |(_, query)| query);
    path.chain(query.split('&').flat_map(|pair| camel(pair.split('=').next().unwrap_or_default())))
}

/// The parts of a word in which capitals or signs begin new words.
fn camel(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let mut before = ' ';
        let end = rest.char_indices().find(|&(_, c)| {
            let breaks = !c.is_alphanumeric() || before.is_lowercase() && c.is_uppercase();
            before = c;
            breaks
        });
        let (word, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

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
        let is_person = sheet.link(at).is_some_and(|link| is_of_person(sheet.outline.href(link)));
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
    fn addresses_of_people() {
        for href in [
            "/u/keeper",
            "/user/keeper",
            "contactMember?member=keeper",
            "http://shop.example.com/vendor/x",
            "/profile.php?user=3",
        ] {
            assert!(is_of_person(href), "{href}");
        }
        for href in ["/item/3", "/message/new/keeper", "/user/keeper/feedback", "/listing/the-user-handbook-x1"] {
            assert!(!is_of_person(href), "{href}");
        }
    }

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

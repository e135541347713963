//! Names that people go by on a site, told by where on its pages they stand: beside an offer, a profile, a post.

use std::{collections::HashSet, ops::Range};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use model::{Fields, Grade, Observable, ObservableKind};

/// Different names that are looked for on a page.
const MAX_NAMES: usize = 1000;

/// The longest name, in bytes. Fields hold names of some 40 characters.
const MAX_BYTES: usize = 200;

/// What stands where a name would, for those who give none.
const NOBODY: [&str; 8] = ["anonymous", "guest", "deleted", "[deleted]", "anoniem", "gast", "аноним", "гость"];

/// The normal form of a user name, as it is kept: lower case, white space collapsed. `None` where it names nobody: without a letter or digit, with
/// stars in the place of letters, or a word for whoever it may be.
pub fn user_name(written: &str) -> Option<String> {
    let written = written.get(..written.floor_char_boundary(MAX_BYTES + 1)).unwrap_or_default();
    let name = written.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let is_name = name.len() <= MAX_BYTES
        && name.contains(char::is_alphanumeric)
        && !name.contains('*')
        && !NOBODY.contains(&name.as_str());
    is_name.then_some(name)
}

/// The user names in the fields of a page, each where it first stands in its text by itself. What the text does not hold is left out.
pub(crate) fn user_names(fields: &Fields, text: &str) -> Vec<Observable> {
    let mut known = HashSet::new();
    let names: Vec<(&str, String)> = shown(fields)
        .filter_map(|name| Some((name, user_name(name)?)))
        .filter(|(_, normal)| known.insert(normal.clone()))
        .take(MAX_NAMES)
        .collect();
    let Some(finder) = finder(names.iter().map(|(name, _)| *name)) else { return Vec::new() };
    let mut places: Vec<Option<Range<u32>>> = vec![None; names.len()];
    let mut missing = names.len();
    for found in finder.find_iter(text) {
        let Some(place @ None) = places.get_mut(found.pattern().as_usize()) else { continue };
        if !stands_alone(text, &found.range()) {
            continue;
        }
        let (Ok(start), Ok(end)) = (u32::try_from(found.start()), u32::try_from(found.end())) else { break };
        *place = Some(start..end);
        missing -= 1;
        if missing == 0 {
            break;
        }
    }
    let observable = |((_, value), at): ((&str, String), Option<Range<u32>>)| {
        Some(Observable { kind: ObservableKind::UserName, grade: Grade::Contextual, value, at: at?, key: None })
    };
    names.into_iter().zip(places).filter_map(observable).collect()
}

/// The names as the page shows them.
fn shown(fields: &Fields) -> impl Iterator<Item = &str> {
    let of_offer = fields.listing.iter().filter_map(|listing| listing.vendor.as_ref());
    let of_person = fields.vendor.iter().filter_map(|vendor| vendor.name.as_ref());
    let of_rows = fields.rows.iter().filter_map(|row| row.vendor.as_deref());
    let of_posts = fields.posts.iter().filter_map(|post| post.author.as_deref());
    of_offer.chain(of_person).map(|name| name.value.as_str()).chain(of_rows).chain(of_posts)
}

/// Looks for all names at once, the longest first where one begins another.
fn finder<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Option<AhoCorasick> {
    if names.len() == 0 {
        return None;
    }
    AhoCorasickBuilder::new().match_kind(MatchKind::LeftmostLongest).build(names).ok()
}

/// Whether what stands at a place is no part of a longer word, of an address or of a path.
fn stands_alone(text: &str, at: &Range<usize>) -> bool {
    let (before, after) = (text.get(..at.start).unwrap_or_default(), text.get(at.end..).unwrap_or_default());
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '=');
    let mut before = before.chars().rev();
    let is_begun = match before.next() {
        // `@name` is how one speaks to somebody, `box@name` an address.
        Some('@' | '.') => before.next().is_some_and(joins),
        before => before.is_some_and(joins),
    };
    let mut after = after.chars();
    let goes_on = match after.next() {
        Some('.' | '-') => after.next().is_some_and(joins),
        Some('@') => true,
        after => after.is_some_and(joins),
    };
    !is_begun && !goes_on
}

#[cfg(test)]
mod tests {
    use model::{Field, Post, Row, Source, VendorFields};

    use super::*;

    fn fields(vendor: &str, rows: &[&str], authors: &[&str]) -> Fields {
        let name = Field { value: vendor.to_owned(), confidence: 90, source: Source::Heading };
        let row = |name: &&str| Row {
            title: "lamp".to_owned(),
            vendor: Some((*name).to_owned()),
            price: None,
            href: None,
            confidence: 90,
        };
        let post = |name: &&str| Post {
            author: Some((*name).to_owned()),
            time: None,
            text: "words".to_owned(),
            confidence: 90,
        };
        Fields {
            vendor: Some(Box::new(VendorFields { name: Some(name), ..VendorFields::default() })),
            rows: rows.iter().map(row).collect(),
            posts: authors.iter().map(post).collect(),
            ..Fields::default()
        }
    }

    fn found(fields: &Fields, text: &str) -> Vec<(String, u32)> {
        user_names(fields, text).into_iter().map(|name| (name.value, name.at.start)).collect()
    }

    #[test]
    fn names_stand_where_the_text_first_has_them() {
        let fields = fields("Lamp Keeper", &["Wick", "oil"], &["WICK", "J**n", "Guest", "absent"]);
        let text = "Wicks and Wick_s, box@Wick.example, /u/Wick\nWick: by Lamp Keeper.\noil";
        let at = |word: &str| u32::try_from(text.find(word).unwrap()).unwrap();
        assert_eq!(
            found(&fields, text),
            [("lamp keeper".to_owned(), at("Lamp")), ("wick".to_owned(), at("Wick:")), ("oil".to_owned(), at("oil"))]
        );
    }

    #[test]
    fn one_name_may_begin_another() {
        let fields = fields("ann", &["ann lee"], &[]);
        assert_eq!(found(&fields, "ann lee\n@ann"), [("ann".to_owned(), 9), ("ann lee".to_owned(), 0)]);
    }

    #[test]
    fn a_name_has_one_normal_form() {
        assert_eq!(user_name(" Lamp\u{A0} KEEPER ").as_deref(), Some("lamp keeper"));
        assert_eq!(user_name("Ёж").as_deref(), Some("ёж"));
        for nobody in ["", "***", "J**n", "Anonymous", "—", &"x".repeat(201)] {
            assert_eq!(user_name(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn many_names_cost_one_walk() {
        let names: Vec<String> = (0..5000).map(|number| format!("n{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(found(&fields("x", &names, &[]), &names.join("\n")).len(), MAX_NAMES - 1);
        assert_eq!(found(&fields("x", &names, &[]), &"n".repeat(1 << 20)), []);
    }
}

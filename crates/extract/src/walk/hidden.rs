use std::ops::Range;

use html5ever::local_name;
use scraper::node::Element;

use super::{
    Attributes,
    text::{Gap, Text},
};

/// Hidden elements that are told apart; those beyond are told as one.
const MAX_ELEMENTS: usize = 1000;

/// What a visitor does not see: the text of hidden elements, each on lines of its own.
///
/// Only the page's own word counts, attribute by attribute: there is no cascade of style sheets, which hide and show at a visitor's click.
#[derive(Debug)]
pub(super) struct Hidden {
    pub(super) text: Text,
    /// Where the text of each outermost hidden element stands.
    elements: Vec<Range<usize>>,
    /// How many elements are open, from the outermost hidden one on.
    depth: usize,
    /// Where the text of that one begins.
    start: usize,
    /// How many templates are open, in which nothing leads anywhere.
    templates: usize,
}

impl Hidden {
    pub(super) fn new(limit: usize) -> Self {
        Self { text: Text::new(limit), elements: Vec::new(), depth: 0, start: 0, templates: 0 }
    }

    /// Whether what comes now is hidden.
    pub(super) fn is_open(&self) -> bool {
        self.depth > 0
    }

    /// Whether what comes now is inert (HTML, section 4.12.3).
    pub(super) fn is_inert(&self) -> bool {
        self.templates > 0
    }

    /// Takes in an element that is hidden, or stands in one that is.
    pub(super) fn open(&mut self, element: &Element) {
        if self.depth == 0 {
            self.text.part(Gap::Block);
            self.start = self.text.position();
        }
        self.depth += 1;
        self.templates += usize::from(is_template(element));
    }

    pub(super) fn close(&mut self, element: &Element) {
        self.depth -= 1;
        self.templates -= usize::from(is_template(element));
        // The line break in front of it belongs to nothing.
        let start = self.start + usize::from(self.start > 0);
        let end = self.text.position();
        if self.depth > 0 || start >= end {
            return;
        }
        if self.elements.len() < MAX_ELEMENTS {
            self.elements.push(start..end);
        } else if let Some(last) = self.elements.last_mut() {
            last.end = end;
        }
    }

    pub(super) fn into_parts(self) -> (String, Vec<Range<usize>>) {
        (self.text.into_string(), self.elements)
    }
}

fn is_template(element: &Element) -> bool {
    element.name.local == local_name!("template")
}

/// Whether an element is hidden by what it is, or by its own attributes.
pub(super) fn is_hidden(element: &Element, attributes: &Attributes<'_>, has_elements: impl FnOnce() -> bool) -> bool {
    let by_itself = match element.name.local {
        local_name!("template") | local_name!("datalist") => true,
        local_name!("dialog") => !attributes.is_open,
        // A page that hides all of itself shows itself by other means.
        local_name!("html") | local_name!("body") => return false,
        _ => attributes.is_hidden,
    };
    by_itself
        || attributes.style.is_some_and(|style| match Sight::of(style) {
            Sight::Shown => false,
            Sight::Hidden => true,
            // It is set to close the gaps between elements too, which then have sizes of their own.
            Sight::WithoutSize => !has_elements(),
        })
}

/// What an inline style says of being seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    Shown,
    Hidden,
    /// Letters have no size.
    WithoutSize,
}

impl Sight {
    /// Reads declarations (CSS Style Attributes), the last of a property winning.
    fn of(style: &str) -> Self {
        let (mut displays, mut is_visible, mut has_size) = (true, true, true);
        for declaration in without_comments(style).split(';') {
            let Some((name, value)) = declaration.split_once(':') else { continue };
            let value = value.split('!').next().unwrap_or_default().trim();
            let is_one_of = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
            match name.trim() {
                name if name.eq_ignore_ascii_case("display") => displays = !is_one_of(&["none"]),
                name if name.eq_ignore_ascii_case("visibility") => is_visible = !is_one_of(&["hidden", "collapse"]),
                name if name.eq_ignore_ascii_case("font-size") => has_size = !is_zero(value),
                _ => {}
            }
        }
        if !displays || !is_visible {
            Self::Hidden
        } else if has_size {
            Self::Shown
        } else {
            Self::WithoutSize
        }
    }
}

/// Whether a length is nothing, whatever its unit.
fn is_zero(length: &str) -> bool {
    let number = length.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    number.parse() == Ok(0.0_f32)
}

fn without_comments(style: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(style.len()), style);
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(style: &str, expect: Sight) {
        assert_eq!(Sight::of(style), expect, "{style}");
    }

    #[test]
    fn styles_hide_in_three_ways() {
        check("display:none", Sight::Hidden);
        check("color: red; DISPLAY : None !important ;", Sight::Hidden);
        check("dis/* x */play:/**/none", Sight::Hidden);
        check("visibility:hidden", Sight::Hidden);
        check("visibility: collapse", Sight::Hidden);
        check("font-size:0", Sight::WithoutSize);
        check("font-size: 0.0em", Sight::WithoutSize);
    }

    #[test]
    fn other_styles_do_not() {
        check("", Sight::Shown);
        check("display:none; display:block", Sight::Shown);
        check("overflow:hidden; background:none; font-size:10px", Sight::Shown);
        check("font-size:0.8em", Sight::Shown);
        check("/* display:none */color:red", Sight::Shown);
        check("display:none/*", Sight::Hidden);
        check("content:'display'", Sight::Shown);
    }
}

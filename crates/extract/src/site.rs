//! Site profiles: where on the pages of one site each field stands, written by an analyst as selectors and patterns.

mod apply;
mod raw;

use model::PageKind;
use regex::Regex;
use scraper::{Html, Selector};
use thiserror::Error;

pub(crate) use self::apply::read;
use crate::Page;

/// The longest profile that is read, in bytes.
const MAX_PROFILE: usize = 64 << 10;

/// A site profile, compiled.
///
/// In TOML: a `name`; `hosts`, or a `fingerprint` that knows the site by its title or by an element, for sites that move; and for each kind of page
/// a `[[page]]` with `kind`, `when` (all of `selector`, `path` and `title` that are given must fit), `fields` and `require`. A page that is a list
/// names the element of `each` record, and fields are looked for within it. A field is a selector, or a table of `select`, `attribute` and
/// `pattern`, whose first group is the value.
#[derive(Debug, Clone)]
pub struct SiteProfile {
    name: String,
    hosts: Vec<String>,
    fingerprint: Option<When>,
    pages: Vec<PageRule>,
}

/// Why a text is no site profile.
#[derive(Debug, Error)]
pub enum InvalidProfile {
    /// It is no TOML, a key is unknown or missing, or a value is of the wrong kind; the error tells line and key.
    #[error("site profile does not parse: {0}")]
    Syntax(#[from] toml::de::Error),
    /// It is longer than any profile need be.
    #[error("site profile is longer than {MAX_PROFILE} bytes")]
    TooLong,
    /// Its name is none.
    #[error("site profile {0:?}: a name is made of a-z, 0-9 and -, 64 at most")]
    Name(String),
    /// It says of no site that it is the one.
    #[error("site profile {0} names no hosts and has no fingerprint")]
    Nowhere(String),
    /// A selector does not parse.
    #[error("site profile {profile}: {place}: `{selector}` is no selector")]
    Selector {
        /// The profile's name.
        profile: String,
        /// Where in it.
        place: String,
        /// The text.
        selector: String,
    },
    /// A pattern does not compile.
    #[error("site profile {profile}: {place}: {source}")]
    Pattern {
        /// The profile's name.
        profile: String,
        /// Where in it.
        place: String,
        /// What is wrong with it.
        #[source]
        source: Box<regex::Error>,
    },
    /// A page has no such field, or needs something else.
    #[error("site profile {profile}: {place}: {what}")]
    Page {
        /// The profile's name.
        profile: String,
        /// Which page.
        place: String,
        /// What is wrong with it.
        what: String,
    },
}

/// What a page must show for a rule to fit.
#[derive(Debug, Clone)]
struct When {
    selector: Option<Selector>,
    path: Option<Regex>,
    title: Option<Regex>,
}

/// One kind of page.
#[derive(Debug, Clone)]
struct PageRule {
    kind: PageKind,
    when: When,
    /// The element of each record, on a page that is a list.
    each: Option<Selector>,
    fields: Vec<FieldRule>,
}

/// Where a field stands.
#[derive(Debug, Clone)]
struct FieldRule {
    name: String,
    is_required: bool,
    select: Selector,
    attribute: Option<String>,
    pattern: Option<Regex>,
}

impl SiteProfile {
    /// Reads a profile from TOML.
    pub fn parse(text: &str) -> Result<Self, InvalidProfile> {
        if text.len() > MAX_PROFILE {
            return Err(InvalidProfile::TooLong);
        }
        raw::compile(toml::from_str(text)?)
    }

    /// The name, as findings about drift call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a page is of this site.
    fn fits(&self, page: &Page<'_>, html: &Html, title: &str) -> bool {
        let authority = page.uri.authority();
        let host = authority.split(':').next().unwrap_or_default();
        self.hosts.iter().any(|name| name.eq_ignore_ascii_case(host))
            || self.fingerprint.as_ref().is_some_and(|when| when.fits(page, html, title))
    }
}

impl When {
    fn fits(&self, page: &Page<'_>, html: &Html, title: &str) -> bool {
        self.path.as_ref().is_none_or(|path| path.is_match(page.uri.path()))
            && self.title.as_ref().is_none_or(|pattern| pattern.is_match(title))
            && self.selector.as_ref().is_none_or(|selector| html.select(selector).next().is_some())
    }
}

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use model::{Link, Uri};
use url::Url;

/// The longest anchor kept, in characters.
const MAX_ANCHOR: usize = 200;

/// What relative references are resolved against (HTML, section 2.4.3).
#[derive(Debug)]
pub(crate) enum Base {
    /// The page itself, or the place that its `base` element names.
    Fetchable(Uri),
    /// A `base` element that names a place which may never be fetched: what is relative to it may not be either.
    Unfetchable(Url),
}

impl Base {
    /// The base of `page` whose first `base` element says `href`. Schemes that HTML does not accept there count as no base at all.
    pub(crate) fn new(page: &Uri, href: Option<&str>) -> Self {
        let Some(href) = href else { return Self::Fetchable(page.clone()) };
        if let Ok(uri) = page.join(href) {
            return Self::Fetchable(uri);
        }
        match Url::parse(page.as_str()).and_then(|page| page.join(href)) {
            Ok(url) if !matches!(url.scheme(), "data" | "javascript") => Self::Unfetchable(url),
            _ => Self::Fetchable(page.clone()),
        }
    }

    pub(crate) fn resolve(&self, href: &str) -> Option<Uri> {
        match self {
            Self::Fetchable(base) => base.join(href).ok(),
            Self::Unfetchable(base) => base.join(href).ok()?.as_str().parse().ok(),
        }
    }
}

/// A link as it stands in the page.
#[derive(Debug)]
pub(crate) struct RawLink<'a> {
    pub(crate) href: &'a str,
    pub(crate) rel: Option<&'a str>,
    pub(crate) anchor: String,
    /// Where in the visible text it stands.
    pub(crate) position: usize,
    /// Whether a visitor sees it.
    pub(crate) is_shown: bool,
}

/// An anchor as it is kept: one line, cut on a character.
pub(crate) fn anchor(text: &str) -> String {
    text.chars().take(MAX_ANCHOR).map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c }).collect()
}

/// The links of a page, each target once, and whether a visitor sees one that leads there. True if there were more than `limit`.
pub(crate) fn resolve(raw: Vec<RawLink<'_>>, base: &Base, limit: usize) -> (Vec<(Link, bool)>, bool) {
    let mut links: Vec<(Link, bool)> = Vec::new();
    let mut known: HashMap<Uri, usize> = HashMap::new();
    for link in raw {
        let href = link.href.trim_matches(|c: char| c.is_ascii_whitespace());
        if href.is_empty() || href.starts_with('#') {
            continue;
        }
        let Some(uri) = base.resolve(href) else { continue };
        if let Some((first, is_shown)) = known.get(&uri).and_then(|&at| links.get_mut(at)) {
            *is_shown |= link.is_shown;
            // A picture and a name often lead to the same place, and the name says more.
            if first.anchor.is_empty() {
                first.anchor = link.anchor;
            }
            continue;
        }
        if links.len() >= limit {
            return (links, true);
        }
        known.insert(uri.clone(), links.len());
        links.push((Link { uri, anchor: link.anchor, rel: link.rel.map(anchor) }, link.is_shown));
    }
    (links, false)
}

/// What the addresses of like pages have in common, as a number: the first part of the path, how many parts follow, and the names in the query.
/// It is taken from the reference as it stands, so that links to addresses which no longer exist show the rows of a list too.
pub(crate) fn shape(href: &str) -> u64 {
    let path = href.split_once("://").map_or(href, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parts = path.trim_matches('/').split('/');
    let mut hash = DefaultHasher::new();
    parts.next().hash(&mut hash);
    parts.count().hash(&mut hash);
    for pair in query.split('&').take(4) {
        pair.split('=').next().hash(&mut hash);
    }
    hash.finish()
}

/// Whether a `link` element leads to another page rather than to something that belongs to this one.
pub(crate) fn is_navigation(rel: &str) -> bool {
    let names = [
        "next",
        "prev",
        "previous",
        "first",
        "last",
        "up",
        "canonical",
        "alternate",
        "contents",
        "start",
        "home",
        "author",
        "help",
    ];
    rel.split_ascii_whitespace().any(|token| names.iter().any(|name| name.eq_ignore_ascii_case(token)))
        && !rel
            .split_ascii_whitespace()
            .any(|token| token.eq_ignore_ascii_case("stylesheet") || token.eq_ignore_ascii_case("icon"))
}

use std::collections::HashSet;

use super::links::Base;
use crate::media::starts_with_ignoring_case;

/// The pictures of a page that are told.
const MAX_IMAGES: usize = 500;

/// The longest reference kept that is no canonical URI, in characters.
const MAX_REFERENCE: usize = 200;

/// The longest media type kept, in characters.
const MAX_TYPE: usize = 60;

/// Pictures that a page refers to, as they stand in it.
#[derive(Debug, Default)]
pub(super) struct Images<'a> {
    known: HashSet<&'a str>,
    in_order: Vec<&'a str>,
    is_cut: bool,
}

impl<'a> Images<'a> {
    pub(super) fn add(&mut self, source: &'a str) {
        let source = source.trim_matches(|c: char| c.is_ascii_whitespace());
        if source.is_empty() || self.known.contains(source) {
            return;
        }
        if self.in_order.len() < MAX_IMAGES {
            self.known.insert(source);
            self.in_order.push(source);
        } else {
            self.is_cut = true;
        }
    }

    /// The pictures as they are told, each once, and whether there were more.
    pub(super) fn resolve(self, base: &Base) -> (Vec<String>, bool) {
        let mut told = HashSet::new();
        let names = self.in_order.into_iter().map(|source| name(source, base));
        (names.filter(|name| told.insert(name.clone())).collect(), self.is_cut)
    }
}

/// The canonical URI of a picture; of one within the page its media type and how much there is of it; else the reference as it stands, shortened.
fn name(source: &str, base: &Base) -> String {
    const SCHEME: &str = "data:";
    if starts_with_ignoring_case(source, SCHEME) {
        let (about, data) = source.get(SCHEME.len()..).and_then(|rest| rest.split_once(',')).unwrap_or_default();
        let media: String = about.split(';').next().unwrap_or_default().trim().chars().take(MAX_TYPE).collect();
        return format!("{SCHEME}{media}, {} bytes", data.len());
    }
    base.resolve(source).map_or_else(|| source.chars().take(MAX_REFERENCE).collect(), |uri| uri.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sources: &[&str]) -> (Vec<String>, bool) {
        let mut images = Images::default();
        for source in sources {
            images.add(source);
        }
        images.resolve(&Base::new(&"http://shop.example.com/a/b".parse().unwrap(), None))
    }

    #[test]
    fn pictures_are_told_once_by_their_canonical_names() {
        let (found, is_cut) = told(&[
            " x.png",
            "/a/x.png",
            "x.png",
            "",
            "http://127.0.0.1/y.png",
            "DATA:image/png;base64,AAAA",
            "data:,",
        ]);
        assert_eq!(
            found,
            ["http://shop.example.com/a/x.png", "http://127.0.0.1/y.png", "data:image/png, 4 bytes", "data:, 0 bytes"]
        );
        assert!(!is_cut);
    }

    #[test]
    fn long_references_and_many_are_cut() {
        assert_eq!(told(&[&format!("x:{}", "é".repeat(9000))]).0[0].chars().count(), MAX_REFERENCE);
        let media = format!("data:image/{};base64,{}", "é".repeat(9000), "A".repeat(10_000));
        assert!(told(&[&media]).0[0].ends_with(", 10000 bytes") && told(&[&media]).0[0].len() < 200);
        let many: Vec<String> = (0..=MAX_IMAGES).map(|number| format!("/{number}.png")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (found, is_cut) = told(&many);
        assert_eq!((found.len(), is_cut), (MAX_IMAGES, true));
    }
}

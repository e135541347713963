use std::ops::Range;

use html5ever::{LocalName, local_name};

/// Stands for "none" where an index is kept small.
const NONE: u32 = u32::MAX;

/// What fields are read from: elements and the runs of text in them, in document order, without a borrow of the tree.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) nodes: Vec<Node>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) links: Vec<Anchor>,
    hrefs: String,
    /// The elements that are open.
    open: Vec<u32>,
    /// How many of them are lists to choose from, buttons, or fields to write in.
    open_controls: u32,
}

/// An element.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    parent: u32,
    /// The first node after this one and all within it.
    pub(crate) end: usize,
    /// The text within it.
    pub(crate) pieces: Range<usize>,
    pub(crate) tag: Tag,
    pub(crate) hints: Hints,
    /// Equal for elements of one name and class.
    pub(crate) signature: u32,
}

/// A run of text that no markup interrupts, or the description of a picture.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Where in the page's text it stands; may begin with the separator in front of it.
    at: Range<usize>,
    pub(crate) node: usize,
    link: u32,
    /// Whether it describes a picture.
    pub(crate) is_alt: bool,
    /// Whether it stands in a list to choose from, a button, or a field to write in.
    pub(crate) is_control: bool,
}

/// A link.
#[derive(Debug, Clone)]
pub(crate) struct Anchor {
    href: Range<usize>,
    pub(crate) node: usize,
}

/// What an element is, as far as fields depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    Heading(u8),
    /// Names what follows: `th`, `dt`, `label`, `b`, `strong`.
    Name,
    HeadCell,
    Cell,
    Row,
    Table,
    Item,
    Link,
    Control,
    /// What surrounds the page's own content.
    Frame,
    Quote,
    Time,
    Other,
}

impl Tag {
    fn of(name: &LocalName) -> Self {
        match *name {
            local_name!("h1") => Self::Heading(1),
            local_name!("h2") => Self::Heading(2),
            local_name!("h3") => Self::Heading(3),
            local_name!("h4") => Self::Heading(4),
            local_name!("h5") => Self::Heading(5),
            local_name!("dt") | local_name!("label") | local_name!("b") | local_name!("strong") => Self::Name,
            local_name!("th") => Self::HeadCell,
            local_name!("td") => Self::Cell,
            local_name!("tr") => Self::Row,
            local_name!("table") => Self::Table,
            local_name!("li") => Self::Item,
            local_name!("a") => Self::Link,
            local_name!("select") | local_name!("option") | local_name!("button") | local_name!("textarea") => {
                Self::Control
            }
            local_name!("nav") | local_name!("footer") | local_name!("aside") => Self::Frame,
            local_name!("blockquote") => Self::Quote,
            local_name!("time") => Self::Time,
            _ => Self::Other,
        }
    }
}

/// What class and id of an element say of it. They are in English on most sites, whatever the language of the words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hints(u16);

impl Hints {
    pub(crate) const TITLE: Self = Self(1);
    pub(crate) const PRICE: Self = Self(1 << 1);
    pub(crate) const SELLER: Self = Self(1 << 2);
    pub(crate) const PATH: Self = Self(1 << 3);
    pub(crate) const LABEL: Self = Self(1 << 4);
    pub(crate) const POST: Self = Self(1 << 5);
    pub(crate) const AUTHOR: Self = Self(1 << 6);
    pub(crate) const TIME: Self = Self(1 << 7);
    pub(crate) const BODY: Self = Self(1 << 8);
    /// Navigation, side bars, what stands above and below each page.
    pub(crate) const FRAME: Self = Self(1 << 9);
    pub(crate) const SIGNATURE: Self = Self(1 << 10);

    pub(crate) fn has(self, hint: Self) -> bool {
        self.0 & hint.0 != 0
    }

    /// Reads the words of a class or id, `item-title` and `itemTitle` alike.
    fn note(&mut self, names: &str) {
        let bytes = names.as_bytes();
        let mut start = 0;
        for end in 1..=bytes.len() {
            let (before, next) = (bytes.get(end - 1).copied().unwrap_or(b' '), bytes.get(end).copied().unwrap_or(b' '));
            let breaks = !next.is_ascii_alphanumeric() || before.is_ascii_lowercase() && next.is_ascii_uppercase();
            if breaks {
                self.0 |= bytes.get(start..end).map_or(0, |word| Self::of(word).0);
            }
            if breaks || !before.is_ascii_alphanumeric() {
                start = if next.is_ascii_alphanumeric() { end } else { end + 1 };
            }
        }
    }

    fn of(word: &[u8]) -> Self {
        let mut lower = [0; 12];
        let Some(lower) = lower.get_mut(..word.len()) else { return Self::default() };
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        match &*lower {
            b"title" | b"name" | b"subject" | b"heading" => Self::TITLE,
            b"price" | b"prices" | b"cost" | b"amount" => Self::PRICE,
            b"vendor" | b"seller" | b"merchant" | b"shop" | b"store" => Self::SELLER,
            b"breadcrumb" | b"breadcrumbs" | b"crumb" | b"crumbs" | b"path" => Self::PATH,
            b"label" | b"key" | b"term" | b"caption" => Self::LABEL,
            b"post" | b"message" | b"comment" | b"reply" | b"postbit" => Self::POST,
            b"author" | b"username" | b"user" | b"poster" | b"nick" | b"who" | b"member" => Self::AUTHOR,
            b"time" | b"date" | b"timestamp" | b"posted" => Self::TIME,
            b"body" | b"content" | b"text" | b"said" | b"entry" => Self::BODY,
            b"nav" | b"menu" | b"sidebar" | b"side" | b"footer" | b"foot" | b"header" | b"topbar" | b"navbar" => {
                Self::FRAME
            }
            b"sig" | b"signature" => Self::SIGNATURE,
            _ => Self::default(),
        }
    }
}

impl Outline {
    pub(super) fn open(&mut self, name: &LocalName, class: Option<&str>, id: Option<&str>) {
        let tag = Tag::of(name);
        let (class, id) = (class.unwrap_or_default(), id.unwrap_or_default());
        let mut hints = Hints::default();
        hints.note(class);
        hints.note(id);
        self.open_controls += u32::from(tag == Tag::Control);
        let parent = self.open.last().copied().unwrap_or(NONE);
        let at = small(self.nodes.len());
        let pieces = self.pieces.len()..self.pieces.len();
        self.nodes.push(Node { parent, end: 0, pieces, tag, hints, signature: signature(name, class) });
        self.open.push(at);
    }

    pub(super) fn close(&mut self) {
        let (end, pieces) = (self.nodes.len(), self.pieces.len());
        let Some(node) = self.open.pop().and_then(|at| self.nodes.get_mut(at as usize)) else { return };
        node.end = end;
        node.pieces.end = pieces;
        self.open_controls -= u32::from(node.tag == Tag::Control);
    }

    /// Text that was appended to the page's text from one place to another.
    pub(super) fn add_piece(&mut self, at: Range<usize>, link: Option<usize>, is_alt: bool) {
        if at.is_empty() {
            return;
        }
        let node = self.open.last().map_or(0, |&node| node as usize);
        let link = link.map_or(NONE, small);
        self.pieces.push(Piece { at, node, link, is_alt, is_control: self.open_controls > 0 });
    }

    /// A link that begins where the next element opens.
    pub(super) fn add_link(&mut self, href: &str) {
        let start = self.hrefs.len();
        self.hrefs.push_str(href);
        self.links.push(Anchor { href: start..self.hrefs.len(), node: self.nodes.len() });
    }

    /// Closes what the walk left open.
    pub(super) fn finish(&mut self) {
        while !self.open.is_empty() {
            self.close();
        }
    }

    pub(crate) fn href(&self, link: usize) -> &str {
        self.links.get(link).and_then(|link| self.hrefs.get(link.href.clone())).unwrap_or_default()
    }

    pub(crate) fn parent(&self, node: usize) -> Option<usize> {
        self.nodes.get(node).and_then(|node| (node.parent != NONE).then_some(node.parent as usize))
    }

    /// A node and all that it stands in, inside out.
    pub(crate) fn lineage(&self, node: usize) -> impl Iterator<Item = (usize, &Node)> {
        let mut next = Some(node);
        std::iter::from_fn(move || {
            let at = next?;
            next = self.parent(at);
            Some((at, self.nodes.get(at)?))
        })
    }

    /// The nodes that stand directly in one.
    pub(crate) fn children(&self, node: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes.get(node).map_or(0, |node| node.end);
        let mut next = node + 1;
        std::iter::from_fn(move || {
            let at = next;
            (at < end).then(|| next = self.nodes.get(at).map_or(end, |node| node.end.max(at + 1)))?;
            Some(at)
        })
    }
}

impl Piece {
    pub(crate) fn link(&self) -> Option<usize> {
        (self.link != NONE).then_some(self.link as usize)
    }

    /// Where in the page's text it stands, without the white space around it.
    pub(crate) fn range(&self, text: &str) -> Range<usize> {
        let raw = text.get(self.at.clone()).unwrap_or_default();
        let start = self.at.start + (raw.len() - raw.trim_start().len());
        start..start + raw.trim().len()
    }

    pub(crate) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.at.clone()).unwrap_or_default().trim()
    }
}

fn small(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE - 1)
}

/// FNV-1a over name and class.
fn signature(name: &LocalName, class: &str) -> u32 {
    let bytes = name.bytes().chain([b' ']).chain(class.bytes());
    bytes.fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_read_word_by_word() {
        let mut hints = Hints::default();
        hints.note("itemTitle  listing-price");
        assert!(hints.has(Hints::TITLE) && hints.has(Hints::PRICE) && !hints.has(Hints::POST));
        let mut hints = Hints::default();
        hints.note("subtitles priceless averyveryverylongword");
        assert_eq!(hints, Hints::default());
    }
}

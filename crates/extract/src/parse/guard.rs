use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use html5ever::{
    LocalName, local_name,
    tokenizer::{EndTag, Tag, Token, TokenSink, TokenSinkResult},
    tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink as _},
};
use model::Problem;

use super::{
    Care, Parsed,
    sink::{Handle, MeteredSink},
};

/// No element that means anything carries more attributes.
const MAX_ATTRIBUTES: usize = 64;

/// A second `html` or `body` tag gives its attributes to the first; the tenth is play.
const MAX_ROOTS: u32 = 4;

/// Distinct names of dropped elements that are kept count of.
const MAX_DROPPED_NAMES: usize = 1000;

/// Stands between tokenizer and tree builder, and lets through what the tree can bear.
pub(super) struct Guard {
    builder: TreeBuilder<Handle, MeteredSink>,
    care: Care,
    tokens: Cell<u64>,
    links: Cell<usize>,
    roots: Cell<u32>,
    /// Start tags left out by name, whose end tags must be left out too.
    dropped: RefCell<HashMap<LocalName, u32>>,
    is_too_deep: Cell<bool>,
    is_exhausted: Cell<bool>,
}

impl Guard {
    pub(super) fn new(care: Care) -> Self {
        // Without scripting, the content of `noscript` is content.
        let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
        Self {
            builder: TreeBuilder::new(MeteredSink::new(), options),
            care,
            tokens: Cell::default(),
            links: Cell::default(),
            roots: Cell::default(),
            dropped: RefCell::default(),
            is_too_deep: Cell::default(),
            is_exhausted: Cell::default(),
        }
    }

    /// Tokens that have come so far, of whatever kind.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens.get()
    }

    /// Whether the page has used up what it may cost; nothing gets through any more.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_exhausted.get()
    }

    pub(super) fn into_parsed(self) -> Parsed {
        let mut problems = Vec::new();
        if self.is_too_deep.get() {
            problems.push(Problem::TooDeep);
        }
        if self.links.get() > self.care.links {
            problems.push(Problem::TooManyLinks);
        }
        let steps = self.builder.sink.steps();
        Parsed { html: self.builder.sink.finish(), problems, steps }
    }

    /// The tag as the tree builder may see it; `None` leaves it out.
    fn admit(&self, mut tag: Tag) -> Option<Tag> {
        let sink = &self.builder.sink;
        // The tokenizer has compared each name with all before it.
        sink.count(1 + tag.attrs.len() * tag.attrs.len() / 8);
        if tag.kind == EndTag {
            return (!self.ends_a_dropped(&tag.name)).then_some(tag);
        }
        if self.care.is_strict {
            tag.attrs.retain(|attribute| is_useful(&attribute.name.local));
        }
        tag.attrs.truncate(MAX_ATTRIBUTES);
        let name = &tag.name;
        if matches!(*name, local_name!("html") | local_name!("body")) {
            self.roots.set(self.roots.get() + 1);
            return (self.roots.get() <= MAX_ROOTS).then_some(tag);
        }
        if is_link(&tag) {
            self.links.set(self.links.get() + 1);
            if self.links.get() > self.care.links {
                return self.drop_start(tag);
            }
        }
        if is_formatting(name) {
            // Each is compared with the others that are open, attributes and all.
            sink.count(8 * sink.depth());
            if self.care.is_strict {
                return self.drop_start(tag);
            }
        }
        if sink.depth() >= self.care.depth && !stays_shallow(name) {
            self.is_too_deep.set(true);
            return self.flatten(tag);
        }
        Some(tag)
    }

    /// A line break in the place of a block, so that its text stands on a line of its own; nothing in the place of anything else.
    fn flatten(&self, tag: Tag) -> Option<Tag> {
        let is_block = is_block(&tag.name);
        let line_break = Tag { name: local_name!("br"), attrs: Vec::new(), ..tag.clone() };
        self.drop_start(tag);
        is_block.then_some(line_break)
    }

    fn drop_start(&self, tag: Tag) -> Option<Tag> {
        let mut dropped = self.dropped.borrow_mut();
        if !tag.self_closing
            && tag.name != local_name!("area")
            && (dropped.len() < MAX_DROPPED_NAMES || dropped.contains_key(&tag.name))
        {
            *dropped.entry(tag.name).or_default() += 1;
        }
        None
    }

    fn ends_a_dropped(&self, name: &LocalName) -> bool {
        let mut dropped = self.dropped.borrow_mut();
        if dropped.is_empty() {
            return false;
        }
        match dropped.get_mut(name) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }
}

impl TokenSink for Guard {
    type Handle = Handle;

    fn process_token(&self, token: Token, line_number: u64) -> TokenSinkResult<Handle> {
        if matches!(token, Token::ParseError(_)) || self.is_exhausted.get() {
            return TokenSinkResult::Continue;
        }
        self.tokens.set(self.tokens.get() + 1);
        let sink = &self.builder.sink;
        if sink.steps() > self.care.steps || sink.size() > self.care.size {
            self.is_exhausted.set(true);
            return TokenSinkResult::Continue;
        }
        match token {
            // Nobody reads comments.
            Token::CommentToken(_) => TokenSinkResult::Continue,
            Token::TagToken(tag) => match self.admit(tag) {
                Some(tag) => self.builder.process_token(Token::TagToken(tag), line_number),
                None => TokenSinkResult::Continue,
            },
            other => self.builder.process_token(other, line_number),
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

fn is_link(tag: &Tag) -> bool {
    matches!(tag.name, local_name!("a") | local_name!("area"))
        && tag.attrs.iter().any(|attribute| attribute.name.local == local_name!("href"))
}

/// The formatting elements of HTML, section 13.2.4.3, but for `a`, of which only one is ever open, and those that open a new list of them.
fn is_formatting(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("b")
            | local_name!("big")
            | local_name!("code")
            | local_name!("em")
            | local_name!("font")
            | local_name!("i")
            | local_name!("nobr")
            | local_name!("s")
            | local_name!("small")
            | local_name!("strike")
            | local_name!("strong")
            | local_name!("tt")
            | local_name!("u")
            | local_name!("applet")
            | local_name!("marquee")
            | local_name!("object")
    )
}

/// Elements that nothing nests in, and those after which the tokenizer must read on in another way.
fn stays_shallow(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("a")
            | local_name!("area")
            | local_name!("base")
            | local_name!("br")
            | local_name!("hr")
            | local_name!("iframe")
            | local_name!("img")
            | local_name!("input")
            | local_name!("link")
            | local_name!("meta")
            | local_name!("noembed")
            | local_name!("noframes")
            | local_name!("plaintext")
            | local_name!("script")
            | local_name!("style")
            | local_name!("textarea")
            | local_name!("title")
            | local_name!("xmp")
    )
}

/// Whether the text within stands on lines of its own.
pub(crate) fn is_block(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("address")
            | local_name!("article")
            | local_name!("aside")
            | local_name!("blockquote")
            | local_name!("body")
            | local_name!("caption")
            | local_name!("center")
            | local_name!("dd")
            | local_name!("details")
            | local_name!("dialog")
            | local_name!("dir")
            | local_name!("div")
            | local_name!("dl")
            | local_name!("dt")
            | local_name!("fieldset")
            | local_name!("figcaption")
            | local_name!("figure")
            | local_name!("footer")
            | local_name!("form")
            | local_name!("h1")
            | local_name!("h2")
            | local_name!("h3")
            | local_name!("h4")
            | local_name!("h5")
            | local_name!("h6")
            | local_name!("header")
            | local_name!("hgroup")
            | local_name!("hr")
            | local_name!("legend")
            | local_name!("li")
            | local_name!("listing")
            | local_name!("main")
            | local_name!("menu")
            | local_name!("nav")
            | local_name!("ol")
            | local_name!("optgroup")
            | local_name!("option")
            | local_name!("p")
            | local_name!("pre")
            | local_name!("section")
            | local_name!("select")
            | local_name!("summary")
            | local_name!("table")
            | local_name!("tbody")
            | local_name!("textarea")
            | local_name!("tfoot")
            | local_name!("thead")
            | local_name!("tr")
            | local_name!("ul")
            | local_name!("xmp")
    )
}

/// The attributes that extraction reads.
fn is_useful(name: &LocalName) -> bool {
    matches!(
        &**name,
        "action"
            | "alt"
            | "charset"
            | "class"
            | "content"
            | "hidden"
            | "href"
            | "http-equiv"
            | "id"
            | "name"
            | "open"
            | "placeholder"
            | "rel"
            | "src"
            | "style"
            | "type"
            | "value"
    )
}

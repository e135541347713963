//! One walk over the tree, from which everything else is made.

pub(crate) mod forms;
mod hidden;
mod images;
pub(crate) mod links;
pub(crate) mod outline;
mod shape;
pub(crate) mod text;

use std::ops::Range;

use ego_tree::NodeRef;
use html5ever::{local_name, ns};
use model::{Link, Problem, Refresh};
use scraper::{Html, Node, node::Element};

use self::{
    forms::{Form, speaks_of_captcha},
    hidden::Hidden,
    images::Images,
    links::{Base, RawLink},
    outline::Outline,
    shape::Shape,
    text::{Gap, Text},
};
use crate::{Limits, Page, kind::Marks, parse, refresh};

/// How much of the headings is kept for telling what a page is, in bytes.
const MAX_HEADINGS: usize = 600;

/// How much of what stands on buttons is kept, in bytes.
const MAX_BUTTONS: usize = 600;

/// The longest title kept, in bytes.
const MAX_TITLE: usize = 2000;

/// What a page holds. Layout, outline and forms are of what a visitor sees.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) title: String,
    /// The visible text.
    pub(crate) text: String,
    /// The text of hidden elements.
    pub(crate) hidden_text: String,
    /// Where in it the text of each stands.
    pub(crate) hidden: Vec<Range<usize>>,
    pub(crate) links: Vec<Link>,
    /// Whether a visitor sees them, one by one.
    pub(crate) are_shown: Vec<bool>,
    pub(crate) images: Vec<String>,
    pub(crate) refresh: Option<Refresh>,
    pub(crate) forms: Vec<Form>,
    /// Forms that are hidden as a whole.
    pub(crate) hidden_forms: Vec<Form>,
    /// The simhash of the tree.
    pub(crate) shape: u64,
    pub(crate) layout: Layout,
    pub(crate) outline: Outline,
    pub(crate) problems: Vec<Problem>,
}

impl Content {
    /// The links that a visitor sees.
    pub(crate) fn shown_links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().zip(&self.are_shown).filter(|(_, is_shown)| **is_shown).map(|(link, _)| link)
    }
}

/// How a page is laid out, as far as it tells what the page is.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Words of the text.
    pub(crate) words: usize,
    /// Words in links.
    pub(crate) linked_words: usize,
    /// Words in forms and outside links.
    pub(crate) form_words: usize,
    /// The text of the largest headings, one a line.
    pub(crate) headings: String,
    /// What stands on buttons that have no text of their own, one a line.
    pub(crate) buttons: String,
    /// Where in the text each link stands, and the shape of its address.
    pub(crate) link_shapes: Vec<(usize, u64)>,
    /// Whether a field or picture anywhere speaks of a captcha.
    pub(crate) has_captcha: bool,
    /// What classes say of the elements that carry them.
    pub(crate) marks: Marks,
}

/// Walks the tree of a page once.
pub(crate) fn walk(html: &Html, page: &Page<'_>, limits: &Limits) -> Content {
    let mut walk = Walk::new(limits);
    let root = html.tree.root();
    let mut node = root;
    'down: loop {
        if walk.enter(node) {
            if let Some(child) = node.first_child() {
                node = child;
                continue;
            }
            walk.leave(node);
        }
        loop {
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            match node.parent() {
                Some(parent) => {
                    walk.leave(parent);
                    node = parent;
                }
                None => break 'down,
            }
        }
    }
    walk.finish(page, limits)
}

struct Walk<'a> {
    text: Text,
    hidden: Hidden,
    title: Option<String>,
    base_href: Option<&'a str>,
    refresh: Option<&'a str>,
    links: Vec<RawLink<'a>>,
    /// Links whose elements are open, their numbers in the outline, and where their text begins.
    open_links: Vec<(usize, usize, usize)>,
    /// Where the text of the heading begins that is open.
    open_heading: Option<usize>,
    forms: Vec<Form>,
    /// The forms that are open.
    open_forms: Vec<usize>,
    /// A form that was closed before it held anything, as happens where a form begins between the rows of a table.
    stray_form: Option<usize>,
    /// Controls outside any form.
    loose: Form,
    /// How many elements are open that keep their line breaks.
    preformatted: usize,
    images: Images<'a>,
    layout: Layout,
    outline: Outline,
    shape: Shape,
}

impl<'a> Walk<'a> {
    fn new(limits: &Limits) -> Self {
        Self {
            text: Text::new(limits.text_bytes),
            hidden: Hidden::new(limits.text_bytes),
            title: None,
            base_href: None,
            refresh: None,
            links: Vec::new(),
            open_links: Vec::new(),
            open_heading: None,
            forms: Vec::new(),
            open_forms: Vec::new(),
            stray_form: None,
            loose: Form::default(),
            preformatted: 0,
            images: Images::default(),
            layout: Layout::default(),
            outline: Outline::default(),
            shape: Shape::default(),
        }
    }

    /// Takes in a node; false if what is in it is of no interest.
    fn enter(&mut self, node: NodeRef<'a, Node>) -> bool {
        match node.value() {
            Node::Text(text) => {
                self.push(text, self.preformatted > 0, false);
                false
            }
            Node::Element(element) => self.enter_element(element, node),
            Node::Document | Node::Fragment => true,
            Node::Doctype(_) | Node::Comment(_) | Node::ProcessingInstruction(_) => false,
        }
    }

    /// Takes in text, or the description of a picture.
    fn push(&mut self, text: &str, keeps_lines: bool, is_alt: bool) {
        if self.hidden.is_open() {
            self.hidden.text.push(text, keeps_lines);
            return;
        }
        let start = self.text.position();
        let words = self.text.push(text, keeps_lines);
        self.count_words(words);
        let link = self.open_links.last().map(|&(_, anchor, _)| anchor);
        self.outline.add_piece(start..self.text.position(), link, is_alt);
    }

    fn count_words(&mut self, words: usize) {
        self.layout.words += words;
        if !self.open_links.is_empty() {
            self.layout.linked_words += words;
        } else if !self.open_forms.is_empty() {
            self.layout.form_words += words;
        }
    }

    fn enter_element(&mut self, element: &'a Element, node: NodeRef<'a, Node>) -> bool {
        let attributes = Attributes::of(element);
        match element.name.local {
            local_name!("title") if element.name.ns == ns!(html) => {
                self.title.get_or_insert_with(|| title(node));
                return false;
            }
            local_name!("script") | local_name!("style") => return false,
            _ => {}
        }
        let has_elements = || node.children().any(|child| child.value().is_element());
        if self.hidden.is_open() || hidden::is_hidden(element, &attributes, has_elements) {
            self.hidden.open(element);
        } else {
            self.layout.marks.note(attributes.class.unwrap_or_default());
        }
        self.enter_kind(element, &attributes);
        if parse::is_block(&element.name.local) {
            self.part(Gap::Block);
        }
        if !self.hidden.is_open() {
            self.outline.open(&element.name.local, attributes.class, attributes.id);
            self.shape.open(&element.name.local, attributes.class.unwrap_or_default());
        }
        true
    }

    fn enter_kind(&mut self, element: &'a Element, attributes: &Attributes<'a>) {
        match element.name.local {
            local_name!("base") => self.base_href = self.base_href.or(attributes.href),
            local_name!("meta") => {
                if attributes.http_equiv.is_some_and(|pragma| pragma.trim().eq_ignore_ascii_case("refresh")) {
                    self.refresh = self.refresh.or(attributes.content);
                }
            }
            local_name!("link") => {
                if attributes.rel.is_some_and(links::is_navigation) {
                    self.add_link(attributes.href, attributes.rel);
                }
            }
            local_name!("a") | local_name!("area") => {
                if self.add_link(attributes.href, attributes.rel) && element.name.local == local_name!("a") {
                    let position = self.shown_or_hidden().position();
                    self.open_links.push((self.links.len() - 1, self.outline.links.len(), position));
                    if !self.hidden.is_open() {
                        self.outline.add_link(attributes.href.unwrap_or_default());
                    }
                }
                self.add_alt(attributes);
            }
            local_name!("iframe") | local_name!("frame") => {
                self.note_captcha(attributes);
                self.add_link(attributes.src, None);
            }
            local_name!("img") => {
                self.note_captcha(attributes);
                self.add_image(attributes);
                self.add_alt(attributes);
            }
            local_name!("br") => self.part(Gap::Block),
            local_name!("td") | local_name!("th") => self.part(Gap::Cell),
            local_name!("form") => {
                self.stray_form = None;
                self.open_forms.push(self.forms.len());
                self.forms.push(Form { is_hidden: self.hidden.is_open(), ..Form::default() });
            }
            local_name!("input") => {
                self.note_captcha(attributes);
                let (kind, name) = (attributes.kind.unwrap_or_default(), attributes.name.unwrap_or_default());
                if kind.eq_ignore_ascii_case("image") {
                    self.add_image(attributes);
                }
                self.in_form(|form| form.add_input(kind, name));
                self.note_button(attributes);
            }
            local_name!("button") => self.in_form(|form| form.controls += 1),
            local_name!("select") => self.in_form(Form::add_other),
            local_name!("textarea") => {
                self.in_form(Form::add_other);
                self.preformatted += 1;
            }
            local_name!("pre") | local_name!("listing") | local_name!("xmp") | local_name!("plaintext") => {
                self.preformatted += 1;
            }
            local_name!("h1") | local_name!("h2") | local_name!("h3") if !self.hidden.is_open() => {
                self.open_heading = Some(self.text.position());
            }
            _ => {}
        }
    }

    fn leave(&mut self, node: NodeRef<'a, Node>) {
        let Node::Element(element) = node.value() else { return };
        let is_hidden = self.hidden.is_open();
        match element.name.local {
            local_name!("a") if Attributes::of(element).href.is_some() && !self.hidden.is_inert() => {
                if let Some((link, _, position)) = self.open_links.pop() {
                    let anchor = links::anchor(self.shown_or_hidden().since(position));
                    if let Some(link) = self.links.get_mut(link) {
                        link.anchor = anchor;
                    }
                }
            }
            local_name!("form") => {
                self.stray_form =
                    self.open_forms.pop().filter(|&form| self.forms.get(form).is_some_and(|form| form.controls == 0));
            }
            local_name!("textarea")
            | local_name!("pre")
            | local_name!("listing")
            | local_name!("xmp")
            | local_name!("plaintext") => {
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            local_name!("h1") | local_name!("h2") | local_name!("h3") if !is_hidden => self.close_heading(),
            local_name!("td") | local_name!("th") => self.part(Gap::Cell),
            _ => {}
        }
        if parse::is_block(&element.name.local) {
            self.part(Gap::Block);
        }
        if is_hidden {
            self.hidden.close(element);
        } else {
            self.outline.close();
            self.shape.close();
        }
    }

    /// The text that what comes now belongs to.
    fn shown_or_hidden(&mut self) -> &mut Text {
        if self.hidden.is_open() { &mut self.hidden.text } else { &mut self.text }
    }

    fn part(&mut self, gap: Gap) {
        self.shown_or_hidden().part(gap);
    }

    fn close_heading(&mut self) {
        let Some(position) = self.open_heading.take() else { return };
        let heading = self.text.since(position);
        if self.layout.headings.len() + heading.len() < MAX_HEADINGS {
            self.layout.headings.push_str(heading);
            self.layout.headings.push('\n');
        }
    }

    fn add_link(&mut self, href: Option<&'a str>, rel: Option<&'a str>) -> bool {
        let Some(href) = href.filter(|_| !self.hidden.is_inert()) else { return false };
        let (position, is_shown) = (self.text.position(), !self.hidden.is_open());
        self.links.push(RawLink { href, rel, anchor: String::new(), position, is_shown });
        true
    }

    fn add_image(&mut self, attributes: &Attributes<'a>) {
        if let Some(source) = attributes.src {
            self.images.add(source);
        }
    }

    fn add_alt(&mut self, attributes: &Attributes<'a>) {
        if let Some(alt) = attributes.alt {
            self.part(Gap::Space);
            self.push(alt, false, true);
            self.part(Gap::Space);
        }
    }

    fn note_captcha(&mut self, attributes: &Attributes<'a>) {
        let speaking =
            [attributes.name, attributes.id, attributes.class, attributes.alt, attributes.src, attributes.placeholder];
        if speaking.into_iter().flatten().any(speaks_of_captcha) {
            self.layout.has_captcha |= !self.hidden.is_open();
            self.in_form(|form| form.has_captcha = true);
        }
    }

    /// Keeps what stands on a button that is no element with text of its own.
    fn note_button(&mut self, attributes: &Attributes<'a>) {
        let is_button =
            attributes.kind.is_some_and(|kind| ["submit", "button"].iter().any(|name| kind.eq_ignore_ascii_case(name)));
        let value = attributes.value.unwrap_or_default();
        if is_button && !self.hidden.is_open() && self.layout.buttons.len() + value.len() < MAX_BUTTONS {
            self.layout.buttons.push_str(value);
            self.layout.buttons.push('\n');
        }
    }

    /// Notes a control in the form that it belongs to, unless the control is hidden and the form is not.
    fn in_form(&mut self, note: impl FnOnce(&mut Form)) {
        let at = self.open_forms.last().copied().or(self.stray_form);
        let form = at.and_then(|at| self.forms.get_mut(at)).unwrap_or(&mut self.loose);
        if form.is_hidden || !self.hidden.is_open() {
            note(form);
        }
    }

    fn finish(mut self, page: &Page<'_>, limits: &Limits) -> Content {
        self.outline.finish();
        let base = Base::new(page.uri, self.base_href);
        let mut problems = Vec::new();
        if self.text.is_full() || self.hidden.text.is_full() {
            problems.push(Problem::TooLong);
        }
        let shown = self.links.iter().take(limits.links).filter(|link| link.is_shown);
        self.layout.link_shapes = shown.map(|link| (link.position, links::shape(link.href))).collect();
        let (links, is_cut) = links::resolve(self.links, &base, limits.links);
        if is_cut {
            problems.push(Problem::TooManyLinks);
        }
        let (images, is_cut) = self.images.resolve(&base);
        if is_cut {
            problems.push(Problem::TooManyImages);
        }
        if self.loose.passwords > 0 || self.loose.has_captcha {
            self.forms.push(self.loose);
        }
        let (hidden_forms, forms) = self.forms.into_iter().partition(|form| form.is_hidden);
        let (hidden_text, hidden) = self.hidden.into_parts();
        let (links, are_shown) = links.into_iter().unzip();
        Content {
            title: self.title.unwrap_or_default(),
            text: self.text.into_string(),
            hidden_text,
            hidden,
            links,
            are_shown,
            images,
            refresh: self.refresh.and_then(|value| refresh::read(value, |place| base.resolve(place))),
            forms,
            hidden_forms,
            shape: self.shape.simhash(),
            layout: self.layout,
            outline: self.outline,
            problems,
        }
    }
}

fn title(node: NodeRef<'_, Node>) -> String {
    let mut out = Text::new(MAX_TITLE);
    for text in node.children().filter_map(|child| child.value().as_text()) {
        out.push(text, false);
    }
    out.into_string()
}

/// The attributes that the walk reads, found in one pass.
#[derive(Default)]
struct Attributes<'a> {
    alt: Option<&'a str>,
    class: Option<&'a str>,
    content: Option<&'a str>,
    href: Option<&'a str>,
    http_equiv: Option<&'a str>,
    id: Option<&'a str>,
    is_hidden: bool,
    is_open: bool,
    kind: Option<&'a str>,
    name: Option<&'a str>,
    placeholder: Option<&'a str>,
    rel: Option<&'a str>,
    src: Option<&'a str>,
    style: Option<&'a str>,
    value: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    fn of(element: &'a Element) -> Self {
        let mut found = Self::default();
        for (name, value) in element.attrs() {
            let place = match name {
                "alt" => &mut found.alt,
                "class" => &mut found.class,
                "content" => &mut found.content,
                "href" => &mut found.href,
                "http-equiv" => &mut found.http_equiv,
                "id" => &mut found.id,
                "type" => &mut found.kind,
                "name" => &mut found.name,
                "placeholder" => &mut found.placeholder,
                "rel" => &mut found.rel,
                "src" => &mut found.src,
                "style" => &mut found.style,
                "value" => &mut found.value,
                "hidden" => {
                    found.is_hidden = true;
                    continue;
                }
                "open" => {
                    found.is_open = true;
                    continue;
                }
                _ => continue,
            };
            *place = Some(value);
        }
        found
    }
}

#[cfg(test)]
mod tests;

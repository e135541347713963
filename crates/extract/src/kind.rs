//! What a page is, told by what a person would point at: its status, what its forms ask for, labels, prices in rows, dates in rows.
//!
//! Walls come first and are told with care, since a wall stops the crawl of its target: a login box above real content is no wall. What is left
//! is scored: each kind adds up its own evidence, and the kind with the most wins if that is enough.

mod cues;
mod rows;
mod score;

use std::borrow::Cow;

use model::{PageKind, Refresh};

use self::cues::{Cue, Tally};
pub(crate) use self::{
    cues::Marks,
    rows::{date_in, is_date},
};
use crate::{Page, fields::Reading, walk::Content};

/// How much of the text is looked at, in bytes.
const SAMPLE_BYTES: usize = 200 << 10;

/// What the rules look at.
struct View<'a> {
    page: &'a Page<'a>,
    content: &'a Content,
    reading: &'a Reading<'a>,
    /// The text as far as it is looked at.
    text: &'a str,
    /// Whether a price stands in it.
    has_prices: bool,
    /// Offers that a list holds, or prices that follow a link of one shape.
    price_rows: usize,
    /// Words of the text.
    tally: Tally,
    /// Words of title and headings: what the page says of itself.
    heading: Tally,
    /// Words on buttons.
    buttons: Tally,
}

/// Tells what a page is, and what speaks for it.
pub(crate) fn of(page: &Page<'_>, content: &Content, reading: &Reading<'_>) -> (PageKind, Vec<model::Cue>) {
    let text = content.text.get(..content.text.floor_char_boundary(SAMPLE_BYTES)).unwrap_or_default();
    let prices = || reading.prices().take_while(|&at| at < text.len());
    let view = View {
        page,
        content,
        reading,
        text,
        has_prices: prices().next().is_some(),
        price_rows: rows::rows(&content.layout.link_shapes, prices()).max(reading.rows().0),
        tally: Tally::of(text),
        heading: Tally::of(&format!("{}\n{}", content.title, content.layout.headings)),
        buttons: Tally::of(&content.layout.buttons),
    };
    let by = |kind: PageKind, what: &'static str| (kind, vec![model::Cue { what: Cow::Borrowed(what), weight: 0 }]);
    if matches!(page.status, 404 | 410) {
        return by(PageKind::NotFound, "the status says that nothing is here");
    }
    if let Some((wall, what)) = view.wall() {
        return by(wall, what);
    }
    if page.status >= 400 {
        return by(PageKind::Error, "the status is that of an error");
    }
    if view.says_not_found() {
        return by(PageKind::NotFound, "a heading says that nothing is here, and there is little else");
    }
    score::best(&view)
}

impl View<'_> {
    /// Words that are neither in links nor in forms: what there is to read.
    fn substance(&self) -> usize {
        let layout = &self.content.layout;
        layout.words.saturating_sub(layout.linked_words + layout.form_words)
    }

    fn wall(&self) -> Option<(PageKind, &'static str)> {
        if self.is_login() {
            Some((PageKind::Login, "a password is asked for, and there is little else"))
        } else if self.is_challenge() {
            Some((PageKind::Captcha, "proof of being human is asked for, and there is little else"))
        } else if self.is_waiting_room() {
            Some((PageKind::AntiDdos, "words of protection or of a queue, and little else"))
        } else if self.is_pass_through() {
            Some((PageKind::MetaRefresh, "a refresh to another place, and next to no text"))
        } else {
            None
        }
    }

    /// A password is asked for and there is little else; more words are allowed where the page calls itself a login.
    fn is_login(&self) -> bool {
        let (passwords, links) = (
            self.content.forms.iter().map(|form| form.passwords).max().unwrap_or_default(),
            self.content.shown_links().count(),
        );
        if passwords == 0 || self.price_rows > 2 {
            return false;
        }
        let is_named = self.heading.count(Cue::Login) > 0
            || self.path_says(&["login", "signin", "sign-in", "sign_in", "logon", "inloggen", "auth"]);
        if passwords > 1 && !is_named || self.heading.count(Cue::Register) > 0 && self.heading.count(Cue::Login) == 0 {
            return false;
        }
        if is_named { self.substance() <= 200 && links <= 40 } else { self.substance() <= 25 && links <= 12 }
    }

    /// A form asks for nothing but proof of being human, and there is little else.
    fn is_challenge(&self) -> bool {
        let asks = self.content.forms.iter().any(|form| form.is_challenge() && (form.texts != 2 || form.controls > 4));
        let shows = self.content.layout.has_captcha
            && self.content.forms.len() == 1
            && self.content.forms.iter().all(|form| form.passwords + form.others == 0);
        (asks || shows || self.says_captcha())
            && self.substance() <= 120
            && self.content.shown_links().count() <= 15
            && self.price_rows <= 1
    }

    /// A captcha whose fields have names that say nothing: the words beside a single form do.
    fn says_captcha(&self) -> bool {
        self.tally.count(Cue::Captcha) > 0
            && matches!(&*self.content.forms, [form] if form.passwords + form.others == 0 && form.controls > 0 && !form.has_search)
    }

    /// Words of protection or of a queue, and nothing else to read. A page that goes on by itself needs fewer of them.
    fn is_waiting_room(&self) -> bool {
        let (strong, weak) = (
            self.tally.count(Cue::Ddos) + self.heading.count(Cue::Ddos),
            self.tally.count(Cue::Wait) + self.heading.count(Cue::Wait),
        );
        let goes_on = self.content.refresh.is_some() || matches!(self.page.status, 403 | 429 | 503);
        let is_bare = self.substance() <= 120 && self.content.shown_links().count() <= 8 && self.price_rows <= 1;
        is_bare && (strong > 0 && (goes_on || weak > 0 || strong > 1) || weak > 1 && goes_on)
    }

    /// A refresh to another place and next to no text.
    fn is_pass_through(&self) -> bool {
        let leads_on =
            matches!(&self.content.refresh, Some(Refresh { to: Some(to), .. }) if to.as_ref() != Ok(self.page.uri));
        leads_on && self.content.layout.words <= 30 && self.content.forms.is_empty()
    }

    fn says_not_found(&self) -> bool {
        self.heading.count(Cue::NotFound) > 0 && self.substance() <= 80 && self.price_rows <= 1
    }

    /// How much of the text stands within PGP blocks, in percent.
    fn pgp_share(&self) -> usize {
        let (mut within, mut rest) = (0, self.text);
        while let Some((_, after)) = rest.split_once("-----BEGIN PGP ") {
            let (block, after) = after.split_once("-----END PGP ").unwrap_or((after, ""));
            within += block.len();
            rest = after;
        }
        (within * 100).checked_div(self.text.len()).unwrap_or_default()
    }

    /// Whether a part of the path is one of `words`.
    fn path_says(&self, words: &[&str]) -> bool {
        rows::has_part(self.page.uri.path(), words)
    }

    /// Whether the query has one of `names`.
    fn query_has(&self, names: &[&str]) -> bool {
        let query = self.page.uri.query().unwrap_or_default().to_ascii_lowercase();
        query.split('&').any(|pair| names.contains(&pair.split('=').next().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests;

use model::PageKind;

use super::{Cue, View, rows};

/// Less evidence than this is none.
const ENOUGH: usize = 7;

/// Parts of paths that lead to people, to boards, to threads.
const PEOPLE: &[&str] = &["vendor", "user", "seller", "profile", "u", "member"];
const BOARDS: &[&str] = &["board", "boards", "forum", "forums", "viewforum", "forumdisplay", "b", "d"];
const THREADS: &[&str] = &["thread", "threads", "topic", "viewtopic", "showthread", "t"];

/// The kind with the most evidence.
pub(super) fn best(view: &View<'_>) -> PageKind {
    let signs = Signs::of(view);
    let scores = [
        (PageKind::Listing, Signs::listing(view)),
        (PageKind::Vendor, Signs::vendor(view)),
        (PageKind::Index, Signs::index(view)),
        (PageKind::Search, Signs::search(view)),
        (PageKind::Feedback, signs.feedback(view)),
        (PageKind::Board, Signs::board(view)),
        (PageKind::Thread, signs.thread(view)),
        (PageKind::Pgp, pgp(view)),
    ];
    let (kind, score) = scores.into_iter().rev().max_by_key(|&(_, score)| score).unwrap_or((PageKind::Other, 0));
    if score >= ENOUGH { kind } else { PageKind::Other }
}

/// What several kinds look at.
struct Signs {
    /// Dates that follow a link of one shape.
    date_rows: usize,
    dates: usize,
    masked_names: usize,
}

impl Signs {
    fn of(view: &View<'_>) -> Self {
        let content = view.content;
        let rows = |places: &[usize]| rows::rows(&content.layout.link_shapes, places.iter().copied());
        let dates: Vec<usize> = rows::dates(view.text).collect();
        Self { date_rows: rows(&dates), dates: dates.len(), masked_names: rows::masked_names(view.text) }
    }

    fn listing(view: &View<'_>) -> usize {
        let labels = [Cue::ShipsFrom, Cue::ShipsTo, Cue::Stock, Cue::Price, Cue::Seller, Cue::Escrow, Cue::Category];
        // Labels that stand once or twice are of one thing; a list has them in each row.
        let single = labels.iter().filter(|&&cue| (1..=2).contains(&view.tally.labels(cue))).count();
        let buys = 4 * usize::from((1..=3).contains(&view.tally.labels(Cue::Buy)));
        let named = 3 * usize::from(view.path_says(&["listing", "product", "item", "offer", "p"]));
        if view.prices.is_empty() { single } else { 2 * single + buys + named }
    }

    fn vendor(view: &View<'_>) -> usize {
        // Members of a forum have profiles too.
        if rows::links_of(&view.content.links, THREADS) > 0 {
            return 0;
        }
        let labels = view.tally.labels(Cue::Profile);
        let profile = 2 * labels.min(7) + (view.tally.count(Cue::Profile) - labels).min(3);
        // A heading that repeats the path says something of a person only where the path is one: rules are at /rules too.
        let path = if view.is_of_a_person() {
            10 + 4 * usize::from(view.is_named_by_path())
        } else {
            3 * usize::from(view.path_says(PEOPLE))
        };
        let heading = 3 * usize::from(view.heading.count(Cue::Profile) > 0);
        profile + path + heading
    }

    fn index(view: &View<'_>) -> usize {
        let rows = if view.price_rows >= 3 { 6 + view.price_rows.min(10) } else { 0 };
        let named = 3 * usize::from(view.path_says(&[
            "category",
            "categories",
            "cat",
            "listings",
            "products",
            "shop",
            "catalog",
            "catalogue",
            "browse",
        ]));
        rows + named
    }

    fn search(view: &View<'_>) -> usize {
        let asked = view.query_has(&["q", "s", "query", "search", "keyword", "keywords", "term", "zoek"])
            || view.path_says(&["search", "zoeken", "poisk"]);
        let has_box = view.content.forms.iter().any(|form| form.has_search);
        let says = view.tally.count(Cue::Results) > 0;
        let says = 9 * usize::from(view.heading.count(Cue::Results) > 0)
            + 3 * usize::from(says)
            + 4 * usize::from(says && has_box);
        if asked { Self::index(view) + says + 5 } else { says }
    }

    fn feedback(&self, view: &View<'_>) -> usize {
        let rows = self.masked_names.max(view.content.layout.marks.feedback).min(self.dates.max(self.masked_names));
        let rows = if rows >= 3 { 3 + rows.min(6) } else { 0 };
        let named = 4 * usize::from(view.path_says(&["feedback", "reviews", "ratings"]))
            + 3 * usize::from(view.heading.count(Cue::Feedback) > 0);
        let is_questionnaire = view.content.forms.iter().any(|form| form.others > 0);
        if rows == 0 && is_questionnaire { 0 } else { rows + named }
    }

    fn board(view: &View<'_>) -> usize {
        let words = view.tally.count(Cue::Board).min(5);
        let threads = rows::links_of(&view.content.links, THREADS).max(rows::links_of(&view.content.links, BOARDS));
        let rows = if threads >= 4 { 3 + threads.min(6) } else { 0 };
        let marks = view.content.layout.marks.threads.min(4);
        let named = 3 * usize::from(view.path_says(BOARDS));
        if view.is_of_a_person() {
            0
        } else if rows + marks == 0 {
            words
        } else {
            words + rows + marks + named
        }
    }

    fn thread(&self, view: &View<'_>) -> usize {
        let words = view.tally.count(Cue::Post).min(6);
        let posts = view.content.layout.marks.posts;
        let rows = if self.dates > 0 && posts > 0 {
            3 + posts.min(6)
        } else if words >= 2 {
            2 * self.date_rows.min(3)
        } else {
            0
        };
        let named = 5 * usize::from(view.path_says(THREADS));
        if self.dates == 0 || view.price_rows > 3 { 0 } else { words + rows + named }
    }
}

/// A key or a signed message that is most of the page, or that the page is named after.
fn pgp(view: &View<'_>) -> usize {
    let share = view.pgp_share();
    let headings = view.content.layout.headings.to_lowercase();
    let path = 5 * usize::from(view.path_says(&["pgp", "gpg", "key", "publickey"]));
    let heading = 3 * usize::from(
        ["pgp", "public key", "publieke sleutel", "открытый ключ"].iter().any(|name| headings.contains(name)),
    );
    if share >= 15 { share / 5 + path + heading } else { 0 }
}

impl View<'_> {
    /// Whether the path is that of one person: a word for people and a name.
    fn is_of_a_person(&self) -> bool {
        let mut parts = self.page.uri.path().trim_matches('/').split('/');
        parts.next().is_some_and(|first| PEOPLE.contains(&first.to_ascii_lowercase().as_str())) && parts.count() == 1
    }

    /// Whether a heading is the last part of the path, as on pages of people.
    fn is_named_by_path(&self) -> bool {
        let last = self.page.uri.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        !last.is_empty() && self.content.layout.headings.lines().any(|heading| heading.eq_ignore_ascii_case(last))
    }
}

use std::borrow::Cow;

use model::PageKind;

use super::{Cue, View, rows};

/// Less evidence than this is none.
const ENOUGH: usize = 7;

/// Parts of paths that lead to people, to boards, to threads.
const PEOPLE: &[&str] = &["vendor", "user", "seller", "profile", "u", "member"];
const BOARDS: &[&str] = &["board", "boards", "forum", "forums", "viewforum", "forumdisplay", "b", "d"];
const THREADS: &[&str] = &["thread", "threads", "topic", "viewtopic", "showthread", "t"];

/// What speaks for a kind.
#[derive(Default)]
struct Case {
    cues: Vec<model::Cue>,
    score: usize,
}

impl Case {
    /// Adds a cue, if it weighs anything.
    fn add(&mut self, what: &'static str, weight: usize) {
        if weight > 0 {
            self.score += weight;
            self.cues.push(model::Cue { what: Cow::Borrowed(what), weight: u32::try_from(weight).unwrap_or(u32::MAX) });
        }
    }
}

/// The kind with the most evidence, and the evidence.
pub(super) fn best(view: &View<'_>) -> (PageKind, Vec<model::Cue>) {
    let signs = Signs::of(view);
    let cases = [
        (PageKind::Listing, Signs::listing(view)),
        (PageKind::Vendor, Signs::vendor(view)),
        (PageKind::Index, signs.index(view)),
        (PageKind::Search, signs.search(view)),
        (PageKind::Feedback, signs.feedback(view)),
        (PageKind::Board, Signs::board(view)),
        (PageKind::Thread, signs.thread(view)),
        (PageKind::Pgp, pgp(view)),
    ];
    let best = cases.into_iter().rev().max_by_key(|(_, case)| case.score);
    match best {
        Some((kind, case)) if case.score >= ENOUGH => (kind, case.cues),
        _ => (PageKind::Other, Vec::new()),
    }
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

    fn listing(view: &View<'_>) -> Case {
        let mut case = Case::default();
        let facts = view.reading.facts_of_goods();
        // So many facts apart from any list are of one thing, whatever else is listed beside it.
        let each = if !view.has_prices {
            1
        } else if facts >= 4 {
            3
        } else {
            2
        };
        case.add("facts of one offer: price, seller, where it goes", each * facts);
        let (has_price, goes) = if facts < 4 { view.reading.shows_goods() } else { (false, false) };
        case.add("one price stands out", 2 * usize::from(has_price));
        case.add("it says where it goes from or to", 3 * usize::from(goes));
        let is_list = view.reading.rows().0 > 0 && facts < 3;
        if view.has_prices && !is_list {
            let buys = view.tally.labels(Cue::Buy).max(view.buttons.count(Cue::Buy));
            case.add("a button to buy", 4 * usize::from((1..=4).contains(&buys)));
            case.add("a field for how many", 2 * usize::from(view.content.forms.iter().any(|form| form.has_quantity)));
            let is_named = view.path_says(&["listing", "product", "item", "offer", "p"]);
            case.add("the address is that of an offer", 3 * usize::from(is_named));
        }
        let says = view.tally.count(Cue::Goods) + view.heading.count(Cue::Goods);
        case.add("it calls itself the page of an offer", if says <= 3 { 4 * says.min(2) } else { 0 });
        case
    }

    fn vendor(view: &View<'_>) -> Case {
        let mut case = Case::default();
        // Members of a forum have profiles too.
        if rows::links_of(view.content.shown_links(), THREADS) > 0 {
            return case;
        }
        let labels = view.tally.labels(Cue::Profile);
        let (rows, sold) = view.reading.rows();
        // Each row of a list may tell of its seller; whoever lists nothing but their own goods need not say whose they are.
        let (weight, person) = match (rows, view.reading.sellers()) {
            (_, 3..) if !view.is_of_a_person() => (1, 0),
            (0, _) => (2, 2),
            _ if rows >= 3 && 2 * sold <= rows => (2, 5),
            _ => (2, 0),
        };
        case.add("labels of a profile", weight * labels.min(7));
        case.add("words of a profile", (view.tally.count(Cue::Profile) - labels).min(3));
        case.add("when one person joined and was seen last", person * view.reading.facts_of_people());
        // A heading that repeats the path says something of a person only where the path is one: rules are at /rules too.
        if view.is_of_a_person() {
            case.add("the address is that of a person", 10);
            case.add("a heading is the name in the address", 4 * usize::from(view.is_named_by_path()));
        } else {
            case.add("the address speaks of people", 3 * usize::from(view.path_says(PEOPLE)));
        }
        case.add("a heading speaks of a profile", 3 * usize::from(view.heading.count(Cue::Profile) > 0));
        case
    }

    fn index(&self, view: &View<'_>) -> Case {
        let mut case = Case::default();
        let (rows, sold) = view.reading.rows();
        let weight = match view.price_rows {
            // What was bought, each with its buyer and a date.
            3.. if self.masked_names.min(self.dates) >= view.price_rows => 3,
            3.. => 6 + view.price_rows.min(10),
            // Few rows are a list where each of them says who sells.
            _ if rows > 0 && rows == sold => 7 + rows,
            _ => 0,
        };
        case.add("offers in rows", weight);
        let words = ["category", "categories", "cat", "listings", "products", "shop", "catalog", "catalogue", "browse"];
        case.add("the address is that of a list of goods", 3 * usize::from(view.path_says(&words)));
        case
    }

    fn search(&self, view: &View<'_>) -> Case {
        let asked = view.query_has(&["q", "s", "query", "search", "keyword", "keywords", "term", "zoek"])
            || view.path_says(&["search", "zoeken", "poisk"]);
        let has_box = view.content.forms.iter().any(|form| form.has_search);
        let says = view.tally.count(Cue::Results) > 0;
        let mut case = if asked { self.index(view) } else { Case::default() };
        case.add("the address holds what was looked for", 5 * usize::from(asked));
        case.add("a heading speaks of results", 9 * usize::from(view.heading.count(Cue::Results) > 0));
        case.add("it speaks of results", 3 * usize::from(says));
        case.add("it speaks of results beside a box to search with", 4 * usize::from(says && has_box));
        case
    }

    fn feedback(&self, view: &View<'_>) -> Case {
        let mut case = Case::default();
        let rows = self.masked_names.max(view.content.layout.marks.feedback).min(self.dates.max(self.masked_names));
        let rows = if rows >= 3 { 3 + rows.min(6) } else { 0 };
        let is_questionnaire = view.content.forms.iter().any(|form| form.others > 0);
        if rows == 0 && is_questionnaire {
            return case;
        }
        case.add("buyers with dates, in rows", rows);
        let is_named = view.path_says(&["feedback", "reviews", "ratings"]);
        case.add("the address is that of feedback", 4 * usize::from(is_named));
        case.add("a heading speaks of feedback", 3 * usize::from(view.heading.count(Cue::Feedback) > 0));
        case
    }

    fn board(view: &View<'_>) -> Case {
        let mut case = Case::default();
        let threads =
            rows::links_of(view.content.shown_links(), THREADS).max(rows::links_of(view.content.shown_links(), BOARDS));
        let rows = if threads >= 4 { 3 + threads.min(6) } else { 0 };
        let marks = view.content.layout.marks.threads.min(4);
        if view.is_of_a_person() {
            return case;
        }
        case.add("words of a board", view.tally.count(Cue::Board).min(5));
        if rows + marks > 0 {
            case.add("links to threads or boards", rows);
            case.add("classes of a board", marks);
            case.add("the address is that of a board", 3 * usize::from(view.path_says(BOARDS)));
        }
        case
    }

    fn thread(&self, view: &View<'_>) -> Case {
        let mut case = Case::default();
        if self.dates == 0 || view.price_rows > 3 {
            return case;
        }
        let words = view.tally.count(Cue::Post).min(6);
        let posts = view.content.layout.marks.posts;
        case.add("words beside posts", words);
        if posts > 0 {
            case.add("posts with dates", 3 + posts.min(6));
        } else if words >= 2 {
            case.add("links with dates, in rows", 2 * self.date_rows.min(3));
        }
        case.add("the address is that of a thread", 5 * usize::from(view.path_says(THREADS)));
        case
    }
}

/// A key or a signed message that is most of the page, or that the page is named after.
fn pgp(view: &View<'_>) -> Case {
    let mut case = Case::default();
    let share = view.pgp_share();
    if share < 15 {
        return case;
    }
    let headings = view.content.layout.headings.to_lowercase();
    let is_named =
        ["pgp", "public key", "publieke sleutel", "открытый ключ"].iter().any(|name| headings.contains(name));
    case.add("a key or a signed message takes much of the page", share / 5);
    case.add("the address is that of a key", 5 * usize::from(view.path_says(&["pgp", "gpg", "key", "publickey"])));
    case.add("a heading speaks of a key", 3 * usize::from(is_named));
    case
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

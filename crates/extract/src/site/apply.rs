use model::{Field, Fields, ListingFields, PageKind, Post, Price, ProfileUse, Row, Source, VendorFields};
use scraper::{ElementRef, Html};

use super::{FieldRule, PageRule, SiteProfile};
use crate::{
    Page,
    fields::{first_price, places},
};

/// The longest value, and the longest text of a post, in bytes.
const MAX_VALUE: usize = 500;
const MAX_TEXT: usize = 20_000;

/// Records of a list, and values of one field.
const MAX_RECORDS: usize = 1000;
const MAX_VALUES: usize = 300;

/// What an analyst pointed at is surer than what was found without.
const CONFIDENCE: u8 = 99;

/// Reads a page with the first profile that fits its site. `kind` and `fields` are what was found without one; they stay where the profile says
/// nothing, and altogether where it does not match.
pub(crate) fn read(
    profiles: &[SiteProfile],
    page: &Page<'_>,
    html: &Html,
    title: &str,
    kind: PageKind,
    fields: impl FnOnce(PageKind) -> Fields,
) -> (PageKind, Fields) {
    // Walls and errors of a site are not its pages.
    let is_apart = kind.is_wall() || matches!(kind, PageKind::NotFound | PageKind::Error | PageKind::MetaRefresh);
    let profile = profiles.iter().filter(|_| !is_apart).find(|profile| profile.fits(page, html, title));
    let Some(profile) = profile else { return (kind, fields(kind)) };
    let used = |matched: bool| Some(ProfileUse { name: profile.name.clone(), matched });
    let rule = profile.pages.iter().find(|rule| rule.when.fits(page, html, title));
    let Some(rule) = rule else {
        // The profile knows such pages, and does not know this one.
        let is_known = profile.pages.iter().any(|rule| rule.kind == kind);
        let profile = if is_known { used(false) } else { None };
        return (kind, Fields { profile, ..fields(kind) });
    };
    match rule.read(html) {
        Some(own) => (rule.kind, Fields { profile: used(true), ..merge(own, fields(rule.kind)) }),
        None => (kind, Fields { profile: used(false), ..fields(kind) }),
    }
}

impl PageRule {
    /// The fields of a page; `None` if one that is required is missing.
    fn read(&self, html: &Html) -> Option<Fields> {
        match self.kind {
            PageKind::Listing => Some(Fields { listing: Some(Box::new(self.listing(html)?)), ..Fields::default() }),
            PageKind::Index | PageKind::Search => {
                Some(Fields { rows: self.records(html, Self::row)?, ..Fields::default() })
            }
            PageKind::Thread => Some(Fields { posts: self.records(html, Self::post)?, ..Fields::default() }),
            _ => Some(Fields { vendor: Some(Box::new(self.vendor(html)?)), ..Fields::default() }),
        }
    }

    fn listing(&self, html: &Html) -> Option<ListingFields> {
        let found = Found::of(self, html.root_element())?;
        Some(ListingFields {
            title: found.one("title"),
            price: found.one("price").and_then(|field| Some(profiled(first_price(&field.value)?))),
            vendor: found.one("vendor"),
            ships_from: found.one("ships_from"),
            ships_to: found.list("ships_to", places),
            category: found.list("category", |text| parts(text, &['>', '»', '/'])),
            stock: found.one("stock"),
            sold: found.one("sold"),
            escrow: found.one("escrow"),
            payment: found.list("payment", |text| parts(text, &[',', '/', '|'])),
        })
    }

    fn vendor(&self, html: &Html) -> Option<VendorFields> {
        let found = Found::of(self, html.root_element())?;
        Some(VendorFields {
            name: found.one("name"),
            joined: found.one("joined"),
            last_seen: found.one("last_seen"),
            rating: found.one("rating"),
            sales: found.one("sales"),
            level: found.one("level"),
            ships_from: found.one("ships_from"),
            ships_to: found.list("ships_to", places),
            keys: Vec::new(),
        })
    }

    /// The records of a list. One that lacks what is required is none; a list of none is no match.
    fn records<T>(&self, html: &Html, read: impl Fn(&Found) -> Option<T>) -> Option<Vec<T>> {
        let each = self.each.as_ref()?;
        let records = html.select(each).take(MAX_RECORDS).filter_map(|record| read(&Found::of(self, record)?));
        Some(records.collect::<Vec<T>>()).filter(|records| !records.is_empty())
    }

    fn row(found: &Found) -> Option<Row> {
        let price: Option<Price> = found.first("price").and_then(first_price);
        let text = |name: &str| found.first(name).map(str::to_owned);
        Some(Row { title: text("title")?, vendor: text("vendor"), price, href: text("href"), confidence: CONFIDENCE })
    }

    fn post(found: &Found) -> Option<Post> {
        let text = |name: &str| found.first(name).map(str::to_owned);
        Some(Post { author: text("author"), time: text("time"), text: text("text")?, confidence: CONFIDENCE })
    }
}

/// The values of each field, within the page or within a record.
struct Found(Vec<(String, Vec<String>)>);

impl Found {
    /// `None` if one that is required is missing.
    fn of(rule: &PageRule, scope: ElementRef<'_>) -> Option<Self> {
        let mut found = Vec::with_capacity(rule.fields.len());
        for field in &rule.fields {
            let values: Vec<String> =
                scope.select(&field.select).take(MAX_VALUES).filter_map(|element| field.value(element)).collect();
            if values.is_empty() && field.is_required {
                return None;
            }
            found.push((field.name.clone(), values));
        }
        Some(Self(found))
    }

    fn values(&self, name: &str) -> &[String] {
        self.0.iter().find(|(other, _)| other == name).map_or(&[], |(_, values)| values)
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.values(name).first().map(String::as_str)
    }

    fn one(&self, name: &str) -> Option<Field<String>> {
        Some(profiled(self.first(name)?.to_owned()))
    }

    /// Several elements are a list; one holds a list.
    fn list(&self, name: &str, split: impl Fn(&str) -> Vec<String>) -> Option<Field<Vec<String>>> {
        let values = match self.values(name) {
            [] => return None,
            [one] => split(one),
            several => several.to_vec(),
        };
        (!values.is_empty()).then(|| profiled(values))
    }
}

impl FieldRule {
    /// The value in an element: its text or an attribute, and of that what the pattern takes.
    fn value(&self, element: ElementRef<'_>) -> Option<String> {
        let limit = if self.name == "text" { MAX_TEXT } else { MAX_VALUE };
        let raw = match &self.attribute {
            Some(attribute) => element.value().attr(attribute)?.to_owned(),
            None => text(element, limit),
        };
        let value = match &self.pattern {
            Some(pattern) => {
                let groups = pattern.captures(&raw)?;
                groups.get(1).or_else(|| groups.get(0))?.as_str()
            }
            None => &raw,
        };
        let value = value.trim();
        let value = value.get(..value.floor_char_boundary(limit)).unwrap_or_default();
        (!value.is_empty()).then(|| value.to_owned())
    }
}

/// The text within an element, white space collapsed, up to a limit in bytes.
fn text(element: ElementRef<'_>, limit: usize) -> String {
    let mut out = String::new();
    let mut is_apart = false;
    for part in element.text() {
        is_apart |= part.starts_with(char::is_whitespace);
        for word in part.split_whitespace() {
            if is_apart && !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
            is_apart = true;
        }
        is_apart = part.ends_with(char::is_whitespace) || is_apart && part.trim().is_empty();
        if out.len() > limit {
            break;
        }
    }
    out
}

fn parts(text: &str, signs: &[char]) -> Vec<String> {
    text.split(signs).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn profiled<T>(value: T) -> Field<T> {
    Field { value, confidence: CONFIDENCE, source: Source::Profile }
}

/// What the profile found, and beside it what was found without.
fn merge(own: Fields, generic: Fields) -> Fields {
    let listing = match (own.listing, generic.listing) {
        (Some(own), Some(generic)) => Some(Box::new(ListingFields {
            title: own.title.or(generic.title),
            price: own.price.or(generic.price),
            vendor: own.vendor.or(generic.vendor),
            ships_from: own.ships_from.or(generic.ships_from),
            ships_to: own.ships_to.or(generic.ships_to),
            category: own.category.or(generic.category),
            stock: own.stock.or(generic.stock),
            sold: own.sold.or(generic.sold),
            escrow: own.escrow.or(generic.escrow),
            payment: own.payment.or(generic.payment),
        })),
        (own, generic) => own.or(generic),
    };
    let vendor = match (own.vendor, generic.vendor) {
        (Some(own), Some(generic)) => Some(Box::new(VendorFields {
            name: own.name.or(generic.name),
            joined: own.joined.or(generic.joined),
            last_seen: own.last_seen.or(generic.last_seen),
            rating: own.rating.or(generic.rating),
            sales: own.sales.or(generic.sales),
            level: own.level.or(generic.level),
            ships_from: own.ships_from.or(generic.ships_from),
            ships_to: own.ships_to.or(generic.ships_to),
            keys: generic.keys,
        })),
        (own, generic) => own.or(generic),
    };
    let rows = if own.rows.is_empty() { generic.rows } else { own.rows };
    let posts = if own.posts.is_empty() { generic.posts } else { own.posts };
    Fields { profile: own.profile, listing, vendor, rows, posts }
}

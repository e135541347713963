use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use model::{Document, Field, PageKind, Price};
use serde_json::{Value, json};

use crate::truth::{Row, Truth, collapse};

/// What was found and what was not, field by field.
pub(crate) struct Scores {
    fields: BTreeMap<&'static str, Count>,
    observables: Count,
    kinds: (usize, usize),
    /// What differs, if it is to be shown.
    differences: Option<Vec<String>>,
}

/// Values that were right, values that were found and are wrong, values that are there and were not found.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    right: usize,
    wrong: usize,
    missed: usize,
}

/// How two values of a field are compared.
#[derive(Clone, Copy)]
enum As {
    Text,
    Decimal,
    Set,
    Path,
}

impl Count {
    #[expect(clippy::cast_precision_loss, reason = "counts of values on pages")]
    fn precision(self) -> f64 {
        if self.right + self.wrong == 0 { 1.0 } else { self.right as f64 / (self.right + self.wrong) as f64 }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of values on pages")]
    fn recall(self) -> f64 {
        if self.right + self.missed == 0 { 1.0 } else { self.right as f64 / (self.right + self.missed) as f64 }
    }

    fn f1(self) -> f64 {
        let (p, r) = (self.precision(), self.recall());
        if p + r == 0.0 { 0.0 } else { 2.0 * p * r / (p + r) }
    }

    fn to_json(self) -> Value {
        json!({"p": round(self.precision()), "r": round(self.recall()), "f1": round(self.f1()), "n": self.right + self.missed})
    }
}

fn round(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

impl Scores {
    pub(crate) fn new(shows_differences: bool) -> Self {
        let differences = shows_differences.then(Vec::new);
        Self { fields: BTreeMap::new(), observables: Count::default(), kinds: (0, 0), differences }
    }

    /// Compares one page with what is known of it.
    pub(crate) fn add(&mut self, page: &str, truth: &Truth, found: &Document, observables: &[(String, String)]) {
        let is_right = truth.kinds.iter().any(|kind| kind == found.kind.as_str());
        self.kinds.0 += usize::from(is_right);
        self.kinds.1 += 1;
        if !is_right {
            let cues = found.cues.iter().map(|cue| format!("{} {}", cue.weight, cue.what));
            self.tell(
                page,
                "kind",
                &truth.kinds,
                &[found.kind.to_string()].into_iter().chain(cues).collect::<Vec<_>>(),
            );
        }
        self.add_listing(page, truth, found);
        self.add_vendor(page, truth, found);
        if matches!(truth.kind.as_str(), "index" | "search") || matches!(found.kind, PageKind::Index | PageKind::Search)
        {
            self.add_rows(page, truth, found);
        }
        let (known, found): (BTreeSet<_>, BTreeSet<_>) =
            (truth.observables.iter().collect(), observables.iter().collect());
        self.observables.right += known.intersection(&found).count();
        self.observables.wrong += found.difference(&known).count();
        self.observables.missed += known.difference(&found).count();
    }

    fn add_listing(&mut self, page: &str, truth: &Truth, found: &Document) {
        let known = |name: &str| (truth.kind == "listing").then(|| truth.field(name)).flatten();
        let listing = found.fields.listing.clone().unwrap_or_default();
        let price = listing.price.as_ref();
        let amount = price.map(|price: &Field<Price>| price.value.amount.clone());
        let currency = price.map(|price| price.value.currency.to_string());
        self.field(page, "listing.title", As::Text, known("title"), one(listing.title.as_ref()));
        self.field(page, "listing.price", As::Decimal, known("price"), amount.map(|value| vec![value]));
        self.field(page, "listing.currency", As::Text, known("currency"), currency.map(|value| vec![value]));
        self.field(page, "listing.vendor", As::Text, known("vendor"), one(listing.vendor.as_ref()));
        self.field(page, "listing.ships_from", As::Text, known("ships_from"), one(listing.ships_from.as_ref()));
        self.field(page, "listing.ships_to", As::Set, known("ships_to"), many(listing.ships_to.as_ref()));
        self.field(page, "listing.category", As::Path, known("category"), many(listing.category.as_ref()));
        self.field(page, "listing.stock", As::Text, known("quantity_in_stock"), one(listing.stock.as_ref()));
        self.field(page, "listing.sold", As::Text, known("sold_count"), one(listing.sold.as_ref()));
        self.field(page, "listing.escrow", As::Text, known("escrow"), one(listing.escrow.as_ref()));
        self.field(page, "listing.payment", As::Set, known("payment"), many(listing.payment.as_ref()));
    }

    fn add_vendor(&mut self, page: &str, truth: &Truth, found: &Document) {
        let is_vendor = matches!(truth.kind.as_str(), "vendor" | "feedback" | "pgp");
        let known = |name: &str| is_vendor.then(|| truth.field(name)).flatten();
        let vendor = found.fields.vendor.clone().unwrap_or_default();
        self.field(page, "vendor.name", As::Text, known("name"), one(vendor.name.as_ref()));
        self.field(page, "vendor.joined", As::Text, known("joined"), one(vendor.joined.as_ref()));
        self.field(page, "vendor.last_seen", As::Text, known("last_seen"), one(vendor.last_seen.as_ref()));
        self.field(page, "vendor.rating", As::Text, known("rating"), one(vendor.rating.as_ref()));
        self.field(page, "vendor.sales_count", As::Text, known("sales_count"), one(vendor.sales.as_ref()));
        self.field(page, "vendor.level", As::Text, known("level"), one(vendor.level.as_ref()));
        self.field(page, "vendor.ships_from", As::Text, known("ships_from"), one(vendor.ships_from.as_ref()));
        self.field(page, "vendor.ships_to", As::Set, known("ships_to"), many(vendor.ships_to.as_ref()));
    }

    fn add_rows(&mut self, page: &str, truth: &Truth, found: &Document) {
        let mut known = truth.rows();
        let mut strangers = Vec::new();
        let count = self.fields.entry("index.rows").or_default();
        for row in &found.fields.rows {
            let price = row.price.as_ref().map(|price| price.amount.clone()).unwrap_or_default();
            let row =
                Row { title: collapse(&row.title), vendor: collapse(row.vendor.as_deref().unwrap_or_default()), price };
            let same = |other: &Row| {
                other.title == row.title && other.vendor == row.vendor && decimal(&other.price) == decimal(&row.price)
            };
            match known.iter().position(same) {
                Some(at) => {
                    known.remove(at);
                    count.right += 1;
                }
                None => strangers.push(format!("{row:?}")),
            }
        }
        count.wrong += strangers.len();
        count.missed += known.len();
        if !(strangers.is_empty() && known.is_empty()) {
            let known: Vec<String> = known.iter().map(|row| format!("{row:?}")).collect();
            self.tell(page, "index.rows", &known, &strangers);
        }
    }

    fn field(
        &mut self,
        page: &str,
        name: &'static str,
        how: As,
        known: Option<Vec<String>>,
        found: Option<Vec<String>>,
    ) {
        let count = self.fields.entry(name).or_default();
        let is_right = match (&known, &found) {
            (Some(known), Some(found)) => how.same(known, found),
            _ => false,
        };
        count.right += usize::from(is_right);
        count.wrong += usize::from(found.is_some() && !is_right);
        count.missed += usize::from(known.is_some() && !is_right);
        if known.is_some() != found.is_some() || known.is_some() && !is_right {
            self.tell(page, name, &known.unwrap_or_default(), &found.unwrap_or_default());
        }
    }

    fn tell(&mut self, page: &str, what: &str, known: &[String], found: &[String]) {
        if let Some(differences) = &mut self.differences {
            differences.push(format!("{page}: {what}: known {known:?}, found {found:?}"));
        }
    }

    /// The line of JSON with which the program ends.
    pub(crate) fn to_json(&self) -> Value {
        let fields: BTreeMap<&str, Value> = self.fields.iter().map(|(name, count)| (*name, count.to_json())).collect();
        let observables = json!({"p": round(self.observables.precision()), "r": round(self.observables.recall())});
        json!({"fields": fields, "kind_accuracy": round(self.kind_accuracy()), "observables": observables})
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of pages")]
    fn kind_accuracy(&self) -> f64 {
        if self.kinds.1 == 0 { 0.0 } else { self.kinds.0 as f64 / self.kinds.1 as f64 }
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in self.differences.iter().flatten() {
            writeln!(f, "{difference}")?;
        }
        writeln!(f, "| field | precision | recall | F1 | values |\n|---|---|---|---|---|")?;
        for (name, count) in self.fields.iter().chain([(&"observables", &self.observables)]) {
            let values = count.right + count.missed;
            writeln!(
                f,
                "| {name} | {:.3} | {:.3} | {:.3} | {values} |",
                count.precision(),
                count.recall(),
                count.f1()
            )?;
        }
        writeln!(f, "\npage kind: {} of {} ({:.3})", self.kinds.0, self.kinds.1, self.kind_accuracy())
    }
}

impl As {
    fn same(self, known: &[String], found: &[String]) -> bool {
        let texts = |values: &[String]| values.iter().map(|value| collapse(value)).collect::<Vec<_>>();
        match self {
            Self::Text | Self::Path => texts(known) == texts(found),
            Self::Decimal => {
                known.len() == found.len()
                    && known.iter().zip(found).all(|(known, found)| decimal(known) == decimal(found))
            }
            Self::Set => {
                texts(known).into_iter().collect::<BTreeSet<_>>() == texts(found).into_iter().collect::<BTreeSet<_>>()
            }
        }
    }
}

/// A decimal without zeros that say nothing.
fn decimal(text: &str) -> &str {
    let text = text.trim();
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    let whole = text.trim_start_matches('0');
    if whole.is_empty() || whole.starts_with('.') {
        text.get(text.len() - whole.len() - usize::from(text.len() > whole.len())..).unwrap_or(text)
    } else {
        whole
    }
}

fn one(field: Option<&Field<String>>) -> Option<Vec<String>> {
    field.map(|field| vec![field.value.clone()])
}

fn many(field: Option<&Field<Vec<String>>>) -> Option<Vec<String>> {
    field.map(|field| field.value.clone())
}

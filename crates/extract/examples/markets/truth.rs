use std::{fs, path::Path};

use anyhow::Context as _;
use serde_json::{Map, Value};

/// The pages of one market, and what is known of them.
pub(crate) struct Market {
    pub(crate) market: String,
    pub(crate) pages: Vec<Truth>,
}

/// What is known of one page.
pub(crate) struct Truth {
    /// Its path within the market's folder.
    pub(crate) file: String,
    /// Every kind that a person would accept for it.
    pub(crate) kinds: Vec<String>,
    pub(crate) kind: String,
    fields: Map<String, Value>,
    pub(crate) observables: Vec<(String, String)>,
}

/// A row of a list, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) title: String,
    pub(crate) vendor: String,
    pub(crate) price: String,
}

impl Market {
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("truth.json");
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let json: Value = serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))?;
        let pages = json["pages"].as_array().with_context(|| format!("{} names no pages", path.display()))?;
        let pages = pages.iter().map(Truth::of).collect::<anyhow::Result<_>>();
        let pages = pages.with_context(|| format!("in {}", path.display()))?;
        Ok(Self { market: json["market"].as_str().unwrap_or_default().to_owned(), pages })
    }
}

impl Truth {
    fn of(page: &Value) -> anyhow::Result<Self> {
        let text = |name: &str| page[name].as_str().map(str::to_owned).with_context(|| format!("a page has no {name}"));
        let kind = text("kind")?;
        let accepted = page["kinds_accepted"].as_array();
        let kinds = accepted.map_or_else(|| vec![kind.clone()], |kinds| strings(kinds));
        let observables = page["observables"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Self {
            file: text("file")?,
            kinds,
            kind,
            fields: page["fields"].as_object().cloned().unwrap_or_default(),
            observables: observables.iter().map(|one| comparable(plain(&one["kind"]), plain(&one["value"]))).collect(),
        })
    }

    /// The values of a field, if it is on the page.
    pub(crate) fn field(&self, name: &str) -> Option<Vec<String>> {
        match self.fields.get(name)? {
            Value::Array(values) => Some(strings(values)),
            value => Some(vec![plain(value)]),
        }
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let rows = self.fields.get("rows").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let of = |row: &Value| Row {
            title: plain(&row["title"]),
            vendor: plain(&row["vendor"]),
            price: plain(&row["price"]),
        };
        rows.iter().map(of).collect()
    }
}

fn strings(values: &[Value]) -> Vec<String> {
    values.iter().map(plain).collect()
}

/// A value as text, white space collapsed.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => collapse(text),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// White space as the truth has it.
pub(crate) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The kinds of observables that a truth tells of; what else is found is neither right nor wrong.
pub(crate) const OBSERVABLES: [&str; 18] = [
    "pgp_fingerprint",
    "url",
    "email",
    "jabber",
    "onion_v2",
    "onion_v3",
    "btc",
    "xmr",
    "ltc",
    "eth",
    "bitmessage",
    "wickr",
    "telegram",
    "whatsapp",
    "kik",
    "icq",
    "dread",
    "twitter",
];

/// An observable as both sides write it: the letters of an Ethereum address are its checksum, which not everybody writes.
pub(crate) fn comparable(kind: String, value: String) -> (String, String) {
    if kind == "eth" { (kind, value.to_ascii_lowercase()) } else { (kind, value) }
}

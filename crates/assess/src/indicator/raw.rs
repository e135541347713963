use std::collections::BTreeMap;

use model::{Grade, ObservableKind, PageKind};
use serde::Deserialize;

/// An indicator as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIndicator {
    pub(super) name: String,
    pub(super) why: String,
    pub(super) threshold: Option<i64>,
    #[serde(default)]
    pub(super) all: Vec<RawCondition>,
    #[serde(default)]
    pub(super) any: Vec<RawCondition>,
    #[serde(default)]
    pub(super) none: Vec<RawCondition>,
    #[serde(default)]
    pub(super) example: Vec<RawExample>,
}

/// A condition as it is written: one of the first eight keys (`terms` and `stems` go together), and what goes with it.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCondition {
    pub(super) terms: Option<Vec<String>>,
    pub(super) stems: Option<BTreeMap<String, Vec<String>>>,
    pub(super) near: Option<Vec<String>>,
    pub(super) pattern: Option<String>,
    pub(super) observable: Option<ObservableKind>,
    pub(super) field: Option<String>,
    pub(super) kind: Option<Vec<PageKind>>,
    pub(super) page_language: Option<Vec<String>>,
    pub(super) language: Option<String>,
    pub(super) exact: Option<bool>,
    pub(super) place: Option<String>,
    pub(super) distance: Option<u32>,
    pub(super) grade: Option<Grade>,
    pub(super) values: Option<Vec<String>>,
    pub(super) is: Option<Vec<String>>,
    pub(super) above: Option<toml::Value>,
    pub(super) below: Option<toml::Value>,
    pub(super) currency: Option<String>,
    pub(super) weight: Option<i64>,
}

/// An example as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExample {
    pub(super) flags: bool,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default = "other")]
    pub(super) kind: PageKind,
    pub(super) language: Option<String>,
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) observables: BTreeMap<ObservableKind, Vec<String>>,
}

const fn other() -> PageKind {
    PageKind::Other
}

impl RawCondition {
    /// The keys that say what must hold.
    pub(super) fn subjects(&self) -> Vec<&'static str> {
        given([
            ("terms", self.terms.is_some() || self.stems.is_some()),
            ("near", self.near.is_some()),
            ("pattern", self.pattern.is_some()),
            ("observable", self.observable.is_some()),
            ("field", self.field.is_some()),
            ("kind", self.kind.is_some()),
            ("page_language", self.page_language.is_some()),
        ])
    }

    /// The keys that say more of it; a weight goes with everything.
    pub(super) fn details(&self) -> Vec<&'static str> {
        given([
            ("language", self.language.is_some()),
            ("exact", self.exact.is_some()),
            ("place", self.place.is_some()),
            ("distance", self.distance.is_some()),
            ("grade", self.grade.is_some()),
            ("values", self.values.is_some()),
            ("is", self.is.is_some()),
            ("above", self.above.is_some()),
            ("below", self.below.is_some()),
            ("currency", self.currency.is_some()),
        ])
    }
}

fn given<const N: usize>(keys: [(&'static str, bool); N]) -> Vec<&'static str> {
    keys.into_iter().filter(|(_, is_given)| *is_given).map(|(key, _)| key).collect()
}

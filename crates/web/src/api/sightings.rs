use model::{ObservableKind, Seq, ThemeId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CaptureSummary;

/// Where an observable was seen, and with which others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sightings {
    /// What it is.
    #[schema(value_type = String, example = "btc")]
    pub kind: ObservableKind,
    /// Its normal form.
    pub value: String,
    /// The first capture that shows it; null where none does.
    pub first: Option<CaptureSummary>,
    /// The last one.
    pub last: Option<CaptureSummary>,
    /// The captures that show it, newest first.
    pub captures: Vec<CaptureSummary>,
    /// What the next page begins with, if there is one.
    #[schema(value_type = Option<u64>)]
    pub next: Option<Seq>,
    /// What else these captures show, the most frequent first; at most 100.
    pub others: Vec<Companion>,
}

/// Where an observable was seen, in every theme that one reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pivot {
    /// What it is.
    #[schema(value_type = String, example = "btc")]
    pub kind: ObservableKind,
    /// The themes in which it was seen.
    pub themes: Vec<ThemeSightings>,
}

/// Where an observable was seen in a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ThemeSightings {
    /// The theme.
    #[schema(value_type = String)]
    pub theme: ThemeId,
    /// The sightings.
    #[serde(flatten)]
    pub sightings: Sightings,
}

/// An observable that is seen with another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Companion {
    /// What it is.
    #[schema(value_type = String, example = "xmpp")]
    pub kind: ObservableKind,
    /// Its normal form.
    pub value: String,
    /// On how many captures of the page.
    pub captures: u64,
}

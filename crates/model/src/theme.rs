use serde::{Deserialize, Serialize};

use crate::{ObservableSettings, ThemeId};

/// A closed information bin (R22), as its file in `config/themes/` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// The name that keys begin with; it must equal the name of the file.
    pub id: ThemeId,
    /// What people call it.
    pub title: String,
    /// What belongs in it, and what does not.
    pub description: String,
    /// How long what was captured is kept.
    #[serde(default)]
    pub retention: Retention,
    /// Whether whoever reads content must say what for: a purpose, or the number of a case.
    #[serde(default)]
    pub requires_purpose: bool,
    /// Which observables of its pages may be kept (R23). Absent: every kind.
    #[serde(default)]
    pub observables: ObservableSettings,
}

/// How long captures are kept, by kind, in days since the content was last seen: since the last capture of its version. Absent: for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Captures with content.
    pub content_days: Option<u32>,
    /// Captures without content, such as attempts that failed.
    pub attempts_days: Option<u32>,
}

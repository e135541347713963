use serde::{Deserialize, Serialize};

use crate::ThemeId;

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
}

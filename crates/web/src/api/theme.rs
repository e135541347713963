use model::ThemeId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The themes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Themes {
    /// In order of name.
    pub themes: Vec<Theme>,
}

/// A closed information bin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Theme {
    /// Its name in paths.
    #[schema(value_type = String, example = "marketplace")]
    pub id: ThemeId,
    /// What people call it.
    pub title: String,
    /// What belongs in it, and what does not.
    pub description: String,
}

use axum::{Extension, Json, extract::State};

use crate::{
    api::{Theme, Themes},
    app::Shared,
    authentication::Who,
};

/// The themes in which one has a role
///
/// An administrator, who gives roles in them, is told of all.
#[utoipa::path(
    get, path = "/themes", tag = "daemon", operation_id = "list_themes",
    responses((status = 200, description = "The themes.", body = Themes)),
)]
pub(crate) async fn list(State(running): State<Shared>, Extension(who): Extension<Who>) -> Json<Themes> {
    let is_told = |theme: &&model::Theme| who.has(model::Role::Administrator, None) || who.is_known_in(theme.id);
    let theme = |theme: &model::Theme| Theme {
        id: theme.id,
        title: theme.title.clone(),
        description: theme.description.clone(),
    };
    Json(Themes { themes: running.app.themes.now().iter().filter(is_told).map(theme).collect() })
}

use axum::{Json, extract::State};

use crate::{
    api::{Theme, Themes},
    app::Shared,
};

/// The themes
#[utoipa::path(
    get, path = "/themes", tag = "daemon", operation_id = "list_themes",
    responses((status = 200, description = "The themes.", body = Themes)),
)]
pub(crate) async fn list(State(running): State<Shared>) -> Json<Themes> {
    let theme = |theme: &model::Theme| Theme {
        id: theme.id,
        title: theme.title.clone(),
        description: theme.description.clone(),
    };
    Json(Themes { themes: running.app.themes.iter().map(theme).collect() })
}

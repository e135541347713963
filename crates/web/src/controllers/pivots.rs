//! A pivot over the themes that one reads, and over no others.

use axum::{
    Extension, Json,
    extract::{RawQuery, State},
    http::HeaderMap,
};
use model::{Phase, Role, ThemeId};
use proof::LeafKind;
use store::Act;

use super::observables::{SightingParameters, found};
use crate::{
    api::{Pivot, ThemeSightings},
    app::{Running, Shared},
    authentication::Who,
    refusal::Refusal,
    request::purpose,
};

/// Where an observable was seen, in every theme that one reads
///
/// Themes in which it was not seen are not told of. The question is a leaf of the audit log for each theme that was searched. Pages are read on in each theme.
#[utoipa::path(
    get, path = "/observables", tag = "search", operation_id = "pivot", params(SightingParameters),
    responses((status = 200, description = "By theme, in order of name.", body = Pivot)),
)]
pub(crate) async fn pivot(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<Pivot>, Refusal> {
    let wanted = SightingParameters::read(query.as_deref())?;
    let purpose = purpose(&headers)?;
    let pivot = move |running: &Running| {
        let mut themes = Vec::new();
        for theme in running.app.themes.now().iter().filter(|theme| reads(&who, theme.id)) {
            if theme.requires_purpose && purpose.is_none() {
                return Err(Refusal::NoPurpose);
            }
            let grant = running.app.authority.grant(who.name(), theme.id, Phase::Analysis);
            let sightings = found(running, &grant, theme, &wanted)?;
            running.app.store.audit(asked(running, &who, theme.id, purpose.as_deref(), &wanted), false)?;
            if sightings.first.is_some() {
                themes.push(ThemeSightings { theme: theme.id, sightings });
            }
        }
        Ok(Pivot { kind: wanted.kind, themes })
    };
    running.blocking(pivot).await.map(Json)
}

/// Whether somebody reads content of a theme.
fn reads(who: &Who, theme: ThemeId) -> bool {
    who.has(Role::Analyst, Some(theme)) || who.may_search(Some(theme))
}

/// The question, as the theme's auditor sees it.
fn asked(running: &Running, who: &Who, theme: ThemeId, purpose: Option<&str>, wanted: &SightingParameters) -> Act {
    let act = Act::new(theme, LeafKind::Access, running.app.clock.now()).fact("who", who.name());
    let act = act.fact("action", "GET /observables").fact("status", 200);
    let act = act.part("query", format!("{}={}", wanted.kind, wanted.value));
    purpose.into_iter().fold(act, |act, purpose| act.part("purpose", purpose))
}

//! Holds: what may not be erased.

use axum::{
    Json,
    extract::{Path, State},
};
use model::Phase;

use crate::{
    api::{Done, Hold, Holds, NewHold, Reason},
    app::Shared,
    refusal::Refusal,
    request::{AtTheme, Body, said},
};

/// The holds of a theme
#[utoipa::path(
    get, path = "/themes/{theme}/holds", tag = "custody", operation_id = "list_holds", params(AtTheme),
    responses((status = 200, description = "The holds.", body = Holds)),
)]
pub(crate) async fn list(State(running): State<Shared>, at: AtTheme) -> Result<Json<Holds>, Refusal> {
    let list = move |running: &crate::app::Running| {
        let holds = running.app.store.holds(&at.grant(&running.app, Phase::Analysis), at.theme)?;
        Ok(Holds { holds: holds.into_iter().map(shown).collect() })
    };
    running.blocking(list).await.map(Json)
}

/// Hold what must not be erased
///
/// A hold beats retention, and an erasure is refused until it is lifted. Several may lie on one subject.
#[utoipa::path(
    post, path = "/themes/{theme}/holds", tag = "custody", operation_id = "set_hold", params(AtTheme),
    request_body = NewHold,
    responses((status = 200, description = "The leaf that names the hold.", body = Done)),
)]
pub(crate) async fn set(
    State(running): State<Shared>,
    at: AtTheme,
    Body(new): Body<NewHold>,
) -> Result<Json<Done>, Refusal> {
    said("reason", &new.reason)?;
    let set = move |running: &crate::app::Running| {
        let grant = at.grant(&running.app, Phase::Analysis);
        let leaf = running.app.store.set_hold(&grant, at.theme, new.subject, &new.reason, running.app.clock.now())?;
        Ok(Done { leaves: vec![leaf], captures: 0 })
    };
    running.blocking(set).await.map(Json)
}

/// Lift a hold
#[utoipa::path(
    post, path = "/themes/{theme}/holds/{leaf}/lift", tag = "custody", operation_id = "lift_hold",
    params(AtTheme, ("leaf" = u64, Path, description = "The leaf that set the hold.")),
    request_body = Reason,
    responses((status = 200, description = "The leaf that tells of it.", body = Done)),
)]
pub(crate) async fn lift(
    State(running): State<Shared>,
    at: AtTheme,
    Path((_, leaf)): Path<(String, String)>,
    Body(why): Body<Reason>,
) -> Result<Json<Done>, Refusal> {
    said("reason", &why.reason)?;
    let hold = leaf.parse().map_err(|_| Refusal::NoHold)?;
    let lift = move |running: &crate::app::Running| {
        let grant = at.grant(&running.app, Phase::Analysis);
        let lifted = running.app.store.lift_hold(&grant, at.theme, hold, &why.reason, running.app.clock.now())?;
        Ok(Done { leaves: vec![lifted.ok_or(Refusal::NoHold)?], captures: 0 })
    };
    running.blocking(lift).await.map(Json)
}

fn shown(hold: store::Hold) -> Hold {
    let store::Hold { leaf, subject, who, reason, since } = hold;
    Hold { leaf, subject, who, reason, since }
}

//! Seals: what is hidden until somebody decides about it.

use axum::{Json, extract::State};
use model::{CaptureId, Phase};

use crate::{
    api::{Done, Reason, Seal, Seals},
    app::Shared,
    controllers::erasures::done,
    refusal::Refusal,
    request::{AtCapture, AtTheme, Body, said},
};

/// The sealed captures of a theme
///
/// About each of them a decision is pending. What they hold is not shown.
#[utoipa::path(
    get, path = "/themes/{theme}/seals", tag = "custody", operation_id = "list_seals", params(AtTheme),
    responses((status = 200, description = "The seals.", body = Seals)),
)]
pub(crate) async fn list(State(running): State<Shared>, at: AtTheme) -> Result<Json<Seals>, Refusal> {
    let list = move |running: &crate::app::Running| {
        let seals = running.app.store.seals(&at.grant(&running.app, Phase::Analysis), at.theme)?;
        let shown = |(seq, seal): (model::Seq, store::Seal)| Seal {
            capture: CaptureId { theme: at.theme, seq },
            leaf: seal.leaf,
            who: seal.who,
            reason: seal.reason,
            since: seal.since,
        };
        Ok(Seals { seals: seals.into_iter().map(shown).collect() })
    };
    running.blocking(list).await.map(Json)
}

/// Seal a capture
///
/// It, and every other capture of the theme with the same payload, is hidden at once, and the payload is not kept again in any theme.
#[utoipa::path(
    post, path = "/themes/{theme}/captures/{seq}/seal", tag = "custody", operation_id = "seal_capture", params(AtCapture),
    request_body = Reason,
    responses((status = 200, description = "What was sealed.", body = Done)),
)]
pub(crate) async fn set(
    State(running): State<Shared>,
    at: AtCapture,
    Body(why): Body<Reason>,
) -> Result<Json<Done>, Refusal> {
    said("reason", &why.reason)?;
    let set = move |running: &crate::app::Running| {
        let (grant, now) = (at.grant(&running.app), running.app.clock.now());
        running.app.store.capture(&grant, at.id())?.ok_or(Refusal::NoCapture)?;
        running.keys.forget_answers();
        Ok(done(running.app.store.set_seal(&grant, at.theme, at.seq, &why.reason, now)?))
    };
    running.blocking(set).await.map(Json)
}

/// Lift a seal
///
/// An approver decides.
#[utoipa::path(
    post, path = "/themes/{theme}/captures/{seq}/unseal", tag = "custody", operation_id = "unseal_capture",
    params(AtCapture),
    request_body = Reason,
    responses((status = 200, description = "What is shown again.", body = Done)),
)]
pub(crate) async fn lift(
    State(running): State<Shared>,
    at: AtCapture,
    Body(why): Body<Reason>,
) -> Result<Json<Done>, Refusal> {
    said("reason", &why.reason)?;
    let lift = move |running: &crate::app::Running| {
        let (grant, now) = (at.who.custody(&running.app, at.theme), running.app.clock.now());
        running.app.store.capture(&grant, at.id())?.ok_or(Refusal::NoCapture)?;
        Ok(done(running.app.store.lift_seal(&grant, at.theme, at.seq, &why.reason, now)?))
    };
    running.blocking(lift).await.map(Json)
}

//! What people want of a target: rest, go on, end; and the decisions that it is crawled under.

use axum::{Json, extract::State};
use model::TargetState;

use crate::{
    api::{NewDecision, TargetDetail},
    app::Shared,
    controllers::targets::{change, change_settings, decided},
    refusal::Refusal,
    request::{AtTarget, Body},
};

/// Let a target rest
///
/// Its frontier is kept.
#[utoipa::path(
    post, path = "/themes/{theme}/targets/{id}/pause", tag = "targets", operation_id = "pause_target", params(AtTarget),
    responses((status = 200, description = "The target as it is now.", body = TargetDetail)),
)]
pub(crate) async fn pause(State(running): State<Shared>, at: AtTarget) -> Result<Json<TargetDetail>, Refusal> {
    let paused = |target: &mut model::Target| {
        target.state = TargetState::Paused;
        Ok(())
    };
    change(&running, at, "target paused", paused).await
}

/// Let a target go on
///
/// Also the answer to a target that waits for a person: somebody has looked.
#[utoipa::path(
    post, path = "/themes/{theme}/targets/{id}/resume", tag = "targets", operation_id = "resume_target",
    params(AtTarget),
    responses((status = 200, description = "The target as it is now.", body = TargetDetail)),
)]
pub(crate) async fn resume(State(running): State<Shared>, at: AtTarget) -> Result<Json<TargetDetail>, Refusal> {
    let resumed = |target: &mut model::Target| {
        target.state = TargetState::Active;
        target.attention = None;
        Ok(())
    };
    change(&running, at, "target resumed", resumed).await
}

/// Be finished with a target
///
/// What was captured stays. There is no way back.
#[utoipa::path(
    post, path = "/themes/{theme}/targets/{id}/retire", tag = "targets", operation_id = "retire_target",
    params(AtTarget),
    responses((status = 200, description = "The target as it is now.", body = TargetDetail)),
)]
pub(crate) async fn retire(State(running): State<Shared>, at: AtTarget) -> Result<Json<TargetDetail>, Refusal> {
    let retired = |target: &mut model::Target| {
        target.state = TargetState::Retired;
        Ok(())
    };
    change(&running, at, "target retired", retired).await
}

/// A new decision on a target
///
/// It takes the place of the one before, which stays in the history.
#[utoipa::path(
    post, path = "/themes/{theme}/targets/{id}/decision", tag = "targets", operation_id = "decide_on_target",
    params(AtTarget),
    request_body = NewDecision,
    responses((status = 200, description = "The target as it is now.", body = TargetDetail)),
)]
pub(crate) async fn decide(
    State(running): State<Shared>,
    at: AtTarget,
    Body(new): Body<NewDecision>,
) -> Result<Json<TargetDetail>, Refusal> {
    let now = running.app.clock.now();
    let add = move |target: &mut model::Target| {
        let number = target.decisions.last().map_or(0, |last| last.number).saturating_add(1);
        target.decisions.push(decided(new, number, now));
    };
    change_settings(&running, at, "decision recorded", add).await
}

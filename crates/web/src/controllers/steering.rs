//! What people want of a target: rest, go on, end; and the end of a decision before its time.

use axum::{Json, extract::State};
use store::Steering;

use crate::{
    api::{DecisionEnd, TargetDetail},
    app::{Running, Shared},
    controllers::targets::{detail, steer},
    refusal::Refusal,
    request::{AtTarget, Body, said},
};

/// Let a target rest
///
/// Its frontier is kept.
#[utoipa::path(
    post, path = "/themes/{theme}/targets/{id}/pause", tag = "targets", operation_id = "pause_target", params(AtTarget),
    responses((status = 200, description = "The target as it is now.", body = TargetDetail)),
)]
pub(crate) async fn pause(State(running): State<Shared>, at: AtTarget) -> Result<Json<TargetDetail>, Refusal> {
    steer(&running, at, Steering::Pause).await
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
    steer(&running, at, Steering::Resume).await
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
    steer(&running, at, Steering::Retire).await
}

/// End a decision before its time
///
/// Nothing more is fetched under it, from now on.
#[utoipa::path(
    post, path = "/themes/{theme}/targets/{id}/end-decision", tag = "targets", operation_id = "end_decision",
    params(AtTarget),
    request_body = DecisionEnd,
    responses((status = 200, description = "The target as it is now.", body = TargetDetail)),
)]
pub(crate) async fn end(
    State(running): State<Shared>,
    at: AtTarget,
    Body(order): Body<DecisionEnd>,
) -> Result<Json<TargetDetail>, Refusal> {
    said("reasons", &order.reasons)?;
    let run = move |running: &Running| {
        let (grant, now) = (at.grant(&running.app), running.app.clock.now());
        let why = (order.reasons.as_str(), now);
        let target = running.app.store.end_decision(&grant, at.theme, at.id, order.decision, why)?;
        tracing::info!(who = grant.who(), theme = %at.theme, target_id = %at.id, decision = order.decision, "decision ended");
        running.app.crawl.targets_changed();
        detail(running, &grant, target)
    };
    running.blocking(run).await.map(Json)
}

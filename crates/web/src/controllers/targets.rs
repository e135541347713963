mod settings;
mod view;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header::LOCATION},
};
use model::{Phase, Target, TargetId, TargetState};

pub(crate) use settings::decided;
pub(crate) use view::live;

use crate::{
    api::{NewTarget, TargetChange, TargetDetail, Targets},
    app::{Running, Shared},
    refusal::Refusal,
    request::{AtTarget, AtTheme, Body},
};

/// The targets of a theme
#[utoipa::path(
    get, path = "/themes/{theme}/targets", tag = "targets", operation_id = "list_targets", params(AtTheme),
    responses((status = 200, description = "Its targets.", body = Targets)),
)]
pub(crate) async fn list(State(running): State<Shared>, at: AtTheme) -> Result<Json<Targets>, Refusal> {
    let read = move |running: &Running| {
        let targets = running.app.store.targets(at.theme)?;
        let targets = targets.into_iter().map(|target| view::target(running, target)).collect::<Result<_, _>>()?;
        Ok(Targets { targets })
    };
    running.blocking(read).await.map(Json)
}

/// A new target
///
/// It needs grounds, a legal basis, an author, an end in the future and at least one seed.
#[utoipa::path(
    post, path = "/themes/{theme}/targets", tag = "targets", operation_id = "add_target",
    params(AtTheme),
    request_body = NewTarget,
    responses((status = 201, description = "The target as it was added; `Location` leads to it.", body = TargetDetail)),
)]
pub(crate) async fn create(
    State(running): State<Shared>,
    at: AtTheme,
    Body(new): Body<NewTarget>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<TargetDetail>), Refusal> {
    let detail = running.blocking(move |running| add(running, at, new)).await?;
    let location = format!("/api/v1/themes/{}/targets/{}", detail.target.theme, detail.target.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(detail)))
}

fn add(running: &Running, at: AtTheme, new: NewTarget) -> Result<TargetDetail, Refusal> {
    let now = running.app.clock.now();
    let mut target = Target {
        id: random_id()?,
        theme: at.theme,
        name: String::new(),
        added_at: now,
        seeds: Vec::new(),
        scope: model::Scope::default(),
        pace: model::Pace::default(),
        decisions: vec![decided(new.decision, 1, now)],
        state: TargetState::Active,
        attention: None,
        epoch: 0,
    };
    let change = TargetChange { name: Some(new.name), seeds: Some(new.seeds), scope: new.scope, pace: new.pace };
    settings::apply(change, &mut target);
    settings::check(&mut target)?;
    running.app.store.add_target(&target)?;
    let grant = at.grant(&running.app, Phase::Technique);
    tracing::info!(who = grant.who(), theme = %at.theme, target_id = %target.id, "target added");
    running.app.crawl.targets_changed();
    view::detail(running, &grant, target)
}

/// One target
#[utoipa::path(
    get, path = "/themes/{theme}/targets/{id}", tag = "targets", operation_id = "show_target", params(AtTarget),
    responses((
        status = 200, description = "The target, the history of its decisions, and the state of its crawl.",
        body = TargetDetail,
    )),
)]
pub(crate) async fn read(State(running): State<Shared>, at: AtTarget) -> Result<Json<TargetDetail>, Refusal> {
    let read = move |running: &Running| {
        let target = running.app.store.target(at.theme, at.id)?.ok_or(Refusal::NoTarget)?;
        view::detail(running, &at.grant(&running.app), target)
    };
    running.blocking(read).await.map(Json)
}

/// A change of a target's name, seeds, scope or pace
#[utoipa::path(
    patch, path = "/themes/{theme}/targets/{id}", tag = "targets", operation_id = "change_target",
    params(AtTarget),
    request_body = TargetChange,
    responses((status = 200, description = "The target as it is now.", body = TargetDetail)),
)]
pub(crate) async fn update(
    State(running): State<Shared>,
    at: AtTarget,
    Body(changed): Body<TargetChange>,
) -> Result<Json<TargetDetail>, Refusal> {
    change_settings(&running, at, "target changed", |target| settings::apply(changed, target)).await
}

/// Changes what is checked before it is kept.
pub(crate) async fn change_settings(
    running: &Shared,
    at: AtTarget,
    event: &'static str,
    work: impl FnOnce(&mut Target) + Send + 'static,
) -> Result<Json<TargetDetail>, Refusal> {
    let checked = |target: &mut Target| {
        work(target);
        settings::check(target)
    };
    change(running, at, event, checked).await
}

/// Changes a target that is not retired, as a whole or not at all, and tells the crawl.
pub(crate) async fn change(
    running: &Shared,
    at: AtTarget,
    event: &'static str,
    work: impl FnOnce(&mut Target) -> Result<(), Refusal> + Send + 'static,
) -> Result<Json<TargetDetail>, Refusal> {
    let run = move |running: &Running| {
        let target = change_now(running, at.clone(), event, work)?;
        view::detail(running, &at.grant(&running.app), target)
    };
    running.blocking(run).await.map(Json)
}

/// As [`change`], on a thread that may wait for the disk.
pub(crate) fn change_now(
    running: &Running,
    at: AtTarget,
    event: &'static str,
    work: impl FnOnce(&mut Target) -> Result<(), Refusal>,
) -> Result<Target, Refusal> {
    let changed = running.app.store.update_target(at.theme, at.id, |target| {
        if target.state == TargetState::Retired {
            return Err(Refusal::Retired(target.id));
        }
        let mut after = target.clone();
        work(&mut after)?;
        *target = after;
        Ok(())
    })?;
    let (target, result) = changed.ok_or(Refusal::NoTarget)?;
    result?;
    let grant = at.grant(&running.app);
    tracing::info!(who = grant.who(), theme = %at.theme, target_id = %at.id, event);
    running.app.crawl.targets_changed();
    Ok(target)
}

fn random_id() -> Result<TargetId, Refusal> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(TargetId::from_u64(u64::from_be_bytes(bytes)))
}

pub(crate) mod health;
mod settings;
mod view;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header::LOCATION},
    response::IntoResponse,
};
use model::{Phase, Target, TargetId, TargetState};
use store::{NewProposal, Steering};

pub(crate) use settings::{changed_terms, checked_found_in, checked_probe, checked_terms};
use settings::{checked_name, first_terms};
pub(crate) use view::{decision, detail, live, probe, result, terms};

use crate::{
    api::{self, NewTarget, TargetChange, TargetDetail, Targets},
    app::{Running, Shared},
    precondition::{IfMatch, tagged},
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
        let grant = at.grant(&running.app, Phase::Technique);
        let targets = running.app.store.targets(at.theme)?;
        let targets =
            targets.into_iter().map(|target| view::target(running, &grant, target)).collect::<Result<_, _>>()?;
        Ok(Targets { targets })
    };
    running.blocking(read).await.map(Json)
}

/// A proposal to watch a new target
///
/// Nothing is fetched before a second person has approved it.
#[utoipa::path(
    post, path = "/themes/{theme}/targets", tag = "targets", operation_id = "propose_target",
    params(AtTheme),
    request_body = NewTarget,
    responses((
        status = 201, description = "The target as it was proposed; `Location` leads to it.", body = TargetDetail,
    )),
)]
pub(crate) async fn create(
    State(running): State<Shared>,
    at: AtTheme,
    Body(new): Body<NewTarget>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<TargetDetail>), Refusal> {
    let detail = running.blocking(move |running| propose(running, &at, new)).await?;
    let location = format!("/api/v1/themes/{}/targets/{}", detail.target.theme, detail.target.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(detail)))
}

fn propose(running: &Running, at: &AtTheme, new: NewTarget) -> Result<TargetDetail, Refusal> {
    let (name, found_in) = (checked_name(&new.name)?, checked_found_in(running, at.theme, new.found_in)?);
    let matter = checked_terms(running, at.theme, first_terms(new.terms)?)?;
    let grant = at.grant(&running.app, Phase::Technique);
    let proposal = NewProposal { matter, found_in, at: running.app.clock.now() };
    let (target, proposal) = running.app.store.propose_target(&grant, at.theme, (random_id()?, &name), proposal)?;
    tracing::info!(who = grant.who(), theme = %at.theme, target_id = %target.id, proposal = proposal.leaf, "target proposed");
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
pub(crate) async fn read(State(running): State<Shared>, at: AtTarget) -> Result<impl IntoResponse, Refusal> {
    let read = move |running: &Running| {
        let target = running.app.store.target(at.theme, at.id)?.ok_or(Refusal::NoTarget)?;
        view::detail(running, &at.grant(&running.app), target)
    };
    running.blocking(read).await.map(tagged_target)
}

/// Another name for a target
///
/// Whatever else is to be another takes a proposal.
#[utoipa::path(
    patch, path = "/themes/{theme}/targets/{id}", tag = "targets", operation_id = "change_target",
    params(AtTarget),
    request_body = TargetChange,
    responses((status = 200, description = "The target as it is now.", body = TargetDetail)),
)]
pub(crate) async fn update(
    State(running): State<Shared>,
    at: AtTarget,
    if_match: IfMatch,
    Body(changed): Body<TargetChange>,
) -> Result<impl IntoResponse, Refusal> {
    let name = checked_name(&changed.name)?;
    if if_match.is_given() {
        let seen = at.clone();
        let present = move |running: &Running| {
            let target = running.app.store.target(seen.theme, seen.id)?.ok_or(Refusal::NoTarget)?;
            view::target(running, &seen.grant(&running.app), target)
        };
        if_match.demand(state_of(&running.blocking(present).await?))?;
    }
    let Json(target) = steer(&running, at, Steering::Rename(name)).await?;
    Ok(tagged_target(target))
}

/// The state that people put a target into: its name, whether it is crawled, and what is decided about it.
fn state_of(target: &api::Target) -> String {
    let state = format!("{}\n{:?}\n{}", target.name, target.state, target.decisions.len());
    model::Digest::of(state.as_bytes()).to_string().chars().take(16).collect()
}

fn tagged_target(target: TargetDetail) -> impl IntoResponse {
    (tagged(state_of(&target.target)), Json(target))
}

/// Does what somebody wants of a target, and tells the crawl.
pub(crate) async fn steer(running: &Shared, at: AtTarget, what: Steering) -> Result<Json<TargetDetail>, Refusal> {
    let run = move |running: &Running| {
        let grant = at.grant(&running.app);
        let target = running.app.store.steer(&grant, at.theme, at.id, &what, running.app.clock.now())?;
        tracing::info!(who = grant.who(), theme = %at.theme, target_id = %at.id, ?what, "target steered");
        running.app.crawl.targets_changed();
        view::detail(running, &grant, target)
    };
    running.blocking(run).await.map(Json)
}

/// Changes a target that is not retired, as a whole or not at all, and tells the crawl. It may wait for the disk.
pub(crate) fn change_now(
    running: &Running,
    at: &AtTarget,
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

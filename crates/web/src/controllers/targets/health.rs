//! How sources are: which of them tell nothing at present, why in plain words, and since when.

use axum::{Json, extract::State};
use model::{Capture, Grant, Outcome, Phase, Stage, Target, TargetState, Timestamp};
use store::CaptureFilter;

use super::view::{crawl, drifts};
use crate::{
    api::{SourceHealth, SourceState, SourcesHealth},
    app::{Running, Shared},
    refusal::Refusal,
    request::AtTheme,
};

/// The newest attempts that are looked at to say since when a source fails.
const LOOKED_AT: usize = 200;

/// Attempts that must all have failed before the source is held to be failing, and not one of its pages.
const ENOUGH: usize = 3;

/// How the sources of a theme are
///
/// Those first that a person should look at. Retired targets are left out.
#[utoipa::path(
    get, path = "/themes/{theme}/source-health", tag = "targets", operation_id = "source_health", params(AtTheme),
    responses((status = 200, description = "Each source, with what is the matter and since when.", body = SourcesHealth)),
)]
pub(crate) async fn read(State(running): State<Shared>, at: AtTheme) -> Result<Json<SourcesHealth>, Refusal> {
    let read = move |running: &Running| {
        let grant = at.grant(&running.app, Phase::Technique);
        let targets = running.app.store.targets(at.theme)?;
        let live = targets.into_iter().filter(|target| target.state != TargetState::Retired);
        let mut sources = live.map(|target| health(running, &grant, target)).collect::<Result<Vec<_>, _>>()?;
        sources.sort_by(|a, b| (a.state, a.since, &a.name).cmp(&(b.state, b.since, &b.name)));
        let need_attention = sources.iter().filter(|source| source.state != SourceState::Well).count() as u64;
        Ok(SourcesHealth { need_attention, sources })
    };
    running.blocking(read).await.map(Json)
}

fn health(running: &Running, grant: &Grant, target: Target) -> Result<SourceHealth, Refusal> {
    let (state, cause, since) = matter(running, grant, &target)?;
    Ok(SourceHealth { id: target.id, name: target.name, state, cause, since })
}

/// What is the matter; what weighs most is told.
fn matter(
    running: &Running,
    grant: &Grant,
    target: &Target,
) -> Result<(SourceState, String, Option<Timestamp>), Refusal> {
    if let Some(attention) = &target.attention {
        return Ok((SourceState::Attention, attention.reason.clone(), Some(attention.since)));
    }
    // Whoever sees to the crawl may know how attempts ended; nothing of the pages is looked at.
    let reader = running.app.authority.grant(grant.who(), target.theme, Phase::Analysis);
    let page = running.app.store.captures(&reader, target.theme, CaptureFilter::Target(target.id), None, LOOKED_AT)?;
    if let Some((outcome, since)) = failing(&page.captures) {
        return Ok((SourceState::Failing, plain(outcome).to_owned(), Some(since)));
    }
    let live = crawl(running, target)?;
    if let Some(drift) = drifts(running, grant, target)?.first() {
        let cause = format!("its pages fit the profile {} no more: {} of {}", drift.profile, drift.missed, drift.of);
        return Ok((SourceState::Drifted, cause, None));
    }
    if page.captures.is_empty() && live.waits_because.is_none() {
        return Ok((SourceState::Waiting, "nothing was asked for yet".to_owned(), Some(target.added_at)));
    }
    if let Some(because) = live.waits_because {
        return Ok((SourceState::Waiting, because, live.last_at));
    }
    if let Some(since) = live.review_overdue {
        return Ok((SourceState::ReviewOverdue, "somebody should look at its decision again".to_owned(), Some(since)));
    }
    Ok((SourceState::Well, "what is asked for comes".to_owned(), live.last_at))
}

/// The newest failure, and since when attempts fail, of captures in the order of their age: where the newest ones failed, all of them.
fn failing(newest: &[Capture]) -> Option<(Outcome, Timestamp)> {
    let failed: Vec<&Capture> = newest.iter().take_while(|capture| is_failure(capture.outcome)).collect();
    let is_enough = failed.len() >= ENOUGH || failed.len() == newest.len();
    Some((failed.first()?.outcome, failed.last()?.started_at)).filter(|_| is_enough)
}

/// Whether an attempt says that the source, and not this page of it, is not to be had.
fn is_failure(outcome: Outcome) -> bool {
    match outcome {
        Outcome::HttpError(status) => matches!(status, 401 | 403 | 429 | 500..),
        outcome => !outcome.was_reached(),
    }
}

/// What an outcome means for whoever wonders why nothing comes.
const fn plain(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::DescriptorNotFound => "the onion service is down, or its address has changed",
        Outcome::IntroductionFailed | Outcome::RendezvousTimeout => "the onion service is overloaded, or going down",
        Outcome::TorUnavailable => "our Tor client has no connection to its network",
        Outcome::AuthorisationKeyNeeded => "the onion service lets only those in who have its key",
        Outcome::ConnectionRefused => "the onion service is up, and its web server is not",
        Outcome::TlsFailed(_) => "the certificate of the web server is broken",
        Outcome::TimedOut(Stage::Connect) | Outcome::Interrupted(Stage::Connect) => "no connection comes about in time",
        Outcome::TimedOut(_) | Outcome::Interrupted(_) => "the web server takes connections and does not answer",
        Outcome::HttpError(401 | 403) => "the web server lets us in no more: a login has lapsed, or we are shut out",
        Outcome::HttpError(429) => "the web server says that we ask too often",
        Outcome::HttpError(500..) => "the web server says that it is broken",
        Outcome::Blocked => "the address is on a block list",
        _ => "what is asked for does not come",
    }
}

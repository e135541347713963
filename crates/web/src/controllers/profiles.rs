//! Site profiles: where on the pages of a site each field stands, changed by analysts and tried against stored captures.

use axum::{
    Json,
    extract::{RawQuery, State},
    response::IntoResponse,
};
use extract::SiteProfile;
use model::{CaptureId, Phase};
use store::RuleKind;

use super::{
    captures::summary,
    indicators::{TrialParameters, newest},
    rules::{self, AtRule, ChangeParameters, VersionParameters},
};
use crate::{
    api::{ProfileTrial, ProfiledPage, Rule, Rules},
    app::{Running, Shared},
    precondition::IfMatch,
    refusal::Refusal,
    request::{AtTheme, Media},
};

/// The most pages that a trial shows.
const MAX_SHOWN: usize = 100;

/// The site profiles of a theme
#[utoipa::path(
    get, path = "/themes/{theme}/site-profiles", tag = "site-profiles", operation_id = "list_site_profiles", params(AtTheme),
    responses((status = 200, description = "The profiles in force.", body = Rules)),
)]
pub(crate) async fn list(State(running): State<Shared>, at: AtTheme) -> Result<Json<Rules>, Refusal> {
    let list = move |running: &Running| {
        rules::list(running, &at.grant(&running.app, Phase::Analysis), at.theme, RuleKind::SiteProfile, |_| None)
    };
    running.blocking(list).await.map(Json)
}

/// A site profile, with its history
#[utoipa::path(
    get, path = "/themes/{theme}/site-profiles/{name}", tag = "site-profiles", operation_id = "show_site_profile",
    params(AtRule, VersionParameters),
    responses((status = 200, description = "The profile.", body = Rule)),
)]
pub(crate) async fn read(
    State(running): State<Shared>,
    at: AtRule,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Refusal> {
    let VersionParameters { version } = VersionParameters::read(query.as_deref())?;
    running.blocking(move |running| shown(running, &at, version)).await.map(rules::tagged_rule)
}

/// Write a version of a site profile
///
/// Stored pages are then read again with it, in the background.
#[utoipa::path(
    put, path = "/themes/{theme}/site-profiles/{name}", tag = "site-profiles", operation_id = "change_site_profile",
    params(AtRule, ChangeParameters), request_body(content = String, content_type = "application/toml"),
    responses((status = 200, description = "The profile.", body = Rule)),
)]
pub(crate) async fn put(
    State(running): State<Shared>,
    at: AtRule,
    if_match: IfMatch,
    RawQuery(query): RawQuery,
    Media(body): Media,
) -> Result<impl IntoResponse, Refusal> {
    let parameters = ChangeParameters::read(query.as_deref())?;
    let put = move |running: &Running| {
        let text = rules::text(&body)?;
        let profile = parse(text)?;
        if profile.name() != at.name {
            let problem = format!("the profile calls itself {}, and the path {}", profile.name(), at.name);
            return Err(Refusal::Invalid { field: "name", problem });
        }
        rules::change(running, &at, RuleKind::SiteProfile, Some(text), &parameters, &if_match)?;
        shown(running, &at, None)
    };
    running.blocking(put).await.map(rules::tagged_rule)
}

/// Take a site profile away
///
/// Stored pages are then read again without it, in the background.
#[utoipa::path(
    delete, path = "/themes/{theme}/site-profiles/{name}", tag = "site-profiles", operation_id = "remove_site_profile",
    params(AtRule, ChangeParameters),
    responses((status = 200, description = "The profile, which is not in force.", body = Rule)),
)]
pub(crate) async fn remove(
    State(running): State<Shared>,
    at: AtRule,
    if_match: IfMatch,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Refusal> {
    let parameters = ChangeParameters::read(query.as_deref())?;
    let remove = move |running: &Running| {
        rules::rule(running, &at, RuleKind::SiteProfile)?;
        rules::change(running, &at, RuleKind::SiteProfile, None, &parameters, &if_match)?;
        shown(running, &at, None)
    };
    running.blocking(remove).await.map(rules::tagged_rule)
}

/// Try a site profile
///
/// The newest stored pages are read with it. Nothing of it is kept.
#[utoipa::path(
    post, path = "/themes/{theme}/site-profile-trials", tag = "site-profiles", operation_id = "try_site_profile",
    params(AtTheme, TrialParameters), request_body(content = String, content_type = "application/toml"),
    responses((status = 200, description = "What it would read.", body = ProfileTrial)),
)]
pub(crate) async fn try_out(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
    Media(body): Media,
) -> Result<Json<ProfileTrial>, Refusal> {
    let TrialParameters { captures } = TrialParameters::read(query.as_deref())?;
    let try_out = move |running: &Running| {
        let profile = parse(rules::text(&body)?)?;
        let grant = at.grant(&running.app, Phase::Analysis);
        let store = &running.app.store;
        let mut trial =
            ProfileTrial { name: profile.name().to_owned(), looked_at: 0, fits: 0, drifted: 0, pages: Vec::new() };
        for seq in newest(running, at.theme, captures)? {
            let id = CaptureId { theme: at.theme, seq };
            let Some(capture) = store.capture_if_open(&grant, id)?.filter(|capture| capture.outcome.has_content())
            else {
                continue;
            };
            // What killed the analysis must not kill this.
            if store.crawl_hint(at.theme, seq)?.is_none_or(|hint| hint.is_quarantined) {
                continue;
            }
            let payload = match store.payload(&grant, at.theme, &capture) {
                Err(error) if error.is_withheld() => continue,
                payload => payload?,
            };
            trial.looked_at += 1;
            let Some((kind, fields)) = derive::read_with(&capture, &payload, &profile) else { continue };
            let Some(matched) = fields.profile.as_ref().map(|used| used.matched) else { continue };
            trial.fits += 1;
            trial.drifted += u64::from(!matched);
            if trial.pages.len() < MAX_SHOWN {
                trial.pages.push(ProfiledPage { capture: summary(at.theme, capture), kind, matched, fields });
            }
        }
        Ok(trial)
    };
    running.blocking(try_out).await.map(Json)
}

fn shown(running: &Running, at: &AtRule, version: Option<u64>) -> Result<Rule, Refusal> {
    let rule = rules::rule(running, at, RuleKind::SiteProfile)?;
    rules::detail(running, at, &rule, rules::version_of(&rule, version)?)
}

fn parse(text: &str) -> Result<SiteProfile, Refusal> {
    SiteProfile::parse(text).map_err(|error| Refusal::Invalid { field: "profile", problem: error.to_string() })
}

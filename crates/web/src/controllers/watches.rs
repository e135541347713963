//! Watches: saved queries that tell when something matches them.

use axum::{
    Json,
    extract::{FromRequestParts, RawQuery, State},
    http::{StatusCode, header::LOCATION, request::Parts},
    response::IntoResponse,
};
use model::{Grant, Phase, ThemeId};
use store::{KeptWatch, WatchChange, WatchState};
use utoipa::IntoParams;

use super::search;
use crate::{
    api::{NewWatch, Spool, Watch, WatchDetail, WatchStep, WatchUpdate, Watches},
    app::{Running, Shared},
    authentication::Who,
    precondition::{IfMatch, tagged},
    refusal::Refusal,
    request::{AtTheme, Body, Parameters, checked, part, said},
    watching,
};

/// The longest query, in bytes.
const MAX_QUERY: usize = 8 << 10;

/// Parameters of a search that say which part of which answer is wanted, which a watch says by itself.
const NOT_SAVED: [&str; 6] = ["sort", "limit", "after", "up_to", "generation", "facets"];

/// A path that points at a watch of a theme.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtWatch {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    theme: ThemeId,
    /// The leaf that tells that the watch was made.
    #[param(example = 17)]
    watch: u64,
    #[param(ignore)]
    who: Who,
}

impl FromRequestParts<Shared> for AtWatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let AtTheme { theme, who } = AtTheme::from_request_parts(parts, running).await?;
        let watch = part(parts, "watch").await?.ok_or(Refusal::NoWatch)?;
        Ok(Self { theme, watch, who })
    }
}

impl AtWatch {
    fn grant(&self, running: &Running) -> Grant {
        running.app.authority.grant(self.who.name(), self.theme, Phase::Analysis)
    }
}

/// Why a watch goes.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameter, which is read by hand")]
pub(crate) struct RemovalParameters {
    /// In a sentence.
    reason: String,
}

/// The watches of a theme, the oldest first
#[utoipa::path(
    get, path = "/themes/{theme}/watches", tag = "watches", operation_id = "list_watches", params(AtTheme),
    responses((status = 200, description = "The watches, and how far each has come.", body = Watches)),
)]
pub(crate) async fn list(State(running): State<Shared>, at: AtTheme) -> Result<Json<Watches>, Refusal> {
    let list = move |running: &Running| {
        let (store, theme) = (&running.app.store, at.theme);
        let kept = store.watches(&at.grant(&running.app, Phase::Analysis), theme)?;
        let watches = kept.into_iter().map(|watch| shown(running, theme, watch)).collect::<Result<_, _>>()?;
        let spool = store.spool_state(theme)?;
        let spool = Spool {
            is_on: !running.app.watches.spool_dir.as_os_str().is_empty(),
            waiting: store.last_alert(theme)?.saturating_sub(spool.up_to),
            problem: spool.problem,
        };
        Ok(Watches { watches, spool })
    };
    running.blocking(list).await.map(Json)
}

/// Keep a watch
///
/// It looks at what is analysed from now on. Whoever makes it owns it, and it runs under their grant, as it is whenever it runs.
#[utoipa::path(
    post, path = "/themes/{theme}/watches", tag = "watches", operation_id = "make_watch", params(AtTheme),
    request_body = NewWatch,
    responses((status = 201, description = "The watch; `Location` says where it is.", body = WatchDetail)),
)]
pub(crate) async fn create(
    State(running): State<Shared>,
    at: AtTheme,
    Body(new): Body<NewWatch>,
) -> Result<impl IntoResponse, Refusal> {
    let theme = at.theme;
    let create = move |running: &Running| {
        let store = &running.app.store;
        let grant = at.grant(&running.app, Phase::Analysis);
        let watch = read(running, &grant, theme, new)?;
        let indexed = running.app.indexes.theme(theme)?.indexed_up_to();
        let new = store::NewWatch {
            watch: &watch,
            // An index that is being filled again is behind what is analysed.
            after: indexed.max(store.derive_cursor(theme)?),
            most: running.app.watches.per_theme,
            at: running.app.clock.now(),
        };
        let id = store.add_watch(&grant, theme, &new)?;
        detail(running, &grant, theme, id)
    };
    let made = running.blocking(create).await?;
    let location = format!("/api/v1/themes/{theme}/watches/{}", made.watch.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(made)))
}

/// A watch, and how it came to be what it is
#[utoipa::path(
    get, path = "/themes/{theme}/watches/{watch}", tag = "watches", operation_id = "show_watch", params(AtWatch),
    responses((status = 200, description = "The watch with its history.", body = WatchDetail)),
)]
pub(crate) async fn show(State(running): State<Shared>, at: AtWatch) -> Result<impl IntoResponse, Refusal> {
    running.blocking(move |running| detail(running, &at.grant(running), at.theme, at.watch)).await.map(tagged_watch)
}

/// Change a watch
///
/// Whoever changes it owns it from then on, so that a watch never runs under the grant of somebody who has not written it. It goes on from where it was.
#[utoipa::path(
    put, path = "/themes/{theme}/watches/{watch}", tag = "watches", operation_id = "change_watch", params(AtWatch),
    request_body = WatchUpdate,
    responses((status = 200, description = "The watch with its history.", body = WatchDetail)),
)]
pub(crate) async fn update(
    State(running): State<Shared>,
    at: AtWatch,
    if_match: IfMatch,
    Body(new): Body<WatchUpdate>,
) -> Result<impl IntoResponse, Refusal> {
    said("reason", &new.reason)?;
    let update = move |running: &Running| {
        let grant = at.grant(running);
        matched(running, &at, &if_match)?;
        let watch = read(running, &grant, at.theme, new.watch)?;
        let change = WatchChange {
            watch: Some(&watch),
            replaces: new.replaces,
            reason: &new.reason,
            at: running.app.clock.now(),
        };
        running.app.store.change_watch(&grant, at.theme, at.watch, &change)?.ok_or(Refusal::NoWatch)?;
        detail(running, &grant, at.theme, at.watch)
    };
    running.blocking(update).await.map(tagged_watch)
}

/// Delete a watch
///
/// Its alerts stay, and so do the leaves that tell of it.
#[utoipa::path(
    delete, path = "/themes/{theme}/watches/{watch}", tag = "watches", operation_id = "delete_watch",
    params(AtWatch, RemovalParameters),
    responses((status = 204, description = "It is deleted.")),
)]
pub(crate) async fn remove(
    State(running): State<Shared>,
    at: AtWatch,
    if_match: IfMatch,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Refusal> {
    let reason = Parameters::read(query.as_deref(), &["reason"])?.one::<String>("reason")?.unwrap_or_default();
    said("reason", &reason)?;
    let remove = move |running: &Running| {
        let replaces = matched(running, &at, &if_match)?;
        let change = WatchChange { watch: None, replaces, reason: &reason, at: running.app.clock.now() };
        let deleted = running.app.store.change_watch(&at.grant(running), at.theme, at.watch, &change)?;
        deleted.map(|_| StatusCode::NO_CONTENT).ok_or(Refusal::NoWatch)
    };
    running.blocking(remove).await
}

/// Refuses where the watch is in no state that was named; otherwise the version that it is in, where one was. The store compares it once more, when
/// nobody can come between.
fn matched(running: &Running, at: &AtWatch, if_match: &IfMatch) -> Result<Option<u64>, Refusal> {
    if !if_match.is_given() {
        return Ok(None);
    }
    let present = detail(running, &at.grant(running), at.theme, at.watch)?.watch.version;
    if_match.demand(present)?;
    Ok(Some(present))
}

fn tagged_watch(watch: WatchDetail) -> impl IntoResponse {
    (tagged(watch.watch.version), Json(watch))
}

/// Reads a watch, and runs its query once, so that what is kept can be run.
fn read(running: &Running, grant: &Grant, theme: ThemeId, new: NewWatch) -> Result<model::Watch, Refusal> {
    said("reason", &new.reason)?;
    let invalid = |problem: String| Err(Refusal::Invalid { field: "query", problem });
    if new.query.len() > MAX_QUERY {
        return invalid(format!("is longer than {MAX_QUERY} bytes"));
    }
    let mut names = url::form_urlencoded::parse(new.query.as_bytes()).map(|(name, _)| name);
    if let Some(name) = names.find(|name| NOT_SAVED.contains(&name.as_ref())) {
        return invalid(format!("{name} has no place in a watch, which sorts and pages by itself"));
    }
    let query = search::read(Some(&new.query))?;
    let tried = search::find(running, theme, grant, ::search::Query { limit: 0, ..query });
    match tried {
        Ok(_) => {}
        Err(refusal) if watching::is_passing(&refusal) => {}
        Err(refusal) => return Err(refusal),
    }
    Ok(model::Watch {
        name: checked("name", &new.name)?,
        owner: grant.who().to_owned(),
        reason: new.reason,
        purpose: new.purpose.as_deref().map(|purpose| checked("purpose", purpose)).transpose()?,
        query: new.query,
        trigger: new.trigger,
        grouping: new.grouping,
        quiet: new.quiet,
        is_paused: new.is_paused,
    })
}

fn detail(running: &Running, grant: &Grant, theme: ThemeId, id: u64) -> Result<WatchDetail, Refusal> {
    let store = &running.app.store;
    let watch = store.watch(grant, theme, id)?.ok_or(Refusal::NoWatch)?;
    let step = |step: store::WatchStep| WatchStep {
        leaf: step.leaf,
        at: step.at,
        change: step.change,
        who: step.who,
        reason: step.reason,
        watch: step.watch,
    };
    let history = store.watch_history(grant, theme, id)?.into_iter().map(step).collect();
    Ok(WatchDetail { watch: shown(running, theme, watch)?, history })
}

fn shown(running: &Running, theme: ThemeId, kept: KeptWatch) -> Result<Watch, Refusal> {
    let state = running.app.store.watch_state(theme, kept.id)?;
    let (next_at, waits_because) =
        (watching::next_run(&kept, &state), watching::waits_because(&kept, &state, running.app.clock.now()));
    let KeptWatch { id, version, made_at, changed_at, watch } = kept;
    let WatchState { cursor: looked_at_up_to, ran_at, hits, has_more, .. } = state;
    let model::Watch { name, owner, reason, purpose, query, trigger, grouping, quiet, is_paused } = watch;
    Ok(Watch {
        id,
        version,
        name,
        owner,
        reason,
        purpose,
        query,
        trigger,
        grouping,
        quiet,
        is_paused,
        made_at,
        changed_at,
        looked_at_up_to,
        ran_at,
        hits,
        has_more,
        next_at,
        waits_because,
    })
}

//! Erasure and retention: what goes for good.

use axum::{Json, extract::State};
use model::Phase;
use store::{ChangeKind, ErasureOrder, Taken};

use crate::{
    api::{Done, Erasure, NewErasure, NewRetentionRun, PendingErasure, PendingErasures, RetentionRun},
    app::{Running, Shared},
    refusal::Refusal,
    request::{AtTheme, Body, said},
};

/// Erase captures
///
/// When this is answered nothing of them is served any more. Until no file holds them either, the erasure is listed as pending; it goes on after a
/// crash. What is sealed is erased over the Unix socket of the command line only.
#[utoipa::path(
    post, path = "/themes/{theme}/erasures", tag = "custody", operation_id = "erase", params(AtTheme),
    request_body = NewErasure,
    responses((status = 200, description = "What went, or would go.", body = Erasure)),
)]
pub(crate) async fn erase(
    State(running): State<Shared>,
    at: AtTheme,
    Body(new): Body<NewErasure>,
) -> Result<Json<Erasure>, Refusal> {
    said("ground", &new.ground)?;
    let erase = move |running: &Running| {
        let (store, grant) = (&running.app.store, at.who.custody(&running.app, at.theme));
        let plan = store.erasure_plan(&grant, at.theme, &new.subject)?;
        let order = ErasureOrder {
            subject: new.subject,
            ground: new.ground,
            at: running.app.clock.now(),
            forgets_uris: new.forgets_uris,
        };
        running.keys.forget_answers();
        let taken = if new.dry_run { Taken::default() } else { store.erase(&grant, at.theme, &order)? };
        Ok(Erasure {
            captures: if new.dry_run { plan.captures } else { taken.captures },
            payload_bytes: plan.payload_bytes,
            sealed: plan.sealed,
            held: plan.held.map(|(capture, _)| capture),
            leaves: taken.leaves,
        })
    };
    running.blocking(erase).await.map(Json)
}

/// The erasures and seals that are not carried out to the end
#[utoipa::path(
    get, path = "/themes/{theme}/erasures", tag = "custody", operation_id = "list_erasures", params(AtTheme),
    responses((status = 200, description = "What is pending.", body = PendingErasures)),
)]
pub(crate) async fn list(State(running): State<Shared>, at: AtTheme) -> Result<Json<PendingErasures>, Refusal> {
    let shown = |change: store::ViewChange| PendingErasure {
        leaf: change.leaf,
        change: match change.kind {
            ChangeKind::Erased => "erased",
            ChangeKind::Sealed => "sealed",
            ChangeKind::Unsealed => "unsealed",
        }
        .to_owned(),
        captures: change.captures.len() as u64,
        views_follow: change.views_follow,
    };
    let list = move |running: &Running| {
        let (store, grant) = (&running.app.store, at.grant(&running.app, Phase::Analysis));
        let files_left = store.copies_left(&grant, at.theme)?.iter().map(|path| path.display().to_string()).collect();
        let pending = store.view_changes(at.theme)?.into_iter().map(shown).collect();
        Ok(PendingErasures { pending, files_left })
    };
    running.blocking(list).await.map(Json)
}

/// Erase what was kept as long as the theme says
///
/// Holds beat it, and what is sealed waits for its decision. A run is a logged act, also one that found nothing.
#[utoipa::path(
    post, path = "/themes/{theme}/retention", tag = "custody", operation_id = "run_retention", params(AtTheme),
    request_body = NewRetentionRun,
    responses((status = 200, description = "What went, or would go.", body = RetentionRun)),
)]
pub(crate) async fn retain(
    State(running): State<Shared>,
    at: AtTheme,
    Body(new): Body<NewRetentionRun>,
) -> Result<Json<RetentionRun>, Refusal> {
    let retain = move |running: &Running| {
        let (store, now) = (&running.app.store, running.app.clock.now());
        let grant = at.grant(&running.app, Phase::Analysis);
        let theme = running.theme(at.theme).ok_or(Refusal::NoTheme)?;
        running.keys.forget_answers();
        let run = if new.dry_run {
            store.expired(&grant, at.theme, &theme.retention, now)?
        } else {
            store.retain(&grant, at.theme, &theme.retention, now)?
        };
        Ok(RetentionRun {
            content_days: theme.retention.content_days,
            attempts_days: theme.retention.attempts_days,
            content: run.content.captures,
            content_bytes: run.content.payload_bytes,
            attempts: run.attempts.captures,
            held: run.held,
            sealed: run.sealed,
            leaves: run.leaves,
        })
    };
    running.blocking(retain).await.map(Json)
}

pub(super) fn done(taken: Taken) -> Done {
    Done { leaves: taken.leaves, captures: taken.captures }
}

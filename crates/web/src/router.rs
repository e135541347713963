//! The whole API, read from top to bottom.

use axum::{Router, middleware, routing::get};
use utoipa::{OpenApi as _, openapi::OpenApi};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::authorise,
    api,
    app::{App, Running, Shared},
    audit::audit as record,
    authentication::authenticate,
    compression::compress,
    controllers::{
        accounts, alerts, audit, backups, captures, content, dossiers, erasures, exports, findings, health, history,
        holds, indicators, items, labels, log, logins, metrics, observables, pivots, profiles, proposals, results,
        seals, search, services, sessions, status, steering, targets, themes, tokens, versions, watches,
    },
    description::complete,
    hardening::harden,
    idempotency::once,
    limits::limit,
    metrics::count,
    reference::Reference,
    refusal::Refusal,
};

/// What needs no token: whether the daemon lives and works, and logging in.
fn open_routes() -> OpenApiRouter<Shared> {
    let session = OpenApiRouter::new().nest("/api/v1", OpenApiRouter::new().routes(routes!(sessions::begin)));
    OpenApiRouter::new().routes(routes!(health::livez)).routes(routes!(health::readyz)).merge(session)
}

/// What is for authenticated callers only.
fn guarded_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(status::status))
        .routes(routes!(metrics::read))
        .routes(routes!(themes::list))
        // Accounts.
        .routes(routes!(sessions::end))
        .routes(routes!(sessions::own))
        .routes(routes!(sessions::set_password))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(accounts::list, accounts::create))
        .routes(routes!(accounts::read))
        .routes(routes!(accounts::reset))
        .routes(routes!(accounts::disable))
        .routes(routes!(accounts::enable))
        .routes(routes!(accounts::give_role))
        .routes(routes!(accounts::end_role))
        .routes(routes!(audit::house))
        .routes(routes!(audit::of_theme))
        // Phase: technique.
        .routes(routes!(targets::list, targets::create))
        .routes(routes!(targets::read, targets::update))
        .routes(routes!(targets::health::read))
        .routes(routes!(steering::pause))
        .routes(routes!(steering::resume))
        .routes(routes!(steering::retire))
        .routes(routes!(steering::end))
        .routes(routes!(proposals::list, proposals::propose))
        .routes(routes!(proposals::open))
        .routes(routes!(proposals::read))
        .routes(routes!(proposals::approve))
        .routes(routes!(proposals::reject))
        .routes(routes!(proposals::withdraw))
        .routes(routes!(proposals::probe))
        .routes(routes!(history::read))
        .routes(routes!(history::document))
        .routes(routes!(logins::put, logins::delete))
        // Phase: analysis.
        .routes(routes!(captures::list))
        .routes(routes!(captures::read))
        .routes(routes!(content::raw))
        .routes(routes!(content::payload))
        .routes(routes!(content::text))
        .routes(routes!(content::document))
        .routes(routes!(observables::sightings))
        .routes(routes!(pivots::pivot))
        .routes(routes!(versions::list))
        .routes(routes!(versions::read))
        .routes(routes!(versions::name, versions::unname))
        .routes(routes!(versions::compare))
        .routes(routes!(search::search))
        .routes(routes!(search::similar))
        .routes(routes!(findings::findings))
        .routes(routes!(indicators::list))
        .routes(routes!(indicators::read, indicators::put, indicators::remove))
        .routes(routes!(indicators::try_out))
        .routes(routes!(indicators::flagged))
        .routes(routes!(indicators::report))
        .routes(routes!(labels::read, labels::label))
        .routes(routes!(labels::list))
        .routes(routes!(labels::agreement))
        .routes(routes!(profiles::list))
        .routes(routes!(profiles::read, profiles::put, profiles::remove))
        .routes(routes!(profiles::try_out))
        .routes(routes!(services::list))
        .routes(routes!(services::read))
        .routes(routes!(services::clusters))
        .routes(routes!(items::item))
        .routes(routes!(items::vendor))
        .routes(routes!(items::proposals))
        .routes(routes!(watches::list, watches::create))
        .routes(routes!(watches::show, watches::update, watches::remove))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::show))
        .routes(routes!(alerts::acknowledge))
        // Custody.
        .routes(routes!(holds::list, holds::set))
        .routes(routes!(holds::lift))
        .routes(routes!(seals::list))
        .routes(routes!(seals::set))
        .routes(routes!(seals::lift))
        .routes(routes!(erasures::list, erasures::erase))
        .routes(routes!(erasures::retain))
        // Phase: operational use.
        .routes(routes!(dossiers::list, dossiers::create))
        .routes(routes!(dossiers::show))
        .routes(routes!(dossiers::add))
        .routes(routes!(dossiers::withdraw))
        .routes(routes!(dossiers::capture))
        .routes(routes!(dossiers::payload))
        .routes(routes!(dossiers::text))
        .routes(routes!(dossiers::document))
        .routes(routes!(results::export))
        .routes(routes!(exports::create))
        .routes(routes!(exports::read))
        .routes(routes!(exports::note_file))
        // The evidence log.
        .routes(routes!(log::proof))
        .routes(routes!(log::checkpoint, log::sign))
        .routes(routes!(log::checkpoints))
        .routes(routes!(log::request))
        .routes(routes!(log::attach))
        .routes(routes!(log::consistency))
        .routes(routes!(log::tile))
        .routes(routes!(log::verify))
        // What survives a machine.
        .routes(routes!(backups::create))
        .routes(routes!(backups::erasures))
}

/// The API over `app`. Every request needs a token or a session, but for `/livez`, `/readyz`, logging in and the description of the API.
pub fn router(app: App) -> Router {
    serving(Running::new(app))
}

/// The API over an application that others hold, too.
pub(crate) fn serving(running: Shared) -> Router {
    let (open, guarded, document) = parts();
    let reference = Reference::of(&document);
    let document_json = axum::Json(document);
    let open = open
        .route("/api/v1/openapi.json", get(|| async move { document_json }))
        .route("/api/v1/reference", get(|| async move { reference.answer() }))
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed);
    let guarded = guarded
        .fallback(async || Refusal::NoRoute)
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(Shared::clone(&running), once))
        .layer(middleware::from_fn_with_state(Shared::clone(&running), authorise))
        .layer(middleware::from_fn_with_state(Shared::clone(&running), record))
        .layer(middleware::from_fn_with_state(Shared::clone(&running), limit))
        .layer(middleware::from_fn_with_state(Shared::clone(&running), authenticate));
    let counted = middleware::from_fn_with_state(Shared::clone(&running), count);
    guarded.merge(open).layer(compress()).layer(counted).layer(middleware::map_response(harden)).with_state(running)
}

/// The figures of the house alone, for whoever asks.
pub(crate) fn figures(running: Shared) -> Router {
    Router::new().route("/metrics", get(metrics::read)).layer(middleware::map_response(harden)).with_state(running)
}

/// The description of the API: OpenAPI 3.1.
pub fn openapi() -> OpenApi {
    parts().2
}

/// The open routes, the guarded ones, and the description of both.
fn parts() -> (Router<Shared>, Router<Shared>, OpenApi) {
    let (open, of_open) = open_routes().split_for_parts();
    let (guarded, of_guarded) = OpenApiRouter::new().nest("/api/v1", guarded_routes()).split_for_parts();
    let mut document = Document::openapi();
    document.merge(of_open);
    document.merge(of_guarded);
    complete(&mut document);
    (open, guarded, document)
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Nachtwacht",
        version = "1",
        description = "Watches hidden services: what is crawled and on which grounds, what was captured, and search over it. \
                       Times are UTC in RFC 3339. Every error is a problem of RFC 9457.",
    ),
    components(schemas(api::Problem)),
    tags(
        (name = "daemon", description = "How the daemon is."),
        (name = "accounts", description = "Who may log in, and what they may do until when."),
        (name = "audit", description = "Who asked for what, and what became of it. Nobody edits it."),
        (name = "targets", description = "What is crawled, and the decisions that it rests on."),
        (name = "captures", description = "What was captured. Nobody edits it."),
        (name = "versions", description = "What became of a page over time."),
        (name = "search", description = "What was captured, found by what it says."),
        (name = "indicators", description = "What to look for, what was found, and why."),
        (name = "labels", description = "What people think of what was found."),
        (name = "site-profiles", description = "Where on the pages of a site each field stands."),
        (name = "services", description = "Services: what they show, which of them are the same, what items cost and sellers share. Lists are also tables (CSV)."),
        (name = "custody", description = "What is held, sealed, erased, and kept for how long. Each of it is a leaf of the evidence log."),
        (name = "watches", description = "Saved queries that tell when something matches them, and what they found."),
        (name = "dossiers", description = "Versions that were released to somebody, and what they hold."),
        (name = "exports", description = "Captures that leave the house, with their proofs."),
        (name = "log", description = "The evidence log: checkpoints, proofs, tiles, and checking it all."),
    )
)]
struct Document;

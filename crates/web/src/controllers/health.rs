use axum::{Json, extract::State};

use crate::{api::Health, app::Shared, metrics, refusal::Refusal};

/// By how many captures analysis and index may be behind before the daemon is not what its users expect.
const MOST_BEHIND: u64 = 10_000;

/// Whether the daemon lives
#[utoipa::path(
    get, path = "/livez", tag = "daemon", security(()),
    responses((status = 200, description = "It does.", body = Health)),
)]
pub(crate) async fn livez() -> Json<Health> {
    Json(Health { status: "alive".into() })
}

/// Whether the daemon can do its work
#[utoipa::path(
    get, path = "/readyz", tag = "daemon", security(()),
    responses((
        status = 200, description = "It can. If not, the answer is 503, and its problem says what is `missing`.",
        body = Health,
    )),
)]
pub(crate) async fn readyz(State(running): State<Shared>) -> Result<Json<Health>, Refusal> {
    let app = &running.app;
    let mut missing = Vec::new();
    let percent = Some(app.tor.borrow()).filter(|tor| !tor.is_ready).map(|tor| tor.percent);
    if app.tor.has_changed().is_err() {
        missing.push("the Tor client has stopped".to_owned());
    } else if let Some(percent) = percent {
        // The reason may name relays and bridges; it is for those who may ask for the status.
        missing.push(format!("Tor is bootstrapped to {percent} %"));
    }
    if app.store.newest().has_changed().is_err() {
        missing.push("the store has stopped".to_owned());
    }
    if app.store.room() != store::Room::ForAll {
        missing.push("room on the disk: nothing is fetched until there is more".to_owned());
    }
    if app.crawl.status().borrow().memory.is_short {
        missing.push("memory: nothing new is fetched until there is more".to_owned());
    }
    if app.crawl.status().has_changed().is_err() {
        missing.push("the crawl has stopped".to_owned());
    }
    let [analysis, index, links] = running.blocking(metrics::lags).await?;
    for (behind, what) in [(analysis, "the analysis"), (index, "the index"), (links, "the following of links")] {
        if behind > MOST_BEHIND {
            missing.push(format!("{what} is {behind} captures behind"));
        }
    }
    if missing.is_empty() { Ok(Json(Health { status: "ready".into() })) } else { Err(Refusal::NotReady(missing)) }
}

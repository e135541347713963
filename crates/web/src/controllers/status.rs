use axum::{Json, extract::State};
use model::ThemeId;

use crate::{
    api::{Crawl, Disk, ProofsOfWork, Status, TargetStatus, ThemeAnalysis, Tor},
    app::{Running, Shared},
    controllers::targets::live,
    refusal::Refusal,
};

/// How the daemon is: Tor, queues, rates, analysis, disk
#[utoipa::path(
    get, path = "/status", tag = "daemon",
    responses((status = 200, description = "How it is.", body = Status)),
)]
pub(crate) async fn status(State(running): State<Shared>) -> Result<Json<Status>, Refusal> {
    running.blocking(read).await.map(Json)
}

fn read(running: &Running) -> Result<Status, Refusal> {
    let app = &running.app;
    let analysis = app.themes.iter().map(|theme| analysis(running, theme.id)).collect::<Result<_, _>>()?;
    Ok(Status {
        version: app.version.to_owned(),
        uptime_s: running.since.elapsed().as_secs(),
        tor: tor(&app.tor.borrow()),
        crawl: crawl(running),
        analysis,
        disk: disk(app.store.disk_use()),
    })
}

fn disk(used: store::DiskUse) -> Disk {
    let store::Space { free_bytes, floor_bytes, reserve_bytes, room } = used.space;
    Disk {
        store_bytes: used.store_bytes,
        free_bytes,
        floor_bytes,
        reserve_bytes,
        has_room: room == store::Room::ForAll,
    }
}

fn tor(status: &fetch::TorStatus) -> Tor {
    let fetch::ProofsOfWork { waiting, under_way, made, given_up } = status.proofs_of_work;
    Tor {
        percent: status.percent,
        is_ready: status.is_ready,
        blocked_because: status.blocked_because.clone(),
        failed_attempts: status.failed_attempts,
        proofs_of_work: ProofsOfWork { waiting, under_way, made, given_up },
    }
}

fn crawl(running: &Running) -> Crawl {
    let receiver = running.app.crawl.status();
    let status = receiver.borrow();
    let target = |target: &crawl::TargetStatus| TargetStatus {
        theme: target.theme,
        id: target.id,
        name: target.name.clone(),
        crawl: live(target),
    };
    Crawl {
        in_flight: status.in_flight,
        queued: status.queued,
        captures: status.captures,
        captures_last_minute: status.captures_last_minute,
        targets: status.targets.iter().filter(|target| running.has_theme(target.theme)).map(target).collect(),
    }
}

fn analysis(running: &Running, theme: ThemeId) -> Result<ThemeAnalysis, Refusal> {
    let app = &running.app;
    Ok(ThemeAnalysis {
        theme,
        captured: app.store.newest().borrow().get(&theme).copied().unwrap_or_default(),
        analysed: app.store.derive_cursor(theme)?,
        indexed: app.indexes.theme(theme)?.indexed_up_to(),
        followed: app.crawl.status().borrow().followed.get(&theme).copied().unwrap_or_default(),
    })
}

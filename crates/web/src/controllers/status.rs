use axum::{Extension, Json, extract::State};
use model::{Role, ThemeId};

use crate::{
    api::{Crawl, Disk, Memory, ProofsOfWork, Status, TargetStatus, ThemeAnalysis, Tor},
    app::{Running, Shared},
    authentication::Who,
    controllers::targets::live,
    refusal::Refusal,
};

/// How the daemon is: Tor, queues, rates, analysis, disk
///
/// Of themes, those are told of in which one sees to the crawl or its outcome; an administrator is told how far the analysis of each is.
#[utoipa::path(
    get, path = "/status", tag = "daemon",
    responses((status = 200, description = "How it is.", body = Status)),
)]
pub(crate) async fn status(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
) -> Result<Json<Status>, Refusal> {
    running.blocking(move |running| read(running, &who)).await.map(Json)
}

fn read(running: &Running, who: &Who) -> Result<Status, Refusal> {
    let app = &running.app;
    let is_administrator = who.has(Role::Administrator, None);
    let is_told = |theme: &&model::Theme| is_administrator || sees(who, theme.id);
    let told: Vec<ThemeId> = app.themes.now().iter().filter(is_told).map(|theme| theme.id).collect();
    let analysis = told.iter().map(|theme| analysis(running, *theme)).collect::<Result<_, _>>()?;
    let mut without_approver = Vec::new();
    for theme in told {
        if !app.store.has_approver(theme, app.clock.now())? {
            without_approver.push(theme);
        }
    }
    Ok(Status {
        version: app.version.to_owned(),
        uptime_s: running.since.elapsed().as_secs(),
        tor: tor(&app.tor.borrow(), is_administrator),
        crawl: crawl(running, who),
        analysis,
        without_approver,
        disk: disk(app.store.disk_use(), is_administrator),
        memory: memory(app.crawl.status().borrow().memory),
    })
}

fn disk(used: store::DiskUse, is_administrator: bool) -> Disk {
    let store::Space { free_bytes, floor_bytes, reserve_bytes, room } = used.space;
    Disk {
        store_bytes: is_administrator.then_some(used.store_bytes),
        free_bytes,
        floor_bytes,
        reserve_bytes,
        has_room: room == store::Room::ForAll,
    }
}

fn memory(measured: crawl::Memory) -> Memory {
    let crawl::Memory { used_bytes, ceiling_bytes, is_short } = measured;
    Memory { used_bytes, ceiling_bytes, has_room: !is_short }
}

fn tor(status: &fetch::TorStatus, is_administrator: bool) -> Tor {
    let fetch::ProofsOfWork { waiting, under_way, made, given_up } = status.proofs_of_work;
    Tor {
        percent: status.percent,
        is_ready: status.is_ready,
        blocked_because: status.blocked_because.clone(),
        failed_attempts: status.failed_attempts,
        proofs_of_work: is_administrator.then_some(ProofsOfWork { waiting, under_way, made, given_up }),
    }
}

/// Whether somebody sees which targets a theme has.
fn sees(who: &Who, theme: ThemeId) -> bool {
    [Role::Operator, Role::Analyst, Role::Approver].iter().any(|role| who.has(*role, Some(theme)))
}

fn crawl(running: &Running, who: &Who) -> Crawl {
    let receiver = running.app.crawl.status();
    let status = receiver.borrow();
    let target = |target: &crawl::TargetStatus| TargetStatus {
        theme: target.theme,
        id: target.id,
        name: target.name.clone(),
        crawl: live(target),
    };
    let is_told = |target: &&crawl::TargetStatus| running.has_theme(target.theme) && sees(who, target.theme);
    let targets: Vec<_> = status.targets.iter().filter(is_told).map(target).collect();
    let house = who.has(Role::Administrator, None).then_some(&*status);
    Crawl {
        in_flight: house.map_or_else(|| targets.iter().map(|t| t.crawl.in_flight).sum(), |house| house.in_flight),
        queued: house.map_or_else(|| targets.iter().map(|t| t.crawl.queued).sum(), |house| house.queued),
        captures: house.map(|house| house.captures),
        captures_last_minute: house.map(|house| house.captures_last_minute),
        targets,
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

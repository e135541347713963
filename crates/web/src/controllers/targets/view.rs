//! A target as it is shown.

use std::collections::BTreeMap;

use model::{CaptureId, Grant, Phase, Seq, Target};
use store::CaptureFilter;

use crate::{
    api::{self, ProfileDrift, TargetCrawl, TargetDetail},
    app::Running,
    refusal::Refusal,
};

/// The newest captures that are asked whether a site has drifted from its profile.
const DRIFT_PAGES: usize = 100;

/// The most traps that are told of.
const MAX_TRAPS: usize = 100;

/// A target with all that is told of it. It reads from the disk.
pub(super) fn detail(running: &Running, grant: &Grant, of: Target) -> Result<TargetDetail, Refusal> {
    let store = &running.app.store;
    let trap = |record: store::TemplateRecord| api::Trap {
        template: record.template,
        admitted: record.admitted,
        refused: record.refused,
    };
    let traps = store.traps(of.theme, of.id, MAX_TRAPS)?.into_iter().map(trap).collect();
    Ok(TargetDetail {
        login: login(running, &of)?,
        traps,
        drifts: drifts(running, grant, &of)?,
        target: target(running, of)?,
    })
}

/// The profiles that do not fit the newest pages of a target any more: names and counts, and nothing of the pages.
fn drifts(running: &Running, grant: &Grant, target: &Target) -> Result<Vec<ProfileDrift>, Refusal> {
    let store = &running.app.store;
    // Whoever sees to the crawl may know that a profile fits no more; nothing of the pages leaves this function.
    let grant = &running.app.authority.grant(grant.who(), target.theme, Phase::Analysis);
    let page = store.captures(grant, target.theme, CaptureFilter::Target(target.id), None, DRIFT_PAGES)?;
    let mut drifts: BTreeMap<String, ProfileDrift> = BTreeMap::new();
    for capture in page.captures.iter().filter(|capture| capture.outcome.has_content()) {
        let id = CaptureId { theme: target.theme, seq: capture.seq };
        let document = match store.document(grant, id) {
            Err(error) if error.is_withheld() => None,
            document => document?,
        };
        let Some(used) = document.and_then(|document| document.fields.profile) else { continue };
        let new = ProfileDrift { profile: used.name.clone(), missed: 0, of: 0, seen_in: Seq(0) };
        let drift = drifts.entry(used.name).or_insert(new);
        drift.of += 1;
        if !used.matched {
            drift.missed += 1;
            drift.seen_in = drift.seen_in.max(capture.seq);
        }
    }
    Ok(drifts.into_values().filter(|drift| drift.missed * 2 > drift.of).collect())
}

/// A target with the state of its crawl.
pub(super) fn target(running: &Running, target: Target) -> Result<api::Target, Refusal> {
    Ok(api::Target {
        crawl: crawl(running, &target)?,
        decision_in_force: target.decision_in_force(running.app.clock.now()).map(|decision| decision.number),
        theme: target.theme,
        id: target.id,
        name: target.name,
        added_at: target.added_at,
        state: target.state,
        attention: target.attention.map(|attention| api::Attention {
            since: attention.since,
            reason: attention.reason,
            seen_in: attention.seen_in,
        }),
        seeds: target.seeds,
        scope: scope(target.scope),
        pace: pace(target.pace),
        decisions: target.decisions.into_iter().map(decision).collect(),
    })
}

/// The state of the crawl: what the crawler says, or, of a target that it does not know yet, what the store says.
fn crawl(running: &Running, target: &Target) -> Result<TargetCrawl, Refusal> {
    let status = running.app.crawl.status();
    if let Some(known) =
        status.borrow().targets.iter().find(|known| known.theme == target.theme && known.id == target.id)
    {
        return Ok(live(known));
    }
    let kept = running.app.store.crawl_state(target.theme, target.id)?;
    Ok(TargetCrawl {
        captures: kept.captures,
        last_outcome: kept.last_outcome,
        last_at: kept.last_at,
        ..TargetCrawl::default()
    })
}

/// What the crawler says of a target.
pub(crate) fn live(status: &crawl::TargetStatus) -> TargetCrawl {
    TargetCrawl {
        in_flight: status.in_flight,
        queued: status.queued,
        is_idle: status.is_idle,
        captures: status.captures,
        last_outcome: status.last_outcome,
        last_at: status.last_at,
        waits_because: status.waits_because.clone(),
    }
}

/// Number and names of the cookies that were handed over, and never a value.
fn login(running: &Running, target: &Target) -> Result<Option<api::Login>, Refusal> {
    match running.app.store.login(target.theme, target.id) {
        Ok(cookies) if cookies.is_empty() => Ok(None),
        Ok(cookies) => {
            let names: Vec<String> = cookies.into_iter().map(|cookie| cookie.name).collect();
            Ok(Some(api::Login { count: names.len(), names, is_usable: true }))
        }
        Err(store::Error::CredentialKey(_)) => Ok(Some(api::Login { count: 0, names: Vec::new(), is_usable: false })),
        Err(error) => Err(error.into()),
    }
}

fn scope(scope: model::Scope) -> api::Scope {
    let model::Scope { hosts, include, exclude, max_depth, pages_per_day } = scope;
    api::Scope { hosts, include, exclude, max_depth, pages_per_day }
}

const fn pace(pace: model::Pace) -> api::Pace {
    let model::Pace { delay_ms, concurrency, revisit_min_s, revisit_max_s } = pace;
    api::Pace { delay_ms, concurrency, revisit_min_s, revisit_max_s }
}

fn decision(decision: model::Decision) -> api::Decision {
    api::Decision {
        number: decision.number,
        grounds: decision.grounds,
        legal_basis: decision.legal_basis,
        author: decision.author,
        made_at: decision.made_at,
        ends_at: decision.ends_at,
        robots: decision.robots,
        allows_exit: decision.allows_exit,
        allows_proof_of_work: decision.allows_proof_of_work,
        allows_conditional_requests: decision.allows_conditional_requests,
    }
}

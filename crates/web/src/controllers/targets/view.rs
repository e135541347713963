//! A target as it is shown.

use std::collections::BTreeMap;

use model::{CaptureId, Grant, Phase, Seq, Target};
use store::CaptureFilter;

use crate::{
    api::{self, ProfileDrift, TargetCrawl, TargetDetail},
    app::Running,
    controllers::proposals,
    refusal::Refusal,
};

/// The newest captures that are asked whether a site has drifted from its profile.
const DRIFT_PAGES: usize = 100;

/// The most traps that are told of.
const MAX_TRAPS: usize = 100;

/// A target with all that is told of it. It reads from the disk.
pub(crate) fn detail(running: &Running, grant: &Grant, of: Target) -> Result<TargetDetail, Refusal> {
    let store = &running.app.store;
    let trap = |record: store::TemplateRecord| api::Trap {
        template: record.template,
        admitted: record.admitted,
        refused: record.refused,
    };
    let traps = store.traps(of.theme, of.id, MAX_TRAPS)?.into_iter().map(trap).collect();
    let proposals = store.proposals(grant, of.theme, Some(of.id))?;
    let open = proposals.into_iter().filter(|proposal| proposal.answer.is_none());
    Ok(TargetDetail {
        open_proposals: open.map(|proposal| proposals::view(&of, proposal)).collect(),
        login: login(running, &of)?,
        traps,
        drifts: drifts(running, grant, &of)?,
        target: target(running, grant, of)?,
    })
}

/// The profiles that do not fit the newest pages of a target any more: names and counts, and nothing of the pages.
pub(super) fn drifts(running: &Running, grant: &Grant, target: &Target) -> Result<Vec<ProfileDrift>, Refusal> {
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
pub(super) fn target(running: &Running, grant: &Grant, target: Target) -> Result<api::Target, Refusal> {
    let now = running.app.clock.now();
    Ok(api::Target {
        crawl: crawl(running, &target)?,
        decision_in_force: target.decision_in_force(now).map(|(decision, _)| decision.number),
        decisions: decisions(running, grant, &target)?,
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
    })
}

fn decisions(running: &Running, grant: &Grant, target: &Target) -> Result<Vec<api::Decision>, Refusal> {
    target.decisions.iter().map(|it| decision(running, grant, target, it)).collect()
}

/// The state of the crawl: what the crawler says, or, of a target that it does not know yet, what the store says.
pub(super) fn crawl(running: &Running, target: &Target) -> Result<TargetCrawl, Refusal> {
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
        review_overdue: target.review_overdue(running.app.clock.now()),
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
        review_overdue: status.review_overdue,
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

/// A decision, and of a probe what it came to.
pub(crate) fn decision(
    running: &Running,
    grant: &Grant,
    target: &Target,
    decision: &model::Decision,
) -> Result<api::Decision, Refusal> {
    let ended =
        decision.ended.clone().map(|ending| api::Ending { at: ending.at, by: ending.by, reason: ending.reason });
    let (terms, probe) = match decision.matter.clone() {
        model::Matter::Crawl(of) => (Some(terms(*of)), None),
        model::Matter::Probe(of) => (None, Some(self::probe(of))),
    };
    Ok(api::Decision {
        number: decision.number,
        proposal: decision.proposal,
        proposed_by: decision.proposed_by.clone(),
        approved_by: decision.approved_by.clone(),
        reasons: decision.reasons.clone(),
        made_at: decision.made_at,
        ended,
        terms,
        probe,
        result: result(running, grant, target, decision.number)?,
    })
}

/// What the probe of this decision came to, if it is one, and was made.
pub(crate) fn result(
    running: &Running,
    grant: &Grant,
    target: &Target,
    decision: u32,
) -> Result<Option<api::ProbeResult>, Refusal> {
    let store = &running.app.store;
    let Some(seq) = store.probe_capture(target.theme, target.id, decision)? else { return Ok(None) };
    let id = CaptureId { theme: target.theme, seq };
    // Whoever sees to the crawl may know how a probe ended; nothing of the page leaves this function.
    let grant = &running.app.authority.grant(grant.who(), target.theme, Phase::Analysis);
    let outcome = store.capture_if_open(grant, id)?.map(|capture| capture.outcome);
    Ok(Some(api::ProbeResult { capture: id, outcome }))
}

pub(crate) fn terms(of: model::Terms) -> api::Terms {
    api::Terms {
        seeds: of.seeds,
        scope: scope(of.scope),
        pace: pace(of.pace),
        grounds: of.grounds,
        expected_value: of.expected_value,
        legal_basis: of.legal_basis,
        necessity: of.necessity,
        proportionality: of.proportionality,
        reliability: of.reliability.to_string(),
        credibility: of.credibility.digit(),
        media: of.media,
        robots: of.robots,
        allows_exit: of.allows_exit,
        allows_proof_of_work: of.allows_proof_of_work,
        allows_conditional_requests: of.allows_conditional_requests,
        retention_days: of.retention_days,
        review_at: of.review_at,
        ends_at: of.ends_at,
    }
}

pub(crate) fn probe(of: model::Probe) -> api::Probe {
    let model::Probe { uri, grounds, legal_basis, allows_exit, ends_at } = of;
    api::Probe { uri, grounds, legal_basis, allows_exit, ends_at }
}

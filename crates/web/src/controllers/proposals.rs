//! Proposals about targets, and the answers of a second person: without an approval nothing is fetched.

mod hints;

use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
};
use model::{Grant, Matter, Phase, Proposal, Target, Terms, ThemeId, Verdict};
use store::{NewAnswer, NewProposal, Store};

use super::targets::{
    changed_terms, checked_found_in, checked_probe, checked_terms, decision, probe as probe_view, terms,
};
use crate::{
    api::{
        FoundIn, NewProbe, NewTerms, ProposalAnswer, Reasons, TargetProposal, TargetProposalDetail, TargetProposals,
        TermsChange,
    },
    app::{Running, Shared},
    refusal::Refusal,
    request::{AtProposal, AtTarget, AtTheme, Body, Parameters, said},
};

/// The proposals about the targets of a theme that await an answer
#[utoipa::path(
    get, path = "/themes/{theme}/open-proposals", tag = "targets", operation_id = "list_open_proposals",
    params(AtTheme),
    responses((status = 200, description = "The open proposals.", body = TargetProposals)),
)]
pub(crate) async fn open(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Json<TargetProposals>, Refusal> {
    Parameters::read(query.as_deref(), &[])?;
    let read = move |running: &Running| {
        let (store, grant) = (&running.app.store, at.grant(&running.app, Phase::Technique));
        let mut proposals = store.proposals(&grant, at.theme, None)?;
        proposals.retain(|proposal| proposal.answer.is_none());
        let mut shown = Vec::new();
        for proposal in proposals {
            let target = store.target(at.theme, proposal.target)?.ok_or(Refusal::NoTarget)?;
            shown.push(view(&target, proposal));
        }
        Ok(TargetProposals { proposals: shown })
    };
    running.blocking(read).await.map(Json)
}

/// The proposals about a target, whatever became of them
#[utoipa::path(
    get, path = "/themes/{theme}/targets/{id}/proposals", tag = "targets", operation_id = "list_target_proposals",
    params(AtTarget),
    responses((status = 200, description = "The proposals, the earliest first.", body = TargetProposals)),
)]
pub(crate) async fn list(State(running): State<Shared>, at: AtTarget) -> Result<Json<TargetProposals>, Refusal> {
    let read = move |running: &Running| {
        let store = &running.app.store;
        let target = store.target(at.theme, at.id)?.ok_or(Refusal::NoTarget)?;
        let proposals = store.proposals(&at.grant(&running.app), at.theme, Some(at.id))?;
        Ok(TargetProposals { proposals: proposals.into_iter().map(|proposal| view(&target, proposal)).collect() })
    };
    running.blocking(read).await.map(Json)
}

/// One proposal, with hints and probes that may help to decide on it
#[utoipa::path(
    get, path = "/themes/{theme}/targets/{id}/proposals/{proposal}", tag = "targets", operation_id = "show_proposal",
    params(AtProposal),
    responses((status = 200, description = "The proposal.", body = TargetProposalDetail)),
)]
pub(crate) async fn read(State(running): State<Shared>, at: AtProposal) -> Result<Json<TargetProposalDetail>, Refusal> {
    let read = move |running: &Running| {
        let (store, grant) = (&running.app.store, at.grant(&running.app));
        let target = store.target(at.theme, at.id)?.ok_or(Refusal::NoTarget)?;
        let proposal = store.proposal(&grant, at.theme, at.id, at.proposal)?.ok_or(Refusal::NoProposal)?;
        detail(running, &grant, &target, proposal)
    };
    running.blocking(read).await.map(Json)
}

/// A proposal to change what was decided about a target
///
/// What is in force stays so until a second person has approved it.
#[utoipa::path(
    post, path = "/themes/{theme}/targets/{id}/proposals", tag = "targets", operation_id = "propose_change",
    params(AtTarget),
    request_body = NewTerms,
    responses((status = 201, description = "The proposal.", body = TargetProposalDetail)),
)]
pub(crate) async fn propose(
    State(running): State<Shared>,
    at: AtTarget,
    Body(new): Body<NewTerms>,
) -> Result<(StatusCode, Json<TargetProposalDetail>), Refusal> {
    let run = move |running: &Running| {
        let (store, grant) = (&running.app.store, at.grant(&running.app));
        let target = store.target(at.theme, at.id)?.ok_or(Refusal::NoTarget)?;
        let found_in = checked_found_in(running, at.theme, new.found_in)?;
        let before = standing_terms(store, &grant, &target)?.ok_or(Refusal::NoProposal)?;
        let matter = checked_terms(running, at.theme, changed_terms(before, new.terms))?;
        let new = NewProposal { matter, found_in, at: running.app.clock.now() };
        keep(running, &grant, &target, new)
    };
    running.blocking(run).await.map(created)
}

/// A proposal to look at one page once
///
/// It is a decision of its own, on which a second person decides; it shows whether a site is fake or dead. No link is followed.
#[utoipa::path(
    post, path = "/themes/{theme}/targets/{id}/probes", tag = "targets", operation_id = "propose_probe",
    params(AtTarget),
    request_body = NewProbe,
    responses((status = 201, description = "The proposal.", body = TargetProposalDetail)),
)]
pub(crate) async fn probe(
    State(running): State<Shared>,
    at: AtTarget,
    Body(new): Body<NewProbe>,
) -> Result<(StatusCode, Json<TargetProposalDetail>), Refusal> {
    let run = move |running: &Running| {
        let (grant, now) = (at.grant(&running.app), running.app.clock.now());
        let target = running.app.store.target(at.theme, at.id)?.ok_or(Refusal::NoTarget)?;
        let new = NewProposal { matter: checked_probe(new, now)?, found_in: None, at: now };
        keep(running, &grant, &target, new)
    };
    running.blocking(run).await.map(created)
}

/// Approve a proposal
///
/// It is in force at once. Nobody approves what he proposed himself.
#[utoipa::path(
    post, path = "/themes/{theme}/targets/{id}/proposals/{proposal}/approve", tag = "targets",
    operation_id = "approve_proposal", params(AtProposal),
    request_body = Reasons,
    responses((status = 200, description = "The proposal as it is now.", body = TargetProposalDetail)),
)]
pub(crate) async fn approve(
    State(running): State<Shared>,
    at: AtProposal,
    Body(reasons): Body<Reasons>,
) -> Result<Json<TargetProposalDetail>, Refusal> {
    answer(&running, at, reasons, Store::approve).await
}

/// Reject a proposal
///
/// Nobody rejects what he proposed himself: he withdraws it.
#[utoipa::path(
    post, path = "/themes/{theme}/targets/{id}/proposals/{proposal}/reject", tag = "targets",
    operation_id = "reject_proposal", params(AtProposal),
    request_body = Reasons,
    responses((status = 200, description = "The proposal as it is now.", body = TargetProposalDetail)),
)]
pub(crate) async fn reject(
    State(running): State<Shared>,
    at: AtProposal,
    Body(reasons): Body<Reasons>,
) -> Result<Json<TargetProposalDetail>, Refusal> {
    answer(&running, at, reasons, Store::reject).await
}

/// Take a proposal back
///
/// Only whoever made it may.
#[utoipa::path(
    post, path = "/themes/{theme}/targets/{id}/proposals/{proposal}/withdraw", tag = "targets",
    operation_id = "withdraw_proposal", params(AtProposal),
    request_body = Reasons,
    responses((status = 200, description = "The proposal as it is now.", body = TargetProposalDetail)),
)]
pub(crate) async fn withdraw(
    State(running): State<Shared>,
    at: AtProposal,
    Body(reasons): Body<Reasons>,
) -> Result<Json<TargetProposalDetail>, Refusal> {
    answer(&running, at, reasons, Store::withdraw).await
}

/// What the store makes of an answer.
type Give = fn(&Store, &Grant, ThemeId, model::TargetId, &NewAnswer<'_>) -> Result<(Target, Proposal), store::Error>;

async fn answer(
    running: &Shared,
    at: AtProposal,
    Reasons { reasons }: Reasons,
    give: Give,
) -> Result<Json<TargetProposalDetail>, Refusal> {
    said("reasons", &reasons)?;
    let run = move |running: &Running| {
        let grant = at.grant(&running.app);
        let answer = NewAnswer { proposal: at.proposal, reasons: &reasons, at: running.app.clock.now() };
        let (target, proposal) = give(&running.app.store, &grant, at.theme, at.id, &answer)?;
        let verdict = proposal.answer.as_ref().map(|answer| answer.verdict.name());
        tracing::info!(who = grant.who(), theme = %at.theme, target_id = %at.id, proposal = at.proposal, verdict, "proposal answered");
        running.app.crawl.targets_changed();
        detail(running, &grant, &target, proposal)
    };
    running.blocking(run).await.map(Json)
}

fn keep(running: &Running, grant: &Grant, target: &Target, new: NewProposal) -> Result<TargetProposalDetail, Refusal> {
    let matter = new.matter.name();
    let proposal = running.app.store.propose(grant, target.theme, target.id, new)?;
    tracing::info!(who = grant.who(), theme = %target.theme, target_id = %target.id, proposal = proposal.leaf, matter, "proposal made");
    detail(running, grant, target, proposal)
}

/// The terms that a change begins with: what was last decided, or, where nothing was, what was last proposed.
fn standing_terms(store: &Store, grant: &Grant, target: &Target) -> Result<Option<Terms>, Refusal> {
    if let Some(terms) = target.terms() {
        return Ok(Some(terms.clone()));
    }
    let proposals = store.proposals(grant, target.theme, Some(target.id))?;
    Ok(proposals.into_iter().rev().find_map(|proposal| match proposal.matter {
        Matter::Crawl(terms) => Some(*terms),
        Matter::Probe(_) => None,
    }))
}

fn created(detail: TargetProposalDetail) -> (StatusCode, Json<TargetProposalDetail>) {
    (StatusCode::CREATED, Json(detail))
}

/// A proposal with what may help to decide on it.
fn detail(
    running: &Running,
    grant: &Grant,
    target: &Target,
    proposal: Proposal,
) -> Result<TargetProposalDetail, Refusal> {
    let hints = hints::hints(running, grant, target, &proposal)?;
    let probes = target.probes().map(|(it, _)| decision(running, grant, target, it)).collect::<Result<_, _>>()?;
    Ok(TargetProposalDetail { proposal: view(target, proposal), hints, probes })
}

/// A proposal as it is shown.
pub(crate) fn view(target: &Target, proposal: Proposal) -> TargetProposal {
    let replaced = proposal.replaces.and_then(|number| {
        target.decisions.iter().find(|decision| decision.number == number).and_then(model::Decision::terms)
    });
    let changes = changes(&proposal.matter, replaced);
    let (terms, probe) = match proposal.matter {
        Matter::Crawl(of) => (Some(terms(*of)), None),
        Matter::Probe(of) => (None, Some(probe_view(of))),
    };
    let state = proposal.answer.as_ref().map_or("open", |answer| answer.verdict.name()).to_owned();
    let answer = proposal.answer.map(|answer| ProposalAnswer {
        leaf: answer.leaf,
        decision: match answer.verdict {
            Verdict::Approved(number) => Some(number),
            Verdict::Rejected | Verdict::Withdrawn => None,
        },
        by: answer.by,
        at: answer.at,
        reasons: answer.reasons,
    });
    TargetProposal {
        proposal: proposal.leaf,
        theme: target.theme,
        target: target.id,
        name: target.name.clone(),
        state,
        by: proposal.by,
        at: proposal.at,
        found_in: proposal.found_in.map(found_in),
        replaces: proposal.replaces,
        terms,
        probe,
        changes,
        answer,
    }
}

/// In what a matter differs from the terms before it; of a probe, and where there are none, every field.
pub(crate) fn changes(matter: &Matter, before: Option<&Terms>) -> Vec<TermsChange> {
    match matter {
        Matter::Crawl(terms) => terms
            .changes_since(before)
            .into_iter()
            .map(|change| TermsChange { field: change.field.to_owned(), from: change.from, to: change.to })
            .collect(),
        Matter::Probe(probe) => probe
            .fields()
            .into_iter()
            .map(|(field, to)| TermsChange { field: field.to_owned(), from: None, to })
            .collect(),
    }
}

pub(crate) fn found_in(of: model::FoundIn) -> FoundIn {
    let model::FoundIn { capture, service, link } = of;
    FoundIn { capture, service, link }
}

//! All that was proposed, decided and wanted of a target, as data and as a document to print.

mod document;

use axum::{
    Json,
    extract::State,
    http::{
        HeaderMap, HeaderName,
        header::{ACCEPT, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
};
use model::{Matter, Terms};
use store::{HistoryEntry, Step};

use super::{
    proposals::{changes, found_in},
    targets::result,
};
use crate::{
    api::{HistoryStep, TargetHistory},
    app::{Running, Shared},
    refusal::Refusal,
    request::AtTarget,
};

const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// The history of a target: proposals, decisions, pauses
///
/// As Markdown to whoever accepts `text/markdown`.
#[utoipa::path(
    get, path = "/themes/{theme}/targets/{id}/history", tag = "targets", operation_id = "target_history",
    params(AtTarget),
    responses((
        status = 200, description = "Every step, in order; each is a leaf of the evidence log.",
        content((TargetHistory = "application/json"), (String = "text/markdown; charset=utf-8")),
    )),
)]
pub(crate) async fn read(State(running): State<Shared>, at: AtTarget, headers: HeaderMap) -> Result<Response, Refusal> {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let wants_markdown = accepted.split(',').any(|range| {
        let essence = range.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("text/markdown")
    });
    let varies = [(VARY, "accept")];
    if wants_markdown {
        return Ok((varies, document(State(running), at).await?).into_response());
    }
    Ok((varies, Json(running.blocking(move |running| history(running, &at)).await?)).into_response())
}

/// The history of a target, to print
#[utoipa::path(
    get, path = "/themes/{theme}/targets/{id}/history.md", tag = "targets", operation_id = "target_history_document",
    params(AtTarget),
    responses((
        status = 200, description = "One document, as Markdown, which reads as plain text.",
        body = String, content_type = "text/markdown; charset=utf-8",
    )),
)]
pub(crate) async fn document(
    State(running): State<Shared>,
    at: AtTarget,
) -> Result<([(HeaderName, &'static str); 1], String), Refusal> {
    let write = move |running: &Running| {
        let target = running.app.store.target(at.theme, at.id)?.ok_or(Refusal::NoTarget)?;
        Ok(document::write(&target, &history(running, &at)?, running.app.clock.now()))
    };
    Ok(([(CONTENT_TYPE, MARKDOWN)], running.blocking(write).await?))
}

fn history(running: &Running, at: &AtTarget) -> Result<TargetHistory, Refusal> {
    let (store, grant) = (&running.app.store, at.grant(&running.app));
    let target = store.target(at.theme, at.id)?.ok_or(Refusal::NoTarget)?;
    // What was last decided, which the next proposal is told against.
    let mut decided: Option<Terms> = None;
    let mut steps = Vec::new();
    for entry in store.target_history(&grant, at.theme, at.id)? {
        let changes = entry.matter.as_ref().map(|matter| changes(matter, decided.as_ref())).unwrap_or_default();
        let result = match entry.decision.filter(|_| entry.step == Step::Approved) {
            Some(decision) => result(running, &grant, &target, decision)?,
            None => None,
        };
        if let (Step::Approved, Some(Matter::Crawl(terms))) = (entry.step, &entry.matter) {
            decided = Some(terms.as_ref().clone());
        }
        steps.push(HistoryStep { changes, result, ..step(entry) });
    }
    Ok(TargetHistory { theme: target.theme, target: target.id, name: target.name, steps })
}

fn step(entry: HistoryEntry) -> HistoryStep {
    HistoryStep {
        leaf: entry.leaf,
        at: entry.at,
        step: entry.step.name().to_owned(),
        who: entry.who,
        reasons: entry.reasons,
        matter: entry.matter.map(|matter| matter.name().to_owned()),
        proposal: entry.proposal,
        decision: entry.decision,
        found_in: entry.found_in.map(found_in),
        name: entry.name,
        changes: Vec::new(),
        result: None,
    }
}

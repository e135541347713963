//! Why a capture is flagged.

use axum::{Json, extract::State};
use model::{Grant, Place};
use store::RuleKind;

use super::content;
use crate::{
    api::{Contribution, Finding, Findings, MatchedSpan, Span},
    app::{Running, Shared},
    refusal::Refusal,
    request::AtCapture,
};

/// The most of a match that is shown, in characters.
const MAX_MATCHED: usize = 200;

/// What the indicators found in a capture, and why
///
/// The score is the sum that is shown term by term.
#[utoipa::path(
    get, path = "/themes/{theme}/captures/{seq}/findings", tag = "indicators", operation_id = "capture_findings",
    params(AtCapture),
    responses((status = 200, description = "The findings.", body = Findings)),
)]
pub(crate) async fn findings(State(running): State<Shared>, at: AtCapture) -> Result<Json<Findings>, Refusal> {
    running.blocking(move |running| found(running, &at)).await.map(Json)
}

fn found(running: &Running, at: &AtCapture) -> Result<Findings, Refusal> {
    let (grant, store) = (at.grant(&running.app), &running.app.store);
    let document = content::read(running, at)?;
    let rules = store.rules(&grant, at.theme, RuleKind::Indicator)?;
    let mut findings = Vec::new();
    for finding in store.findings(&grant, at.id())? {
        let present = rules.iter().find(|rule| rule.name == finding.indicator).and_then(store::Rule::present);
        findings.push(Finding {
            is_in_force: present.is_some_and(|version| version.leaf == finding.version),
            why: why(running, &grant, at, finding.version)?,
            indicator: finding.indicator,
            version: finding.version,
            score: finding.score,
            contributions: contributions(&document, finding.contributions),
        });
    }
    findings.sort_by_key(|finding| (!finding.is_in_force, finding.version));
    let score = findings.iter().filter(|finding| finding.is_in_force).map(|finding| finding.score).sum();
    Ok(Findings { capture: at.id(), score, findings })
}

fn why(running: &Running, grant: &Grant, at: &AtCapture, version: u64) -> Result<Option<String>, Refusal> {
    let text = running.app.store.rule_text(grant, at.theme, version)?.text;
    Ok(text.as_deref().and_then(assess::Indicator::why_of))
}

/// Contributions as they are shown: places in characters, and what stands there.
pub(super) fn contributions(document: &model::Document, found: Vec<model::Contribution>) -> Vec<Contribution> {
    let shown = |contribution: model::Contribution| Contribution {
        spans: contribution.spans.iter().filter_map(|span| matched(document, span)).collect(),
        condition: contribution.condition,
        weight: contribution.weight,
        matches: contribution.matches,
    };
    found.into_iter().map(shown).collect()
}

fn matched(document: &model::Document, span: &model::Span) -> Option<MatchedSpan> {
    let (place, whole) = match &span.place {
        Place::Title => ("title".to_owned(), document.title.as_str().into()),
        Place::Text => ("text".to_owned(), document.text.as_str().into()),
        Place::Field { name, item } => (name.clone(), assess::field_value(document, name, *item)?),
    };
    let (start, end) = (usize::try_from(span.at.start).ok()?, usize::try_from(span.at.end).ok()?);
    let matched = whole.get(start..end)?;
    let before = whole.get(..start)?.chars().count();
    Some(MatchedSpan {
        place,
        at: Span { start: before, end: before + matched.chars().count() },
        matched: matched.chars().take(MAX_MATCHED).collect(),
    })
}

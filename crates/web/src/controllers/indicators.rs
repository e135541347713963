//! Indicators: what to look for, changed by analysts, and what a change does.

use std::collections::VecDeque;

use assess::{Indicator, RuleSet};
use axum::{
    Extension, Json,
    extract::{RawQuery, State},
    response::IntoResponse,
};
use model::{CaptureId, Phase, Seq};
use store::{RuleKind, Scoring};
use utoipa::IntoParams;

use super::{
    captures::summary,
    findings::contributions,
    rules::{self, AtRule, ChangeParameters, VersionParameters},
};
use crate::{
    api::{FlaggedCapture, FlaggedCaptures, IndicatorTrial, Rescored, RescoringReport, Rule, Rules, ScoringProgress},
    app::{Running, Shared},
    audit::{Count, Question},
    precondition::IfMatch,
    refusal::Refusal,
    request::{AtTheme, LargeMedia, Parameters, refused},
};

/// The most captures on a page.
const MAX_LIMIT: usize = 1000;

/// The most documents that a trial looks at, how many it looks at when nothing else is said, and the most findings that it shows.
const MAX_DOCUMENTS: u64 = 20_000;
const DOCUMENTS: u64 = 2_000;
const MAX_SHOWN: usize = 100;

/// The most changes that a report lists.
const MAX_CHANGES: usize = 1000;

/// How many stored documents to try a rule on.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrialParameters {
    /// The number of the newest captures that are looked at; never more than 20000.
    #[param(value_type = Option<u64>, default = 2000)]
    pub(crate) captures: u64,
}

impl TrialParameters {
    pub(crate) fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let captures = Parameters::read(query, &["captures"])?.one("captures")?.unwrap_or(DOCUMENTS);
        if captures > MAX_DOCUMENTS {
            return Err(refused("captures", format!("{captures} is more than {MAX_DOCUMENTS}")));
        }
        Ok(Self { captures })
    }
}

/// Which captures a version flags.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FlaggedParameters {
    /// The version; absent: the newest one.
    version: Option<u64>,
    /// From this capture down: the `next` of the page before.
    #[param(value_type = Option<u64>)]
    from: Option<Seq>,
    /// How many captures at most; never more than 1000.
    #[param(value_type = Option<usize>, default = 50)]
    limit: usize,
}

/// Which versions to compare.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportParameters {
    /// The version before; absent: the one before `after`.
    before: Option<u64>,
    /// The version after; absent: the newest one.
    after: Option<u64>,
}

/// The indicators of a theme
#[utoipa::path(
    get, path = "/themes/{theme}/indicators", tag = "indicators", operation_id = "list_indicators", params(AtTheme),
    responses((status = 200, description = "The indicators in force.", body = Rules)),
)]
pub(crate) async fn list(State(running): State<Shared>, at: AtTheme) -> Result<Json<Rules>, Refusal> {
    let list = move |running: &Running| {
        rules::list(running, &at.grant(&running.app, Phase::Analysis), at.theme, RuleKind::Indicator, Indicator::why_of)
    };
    running.blocking(list).await.map(Json)
}

/// An indicator, with its history and how far stored documents were looked at for it
#[utoipa::path(
    get, path = "/themes/{theme}/indicators/{name}", tag = "indicators", operation_id = "show_indicator",
    params(AtRule, VersionParameters),
    responses((status = 200, description = "The indicator.", body = Rule)),
)]
pub(crate) async fn read(
    State(running): State<Shared>,
    at: AtRule,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Refusal> {
    let VersionParameters { version } = VersionParameters::read(query.as_deref())?;
    running.blocking(move |running| shown(running, &at, version)).await.map(rules::tagged_rule)
}

/// Write a version of an indicator
///
/// It is refused where the text is no indicator, has another name, or where its examples do not come out as it says. Every stored document is then
/// looked at anew, in the background; what earlier versions found stays with them.
#[utoipa::path(
    put, path = "/themes/{theme}/indicators/{name}", tag = "indicators", operation_id = "change_indicator",
    params(AtRule, ChangeParameters), request_body(content = String, content_type = "application/toml"),
    responses((status = 200, description = "The indicator.", body = Rule)),
)]
pub(crate) async fn put(
    State(running): State<Shared>,
    at: AtRule,
    if_match: IfMatch,
    RawQuery(query): RawQuery,
    LargeMedia(body): LargeMedia,
) -> Result<impl IntoResponse, Refusal> {
    let parameters = ChangeParameters::read(query.as_deref())?;
    let put = move |running: &Running| {
        let text = rules::text(&body)?;
        let indicator = parse(text)?;
        let failures = failures(&indicator);
        if indicator.name() != at.name {
            let problem = format!("the rule calls itself {}, and the path {}", indicator.name(), at.name);
            return Err(Refusal::Invalid { field: "name", problem });
        }
        if !failures.is_empty() {
            return Err(Refusal::Invalid { field: "example", problem: failures.join("; ") });
        }
        rules::change(running, &at, RuleKind::Indicator, Some(text), &parameters, &if_match)?;
        shown(running, &at, None)
    };
    running.blocking(put).await.map(rules::tagged_rule)
}

/// Take an indicator away
///
/// What its versions found stays with them.
#[utoipa::path(
    delete, path = "/themes/{theme}/indicators/{name}", tag = "indicators", operation_id = "remove_indicator",
    params(AtRule, ChangeParameters),
    responses((status = 200, description = "The indicator, which is not in force.", body = Rule)),
)]
pub(crate) async fn remove(
    State(running): State<Shared>,
    at: AtRule,
    if_match: IfMatch,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Refusal> {
    let parameters = ChangeParameters::read(query.as_deref())?;
    let remove = move |running: &Running| {
        rules::rule(running, &at, RuleKind::Indicator)?;
        rules::change(running, &at, RuleKind::Indicator, None, &parameters, &if_match)?;
        shown(running, &at, None)
    };
    running.blocking(remove).await.map(rules::tagged_rule)
}

/// Try an indicator
///
/// Its examples are checked, and the newest stored documents looked at. Nothing of it is kept.
#[utoipa::path(
    post, path = "/themes/{theme}/indicator-trials", tag = "indicators", operation_id = "try_indicator",
    params(AtTheme, TrialParameters), request_body(content = String, content_type = "application/toml"),
    responses((status = 200, description = "What it would flag.", body = IndicatorTrial)),
)]
pub(crate) async fn try_out(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
    LargeMedia(body): LargeMedia,
) -> Result<(Extension<Question>, Extension<Count>, Json<IndicatorTrial>), Refusal> {
    let TrialParameters { captures } = TrialParameters::read(query.as_deref())?;
    let question = Question(String::from_utf8_lossy(&body).into_owned());
    let try_out = move |running: &Running| {
        let indicator = parse(rules::text(&body)?)?;
        let grant = at.grant(&running.app, Phase::Analysis);
        let mut trial = IndicatorTrial {
            name: indicator.name().to_owned(),
            failures: failures(&indicator),
            looked_at: 0,
            flagged: 0,
            findings: Vec::new(),
        };
        let rules = RuleSet::new([(0, indicator)]);
        for seq in newest(running, at.theme, captures)? {
            let id = CaptureId { theme: at.theme, seq };
            let document = match running.app.store.document(&grant, id) {
                Err(error) if error.is_withheld() => None,
                read => read?,
            };
            let Some(document) = document else { continue };
            trial.looked_at += 1;
            let Some(finding) = rules.assess(&document).pop() else { continue };
            trial.flagged += 1;
            if trial.findings.len() < MAX_SHOWN {
                let Some(capture) = running.app.store.capture_if_open(&grant, id)? else { continue };
                trial.findings.push(FlaggedCapture {
                    capture: summary(at.theme, capture),
                    score: finding.score,
                    contributions: contributions(&document, finding.contributions),
                });
            }
        }
        Ok(trial)
    };
    let trial = running.blocking(try_out).await?;
    Ok((Extension(question), Extension(Count(trial.flagged)), Json(trial)))
}

/// What a version of an indicator flags
#[utoipa::path(
    get, path = "/themes/{theme}/indicators/{name}/flagged", tag = "indicators", operation_id = "list_flagged",
    params(AtRule, FlaggedParameters),
    responses((status = 200, description = "A page of captures.", body = FlaggedCaptures)),
)]
pub(crate) async fn flagged(
    State(running): State<Shared>,
    at: AtRule,
    RawQuery(query): RawQuery,
) -> Result<Json<FlaggedCaptures>, Refusal> {
    let given = Parameters::read(query.as_deref(), &["version", "from", "limit"])?;
    let wanted = FlaggedParameters {
        version: given.one("version")?,
        from: given.one("from")?.map(Seq),
        limit: given.limit(50, MAX_LIMIT)?.max(1),
    };
    let list = move |running: &Running| {
        let rule = rules::rule(running, &at, RuleKind::Indicator)?;
        let version = rules::version_of(&rule, wanted.version)?.leaf;
        let (grant, store) = (at.grant(running), &running.app.store);
        let page = store.flagged(&grant, at.theme, version, wanted.from, wanted.limit)?;
        let mut captures = Vec::with_capacity(page.captures.len());
        for (seq, score) in page.captures {
            // One that was erased or sealed a moment ago is passed over.
            if let Some(capture) = store.capture_if_open(&grant, CaptureId { theme: at.theme, seq })? {
                captures.push(FlaggedCapture { capture: summary(at.theme, capture), score, contributions: Vec::new() });
            }
        }
        Ok(FlaggedCaptures { indicator: rule.name, version, captures, next: page.next })
    };
    running.blocking(list).await.map(Json)
}

/// What a change of an indicator did
///
/// It covers the captures that both versions are for and have looked at.
#[utoipa::path(
    get, path = "/themes/{theme}/indicators/{name}/report", tag = "indicators", operation_id = "report_rescoring",
    params(AtRule, ReportParameters),
    responses((status = 200, description = "What became flagged, and what ceased to be.", body = RescoringReport)),
)]
pub(crate) async fn report(
    State(running): State<Shared>,
    at: AtRule,
    RawQuery(query): RawQuery,
) -> Result<Json<RescoringReport>, Refusal> {
    let given = Parameters::read(query.as_deref(), &["before", "after"])?;
    let wanted = ReportParameters { before: given.one("before")?, after: given.one("after")? };
    let report = move |running: &Running| {
        let rule = rules::rule(running, &at, RuleKind::Indicator)?;
        let after = rules::version_of(&rule, wanted.after)?;
        let earlier = rule.versions.iter().rfind(|version| version.leaf < after.leaf);
        let before = match wanted.before {
            Some(leaf) => Some(rules::version_of(&rule, Some(leaf))?),
            None => earlier.copied(),
        };
        compare(running, &at, &rule.name, before, after)
    };
    running.blocking(report).await.map(Json)
}

fn compare(
    running: &Running,
    at: &AtRule,
    name: &str,
    before: Option<store::RuleVersion>,
    after: store::RuleVersion,
) -> Result<RescoringReport, Refusal> {
    let (grant, store) = (at.grant(running), &running.app.store);
    let (mut up_to, mut of) = reach(running, at, after)?;
    if let Some(before) = before {
        let (reached, end) = reach(running, at, before)?;
        (up_to, of) = (up_to.min(reached), of.min(end));
    }
    let mut report = RescoringReport {
        indicator: name.to_owned(),
        before: before.map(|version| version.leaf),
        after: after.leaf,
        up_to,
        of,
        became: 0,
        ceased: 0,
        rescored: 0,
        unchanged: 0,
        changes: Vec::new(),
    };
    let mut earlier =
        before.map(|version| store.flags(&grant, at.theme, version.leaf)).transpose()?.into_iter().flatten();
    let mut later = store.flags(&grant, at.theme, after.leaf)?;
    let (mut was, mut is) = (earlier.next().transpose()?, later.next().transpose()?);
    let mut changes = VecDeque::new();
    while let Some(seq) = [was, is].into_iter().flatten().map(|(seq, _)| seq).min().filter(|seq| *seq <= up_to) {
        let (before, after) = (take(&mut was, seq, &mut earlier)?, take(&mut is, seq, &mut later)?);
        match (before, after) {
            (None, _) => report.became += 1,
            (_, None) => report.ceased += 1,
            (before, after) if before == after => {
                report.unchanged += 1;
                continue;
            }
            _ => report.rescored += 1,
        }
        if changes.len() == MAX_CHANGES {
            changes.pop_front();
        }
        changes.push_back(Rescored { capture: CaptureId { theme: at.theme, seq }, before, after });
    }
    report.changes = changes.into();
    Ok(report)
}

/// The score of a capture, if the row is of it; then the row is the next one.
fn take(
    row: &mut Option<(Seq, i64)>,
    seq: Seq,
    rows: &mut impl Iterator<Item = Result<(Seq, i64), store::Error>>,
) -> Result<Option<i64>, Refusal> {
    let Some((_, score)) = row.filter(|(of, _)| *of == seq) else { return Ok(None) };
    *row = rows.next().transpose()?;
    Ok(Some(score))
}

fn shown(running: &Running, at: &AtRule, version: Option<u64>) -> Result<Rule, Refusal> {
    let rule = rules::rule(running, at, RuleKind::Indicator)?;
    let version = rules::version_of(&rule, version)?;
    let progress = if version.is_removal { None } else { Some(progress(running, at, version)?) };
    Ok(Rule { progress, ..rules::detail(running, at, &rule, version)? })
}

fn progress(running: &Running, at: &AtRule, version: store::RuleVersion) -> Result<ScoringProgress, Refusal> {
    let (up_to, of) = reach(running, at, version)?;
    let mut flagged = 0;
    for row in running.app.store.flags(&at.grant(running), at.theme, version.leaf)? {
        row?;
        flagged += 1;
    }
    Ok(ScoringProgress { up_to, of, flagged })
}

/// Up to which capture a version has looked, and the last one that it is to look at, as it is now.
fn reach(running: &Running, at: &AtRule, version: store::RuleVersion) -> Result<(Seq, Seq), Refusal> {
    let analysed = running.app.store.derive_cursor(at.theme)?;
    let of = version.until.map_or(analysed, |until| until.min(analysed));
    let up_to = match running.app.store.scoring(at.theme, version.leaf)? {
        _ if version.is_removal => of,
        Some(Scoring::Follows) => of,
        Some(Scoring::UpTo(seq)) => seq.min(of),
        None => Seq(0),
    };
    Ok((up_to, of))
}

/// The newest captures that are analysed, newest first.
pub(super) fn newest(
    running: &Running,
    theme: model::ThemeId,
    count: u64,
) -> Result<impl Iterator<Item = Seq> + use<>, Refusal> {
    let last = running.app.store.derive_cursor(theme)?.0;
    Ok((last.saturating_sub(count) + 1..=last).rev().map(Seq))
}

fn parse(text: &str) -> Result<Indicator, Refusal> {
    Indicator::parse(text).map_err(|error| Refusal::Invalid { field: "indicator", problem: error.to_string() })
}

/// The examples that do not come out as they say.
fn failures(indicator: &Indicator) -> Vec<String> {
    indicator.check().iter().map(ToString::to_string).collect()
}

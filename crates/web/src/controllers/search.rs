use std::collections::BTreeSet;

use axum::{
    Json,
    extract::{RawQuery, State},
};
use model::{CaptureId, Grant, Label, Outcome, PageKind, Phase, Seq, TargetId, ThemeId, Timestamp};
use search::{Cursor, Only, Page, Query, Sort};
use store::{CaptureFilter, RuleKind, Scoring};
use utoipa::IntoParams;

use super::labels;
use crate::{
    api::{Hit, SearchAnswer, Span},
    app::{Running, Shared},
    refusal::Refusal,
    request::{AtTheme, Parameters, refused},
};

/// Captures of a URI that are read at once.
const CHUNK: usize = 1_000;

/// The most hits on a page.
const MAX_LIMIT: usize = 1_000;

/// What to look for. A filter may be repeated, or hold several values with commas between them; any of them will do.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters, which are read into a `Query`")]
pub(crate) struct SearchParameters {
    /// Words and `"phrases"` with `AND`, `OR`, `NOT` (or `-`) and parentheses; `title:`, `text:`, `uri:`, `target:`,
    /// `lang:`, `kind:`, `outcome:`, `after:` and `before:` look in one place. Empty finds everything that the filters
    /// let through.
    q: Option<String>,
    /// Only these targets.
    target: Option<Vec<String>>,
    /// Only these languages, ISO 639-3; `und` where it is not known.
    language: Option<Vec<String>>,
    /// Only these kinds of page.
    kind: Option<Vec<String>>,
    /// Only these outcomes.
    outcome: Option<Vec<String>>,
    /// Only what was captured at this time or later.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Only what was captured before this time.
    #[param(format = DateTime)]
    until: Option<String>,
    /// Only versions with one of these labels: `relevant`, `not-relevant`, `unsure`.
    label: Option<Vec<String>>,
    /// Only what one of these indicators flags, in the version that is in force.
    indicator: Option<Vec<String>>,
    /// `relevance`, `newest` or `oldest`.
    #[param(default = "relevance")]
    sort: Option<String>,
    /// How many hits at most; never more than 1000. With 0 only the total is told.
    #[param(default = 20)]
    limit: Option<usize>,
    /// Where the page before ended: its `next`.
    after: Option<String>,
    /// As of this sequence: nothing later has a part in the answer.
    up_to: Option<u64>,
}

const NAMES: [&str; 13] = [
    "q",
    "target",
    "language",
    "kind",
    "outcome",
    "from",
    "until",
    "label",
    "indicator",
    "sort",
    "limit",
    "after",
    "up_to",
];

/// What is asked for beside what the index knows.
struct Filters {
    labels: BTreeSet<Label>,
    indicators: BTreeSet<String>,
}

fn read(query: Option<&str>) -> Result<(Query, Filters), Refusal> {
    let given = Parameters::read(query, &NAMES)?;
    let labels = given.many::<Label>("label")?.into_iter().collect();
    let filters = Filters { labels, indicators: given.many("indicator")?.into_iter().collect() };
    let query = Query {
        text: given.one("q")?.unwrap_or_default(),
        targets: given.many::<TargetId>("target")?,
        languages: given.many("language")?,
        kinds: given.many::<PageKind>("kind")?,
        outcomes: given.many::<Outcome>("outcome")?,
        from: given.one::<Timestamp>("from")?,
        until: given.one::<Timestamp>("until")?,
        sort: sort(given.one::<String>("sort")?.as_deref())?,
        limit: given.limit(20, MAX_LIMIT)?,
        after: given.one::<Cursor>("after")?,
        up_to: given.one("up_to")?.map(Seq),
        only: Vec::new(),
    };
    Ok((query, filters))
}

fn sort(name: Option<&str>) -> Result<Sort, Refusal> {
    match name {
        None => Ok(Sort::default()),
        Some("relevance") => Ok(Sort::Relevance),
        Some("newest") => Ok(Sort::Newest),
        Some("oldest") => Ok(Sort::Oldest),
        Some(other) => Err(refused("sort", format!("{other:?} is not relevance, newest or oldest"))),
    }
}

/// Search the captures of a theme
///
/// The index answers as of one sequence; with `up_to` it says again what it said then, but for what was erased since: of that it says the number.
#[utoipa::path(
    get, path = "/themes/{theme}/search", tag = "search", params(AtTheme, SearchParameters),
    responses((status = 200, description = "A page of hits.", body = SearchAnswer)),
)]
pub(crate) async fn search(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Json<SearchAnswer>, Refusal> {
    let (query, filters) = read(query.as_deref())?;
    let answer = running.blocking(move |running| {
        let grant = at.grant(&running.app, Phase::Analysis);
        let index = running.app.indexes.theme(at.theme)?;
        let (only, reach) = only(running, &at, &grant, &filters)?;
        // An indicator that has not come so far makes the answer end there; it says up to where it is complete.
        let up_to = match (reach.filter(|reach| *reach < index.indexed_up_to()), query.up_to) {
            (Some(reach), Some(asked)) if asked > reach => {
                return Err(search::Error::NotYetIndexed { asked, indexed: reach }.into());
            }
            (Some(reach), None) if query.after.is_none() => Some(reach),
            (_, asked) => asked,
        };
        let query = Query { only, up_to, ..query };
        let page = index.search(&grant, &query)?;
        // Asked last: what was taken away while the index was searched may be among the hits.
        if running.app.store.is_changing(at.theme)? {
            return Err(store::Error::Changing(at.theme).into());
        }
        let erased = running.app.store.erased_up_to(at.theme, page.up_to)?;
        Ok(shown(at.theme, page, erased))
    });
    answer.await.map(Json)
}

/// The captures that the filters let through, and up to where that is known, unless it is as far as captures are analysed.
fn only(
    running: &Running,
    at: &AtTheme,
    grant: &Grant,
    filters: &Filters,
) -> Result<(Vec<Only>, Option<Seq>), Refusal> {
    let (mut only, mut reach) = (Vec::new(), None);
    if !filters.labels.is_empty() {
        let captures = labelled(running, at, grant, &filters.labels)?;
        only.push(Only { what: format!("labels {:?}", filters.labels), captures: captures.into_iter().collect() });
    }
    if !filters.indicators.is_empty() {
        let (mut captures, mut versions) = (BTreeSet::new(), Vec::new());
        for name in &filters.indicators {
            let rule = running.app.store.rule(grant, at.theme, RuleKind::Indicator, name)?;
            let version = rule.as_ref().and_then(store::Rule::present).ok_or(Refusal::NoRule)?;
            versions.push(version.leaf);
            let up_to = match running.app.store.scoring(at.theme, version.leaf)? {
                Some(Scoring::Follows) => None,
                Some(Scoring::UpTo(seq)) => Some(seq),
                None => Some(Seq(0)),
            };
            reach = reach.into_iter().chain(up_to).min();
            for flag in running.app.store.flags(grant, at.theme, version.leaf)? {
                captures.insert(flag?.0);
            }
        }
        let what = format!("indicators {versions:?}");
        only.push(Only { what, captures: captures.into_iter().collect() });
    }
    Ok((only, reach))
}

/// The captures of all versions that bear one of the labels.
fn labelled(
    running: &Running,
    at: &AtTheme,
    grant: &Grant,
    labels: &BTreeSet<Label>,
) -> Result<BTreeSet<Seq>, Refusal> {
    let store = &running.app.store;
    let mut captures = BTreeSet::new();
    for said in labels::present(running, at)? {
        if !said.label.is_some_and(|label| labels.contains(&label)) {
            continue;
        }
        // The version may begin elsewhere than it did when it was labelled; and it may be gone.
        let version = store.version_before(at.theme, said.uri, said.version)?;
        let Some(version) = version.filter(|version| version.last >= said.version) else { continue };
        let mut after = Seq(version.first.0.saturating_sub(1));
        while after < version.last {
            let some = store.sequences(grant, at.theme, CaptureFilter::Uri(said.uri), after, CHUNK)?;
            let Some(last) = some.last() else { break };
            after = *last;
            captures.extend(some.into_iter().take_while(|seq| *seq <= version.last));
        }
    }
    Ok(captures)
}

fn shown(theme: ThemeId, page: Page, erased: u64) -> SearchAnswer {
    let hits = page.hits.into_iter().map(|hit| shown_hit(theme, hit)).collect();
    SearchAnswer { total: page.total, up_to: page.up_to, erased, hits, next: page.next.map(|next| next.to_string()) }
}

fn shown_hit(theme: ThemeId, hit: search::Hit) -> Hit {
    let spans = |ranges: Vec<std::ops::Range<usize>>| ranges.into_iter().map(Span::from).collect();
    Hit {
        capture: CaptureId { theme, seq: hit.seq },
        seq: hit.seq,
        target: hit.target,
        uri: hit.uri,
        captured_at: hit.captured_at,
        outcome: hit.outcome,
        kind: hit.kind,
        language: hit.language,
        title: hit.title,
        title_highlights: spans(hit.title_highlights),
        snippet: hit.snippet,
        highlights: spans(hit.highlights),
        score: hit.score,
    }
}

mod generation;
mod joins;

use axum::{
    Extension, Json,
    extract::{RawQuery, State},
};
use model::{CaptureId, Grant, Label, Outcome, PageKind, Phase, Seq, TargetId, ThemeId, Timestamp};
use search::{Cursor, Facet, Generation, Page, Query, Sort, Versions};
use utoipa::IntoParams;

use self::generation::State as Standing;
use crate::{
    api::{FacetCounts, FacetValue, Hit, SearchAnswer, Similar, SimilarPage, Span},
    app::{Running, Shared},
    audit::Count,
    refusal::Refusal,
    request::{AtCapture, AtTheme, Parameters, refused},
};

/// The most hits on a page.
const MAX_LIMIT: usize = 1_000;

/// The most similar pages that are told of.
const MAX_SIMILAR: usize = 50;

/// What to look for. A filter may be repeated, or hold several values with commas between them; any of them will do.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters, which are read into a `Query`")]
pub(crate) struct SearchParameters {
    /// The query language: words in all their forms, `"phrases"`, `"words near"~5`, `pass*`, `lantern~`, with `AND`, `OR`, `NOT` (or `-`) and
    /// parentheses; `title:`, `text:`, `uri:`, `target:`, `lang:`, `kind:`, `outcome:`, `after:`, `before:`, `captured:`, `seq:`, `price:`,
    /// `currency:`, `observable:`, `label:` and `indicator:` look in one place. Empty finds everything that the filters let through.
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
    /// Only what one of these indicators flags, in the version that was in force.
    indicator: Option<Vec<String>>,
    /// `all` captures that match, or of those with content the `latest` of each URI.
    #[param(default = "all")]
    versions: Option<String>,
    /// Only the state in which each page was at this moment: the latest capture with content that began at it or before.
    #[param(format = DateTime)]
    as_of: Option<String>,
    /// By what to count the matches: `target`, `language`, `kind`, `outcome`, `indicator`, `label`, `observable`, `cluster`, `day`, `week`, `month`.
    facets: Option<Vec<String>>,
    /// `relevance`, `newest`, `oldest`, `price` (by currency, the cheapest first) or `score` (what indicators score highest first).
    #[param(default = "relevance")]
    sort: Option<String>,
    /// How many hits at most; never more than 1000. With 0 only the total and the facets are told.
    #[param(default = 20)]
    limit: Option<usize>,
    /// Where the page before ended: its `next`.
    after: Option<String>,
    /// As of this sequence: nothing later has a part in the answer.
    up_to: Option<u64>,
    /// As of this state, which an earlier answer named: the same query has the same answer again, but for what was erased or sealed since.
    generation: Option<String>,
}

const NAMES: [&str; 17] = [
    "q",
    "target",
    "language",
    "kind",
    "outcome",
    "from",
    "until",
    "label",
    "indicator",
    "versions",
    "as_of",
    "facets",
    "sort",
    "limit",
    "after",
    "up_to",
    "generation",
];

/// The query that parameters make.
pub(crate) fn read(query: Option<&str>) -> Result<Query, Refusal> {
    let given = Parameters::read(query, &NAMES)?;
    let mut facets = given.many::<Facet>("facets")?;
    facets.sort_unstable();
    facets.dedup();
    Ok(Query {
        text: given.one("q")?.unwrap_or_default(),
        targets: given.many::<TargetId>("target")?,
        languages: given.many("language")?,
        kinds: given.many::<PageKind>("kind")?,
        outcomes: given.many::<Outcome>("outcome")?,
        labels: given.many::<Label>("label")?,
        indicators: given.many("indicator")?,
        from: given.one::<Timestamp>("from")?,
        until: given.one::<Timestamp>("until")?,
        versions: versions(given.one::<String>("versions")?.as_deref())?,
        as_of: given.one::<Timestamp>("as_of")?,
        facets,
        sort: sort(given.one::<String>("sort")?.as_deref())?,
        limit: given.limit(20, MAX_LIMIT)?,
        after: given.one::<Cursor>("after")?,
        up_to: given.one("up_to")?.map(Seq),
        generation: given.one::<Generation>("generation")?,
        ..Query::default()
    })
}

fn sort(name: Option<&str>) -> Result<Sort, Refusal> {
    match name {
        None => Ok(Sort::default()),
        Some("relevance") => Ok(Sort::Relevance),
        Some("newest") => Ok(Sort::Newest),
        Some("oldest") => Ok(Sort::Oldest),
        Some("price") => Ok(Sort::Price),
        Some("score") => Ok(Sort::Score),
        Some(other) => Err(refused("sort", format!("{other:?} is not relevance, newest, oldest, price or score"))),
    }
}

fn versions(name: Option<&str>) -> Result<Versions, Refusal> {
    match name {
        None | Some("all") => Ok(Versions::All),
        Some("latest") => Ok(Versions::Latest),
        Some(other) => Err(refused("versions", format!("{other:?} is not all or latest"))),
    }
}

/// Search the captures of a theme
///
/// Each answer names its generation: the captures, labels and indicators that it was made from. With `generation` the same query has the same hits,
/// counts, facets and order again, but for what was erased or sealed since: of that it says the number, and relevance is weighed without it. Where that
/// cannot be, the answer is 410 `generation-retired` and never another one.
#[utoipa::path(
    get, path = "/themes/{theme}/search", tag = "search", params(AtTheme, SearchParameters),
    responses((status = 200, description = "A page of hits.", body = SearchAnswer)),
)]
pub(crate) async fn search(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<(Extension<Count>, Json<SearchAnswer>), Refusal> {
    let query = read(query.as_deref())?;
    let answer = running.blocking(move |running| {
        let grant = at.grant(&running.app, Phase::Analysis);
        Ok(shown(at.theme, find(running, at.theme, &grant, query)?))
    });
    answer.await.map(|answer| (Extension(Count(answer.total)), Json(answer)))
}

/// What a query found.
pub(crate) struct Found {
    pub(crate) page: Page,
    /// Captures up to the generation's sequence that were erased.
    pub(crate) erased: u64,
    /// Captures that were erased or sealed since the generation.
    pub(crate) withheld_since: u64,
}

/// Answers a query as of its generation, or as of the newest that there is.
pub(crate) fn find(running: &Running, theme: ThemeId, grant: &Grant, query: Query) -> Result<Found, Refusal> {
    let store = &running.app.store;
    let index = running.app.indexes.theme(theme)?;
    let before = Standing::of(store, theme)?;
    let given = query.generation.or(query.after.map(|cursor| cursor.generation()));
    let (generation, joined) = match given {
        Some(generation) => {
            before.can_repeat(store, theme, &query, generation)?;
            (generation, joins::read(running, theme, grant, &query, generation.acts, generation.up_to)?)
        }
        None => newest(running, theme, grant, &query, &before)?,
    };
    // Views that are made anew are behind the index until that is emptied too.
    let indexed = index.indexed_up_to().min(joined.reach).min(store.derive_cursor(theme)?);
    if generation.up_to > indexed {
        return Err(search::Error::NotYetIndexed { asked: generation.up_to, indexed }.into());
    }
    let query = Query { generation: Some(generation), joined: joined.joined.into(), ..query };
    let page = index.search(grant, &query)?;
    // Asked last: what was taken away or changed while the index was searched may be among the hits.
    if store.is_changing(theme)? {
        return Err(store::Error::Changing(theme).into());
    }
    let (after, derived) = (Standing::of(store, theme)?, store.derive_cursor(theme)?);
    if generation.up_to > derived {
        return Err(search::Error::NotYetIndexed { asked: generation.up_to, indexed: derived }.into());
    }
    let page = match given {
        Some(_) => {
            after.can_repeat(store, theme, &query, generation)?;
            page
        }
        None if after == before => page,
        // It is an answer, but one that nobody can have again.
        None => page.of_generation(Generation { edition: generation.edition | 1, ..generation }),
    };
    let withheld = store.withheld_up_to(theme, generation.up_to)?;
    Ok(Found {
        erased: store.erased_up_to(theme, page.up_to)?,
        withheld_since: withheld.saturating_sub(generation.withheld),
        page,
    })
}

/// The newest generation for a query, and what is joined as of it.
fn newest(
    running: &Running,
    theme: ThemeId,
    grant: &Grant,
    query: &Query,
    standing: &Standing,
) -> Result<(Generation, joins::Joins), Refusal> {
    let store = &running.app.store;
    // Read before the acts: whatever is changed behind these is for captures behind the sequence.
    let indexed = running.app.indexes.theme(theme)?.indexed_up_to();
    let acts = store.acts_end(grant, theme)?;
    let joined = joins::read(running, theme, grant, query, acts, query.up_to.unwrap_or(indexed))?;
    let up_to = query.up_to.unwrap_or_else(|| indexed.min(joined.reach));
    Ok((standing.generation(store, theme, up_to, acts)?, joined))
}

/// Pages that are like that of a capture
///
/// Pages of other URIs that share rare runs of words, the item or its place, those first whose text differs least. Figures, dates and observables are
/// left out of the comparison. Of each URI the newest capture counts; pages are looked for among those that share something, a bounded number of them.
#[utoipa::path(
    get, path = "/themes/{theme}/captures/{seq}/similar", tag = "search", operation_id = "list_similar", params(AtCapture),
    responses((status = 200, description = "Similar pages, the most similar first.", body = Similar)),
)]
pub(crate) async fn similar(State(running): State<Shared>, at: AtCapture) -> Result<Json<Similar>, Refusal> {
    let read = move |running: &Running| {
        let grant = at.grant(&running.app);
        let store = &running.app.store;
        store.capture(&grant, at.id())?.ok_or(Refusal::NoCapture)?;
        let found = derive::similar(store, &grant, at.theme, at.seq, MAX_SIMILAR)?;
        let shown = |page: derive::SimilarPage| SimilarPage {
            capture: CaptureId { theme: at.theme, seq: page.seq },
            uri: page.uri,
            captured_at: page.captured_at,
            title: page.title,
            differing_bits: page.differing_bits,
            shared_runs: page.shared_runs,
            is_same_item: page.is_same_item,
        };
        Ok(Similar {
            capture: CaptureId { theme: at.theme, seq: at.seq },
            pages: found.pages.into_iter().map(shown).collect(),
            is_cut: found.is_cut,
        })
    };
    running.blocking(read).await.map(Json)
}

fn shown(theme: ThemeId, found: Found) -> SearchAnswer {
    let Found { page, erased, withheld_since } = found;
    let value = |value: search::FacetCount| FacetValue { value: value.value, count: value.count };
    let facet = |counts: search::FacetCounts| FacetCounts {
        facet: counts.facet.as_str().to_owned(),
        values: counts.values.into_iter().map(value).collect(),
        other: counts.other,
    };
    SearchAnswer {
        total: page.total,
        up_to: page.up_to,
        generation: page.generation.to_string(),
        erased,
        withheld_since,
        facets: page.facets.into_iter().map(facet).collect(),
        hits: page.hits.into_iter().map(|hit| shown_hit(theme, hit)).collect(),
        next: page.next.map(|next| next.to_string()),
    }
}

pub(crate) fn shown_hit(theme: ThemeId, hit: search::Hit) -> Hit {
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
        price: hit.price.map(|price| price.to_string()),
        title: hit.title,
        title_highlights: spans(hit.title_highlights),
        snippet: hit.snippet,
        highlights: spans(hit.highlights),
        score: hit.score,
        flagged: hit.flagged,
    }
}

//! Pivots: from an observable to where it was seen, and with what.

use std::collections::{BTreeSet, HashMap};

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use model::{CaptureId, Grant, ObservableKind, Phase, Seq, Theme, ThemeId};
use utoipa::IntoParams;

use super::captures::summary;
use crate::{
    api::{CaptureSummary, Companion, Sightings},
    app::{Running, Shared},
    csv::{Format, Listed, Table},
    refusal::Refusal,
    request::{AtTheme, Parameters, refused},
};

/// The most captures on a page.
const MAX_LIMIT: usize = 100;

/// The most others that are told of.
const MAX_OTHERS: usize = 100;

/// Which observable.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SightingParameters {
    /// What it is, such as `btc` or `onion-v3`.
    #[param(value_type = String)]
    pub(super) kind: ObservableKind,
    /// The observable, in any way of writing it.
    pub(super) value: String,
    /// From this capture down: the `next` of the page before.
    #[param(value_type = Option<u64>)]
    from: Option<Seq>,
    /// How many captures at most; never more than 100.
    #[param(value_type = Option<usize>, default = 50)]
    limit: usize,
    /// `json`, or `csv` for a table of the captures.
    #[param(value_type = Option<String>, default = "json")]
    format: Format,
}

impl SightingParameters {
    pub(super) fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let given = Parameters::read(query, &["kind", "value", "from", "limit", "format"])?;
        Ok(Self {
            kind: given.one("kind")?.ok_or_else(|| refused("kind", "of which kind, such as btc or onion-v3?"))?,
            value: given.one("value")?.ok_or_else(|| refused("value", "which observable?"))?,
            from: given.one("from")?.map(Seq),
            limit: given.limit(50, MAX_LIMIT)?.max(1),
            format: given.one("format")?.unwrap_or_default(),
        })
    }
}

/// Where an observable was seen, and with which others
///
/// The normal form of what was asked for is part of the answer. Others are those of the captures on this page.
#[utoipa::path(
    get, path = "/themes/{theme}/observables", tag = "search", operation_id = "show_sightings",
    params(AtTheme, SightingParameters),
    responses((
        status = 200, description = "A page of captures.",
        content((Sightings = "application/json"), (String = "text/csv")),
    )),
)]
pub(crate) async fn sightings(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let wanted = SightingParameters::read(query.as_deref())?;
    let format = wanted.format;
    let read = move |running: &Running| {
        let grant = at.grant(&running.app, Phase::Analysis);
        let theme = running.theme(at.theme).ok_or(Refusal::NoTheme)?;
        found(running, &grant, &theme, &wanted)
    };
    running.blocking(read).await.map(|sightings| format.answer(&sightings))
}

/// Where the observable was seen in a theme.
pub(super) fn found(
    running: &Running,
    grant: &Grant,
    theme: &Theme,
    wanted: &SightingParameters,
) -> Result<Sightings, Refusal> {
    let normal = derive::normal_form(wanted.kind, &wanted.value, &theme.observables);
    let value = normal.unwrap_or_else(|| wanted.value.clone());
    let observable = (wanted.kind, value.as_str());
    let page = running.app.store.sightings(grant, theme.id, observable, wanted.from, wanted.limit)?;
    let shown = |seq: &Seq| shown(running, grant, theme.id, *seq);
    Ok(Sightings {
        first: page.first.as_ref().map(shown).transpose()?.flatten(),
        last: page.last.as_ref().map(shown).transpose()?.flatten(),
        captures: page.captures.iter().filter_map(|seq| shown(seq).transpose()).collect::<Result<_, _>>()?,
        next: page.next,
        others: others(running, grant, theme.id, observable, &page.captures)?,
        kind: wanted.kind,
        value,
    })
}

/// A capture; nothing where it was erased or sealed a moment ago.
fn shown(running: &Running, grant: &Grant, theme: ThemeId, seq: Seq) -> Result<Option<CaptureSummary>, Refusal> {
    let capture = running.app.store.capture_if_open(grant, CaptureId { theme, seq })?;
    Ok(capture.map(|capture| summary(theme, capture)))
}

/// What else the captures hold, the most frequent first.
fn others(
    running: &Running,
    grant: &Grant,
    theme: ThemeId,
    (kind, value): (ObservableKind, &str),
    captures: &[Seq],
) -> Result<Vec<Companion>, Refusal> {
    let mut counts: HashMap<(ObservableKind, String), u64> = HashMap::new();
    for seq in captures {
        let document = match running.app.store.document(grant, CaptureId { theme, seq: *seq }) {
            Err(error) if error.is_withheld() => None,
            read => read?,
        };
        let found = document.into_iter().flat_map(|document| document.observables);
        let each_once: BTreeSet<_> = found.map(|other| (other.kind, other.value)).collect();
        for other in each_once.into_iter().filter(|other| (other.0, other.1.as_str()) != (kind, value)) {
            *counts.entry(other).or_default() += 1;
        }
    }
    let mut others: Vec<Companion> =
        counts.into_iter().map(|((kind, value), captures)| Companion { kind, value, captures }).collect();
    others.sort_unstable_by(|a, b| (b.captures, a.kind, &a.value).cmp(&(a.captures, b.kind, &b.value)));
    others.truncate(MAX_OTHERS);
    Ok(others)
}

impl Listed for Sightings {
    const NAME: &'static str = "observable";

    fn table(&self) -> Table {
        let row = |capture: &CaptureSummary| {
            vec![
                self.kind.to_string(),
                self.value.clone(),
                capture.capture.to_string(),
                capture.started_at.to_string(),
                capture.target.to_string(),
                capture.uri.to_string(),
            ]
        };
        let columns = &["kind", "value", "capture", "started_at", "target", "uri"];
        Table { columns, rows: self.captures.iter().map(row).collect() }
    }

    fn next(&self) -> Option<String> {
        self.next.map(|seq| seq.to_string())
    }
}

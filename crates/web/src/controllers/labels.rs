//! Labels: what people think of versions, and how far they agree.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{RawQuery, State},
};
use model::{CaptureId, Grant, Label, Phase, ThemeId};
use utoipa::IntoParams;

use super::versions::version_of;
use crate::{
    api::{Agreement, LabelPair, Labelling, Labels, NewLabel, ThemeLabels},
    app::{Running, Shared},
    refusal::Refusal,
    request::{AtCapture, AtTheme, Body, Parameters, checked, refused},
};

/// The most labels on a page.
const MAX_LIMIT: usize = 1000;

/// The most versions that are named as differing.
const MAX_DIFFERING: usize = 100;

/// The longest note, in characters.
const MAX_NOTE: usize = 4000;

/// Which labels.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only this label.
    #[param(value_type = Option<String>)]
    label: Option<Label>,
    /// Only those about this indicator.
    indicator: Option<String>,
    /// Only those of this author.
    author: Option<String>,
    /// From this leaf down: the `next` of the page before.
    from: Option<u64>,
    /// How many at most; never more than 1000.
    #[param(value_type = Option<usize>, default = 50)]
    limit: usize,
}

/// Whose labels to compare.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AgreementParameters {
    /// One labeller.
    a: String,
    /// The other.
    b: String,
    /// Only labels about this indicator; absent: all.
    indicator: Option<String>,
}

/// The labels of the version that a capture belongs to
#[utoipa::path(
    get, path = "/themes/{theme}/versions/{seq}/labels", tag = "labels", operation_id = "show_labels", params(AtCapture),
    responses((status = 200, description = "The labels.", body = Labels)),
)]
pub(crate) async fn read(State(running): State<Shared>, at: AtCapture) -> Result<Json<Labels>, Refusal> {
    running.blocking(move |running| shown(running, &at)).await.map(Json)
}

/// Label a version, or take a label away
///
/// A label is its author's: another word of the same author on the same version and indicator takes the place of the one before, which stays in the
/// history. Whichever capture of the version the path names, the label is the version's.
#[utoipa::path(
    post, path = "/themes/{theme}/versions/{seq}/labels", tag = "labels", operation_id = "label_version", params(AtCapture),
    request_body = NewLabel,
    responses((status = 200, description = "The labels of the version.", body = Labels)),
)]
pub(crate) async fn label(
    State(running): State<Shared>,
    at: AtCapture,
    Body(new): Body<NewLabel>,
) -> Result<Json<Labels>, Refusal> {
    let indicator = new.indicator.as_deref().map(|name| checked("indicator", name)).transpose()?;
    if new.note.as_ref().is_some_and(|note| note.chars().count() > MAX_NOTE) {
        return Err(Refusal::Invalid { field: "note", problem: format!("is longer than {MAX_NOTE} characters") });
    }
    let label = move |running: &Running| {
        let (capture, version) = version_of(running, &at)?;
        let (grant, store) = (at.grant(&running.app), &running.app.store);
        if let Some(name) = &indicator {
            store.rule(&grant, at.theme, store::RuleKind::Indicator, name)?.ok_or(Refusal::NoRule)?;
        }
        let id = CaptureId { theme: at.theme, seq: version.first };
        let said = store::NewLabel {
            label: new.label,
            indicator: indicator.as_deref(),
            author: at.who.name(),
            note: new.note.as_deref(),
            at: running.app.clock.now(),
        };
        store.label_version(&grant, id, capture.uri.id(), &said)?;
        shown(running, &at)
    };
    running.blocking(label).await.map(Json)
}

/// The labels of a theme, the newest first
#[utoipa::path(
    get, path = "/themes/{theme}/labels", tag = "labels", operation_id = "list_labels", params(AtTheme, ListParameters),
    responses((status = 200, description = "The labels that stand.", body = ThemeLabels)),
)]
pub(crate) async fn list(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Json<ThemeLabels>, Refusal> {
    let given = Parameters::read(query.as_deref(), &["label", "indicator", "author", "from", "limit"])?;
    let wanted = ListParameters {
        label: given.one("label")?,
        indicator: given.one("indicator")?,
        author: given.one("author")?,
        from: given.one("from")?,
        limit: given.limit(50, MAX_LIMIT)?.max(1),
    };
    let list = move |running: &Running| {
        let grant = at.grant(&running.app, Phase::Analysis);
        let mut labels = present(running, &grant, at.theme)?;
        labels.retain(|labelling| {
            wanted.label.is_none_or(|label| labelling.label == Some(label))
                && (wanted.indicator.is_none() || labelling.indicator == wanted.indicator)
                && (wanted.author.is_none() || labelling.author == wanted.author)
        });
        labels.sort_unstable_by_key(|labelling| std::cmp::Reverse(labelling.leaf));
        let total = labels.len() as u64;
        labels.retain(|labelling| wanted.from.is_none_or(|from| labelling.leaf <= from));
        let next = labels.get(wanted.limit).map(|labelling| labelling.leaf);
        labels.truncate(wanted.limit);
        let store = &running.app.store;
        let mut shown = Vec::with_capacity(labels.len());
        for labelling in labels {
            // What is said of a page that is withheld is withheld with it.
            let id = CaptureId { theme: at.theme, seq: labelling.version };
            if store.capture_if_open(&grant, id)?.is_some() {
                shown.push(one(at.theme, labelling));
            }
        }
        Ok(ThemeLabels { total, labels: shown, next })
    };
    running.blocking(list).await.map(Json)
}

/// How far two labellers agree
///
/// Over the versions that both labelled, for the same indicator or as such.
#[utoipa::path(
    get, path = "/themes/{theme}/labels/agreement", tag = "labels", operation_id = "show_agreement",
    params(AtTheme, AgreementParameters),
    responses((status = 200, description = "Counts and Cohen's kappa.", body = Agreement)),
)]
pub(crate) async fn agreement(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Json<Agreement>, Refusal> {
    let given = Parameters::read(query.as_deref(), &["a", "b", "indicator"])?;
    let who = |name| given.one::<String>(name)?.ok_or_else(|| refused(name, "whose labels?"));
    let wanted = AgreementParameters { a: who("a")?, b: who("b")?, indicator: given.one("indicator")? };
    let compare = move |running: &Running| {
        let mut labels = present(running, &at.grant(&running.app, Phase::Analysis), at.theme)?;
        labels.retain(|labelling| wanted.indicator.is_none() || labelling.indicator == wanted.indicator);
        Ok(agree(at.theme, wanted.a, wanted.b, &labels))
    };
    running.blocking(compare).await.map(Json)
}

fn agree(theme: ThemeId, a: String, b: String, labels: &[store::Labelling]) -> Agreement {
    type Subject<'a> = (model::UriId, model::Seq, Option<&'a str>);
    let of = |author: &str| -> BTreeMap<Subject<'_>, Label> {
        let own = labels.iter().filter(|labelling| labelling.author.as_deref() == Some(author));
        own.filter_map(|own| Some(((own.uri, own.version, own.indicator.as_deref()), own.label?))).collect()
    };
    let (of_a, of_b) = (of(&a), of(&b));
    let mut counts: BTreeMap<(Label, Label), u64> = BTreeMap::new();
    let mut differing = Vec::new();
    for (subject, said_a) in &of_a {
        let Some(said_b) = of_b.get(subject) else { continue };
        *counts.entry((*said_a, *said_b)).or_default() += 1;
        if said_a != said_b && differing.len() < MAX_DIFFERING {
            differing.push(CaptureId { theme, seq: subject.1 });
        }
    }
    let both = counts.values().sum();
    let alike = counts.iter().filter(|((a, b), _)| a == b).map(|(_, count)| count).sum();
    Agreement {
        kappa: kappa(&counts, both, alike),
        pairs: counts.into_iter().map(|((a, b), count)| LabelPair { a, b, count }).collect(),
        a,
        b,
        both,
        alike,
        differing,
    }
}

/// Cohen's kappa; `None` where there is nothing to compare, or chance alone would make all alike.
#[expect(clippy::cast_precision_loss, reason = "counts of what people did")]
fn kappa(counts: &BTreeMap<(Label, Label), u64>, both: u64, alike: u64) -> Option<f64> {
    let sum = |of: &dyn Fn(&(Label, Label)) -> bool| -> u64 {
        counts.iter().filter(|(pair, _)| of(pair)).map(|(_, count)| count).sum()
    };
    let by_chance: u64 =
        Label::ALL.into_iter().map(|label| sum(&|pair| pair.0 == label) * sum(&|pair| pair.1 == label)).sum();
    let all = both as f64;
    let (observed, expected) = (alike as f64 / all, by_chance as f64 / (all * all));
    (both > 0 && expected < 1.0).then(|| (observed - expected) / (1.0 - expected))
}

/// The labels of the theme that stand.
pub(super) fn present(running: &Running, grant: &Grant, theme: ThemeId) -> Result<Vec<store::Labelling>, Refusal> {
    Ok(store::Labelling::present(running.app.store.all_labellings(grant, theme)?))
}

fn shown(running: &Running, at: &AtCapture) -> Result<Labels, Refusal> {
    let (capture, version) = version_of(running, at)?;
    let range = (version.first, version.last);
    let labellings = running.app.store.labellings(&at.grant(&running.app), at.theme, capture.uri.id(), range)?;
    let all = |labellings: Vec<store::Labelling>| labellings.into_iter().map(|said| one(at.theme, said)).collect();
    Ok(Labels { history: all(labellings.clone()), labels: all(store::Labelling::present(labellings)) })
}

fn one(theme: ThemeId, labelling: store::Labelling) -> Labelling {
    let store::Labelling { uri: _, version, leaf, at, label, indicator, author, note } = labelling;
    Labelling { version: CaptureId { theme, seq: version }, label, indicator, author, note, at, leaf }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(Label, Label, u64)], expect: Option<f64>) {
        let counts: BTreeMap<_, _> = pairs.iter().map(|(a, b, count)| ((*a, *b), *count)).collect();
        let both = counts.values().sum();
        let alike = pairs.iter().filter(|(a, b, _)| a == b).map(|(.., count)| count).sum();
        let found = kappa(&counts, both, alike);
        assert_eq!(found.map(|kappa| (kappa * 1e6).round() / 1e6), expect, "{pairs:?}");
    }

    /// The second is the example that Cohen's measure is usually taught with: 20, 5, 10 and 15 of 50.
    #[test]
    fn kappa_measures_what_chance_does_not_explain() {
        use Label::{NotRelevant, Relevant, Unsure};
        check(&[], None);
        check(
            &[
                (Relevant, Relevant, 20),
                (Relevant, NotRelevant, 5),
                (NotRelevant, Relevant, 10),
                (NotRelevant, NotRelevant, 15),
            ],
            Some(0.4),
        );
        check(&[(Relevant, Relevant, 3), (Unsure, Unsure, 1)], Some(1.0));
        check(&[(Relevant, Relevant, 7)], None);
        check(&[(Relevant, NotRelevant, 1), (NotRelevant, Relevant, 1)], Some(-1.0));
    }
}

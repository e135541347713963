//! What a query asks for that the index does not know: labels, what indicators flag, clusters of services, the normal forms of observables.

use std::collections::BTreeMap;

use model::{Grant, Label, ObservableKind, Seq, ServiceId, ThemeId};
use search::{Asked, Captures, Joined, Observed, Query, Sort};
use store::{CaptureFilter, Rule, RuleKind, RuleVersion, Scoring};

use crate::{app::Running, refusal::Refusal, request::refused};

/// Captures of a URI that are read at once.
const CHUNK: usize = 1_000;

/// What is joined, and up to where that is known.
pub(super) struct Joins {
    pub(super) joined: Joined,
    pub(super) reach: Seq,
}

/// What a query asks for, as of the acts with a leaf below `acts`, where it is answered as of `up_to` or less.
pub(super) fn read(
    running: &Running,
    theme: ThemeId,
    grant: &Grant,
    query: &Query,
    acts: u64,
    up_to: Seq,
) -> Result<Joins, Refusal> {
    let asked = query.asked()?;
    let mut joins = Joins { joined: Joined::default(), reach: Seq(u64::MAX) };
    for observed in asked.observables.iter().cloned() {
        let forms = forms(running, theme, &observed)?;
        joins.joined.observables.insert(observed, forms);
    }
    let mut scores = BTreeMap::new();
    for (name, version) in versions(running, theme, grant, &asked, acts)? {
        joins.reach = joins.reach.min(reach(running, theme, version)?);
        let mut captures = Captures::default();
        for flag in running.app.store.flags(grant, theme, version.leaf)? {
            let (seq, score) = flag?;
            captures.insert(seq);
            if query.sort == Sort::Score {
                let sum: &mut i64 = scores.entry(seq).or_default();
                *sum = sum.saturating_add(score);
            }
        }
        joins.joined.indicators.insert(name, captures);
    }
    joins.joined.scores = scores.into_iter().collect();
    if asked.every_label || !asked.labels.is_empty() {
        joins.joined.labels = labelled(running, theme, grant, &asked, acts, up_to.min(joins.reach))?;
    }
    if asked.clusters {
        joins.joined.clusters = clustered(running, theme, grant, up_to.min(joins.reach))?;
    }
    Ok(joins)
}

/// The captures up to `up_to` of each cluster as of then.
fn clustered(
    running: &Running,
    theme: ThemeId,
    grant: &Grant,
    up_to: Seq,
) -> Result<BTreeMap<String, Captures>, Refusal> {
    let store = &running.app.store;
    let found = derive::clusters(store, grant, theme, up_to)?;
    if found.is_cut {
        return Err(refused("facets", "there are too many services in this theme to count by clusters".to_owned()));
    }
    let mut clustered = BTreeMap::new();
    for cluster in found.clusters {
        let mut captures = Captures::default();
        for host in &cluster.hosts {
            for seq in store.pages_of(grant, theme, ServiceId::of(host), up_to)? {
                captures.insert(seq?);
            }
        }
        clustered.extend(cluster.hosts.into_iter().next().map(|first| (first, captures)));
    }
    Ok(clustered)
}

/// The versions of indicators that were in force.
fn versions(
    running: &Running,
    theme: ThemeId,
    grant: &Grant,
    asked: &Asked,
    acts: u64,
) -> Result<BTreeMap<String, RuleVersion>, Refusal> {
    let store = &running.app.store;
    let mut versions = BTreeMap::new();
    if asked.every_indicator {
        for rule in store.rules(grant, theme, RuleKind::Indicator)? {
            versions.extend(in_force(&rule, acts).map(|version| (rule.name, version)));
        }
    }
    for name in &asked.indicators {
        if !versions.contains_key(name) {
            let rule = store.rule(grant, theme, RuleKind::Indicator, name)?;
            let version = rule.and_then(|rule| in_force(&rule, acts)).ok_or(Refusal::NoRule)?;
            versions.insert(name.clone(), version);
        }
    }
    Ok(versions)
}

fn in_force(rule: &Rule, acts: u64) -> Option<RuleVersion> {
    let newest = rule.versions.iter().rev().find(|version| version.leaf < acts)?;
    Some(*newest).filter(|version| !version.is_removal)
}

/// Up to where captures were looked at for a version.
fn reach(running: &Running, theme: ThemeId, version: RuleVersion) -> Result<Seq, Refusal> {
    let done = match running.app.store.scoring(theme, version.leaf)? {
        Some(Scoring::Follows) => return Ok(Seq(u64::MAX)),
        Some(Scoring::UpTo(seq)) => seq,
        None => Seq(0),
    };
    // What comes behind its end is not for it.
    Ok(if version.until.is_some_and(|until| done >= until) { Seq(u64::MAX) } else { done })
}

/// The captures of all versions that bear each label, of those that begin at `up_to` or before. One that begins later may become part of an earlier one
/// when what is between them is erased.
fn labelled(
    running: &Running,
    theme: ThemeId,
    grant: &Grant,
    asked: &Asked,
    acts: u64,
    up_to: Seq,
) -> Result<BTreeMap<Label, Captures>, Refusal> {
    let store = &running.app.store;
    let mut labellings = store.all_labellings(grant, theme)?;
    labellings.retain(|said| said.leaf < acts && said.version <= up_to);
    let mut labelled: BTreeMap<Label, Captures> = BTreeMap::new();
    for said in store::Labelling::present(labellings) {
        let Some(label) = said.label.filter(|label| asked.every_label || asked.labels.contains(label)) else {
            continue;
        };
        // The version may begin elsewhere than it did when it was labelled; and it may be gone.
        let version = store.version_before(theme, said.uri, said.version)?;
        let Some(version) = version.filter(|version| version.last >= said.version) else { continue };
        let captures = labelled.entry(label).or_default();
        let mut after = Seq(version.first.0.saturating_sub(1));
        while after < version.last {
            let some = store.sequences(grant, theme, CaptureFilter::Uri(said.uri), after, CHUNK)?;
            let Some(last) = some.last() else { break };
            after = *last;
            captures.extend(some.into_iter().take_while(|seq| *seq <= version.last));
        }
    }
    Ok(labelled)
}

/// What an observable may be in the normal forms of the theme. What has none is looked for as it is written.
fn forms(running: &Running, theme: ThemeId, observed: &Observed) -> Result<Vec<(ObservableKind, String)>, Refusal> {
    let theme = running.theme(theme).ok_or(Refusal::NoTheme)?;
    let written = observed.value.as_deref().unwrap_or_default();
    let kinds = ObservableKind::ALL.into_iter().filter(|kind| observed.kind.is_none_or(|of| of == *kind));
    let form = |kind| derive::normal_form(kind, written, &theme.observables).unwrap_or_else(|| written.to_owned());
    Ok(kinds.map(|kind| (kind, form(kind))).collect())
}

//! Services that a person may want to watch too: addresses that watched services call their mirrors, and services that look like them. Nothing is
//! crawled for being listed here.

use std::collections::{BTreeMap, BTreeSet};

use model::{Grant, OnionAddress, Seq, ThemeId};
use store::{ElementKind, Error, Store};

use super::cluster::{Comparer, Pair};

/// Watched services that are looked at, and addresses that each of them calls mirrors.
const MOST_WATCHED: usize = 500;
const MOST_CALLED: usize = 200;

/// A service that may be added as a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its address.
    pub host: String,
    /// Who calls it a mirror: watched service, first and last capture that does.
    pub called_by: Vec<(String, Seq, Seq)>,
    /// Which watched services it is like; the watched one comes first.
    pub alike: Vec<Pair>,
    /// Why it is proposed, in sentences.
    pub because: Vec<String>,
}

/// What is proposed in a theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposals {
    /// The proposals, by host.
    pub proposals: Vec<Proposal>,
    /// Whether there is more to look at than was.
    pub is_cut: bool,
}

/// What is proposed in a theme: onion services of which a target's service says or shows that they are the same, and that belong to no target.
pub fn proposals(store: &Store, grant: &Grant, theme: ThemeId) -> Result<Proposals, Error> {
    let watched = watched(store, grant, theme)?;
    let mut comparer = Comparer::new(store, grant, theme);
    let mut proposals: BTreeMap<String, Proposal> = BTreeMap::new();
    let mut is_cut = watched.len() > MOST_WATCHED;
    for host in watched.iter().take(MOST_WATCHED) {
        let service = model::ServiceId::of(host);
        let called = store.elements(grant, theme, service, Some(ElementKind::CalledMirror), None, MOST_CALLED + 1)?;
        is_cut |= called.len() > MOST_CALLED;
        for element in called.into_iter().take(MOST_CALLED).filter(|element| is_new(&element.value, &watched)) {
            let proposal = proposals.entry(element.value.clone()).or_insert_with(|| Proposal::of(element.value));
            proposal.because.push(format!("{host} calls it a mirror, or names it in what it signs"));
            proposal.called_by.push((host.clone(), element.first, element.last));
        }
        let pairs = comparer.alike(service)?.into_iter().filter(|pair| pair.likeness.joins());
        for pair in pairs.filter(|pair| is_new(&pair.b, &watched)) {
            let proposal = proposals.entry(pair.b.clone()).or_insert_with(|| Proposal::of(pair.b.clone()));
            let (verdict, confidence) = (pair.likeness.verdict.as_str(), pair.likeness.confidence);
            proposal.because.push(format!("its pages are those of {host}: {verdict}, {confidence} %"));
            proposal.alike.push(pair);
        }
    }
    Ok(Proposals { proposals: proposals.into_values().collect(), is_cut })
}

impl Proposal {
    fn of(host: String) -> Self {
        Self { host, called_by: Vec::new(), alike: Vec::new(), because: Vec::new() }
    }
}

/// The services that somebody has proposed to watch, whatever became of it: they were thought of.
fn watched(store: &Store, grant: &Grant, theme: ThemeId) -> Result<BTreeSet<String>, Error> {
    let proposals = store.proposals(grant, theme, None)?;
    Ok(proposals.iter().flat_map(|proposal| proposal.matter.hosts()).collect())
}

fn is_new(host: &str, watched: &BTreeSet<String>) -> bool {
    OnionAddress::from_host(host).is_ok() && !watched.contains(host)
}

//! Which services of a theme are alike: candidates by what they share, each pair compared once, joined into clusters.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

use model::{Grant, Seq, ServiceId, ThemeId};
use store::{Error, Mark, Store};

use super::{
    likeness::{Likeness, alike_pages, likeness},
    picture::{GLANCE, Picture, WHOLE},
};

/// Services that share a mark beyond which it tells nothing: it is part of some software, or stands in everybody's list.
const MOST_SHARING: usize = 100;

/// Marks of one service that are followed.
const MOST_MARKS: usize = 600;

/// Services that one is compared with, those first with which it shares most. Of more mirrors each leads to others.
const MOST_CANDIDATES: usize = 16;

/// Pages that are not alike at a glance after which no more is looked at.
const ENOUGH: usize = 5;

/// Services of one cluster that are told.
const MOST_MEMBERS: usize = 100;

/// Services of a theme that are looked at.
const MOST_SERVICES: usize = 5000;

/// Pictures kept at hand, and glances, which are a tenth of one.
const MOST_PICTURES: usize = 64;
const MOST_GLANCES: usize = 512;

/// Two services with something in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The host of the first one.
    pub a: String,
    /// The host of the second one.
    pub b: String,
    /// How alike they are, and why.
    pub likeness: Likeness,
}

/// Services that are the same behind several addresses, or copies of each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cluster {
    /// Their hosts, in order.
    pub hosts: Vec<String>,
    /// The pairs that hold the cluster together.
    pub pairs: Vec<Pair>,
}

/// All clusters of a theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    /// The clusters, by their first hosts.
    pub clusters: Vec<Cluster>,
    /// Whether there are more services than were looked at.
    pub is_cut: bool,
}

/// What the service at `host` has in common with others: with which it forms a cluster, and with which it is related. Those first that are most
/// alike; the service itself is the first one of each pair.
pub fn alike(store: &Store, grant: &Grant, theme: ThemeId, host: &str) -> Result<Vec<Pair>, Error> {
    Comparer::new(store, grant, theme).alike(ServiceId::of(host))
}

/// The cluster of the service at `host`, itself included; of one service alone where no other is like it.
pub fn cluster_of(store: &Store, grant: &Grant, theme: ThemeId, host: &str) -> Result<Cluster, Error> {
    let mut comparer = Comparer::new(store, grant, theme);
    let mut hosts = BTreeSet::from([host.to_owned()]);
    let mut waiting = vec![host.to_owned()];
    let mut pairs: BTreeMap<(String, String), Pair> = BTreeMap::new();
    while let Some(host) = waiting.pop() {
        for pair in comparer.alike(ServiceId::of(&host))?.into_iter().filter(|pair| pair.likeness.joins()) {
            if hosts.len() < MOST_MEMBERS && hosts.insert(pair.b.clone()) {
                waiting.push(pair.b.clone());
            }
            let pair = ordered(pair);
            pairs.insert((pair.a.clone(), pair.b.clone()), pair);
        }
    }
    pairs.retain(|(a, b), _| hosts.contains(a) && hosts.contains(b));
    Ok(Cluster { hosts: hosts.into_iter().collect(), pairs: pairs.into_values().collect() })
}

/// All clusters of a theme that have more than one service, as of `up_to`: whatever was captured later has no part in them.
pub fn clusters(store: &Store, grant: &Grant, theme: ThemeId, up_to: Seq) -> Result<Clusters, Error> {
    let mut comparer = Comparer { up_to, ..Comparer::new(store, grant, theme) };
    let mut looked_at = 0;
    let mut is_cut = false;
    let mut pairs: BTreeMap<(String, String), Pair> = BTreeMap::new();
    for service in store.services(grant, theme, None, usize::MAX)? {
        if store.places(grant, theme, service, up_to, 0, 1)?.captures.is_empty() {
            continue;
        }
        if looked_at == MOST_SERVICES {
            is_cut = true;
            break;
        }
        looked_at += 1;
        for pair in comparer.alike(service)?.into_iter().filter(|pair| pair.likeness.joins()) {
            let pair = ordered(pair);
            pairs.insert((pair.a.clone(), pair.b.clone()), pair);
        }
    }
    Ok(Clusters { clusters: joined(pairs.into_values().collect()), is_cut })
}

/// The pair, its first host before its second.
fn ordered(pair: Pair) -> Pair {
    if pair.a <= pair.b { pair } else { Pair { a: pair.b, b: pair.a, likeness: pair.likeness.turned() } }
}

/// Joins pairs that have a service in common.
fn joined(pairs: Vec<Pair>) -> Vec<Cluster> {
    // Each host leads to another one of its cluster, and the last one to itself.
    let mut leads: BTreeMap<String, String> = BTreeMap::new();
    for pair in &pairs {
        let (a, b) = (root(&leads, &pair.a), root(&leads, &pair.b));
        let (first, second) = if a <= b { (a, b) } else { (b, a) };
        leads.insert(second, first.clone());
        leads.insert(first.clone(), first);
    }
    let mut clusters: BTreeMap<String, Cluster> = BTreeMap::new();
    for host in leads.keys() {
        let cluster = clusters.entry(root(&leads, host)).or_default();
        cluster.hosts.push(host.clone());
    }
    for pair in pairs {
        clusters.entry(root(&leads, &pair.a)).or_default().pairs.push(pair);
    }
    clusters.into_values().collect()
}

fn root(leads: &BTreeMap<String, String>, host: &str) -> String {
    let mut at = host;
    while let Some(next) = leads.get(at).filter(|next| next.as_str() != at) {
        at = next;
    }
    at.to_owned()
}

/// Compares services of a theme, each pair once.
pub(super) struct Comparer<'a> {
    store: &'a Store,
    grant: &'a Grant,
    theme: ThemeId,
    /// What was captured later is not looked at.
    up_to: Seq,
    glances: Pictures,
    pictures: Pictures,
    known: HashMap<(ServiceId, ServiceId), Option<Pair>>,
}

/// Pictures at hand.
type Pictures = HashMap<ServiceId, Option<Rc<Picture>>>;

/// A service that another may be like.
struct Candidate {
    service: ServiceId,
    /// How many marks both have.
    shares: usize,
    /// Whether keys, money or contacts are among them.
    is_tied: bool,
}

impl<'a> Comparer<'a> {
    pub(super) fn new(store: &'a Store, grant: &'a Grant, theme: ThemeId) -> Self {
        let (glances, pictures, known) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { store, grant, theme, up_to: Seq(u64::MAX), glances, pictures, known }
    }

    /// The services that have something in common with this one, those first that are most alike.
    pub(super) fn alike(&mut self, service: ServiceId) -> Result<Vec<Pair>, Error> {
        let mut pairs = Vec::new();
        for candidate in self.candidates(service)? {
            pairs.extend(self.pair(service, &candidate)?);
        }
        pairs.sort_by(|a, b| (b.likeness.confidence, &a.b).cmp(&(a.likeness.confidence, &b.b)));
        Ok(pairs)
    }

    /// The services that share most with this one.
    fn candidates(&mut self, service: ServiceId) -> Result<Vec<Candidate>, Error> {
        let Some(picture) = self.glance(service)? else { return Ok(Vec::new()) };
        let sketches = || picture.pages.iter().map(|page| &page.sketch);
        let content: BTreeSet<Mark> = sketches().flat_map(store::Sketch::marks_of_content).take(MOST_MARKS).collect();
        let ties: BTreeSet<Mark> = sketches().flat_map(store::Sketch::marks_of_ties).take(MOST_MARKS).collect();
        let mut candidates: BTreeMap<ServiceId, Candidate> = BTreeMap::new();
        for (mark, is_tie) in
            content.into_iter().map(|mark| (mark, false)).chain(ties.into_iter().map(|mark| (mark, true)))
        {
            let services = self.store.services_with(self.grant, self.theme, mark, self.up_to, MOST_SHARING + 1)?;
            if services.len() > MOST_SHARING {
                continue;
            }
            for other in services.into_iter().filter(|other| *other != service) {
                let new = || Candidate { service: other, shares: 0, is_tied: false };
                let candidate = candidates.entry(other).or_insert_with(new);
                candidate.shares += 1;
                candidate.is_tied |= is_tie;
            }
        }
        let mut candidates: Vec<Candidate> = candidates.into_values().collect();
        candidates.sort_by_key(|candidate| (Reverse(candidate.shares), candidate.service));
        candidates.truncate(MOST_CANDIDATES);
        Ok(candidates)
    }

    fn pair(&mut self, a: ServiceId, candidate: &Candidate) -> Result<Option<Pair>, Error> {
        let b = candidate.service;
        // Each pair is asked for from both sides at most.
        if let Some(known) = self.known.remove(&(b, a)) {
            let turned = |pair: Pair| Pair { a: pair.b, b: pair.a, likeness: pair.likeness.turned() };
            return Ok(known.map(turned));
        }
        let pair = if candidate.is_tied || self.is_worth_a_look(a, b)? { self.compared(a, b)? } else { None };
        // Whoever asks for more than one service asks for clusters, and what joins none is dropped there.
        self.known.insert((a, b), pair.clone().filter(|pair| pair.likeness.joins()));
        Ok(pair)
    }

    /// Whether two services are alike at a glance, or a glance shows too little to tell.
    fn is_worth_a_look(&mut self, a: ServiceId, b: ServiceId) -> Result<bool, Error> {
        let (Some(a), Some(b)) = (self.glance(a)?, self.glance(b)?) else { return Ok(false) };
        let (compared, alike) = alike_pages(&a, &b);
        Ok(alike > 0 || compared < ENOUGH)
    }

    fn compared(&mut self, a: ServiceId, b: ServiceId) -> Result<Option<Pair>, Error> {
        let (Some(a), Some(b)) = (self.picture(a)?, self.picture(b)?) else { return Ok(None) };
        Ok(likeness(&a, &b).map(|likeness| Pair { a: a.host.clone(), b: b.host.clone(), likeness }))
    }

    fn glance(&mut self, service: ServiceId) -> Result<Option<Rc<Picture>>, Error> {
        let read = || Picture::read(self.store, self.grant, self.theme, service, self.up_to, GLANCE);
        at_hand(&mut self.glances, MOST_GLANCES, service, read)
    }

    fn picture(&mut self, service: ServiceId) -> Result<Option<Rc<Picture>>, Error> {
        let read = || Picture::read(self.store, self.grant, self.theme, service, self.up_to, WHOLE);
        at_hand(&mut self.pictures, MOST_PICTURES, service, read)
    }
}

fn at_hand(
    pictures: &mut Pictures,
    most: usize,
    service: ServiceId,
    read: impl FnOnce() -> Result<Option<Picture>, Error>,
) -> Result<Option<Rc<Picture>>, Error> {
    if let Some(picture) = pictures.get(&service) {
        return Ok(picture.clone());
    }
    if pictures.len() >= most {
        pictures.clear();
    }
    let picture = read()?.map(Rc::new);
    pictures.insert(service, picture.clone());
    Ok(picture)
}

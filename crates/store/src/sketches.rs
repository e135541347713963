//! What pages show of the services that they are on: sketches, by which services are compared, and where each thing was seen on which service.

use std::collections::BTreeSet;

use model::{Digest, Grade, Grant, ObservableKind, PageKind, Price, Seq, ServiceId, ThemeId, Timestamp};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Store, codec,
    element::{Element, ElementKind},
    key::{Key, Reader},
    schema::Table,
    store::demand_content,
};

/// Captures of one element on one service that are counted; there may be more.
pub const MOST_COUNTED: usize = 1000;

/// What is kept of a page beside its document, so that services can be compared without reading all of them again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    /// The service: its onion address, or its domain.
    pub host: String,
    /// When the attempt began.
    pub seen: Timestamp,
    /// What the page is.
    pub kind: PageKind,
    /// Whether the page is the site's own, and not a wall, an error or empty: those look alike everywhere.
    pub is_content: bool,
    /// Path and query without what differs from load to load, the same on every mirror.
    pub place: Mark,
    /// The title in lower case, without what is no word.
    pub title: String,
    /// A 64-bit simhash of the words, without observables, figures and noise. Texts that differ little differ in few bits.
    pub text: u64,
    /// A 64-bit simhash of how the page is built, as its document tells. Pages of one template differ in few bits.
    pub shape: u64,
    /// The least hashes of runs of words: texts that share most of their words share at least one.
    pub runs: Vec<u64>,
    /// The item, where the page is about one.
    pub listing: Option<ListingSketch>,
    /// Who the page is about, where it is a seller's.
    pub vendor: Option<String>,
    /// What it shows, each once.
    pub observables: Vec<(ObservableKind, Grade, String)>,
    /// Which other services it names.
    pub mentions: Vec<Mention>,
}

/// An item of a market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingSketch {
    /// The title, as shown.
    pub title: String,
    /// Who offers it, as shown.
    pub vendor: Option<String>,
    /// What it costs.
    pub price: Option<Price>,
    /// What tells it from others, wherever it is seen.
    pub marks: Vec<Mark>,
}

/// Another service that a page names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mention {
    /// Its onion address.
    pub host: String,
    /// Whether the page calls it another address of its own service, or signs it.
    pub is_called_mirror: bool,
}

/// A thing that pages of several services may share; 16 bytes of a SHA-256 over what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(u128);

impl Mark {
    /// The mark of a thing of some sort. Parts never run together.
    pub fn of(sort: &str, parts: &[&str]) -> Self {
        let mut bytes = Vec::new();
        for part in [sort].iter().chain(parts) {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        let digest = Digest::of(&bytes);
        let (head, _) = digest.as_bytes().split_at(16);
        Self(head.iter().fold(0, |mark, byte| mark << 8 | u128::from(*byte)))
    }

    /// The mark of an observable.
    pub fn observable(kind: ObservableKind, value: &str) -> Self {
        Self::of("observable", &[kind.as_str(), value])
    }

    /// The mark of pages that name a service.
    pub fn mention(host: &str) -> Self {
        Self::of("mention", &[host])
    }

    /// The mark of a seller's own pages, by the folded name.
    pub fn vendor(name: &str) -> Self {
        Self::of("vendor", &[name])
    }

    /// The mark of sellers' own pages that show a verified key.
    pub fn vendor_key(fingerprint: &str) -> Self {
        Self::of("vendor-key", &[fingerprint])
    }

    fn run(hash: u64) -> Self {
        Self::of("run", &[&hash.to_string()])
    }

    fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

/// Words in lower case with one blank between them, so that names are equal however they are set.
pub fn folded(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

impl Sketch {
    /// The service.
    pub fn service(&self) -> ServiceId {
        ServiceId::of(&self.host)
    }

    /// Marks that pages of one site share, and hardly any others: by them the services are found that are worth comparing.
    pub fn marks_of_content(&self) -> BTreeSet<Mark> {
        let runs = self.runs.iter().map(|hash| Mark::run(*hash));
        let items = self.listing.iter().flat_map(|listing| listing.marks.iter().copied());
        if self.is_content { runs.chain(items).collect() } else { BTreeSet::new() }
    }

    /// Marks of what ties services together: keys, money, contacts.
    pub fn marks_of_ties(&self) -> BTreeSet<Mark> {
        let ties = self.observables.iter().filter(|(kind, grade, _)| is_tie(*kind) && *grade != Grade::ShapeOnly);
        ties.map(|(kind, _, value)| Mark::observable(*kind, value)).collect()
    }

    /// The verified keys on a seller's own page.
    pub fn vendor_keys(&self) -> impl Iterator<Item = &str> {
        let keys = self.observables.iter().filter(|(kind, grade, _)| {
            self.vendor.is_some() && *kind == ObservableKind::PgpFingerprint && *grade == Grade::Verified
        });
        keys.map(|(_, _, value)| value.as_str())
    }

    fn marks(&self) -> BTreeSet<Mark> {
        let mut marks = self.marks_of_content();
        marks.extend(self.marks_of_ties());
        marks.extend(self.vendor.iter().map(|name| Mark::vendor(&folded(name))));
        marks.extend(self.vendor_keys().map(Mark::vendor_key));
        marks.extend(self.mentions.iter().map(|mention| Mark::mention(&mention.host)));
        marks
    }

    fn elements(&self) -> impl Iterator<Item = (ElementKind, &str)> {
        let observables =
            self.observables.iter().map(|(kind, _, value)| (ElementKind::Observable(*kind), value.as_str()));
        let named = self.mentions.iter().map(|mention| (ElementKind::Mention, mention.host.as_str()));
        let called = self.mentions.iter().filter(|mention| mention.is_called_mirror);
        observables.chain(named).chain(called.map(|mention| (ElementKind::CalledMirror, mention.host.as_str())))
    }
}

/// Whether two services that both show such a thing have something to do with each other.
pub const fn is_tie(kind: ObservableKind) -> bool {
    use ObservableKind as Kind;
    !matches!(
        kind,
        Kind::OnionV3
            | Kind::OnionV2
            | Kind::I2p
            | Kind::Cve
            | Kind::Md5
            | Kind::Sha1
            | Kind::Sha256
            | Kind::Sha512
            | Kind::Ipv4
            | Kind::Ipv6
            | Kind::Domain
            | Kind::UserName
            | Kind::Url
    )
}

/// The places of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The captures of each place, newest first. Places come in an order that is the same on every mirror.
    pub captures: Vec<Vec<Seq>>,
    /// Whether there are more places.
    pub is_cut: bool,
}

impl Store {
    /// At most `limit` services of which a page was read, from `from` on when given; in an order that says nothing.
    pub fn services(
        &self,
        grant: &Grant,
        theme: ThemeId,
        from: Option<ServiceId>,
        limit: usize,
    ) -> Result<Vec<ServiceId>, Error> {
        demand_content(grant, theme)?;
        let from = from.map(|service| *service.as_bytes());
        let services = self.distinct::<16>(Table::PagesByService, &Key::theme(theme), from, limit, |_| true)?;
        Ok(services.into_iter().map(ServiceId::from_bytes).collect())
    }

    /// At most `limit` places of a service, each with at most `depth` of its captures, as of `up_to`.
    pub fn places(
        &self,
        grant: &Grant,
        theme: ThemeId,
        service: ServiceId,
        up_to: Seq,
        depth: usize,
        limit: usize,
    ) -> Result<Places, Error> {
        demand_content(grant, theme)?;
        let prefix = Key::theme(theme).service(service);
        let mut places = self.distinct::<16>(Table::PagesByService, &prefix, None, limit + 1, begins_by(up_to))?;
        let is_cut = places.len() > limit;
        places.truncate(limit);
        let captures =
            |place: [u8; 16]| self.newest_under(Table::PagesByService, &prefix.clone().with(&place), up_to, depth);
        Ok(Places { captures: places.into_iter().map(captures).collect::<Result<_, _>>()?, is_cut })
    }

    /// The captures up to `up_to` that show a page of a service, place by place.
    pub fn pages_of(
        &self,
        grant: &Grant,
        theme: ThemeId,
        service: ServiceId,
        up_to: Seq,
    ) -> Result<impl Iterator<Item = Result<Seq, Error>>, Error> {
        demand_content(grant, theme)?;
        let prefix = Key::theme(theme).service(service);
        let seq = move |row: Result<(Vec<u8>, Vec<u8>), Error>| {
            let (key, _) = row?;
            let rest = key.get(prefix.as_ref().len()..).map(Reader);
            let seq = rest.and_then(|mut rest| rest.take::<16>().and_then(|_| rest.seq()));
            seq.ok_or_else(|| Error::corrupt(Table::PagesByService, &key))
        };
        let rows = self.tables.scan(Table::PagesByService, &Key::theme(theme).service(service), None).map(seq);
        Ok(rows.filter(move |seq| seq.as_ref().is_ok_and(|seq| *seq <= up_to) || seq.is_err()))
    }

    /// The sketch of a capture's page, if it has one and may be seen.
    pub fn sketch(&self, grant: &Grant, theme: ThemeId, seq: Seq) -> Result<Option<Sketch>, Error> {
        demand_content(grant, theme)?;
        match self.demand_unsealed(grant, model::CaptureId { theme, seq }) {
            Err(error) if error.is_withheld() => Ok(None),
            seal => seal.and_then(|()| self.tables.get(Table::Sketches, &Key::theme(theme).seq(seq))),
        }
    }

    /// At most `limit` services that show what a mark is of, as of `up_to`.
    pub fn services_with(
        &self,
        grant: &Grant,
        theme: ThemeId,
        mark: Mark,
        up_to: Seq,
        limit: usize,
    ) -> Result<Vec<ServiceId>, Error> {
        demand_content(grant, theme)?;
        let prefix = Key::theme(theme).with(&mark.to_bytes());
        let services = self.distinct::<16>(Table::Traces, &prefix, None, limit, begins_by(up_to))?;
        Ok(services.into_iter().map(ServiceId::from_bytes).collect())
    }

    /// At most `limit` captures of a service that show what a mark is of, newest first.
    pub fn captures_with(
        &self,
        grant: &Grant,
        theme: ThemeId,
        mark: Mark,
        service: ServiceId,
        limit: usize,
    ) -> Result<Vec<Seq>, Error> {
        demand_content(grant, theme)?;
        let prefix = Key::theme(theme).with(&mark.to_bytes()).service(service);
        self.newest_under(Table::Traces, &prefix, Seq(u64::MAX), limit)
    }

    /// At most `limit` of what the pages of a service show, from an element on when given; of one kind only when given.
    pub fn elements(
        &self,
        grant: &Grant,
        theme: ThemeId,
        service: ServiceId,
        kind: Option<ElementKind>,
        from: Option<(ElementKind, &str)>,
        limit: usize,
    ) -> Result<Vec<Element>, Error> {
        demand_content(grant, theme)?;
        let all = Key::theme(theme).service(service);
        let within = kind.map_or_else(|| all.clone(), |kind| all.clone().with(&kind.to_bytes()));
        // Parts have one length, whether or not the kind is given.
        let parts: Vec<Vec<u8>> = if kind.is_some() {
            let from = from.map(|(_, value)| value_bytes(value));
            self.distinct::<16>(Table::ElementsByService, &within, from, limit, |_| true)?
                .iter()
                .map(|part| part.to_vec())
                .collect()
        } else {
            let from = from.map(|(kind, value)| element_bytes(kind, value));
            self.distinct::<32>(Table::ElementsByService, &within, from, limit, |_| true)?
                .iter()
                .map(|part| part.to_vec())
                .collect()
        };
        parts.iter().map(|part| self.element(&within.clone().with(part))).collect()
    }

    /// The element whose rows begin so.
    fn element(&self, prefix: &Key) -> Result<Element, Error> {
        let table = Table::ElementsByService;
        let mut rows = self.tables.scan(table, prefix, None);
        let damaged = || Error::corrupt(table, prefix.as_ref());
        let (key, value) = rows.next().ok_or_else(damaged)??;
        let seq = |key: &[u8]| key.get(prefix.as_ref().len()..).and_then(|rest| Reader(rest).seq()).ok_or_else(damaged);
        let first = seq(&key)?;
        let (kind, value): (ElementKind, String) = codec::decode(table, &key, &value)?;
        let captures = rows.take(MOST_COUNTED - 1).try_fold(1, |count, row| row.map(|_| count + 1))?;
        let last = self.newest_under(table, prefix, Seq(u64::MAX), 1)?.first().copied().ok_or_else(damaged)?;
        Ok(Element { kind, value, captures, first, last })
    }

    /// Adds the sketch of a capture to a batch, and where what it shows was seen.
    pub(crate) fn put_sketch(&self, batch: &mut WriteBatch, theme: ThemeId, seq: Seq, sketch: &Sketch) {
        self.tables.put(batch, Table::Sketches, &Key::theme(theme).seq(seq), sketch);
        for (table, key, value) in rows(theme, seq, sketch) {
            batch.put_cf(self.tables.family(table), key, value);
        }
    }

    /// Adds to a batch that a capture has no sketch.
    pub(crate) fn forget_sketch(&self, batch: &mut WriteBatch, theme: ThemeId, seq: Seq) -> Result<(), Error> {
        let key = Key::theme(theme).seq(seq);
        let Some(row) = self.tables.get_raw(Table::Sketches, &key)? else { return Ok(()) };
        // A damaged one goes like the others; what it showed stays, and leads to nothing.
        if let Ok(sketch) = codec::decode(Table::Sketches, key.as_ref(), &row) {
            for (table, key, _) in rows(theme, seq, &sketch) {
                batch.delete_cf(self.tables.family(table), key);
            }
        }
        batch.delete_cf(self.tables.family(Table::Sketches), &key);
        Ok(())
    }

    /// The different parts of `N` bytes that follow `prefix` in the keys of a table, in order; one look each, however many rows there are. Those alone
    /// count of whose first key the rest is wanted.
    fn distinct<const N: usize>(
        &self,
        table: Table,
        prefix: &Key,
        from: Option<[u8; N]>,
        limit: usize,
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<[u8; N]>, Error> {
        let mut found = Vec::new();
        let mut next = Some(from.unwrap_or([0; N]));
        while let Some(at) = next.filter(|_| found.len() < limit) {
            let Some(row) = self.tables.scan(table, prefix, Some(&prefix.clone().with(&at))).next() else { break };
            let (key, _) = row?;
            let parts = key.get(prefix.as_ref().len()..).and_then(<[u8]>::split_first_chunk::<N>);
            let (part, rest) = parts.ok_or_else(|| Error::corrupt(table, &key))?;
            let part = *part;
            if is_wanted(rest) {
                found.push(part);
            }
            next = successor(part);
        }
        Ok(found)
    }

    /// The sequences up to `up_to` that end the keys under a prefix, newest first.
    fn newest_under(&self, table: Table, prefix: &Key, up_to: Seq, limit: usize) -> Result<Vec<Seq>, Error> {
        let read = |row: Result<(Vec<u8>, Vec<u8>), Error>| {
            let (key, _) = row?;
            let seq = key.get(prefix.as_ref().len()..).and_then(|rest| Reader(rest).seq());
            seq.ok_or_else(|| Error::corrupt(table, &key))
        };
        self.tables.scan_back(table, prefix, Some(&prefix.clone().seq(up_to))).take(limit).map(read).collect()
    }
}

/// Whether rows that end with sequences, of which this is the first one's, begin by then.
fn begins_by(up_to: Seq) -> impl Fn(&[u8]) -> bool {
    move |rest| Reader(rest).seq().is_none_or(|first| first <= up_to)
}

/// The next part of the same length, if there is one.
fn successor<const N: usize>(mut part: [u8; N]) -> Option<[u8; N]> {
    for byte in part.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return Some(part);
        }
    }
    None
}

/// Every row that a sketch has beside its own.
fn rows(theme: ThemeId, seq: Seq, sketch: &Sketch) -> Vec<(Table, Key, Vec<u8>)> {
    let service = sketch.service();
    let of_service = || Key::theme(theme).service(service);
    let mut rows = vec![(Table::PagesByService, of_service().with(&sketch.place.to_bytes()).seq(seq), Vec::new())];
    for (kind, value) in sketch.elements() {
        let key = of_service().with(&element_bytes(kind, value)).seq(seq);
        rows.push((Table::ElementsByService, key, codec::encode(&(kind, value))));
    }
    for mark in sketch.marks() {
        rows.push((Table::Traces, Key::theme(theme).with(&mark.to_bytes()).service(service).seq(seq), Vec::new()));
    }
    rows
}

fn element_bytes(kind: ElementKind, value: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (head, tail) = bytes.split_at_mut(16);
    head.copy_from_slice(&kind.to_bytes());
    tail.copy_from_slice(&value_bytes(value));
    bytes
}

fn value_bytes(value: &str) -> [u8; 16] {
    Mark::of("value", &[value]).to_bytes()
}

#[cfg(test)]
mod tests;

//! Observables: what in a text leads to a person, a service or money.
//!
//! Each family is looked for by itself, over the same words; what they find is then weighed against each other. Of two findings that overlap one
//! stays: a checksum that holds beats all else, then come URLs and addresses, then what a label says, then a plausible telephone number, then mere
//! shapes; the longer beats the shorter. So the host of a URL or of an e-mail address is no domain by itself, and a number inside a URL is no telephone
//! number. Some findings stay *within* another, because they are what services and persons are tied together by: services of Tor and I2P and
//! addresses of coins in URLs and e-mail addresses, and the handle that a URL such as `t.me/name` leads to. `OpenPGP` armour holds its keys and nothing else.

mod codes;
mod coins;
mod digits;
mod handles;
mod hosts;
mod ips;
mod mail;
mod names;
mod pgp;
mod phones;
mod words;

use std::{cmp::Reverse, collections::BTreeMap, ops::Range};

use model::{Grade, Observable, ObservableKind, ObservableSettings, PgpKey};

use self::words::Words;
pub(crate) use self::words::offset;

/// The observables in a text as they begin, the outer before the inner, each as often as it stands there.
///
/// Pure and total; takes time linear in the text (and what sorting the findings takes), and tells of each family the first 50,000. What
/// `settings` do not list never leaves here, and does not let another finding appear in its place either.
pub fn observables(text: &str, settings: &ObservableSettings) -> Vec<Observable> {
    // Offsets are of 32 bits.
    let text = text.get(..text.floor_char_boundary(u32::MAX as usize)).unwrap_or(text);
    let mut found = Finds::default();
    let armour = pgp::find(text, &mut found);
    let words = Words::new(text, &armour);
    names::find(&words, found.more());
    coins::find(&words, found.more());
    codes::find(&words, found.more());
    digits::find(&words, settings.whole_cards, found.more());
    phones::find(&words, &settings.regions, found.more());
    handles::find(&words, &settings.regions, found.more());
    let mut kept: Vec<Observable> = without_overlaps(found.all)
        .into_iter()
        .filter(|found| settings.kinds.contains(&found.kind))
        .map(Found::into_observable)
        .collect();
    kept.sort_by(|a, b| place(a).cmp(&place(b)));
    kept.dedup();
    kept
}

/// Observables in one order with others of the same text.
pub(crate) fn merged(mut observables: Vec<Observable>, others: Vec<Observable>) -> Vec<Observable> {
    if !others.is_empty() {
        observables.extend(others);
        observables.sort_by(|a, b| place(a).cmp(&place(b)));
    }
    observables
}

/// The order of observables: as they begin, the longer first.
fn place(found: &Observable) -> (u32, Reverse<u32>, ObservableKind, &str) {
    (found.at.start, Reverse(found.at.end), found.kind, &found.value)
}

/// What was found: of each family the first [`MOST`], so that a hostile text costs bounded memory.
#[derive(Debug, Default)]
struct Finds {
    all: Vec<Found>,
    /// Where the family began that is looked for now.
    family: usize,
}

/// Findings of one family.
const MOST: usize = 50_000;

impl Finds {
    /// Room for another family.
    fn more(&mut self) -> &mut Self {
        self.family = self.all.len();
        self
    }

    fn push(&mut self, found: Found) {
        if self.all.len() - self.family < MOST {
            self.all.push(found);
        }
    }

    fn extend(&mut self, found: impl IntoIterator<Item = Found>) {
        found.into_iter().for_each(|found| self.push(found));
    }
}

/// An observable before it is weighed against others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    kind: ObservableKind,
    grade: Grade,
    at: Range<usize>,
    value: String,
    key: Option<Box<PgpKey>>,
    /// Whether it stays within a URL, an address or another finding of the same place.
    may_nest: bool,
}

impl Found {
    fn new(kind: ObservableKind, grade: Grade, at: Range<usize>, value: String) -> Self {
        Self { kind, grade, at, value, key: None, may_nest: false }
    }

    /// One that stays within another.
    fn within(kind: ObservableKind, grade: Grade, at: Range<usize>, value: String) -> Self {
        Self { may_nest: true, ..Self::new(kind, grade, at, value) }
    }

    fn weight(&self) -> u8 {
        match (self.grade, self.kind) {
            (_, ObservableKind::PgpFingerprint) if self.key.is_some() => 6,
            (_, ObservableKind::Url | ObservableKind::Email | ObservableKind::Xmpp) => 4,
            (Grade::Verified, ObservableKind::Phone | ObservableKind::Ipv6) => 2,
            (Grade::Verified, _) => 5,
            (Grade::Contextual, _) => 3,
            (Grade::ShapeOnly, _) => 1,
        }
    }

    /// Whether both stay although they overlap.
    fn stands_with(&self, other: &Self) -> bool {
        let is_number = |kind| {
            matches!(
                kind,
                ObservableKind::Phone | ObservableKind::Whatsapp | ObservableKind::Signal | ObservableKind::Telegram
            )
        };
        let nests = |inner: &Self, outer: &Self| {
            inner.may_nest && outer.may_hold() && inner.kind != ObservableKind::Phone && contains(&outer.at, &inner.at)
        };
        nests(self, other)
            || nests(other, self)
            // Who is on WhatsApp by a number has the number as well.
            || (self.kind != other.kind && is_number(self.kind) && is_number(other.kind) && self.may_nest && other.may_nest)
            // `Wickr / Telegram: name`
            || (self.kind != other.kind && self.at == other.at && self.grade == Grade::Contextual && other.grade == Grade::Contextual)
            || (self.key.is_some() && other.key.is_some())
    }

    /// Whether others may stay within it.
    fn may_hold(&self) -> bool {
        matches!(self.kind, ObservableKind::Url | ObservableKind::Email | ObservableKind::Xmpp)
    }

    fn into_observable(self) -> Observable {
        let at = offset(self.at.start)..offset(self.at.end);
        Observable { kind: self.kind, grade: self.grade, value: self.value, at, key: self.key }
    }
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The findings that stay, the weightiest and longest first.
fn without_overlaps(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|found| (Reverse(found.weight()), Reverse(found.at.len()), found.at.start, found.kind));
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    // Those of one map do not overlap but where they begin, so that a look at the last ones tells.
    let (mut outer, mut inner) = (BTreeMap::new(), BTreeMap::new());
    for candidate in found {
        if !clashes(&candidate, &outer, &kept) && !clashes(&candidate, &inner, &kept) {
            let places = if candidate.may_hold() { &mut outer } else { &mut inner };
            places.entry(candidate.at.start).or_insert_with(Vec::new).push(kept.len());
            kept.push(candidate);
        }
    }
    kept
}

/// Whether a candidate may not stay because of one that was kept, by where they begin.
fn clashes(candidate: &Found, places: &BTreeMap<usize, Vec<usize>>, kept: &[Found]) -> bool {
    let overlaps = |other: &&Found| other.at.start < candidate.at.end && candidate.at.start < other.at.end;
    let before = places.range(..candidate.at.end).rev();
    before
        .map(|(_, at)| at.iter().filter_map(|&at| kept.get(at)).filter(overlaps).collect::<Vec<_>>())
        .take_while(|others| !others.is_empty())
        .flatten()
        .any(|other| !candidate.stands_with(other))
}

#[cfg(test)]
mod tests;

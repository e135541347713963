use std::collections::{BTreeMap, BTreeSet};

use model::{Label, ObservableKind, Seq};

use crate::query::Clause;

/// A set of captures of a theme, a bit for each sequence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captures {
    blocks: Vec<u64>,
}

/// An observable as a query names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observed {
    /// Of which kind; any where it is not said.
    pub kind: Option<ObservableKind>,
    /// The observable, in whatever way it was written; any of the kind where it is not said.
    pub value: Option<String>,
}

/// What a query asks for that the index does not know itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// These labels.
    pub labels: BTreeSet<Label>,
    /// Whether it counts by every label.
    pub every_label: bool,
    /// These indicators.
    pub indicators: BTreeSet<String>,
    /// Whether it counts or sorts by every indicator.
    pub every_indicator: bool,
    /// Whether it counts by clusters of services.
    pub clusters: bool,
    /// The normal forms of these observables.
    pub observables: BTreeSet<Observed>,
}

/// What the index does not know itself, as of the query's generation. What is not in it is on no capture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Joined {
    /// The captures that bear each label.
    pub labels: BTreeMap<Label, Captures>,
    /// The captures that each indicator flags.
    pub indicators: BTreeMap<String, Captures>,
    /// The captures of each cluster's services, by its first host.
    pub clusters: BTreeMap<String, Captures>,
    /// The sum of the scores of all indicators, by capture, in order; for sorting by it.
    pub scores: Vec<(Seq, i64)>,
    /// The normal forms of observables: each of these is looked for.
    pub observables: BTreeMap<Observed, Vec<(ObservableKind, String)>>,
}

impl Captures {
    /// Whether a capture is among them.
    pub fn contains(&self, seq: Seq) -> bool {
        self.blocks.get(place(seq).0).is_some_and(|block| block & place(seq).1 != 0)
    }

    /// Adds a capture.
    pub fn insert(&mut self, seq: Seq) {
        let (block, bit) = place(seq);
        if self.blocks.len() <= block {
            self.blocks.resize(block + 1, 0);
        }
        if let Some(block) = self.blocks.get_mut(block) {
            *block |= bit;
        }
    }

    /// How many of them are in another set too.
    pub(crate) fn count_with(&self, other: &Self) -> u64 {
        self.blocks.iter().zip(&other.blocks).map(|(a, b)| u64::from((a & b).count_ones())).sum()
    }
}

impl FromIterator<Seq> for Captures {
    fn from_iter<I: IntoIterator<Item = Seq>>(captures: I) -> Self {
        let mut set = Self::default();
        captures.into_iter().for_each(|seq| set.insert(seq));
        set
    }
}

impl Extend<Seq> for Captures {
    fn extend<I: IntoIterator<Item = Seq>>(&mut self, captures: I) {
        captures.into_iter().for_each(|seq| self.insert(seq));
    }
}

/// The block and the bit of a capture.
fn place(seq: Seq) -> (usize, u64) {
    (usize::try_from(seq.0 / u64::from(u64::BITS)).unwrap_or(usize::MAX - 1), 1 << (seq.0 % u64::from(u64::BITS)))
}

impl Asked {
    /// Adds what a clause asks for.
    pub(crate) fn take_in(&mut self, clause: &Clause) {
        match clause {
            Clause::All(clauses) | Clause::Any(clauses) => clauses.iter().for_each(|clause| self.take_in(clause)),
            Clause::Not(clause) => self.take_in(clause),
            Clause::Label(label) => _ = self.labels.insert(*label),
            Clause::Indicator(name) => _ = self.indicators.insert(name.clone()),
            Clause::Observable(observed) if observed.value.is_some() => _ = self.observables.insert(observed.clone()),
            _ => {}
        }
    }
}

impl Joined {
    /// The score of a capture.
    pub(crate) fn score(&self, seq: Seq) -> i64 {
        let at = self.scores.binary_search_by_key(&seq, |(of, _)| *of);
        at.ok().and_then(|at| self.scores.get(at)).map_or(0, |(_, score)| *score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn captures_are_a_set(of in proptest::collection::btree_set(0..300_u64, 0..40), and in proptest::collection::btree_set(0..300_u64, 0..40)) {
            let set = |of: &BTreeSet<u64>| of.iter().copied().map(Seq).collect::<Captures>();
            for seq in 0..400 {
                proptest::prop_assert_eq!(set(&of).contains(Seq(seq)), of.contains(&seq));
            }
            proptest::prop_assert_eq!(set(&of).count_with(&set(&and)), of.intersection(&and).count() as u64);
        }
    }
}

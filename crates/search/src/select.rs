use std::cmp::Reverse;

use model::{Seq, Timestamp};
use tantivy::{DocAddress, DocId, columnar::Column};

use crate::{
    Error, columns,
    matching::{Documents, Matcher},
    query::Sort,
    relevance::Relevance,
    schema::{AMOUNT, CAPTURED_AT, CURRENCY},
    segment::Segment,
};

/// The place of an entry in the order of an answer: the greater, the further in front. No two entries share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) key: u128,
    pub(crate) tie: u64,
}

/// The key of the cheapest there could be.
const CHEAPEST: u128 = u128::MAX;

impl Rank {
    /// The relevance of an entry that is ranked by it.
    pub(crate) fn relevance(self) -> f64 {
        f64::from_bits(u64::try_from(self.key).unwrap_or_default())
    }
}

/// The key by relevance, which is not negative: the order of such numbers is the order of their bits (IEEE 754).
fn by_relevance(relevance: f64) -> u128 {
    relevance.to_bits().into()
}

/// The key by a number that may be negative.
fn by_number(number: i64) -> u128 {
    u64::from_be_bytes(Timestamp::from_micros(number).to_ordered_bytes()).into()
}

/// The key by currency, and within it by amount; 0 where there is no price.
fn by_price(currency: Option<u64>, amount: Option<u64>) -> u128 {
    let price = currency.zip(amount).map(|(currency, amount)| u128::from(currency) << 64 | u128::from(amount));
    price.map_or(0, |price| CHEAPEST - price)
}

/// What of all matches is asked for.
pub(crate) struct Selector<'a> {
    pub(crate) segments: &'a [Segment<'a>],
    /// The matches, segment by segment.
    pub(crate) found: &'a [Documents],
    pub(crate) matcher: &'a Matcher<'a>,
    /// `None` where hits are in another order.
    pub(crate) relevance: Option<&'a Relevance>,
    pub(crate) sort: Sort,
    pub(crate) after: Option<Rank>,
    pub(crate) limit: usize,
}

/// The first entries behind the cursor, and what is known of the rest.
pub(crate) struct Selection {
    /// In order.
    pub(crate) chosen: Vec<(Rank, DocAddress)>,
    /// Whether there are more behind the chosen ones.
    pub(crate) has_more: bool,
}

impl Selector<'_> {
    pub(crate) fn run(&self) -> Result<Selection, Error> {
        let mut best = Best::of(self.limit, self.after);
        for (segment, found) in self.segments.iter().zip(self.found) {
            if self.limit == 0 || found.is_empty() {
                continue;
            }
            let mut offer = |id: DocId, key: u128| {
                let tie = || {
                    if self.sort == Sort::Oldest {
                        !segment.sequences.get_val(id)
                    } else {
                        segment.sequences.get_val(id)
                    }
                };
                best.offer(key, tie, DocAddress::new(segment.number, id));
            };
            let reader = segment.reader;
            match self.sort {
                Sort::Relevance => match self.relevance {
                    Some(relevance) => {
                        let scorer = relevance.in_segment(segment, self.matcher)?;
                        scorer.each(found, |id, score| offer(id, by_relevance(score)));
                    }
                    None => found.iter().for_each(|id| offer(id, by_relevance(0.0))),
                },
                Sort::Newest => {
                    let times = columns::numbers::<i64>(reader, CAPTURED_AT)?;
                    columns::each(&*times, found, |id, time| offer(id, by_number(time)));
                }
                Sort::Oldest => {
                    let times = columns::numbers::<i64>(reader, CAPTURED_AT)?;
                    columns::each(&*times, found, |id, time| offer(id, !by_number(time)));
                }
                Sort::Price => {
                    let column = |field| reader.fast_fields().column_opt::<u64>(field);
                    let (currencies, amounts) = (column(CURRENCY)?, column(AMOUNT)?);
                    let first = |column: &Option<Column<u64>>, id| column.as_ref()?.first(id);
                    found.iter().for_each(|id| offer(id, by_price(first(&currencies, id), first(&amounts, id))));
                }
                Sort::Score => columns::each(&*segment.sequences, found, |id, seq| {
                    offer(id, by_number(self.matcher.joined.score(Seq(seq))));
                }),
            }
        }
        Ok(best.into_selection())
    }
}

/// The best `limit` entries behind `after`, and one more that tells whether there are more.
///
/// Entries are gathered until there are some too many, and then the worst are dropped at once: each costs the same, also where they come with the worst
/// first, as those do that are sorted by time.
struct Best {
    limit: usize,
    after: Option<Rank>,
    gathered: Vec<(Rank, DocAddress)>,
    /// What is not better than this is none of the best.
    least: Option<Rank>,
}

/// How many entries too many are gathered at least.
const SLACK: usize = 256;

impl Best {
    fn of(limit: usize, after: Option<Rank>) -> Self {
        Self { limit, after, gathered: Vec::new(), least: None }
    }

    /// Takes an entry in; what ties are broken by is read only where the entry may be among the best.
    fn offer(&mut self, key: u128, tie: impl FnOnce() -> u64, address: DocAddress) {
        if self.least.is_some_and(|least| key < least.key) {
            return;
        }
        let rank = Rank { key, tie: tie() };
        if self.after.is_some_and(|after| rank >= after) || self.least.is_some_and(|least| rank < least) {
            return;
        }
        self.gathered.push((rank, address));
        if self.gathered.len() > self.limit + 1 + SLACK.max(self.limit) {
            self.drop_worst();
        }
    }

    fn drop_worst(&mut self) {
        let (_, least, _) = self.gathered.select_nth_unstable_by_key(self.limit, |(rank, _)| Reverse(*rank));
        self.least = Some(least.0);
        self.gathered.truncate(self.limit + 1);
    }

    fn into_selection(self) -> Selection {
        let mut chosen = self.gathered;
        chosen.sort_unstable_by_key(|(rank, _)| Reverse(*rank));
        let has_more = chosen.len() > self.limit;
        chosen.truncate(self.limit);
        Selection { chosen, has_more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_best_are_those_of_all_in_order(
            keys in proptest::collection::vec(0..40_u128, 0..1500),
            limit in 0..5_usize,
            after in proptest::option::of((0..40_u128, 0..1500_u64)),
        ) {
            let after = after.map(|(key, tie)| Rank { key, tie });
            let mut best = Best::of(limit, after);
            let mut all = Vec::new();
            for (&key, tie) in keys.iter().zip(0..) {
                let address = DocAddress::new(0, tie);
                best.offer(key, || tie.into(), address);
                all.push((Rank { key, tie: tie.into() }, address));
            }
            all.retain(|(rank, _)| after.is_none_or(|after| *rank < after));
            all.sort_unstable_by_key(|(rank, _)| Reverse(*rank));
            let selection = best.into_selection();
            proptest::prop_assert_eq!(selection.has_more, all.len() > limit);
            all.truncate(limit);
            proptest::prop_assert_eq!(selection.chosen, all);
        }
    }
}

use std::{cmp::Reverse, collections::BinaryHeap};

use model::{Seq, Timestamp};
use tantivy::{DocAddress, DocId};

use crate::{
    Error,
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
    /// The rank by relevance, which is not negative: the order of such numbers is the order of their bits (IEEE 754).
    fn by_relevance(relevance: f64, seq: u64) -> Self {
        Self { key: relevance.to_bits().into(), tie: seq }
    }

    fn by_time(captured_at: i64, seq: u64) -> Self {
        Self { key: u64::from_be_bytes(Timestamp::from_micros(captured_at).to_ordered_bytes()).into(), tie: seq }
    }

    /// The rank by currency, and within it by amount; 0 where there is no price.
    fn by_price(currency: Option<u64>, amount: Option<u64>, seq: u64) -> Self {
        let price = currency.zip(amount).map(|(currency, amount)| u128::from(currency) << 64 | u128::from(amount));
        Self { key: price.map_or(0, |price| CHEAPEST - price), tie: seq }
    }

    fn by_score(score: i64, seq: u64) -> Self {
        Self { key: u64::from_be_bytes(Timestamp::from_micros(score).to_ordered_bytes()).into(), tie: seq }
    }

    const fn reversed(self) -> Self {
        Self { key: !self.key, tie: !self.tie }
    }

    /// The relevance of an entry that is ranked by it.
    pub(crate) fn relevance(self) -> f64 {
        f64::from_bits(u64::try_from(self.key).unwrap_or_default())
    }
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
        let mut best = Best { limit: self.limit, after: self.after, heap: BinaryHeap::new() };
        for (segment, found) in self.segments.iter().zip(self.found) {
            if self.limit == 0 || found.is_empty() {
                continue;
            }
            let fast = segment.reader.fast_fields();
            let times = fast.column_first_or_default::<i64>(CAPTURED_AT)?;
            let number_of = |field| if self.sort == Sort::Price { fast.column_opt::<u64>(field) } else { Ok(None) };
            let (currencies, amounts) = (number_of(CURRENCY)?, number_of(AMOUNT)?);
            let ready = |relevance: &Relevance| relevance.in_segment(segment, self.matcher);
            let mut scorer = self.relevance.map(ready).transpose()?;
            let mut rank = |id: DocId, seq: u64| match self.sort {
                Sort::Relevance => Rank::by_relevance(scorer.as_mut().map_or(0.0, |scorer| scorer.score(id)), seq),
                Sort::Newest => Rank::by_time(times.get_val(id), seq),
                Sort::Oldest => Rank::by_time(times.get_val(id), seq).reversed(),
                Sort::Price => {
                    let first = |column: &Option<tantivy::columnar::Column<u64>>| column.as_ref()?.first(id);
                    Rank::by_price(first(&currencies), first(&amounts), seq)
                }
                Sort::Score => Rank::by_score(self.matcher.joined.score(Seq(seq)), seq),
            };
            for id in found.iter() {
                best.offer(rank(id, segment.sequences.get_val(id)), DocAddress::new(segment.number, id));
            }
        }
        Ok(best.into_selection())
    }
}

/// The best `limit` entries behind `after`, and one more that tells whether there are more.
struct Best {
    limit: usize,
    after: Option<Rank>,
    heap: BinaryHeap<Reverse<(Rank, DocAddress)>>,
}

impl Best {
    fn offer(&mut self, rank: Rank, address: DocAddress) {
        if self.after.is_some_and(|after| rank >= after) {
            return;
        }
        let is_full = self.heap.len() > self.limit;
        if is_full && self.heap.peek().is_some_and(|Reverse((worst, _))| rank < *worst) {
            return;
        }
        self.heap.push(Reverse((rank, address)));
        if is_full {
            self.heap.pop();
        }
    }

    fn into_selection(self) -> Selection {
        let mut chosen: Vec<_> = self.heap.into_sorted_vec().into_iter().map(|Reverse(entry)| entry).collect();
        let has_more = chosen.len() > self.limit;
        chosen.truncate(self.limit);
        Selection { chosen, has_more }
    }
}

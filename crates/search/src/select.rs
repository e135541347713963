use std::{cmp::Reverse, collections::BinaryHeap};

use model::{Seq, Timestamp};
use tantivy::{DocAddress, DocId, Searcher};

use crate::{
    matching::matching,
    query::{Clause, Sort},
    relevance::Relevance,
    schema::{CAPTURED_AT, Fields, SEQ},
};

/// The place of an entry in the order of an answer: the greater, the further in front. No two entries share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) key: u64,
    pub(crate) tie: u64,
}

impl Rank {
    /// The rank by score, which is not negative: the order of such numbers is the order of their bits (IEEE 754).
    fn by_score(score: f64, seq: u64) -> Self {
        Self { key: score.to_bits(), tie: seq }
    }

    fn by_time(captured_at: i64, seq: u64) -> Self {
        Self { key: u64::from_be_bytes(Timestamp::from_micros(captured_at).to_ordered_bytes()), tie: seq }
    }

    const fn reversed(self) -> Self {
        Self { key: !self.key, tie: !self.tie }
    }
}

/// What of all matches is asked for.
pub(crate) struct Selector<'a> {
    pub(crate) searcher: &'a Searcher,
    pub(crate) fields: &'a Fields,
    pub(crate) clause: &'a Clause,
    /// `None` sorts by time only.
    pub(crate) relevance: Option<&'a Relevance>,
    pub(crate) sort: Sort,
    pub(crate) up_to: Seq,
    pub(crate) after: Option<Rank>,
    pub(crate) limit: usize,
}

/// The first entries behind the cursor, and what is known of the rest.
pub(crate) struct Selection {
    /// All matches, also those before the cursor.
    pub(crate) total: u64,
    /// In order.
    pub(crate) chosen: Vec<(Rank, DocAddress)>,
    /// Whether there are more behind the chosen ones.
    pub(crate) has_more: bool,
}

impl Selector<'_> {
    pub(crate) fn run(&self) -> tantivy::Result<Selection> {
        let mut best = Best { limit: self.limit, after: self.after, heap: BinaryHeap::new() };
        let mut total = 0;
        for (segment, number) in self.searcher.segment_readers().iter().zip(0..) {
            let sequences = segment.fast_fields().column_first_or_default::<u64>(SEQ)?;
            let times = segment.fast_fields().column_first_or_default::<i64>(CAPTURED_AT)?;
            let mut scorer = self.relevance.map(|relevance| relevance.in_segment(segment)).transpose()?;
            let mut rank = |id: DocId, seq: u64| match (&mut scorer, self.sort) {
                (Some(scorer), Sort::Relevance) => Rank::by_score(scorer.score(id), seq),
                (_, Sort::Relevance) => Rank::by_score(0.0, seq),
                (_, Sort::Newest) => Rank::by_time(times.get_val(id), seq),
                (_, Sort::Oldest) => Rank::by_time(times.get_val(id), seq).reversed(),
            };
            for id in matching(self.clause, self.fields, segment)?.iter() {
                let seq = sequences.get_val(id);
                if seq > self.up_to.0 {
                    continue;
                }
                total += 1;
                if self.limit > 0 {
                    best.offer(rank(id, seq), DocAddress::new(number, id));
                }
            }
        }
        Ok(best.into_selection(total))
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

    fn into_selection(self, total: u64) -> Selection {
        let mut chosen: Vec<_> = self.heap.into_sorted_vec().into_iter().map(|Reverse(entry)| entry).collect();
        let has_more = chosen.len() > self.limit;
        chosen.truncate(self.limit);
        Selection { total, chosen, has_more }
    }
}

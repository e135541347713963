use std::sync::Arc;

use tantivy::{DocId, fieldnorm::FieldNormReader, postings::BlockSegmentPostings};

use super::{B, K1};
use crate::matching::Documents;

/// How many blocks of 64 documents are scored together, word by word: their scores lie in the nearest memory meanwhile.
const STRETCH: usize = 32;

/// So many entries of a word are passed by in the time in which one is looked up.
const PASSED_BY: u64 = 32;

/// Scores the entries of one segment.
pub(crate) struct Scorer {
    pub(super) terms: Vec<TermScorer>,
    pub(super) groups: Vec<(Documents, f64)>,
}

pub(super) struct TermScorer {
    pub(super) blocks: BlockSegmentPostings,
    /// The lengths of the texts; where there are none, all are empty.
    pub(super) lengths: FieldNormReader,
    pub(super) saturation: Arc<Saturation>,
    pub(super) weight: f64,
}

/// How soon repetition stops to matter in a text, by what the index keeps of its length, which is one byte.
pub(super) struct Saturation([f64; 256]);

impl Saturation {
    pub(super) fn of(mean_length: f64) -> Self {
        Self(std::array::from_fn(|id| {
            let length = f64::from(FieldNormReader::id_to_fieldnorm(u8::try_from(id).unwrap_or(u8::MAX))) / mean_length;
            K1 * (1.0 - B + B * length)
        }))
    }

    fn at(&self, id: u8) -> f64 {
        self.0[usize::from(id)]
    }
}

impl Scorer {
    /// Tells the score of each of these documents, in the order in which they lie. Never negative.
    pub(crate) fn each(mut self, found: &Documents, mut each: impl FnMut(DocId, f64)) {
        let count = found.len();
        let mut scores = [0.0; STRETCH * u64::BITS as usize];
        found.in_stretches(STRETCH, |begin, ids| {
            // The sum of nothing is -0.0, whose bits are those of no relevance.
            scores.fill(0.0);
            for term in &mut self.terms {
                if u64::from(term.blocks.doc_freq()) > count.saturating_mul(PASSED_BY) {
                    term.look_up(ids, begin, &mut scores);
                } else {
                    term.pass_by(begin, &mut scores);
                }
            }
            for &id in ids {
                let of_terms = scores.get((id - begin) as usize).copied().unwrap_or_default();
                let in_groups = self.groups.iter().filter(|(documents, _)| documents.contains(id));
                each(id, in_groups.fold(of_terms, |sum, (_, weight)| sum + weight));
            }
        });
    }
}

impl TermScorer {
    /// Adds to the score of each of these documents, of which `scores` begins with that of `begin`.
    fn look_up(&mut self, ids: &[DocId], begin: DocId, scores: &mut [f64]) {
        for &id in ids {
            let at = self.blocks.seek(id);
            if self.blocks.docs().get(at) == Some(&id)
                && let (Some(score), Some(&count)) =
                    (scores.get_mut((id - begin) as usize), self.blocks.freqs().get(at))
            {
                *score += self.score(id, count);
            }
        }
    }

    /// Adds to the score of each document that has the word, and that `scores` has a place for.
    fn pass_by(&mut self, begin: DocId, scores: &mut [f64]) {
        let mut from = self.blocks.seek(begin);
        while !self.blocks.docs().is_empty() {
            let (docs, counts) = (self.blocks.docs().iter().skip(from), self.blocks.freqs().iter().skip(from));
            for (&id, &count) in docs.zip(counts) {
                match scores.get_mut((id - begin) as usize) {
                    Some(score) => *score += self.score(id, count),
                    None => return,
                }
            }
            self.blocks.advance();
            from = 0;
        }
    }

    fn score(&self, document: DocId, count: u32) -> f64 {
        let count = f64::from(count);
        self.weight * count * (K1 + 1.0) / (count + self.saturation.at(self.lengths.fieldnorm_id(document)))
    }
}

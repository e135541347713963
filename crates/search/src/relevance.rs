use model::Seq;
use tantivy::{
    DocId, DocSet, Searcher, SegmentReader, TERMINATED, Term,
    fieldnorm::FieldNormReader,
    postings::{Postings, SegmentPostings},
    schema::{Field, IndexRecordOption},
};

use crate::{
    query::Clause,
    schema::{Fields, SEQ},
};

/// Robertson and Zaragoza, *The Probabilistic Relevance Framework* (2009): how soon repetition stops to matter.
const K1: f64 = 1.2;
/// The same: how much the length of a text matters.
const B: f64 = 0.75;
/// How much more a word in the title says than one in the text.
const TITLE_WEIGHT: f64 = 2.0;

/// BM25 over the words that a query looks for, each in each of its fields, added in the order of the query.
///
/// The engine can score too, but its statistics are those of everything it holds, and it adds single-precision numbers
/// in an order that depends on how entries lie in segments. An answer as of a sequence must stay what it was to the last
/// bit; therefore the statistics here are those of entries up to the sequence, and the order of addition is fixed. A
/// phrase decides what matches; its words score one by one.
pub(crate) struct Relevance {
    terms: Vec<Weighted>,
}

struct Weighted {
    term: Term,
    /// The inverse document frequency, times the weight of the field.
    weight: f64,
    /// The mean length of the field in words.
    mean_length: f64,
}

impl Relevance {
    /// Takes the statistics of the entries up to `up_to`.
    pub(crate) fn as_of(up_to: Seq, clause: &Clause, fields: &Fields, searcher: &Searcher) -> tantivy::Result<Self> {
        let terms = distinct_terms(clause, fields);
        let mut lengths: Vec<(Field, u64)> = Vec::new();
        for term in &terms {
            if !lengths.iter().any(|(field, _)| *field == term.field()) {
                lengths.push((term.field(), 0));
            }
        }
        let mut frequencies = vec![0; terms.len()];
        let mut entries = 0;
        if !terms.is_empty() {
            for segment in searcher.segment_readers() {
                entries += count_entries(segment, up_to, &mut lengths)?;
                for (term, frequency) in terms.iter().zip(&mut frequencies) {
                    *frequency += count_entries_with(segment, term, up_to)?;
                }
            }
        }
        let mean = |field| {
            let total = lengths.iter().find(|(of, _)| *of == field).map_or(0, |(_, total)| *total);
            ratio(total, entries).max(f64::MIN_POSITIVE)
        };
        let weighted = terms.into_iter().zip(frequencies).map(|(term, frequency)| {
            let boost = if term.field() == fields.title { TITLE_WEIGHT } else { 1.0 };
            let rarity = (float(entries.saturating_sub(frequency)) + 0.5) / (float(frequency) + 0.5);
            Weighted { weight: boost * rarity.ln_1p(), mean_length: mean(term.field()), term }
        });
        Ok(Self { terms: weighted.collect() })
    }

    /// Makes ready to score the entries of one segment.
    pub(crate) fn in_segment(&self, segment: &SegmentReader) -> tantivy::Result<Scorer> {
        let mut terms = Vec::with_capacity(self.terms.len());
        for Weighted { term, weight, mean_length } in &self.terms {
            if let Some(postings) = postings(segment, term)? {
                let lengths = segment.get_fieldnorms_reader(term.field())?;
                terms.push(TermScorer { postings, lengths, weight: *weight, mean_length: *mean_length });
            }
        }
        Ok(Scorer { terms })
    }
}

/// Scores the entries of one segment, in the order in which they lie there.
pub(crate) struct Scorer {
    terms: Vec<TermScorer>,
}

struct TermScorer {
    postings: SegmentPostings,
    lengths: FieldNormReader,
    weight: f64,
    mean_length: f64,
}

impl Scorer {
    /// The score of `document`, which comes behind those asked for before. Never negative.
    pub(crate) fn score(&mut self, document: DocId) -> f64 {
        self.terms.iter_mut().map(|term| term.score(document)).sum()
    }
}

impl TermScorer {
    fn score(&mut self, document: DocId) -> f64 {
        if self.postings.doc() < document {
            self.postings.seek(document);
        }
        if self.postings.doc() != document {
            return 0.0;
        }
        let count = f64::from(self.postings.term_freq());
        let length = f64::from(self.lengths.fieldnorm(document)) / self.mean_length;
        self.weight * count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length))
    }
}

/// Each word in each of its fields, once, in the order of the query.
fn distinct_terms(clause: &Clause, fields: &Fields) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    for (place, words) in clause.looked_for() {
        for word in words {
            for &field in fields.of(place) {
                let term = Term::from_field_text(field, word);
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
        }
    }
    terms
}

/// Counts the entries of a segment up to a sequence, and adds up the lengths of their fields in words. A length is what
/// the index keeps of it, one byte, wherever the entry lies, so that the sum does not depend on the segments either.
fn count_entries(segment: &SegmentReader, up_to: Seq, lengths: &mut [(Field, u64)]) -> tantivy::Result<u64> {
    let sequences = segment.fast_fields().column_first_or_default::<u64>(SEQ)?;
    let is_whole = sequences.max_value() <= up_to.0;
    let counts = |document: &DocId| is_whole || sequences.get_val(*document) <= up_to.0;
    for (field, total) in lengths {
        let of_field = segment.get_fieldnorms_reader(*field)?;
        *total += (0..segment.max_doc()).filter(counts).map(|id| u64::from(of_field.fieldnorm(id))).sum::<u64>();
    }
    if is_whole { Ok(segment.max_doc().into()) } else { Ok((0..segment.max_doc()).filter(counts).map(|_| 1).sum()) }
}

fn count_entries_with(segment: &SegmentReader, term: &Term, up_to: Seq) -> tantivy::Result<u64> {
    let sequences = segment.fast_fields().column_first_or_default::<u64>(SEQ)?;
    if sequences.max_value() <= up_to.0 {
        return Ok(segment.inverted_index(term.field())?.doc_freq(term)?.into());
    }
    let Some(mut postings) = postings(segment, term)? else { return Ok(0) };
    let mut count = 0;
    while postings.doc() != TERMINATED {
        count += u64::from(sequences.get_val(postings.doc()) <= up_to.0);
        postings.advance();
    }
    Ok(count)
}

fn postings(segment: &SegmentReader, term: &Term) -> tantivy::Result<Option<SegmentPostings>> {
    Ok(segment.inverted_index(term.field())?.read_postings(term, IndexRecordOption::WithFreqs)?)
}

fn ratio(of: u64, to: u64) -> f64 {
    float(of) / float(to.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below the 2^53 that a double holds exactly")]
const fn float(count: u64) -> f64 {
    count as f64
}

mod lengths;
mod scorer;

use std::sync::Arc;

use model::Language;
use tantivy::{
    Term,
    schema::{Field, IndexRecordOption},
};

use self::scorer::{Saturation, TermScorer};
pub(crate) use self::{lengths::Lengths, scorer::Scorer};
use crate::{
    Error,
    matching::{Documents, Matcher, with_term},
    query::{Clause, Place, Wanted},
    schema::Fields,
    segment::Segment,
    stems,
};

/// Robertson and Zaragoza, *The Probabilistic Relevance Framework* (2009): how soon repetition stops to matter.
const K1: f64 = 1.2;
/// The same: how much the length of a text matters.
const B: f64 = 0.75;
/// How much more a word in the title says than one in the text.
const TITLE_WEIGHT: f64 = 2.0;
/// How much less another form of a word says than the word itself.
const STEM_WEIGHT: f64 = 0.5;

/// BM25 over the words that a query looks for, each in each of its fields, added in the order of the query.
///
/// The engine can score too, but its statistics are those of everything it holds, and it adds single-precision numbers
/// in an order that depends on how entries lie in segments. An answer as of a sequence must stay what it was to the last
/// bit; therefore the statistics here are those of entries up to the sequence, and the order of addition is fixed. A
/// phrase decides what matches; its words score one by one. Words that one word stands for count as one, once in a document.
pub(crate) struct Relevance {
    terms: Vec<Weighted>,
    groups: Vec<Group>,
}

struct Weighted {
    term: Term,
    /// The field whose length counts.
    of: Field,
    /// The inverse document frequency, times the weight of the field.
    weight: f64,
    /// What the lengths of the field's texts come to.
    saturation: Arc<Saturation>,
}

/// Words of which one is as good as another.
struct Group {
    clause: Clause,
    weight: f64,
}

/// A term, the field whose length counts, and how much it says.
type Looked = (Term, Field, f64);

impl Relevance {
    /// Takes the statistics of the entries up to the sequence.
    pub(crate) fn of(
        clause: &Clause,
        matcher: &Matcher<'_>,
        segments: &[Segment<'_>],
        known: &Lengths,
    ) -> Result<Self, Error> {
        let looked = looked_for(clause, matcher.fields, matcher.languages);
        let mut lengths: Vec<(Field, u64)> = Vec::new();
        for (_, of, _) in &looked {
            if !lengths.iter().any(|(field, _)| field == of) {
                lengths.push((*of, 0));
            }
        }
        let mut frequencies = vec![0; looked.len()];
        let mut entries = 0;
        for segment in segments {
            entries += segment.size();
            for (field, total) in &mut lengths {
                *total += known.total(segment, *field)?;
            }
            for ((term, _, _), frequency) in looked.iter().zip(&mut frequencies) {
                *frequency += count_entries_with(segment, term)?;
            }
        }
        let saturated = |&(field, total): &(Field, u64)| {
            let mean_length = ratio(total, entries).max(f64::MIN_POSITIVE);
            (field, Arc::new(Saturation::of(mean_length)))
        };
        let saturations: Vec<(Field, Arc<Saturation>)> = lengths.iter().map(saturated).collect();
        let weighted = looked.into_iter().zip(frequencies).filter_map(|((term, of, factor), frequency)| {
            let boost = if of == matcher.fields.title { TITLE_WEIGHT } else { 1.0 };
            let (_, saturation) = saturations.iter().find(|(field, _)| *field == of)?;
            let weight = factor * boost * rarity(entries, frequency);
            Some(Weighted { weight, saturation: Arc::clone(saturation), of, term })
        });
        let mut groups = Vec::new();
        for (place, wanted) in clause.looked_for() {
            if let Wanted::Any(words) = wanted {
                let clause = Clause::AnyWord { place, words: words.clone() };
                let mut frequency = 0;
                for segment in segments {
                    frequency += segment.count(&matcher.matching(&clause, segment, &segment.entries)?);
                }
                groups.push(Group { clause, weight: STEM_WEIGHT * rarity(entries, frequency) });
            }
        }
        Ok(Self { terms: weighted.collect(), groups })
    }

    /// Makes ready to score the entries of one segment.
    pub(crate) fn in_segment(&self, segment: &Segment<'_>, matcher: &Matcher<'_>) -> Result<Scorer, Error> {
        let mut terms = Vec::with_capacity(self.terms.len());
        for Weighted { term, of, weight, saturation } in &self.terms {
            let inverted = segment.reader.inverted_index(term.field())?;
            if let Some(blocks) = inverted.read_block_postings(term, IndexRecordOption::WithFreqs)? {
                let lengths = segment.reader.get_fieldnorms_reader(*of)?;
                terms.push(TermScorer { blocks, lengths, saturation: Arc::clone(saturation), weight: *weight });
            }
        }
        let groups = self.groups.iter().map(|group| {
            let having = matcher.matching(&group.clause, segment, &segment.entries)?;
            Ok((having, group.weight))
        });
        Ok(Scorer { terms, groups: groups.collect::<Result<Vec<(Documents, f64)>, Error>>()? })
    }
}

/// Each word in each of its fields, once, in the order of the query; and what its other forms are found by.
fn looked_for(clause: &Clause, fields: &Fields, languages: &[Language]) -> Vec<Looked> {
    let mut looked: Vec<Looked> = Vec::new();
    let mut add = |term: Term, of: Field, factor: f64| {
        if !looked.iter().any(|(known, _, _)| *known == term) {
            looked.push((term, of, factor));
        }
    };
    for (place, wanted) in clause.looked_for() {
        let words = match wanted {
            Wanted::Run(words) | Wanted::Near(words, _) => words,
            Wanted::Stemmed(word) => std::slice::from_ref(word),
            Wanted::Any(_) => continue,
        };
        for word in words {
            fields.of(place).iter().for_each(|&field| add(Term::from_field_text(field, word), field, 1.0));
        }
        if let (Wanted::Stemmed(word), true) = (wanted, place != Place::Uri) {
            for language in languages {
                let stem = stems::term(*language, word);
                let pairs = fields.of(place).iter().zip(fields.stems_of(place));
                pairs.for_each(|(&of, &field)| add(Term::from_field_text(field, &stem), of, STEM_WEIGHT));
            }
        }
    }
    looked
}

fn count_entries_with(segment: &Segment<'_>, term: &Term) -> Result<u64, Error> {
    if segment.is_whole {
        return Ok(segment.reader.inverted_index(term.field())?.doc_freq(term)?.into());
    }
    Ok(segment.count(&with_term(term, segment.reader)?))
}

/// How rare something is that so many of all entries have.
fn rarity(entries: u64, frequency: u64) -> f64 {
    ((float(entries.saturating_sub(frequency)) + 0.5) / (float(frequency) + 0.5)).ln_1p()
}

fn ratio(of: u64, to: u64) -> f64 {
    float(of) / float(to.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below the 2^53 that a double holds exactly")]
const fn float(count: u64) -> f64 {
    count as f64
}

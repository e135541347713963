mod lengths;

use model::Language;
use tantivy::{
    DocId, DocSet, TERMINATED, Term,
    fieldnorm::FieldNormReader,
    postings::{Postings, SegmentPostings},
    schema::{Field, IndexRecordOption},
};

pub(crate) use self::lengths::Lengths;
use crate::{
    Error,
    matching::{Documents, Matcher},
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
    /// The mean length of the field in words.
    mean_length: f64,
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
        let mean = |field| {
            let total = lengths.iter().find(|(of, _)| *of == field).map_or(0, |(_, total)| *total);
            ratio(total, entries).max(f64::MIN_POSITIVE)
        };
        let weighted = looked.into_iter().zip(frequencies).map(|((term, of, factor), frequency)| {
            let boost = if of == matcher.fields.title { TITLE_WEIGHT } else { 1.0 };
            Weighted { weight: factor * boost * rarity(entries, frequency), mean_length: mean(of), of, term }
        });
        let mut groups = Vec::new();
        for (place, wanted) in clause.looked_for() {
            if let Wanted::Any(words) = wanted {
                let clause = Clause::AnyWord { place, words: words.clone() };
                let mut frequency = 0;
                for segment in segments {
                    frequency += segment.count(matcher.matching(&clause, segment)?.iter());
                }
                groups.push(Group { clause, weight: STEM_WEIGHT * rarity(entries, frequency) });
            }
        }
        Ok(Self { terms: weighted.collect(), groups })
    }

    /// Makes ready to score the entries of one segment.
    pub(crate) fn in_segment(&self, segment: &Segment<'_>, matcher: &Matcher<'_>) -> Result<Scorer, Error> {
        let mut terms = Vec::with_capacity(self.terms.len());
        for Weighted { term, of, weight, mean_length } in &self.terms {
            if let Some(postings) = postings(segment, term)? {
                let lengths = segment.reader.get_fieldnorms_reader(*of)?;
                terms.push(TermScorer { postings, lengths, weight: *weight, mean_length: *mean_length });
            }
        }
        let groups = self.groups.iter().map(|group| Ok((matcher.matching(&group.clause, segment)?, group.weight)));
        Ok(Scorer { terms, groups: groups.collect::<Result<_, Error>>()? })
    }
}

/// Scores the entries of one segment, in the order in which they lie there.
pub(crate) struct Scorer {
    terms: Vec<TermScorer>,
    groups: Vec<(Documents, f64)>,
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
        // The sum of nothing is -0.0, whose bits are those of no relevance.
        let of_terms = self.terms.iter_mut().fold(0.0, |sum, term| sum + term.score(document));
        let in_groups = self.groups.iter().filter(|(documents, _)| documents.contains(document));
        in_groups.fold(of_terms, |sum, (_, weight)| sum + weight)
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
    let Some(mut postings) = postings(segment, term)? else { return Ok(0) };
    let mut count = 0;
    while postings.doc() != TERMINATED {
        count += u64::from(segment.has(postings.doc()));
        postings.advance();
    }
    Ok(count)
}

fn postings(segment: &Segment<'_>, term: &Term) -> Result<Option<SegmentPostings>, Error> {
    Ok(segment.reader.inverted_index(term.field())?.read_postings(term, IndexRecordOption::WithFreqs)?)
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

//! Which words a prefix stands for, and a word with mistakes: those of entries up to the sequence that the query is answered as of.

mod mistakes;

use std::collections::BTreeSet;

use tantivy::{
    DocSet, Searcher, TERMINATED, Term,
    schema::{Field, IndexRecordOption},
};

use self::mistakes::has_at_most;
use crate::{
    Error, QueryError, QueryProblem,
    budget::Budget,
    query::{Clause, Place},
    schema::Fields,
    segment::Segment,
};

/// The most words that one may stand for.
pub(crate) const MAX_EXPANSIONS: usize = 1000;

/// What a clause is expanded with.
pub(crate) struct Expander<'a> {
    pub(crate) fields: &'a Fields,
    pub(crate) segments: &'a [Segment<'a>],
    pub(crate) budget: &'a Budget,
}

impl Expander<'_> {
    /// The same clause with words in the place of prefixes and of words with mistakes.
    pub(crate) fn expand(&self, clause: Clause) -> Result<Clause, Error> {
        let all = |clauses: Vec<Clause>| -> Result<Vec<Clause>, Error> {
            clauses.into_iter().map(|clause| self.expand(clause)).collect()
        };
        Ok(match clause {
            Clause::All(clauses) => Clause::All(all(clauses)?),
            Clause::Any(clauses) => Clause::Any(all(clauses)?),
            Clause::Not(clause) => Clause::Not(Box::new(self.expand(*clause)?)),
            Clause::Prefix { place, prefix, at } => {
                let words = self.words(place, &prefix, &|_| true, at)?;
                Clause::AnyWord { place, words }
            }
            Clause::Fuzzy { place, word, mistakes, at } => {
                // The first letter is taken to be right, so that not every word there is has to be looked at.
                let first = word.chars().next().map(String::from).unwrap_or_default();
                let wanted: Vec<char> = word.chars().collect();
                let words = self.words(place, &first, &|other| has_at_most(mistakes.into(), &wanted, other), at)?;
                // The word as it is written weighs more than one that is like it.
                Clause::Any(vec![Clause::Words { place, words: vec![word] }, Clause::AnyWord { place, words }])
            }
            other => other,
        })
    }

    /// The words of a place that begin so and fit.
    fn words(
        &self,
        place: Place,
        prefix: &str,
        fits: &dyn Fn(&str) -> bool,
        at: usize,
    ) -> Result<BTreeSet<String>, Error> {
        // What is looked at are words and not entries; there are the more of them, the more entries there are.
        self.budget.spend(self.segments.iter().map(Segment::size).sum())?;
        let mut words = BTreeSet::new();
        for segment in self.segments {
            for &field in self.fields.of(place) {
                let inverted = segment.reader.inverted_index(field)?;
                let mut terms = inverted.terms().range().ge(prefix).into_stream()?;
                while terms.advance() {
                    let Ok(word) = std::str::from_utf8(terms.key()) else { continue };
                    if !word.starts_with(prefix) {
                        break;
                    }
                    if !fits(word) || words.contains(word) || !is_present(segment, field, word)? {
                        continue;
                    }
                    words.insert(word.to_owned());
                    if words.len() > MAX_EXPANSIONS {
                        return Err(QueryError { at: at + 1, problem: QueryProblem::TooManyExpansions }.into());
                    }
                }
            }
        }
        Ok(words)
    }
}

/// Whether an entry up to the sequence has the word.
fn is_present(segment: &Segment<'_>, field: Field, word: &str) -> Result<bool, Error> {
    if segment.is_whole {
        return Ok(true);
    }
    let term = Term::from_field_text(field, word);
    let postings = segment.reader.inverted_index(field)?.read_postings(&term, IndexRecordOption::Basic)?;
    let Some(mut postings) = postings else { return Ok(false) };
    while postings.doc() != TERMINATED {
        if segment.has(postings.doc()) {
            return Ok(true);
        }
        postings.advance();
    }
    Ok(false)
}

/// The codes of the languages that pages are in.
pub(crate) fn languages(searcher: &Searcher, fields: &Fields) -> Result<BTreeSet<String>, Error> {
    let mut codes = BTreeSet::new();
    for segment in searcher.segment_readers() {
        let inverted = segment.inverted_index(fields.language)?;
        let mut terms = inverted.terms().stream()?;
        while terms.advance() {
            codes.extend(std::str::from_utf8(terms.key()).ok().map(str::to_owned));
        }
    }
    Ok(codes)
}

mod documents;
mod near;

use model::{Language, Seq};
use tantivy::{
    DocSet, SegmentReader, TERMINATED, Term,
    columnar::{Cardinality, Column, DynamicColumn, HasAssociatedColumnType},
    query::{EnableScoring, PhraseQuery, Query as _},
    schema::{Field, IndexRecordOption},
};

pub(crate) use self::documents::Documents;
use crate::{
    Error, Joined,
    budget::Budget,
    columns,
    joined::{Captures, Observed},
    query::{Clause, Place},
    schema::{AMOUNT, CAPTURED_AT, CURRENCY, Fields, observable_term},
    segment::Segment,
    stems,
};

/// Finds the entries that fulfil a clause.
///
/// The engine gives the documents of a word, a phrase or a value; joining them is done here, as sets. The engine's own
/// joining leaps over documents to come sooner to the best ones. That is of no use where every match is counted, and has
/// given wrong matches (tantivy issue 3086); with 0.27 an excluded phrase breaks the assertions of its debug build.
pub(crate) struct Matcher<'a> {
    pub(crate) fields: &'a Fields,
    pub(crate) joined: &'a Joined,
    pub(crate) budget: &'a Budget,
    /// The languages whose stems words are looked for by.
    pub(crate) languages: &'a [Language],
}

impl Matcher<'_> {
    /// The entries of one segment that fulfil `clause`, told right for those in `among`; of the others any may be there.
    pub(crate) fn matching(
        &self,
        clause: &Clause,
        segment: &Segment<'_>,
        among: &Documents,
    ) -> Result<Documents, Error> {
        let len = segment.reader.max_doc();
        let with = |term| self.with_term(&term, segment);
        match clause {
            Clause::All(clauses) => {
                let mut found = among.clone();
                // What looks at each entry comes last, when few are left. All of them are asked, also where nothing is left: what a query
                // costs must not depend on how entries lie in segments.
                let (looking, others): (Vec<_>, Vec<_>) = clauses.iter().partition(|clause| clause.looks_at_each());
                for clause in others.into_iter().chain(looking) {
                    found.retain(&self.matching(clause, segment, &found)?);
                }
                Ok(found)
            }
            Clause::Any(clauses) => {
                let mut found = Documents::none(len);
                for clause in clauses {
                    found.add(&self.matching(clause, segment, among)?);
                }
                Ok(found)
            }
            Clause::Not(clause) => Ok(self.matching(clause, segment, among)?.complement()),
            Clause::Words { place, words } => self.in_fields(*place, segment, |field| match words.as_slice() {
                [] => Ok(Documents::none(len)),
                [word] => with(Term::from_field_text(field, word)),
                phrase => self.with_phrase(field, phrase, segment),
            }),
            Clause::Stemmed { place, word } => self.with_stem(*place, word, segment),
            Clause::Near { place, words, others } => {
                self.in_fields(*place, segment, |field| self.with_near(field, words, *others, segment, among))
            }
            Clause::AnyWord { place, words } => self.in_fields(*place, segment, |field| {
                let mut found = Documents::none(len);
                for word in words {
                    found.add(&with(Term::from_field_text(field, word))?);
                }
                Ok(found)
            }),
            // Expanded before.
            Clause::Prefix { .. } | Clause::Fuzzy { .. } => Ok(Documents::none(len)),
            Clause::Target(target) => with(Term::from_field_u64(self.fields.target, target.as_u64())),
            Clause::Language(language) => with(Term::from_field_text(self.fields.language, language)),
            Clause::Kind(kind) => with(Term::from_field_text(self.fields.kind, kind.as_str())),
            Clause::Outcome(outcome) => with(Term::from_field_text(self.fields.outcome, outcome)),
            Clause::From(from) => self.with_number(segment, CAPTURED_AT, among, |time: i64| time >= from.as_micros()),
            Clause::Until(until) => self.with_number(segment, CAPTURED_AT, among, |time: i64| time < until.as_micros()),
            Clause::Seq { from, until } => {
                let is_within = |seq: u64| seq >= *from && until.is_none_or(|until| seq < until);
                self.with_sequence(segment, among, is_within)
            }
            Clause::Price { from, until } => {
                let is_within = |amount: u64| amount >= *from && until.is_none_or(|until| amount < until);
                self.with_number(segment, AMOUNT, among, is_within)
            }
            Clause::Currency(currency) => self.with_number(segment, CURRENCY, among, |of: u64| of == *currency),
            Clause::Observable(observed) => self.with_observable(observed, segment),
            Clause::Label(label) => self.of_captures(segment, among, self.joined.labels.get(label)),
            Clause::Indicator(name) => self.of_captures(segment, among, self.joined.indicators.get(name)),
        }
    }

    fn in_fields(
        &self,
        place: Place,
        segment: &Segment<'_>,
        with: impl Fn(Field) -> Result<Documents, Error>,
    ) -> Result<Documents, Error> {
        let mut found = Documents::none(segment.reader.max_doc());
        for &field in self.fields.of(place) {
            found.add(&with(field)?);
        }
        Ok(found)
    }

    fn with_stem(&self, place: Place, word: &str, segment: &Segment<'_>) -> Result<Documents, Error> {
        let with = |field, text: &str| self.with_term(&Term::from_field_text(field, text), segment);
        let mut found = self.in_fields(place, segment, |field| with(field, word))?;
        for language in self.languages {
            let stem = stems::term(*language, word);
            for &field in self.fields.stems_of(place) {
                found.add(&with(field, &stem)?);
            }
        }
        Ok(found)
    }

    fn with_observable(&self, observed: &Observed, segment: &Segment<'_>) -> Result<Documents, Error> {
        let with = |field, text: &str| self.with_term(&Term::from_field_text(field, text), segment);
        if let Observed { kind: Some(kind), value: None } = observed {
            return with(self.fields.observable_kind, kind.as_str());
        }
        let mut found = Documents::none(segment.reader.max_doc());
        for (kind, value) in self.joined.observables.get(observed).into_iter().flatten() {
            found.add(&with(self.fields.observable, &observable_term(*kind, value))?);
        }
        Ok(found)
    }

    pub(crate) fn with_term(&self, term: &Term, segment: &Segment<'_>) -> Result<Documents, Error> {
        let found = with_term(term, segment.reader)?;
        self.spend(&found, segment)?;
        Ok(found)
    }

    fn with_phrase(&self, field: Field, words: &[String], segment: &Segment<'_>) -> Result<Documents, Error> {
        let phrase = PhraseQuery::new(words.iter().map(|word| Term::from_field_text(field, word)).collect());
        let weight = phrase.weight(EnableScoring::disabled_from_schema(segment.reader.schema()))?;
        let found = gather(weight.scorer(segment.reader, 1.0)?, segment.reader);
        self.spend(&found, segment)?;
        Ok(found)
    }

    /// The entries among these that have a number which is so.
    fn with_number<T>(
        &self,
        segment: &Segment<'_>,
        name: &str,
        among: &Documents,
        fits: impl Fn(T) -> bool,
    ) -> Result<Documents, Error>
    where
        T: HasAssociatedColumnType + Default,
        DynamicColumn: Into<Option<Column<T>>>,
    {
        self.budget.spend(segment.size())?;
        match segment.reader.fast_fields().column_opt::<T>(name)? {
            None => Ok(Documents::none(among.of())),
            Some(column) if column.get_cardinality() == Cardinality::Full => {
                Ok(columns::those(&*column.values, among, fits))
            }
            Some(column) => {
                let mut found = Documents::none(among.of());
                among.iter().filter(|&id| column.first(id).is_some_and(&fits)).for_each(|id| found.insert(id));
                Ok(found)
            }
        }
    }

    /// The entries among these of which the sequence is so.
    fn with_sequence(
        &self,
        segment: &Segment<'_>,
        among: &Documents,
        fits: impl Fn(u64) -> bool,
    ) -> Result<Documents, Error> {
        self.budget.spend(segment.size())?;
        Ok(columns::those(&*segment.sequences, among, fits))
    }

    fn of_captures(
        &self,
        segment: &Segment<'_>,
        among: &Documents,
        captures: Option<&Captures>,
    ) -> Result<Documents, Error> {
        let Some(captures) = captures else { return Ok(Documents::none(among.of())) };
        self.with_sequence(segment, among, |seq| captures.contains(Seq(seq)))
    }

    fn spend(&self, found: &Documents, segment: &Segment<'_>) -> Result<(), Error> {
        self.budget.spend(segment.count(found))
    }
}

/// The entries that have a term.
pub(crate) fn with_term(term: &Term, segment: &SegmentReader) -> tantivy::Result<Documents> {
    let mut found = Documents::none(segment.max_doc());
    let blocks = segment.inverted_index(term.field())?.read_block_postings(term, IndexRecordOption::Basic)?;
    if let Some(mut blocks) = blocks {
        while !blocks.docs().is_empty() {
            found.insert_all(blocks.docs());
            blocks.advance();
        }
    }
    Ok(found)
}

fn gather(mut from: impl DocSet, segment: &SegmentReader) -> Documents {
    let mut found = Documents::none(segment.max_doc());
    while from.doc() != TERMINATED {
        found.insert(from.doc());
        from.advance();
    }
    found
}

mod documents;

use model::Seq;
use tantivy::{
    DocSet, SegmentReader, TERMINATED, Term,
    query::{EnableScoring, PhraseQuery, Query as _},
    schema::{Field, IndexRecordOption},
};

pub(crate) use self::documents::Documents;
use crate::{
    query::{Clause, Place},
    schema::{CAPTURED_AT, Fields, SEQ},
};

/// Finds the documents of one segment that fulfil `clause`.
///
/// The engine gives the documents of a word, a phrase or a value; joining them is done here, as sets. The engine's own
/// joining leaps over documents to come sooner to the best ones. That is of no use where every match is counted, and has
/// given wrong matches (tantivy issue 3086); with 0.27 an excluded phrase breaks the assertions of its debug build.
pub(crate) fn matching(clause: &Clause, fields: &Fields, segment: &SegmentReader) -> tantivy::Result<Documents> {
    let with = |term| with_term(&term, segment);
    match clause {
        Clause::All(clauses) => {
            let mut found = Documents::all(segment.max_doc());
            for clause in clauses {
                if found.is_empty() {
                    break;
                }
                found.retain(&matching(clause, fields, segment)?);
            }
            Ok(found)
        }
        Clause::Any(clauses) => {
            let mut found = Documents::none(segment.max_doc());
            for clause in clauses {
                found.add(&matching(clause, fields, segment)?);
            }
            Ok(found)
        }
        Clause::Not(clause) => Ok(matching(clause, fields, segment)?.complement()),
        Clause::Words { place, words } => with_words(*place, words, fields, segment),
        Clause::Target(target) => with(Term::from_field_u64(fields.target, target.as_u64())),
        Clause::Language(language) => with(Term::from_field_text(fields.language, language)),
        Clause::Kind(kind) => with(Term::from_field_text(fields.kind, kind.as_str())),
        Clause::Outcome(outcome) => with(Term::from_field_text(fields.outcome, outcome)),
        Clause::From(from) => with_time(segment, |time| time >= from.as_micros()),
        Clause::Until(until) => with_time(segment, |time| time < until.as_micros()),
        Clause::Only(sequences) => with_sequences(segment, sequences),
    }
}

fn with_words(place: Place, words: &[String], fields: &Fields, segment: &SegmentReader) -> tantivy::Result<Documents> {
    let mut found = Documents::none(segment.max_doc());
    for &field in fields.of(place) {
        found.add(&match words {
            [] => continue,
            [word] => with_term(&Term::from_field_text(field, word), segment)?,
            phrase => with_phrase(field, phrase, segment)?,
        });
    }
    Ok(found)
}

pub(crate) fn with_term(term: &Term, segment: &SegmentReader) -> tantivy::Result<Documents> {
    match segment.inverted_index(term.field())?.read_postings(term, IndexRecordOption::Basic)? {
        Some(postings) => Ok(gather(postings, segment)),
        None => Ok(Documents::none(segment.max_doc())),
    }
}

fn with_phrase(field: Field, words: &[String], segment: &SegmentReader) -> tantivy::Result<Documents> {
    let phrase = PhraseQuery::new(words.iter().map(|word| Term::from_field_text(field, word)).collect());
    let weight = phrase.weight(EnableScoring::disabled_from_schema(segment.schema()))?;
    Ok(gather(weight.scorer(segment, 1.0)?, segment))
}

fn with_time(segment: &SegmentReader, fits: impl Fn(i64) -> bool) -> tantivy::Result<Documents> {
    let times = segment.fast_fields().column_first_or_default::<i64>(CAPTURED_AT)?;
    let mut found = Documents::none(segment.max_doc());
    (0..segment.max_doc()).filter(|&id| fits(times.get_val(id))).for_each(|id| found.insert(id));
    Ok(found)
}

fn with_sequences(segment: &SegmentReader, wanted: &[Seq]) -> tantivy::Result<Documents> {
    let sequences = segment.fast_fields().column_first_or_default::<u64>(SEQ)?;
    let mut found = Documents::none(segment.max_doc());
    let is_wanted = |id: &u32| wanted.binary_search(&Seq(sequences.get_val(*id))).is_ok();
    (0..segment.max_doc()).filter(is_wanted).for_each(|id| found.insert(id));
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

//! Which entries hold certain words: what a rule may flag is among them.

use model::Seq;
use tantivy::{Searcher, SegmentReader, Term, schema::Field};

use crate::{
    matching::{Documents, with_term},
    query::Place,
    schema::{Fields, SEQ},
};

/// What an entry must hold, in its title or its text. Words are folded as the index folds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// This word.
    Word(String),
    /// All of these.
    All(Vec<Holding>),
    /// One of these at least.
    Any(Vec<Holding>),
}

/// The sequences behind `after` and up to `up_to` of the entries that hold what is asked for, in order.
pub(crate) fn holding(
    searcher: &Searcher,
    fields: &Fields,
    what: &Holding,
    (after, up_to): (Seq, Seq),
) -> tantivy::Result<Vec<Seq>> {
    let mut found = Vec::new();
    for segment in searcher.segment_readers() {
        let sequences = segment.fast_fields().column_first_or_default::<u64>(SEQ)?;
        let entries = in_segment(what, fields.of(Place::Page), segment)?;
        let sequences = entries.iter().map(|id| Seq(sequences.get_val(id)));
        found.extend(sequences.filter(|seq| *seq > after && *seq <= up_to));
    }
    found.sort_unstable();
    Ok(found)
}

/// Tells every word of titles and texts, some of them more than once.
pub(crate) fn each_word(searcher: &Searcher, fields: &Fields, each: &mut dyn FnMut(&str)) -> tantivy::Result<()> {
    for segment in searcher.segment_readers() {
        for place in fields.of(Place::Page) {
            let inverted = segment.inverted_index(*place)?;
            let mut words = inverted.terms().stream()?;
            while words.advance() {
                if let Ok(word) = std::str::from_utf8(words.key()) {
                    each(word);
                }
            }
        }
    }
    Ok(())
}

fn in_segment(what: &Holding, places: &[Field], segment: &SegmentReader) -> tantivy::Result<Documents> {
    let mut found = Documents::none(segment.max_doc());
    match what {
        Holding::Word(word) => {
            for place in places {
                found.add(&with_term(&Term::from_field_text(*place, word), segment)?);
            }
        }
        Holding::All(parts) => {
            found = Documents::all(segment.max_doc());
            for part in parts {
                found.retain(&in_segment(part, places, segment)?);
            }
        }
        Holding::Any(parts) => {
            for part in parts {
                found.add(&in_segment(part, places, segment)?);
            }
        }
    }
    Ok(found)
}

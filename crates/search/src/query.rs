mod clause;
mod error;
mod parse;

use std::sync::Arc;

use model::{Digest, Outcome, PageKind, Seq, TargetId, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

pub(crate) use clause::{Clause, Place};
pub use error::{QueryError, QueryProblem};

use crate::{
    Cursor, Error, InvalidCursor,
    schema::{UNDETERMINED, outcome_terms},
};

/// The most hits on one page.
pub(crate) const MAX_LIMIT: usize = 1000;
/// The most values of one filter.
const MAX_FILTER_VALUES: usize = 256;

/// What to look for.
///
/// `text` is the query language: words and `"quoted phrases"`, joined by `AND` (or nothing), `OR`, `NOT` (or a leading
/// `-`) and parentheses; `NOT` binds closest, then `AND`, then `OR`. A word is looked for in title and text, and case
/// and diacritics do not matter. `title:`, `text:` and `uri:` look in one place; `target:`, `lang:` (`language:`; `und`
/// where it is not known), `kind:`, `outcome:` (`HttpError(404)`, or a family: `HttpError`), `after:` (inclusive) and
/// `before:` (exclusive; a day or an RFC 3339 time) filter. At most 1000 characters, 64 words, 32 levels.
///
/// The filters beside the text narrow further: the values of one are alternatives, an empty one is none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    /// The query language; empty finds everything that the filters let through.
    pub text: String,
    /// Only these targets.
    pub targets: Vec<TargetId>,
    /// Only these languages, ISO 639-3; `und` where it is not known.
    pub languages: Vec<String>,
    /// Only these kinds of page.
    pub kinds: Vec<PageKind>,
    /// Only these outcomes.
    pub outcomes: Vec<Outcome>,
    /// Only what was captured at this time or later.
    pub from: Option<Timestamp>,
    /// Only what was captured before this time.
    pub until: Option<Timestamp>,
    /// Only what is among each of these.
    #[serde(skip_deserializing)]
    pub only: Vec<Only>,
    /// In which order.
    pub sort: Sort,
    /// How many hits at most, and never more than 1000. With 0 only the total is told.
    pub limit: usize,
    /// Begin after this place.
    pub after: Option<Cursor>,
    /// As of this sequence: nothing later has a part in hits, counts, order or scores. `None` is all that is indexed.
    pub up_to: Option<Seq>,
}

/// Captures of which the index itself does not know what they have in common, such as a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Only {
    /// What they have in common; a cursor of one answer fits no query with another word here.
    pub what: String,
    /// The captures, in order.
    pub captures: Arc<[Seq]>,
}

impl Serialize for Only {
    /// As what they have in common.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.what)
    }
}

/// The order of hits. Ties break on the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// The best match first, of equals the latest.
    #[default]
    Relevance,
    /// The latest capture first.
    Newest,
    /// The earliest capture first.
    Oldest,
}

impl Query {
    /// All conditions as one clause.
    pub(crate) fn clause(&self) -> Result<Clause, Error> {
        let longest =
            [self.targets.len(), self.languages.len(), self.kinds.len(), self.outcomes.len()].into_iter().max();
        if longest.unwrap_or(0) > MAX_FILTER_VALUES {
            return Err(Error::TooManyFilters { limit: MAX_FILTER_VALUES });
        }
        let mut clauses = vec![parse::parse(&self.text)?];
        let mut alternatives = |values: Vec<Clause>| {
            if !values.is_empty() {
                clauses.push(Clause::Any(values));
            }
        };
        alternatives(self.targets.iter().copied().map(Clause::Target).collect());
        alternatives(self.languages.iter().map(|language| Clause::Language(language.to_ascii_lowercase())).collect());
        alternatives(self.kinds.iter().copied().map(Clause::Kind).collect());
        alternatives(self.outcomes.iter().filter_map(|&o| outcome_terms(o).next()).map(Clause::Outcome).collect());
        clauses.extend(self.from.map(Clause::From));
        clauses.extend(self.until.map(Clause::Until));
        clauses.extend(self.only.iter().map(|only| Clause::Only(Arc::clone(&only.captures))));
        Ok(Clause::All(clauses))
    }

    /// The sequence as of which this query is answered by an index that is complete to `indexed`.
    pub(crate) fn as_of(&self, indexed: Seq) -> Result<Seq, Error> {
        let of_cursor = self.after.map(|cursor| cursor.up_to);
        let asked = match (self.up_to, of_cursor) {
            (Some(asked), Some(held)) if asked != held => return Err(InvalidCursor::OfAnotherQuery.into()),
            (asked, held) => asked.or(held).unwrap_or(indexed),
        };
        if asked > indexed { Err(Error::NotYetIndexed { asked, indexed }) } else { Ok(asked) }
    }

    /// What two pages of one answer have in common, in 64 bits: a cursor of another query is told apart.
    pub(crate) fn fingerprint(&self) -> u64 {
        let same = Self { limit: 0, after: None, up_to: None, ..self.clone() };
        let text = serde_json::to_vec(&same).unwrap_or_default();
        let mut first = [0; 8];
        first.copy_from_slice(&Digest::of(&text).as_bytes()[..8]);
        u64::from_be_bytes(first)
    }
}

/// Whether a text has the form of a language code: ISO 639-3, or [`UNDETERMINED`].
fn is_language(text: &str) -> bool {
    text == UNDETERMINED || (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_lowercase()))
}

mod clause;
mod error;
mod parse;
mod range;

use std::sync::Arc;

use model::{Digest, Label, Outcome, PageKind, Seq, TargetId, Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) use clause::{Clause, Place, Wanted};
pub use error::{QueryError, QueryProblem};

use crate::{
    Asked, Cursor, Error, Facet, Generation, InvalidCursor, Joined,
    schema::{UNDETERMINED, outcome_terms},
};

/// The most hits on one page.
pub(crate) const MAX_LIMIT: usize = 1000;
/// The most values of one filter.
const MAX_FILTER_VALUES: usize = 256;

/// What to look for.
///
/// `text` is the query language, which `docs/search.md` describes. The filters beside it narrow further: the values of one are alternatives, an empty
/// one is none.
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
    /// Only what bears one of these labels.
    pub labels: Vec<Label>,
    /// Only what one of these indicators flags.
    pub indicators: Vec<String>,
    /// Only what was captured at this time or later.
    pub from: Option<Timestamp>,
    /// Only what was captured before this time.
    pub until: Option<Timestamp>,
    /// Only captures behind the first of these sequences, up to the second.
    pub within: Option<(Seq, Seq)>,
    /// Which captures of a page.
    pub versions: Versions,
    /// Only the state in which each page was at this moment: the latest capture with content that began at it or before.
    pub as_of: Option<Timestamp>,
    /// By what the matches are counted.
    pub facets: Vec<Facet>,
    /// In which order.
    pub sort: Sort,
    /// How many hits at most, and never more than 1000. With 0 only the total and the facets are told.
    pub limit: usize,
    /// Begin after this place.
    pub after: Option<Cursor>,
    /// As of this sequence: nothing later has a part in hits, counts, order or scores. `None` is all that is indexed.
    pub up_to: Option<Seq>,
    /// As of this generation. A cursor holds one too.
    pub generation: Option<Generation>,
    /// What [`Query::asked`] asks for, as of the generation.
    #[serde(skip)]
    pub joined: Arc<Joined>,
}

/// Which captures of a page are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Versions {
    /// Every one that matches.
    #[default]
    All,
    /// Of those that match and have content, the latest of each URI.
    Latest,
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
    /// By currency, the cheapest first; what has no price comes last.
    Price,
    /// What indicators score highest first, of equals the latest.
    Score,
}

impl Query {
    /// What the query asks for that the index does not know itself; [`Query::joined`] is to hold it.
    pub fn asked(&self) -> Result<Asked, Error> {
        let mut asked = Asked {
            every_label: self.facets.contains(&Facet::Label),
            clusters: self.facets.contains(&Facet::Cluster),
            every_indicator: self.facets.contains(&Facet::Indicator) || self.sort == Sort::Score,
            ..Asked::default()
        };
        asked.take_in(&self.clause()?);
        Ok(asked)
    }

    /// Whether one capture less can do more than take itself out of the answer: what another one bears, whether it is the latest, or which services are
    /// alike, may depend on it.
    pub fn depends_on_withheld(&self) -> Result<bool, Error> {
        let asked = self.asked()?;
        let is_folded = self.versions == Versions::Latest || self.as_of.is_some();
        Ok(is_folded || asked.clusters || asked.every_label || !asked.labels.is_empty())
    }

    /// All conditions as one clause.
    pub(crate) fn clause(&self) -> Result<Clause, Error> {
        let lengths = [
            self.targets.len(),
            self.languages.len(),
            self.kinds.len(),
            self.outcomes.len(),
            self.labels.len(),
            self.indicators.len(),
        ];
        if lengths.into_iter().any(|length| length > MAX_FILTER_VALUES) {
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
        alternatives(self.labels.iter().copied().map(Clause::Label).collect());
        alternatives(self.indicators.iter().cloned().map(Clause::Indicator).collect());
        clauses.extend(self.from.map(Clause::From));
        clauses.extend(self.until.map(Clause::Until));
        let within = |(behind, to): (Seq, Seq)| Clause::Seq { from: behind.next().0, until: Some(to.next().0) };
        clauses.extend(self.within.map(within));
        Ok(Clause::All(clauses))
    }

    /// The generation as of which this query is answered by an index that is complete to `indexed`.
    pub(crate) fn as_of_generation(&self, indexed: Seq) -> Result<Generation, Error> {
        let held = match (self.generation, self.after.map(|cursor| cursor.generation)) {
            (Some(asked), Some(held)) if asked != held => return Err(InvalidCursor::OfAnotherQuery.into()),
            (asked, held) => asked.or(held),
        };
        let generation = match (held, self.up_to) {
            (Some(held), Some(asked)) if asked != held.up_to => return Err(InvalidCursor::OfAnotherQuery.into()),
            (Some(held), _) => held,
            (None, asked) => Generation::of(asked.unwrap_or(indexed)),
        };
        let asked = generation.up_to;
        if asked > indexed { Err(Error::NotYetIndexed { asked, indexed }) } else { Ok(generation) }
    }

    /// What two pages of one answer have in common, in 64 bits: a cursor of another query is told apart.
    pub(crate) fn fingerprint(&self) -> u64 {
        let same = Self {
            limit: 0,
            after: None,
            up_to: None,
            generation: None,
            facets: Vec::new(),
            joined: Arc::default(),
            ..self.clone()
        };
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

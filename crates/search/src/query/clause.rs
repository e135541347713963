use std::sync::Arc;

use model::{PageKind, Seq, TargetId, Timestamp};

/// What an entry must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clause {
    /// All of these; without any, everything.
    All(Vec<Self>),
    /// At least one of these.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// These folded words, one directly behind the other.
    Words { place: Place, words: Vec<String> },
    /// This target.
    Target(TargetId),
    /// This language.
    Language(String),
    /// This kind of page.
    Kind(PageKind),
    /// This outcome or family of outcomes, in lower case.
    Outcome(String),
    /// Captured at this time or later.
    From(Timestamp),
    /// Captured before this time.
    Until(Timestamp),
    /// One of these captures, which are in order.
    Only(Arc<[Seq]>),
}

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The title or the text.
    Page,
    /// The title.
    Title,
    /// The text.
    Text,
    /// The URI.
    Uri,
}

impl Clause {
    /// The words whose presence makes an entry match, in the order of the query: what is scored and highlighted. What
    /// stands under a negation is none of them.
    pub(crate) fn looked_for(&self) -> Vec<(Place, &[String])> {
        let mut found = Vec::new();
        self.gather(&mut found);
        found
    }

    fn gather<'a>(&'a self, found: &mut Vec<(Place, &'a [String])>) {
        match self {
            Self::All(clauses) | Self::Any(clauses) => clauses.iter().for_each(|clause| clause.gather(found)),
            Self::Words { place, words } => found.push((*place, words)),
            _ => {}
        }
    }
}

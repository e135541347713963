use std::collections::BTreeSet;

use model::{Label, PageKind, TargetId, Timestamp};

use crate::joined::Observed;

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
    /// This folded word, or one that has its stem in the language of the page.
    Stemmed { place: Place, word: String },
    /// All of these folded words in any order, with at most so many others among them.
    Near { place: Place, words: Vec<String>, others: u32 },
    /// A folded word that begins like this; written at this character of the query.
    Prefix { place: Place, prefix: String, at: usize },
    /// A folded word that has at most so many mistakes; written at this character of the query.
    Fuzzy { place: Place, word: String, mistakes: u8, at: usize },
    /// One of these folded words: what a prefix or a word with mistakes came to.
    AnyWord { place: Place, words: BTreeSet<String> },
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
    /// A sequence from this one on and before that one.
    Seq { from: u64, until: Option<u64> },
    /// A price from this one on and before that one, in hundred-millionths.
    Price { from: u64, until: Option<u64> },
    /// A price in this currency.
    Currency(u64),
    /// This observable stands in the document.
    Observable(Observed),
    /// It bears this label.
    Label(Label),
    /// This indicator flags it.
    Indicator(String),
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

/// Words whose presence makes an entry match: what is scored and highlighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    /// These, one directly behind the other.
    Run(&'a [String]),
    /// This one, or one that has its stem.
    Stemmed(&'a String),
    /// These, in any order, with at most so many others among them.
    Near(&'a [String], u32),
    /// One of these.
    Any(&'a BTreeSet<String>),
}

impl Clause {
    /// The words whose presence makes an entry match, in the order of the query. What stands under a negation is none of them.
    pub(crate) fn looked_for(&self) -> Vec<(Place, Wanted<'_>)> {
        let mut found = Vec::new();
        self.gather(&mut found);
        found
    }

    /// Whether it is found out by a look at each entry, and not by what the index finds at once.
    pub(crate) fn looks_at_each(&self) -> bool {
        match self {
            Self::All(clauses) | Self::Any(clauses) => clauses.iter().any(Self::looks_at_each),
            Self::Not(clause) => clause.looks_at_each(),
            Self::From(_)
            | Self::Until(_)
            | Self::Seq { .. }
            | Self::Price { .. }
            | Self::Currency(_)
            | Self::Label(_)
            | Self::Indicator(_)
            | Self::Near { .. } => true,
            _ => false,
        }
    }

    fn gather<'a>(&'a self, found: &mut Vec<(Place, Wanted<'a>)>) {
        match self {
            Self::All(clauses) | Self::Any(clauses) => clauses.iter().for_each(|clause| clause.gather(found)),
            Self::Words { place, words } => found.push((*place, Wanted::Run(words))),
            Self::Stemmed { place, word } => found.push((*place, Wanted::Stemmed(word))),
            Self::Near { place, words, others } => found.push((*place, Wanted::Near(words, *others))),
            Self::AnyWord { place, words } => found.push((*place, Wanted::Any(words))),
            _ => {}
        }
    }
}

use model::words::MAX_WORD_CHARS;

use super::parse::{LEAST_PREFIX, MAX_CHARS, MAX_DEPTH, MAX_OTHERS, MAX_WORDS};
use crate::expand::MAX_EXPANSIONS;

/// What is wrong with the text of a query, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {problem}")]
pub struct QueryError {
    /// The place, in characters, counted from 1.
    pub at: usize,
    /// What is wrong there.
    pub problem: QueryProblem,
}

/// What can be wrong with the text of a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum QueryProblem {
    #[error("the query is longer than {MAX_CHARS} characters")]
    TooLong,
    #[error("more than {MAX_DEPTH} levels of parentheses and negations")]
    TooDeep,
    #[error("more than {MAX_WORDS} words")]
    TooManyWords,
    #[error("expected a term after {0}")]
    ExpectedAfter(&'static str),
    #[error("expected a term before {0}")]
    ExpectedBefore(&'static str),
    #[error("this parenthesis is never closed")]
    UnclosedParenthesis,
    #[error("this parenthesis closes nothing")]
    UnopenedParenthesis,
    #[error("this quotation mark is never closed")]
    UnclosedQuotation,
    #[error("{0:?} holds no letter or digit to look for")]
    NothingToLookFor(String),
    #[error("words longer than {MAX_WORD_CHARS} characters are not indexed")]
    WordTooLong,
    #[error("there is no field {0:?}; put the text in quotation marks to look for it")]
    UnknownField(String),
    #[error("expected a value after {0}:")]
    ExpectedValue(&'static str),
    #[error("{value:?} is not {expected}")]
    InvalidValue { value: String, expected: &'static str },
    #[error("expected a range such as [a TO b], and a bracket that closes it")]
    InvalidRange,
    #[error("expected a number of words up to {MAX_OTHERS} after ~")]
    ExpectedDistance,
    #[error("expected a single word before {0}")]
    ExpectedOneWord(&'static str),
    #[error("expected at least {LEAST_PREFIX} letters before *")]
    PrefixTooShort,
    #[error("expected ~ or ~1 behind a word of three letters or more, or ~2 behind one of six or more")]
    InvalidMistakes,
    #[error("more than {MAX_EXPANSIONS} words are meant; say more of the word")]
    TooManyExpansions,
}

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// An indicator that matched a document, and why. It holds places and never text of the page, so that an erasure leaves
/// nothing behind in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The name of the indicator.
    pub indicator: String,
    /// The version of the indicator: the leaf of the act that made it.
    pub version: u64,
    /// The sum of the weights of the contributions.
    pub score: i64,
    /// What held, in the order of the indicator's conditions.
    pub contributions: Vec<Contribution>,
}

/// A condition of an indicator that held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// The condition in plain words, made of the indicator's text alone.
    pub condition: String,
    /// What it adds to the score.
    pub weight: i64,
    /// Where it held, in page order: the first [`Contribution::MAX_SPANS`] places. None where the page as a whole meets it.
    pub spans: Vec<Span>,
    /// In how many places it held. A pattern is looked for [`Contribution::MAX_SPANS`] times, and so counts no further.
    pub matches: u32,
}

impl Contribution {
    /// How many places a contribution shows.
    pub const MAX_SPANS: usize = 20;
}

/// A stretch of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// What it is a stretch of.
    pub place: Place,
    /// From where to where, in bytes of that place.
    pub at: Range<u32>,
}

/// A part of a document that spans point into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The title.
    Title,
    /// The visible text. What an observable was found in is text, too.
    Text,
    /// A value of a field.
    Field {
        /// The name of the field: `listing.price`, `rows.title`.
        name: String,
        /// Which of its values, counted from 0; for `rows` and `posts` it is the row or the post.
        item: u32,
    },
}

use std::ops::Range;

use model::{CaptureId, Outcome, PageKind, Seq, TargetId, Timestamp, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema;

/// One page of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchAnswer {
    /// How many captures match, exactly, on all pages together.
    pub total: u64,
    /// The sequence that the answer is complete to; later captures have no part in it. Given as `up_to`, the same query
    /// has the same answer again.
    #[schema(value_type = u64)]
    pub up_to: Seq,
    /// The state that the answer was made from. Given as `generation`, the same query has the same answer again, or is told that it cannot have it.
    #[schema(example = "g01118001030002a7c4091f")]
    pub generation: String,
    /// How many captures up to that sequence were erased: they have no part in the answer.
    pub erased: u64,
    /// How many captures were erased or sealed since that state: without them the answer would be the same.
    pub withheld_since: u64,
    /// The counts that were asked for, over all pages together.
    pub facets: Vec<FacetCounts>,
    /// The hits of this page, in order.
    pub hits: Vec<Hit>,
    /// What to give as `after` for the next page, if there is one.
    pub next: Option<String>,
}

/// A capture that matches. Its texts are a site's own: hostile, and not HTML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    /// Theme and sequence.
    #[schema(value_type = String, example = "marketplace/17")]
    pub capture: CaptureId,
    /// The sequence within the theme.
    #[schema(value_type = u64)]
    pub seq: Seq,
    /// The target that it was made for.
    #[schema(value_type = String)]
    pub target: TargetId,
    /// What was asked for.
    #[schema(value_type = String)]
    pub uri: Uri,
    /// When the attempt began.
    #[schema(value_type = String, format = DateTime)]
    pub captured_at: Timestamp,
    /// How it ended.
    #[schema(value_type = String, example = "Ok")]
    pub outcome: Outcome,
    /// What the page is.
    #[schema(schema_with = schema::page_kind)]
    pub kind: PageKind,
    /// The language, ISO 639-3, where it is known.
    pub language: Option<String>,
    /// What the page offers costs this, where it is about one offer.
    #[schema(example = "25.50 EUR")]
    pub price: Option<String>,
    /// The title.
    pub title: String,
    /// What matched in the title.
    pub title_highlights: Vec<Span>,
    /// A part of the text, where most of it matched.
    pub snippet: String,
    /// What matched in the snippet.
    pub highlights: Vec<Span>,
    /// The relevance, when sorted by it.
    pub score: Option<f64>,
    /// The sum of what indicators score, when sorted by it.
    pub flagged: Option<i64>,
}

/// How many matches have each value. A match with several values counts for each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacetCounts {
    /// By what was counted.
    #[schema(example = "kind")]
    pub facet: String,
    /// The 50 most frequent values; days, weeks and months in their order, the newest 400.
    pub values: Vec<FacetValue>,
    /// What the values that are not among them count together.
    pub other: u64,
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacetValue {
    /// The value, as it is written in queries; of days, weeks and months the first day.
    #[schema(example = "listing")]
    pub value: String,
    /// How many matches have it.
    pub count: u64,
}

/// Pages that are like another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Similar {
    /// The capture that they are like.
    #[schema(value_type = String, example = "marketplace/17")]
    pub capture: CaptureId,
    /// The pages, the most similar first.
    pub pages: Vec<SimilarPage>,
    /// Whether there may be more, among which was not looked.
    pub is_cut: bool,
}

/// A page that is like another one. Its title is a site's own: hostile, and not HTML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SimilarPage {
    /// The newest capture of the page that is like it.
    #[schema(value_type = String, example = "marketplace/42")]
    pub capture: CaptureId,
    /// What was asked for.
    #[schema(value_type = String)]
    pub uri: Uri,
    /// When the attempt began.
    #[schema(value_type = String, format = DateTime)]
    pub captured_at: Timestamp,
    /// The title in lower case, without what is no word.
    pub title: String,
    /// In how many of 64 bits a hash of both texts differs that is alike for texts that are alike: 0 for equal words, some 32 for texts that have
    /// nothing to do with each other.
    pub differing_bits: u32,
    /// How many of three rare runs of words both have.
    pub shared_runs: usize,
    /// Whether both are about one item of one seller.
    pub is_same_item: bool,
}

/// A stretch of a text: offsets in characters (Unicode scalar values), counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Span {
    /// The first character.
    pub start: usize,
    /// The character behind the last one.
    pub end: usize,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

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
    /// How many captures up to that sequence were erased: they have no part in the answer.
    pub erased: u64,
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

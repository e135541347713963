use std::ops::Range;

use model::{Outcome, PageKind, Price, Seq, TargetId, Timestamp, Uri};
use serde::Serialize;

use crate::{Cursor, FacetCounts, Generation};

/// One page of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// How many entries match, exactly, on all pages together.
    pub total: u64,
    /// The entries of this page, in order.
    pub hits: Vec<Hit>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
    /// The sequence that this answer is complete to. Later entries have no part in it, not even in the scores.
    pub up_to: Seq,
    /// The state that was answered from.
    pub generation: Generation,
    /// The counts that were asked for, over all pages together.
    pub facets: Vec<FacetCounts>,
}

impl Page {
    /// The same answer as one of another generation, which pages behind it hold on to.
    #[must_use]
    pub fn of_generation(self, generation: Generation) -> Self {
        let next = self.next.map(|next| Cursor { generation, ..next });
        Self { next, generation, ..self }
    }
}

/// One entry that matches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The capture's sequence within the theme.
    pub seq: Seq,
    /// The target that it was made for.
    pub target: TargetId,
    /// What was asked for.
    pub uri: Uri,
    /// When the attempt began.
    pub captured_at: Timestamp,
    /// How the attempt ended.
    pub outcome: Outcome,
    /// What the page is.
    pub kind: PageKind,
    /// The language of the text, ISO 639-3, where it is known.
    pub language: Option<String>,
    /// What the page offers costs this, where it is about one offer.
    pub price: Option<Price>,
    /// The title of the page, as it was: hostile text, and not HTML.
    pub title: String,
    /// What matched in the title: offsets in characters (Unicode scalar values).
    pub title_highlights: Vec<Range<usize>>,
    /// At most 240 characters of the text, where most of it matched: hostile text, and not HTML.
    pub snippet: String,
    /// What matched in the snippet: offsets in characters (Unicode scalar values).
    pub highlights: Vec<Range<usize>>,
    /// The relevance, when sorted by it.
    pub score: Option<f64>,
    /// The sum of what indicators score, when sorted by it.
    pub flagged: Option<i64>,
}

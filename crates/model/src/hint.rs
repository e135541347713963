use serde::{Deserialize, Serialize};

use crate::{Outcome, PageKind, TargetId, UriId};

/// What the crawler needs to know of a capture, written by `derive` and followed by `crawl`. The links lie beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrawlHint {
    /// The target of the capture.
    pub target: TargetId,
    /// The URI that was captured.
    pub uri: UriId,
    /// How the attempt ended.
    pub outcome: Outcome,
    /// What the page is.
    pub kind: PageKind,
    /// Where a refresh of the page leads that may be followed, if there is one.
    pub refresh: Option<crate::Refresh>,
    /// Whether its content digest differs from that of the URI's capture before.
    pub has_changed: bool,
    /// Whether analysis was given up: the capture killed it twice.
    pub is_quarantined: bool,
}

use serde::{Deserialize, Serialize};

use crate::{PageKind, TargetId, UriId};

/// What the crawler needs to know of a capture, written by `derive` and followed by `crawl`. The links lie beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrawlHint {
    /// The target of the capture.
    pub target: TargetId,
    /// The URI that was captured.
    pub uri: UriId,
    /// What the page is.
    pub kind: PageKind,
    /// Whether its content digest differs from that of the URI's capture before.
    pub has_changed: bool,
    /// Whether analysis was given up: the capture killed it twice.
    pub is_quarantined: bool,
}

//! What one capture comes to. A pure function of the capture, its payload, and the version that its URI had before.

use std::collections::HashMap;

use model::{Capture, CrawlHint, Document, PageKind, Seq, UriId};
use search::Entry;
use store::{Analysis, Version};

/// The versions that URIs have reached within a batch that is not written yet.
pub(crate) type Versions = HashMap<UriId, Version>;

/// What makes the document of a capture.
pub(crate) type Extractor = fn(&Capture, &[u8], &extract::Limits) -> Option<Document>;

/// Extracts the document of a capture, if it has content.
pub(crate) fn document(capture: &Capture, payload: &[u8], limits: &extract::Limits) -> Option<Document> {
    if !capture.outcome.has_content() {
        return None;
    }
    let page = extract::Page {
        uri: &capture.uri,
        status: capture.status.unwrap_or_default(),
        content_type: capture.header("content-type"),
        content_encoding: capture.header("content-encoding"),
        refresh: capture.header("refresh"),
        payload,
    };
    let (document, problems) = extract::document(&page, limits);
    if !problems.is_empty() {
        tracing::debug!(capture = %capture.seq, ?problems, "the page could not be read as it stands");
    }
    Some(document)
}

/// The analysis of a capture, given the last version of its URI.
pub(crate) fn analysis(capture: &Capture, document: Option<Document>, before: Option<Version>) -> Analysis {
    let version = document.as_ref().map(|document| continued(before, capture.seq, document));
    let hint = CrawlHint {
        target: capture.target,
        uri: capture.uri.id(),
        outcome: capture.outcome,
        kind: document.as_ref().map_or(PageKind::Other, |document| document.kind),
        refresh: document.as_ref().and_then(|document| document.refresh.clone()),
        has_changed: version.is_some_and(|version| version.first == capture.seq),
        is_quarantined: false,
    };
    Analysis { seq: capture.seq, hint, document, version: version.map(|version| (capture.uri.id(), version)) }
}

/// The analysis of a capture that must not be looked at again.
pub(crate) fn quarantined(capture: &Capture) -> Analysis {
    let plain = analysis(capture, None, None);
    Analysis { hint: CrawlHint { is_quarantined: true, ..plain.hint }, ..plain }
}

/// The run that the capture belongs to: the one before if the content is the same, else a new one.
pub(crate) fn continued(before: Option<Version>, seq: Seq, document: &Document) -> Version {
    match before {
        Some(version) if version.last >= seq => version,
        Some(version) if version.content_digest == document.content_digest => {
            Version { last: seq, captures: version.captures + 1, ..version }
        }
        _ => Version { first: seq, last: seq, captures: 1, content_digest: document.content_digest },
    }
}

/// What the index keeps of a capture. Every capture is found, also one without content: by its outcome, its time, its address.
pub(crate) fn entry(capture: &Capture, document: Option<&Document>) -> Entry {
    Entry {
        seq: capture.seq,
        target: capture.target,
        uri: capture.uri.clone(),
        captured_at: capture.started_at,
        outcome: capture.outcome,
        kind: document.map_or(PageKind::Other, |document| document.kind),
        language: document.and_then(|document| document.language.clone()),
        title: document.map(|document| document.title.clone()).unwrap_or_default(),
        text: document.map(|document| document.text.clone()).unwrap_or_default(),
    }
}

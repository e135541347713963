//! What one capture comes to. A pure function of the capture, its payload, and the version that its URI had before.

use model::{
    Capture, CrawlHint, Digest, Document, ObservableKind, ObservableSettings, PageKind, Price, Seq, Timestamp,
};
use search::Entry;
use store::{Analysis, Version};

use crate::sketch::sketch;

/// The confidence from which on a field is no guess, in percent.
const SURE: u8 = 50;

/// What makes captures one version: the content digest, and the rule that it was made under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    digest: Digest,
    rule: u32,
}

impl From<&Document> for Content {
    fn from(document: &Document) -> Self {
        Self { digest: document.content_digest, rule: document.digest_rule }
    }
}

impl From<Version> for Content {
    fn from(version: Version) -> Self {
        Self { digest: version.content_digest, rule: version.digest_rule }
    }
}

/// What makes the document of a capture.
pub(crate) type Extractor = fn(&Capture, &[u8], &Reading) -> Option<Document>;

/// With what the pages of a theme are read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    /// Up to where, and what is kept of it.
    pub(crate) limits: extract::Limits,
    /// Where the fields of known sites stand.
    pub(crate) profiles: Vec<extract::SiteProfile>,
}

/// Extracts the document of a capture, if it has content.
pub(crate) fn document(capture: &Capture, payload: &[u8], reading: &Reading) -> Option<Document> {
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
    let (document, problems) = extract::document_of_site(&page, &reading.limits, &reading.profiles);
    if !problems.is_empty() {
        tracing::debug!(capture = %capture.seq, ?problems, "the page could not be read as it stands");
    }
    Some(document)
}

/// What a page is, and its fields, read with one site profile; `None` where the capture has no content.
pub fn read_with(
    capture: &Capture,
    payload: &[u8],
    profile: &extract::SiteProfile,
) -> Option<(PageKind, model::Fields)> {
    let reading = Reading { limits: extract::Limits::default(), profiles: vec![profile.clone()] };
    document(capture, payload, &reading).map(|document| (document.kind, document.fields))
}

/// The normal form of an observable of this kind, however it is written, as a theme with these settings keeps it; `None` where `written` holds none.
pub fn normal_form(kind: ObservableKind, written: &str, settings: &ObservableSettings) -> Option<String> {
    if kind == ObservableKind::UserName {
        return extract::user_name(written);
    }
    let settings = ObservableSettings { kinds: [kind].into(), ..settings.clone() };
    let value =
        |text: &str| extract::observables(text, &settings).into_iter().next().map(|observable| observable.value);
    // Some are only told by what stands before them.
    value(written).or_else(|| value(&format!("{kind}: {written}")))
}

/// The analysis of a capture, given the last version of its URI and the content that it shows, or vouches for, if any.
pub(crate) fn analysis(
    capture: &Capture,
    document: Option<Document>,
    content: Option<Content>,
    before: Option<Version>,
) -> Analysis {
    let version = content.map(|content| continued(before, capture.seq, capture.started_at, content));
    let hint = CrawlHint {
        target: capture.target,
        uri: capture.uri.id(),
        outcome: capture.outcome,
        kind: document.as_ref().map_or(PageKind::Other, |document| document.kind),
        refresh: document.as_ref().and_then(|document| document.refresh.clone()),
        has_changed: version.is_some_and(|version| version.first == capture.seq),
        is_quarantined: false,
    };
    let sketch = document.as_ref().map(|document| sketch(capture, document));
    let version = version.map(|version| (capture.uri.id(), version));
    Analysis { seq: capture.seq, hint, document, sketch, version, findings: Vec::new() }
}

/// The analysis of a capture that must not be looked at again.
pub(crate) fn quarantined(capture: &Capture) -> Analysis {
    let plain = analysis(capture, None, None, None);
    Analysis { hint: CrawlHint { is_quarantined: true, ..plain.hint }, ..plain }
}

/// The run that the capture belongs to: the one before if the content is the same, else a new one.
///
/// Digests under different rules do not compare, so that a new rule begins a new run until all is derived again.
pub(crate) fn continued(before: Option<Version>, seq: Seq, seen: Timestamp, content: Content) -> Version {
    match before {
        Some(version) if version.last >= seq => version,
        Some(version) if Content::from(version) == content => {
            Version { last: seq, last_seen: seen, captures: version.captures.saturating_add(1), ..version }
        }
        _ => Version {
            number: before.map_or(1, |version| version.number.saturating_add(1)),
            digest_rule: content.rule,
            first: seq,
            last: seq,
            captures: 1,
            first_seen: seen,
            last_seen: seen,
            content_digest: content.digest,
        },
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
        price: document.and_then(price),
        observables: document.map(observables).unwrap_or_default(),
        title: document.map(|document| document.title.clone()).unwrap_or_default(),
        text: document.map(|document| document.text.clone()).unwrap_or_default(),
    }
}

/// What the offer costs that a page is about, where the price is no guess.
fn price(document: &Document) -> Option<Price> {
    let listing = document.fields.listing.as_ref().filter(|_| document.kind == PageKind::Listing)?;
    let price = listing.price.as_ref().filter(|price| price.confidence >= SURE)?;
    Some(price.value.clone())
}

fn observables(document: &Document) -> Vec<(ObservableKind, String)> {
    document.observables.iter().map(|found| (found.kind, found.value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content(of: u8, rule: u32) -> Content {
        Content { digest: Digest::of(&[of]), rule }
    }

    #[test]
    fn an_observable_is_looked_up_as_the_theme_keeps_it() {
        let check = |kind, written: &str, whole_cards, expect: Option<&str>| {
            let settings =
                ObservableSettings { regions: vec!["NL".into()], whole_cards, ..ObservableSettings::default() };
            assert_eq!(normal_form(kind, written, &settings).as_deref(), expect, "{kind} {written}");
        };
        let ether = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        check(ObservableKind::Eth, &ether.to_lowercase(), false, Some(ether));
        check(ObservableKind::Email, "a [at] example [dot] org", false, Some("a@example.org"));
        check(ObservableKind::UserName, " Lamp  KEEPER", false, Some("lamp keeper"));
        check(ObservableKind::PaymentCard, "4111 1111 1111 1111", true, Some("4111111111111111"));
        check(ObservableKind::PaymentCard, "4111 1111 1111 1111", false, Some("411111******1111"));
        check(ObservableKind::Phone, "06 12345678", false, Some("+31612345678"));
        check(ObservableKind::Telegram, "@night_ferry", false, Some("night_ferry"));
        check(ObservableKind::Btc, "nothing of the kind", false, None);
    }

    proptest! {
        #[test]
        fn numbers_count_the_changes(shown in prop::collection::vec((0u8..3, 1u32..3), 1..40)) {
            let mut version = None;
            let (mut changes, mut captures) = (0, 0);
            for (at, (of, rule)) in shown.iter().enumerate() {
                let (seq, seen) = (Seq(at as u64 * 3 + 1), Timestamp::from_micros(i64::try_from(at).unwrap()));
                let is_change = at == 0 || shown[at - 1] != (*of, *rule);
                changes += u32::from(is_change);
                captures = if is_change { 1 } else { captures + 1 };
                let next = continued(version, seq, seen, content(*of, *rule));
                prop_assert_eq!((next.number, next.captures, next.last, next.last_seen), (changes, captures, seq, seen));
                prop_assert_eq!(Content::from(next), content(*of, *rule));
                prop_assert_eq!(next.first == seq, is_change);
                prop_assert_eq!(continued(Some(next), seq, seen, content(*of, *rule)), next, "made again, it is the same");
                version = Some(next);
            }
        }
    }
}

//! What is kept of a page so that services can be compared: a pure function of capture and document.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use model::{Capture, Document, Field, Grade, Host, ObservableKind, Outcome, PageKind};
use store::{ListingSketch, Mark, Mention, Sketch, folded};

/// Bytes of text that are looked at.
const MAX_TEXT: usize = 256 << 10;

/// Words in a run.
const RUN: usize = 4;

/// Runs kept of a page.
const RUNS: usize = 3;

/// Words below which a page says too little to be compared.
const LEAST_WORDS: usize = 12;

/// Observables kept of a page, and other services that it names.
const MAX_OBSERVABLES: usize = 1000;
const MAX_MENTIONS: usize = 500;

/// The longest observable and title kept, in bytes.
const MAX_VALUE: usize = 1024;
const MAX_TITLE: usize = 200;

/// How far before an address it is looked for what it is called, in bytes.
const BEFORE: usize = 200;

/// How far apart addresses of one row are at most, in bytes.
const BETWEEN: usize = 40;

/// What an address is called when it leads to the same service, in lower case; also as part of a longer word.
const MIRROR_WORDS: &[&str] = &[
    "mirror",
    "alternative address",
    "alternative link",
    "alternative url",
    "alternate link",
    "backup address",
    "backup link",
    "official address",
    "official link",
    "official url",
    "our links",
    "our onion",
    "private link",
    "verified link",
    "working link",
    "new address",
    "spiegel",
    "alternatief adres",
    "alternatieve link",
    "reserveadres",
    "officiële link",
    "nieuw adres",
    "nieuwe link",
    "зеркал",
    "официальн",
    "резервн",
    "рабочие ссылки",
    "новый адрес",
    "miroir",
    "espejo",
];

/// The sketch of a page. Total, and linear in the text.
pub fn sketch(capture: &Capture, document: &Document) -> Sketch {
    let host = capture.uri.host().to_string();
    let place_text = extract::target_without_noise(&capture.uri, &capture.uri);
    let visible = document.visible_text();
    let text = &visible[..visible.floor_char_boundary(MAX_TEXT)];
    let words = words(text, document);
    let is_page = !document.kind.is_wall()
        && !matches!(document.kind, PageKind::NotFound | PageKind::MetaRefresh | PageKind::Error)
        && capture.outcome == Outcome::Ok;
    let is_content = is_page && words.len() >= LEAST_WORDS;
    let mentions = mentions(&host, text, document);
    Sketch {
        host,
        seen: capture.started_at,
        kind: document.kind,
        is_content,
        place: Mark::of("place", &[&place_text]),
        title: cut(folded(&document.title), MAX_TITLE),
        text: simhash(&words),
        shape: document.shape,
        runs: if is_content { least_runs(&words) } else { Vec::new() },
        listing: if is_page { listing(document, &place_text) } else { None },
        vendor: if is_page { vendor(document) } else { None },
        observables: observables(document),
        mentions,
    }
}

/// The item that a page is about. Title and seller tell it from others wherever it is offered; its place does while it is renamed.
fn listing(document: &Document, place: &str) -> Option<ListingSketch> {
    let fields = document.fields.listing.as_ref().filter(|_| document.kind == PageKind::Listing)?;
    let title = sure(fields.title.as_ref())?.clone();
    let vendor = sure(fields.vendor.as_ref()).cloned();
    let marks = match &vendor {
        Some(vendor) => {
            let vendor = folded(vendor);
            vec![Mark::of("item", &[&folded(&title), &vendor]), Mark::of("item-place", &[place, &vendor])]
        }
        None => vec![Mark::of("item-place", &[place, &folded(&title)])],
    };
    Some(ListingSketch {
        title: cut(title, MAX_VALUE),
        vendor: vendor.map(|vendor| cut(vendor, MAX_TITLE)),
        price: sure(fields.price.as_ref()).cloned(),
        marks,
    })
}

/// Whom a page is about, where it is their own.
fn vendor(document: &Document) -> Option<String> {
    let is_own = matches!(document.kind, PageKind::Vendor | PageKind::Pgp);
    let fields = document.fields.vendor.as_ref().filter(|_| is_own)?;
    let name = sure(fields.name.as_ref())?;
    (!folded(name).is_empty()).then(|| cut(name.clone(), MAX_TITLE))
}

/// The value of a field that is no guess.
fn sure<T>(field: Option<&Field<T>>) -> Option<&T> {
    field.filter(|field| field.confidence >= 50).map(|field| &field.value)
}

/// Each once, with its best grade. Other onion services are [`mentions`].
fn observables(document: &Document) -> Vec<(ObservableKind, Grade, String)> {
    let mut best: BTreeMap<(ObservableKind, &str), Grade> = BTreeMap::new();
    let some = document.observables.iter().filter(|found| found.kind != ObservableKind::OnionV3);
    for found in some.filter(|found| found.value.len() <= MAX_VALUE) {
        if best.len() >= MAX_OBSERVABLES && !best.contains_key(&(found.kind, found.value.as_str())) {
            continue;
        }
        let grade = best.entry((found.kind, &found.value)).or_insert(found.grade);
        *grade = (*grade).max(found.grade);
    }
    best.into_iter().map(|((kind, value), grade)| (kind, grade, value.to_owned())).collect()
}

/// The onion services that a page links to or names, other than its own.
fn mentions(own: &str, text: &str, document: &Document) -> Vec<Mention> {
    let signed = signed(text);
    let is_list = is_called_mirror(&document.title);
    let mut named: BTreeMap<String, bool> = BTreeMap::new();
    let mut note = |host: String, is_called: bool| {
        if host != own && (named.len() < MAX_MENTIONS || named.contains_key(&host)) {
            *named.entry(host).or_default() |= is_called;
        }
    };
    // In a row of addresses all are called what the first one is.
    let (mut end, mut is_called) = (0, false);
    for found in document.observables.iter().filter(|found| found.kind == ObservableKind::OnionV3) {
        let at = index(found.at.start);
        let is_signed = signed.iter().any(|message| message.contains(&at));
        let goes_on = is_called && at.saturating_sub(end) <= BETWEEN;
        is_called = goes_on || is_list || is_signed || is_called_mirror(before(text, at));
        end = index(found.at.end);
        note(found.value.clone(), is_called);
    }
    for link in &document.links {
        if let Host::Onion(address) = link.uri.host() {
            note(address.to_string(), is_called_mirror(&link.anchor));
        }
    }
    named.into_iter().map(|(host, is_called_mirror)| Mention { host, is_called_mirror }).collect()
}

/// What stands before a place in a text, and near it.
fn before(text: &str, at: usize) -> &str {
    let end = text.floor_char_boundary(at);
    text.get(text.floor_char_boundary(end.saturating_sub(BEFORE))..end).unwrap_or_default()
}

fn is_called_mirror(text: &str) -> bool {
    let text = text.to_lowercase();
    MIRROR_WORDS.iter().any(|word| text.contains(word))
}

/// Where the text of signed messages stands. Whether the signature holds is not checked.
fn signed(text: &str) -> Vec<Range<usize>> {
    let ends = |from: usize| text.get(from..).and_then(|rest| rest.find("BEGIN PGP SIGNATURE")).map(|end| from + end);
    let begins = text.match_indices("BEGIN PGP SIGNED MESSAGE").take(100);
    begins.filter_map(|(at, _)| ends(at).map(|end| at..end)).collect()
}

/// The words of a text in lower case, as hashes: without observables, noise, and what has figures in it. So a page is much the same when prices and
/// dates move on, and the same but for the addresses where somebody put in others.
fn words(text: &str, document: &Document) -> Vec<u64> {
    // Names stay: who sells tells one market from another.
    let observables = document.observables.iter().filter(|found| found.kind != ObservableKind::UserName);
    let observables = observables.map(|found| index(found.at.start)..index(found.at.end));
    let mut left_out: Vec<Range<usize>> = observables.chain(extract::noise(text)).collect();
    left_out.sort_unstable_by_key(|range| range.start);
    let mut hashes = Vec::new();
    let mut from = 0;
    for range in left_out.iter().chain([&(text.len()..text.len())]) {
        let piece = text.get(from..range.start.min(text.len())).unwrap_or_default();
        let words = piece.split(|letter: char| !letter.is_alphanumeric());
        let telling = words.filter(|word| !word.is_empty() && !word.contains(|letter: char| letter.is_numeric()));
        hashes.extend(telling.map(|word| fnv(word.to_lowercase().bytes())));
        from = from.max(range.end);
    }
    hashes
}

/// Charikar's simhash over pairs of words. Of texts that share all but a hundredth of their pairs some three bits differ.
fn simhash(words: &[u64]) -> u64 {
    let mut votes = [0i32; 64];
    for pair in words.windows(2) {
        let hash = mixed(pair);
        for (bit, vote) in votes.iter_mut().enumerate() {
            *vote += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    votes.iter().enumerate().filter(|(_, vote)| **vote > 0).fold(0, |hash, (bit, _)| hash | 1 << bit)
}

/// Broder's min-wise sketch: the least hashes of all runs of words.
fn least_runs(words: &[u64]) -> Vec<u64> {
    let mut least = BTreeSet::new();
    for run in words.windows(RUN) {
        least.insert(mixed(run));
        if least.len() > RUNS {
            least.pop_last();
        }
    }
    least.into_iter().collect()
}

fn mixed(words: &[u64]) -> u64 {
    let hash = fnv(words.iter().flat_map(|word| word.to_be_bytes()));
    // The finaliser of SplitMix64: FNV's high bits alone say little of the last bytes.
    let hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

/// FNV-1a of 64 bits: fast, and the same on every machine.
fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

fn cut(mut text: String, len: usize) -> String {
    text.truncate(text.floor_char_boundary(len));
    text
}

#[cfg(test)]
mod tests;

//! Pages that are like a page: looked for by what both share, a bounded part of that, and compared by their sketches.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use model::{CaptureId, Grant, Seq, ThemeId, Timestamp, Uri, UriId};
use store::{Error, Mark, Sketch, Store};

/// Services that are looked at for each thing that the page may share with others.
const SERVICES: usize = 50;

/// Captures that are looked at on each of them.
const CAPTURES: usize = 20;

/// Captures that are compared with the page.
const CANDIDATES: usize = 2_000;

/// Bits in which the hashes of texts differ that have something to do with each other, where nothing else speaks for it. Of texts that have not, some
/// 32 differ, hardly ever fewer than 16.
const ALIKE: u32 = 12;

/// Pages that are like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Similar {
    /// The pages, the most similar first.
    pub pages: Vec<SimilarPage>,
    /// Whether there may be more, among which was not looked.
    pub is_cut: bool,
}

/// A page that is like another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimilarPage {
    /// The newest capture of its URI that is like it.
    pub seq: Seq,
    /// What was asked for.
    pub uri: Uri,
    /// When the attempt began.
    pub captured_at: Timestamp,
    /// The title in lower case, without what is no word.
    pub title: String,
    /// Bits in which the hashes of the texts differ.
    pub differing_bits: u32,
    /// Runs of words that both keep.
    pub shared_runs: usize,
    /// Whether both are about one item.
    pub is_same_item: bool,
}

/// At most `limit` pages of other URIs that are like that of a capture; none where it has no content of its own.
pub fn similar(store: &Store, grant: &Grant, theme: ThemeId, seq: Seq, limit: usize) -> Result<Similar, Error> {
    let mut similar = Similar { pages: Vec::new(), is_cut: false };
    let own = store.sketch(grant, theme, seq)?.filter(|sketch| sketch.is_content);
    let (Some(own), Some(capture)) = (own, store.capture_if_open(grant, CaptureId { theme, seq })?) else {
        return Ok(similar);
    };
    let mut candidates: BTreeSet<Seq> = BTreeSet::new();
    for mark in own.marks_of_content() {
        similar.is_cut |= gather(store, grant, theme, mark, &mut candidates)?;
    }
    let mut newest: BTreeMap<UriId, SimilarPage> = BTreeMap::new();
    // The newest first, so that it is met before older ones of its URI.
    for other in candidates.into_iter().rev() {
        let Some(sketch) = store.sketch(grant, theme, other)?.filter(|sketch| sketch.is_content) else { continue };
        let likeness = Likeness::of(&own, &sketch);
        if !likeness.is_near() {
            continue;
        }
        let Some(found) = store.capture_if_open(grant, CaptureId { theme, seq: other })? else { continue };
        let id = found.uri.id();
        if id != capture.uri.id() {
            newest.entry(id).or_insert(SimilarPage {
                seq: other,
                uri: found.uri,
                captured_at: found.started_at,
                title: sketch.title,
                differing_bits: likeness.differing_bits,
                shared_runs: likeness.shared_runs,
                is_same_item: likeness.is_same_item,
            });
        }
    }
    similar.pages = newest.into_values().collect();
    let order = |page: &SimilarPage| (!page.is_same_item, page.differing_bits, Reverse(page.shared_runs), page.seq);
    similar.pages.sort_by_key(order);
    similar.is_cut |= similar.pages.len() > limit;
    similar.pages.truncate(limit);
    Ok(similar)
}

/// Adds captures that show what a mark is of; whether there may be more.
fn gather(
    store: &Store,
    grant: &Grant,
    theme: ThemeId,
    mark: Mark,
    candidates: &mut BTreeSet<Seq>,
) -> Result<bool, Error> {
    let services = store.services_with(grant, theme, mark, Seq(u64::MAX), SERVICES)?;
    let mut is_cut = services.len() == SERVICES;
    for service in services {
        let captures = store.captures_with(grant, theme, mark, service, CAPTURES)?;
        is_cut |= captures.len() == CAPTURES;
        for seq in captures {
            if candidates.len() == CANDIDATES {
                return Ok(true);
            }
            candidates.insert(seq);
        }
    }
    Ok(is_cut)
}

/// What two pages have in common.
struct Likeness {
    differing_bits: u32,
    shared_runs: usize,
    is_same_item: bool,
}

impl Likeness {
    fn of(a: &Sketch, b: &Sketch) -> Self {
        let marks = |sketch: &Sketch| -> BTreeSet<Mark> {
            sketch.listing.iter().flat_map(|listing| listing.marks.iter().copied()).collect()
        };
        Self {
            differing_bits: (a.text ^ b.text).count_ones(),
            shared_runs: a.runs.iter().filter(|run| b.runs.contains(run)).count(),
            is_same_item: marks(a).intersection(&marks(b)).next().is_some(),
        }
    }

    /// A run of words may stand at the head of every page of a site; it takes more.
    const fn is_near(&self) -> bool {
        self.is_same_item || self.differing_bits <= ALIKE || self.shared_runs > 1
    }
}

//! Sellers on several services, linked by the verified keys on their own pages.

use std::collections::{BTreeMap, BTreeSet};

use model::{Grant, Seq, ThemeId, Timestamp};
use store::{Error, Mark, Store, folded};

/// Sellers of one service beyond which a key is nobody's own: it is the market's.
const MOST_OWNERS: usize = 2;

/// Services that are looked at, and captures on each of them.
const MOST_SERVICES: usize = 100;
const MOST_CAPTURES: usize = 200;

/// Keys of one seller that are followed.
const MOST_KEYS: usize = 20;

/// A seller's own pages on one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorPage {
    /// The name, as shown.
    pub name: String,
    /// The service.
    pub host: String,
    /// The oldest capture that was looked at.
    pub first: Seq,
    /// The newest one.
    pub last: Seq,
    /// When the attempt of the newest one began.
    pub last_seen: Timestamp,
}

/// A key, and whose pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLink {
    /// The fingerprint.
    pub fingerprint: String,
    /// Whether pages of several sellers of one service show it, so that it is the market's and links nobody.
    pub is_shared: bool,
    /// The pages that show it; for a key that links nobody those of the seller who was asked about.
    pub pages: Vec<VendorPage>,
}

/// What is known of a seller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorLinks {
    /// The pages of the sellers of this name. On different services that may be different people.
    pub pages: Vec<VendorPage>,
    /// The keys on these pages, and on whose pages else they stand.
    pub keys: Vec<KeyLink>,
}

/// The sellers of a name, and with whom verified keys link them. A name alone links nobody.
pub fn vendor_links(store: &Store, grant: &Grant, theme: ThemeId, name: &str) -> Result<VendorLinks, Error> {
    let mut fingerprints = BTreeSet::new();
    let own = pages(store, grant, theme, Mark::vendor(&folded(name)), &mut fingerprints)?;
    let mut keys = Vec::new();
    for fingerprint in fingerprints.into_iter().take(MOST_KEYS) {
        let pages = pages(store, grant, theme, Mark::vendor_key(&fingerprint), &mut BTreeSet::new())?;
        let mut owners: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for page in &pages {
            owners.entry(&page.host).or_default().insert(folded(&page.name));
        }
        let is_shared = owners.values().any(|names| names.len() > MOST_OWNERS);
        let is_own = |page: &VendorPage| folded(&page.name) == folded(name);
        let pages = pages.into_iter().filter(|page| !is_shared || is_own(page)).collect();
        keys.push(KeyLink { fingerprint, is_shared, pages });
    }
    Ok(VendorLinks { pages: own, keys })
}

/// The sellers' pages that a mark is on, one for each name and service; adds what keys they show.
fn pages(
    store: &Store,
    grant: &Grant,
    theme: ThemeId,
    mark: Mark,
    fingerprints: &mut BTreeSet<String>,
) -> Result<Vec<VendorPage>, Error> {
    let mut pages: BTreeMap<(String, String), VendorPage> = BTreeMap::new();
    for service in store.services_with(grant, theme, mark, Seq(u64::MAX), MOST_SERVICES)? {
        for seq in store.captures_with(grant, theme, mark, service, MOST_CAPTURES)? {
            let Some(sketch) = store.sketch(grant, theme, seq)? else { continue };
            let Some(name) = sketch.vendor.clone() else { continue };
            fingerprints.extend(sketch.vendor_keys().map(str::to_owned));
            let page = VendorPage { name, host: sketch.host, first: seq, last: seq, last_seen: sketch.seen };
            let key = (page.host.clone(), folded(&page.name));
            // They come newest first.
            pages.entry(key).and_modify(|known| known.first = seq).or_insert(page);
        }
    }
    Ok(pages.into_values().collect())
}

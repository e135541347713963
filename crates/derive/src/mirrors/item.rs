//! An item over its mirrors, and what it cost over time.

use std::collections::{BTreeMap, BTreeSet};

use model::{Grant, Price, Seq, ServiceId, ThemeId, Timestamp};
use store::{Error, Store};

use super::cluster::cluster_of;

/// Captures of an item that are looked at on each service, the newest ones.
const MOST_CAPTURES: usize = 1000;

/// An item: the same title and seller, or the same seller's at the same place, on the services of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The title, as the capture that was asked about shows it.
    pub title: String,
    /// Who offers it, as that capture shows it.
    pub vendor: Option<String>,
    /// The services of the cluster.
    pub hosts: Vec<String>,
    /// The captures that show it, oldest first.
    pub captures: Vec<ItemCapture>,
    /// What it cost, service by service and oldest first.
    pub prices: Vec<PriceRun>,
    /// Whether there are older captures than were looked at.
    pub is_cut: bool,
}

/// A capture of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemCapture {
    /// The capture.
    pub seq: Seq,
    /// The service.
    pub host: String,
    /// When the attempt began.
    pub seen: Timestamp,
    /// The title that it shows.
    pub title: String,
    /// What the item costs.
    pub price: Option<Price>,
}

/// A run of captures of one service that show one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRun {
    /// The service.
    pub host: String,
    /// The price.
    pub price: Price,
    /// When it was seen first.
    pub from: Timestamp,
    /// When it was seen last.
    pub until: Timestamp,
    /// The capture that shows it first.
    pub first: Seq,
    /// The capture that shows it last.
    pub last: Seq,
    /// How many captures show it.
    pub captures: usize,
}

/// The item that a capture is of; `None` where it is of none.
pub fn item(store: &Store, grant: &Grant, theme: ThemeId, seq: Seq) -> Result<Option<Item>, Error> {
    let Some(sketch) = store.sketch(grant, theme, seq)? else { return Ok(None) };
    let Some(listing) = sketch.listing else { return Ok(None) };
    let hosts = cluster_of(store, grant, theme, &sketch.host)?.hosts;
    let mut sequences = BTreeSet::new();
    let mut is_cut = false;
    for host in &hosts {
        for mark in &listing.marks {
            let found = store.captures_with(grant, theme, *mark, ServiceId::of(host), MOST_CAPTURES)?;
            is_cut |= found.len() == MOST_CAPTURES;
            sequences.extend(found);
        }
    }
    let mut captures = Vec::with_capacity(sequences.len());
    for seq in sequences {
        let Some(sketch) = store.sketch(grant, theme, seq)? else { continue };
        let Some(shown) = sketch.listing else { continue };
        captures.push(ItemCapture {
            seq,
            host: sketch.host,
            seen: sketch.seen,
            title: shown.title,
            price: shown.price,
        });
    }
    let prices = price_runs(&captures);
    Ok(Some(Item { title: listing.title, vendor: listing.vendor, hosts, captures, prices, is_cut }))
}

/// Folds what each service shows one capture after the other. A capture that shows no price says nothing.
fn price_runs(captures: &[ItemCapture]) -> Vec<PriceRun> {
    let mut by_host: BTreeMap<&str, Vec<PriceRun>> = BTreeMap::new();
    for capture in captures {
        let Some(price) = &capture.price else { continue };
        let runs = by_host.entry(&capture.host).or_default();
        match runs.last_mut().filter(|run| run.price == *price) {
            Some(run) => {
                run.until = run.until.max(capture.seen);
                run.last = capture.seq;
                run.captures += 1;
            }
            None => runs.push(PriceRun {
                host: capture.host.clone(),
                price: price.clone(),
                from: capture.seen,
                until: capture.seen,
                first: capture.seq,
                last: capture.seq,
                captures: 1,
            }),
        }
    }
    by_host.into_values().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(seq: u64, host: &str, amount: &str) -> ItemCapture {
        ItemCapture {
            seq: Seq(seq),
            host: host.into(),
            seen: Timestamp::from_micros(i64::try_from(seq).unwrap() * 1_000_000),
            title: "t".into(),
            price: (!amount.is_empty()).then(|| Price { amount: amount.into(), currency: "EUR".into() }),
        }
    }

    #[test]
    fn equal_prices_of_one_service_are_one_run() {
        let captures = [
            capture(1, "a", "5"),
            capture(2, "b", "5"),
            capture(3, "a", ""),
            capture(4, "a", "5"),
            capture(5, "a", "6"),
            capture(6, "b", "5"),
            capture(7, "a", "5"),
        ];
        let told = |run: &PriceRun| format!("{} {} {}-{} x{}", run.host, run.price, run.first, run.last, run.captures);
        let runs: Vec<String> = price_runs(&captures).iter().map(told).collect();
        assert_eq!(runs, ["a 5 EUR 1-4 x2", "a 6 EUR 5-5 x1", "a 5 EUR 7-7 x1", "b 5 EUR 2-6 x2"]);
    }

    proptest::proptest! {
        #[test]
        fn every_price_is_in_one_run(shown in proptest::collection::vec((0u8..3, 0u8..3), 0..40)) {
            let captures: Vec<_> = (1..).zip(&shown).map(|(seq, (host, price))| capture(seq, &host.to_string(), &price.to_string())).collect();
            let runs = price_runs(&captures);
            proptest::prop_assert_eq!(runs.iter().map(|run| run.captures).sum::<usize>(), captures.len());
            let is_folded = |pair: &[PriceRun]| pair[0].host != pair[1].host || pair[0].price != pair[1].price;
            proptest::prop_assert!(runs.windows(2).all(is_folded));
        }
    }
}

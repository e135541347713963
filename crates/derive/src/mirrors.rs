//! Services behind several addresses: mirrors, clones, what ties services and sellers together, and what an item cost over time.
//!
//! All of it is computed when somebody asks, from the sketches and traces of the store, over a bounded part of them; nothing here is kept.

mod cluster;
mod item;
mod likeness;
mod picture;
mod proposal;
mod vendor;

pub use cluster::{Cluster, Clusters, Pair, alike, cluster_of, clusters};
pub use item::{Item, ItemCapture, PriceRun, item};
pub use likeness::{Difference, Likeness, PagePair, Verdict};
pub use proposal::{Proposal, Proposals, proposals};
pub use vendor::{KeyLink, VendorLinks, VendorPage, vendor_links};

#[cfg(test)]
mod tests;

//! Phase *analysis*: follows the captures of each theme with a durable cursor and fills every derived view: documents, links,
//! versions, crawl hints, and the search index. Follows erasures and seals in the same way, until no view, index or file holds what they took.
//!
//! Each new document is looked at for the theme's indicators, and each stored one again when an indicator changes.
//!
//! It also compares two documents, as data, whenever somebody asks, and says which services are alike, what ties them, and what an item cost.
//!
//! This crate deliberately fetches nothing and decides nothing: a capture goes in, views come out, and the same captures give
//! the same views however often they are made.

mod analysis;
mod compare;
mod config;
mod deriver;
mod eraser;
mod mirrors;
mod profiles;
mod scoring;
mod similar;
mod sketch;
mod versions;

pub use analysis::{normal_form, read_with};
pub use compare::{Comparison, FieldChange, Granularity, TextChange, TextDifference, compare};
pub use config::Config;
pub use deriver::{Deriver, Error};
pub use mirrors::{
    Cluster, Clusters, Difference, Item, ItemCapture, KeyLink, Likeness, PagePair, Pair, PriceRun, Proposal, Proposals,
    VendorLinks, VendorPage, Verdict, alike, cluster_of, clusters, item, proposals, vendor_links,
};
pub use similar::{Similar, SimilarPage, similar};
pub use sketch::sketch;

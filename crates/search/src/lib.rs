//! The index: one tantivy directory per theme, its schema, its writer, the query language, paging, highlights.
//!
//! Everything here is derived. A directory that is damaged, foreign or older than this program is emptied and says that
//! it holds nothing; whoever fills it begins again at sequence 1. Entries are only added, in sequence order, so that an
//! answer as of a sequence stays what it was; they are taken out only where captures are erased or sealed. This crate deliberately is not the truth, decides no policy, does
//! not fetch, extract or score pages by indicators, and is synchronous: callers move its work off their event loop.

mod analyzer;
mod budget;
mod columns;
mod config;
mod cursor;
mod entry;
mod error;
mod expand;
mod facets;
mod generation;
mod holding;
mod index;
mod indexes;
mod joined;
mod latest;
mod matching;
mod page;
mod price;
mod query;
mod relevance;
mod schema;
mod segment;
mod select;
mod snippet;
mod stems;

pub use config::Config;
pub use cursor::{Cursor, InvalidCursor};
pub use entry::Entry;
pub use error::Error;
pub use facets::{Facet, FacetCount, FacetCounts, UnknownFacet};
pub use generation::{Generation, InvalidGeneration};
pub use holding::Holding;
pub use index::Index;
pub use indexes::Indexes;
pub use joined::{Asked, Captures, Joined, Observed};
pub use page::{Hit, Page};
pub use query::{Query, QueryError, QueryProblem, Sort, Versions};

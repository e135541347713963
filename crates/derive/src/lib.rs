//! Phase *analysis*: follows the captures of each theme with a durable cursor and fills every derived view: documents, links,
//! versions, crawl hints, and the search index. Follows erasures and seals in the same way, until no view, index or file holds what they took.
//!
//! It also compares two documents, as data, whenever somebody asks.
//!
//! This crate deliberately fetches nothing and decides nothing: a capture goes in, views come out, and the same captures give
//! the same views however often they are made.

mod analysis;
mod compare;
mod config;
mod deriver;
mod eraser;
mod versions;

pub use analysis::normal_form;
pub use compare::{Comparison, FieldChange, Granularity, TextChange, TextDifference, compare};
pub use config::Config;
pub use deriver::{Deriver, Error};

//! Operational use: captures leave the house as WARC or WACZ, each with its proof, and each export is a leaf of the evidence log before its first
//! byte leaves.
//!
//! An export is never kept: its leaf says what was selected and which bytes that came to, and they are made again whenever somebody asks. This crate
//! deliberately changes nothing but the log, holds no key, and judges no content; how the records are spelt is the business of `warc`, and the shape of a
//! proof that of `verify`.

mod archive;
mod error;
mod exporter;
mod order;
mod records;
mod selected;
mod sink;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use exporter::Exporter;
pub use order::{Export, Format, Order, Selection};

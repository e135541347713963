//! WARC/1.1 (ISO 28500:2017) and WACZ 1.1.1, reading and writing: records with their digests, one gzip member per record.
//!
//! The writer makes the same bytes of the same input: identifiers and dates come in from the caller. The reader takes any bytes
//! within stated bounds of memory, and says at which offset they stop making sense. This crate deliberately does not know what a
//! target or a theme is, decides nothing about what belongs into an archive, makes no signatures, and opens no files.

mod cdxj;
mod check;
mod date;
mod digest;
mod error;
mod fields;
mod header;
mod http;
mod io;
mod reader;
mod record_id;
mod surt;
mod wacz;
mod writer;
mod zip;

pub use check::{Checked, Examined, Verdict};
pub use date::Date;
pub use digest::Digest;
pub use error::{Damage, Error, Result};
pub use fields::Fields;
pub use header::{Header, Original, RecordType, Truncation};
pub use http::{Payload, PayloadHasher};
pub use reader::{Limits, Reader, Record};
pub use record_id::RecordId;
pub use wacz::{
    About, Manifest, Page, Problem, Resource, Signature, SignedData, WaczFiles, WaczLimits, WaczReader, WaczWriter,
};
pub use writer::{Compression, Span, Writer};

#[cfg(test)]
mod tests;

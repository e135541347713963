//! Checks an export offline, on a machine without our store: digests, the leaf rebuilt from disclosed salts, the path to the
//! checkpoint, its signature, its time-stamps. Says of each thing whether it holds, fails, or cannot be checked, and why.
//!
//! Also says how an export carries its proof, so that whoever writes one and whoever checks it read the same page:
//! [`Disclosure`], and in prose `docs/export-format.md`.
//!
//! This crate deliberately needs no store and no network, keeps nothing, and trusts nothing but what it is given in [`Trust`].

mod archive;
mod capture;
mod checkpoint;
mod disclosure;
mod error;
mod report;
#[cfg(test)]
mod tests;
mod verify;

pub use disclosure::{CONTENT_TYPE, Disclosure, KEY_FIELD, PROOFS_PATH, target_uri};
pub use error::Error;
pub use report::{Statement, Summary, Verdict};
pub use verify::{Trust, verify};

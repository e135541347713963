//! The Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1), and the numbering in which its hashes are kept.
//!
//! A log keeps one hash for each *complete* subtree, addressed by [`Node`]; those never change. What belongs to the ragged
//! right edge is computed from them, in as many reads as the size has digits in base two.

mod prove;
mod range;
#[cfg(test)]
mod tests;
mod verify;

use std::ops::Range;

use crate::{Error, Hash};

pub use prove::{consistency_proof, inclusion_proof};
pub use range::CompactRange;
pub use verify::{verify_consistency, verify_inclusion};

/// The greatest number of leaves: the signed 64 bits in which other implementations count.
pub const MAX_LEAVES: u64 = i64::MAX as u64;

/// A complete subtree: that over the leaves `index · 2^level .. (index + 1) · 2^level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Its height; a leaf's is 0.
    pub level: u8,
    /// Its place among the subtrees of this height, from the left.
    pub index: u64,
}

/// The hash of a leaf: SHA-256(0x00 ‖ entry).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash::of(&[&[0], entry])
}

/// The hash of a subtree with two children: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Hash::of(&[])
}

/// The root over the first `size` leaves. Errors: those of `read`.
pub fn root<E>(size: u64, mut read: impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    if size == 0 { Ok(empty_root()) } else { range_hash(0..size, &mut read) }
}

/// The hash of the subtree over `leaves`, which is not empty and begins where a subtree of at least its width begins.
fn range_hash<E>(leaves: Range<u64>, read: &mut impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    let width = leaves.end - leaves.start;
    if width.is_power_of_two() {
        return read(complete(&leaves));
    }
    let middle = leaves.start + split(width);
    let left = range_hash(leaves.start..middle, read)?;
    let right = range_hash(middle..leaves.end, read)?;
    Ok(node_hash(&left, &right))
}

/// The complete subtree over `leaves`, as many as a power of two.
fn complete(leaves: &Range<u64>) -> Node {
    #[expect(clippy::cast_possible_truncation, reason = "a number of 64 bits has no greater logarithm than 63")]
    let level = (leaves.end - leaves.start).ilog2() as u8;
    Node { level, index: leaves.start >> level }
}

/// The greatest power of two below `width`, which is at least 2.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

fn check_size(size: u64) -> Result<(), Error> {
    if size > MAX_LEAVES { Err(Error::OutOfRange { what: "size", asked: size, size: MAX_LEAVES }) } else { Ok(()) }
}

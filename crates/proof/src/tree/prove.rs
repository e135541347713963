use std::ops::Range;

use super::{Node, check_size, range_hash, split};
use crate::{Error, Hash};

/// The path from leaf `index` to the root over `size` leaves, lowest first (RFC 9162 §2.1.3.1).
/// Errors: those of `read`; [`Error::OutOfRange`] where there is no such leaf.
pub fn inclusion_proof<E: From<Error>>(
    index: u64,
    size: u64,
    mut read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    check_size(size)?;
    if index >= size {
        return Err(Error::OutOfRange { what: "leaf", asked: index, size }.into());
    }
    let mut proof = Vec::new();
    let mut leaves = 0..size;
    while leaves.end - leaves.start > 1 {
        let (left, right) = halves(&leaves);
        let (inside, beside) = if left.contains(&index) { (left, right) } else { (right, left) };
        proof.push(range_hash(beside, &mut read)?);
        leaves = inside;
    }
    proof.reverse();
    Ok(proof)
}

/// That the first `old` of `new` leaves are those of the tree of `old` (RFC 9162 §2.1.4.1). Empty where `old` is 0 or `new`.
/// Errors: those of `read`; [`Error::OutOfRange`] where `old` is beyond `new`.
pub fn consistency_proof<E: From<Error>>(
    old: u64,
    new: u64,
    mut read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    check_size(new)?;
    if old > new {
        return Err(Error::OutOfRange { what: "size", asked: old, size: new }.into());
    }
    let mut proof = Vec::new();
    if old == 0 {
        return Ok(proof);
    }
    // Down to the subtree that ends where the old tree ended.
    let mut leaves = 0..new;
    while leaves.end != old {
        let (left, right) = halves(&leaves);
        let (inside, beside) = if old <= left.end { (left, right) } else { (right, left) };
        proof.push(range_hash(beside, &mut read)?);
        leaves = inside;
    }
    // Who verifies knows the old root, and so this subtree where it is the whole old tree.
    if leaves.start > 0 {
        proof.push(range_hash(leaves, &mut read)?);
    }
    proof.reverse();
    Ok(proof)
}

fn halves(leaves: &Range<u64>) -> (Range<u64>, Range<u64>) {
    let middle = leaves.start + split(leaves.end - leaves.start);
    (leaves.start..middle, middle..leaves.end)
}

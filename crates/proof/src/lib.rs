//! What proves: leaves and commitments, the Merkle tree and its tiles, signed checkpoints, inclusion proofs, time-stamps.
//!
//! This crate deliberately does no I/O, reads no clock and draws no randomness, and knows no store and no export: whoever
//! calls brings bytes, hashes, keys and salts. The log of the store and the check on a stranger's machine share it.

mod error;
mod hash;
mod leaf;
mod salt;
mod tree;

pub use error::Error;
pub use hash::Hash;
pub use leaf::{Fact, Leaf, LeafKind, MAX_LEAF_BYTES};
pub use salt::{Commitment, CommitmentHasher, PartSalt, Salt};
pub use tree::{
    CompactRange, MAX_LEAVES, Node, consistency_proof, empty_root, inclusion_proof, leaf_hash, node_hash, root,
    verify_consistency, verify_inclusion,
};

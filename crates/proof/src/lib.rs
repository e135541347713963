//! What proves: leaves and commitments, the Merkle tree and its tiles, signed checkpoints, inclusion proofs, time-stamps.
//!
//! This crate deliberately does no I/O, reads no clock and draws no randomness, and knows no store and no export: whoever
//! calls brings bytes, hashes, keys and salts. The log of the store and the check on a stranger's machine share it.

mod checkpoint;
mod error;
mod hash;
mod inclusion;
mod key;
mod leaf;
mod note;
mod salt;
mod text;
mod tile;
mod timestamp;
mod tree;

pub use checkpoint::Checkpoint;
pub use error::Error;
pub use hash::Hash;
pub use inclusion::InclusionProof;
pub use key::{KeyId, SignerKey, VerifierKey};
pub use leaf::{Fact, Leaf, LeafKind, MAX_LEAF_BYTES};
pub use note::{MAX_NOTE_BYTES, MAX_SIGNATURES, Note};
pub use salt::{Commitment, CommitmentHasher, PartSalt, Salt};
pub use tile::{TILE_HEIGHT, TILE_WIDTH, Tile, TileKind, read_entries, write_entry};
pub use timestamp::{Authorities, MAX_RESPONSE_BYTES, Timestamp, TimestampResponse, timestamp_request};
pub use tree::{
    CompactRange, MAX_LEAVES, Node, consistency_proof, empty_root, inclusion_proof, leaf_hash, node_hash, root,
    verify_consistency, verify_inclusion,
};

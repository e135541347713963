use super::{Node, check_size, empty_root, node_hash};
use crate::{Error, Hash};

/// The right edge of a tree: the hashes of the complete subtrees that its size is the sum of, widest first.
/// Enough to append leaves and to know the root without reading anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompactRange {
    size: u64,
    peaks: Vec<Hash>,
}

impl CompactRange {
    /// The right edge of a log of `size` leaves. Errors: those of `read`; [`Error::OutOfRange`] beyond
    /// [`MAX_LEAVES`](super::MAX_LEAVES).
    pub fn load<E: From<Error>>(size: u64, mut read: impl FnMut(Node) -> Result<Hash, E>) -> Result<Self, E> {
        check_size(size)?;
        let levels = (0..64).rev().filter(|level| size >> level & 1 == 1);
        // The subtree stands left of the leaves that the lower digits of the size count.
        let peaks = levels.map(|level| read(Node { level, index: (size >> level) - 1 })).collect::<Result<_, E>>()?;
        Ok(Self { size, peaks })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash and tells the hash of every subtree that it completes, the leaf itself first.
    pub fn append(&mut self, leaf: Hash, mut completed: impl FnMut(Node, Hash)) {
        let mut node = Node { level: 0, index: self.size };
        let mut hash = leaf;
        completed(node, hash);
        while node.index & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            hash = node_hash(&left, &hash);
            node = Node { level: node.level + 1, index: node.index >> 1 };
            completed(node, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }
}

use super::{empty_root, node_hash};
use crate::{Error, Hash};

const BAD_LENGTH: Error = Error::Refuted("the proof is too short or too long for the tree");

/// Checks that the tree of `size` leaves with this `root` holds `leaf` at `index` (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<(), Error> {
    if index >= size {
        return Err(Error::OutOfRange { what: "leaf", asked: index, size });
    }
    let mut climb = Climb { here: index, last: size - 1 };
    let mut hash = *leaf;
    for beside in proof {
        hash = if climb.step()? { node_hash(beside, &hash) } else { node_hash(&hash, beside) };
    }
    climb.finish()?;
    if hash == *root { Ok(()) } else { Err(Error::Refuted("the inclusion proof leads to another root")) }
}

/// Checks that the tree of `old` leaves is the beginning of the tree of `new` leaves (RFC 9162 §2.1.4.2).
/// The tree without leaves is the beginning of every tree.
pub fn verify_consistency(old: u64, new: u64, proof: &[Hash], old_root: &Hash, new_root: &Hash) -> Result<(), Error> {
    if old > new {
        return Err(Error::OutOfRange { what: "size", asked: old, size: new });
    }
    let (old_hash, new_hash) = match proof {
        [] if old == new => (*old_root, *old_root),
        [] if old == 0 => (empty_root(), *new_root),
        _ if old == new || old == 0 => return Err(BAD_LENGTH),
        _ => climb_both(old, new, proof, old_root)?,
    };
    if old_hash != *old_root {
        return Err(Error::Refuted("the consistency proof leads to another old root"));
    }
    if new_hash != *new_root {
        return Err(Error::Refuted("the consistency proof leads to another new root"));
    }
    Ok(())
}

/// The roots of both trees to which a proof leads, where 0 < `old` < `new`.
fn climb_both(old: u64, new: u64, proof: &[Hash], old_root: &Hash) -> Result<(Hash, Hash), Error> {
    let (start, rest) =
        if old.is_power_of_two() { (old_root, proof) } else { proof.split_first().ok_or(BAD_LENGTH)? };
    let complete = (old - 1).trailing_ones();
    let mut climb = Climb { here: (old - 1) >> complete, last: (new - 1) >> complete };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for beside in rest {
        if climb.step()? {
            old_hash = node_hash(beside, &old_hash);
            new_hash = node_hash(beside, &new_hash);
        } else {
            new_hash = node_hash(&new_hash, beside);
        }
    }
    climb.finish()?;
    Ok((old_hash, new_hash))
}

/// The way from a node to the root: its number in its row, and that of the row's last node.
struct Climb {
    here: u64,
    last: u64,
}

impl Climb {
    /// Goes up past one sibling, and says whether that sibling stands to the left.
    fn step(&mut self) -> Result<bool, Error> {
        if self.last == 0 {
            return Err(BAD_LENGTH);
        }
        let left = self.here & 1 == 1 || self.here == self.last;
        if left {
            // The last node of a row has no sibling and is handed up until it has one.
            let alone = self.here.trailing_zeros();
            self.here >>= alone;
            self.last >>= alone;
        }
        self.here >>= 1;
        self.last >>= 1;
        Ok(left)
    }

    fn finish(&self) -> Result<(), Error> {
        if self.last == 0 { Ok(()) } else { Err(BAD_LENGTH) }
    }
}

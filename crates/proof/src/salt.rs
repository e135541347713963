//! Commitments: a leaf shows that a part was so and not otherwise, and without the salt it tells nothing of the part.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::Hash;

/// Keeps the derivation of salts apart from every other use of SHA-256 here.
const PART_SALT_DOMAIN: &[u8] = b"nachtwacht part salt v1\n";

/// The secret of one record, 32 random bytes that the caller draws. It lives in the record and dies with it: after that
/// nobody can tell, even by guessing, what the commitments of its leaf stood for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// A salt from the caller's randomness, or as kept in the record.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the salt, to keep in the record.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The salt of one part: SHA-256(domain ‖ name ‖ 0x0A ‖ salt). Who is given it learns nothing of the other parts'.
    pub fn for_part(&self, name: &str) -> PartSalt {
        // The secret comes last, so that no extension of a disclosed hash is the salt of another name.
        PartSalt(*Hash::of(&[PART_SALT_DOMAIN, name.as_bytes(), b"\n", &self.0]).as_bytes())
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(…)")
    }
}

/// The salt of one part of one record, which an export discloses together with the part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PartSalt([u8; 32]);

impl PartSalt {
    /// A salt as disclosed.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the salt, to disclose.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for PartSalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartSalt(…)")
    }
}

/// SHA-256(salt ‖ part): binds whoever published it to the part, and hides the part as long as the salt is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// The commitment to `part`.
    pub fn of(salt: &PartSalt, part: &[u8]) -> Self {
        let mut hasher = CommitmentHasher::new(salt);
        hasher.update(part);
        hasher.finish()
    }

    /// A commitment as a leaf carries it.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the commitment.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A commitment to a part that comes piece by piece.
#[derive(Debug, Clone)]
pub struct CommitmentHasher(Sha256);

impl CommitmentHasher {
    /// Begins with the salt.
    pub fn new(salt: &PartSalt) -> Self {
        Self(Sha256::new_with_prefix(salt.0))
    }

    /// The next bytes of the part.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The commitment to all pieces.
    pub fn finish(self) -> Commitment {
        Commitment(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn the_formulas_stand_for_ever() {
        let salt = Salt::from_bytes([7; 32]);
        let part = salt.for_part("uri");
        assert_eq!(
            part.0,
            <[u8; 32]>::from(Sha256::digest([b"nachtwacht part salt v1\nuri\n", &[7u8; 32][..]].concat()))
        );
        let commitment = Commitment::of(&part, b"http://a.onion/");
        assert_eq!(commitment.0, <[u8; 32]>::from(Sha256::digest([&part.0[..], b"http://a.onion/"].concat())));
        assert_eq!(
            HEXLOWER.encode(commitment.as_bytes()),
            "cd56297642f128207ef3f93c334a64137478d6c35a676885d77019d9875feb16"
        );
    }

    #[test]
    fn each_part_and_each_record_has_a_salt_of_its_own() {
        let (one, other) = (Salt::from_bytes([1; 32]), Salt::from_bytes([2; 32]));
        assert_ne!(one.for_part("uri"), one.for_part("payload"));
        assert_ne!(one.for_part("uri"), other.for_part("uri"));
        assert_ne!(Commitment::of(&one.for_part("uri"), b"x"), Commitment::of(&one.for_part("payload"), b"x"));
    }

    #[test]
    fn a_salt_is_not_printed() {
        let salt = Salt::from_bytes([0x41; 32]);
        assert_eq!(format!("{salt:?} {:?}", salt.for_part("uri")), "Salt(…) PartSalt(…)");
    }

    proptest::proptest! {
        #[test]
        fn pieces_commit_as_the_whole(pieces: Vec<Vec<u8>>) {
            let salt = Salt::from_bytes([9; 32]).for_part("payload");
            let mut hasher = CommitmentHasher::new(&salt);
            for piece in &pieces {
                hasher.update(piece);
            }
            proptest::prop_assert_eq!(hasher.finish(), Commitment::of(&salt, &pieces.concat()));
        }
    }
}

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The identifier of a record: a UUID (RFC 9562), chosen by the caller. Text form: `urn:uuid:…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// A UUID of version 4 out of 16 random bytes (section 5.4).
    pub const fn random(bytes: [u8; 16]) -> Self {
        Self::versioned(bytes, 4)
    }

    /// A UUID of version 8 (section 5.8) out of the SHA-256 of names: the same names give the same identifier, so that an archive
    /// that is made again is the same archive. Each name is hashed behind its length.
    pub fn derived(names: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for name in names {
            hash.update((name.len() as u64).to_be_bytes());
            hash.update(name);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        Self::versioned(bytes, 8)
    }

    const fn versioned(mut bytes: [u8; 16], version: u8) -> Self {
        bytes[6] = version << 4 | bytes[6] & 0x0f;
        bytes[8] = 0x80 | bytes[8] & 0x3f;
        Self(bytes)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("urn:uuid:")?;
        for (at, byte) in self.0.iter().enumerate() {
            let dash = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_uuids() {
        assert_eq!(RecordId::random([0xff; 16]).to_string(), "urn:uuid:ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(RecordId::random([0; 16]).to_string(), "urn:uuid:00000000-0000-4000-8000-000000000000");
        assert_eq!(&RecordId::derived(&[b"a"]).to_string()[23..24], "8");
    }

    #[test]
    fn derived_identifiers_depend_on_every_name_and_its_bounds() {
        assert_eq!(RecordId::derived(&[b"ab", b"c"]), RecordId::derived(&[b"ab", b"c"]));
        assert_ne!(RecordId::derived(&[b"ab", b"c"]), RecordId::derived(&[b"a", b"bc"]));
        assert_ne!(RecordId::derived(&[b"ab"]), RecordId::derived(&[b"ab", b""]));
    }
}

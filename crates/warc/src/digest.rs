use std::{fmt, str::FromStr};

use data_encoding::{BASE32_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest (FIPS 180-4) as WARC labels it (WARC/1.1, section 5.8). Text form: `sha256:` and 64 lower-case hexadecimal digits, as
/// the IIPC recommends: Base32 would need padding, which the grammar forbids and some readers demand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is not a labelled SHA-256 digest; it may be one of another algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest with its label")]
pub struct InvalidDigest;

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A digest computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<Sha256> for Digest {
    fn from(hash: Sha256) -> Self {
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Reads hexadecimal digits and Base32, each in either case, and the label `sha-256` too: other programs write those.
impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let (label, value) = text.split_once(':').ok_or(InvalidDigest)?;
        if !label.eq_ignore_ascii_case("sha256") && !label.eq_ignore_ascii_case("sha-256") {
            return Err(InvalidDigest);
        }
        let bytes = match value.len() {
            64 => HEXLOWER_PERMISSIVE.decode(value.as_bytes()),
            _ => BASE32_NOPAD.decode(value.trim_end_matches('=').to_ascii_uppercase().as_bytes()),
        };
        bytes.ok().and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(InvalidDigest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_however_they_are_written() {
        let digest = Digest::of(b"");
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest.to_string(), format!("sha256:{hex}"));
        let base32 = "4OYMIQUY7QOBJGX36TEJS35ZEQT24QPEMSNZGTFESWMRW6CSXBKQ";
        for text in [
            format!("sha256:{hex}"),
            format!("SHA-256:{}", hex.to_uppercase()),
            format!("sha256:{base32}"),
            format!("sha256:{}====", base32.to_lowercase()),
        ] {
            assert_eq!(text.parse(), Ok(digest), "{text}");
        }
    }

    #[test]
    fn what_is_no_sha256_is_refused() {
        for text in [
            "",
            "sha256",
            "sha256:",
            "sha256:00",
            "sha1:VL2MMHO4YXUKFWV63YHTWSBM3GXKSQ2N",
            &format!("sha256:{}", "g".repeat(64)),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(InvalidDigest), "{text}");
        }
    }
}

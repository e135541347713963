use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Digest, hex};

/// Display, Debug and serde for an id whose text form is its one outward form.
macro_rules! text_id {
    ($name:ident, |$id:ident, $f:ident| $write:expr) => {
        impl fmt::Display for $name {
            fn fmt(&self, $f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $id = self;
                $write
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(D::Error::custom)
            }
        }
    };
}
/// A text that is not an id of the kind it was given for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {kind}")]
pub struct InvalidId {
    kind: &'static str,
    text: String,
}

impl InvalidId {
    pub(crate) fn new(kind: &'static str, text: &str) -> Self {
        Self { kind, text: text.chars().take(80).collect() }
    }
}

/// The name of a theme: 1 to 24 characters of `a-z`, `0-9` and `-`, beginning with a letter.
///
/// Keys of content begin with it, zero-padded to [`ThemeId::LEN`] bytes, so that one theme's rows never interleave with another's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThemeId([u8; Self::LEN]);

impl ThemeId {
    /// Width of the encoded name in bytes.
    pub const LEN: usize = 24;

    /// The zero-padded name.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The inverse of [`ThemeId::as_bytes`].
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Option<Self> {
        Self::from_str(std::str::from_utf8(&bytes).ok()?.trim_end_matches('\0')).ok()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }
}

impl FromStr for ThemeId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed = text.len() <= Self::LEN
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !well_formed {
            return Err(InvalidId::new("theme name (a-z, 0-9 and -, at most 24)", text));
        }
        let mut bytes = [0; Self::LEN];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self(bytes))
    }
}

text_id!(ThemeId, |id, f| f.write_str(id.as_str()));

/// A watched service and its policy: 64 random bits, written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetId(u64);

impl TargetId {
    /// An id from random bits; the caller brings the randomness.
    pub const fn from_u64(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits of the id.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl FromStr for TargetId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex::decode(text)
            .map(|b| Self(u64::from_be_bytes(b)))
            .ok_or_else(|| InvalidId::new("target id (16 hexadecimal digits)", text))
    }
}

text_id!(TargetId, |id, f| write!(f, "{:016x}", id.0));

/// The position of a capture within its theme, counted from 1 without gaps.
///
/// Sequences are counted per theme, so that a number never tells how busy another theme is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The sequence after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One capture: its theme and its sequence there. Text form: `marketplace/17`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureId {
    /// The theme the capture belongs to.
    pub theme: ThemeId,
    /// Its sequence within the theme.
    pub seq: Seq,
}

impl FromStr for CaptureId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidId::new("capture id (theme/sequence)", text);
        let (theme, seq) = text.split_once('/').ok_or_else(invalid)?;
        Ok(Self { theme: theme.parse().map_err(|_| invalid())?, seq: Seq(seq.parse().map_err(|_| invalid())?) })
    }
}

text_id!(CaptureId, |id, f| write!(f, "{}/{}", id.theme, id.seq));

macro_rules! digest_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The id of what this canonical text names.
            pub fn of(text: &str) -> Self {
                let mut id = [0; 16];
                id.copy_from_slice(&Digest::of(text.as_bytes()).as_bytes()[..16]);
                Self(id)
            }

            /// An id read back from a key.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes of the id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                hex::decode(text).map(Self).ok_or_else(|| InvalidId::new($kind, text))
            }
        }

        text_id!($name, |id, f| f.write_str(&hex::encode(&id.0)));
    };
}

digest_id!(
    /// The key of a canonical URI: the first 16 bytes of its SHA-256.
    UriId,
    "URI id"
);

digest_id!(
    /// The key of a service, to which politeness belongs: the first 16 bytes of the SHA-256 of its host.
    ServiceId,
    "service id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text_form() {
        let theme: ThemeId = "marketplace".parse().unwrap();
        assert_eq!(ThemeId::from_bytes(*theme.as_bytes()), Some(theme));
        let target = TargetId::from_u64(0x07f3);
        assert_eq!(target.to_string(), "00000000000007f3");
        assert_eq!(target.to_string().parse(), Ok(target));
        let capture = CaptureId { theme, seq: Seq(17) };
        assert_eq!(capture.to_string(), "marketplace/17");
        assert_eq!(capture.to_string().parse(), Ok(capture));
        let uri = UriId::of("http://example/");
        assert_eq!(uri.to_string().parse(), Ok(uri));
    }

    #[test]
    fn a_theme_name_that_could_hide_in_a_key_is_refused() {
        for bad in ["", "1st", "Upper", "with space", "nul\0", "a/b", "twenty-five-characters-xxx"] {
            assert!(bad.parse::<ThemeId>().is_err(), "{bad:?}");
        }
    }
}

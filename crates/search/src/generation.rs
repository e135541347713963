use std::{fmt, str::FromStr};

use model::{Digest, Seq, ThemeId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The version of the text form.
const FORM: u8 = 1;

/// A state of a theme as of which a query is answered, and answered again. Its text form means nothing to whoever keeps it.
///
/// The index knows `up_to` alone. The rest is for whoever joins what the index does not know, and finds out whether the state can still be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Generation {
    /// Captures up to this sequence have a part.
    pub up_to: Seq,
    /// Acts of the theme with a leaf below this one have a part: labels, and versions of indicators.
    pub acts: u64,
    /// The version of the extractor that made the documents.
    pub extractor: u32,
    /// How often what stands in the index of captures that had been analysed was changed, other than by taking it away.
    pub edition: u64,
    /// How many captures up to `up_to` were erased or sealed.
    pub withheld: u64,
    /// What tells this log from another one, and a whole generation from a mistyped one.
    pub check: u32,
}

/// Why a text names no generation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a generation")]
pub struct InvalidGeneration;

impl Generation {
    /// The state of an index that is complete to `up_to`, with which nothing is joined.
    pub fn of(up_to: Seq) -> Self {
        Self { up_to, ..Self::default() }
    }

    /// The same, told from those of another theme, from those of another log, whose root was another one when the acts ended there, and from mistyped ones.
    #[must_use]
    pub fn checked_by(self, theme: ThemeId, root: &[u8]) -> Self {
        let unchecked = Self { check: 0, ..self };
        let digest = Digest::of_parts(&[theme.as_bytes(), root, &unchecked.to_bytes()]);
        let [first, second, third, fourth, ..] = *digest.as_bytes();
        Self { check: u32::from_be_bytes([first, second, third, fourth]), ..self }
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![FORM];
        for mut number in [self.up_to.0, self.acts, self.extractor.into(), self.edition, self.withheld] {
            // LEB128: seven bits in a byte, the low ones first.
            while number > 0x7f {
                bytes.push((number & 0x7f) as u8 | 0x80);
                number >>= 7;
            }
            bytes.push((number & 0x7f) as u8);
        }
        bytes.extend(self.check.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (form, mut rest) = bytes.split_first()?;
        if *form != FORM {
            return None;
        }
        let mut number = || {
            let mut number = 0_u64;
            for shift in (0..u64::BITS).step_by(7) {
                let (byte, behind) = rest.split_first()?;
                rest = behind;
                number |= u64::from(byte & 0x7f).checked_shl(shift)?;
                if byte & 0x80 == 0 {
                    return Some(number);
                }
            }
            None
        };
        let (up_to, acts, extractor) = (Seq(number()?), number()?, u32::try_from(number()?).ok()?);
        let (edition, withheld) = (number()?, number()?);
        let check = u32::from_be_bytes(rest.try_into().ok()?);
        Some(Self { up_to, acts, extractor, edition, withheld, check })
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("g")?;
        self.to_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Generation {
    type Err = InvalidGeneration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('g').filter(|digits| digits.is_ascii()).ok_or(InvalidGeneration)?;
        let pairs = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
        let bytes: Option<Vec<u8>> = pairs.collect();
        let read = bytes.and_then(|bytes| Self::from_bytes(&bytes)).ok_or(InvalidGeneration)?;
        // There is one way to write each.
        if read.to_string() == text { Ok(read) } else { Err(InvalidGeneration) }
    }
}

impl Serialize for Generation {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Generation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_generation_survives_its_text_form(up_to: u64, acts: u64, extractor: u32, edition: u64, withheld in 0..300_u64, check: u32) {
            let generation = Generation { up_to: Seq(up_to), acts, extractor, edition, withheld, check };
            proptest::prop_assert_eq!(generation.to_string().parse(), Ok(generation));
        }

        #[test]
        fn no_text_is_too_strange(text in "g[0-9a-f+A-F]{0,60}|\\PC{0,20}") {
            if let Ok(generation) = text.parse::<Generation>() {
                proptest::prop_assert_eq!(generation.to_string(), text);
            }
        }
    }

    #[test]
    fn the_check_is_over_everything() {
        let generation = Generation { acts: 300, ..Generation::of(Seq(17)) };
        let [market, cyber] = ["marketplace", "cybercrime"].map(|name| name.parse().unwrap());
        let check = |generation: Generation, root: &[u8]| generation.checked_by(market, root).check;
        let once = generation.checked_by(market, b"a");
        assert_eq!(once.checked_by(market, b"a"), once);
        assert_ne!(once, generation.checked_by(cyber, b"a"));
        assert_ne!(check(generation, b"a"), check(generation, b"b"));
        assert_ne!(check(generation, b"a"), check(Generation { edition: 2, ..generation }, b"a"));
    }

    #[test]
    fn what_is_no_generation_is_refused() {
        let text = Generation { acts: 300, ..Generation::of(Seq(17)) }.to_string();
        for bad in ["", "g", "17", &text[1..], &text[..text.len() - 1], &format!("{text}00"), &text.to_uppercase()] {
            assert_eq!(bad.parse::<Generation>(), Err(InvalidGeneration), "{bad}");
        }
    }
}

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Generation, select::Rank};

/// The hexadecimal digits before the generation.
const DIGITS: usize = 64;

/// A place in an answer, after which the next page begins. Its text form means nothing outside this crate. It holds on to the generation of the first
/// page, so that paging is not disturbed by what comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) query: u64,
    pub(crate) rank: Rank,
    pub(crate) generation: Generation,
}

/// Why a cursor leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCursor {
    /// It is not what this program hands out.
    #[error("not a cursor")]
    Unreadable,
    /// It was handed out for another query, another order or another generation.
    #[error("the cursor belongs to another query")]
    OfAnotherQuery,
}

impl Cursor {
    /// The generation of the answer that it is a place in.
    pub const fn generation(&self) -> Generation {
        self.generation
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:032x}{:016x}{}", self.query, self.rank.key, self.rank.tie, self.generation)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, generation) = text.split_at_checked(DIGITS).ok_or(InvalidCursor::Unreadable)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidCursor::Unreadable);
        }
        let part = |from: usize, to: usize| {
            let digits = digits.get(from..to).ok_or(InvalidCursor::Unreadable)?;
            u128::from_str_radix(digits, 16).map_err(|_| InvalidCursor::Unreadable)
        };
        let short = |from: usize| u64::try_from(part(from, from + 16)?).map_err(|_| InvalidCursor::Unreadable);
        Ok(Self {
            query: short(0)?,
            rank: Rank { key: part(16, 48)?, tie: short(48)? },
            generation: generation.parse().map_err(|_| InvalidCursor::Unreadable)?,
        })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use model::Seq;

    use super::*;

    #[test]
    fn a_cursor_survives_its_text_form() {
        let generation = Generation { acts: 400, ..Generation::of(Seq(12)) };
        let cursor = Cursor { query: 7, generation, rank: Rank { key: u128::MAX, tie: 3 } };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", "12", &"g".repeat(64), &"+".repeat(80), &"é".repeat(32), &"0".repeat(64)] {
            assert_eq!(bad.parse::<Cursor>(), Err(InvalidCursor::Unreadable), "{bad}");
        }
    }
}

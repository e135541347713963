use std::{fmt, str::FromStr};

use model::Seq;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::select::Rank;

/// A place in an answer, after which the next page begins. Text form: 64 hexadecimal digits that mean nothing outside
/// this crate. It holds on to the sequence of the first page, so that paging is not disturbed by what comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) query: u64,
    pub(crate) up_to: Seq,
    pub(crate) rank: Rank,
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

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}{:016x}{:016x}", self.query, self.up_to.0, self.rank.key, self.rank.tie)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidCursor::Unreadable);
        }
        let number = |at: usize| {
            let digits = text.get(at * 16..(at + 1) * 16).ok_or(InvalidCursor::Unreadable)?;
            u64::from_str_radix(digits, 16).map_err(|_| InvalidCursor::Unreadable)
        };
        Ok(Self { query: number(0)?, up_to: Seq(number(1)?), rank: Rank { key: number(2)?, tie: number(3)? } })
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
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_form() {
        let cursor = Cursor { query: 7, up_to: Seq(12), rank: Rank { key: u64::MAX, tie: 3 } };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", "12", &"g".repeat(64), &"+".repeat(64), &"é".repeat(32)] {
            assert_eq!(bad.parse::<Cursor>(), Err(InvalidCursor::Unreadable), "{bad}");
        }
    }
}

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A moment in UTC with microsecond resolution. Text form: RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A text that is not an RFC 3339 moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a moment in RFC 3339, such as 2026-01-31T12:00:00Z")]
pub struct InvalidTimestamp(String);

impl Timestamp {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This moment as eight bytes whose order is the order of time.
    pub const fn to_ordered_bytes(self) -> [u8; 8] {
        (self.0 ^ i64::MIN).to_be_bytes()
    }

    /// The inverse of [`Timestamp::to_ordered_bytes`].
    pub const fn from_ordered_bytes(bytes: [u8; 8]) -> Self {
        Self(i64::from_be_bytes(bytes) ^ i64::MIN)
    }

    /// This moment and `duration` more; the end of time when that is too far.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This moment and `duration` less; the beginning of time when that is too far.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// The time from `earlier` to this moment; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The number of whole UTC days since 1970-01-01.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(86_400_000_000)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => write!(f, "{moment:.6}"),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp(text.chars().take(80).collect()))?;
        Ok(Self(moment.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { to.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            String::deserialize(from)?.parse().map_err(D::Error::custom)
        } else {
            i64::deserialize(from).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_rfc_3339() {
        let moment: Timestamp = "2026-01-31T12:00:00.25Z".parse().unwrap();
        assert_eq!(moment.to_string(), "2026-01-31T12:00:00.250000Z");
        assert_eq!("2026-01-31T13:00:00.25+01:00".parse(), Ok(moment));
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn encoded_order_is_order(a: i64, b: i64) {
            let (a, b) = (Timestamp::from_micros(a), Timestamp::from_micros(b));
            proptest::prop_assert_eq!(a.cmp(&b), a.to_ordered_bytes().cmp(&b.to_ordered_bytes()));
            proptest::prop_assert_eq!(Timestamp::from_ordered_bytes(a.to_ordered_bytes()), a);
        }
    }
}

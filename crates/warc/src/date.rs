use std::{borrow::Cow, fmt, str::FromStr};

/// The instant at which a capture began, in UTC with microsecond resolution (WARC/1.1, section 5.4).
///
/// Text form: the W3C profile of ISO 8601 with six digits of a second. All records of one capture share one date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(jiff::Timestamp);

/// A text that is not a date in the W3C profile of ISO 8601, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date such as 2026-01-31T12:00:00.123456Z")]
pub struct InvalidDate;

impl Date {
    /// Microseconds since 1970-01-01T00:00:00Z; `None` when that is not within the years -9999 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        jiff::Timestamp::from_microsecond(micros).ok().map(Self)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn as_micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// The 14 digits by which an index knows it: `20260131120000`.
    pub fn to_timestamp14(self) -> String {
        self.0.strftime("%Y%m%d%H%M%S").to_string()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Date({self})")
    }
}

/// Reads what WARC/1.1 allows: from the year alone to nine digits of a second. What is finer than a microsecond is dropped.
impl FromStr for Date {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let shape = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
        let shape: Vec<u8> = text.bytes().map(shape).collect();
        let full = match shape.as_slice() {
            b"0000" => Cow::from(format!("{text}-01-01T00:00:00Z")),
            b"0000-00" => format!("{text}-01T00:00:00Z").into(),
            b"0000-00-00" => format!("{text}T00:00:00Z").into(),
            b"0000-00-00T00:00Z" => format!("{}:00Z", text.trim_end_matches('Z')).into(),
            [b'0', b'0', b'0', b'0', b'-', .., b'Z'] if shape.starts_with(b"0000-00-00T00:00:00") => text.into(),
            _ => return Err(InvalidDate),
        };
        let moment: jiff::Timestamp = full.parse().map_err(|_| InvalidDate)?;
        jiff::Timestamp::from_microsecond(moment.as_microsecond()).map(Self).map_err(|_| InvalidDate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, canonical: &str) {
        assert_eq!(text.parse::<Date>().map(|date| date.to_string()).as_deref(), Ok(canonical), "{text}");
    }

    #[test]
    fn dates_of_every_allowed_precision_are_read() {
        check("2016", "2016-01-01T00:00:00.000000Z");
        check("2016-02", "2016-02-01T00:00:00.000000Z");
        check("2016-02-03", "2016-02-03T00:00:00.000000Z");
        check("2016-02-03T04:05Z", "2016-02-03T04:05:00.000000Z");
        check("2016-02-03T04:05:06Z", "2016-02-03T04:05:06.000000Z");
        check("2016-02-03T04:05:06.7Z", "2016-02-03T04:05:06.700000Z");
        check("2016-02-03T04:05:06.123456789Z", "2016-02-03T04:05:06.123456Z");
    }

    #[test]
    fn what_is_no_date_in_utc_is_refused() {
        for text in [
            "",
            "201",
            "2016-13",
            "2016-02-03T04:05:06",
            "2016-02-03T04:05:06+01:00",
            "2016-02-03 04:05:06Z",
            "+002016",
        ] {
            assert_eq!(text.parse::<Date>(), Err(InvalidDate), "{text}");
        }
    }

    #[test]
    fn an_index_knows_a_date_by_14_digits() {
        assert_eq!(Date::from_micros(1_769_860_800_999_999).unwrap().to_timestamp14(), "20260131120000");
    }
}

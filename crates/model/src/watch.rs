//! Watches: saved queries that tell when something matches them, and when they do so.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{InvalidId, Timestamp};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// The longest time between two runs of a watch, in minutes: four weeks.
const MOST_MINUTES: u32 = 28 * 24 * 60;

/// A saved query that tells when something matches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// What people call it.
    pub name: String,
    /// Whose it is, the name of an account: it runs under their grant, as it is at that moment.
    pub owner: String,
    /// Why it is kept.
    pub reason: String,
    /// The purpose or the number of the case that it serves.
    pub purpose: Option<String>,
    /// What to look for, as a search over the API says it in its parameters. It is read anew at each run.
    pub query: String,
    /// What makes it run.
    pub trigger: Trigger,
    /// What one alert is about.
    pub grouping: Grouping,
    /// When it waits, so that nobody is told.
    pub quiet: Option<QuietHours>,
    /// Whether it rests until somebody lets it go on.
    pub is_paused: bool,
}

/// What makes a watch run. Text form: `arrival`, `every:30` (minutes), `daily:06:30` (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Each time the search index has come further.
    Arrival,
    /// After this many minutes.
    Every(NonZeroU32),
    /// Once a day.
    Daily(TimeOfDay),
}

/// What one alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grouping {
    /// One capture.
    Hit,
    /// All that a run found of one URI.
    Uri,
    /// All that a run found of one target.
    Target,
    /// All that a run found.
    Run,
}

/// A time of the day in UTC, to the minute. Text form: `06:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

/// Hours of each day in which a watch waits. Text form: `22:00-06:00` (UTC); the end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    from: TimeOfDay,
    to: TimeOfDay,
}

impl Trigger {
    /// When a watch that last ran at `since` is due; `None` where it is not time that makes it run.
    pub fn next(self, since: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Arrival => None,
            Self::Every(minutes) => Some(since.after(MINUTE * minutes.get())),
            Self::Daily(time) => Some(time.next(since)),
        }
    }
}

impl TimeOfDay {
    /// The first moment behind `since` at which it is this time.
    fn next(self, since: Timestamp) -> Timestamp {
        let midnight = Timestamp::from_micros(since.day().saturating_mul(micros(DAY)));
        let today = midnight.after(MINUTE * u32::from(self.0));
        if today > since { today } else { today.after(DAY) }
    }
}

impl QuietHours {
    /// When the quiet hours end that `now` lies in; `None` where it lies in none.
    pub fn end(self, now: Timestamp) -> Option<Timestamp> {
        let end = self.to.next(now);
        // They end next before they begin next, or at once with it, only while they last.
        (end < self.from.next(now)).then_some(end)
    }
}

impl Grouping {
    const ALL: [Self; 4] = [Self::Hit, Self::Uri, Self::Target, Self::Run];

    /// The name, as everywhere outside the code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Uri => "uri",
            Self::Target => "target",
            Self::Run => "run",
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arrival => f.write_str("arrival"),
            Self::Every(minutes) => write!(f, "every:{minutes}"),
            Self::Daily(time) => write!(f, "daily:{time}"),
        }
    }
}

impl FromStr for Trigger {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trigger = match text.split_once(':') {
            None if text == "arrival" => Some(Self::Arrival),
            Some(("every", minutes)) => {
                minutes.parse().ok().filter(|minutes: &NonZeroU32| minutes.get() <= MOST_MINUTES).map(Self::Every)
            }
            Some(("daily", time)) => time.parse().ok().map(Self::Daily),
            _ => None,
        };
        trigger.ok_or_else(|| InvalidId::new("trigger (arrival, every:MINUTES up to 40320, or daily:HH:MM)", text))
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Grouping {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|grouping| grouping.as_str() == text);
        found.ok_or_else(|| InvalidId::new("grouping (hit, uri, target or run)", text))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |text: &str, below: u16| {
            let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            is_plain.then(|| text.parse::<u16>().ok()).flatten().filter(|number| *number < below)
        };
        let time = text.split_once(':').and_then(|(hour, minute)| Some(part(hour, 24)? * 60 + part(minute, 60)?));
        time.map(Self).ok_or_else(|| InvalidId::new("time of the day (HH:MM)", text))
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

impl FromStr for QuietHours {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hours = text.split_once('-').and_then(|(from, to)| {
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            (from != to).then_some(Self { from, to })
        });
        hours.ok_or_else(|| InvalidId::new("pair of different times (HH:MM-HH:MM)", text))
    }
}

/// Serde for what has a text form and no other.
macro_rules! as_text {
    ($($name:ident),*) => {$(
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
    )*};
}

as_text!(Trigger, QuietHours);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn text_forms_read_back_and_nonsense_is_refused() {
        for text in ["arrival", "every:1", "every:40320", "daily:06:30", "daily:00:00"] {
            assert_eq!(text.parse::<Trigger>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "Arrival",
            "every:0",
            "every:40321",
            "every:x",
            "daily:24:00",
            "daily:6:30",
            "daily:06:60",
            "daily:+6:30",
        ] {
            assert!(text.parse::<Trigger>().is_err(), "{text}");
        }
        assert_eq!("22:00-06:00".parse::<QuietHours>().unwrap().to_string(), "22:00-06:00");
        for text in ["", "22:00", "22:00-22:00", "22:00-25:00", "22:00–06:00"] {
            assert!(text.parse::<QuietHours>().is_err(), "{text}");
        }
        for grouping in Grouping::ALL {
            assert_eq!(grouping.to_string().parse::<Grouping>().unwrap(), grouping);
        }
    }

    #[test]
    fn a_schedule_says_when_it_is_next() {
        let check = |trigger: &str, since: &str, expect: Option<&str>| {
            let next = trigger.parse::<Trigger>().unwrap().next(at(since));
            assert_eq!(next, expect.map(at), "{trigger} since {since}");
        };
        check("arrival", "2026-06-01T12:00:00Z", None);
        check("every:90", "2026-06-01T23:00:00Z", Some("2026-06-02T00:30:00Z"));
        check("daily:06:30", "2026-06-01T06:29:59Z", Some("2026-06-01T06:30:00Z"));
        check("daily:06:30", "2026-06-01T06:30:00Z", Some("2026-06-02T06:30:00Z"));
        check("daily:00:00", "2026-12-31T12:00:00Z", Some("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        let check = |hours: &str, now: &str, expect: Option<&str>| {
            let end = hours.parse::<QuietHours>().unwrap().end(at(now));
            assert_eq!(end, expect.map(at), "{hours} at {now}");
        };
        check("22:00-06:00", "2026-06-01T21:59:59Z", None);
        check("22:00-06:00", "2026-06-01T22:00:00Z", Some("2026-06-02T06:00:00Z"));
        check("22:00-06:00", "2026-06-02T05:59:59Z", Some("2026-06-02T06:00:00Z"));
        check("22:00-06:00", "2026-06-02T06:00:00Z", None);
        check("12:00-13:00", "2026-06-02T12:30:00Z", Some("2026-06-02T13:00:00Z"));
        check("12:00-13:00", "2026-06-02T13:00:00Z", None);
    }
}

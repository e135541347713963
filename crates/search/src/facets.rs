//! How many of the matches are of which sort.

mod tally;

use std::{collections::BTreeMap, fmt, str::FromStr};

use model::{Seq, TargetId, Timestamp};
use serde::{Deserialize, Serialize};
use tantivy::columnar::Cardinality;

use self::tally::Tally;
use crate::{
    Captures, Error, Joined,
    budget::Budget,
    columns,
    matching::Documents,
    schema::{CAPTURED_AT, ENDED, KIND, LANGUAGE, OBSERVABLE_KIND, TARGET},
    segment::Segment,
};

/// The most values of a facet that are told one by one.
const MAX_VALUES: usize = 50;

/// The most days, weeks or months that are told one by one.
const MAX_TIMES: usize = 400;

/// By what matches are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Facet {
    /// The target that the capture was made for.
    Target,
    /// The language of the page; `und` where it is not known.
    Language,
    /// What the page is.
    Kind,
    /// How the attempt ended.
    Outcome,
    /// Indicators that flag it.
    Indicator,
    /// Labels that it bears.
    Label,
    /// Kinds of observables that the page shows.
    Observable,
    /// Services that are the same behind several addresses, or copies of each other, by the first of their hosts.
    Cluster,
    /// The day of the attempt, UTC.
    Day,
    /// The Monday of the week of the attempt.
    Week,
    /// The first day of the month of the attempt.
    Month,
}

/// What has no such name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not target, language, kind, outcome, indicator, label, observable, cluster, day, week or month")]
pub struct UnknownFacet(String);

/// The counts of one facet. A match with several values counts for each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FacetCounts {
    /// By what was counted.
    pub facet: Facet,
    /// The values that most matches have, the most frequent first; days, weeks and months in their order, the newest 400.
    pub values: Vec<FacetCount>,
    /// What the values that are not among them count together.
    pub other: u64,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FacetCount {
    /// The value as it is written elsewhere.
    pub value: String,
    /// How many matches have it.
    pub count: u64,
}

impl Facet {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Target,
        Self::Language,
        Self::Kind,
        Self::Outcome,
        Self::Indicator,
        Self::Label,
        Self::Observable,
        Self::Cluster,
        Self::Day,
        Self::Week,
        Self::Month,
    ];

    /// The name, as everywhere outside the code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Language => "language",
            Self::Kind => "kind",
            Self::Outcome => "outcome",
            Self::Indicator => "indicator",
            Self::Label => "label",
            Self::Observable => "observable",
            Self::Cluster => "cluster",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    const fn is_of_time(self) -> bool {
        matches!(self, Self::Day | Self::Week | Self::Month)
    }

    /// The first day of the stretch of time that a day lies in; days are counted from 1970-01-01, a Thursday.
    fn first_day(self, day: i64) -> i64 {
        match self {
            Self::Week => day - (day + 3).rem_euclid(7),
            Self::Month => day - (day_of_month(day) - 1),
            _ => day,
        }
    }
}

impl fmt::Display for Facet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Facet {
    type Err = UnknownFacet;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|facet| facet.as_str() == text).ok_or_else(|| UnknownFacet(text.into()))
    }
}

/// The matches that are counted, segment by segment.
pub(crate) struct Matches<'a> {
    pub(crate) segments: &'a [Segment<'a>],
    pub(crate) found: &'a [Documents],
    pub(crate) joined: &'a Joined,
    pub(crate) budget: &'a Budget,
}

impl Matches<'_> {
    /// Counts them.
    pub(crate) fn count(&self, facet: Facet) -> Result<FacetCounts, Error> {
        self.budget.spend(self.found.iter().map(Documents::len).sum())?;
        let counts = match facet {
            Facet::Target => self.numbers(TARGET, |target| TargetId::from_u64(target).to_string())?,
            Facet::Language => self.texts(LANGUAGE)?,
            Facet::Kind => self.texts(KIND)?,
            Facet::Outcome => self.texts(ENDED)?,
            Facet::Observable => self.texts(OBSERVABLE_KIND)?,
            Facet::Indicator => self.captures(self.joined.indicators.iter()),
            Facet::Label => self.captures(self.joined.labels.iter()),
            Facet::Cluster => self.captures(self.joined.clusters.iter()),
            Facet::Day | Facet::Week | Facet::Month => self.times(facet)?,
        };
        Ok(told(facet, counts))
    }

    fn numbers(&self, field: &str, name: impl Fn(u64) -> String) -> Result<BTreeMap<String, u64>, Error> {
        let mut counts = Tally::default();
        for (segment, found) in self.segments.iter().zip(self.found) {
            let numbers = columns::numbers::<u64>(segment.reader, field)?;
            columns::each(&*numbers, found, |_, number| counts.add(number));
        }
        Ok(counts.into_counts().map(|(number, count)| (name(number), count)).collect())
    }

    fn texts(&self, field: &str) -> Result<BTreeMap<String, u64>, Error> {
        let mut counts = BTreeMap::new();
        for (segment, found) in self.segments.iter().zip(self.found) {
            let Some(texts) = segment.reader.fast_fields().str(field)? else { continue };
            let mut by_number = vec![0_u64; texts.num_terms()];
            let mut add = |number: u64| {
                if let Some(count) = usize::try_from(number).ok().and_then(|number| by_number.get_mut(number)) {
                    *count += 1;
                }
            };
            if texts.ords().get_cardinality() == Cardinality::Full {
                columns::each(&*texts.ords().values, found, |_, number| add(number));
            } else {
                found.iter().flat_map(|id| texts.term_ords(id)).for_each(add);
            }
            for (number, count) in (0..).zip(by_number).filter(|(_, count)| *count > 0) {
                let mut text = String::new();
                if texts.ord_to_str(number, &mut text)? {
                    *counts.entry(text).or_default() += count;
                }
            }
        }
        Ok(counts)
    }

    fn captures<'a, T: ToString + 'a>(
        &self,
        sets: impl Iterator<Item = (&'a T, &'a Captures)>,
    ) -> BTreeMap<String, u64> {
        let mut matches = Captures::default();
        for (segment, found) in self.segments.iter().zip(self.found) {
            columns::each(&*segment.sequences, found, |_, seq| matches.insert(Seq(seq)));
        }
        sets.map(|(name, captures)| (name.to_string(), captures.count_with(&matches))).collect()
    }

    fn times(&self, facet: Facet) -> Result<BTreeMap<String, u64>, Error> {
        let mut counts = Tally::default();
        for (segment, found) in self.segments.iter().zip(self.found) {
            let times = columns::numbers::<i64>(segment.reader, CAPTURED_AT)?;
            columns::each(&*times, found, |_, time| {
                counts.add(Timestamp::from_micros(time).day().cast_unsigned());
            });
        }
        let mut named = BTreeMap::new();
        for (day, count) in counts.into_counts() {
            *named.entry(date(facet.first_day(day.cast_signed()))).or_default() += count;
        }
        Ok(named)
    }
}

/// The first of the counts, and what the others come to.
fn told(facet: Facet, counts: BTreeMap<String, u64>) -> FacetCounts {
    let mut values: Vec<FacetCount> =
        counts.into_iter().filter(|(_, count)| *count > 0).map(|(value, count)| FacetCount { value, count }).collect();
    let others: Vec<FacetCount> = if facet.is_of_time() {
        let older = values.len().saturating_sub(MAX_TIMES);
        values.drain(..older).collect()
    } else {
        values.sort_by(|a, b| (b.count, &a.value).cmp(&(a.count, &b.value)));
        values.split_off(MAX_VALUES.min(values.len()))
    };
    FacetCounts { facet, values, other: others.iter().map(|other| other.count).sum() }
}

/// The day as text, which is the beginning of that of its first moment.
fn date(day: i64) -> String {
    const DAY_US: i64 = 86_400_000_000;
    let text = Timestamp::from_micros(day.saturating_mul(DAY_US)).to_string();
    text.split_once('T').map_or_else(String::new, |(date, _)| date.to_owned())
}

/// The day of the month, from 1 on.
fn day_of_month(day: i64) -> i64 {
    date(day).rsplit_once('-').and_then(|(_, day)| day.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable() {
        for facet in Facet::ALL {
            assert_eq!(facet.as_str().parse(), Ok(facet));
            assert_eq!(serde_json::to_string(&facet).unwrap(), format!("\"{facet}\""));
        }
        assert!("size".parse::<Facet>().is_err());
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let day = |text: &str| format!("{text}T12:00:00Z").parse::<Timestamp>().unwrap().day();
        let check = |facet: Facet, of: &str, expect: &str| assert_eq!(date(facet.first_day(day(of))), expect, "{of}");
        check(Facet::Day, "2026-11-29", "2026-11-29");
        check(Facet::Week, "2026-11-29", "2026-11-23");
        check(Facet::Week, "2026-11-23", "2026-11-23");
        check(Facet::Week, "1969-12-30", "1969-12-29");
        check(Facet::Month, "2024-02-29", "2024-02-01");
        check(Facet::Month, "1969-12-31", "1969-12-01");
    }

    #[test]
    fn the_rest_is_one_number() {
        let counts = (0..60).map(|n| (format!("{n:02}"), n)).collect();
        let told = told(Facet::Kind, counts);
        assert_eq!((told.values.len(), told.values[0].count, told.other), (50, 59, (1..=9).sum()));
        let days = (0..500).map(|n| (format!("{n:03}"), 1)).collect();
        let told = super::told(Facet::Day, days);
        assert_eq!((told.values.len(), told.values[0].value.as_str(), told.other), (400, "100", 100));
    }
}

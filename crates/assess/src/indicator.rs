mod compile;
mod example;
mod raw;
mod set;

use std::fmt;

use model::{Document, Finding};

pub use self::set::parse_set;
use crate::{InvalidIndicator, RuleSet, condition::Condition, vocabulary::Form};

/// The longest text of an indicator, in bytes.
pub(crate) const MAX_TEXT: usize = 8 << 20;
/// The longest file of indicators, in bytes.
pub(crate) const MAX_SET: usize = 16 << 20;

/// A rule that says what to look for and why, written by an analyst in TOML.
///
/// It has a `name` (a-z, 0-9 and `-`, at most 64), a sentence `why`, a `threshold` (the score from which it flags, 1 where
/// it is not given), and conditions in three lists: every one of `[[all]]` must hold, at least one of `[[any]]` where there are
/// any, and no one of `[[none]]`. The score is the sum of the weights of those of `all` and `any` that hold; each counts
/// once, however often it holds.
///
/// A condition is one of these, with a `weight` from -1000 to 1000 (1 where it is not given; 0 for `kind` and
/// `page_language`, which say where to look; `none` has no weights):
///
/// * `terms`: one of the words or phrases stands there, as it is; case and diacritics never matter. With a `language` (ISO
///   639-3) whatever has their stems counts, unless `exact = true`. `stems`, with `terms` or alone, are terms by language:
///   `stems = { nld = ["paspoort"], rus = ["паспорт"] }`;
/// * `near`: all of the terms stand in one place, the first words of any two at most `distance` words apart (1 to 200);
/// * `pattern`: a regular expression of the `regex` crate, which runs in linear time; it tells cases apart unless it
///   begins with `(?i)`, and sees the first 2 MiB of a text;
/// * `observable`: the page has one of that kind, of the `grade` or surer, and where there are `values`, one of them;
/// * `field` with `is`: the field is one of the values, word for word;
/// * `field` with `above`, `below` or both, and `currency`: a price lies beyond or between the bounds, which are exact
///   decimals; a price in another currency never does;
/// * `kind`: the page is of one of the kinds;
/// * `page_language`: the page is in one of the languages (ISO 639-3).
///
/// `terms`, `near` and `pattern` look in title and text, or in one `place`: `title`, `text`, `topic`, or a field such as
/// `listing.ships_to`. The topic is what the page is about, menus aside: its title, title and category of its offer, the titles
/// of offers in its list, its posts, and all of its text where none of these was read. Every `[[example]]` is a page in short, of `title`, `text`, `kind`, `language`, `fields` and
/// `observables`, and says whether it `flags`.
#[derive(Debug, Clone)]
pub struct Indicator {
    pub(crate) name: String,
    pub(crate) why: String,
    pub(crate) threshold: i64,
    /// The words that its terms are made of, each once.
    pub(crate) forms: Vec<Form>,
    pub(crate) all: Vec<Condition>,
    pub(crate) any: Vec<Condition>,
    pub(crate) none: Vec<Condition>,
    examples: Vec<Example>,
}

/// A page in short, and what an indicator is to say of it.
#[derive(Debug, Clone)]
struct Example {
    document: Document,
    flags: bool,
}

/// What an indicator said of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleResult {
    /// Which example, counted from 1.
    pub number: usize,
    /// Whether it was to be flagged.
    pub flags: bool,
    /// What came out; the version is 0.
    pub finding: Option<Finding>,
}

impl ExampleResult {
    /// Whether it came out as the example says.
    pub fn is_as_said(&self) -> bool {
        self.flags == self.finding.is_some()
    }
}

impl fmt::Display for ExampleResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is = if self.finding.is_some() { "is" } else { "is not" };
        let says = if self.flags { "it should be" } else { "it should not be" };
        write!(f, "example {} {is} flagged, and says that {says}", self.number)
    }
}

impl Indicator {
    /// Reads an indicator from TOML.
    pub fn parse(text: &str) -> Result<Self, InvalidIndicator> {
        if text.len() > MAX_TEXT {
            return Err(InvalidIndicator::TooLong);
        }
        compile::indicator(toml::from_str(text).map_err(|error| InvalidIndicator::syntax(&error, text))?)
    }

    /// Why an indicator matters, read off its text without the rest; `None` where it is no indicator's.
    pub fn why_of(text: &str) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct Why {
            why: String,
        }
        toml::from_str::<Why>(text).ok().map(|read| read.why)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why it matters, in a plain sentence.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The score from which it flags.
    pub fn threshold(&self) -> i64 {
        self.threshold
    }

    /// What it says of each of its examples.
    pub fn test(&self) -> Vec<ExampleResult> {
        let rules = RuleSet::new([(0, self.clone())]);
        let numbered = (1..).zip(&self.examples);
        numbered
            .map(|(number, Example { document, flags })| ExampleResult {
                number,
                flags: *flags,
                finding: rules.assess(document).pop(),
            })
            .collect()
    }

    /// The examples that do not come out as they say.
    pub fn check(&self) -> Vec<ExampleResult> {
        self.test().into_iter().filter(|result| !result.is_as_said()).collect()
    }

    /// Every condition.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.all.iter().chain(&self.any).chain(&self.none)
    }
}

#[cfg(test)]
mod tests;

//! What a decision about a source settles. Changing any of it is a new decision.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Host, InvalidId, OnionAddress, Timestamp, Uri};

/// The most seeds, hosts or patterns of a target.
const MAX_ENTRIES: usize = 1_000;

/// The longest of each of the texts, in characters.
const MAX_TEXT: usize = 10_000;

/// Why a source is watched, what of it, how, and until when (R10, R27, R30).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Where a crawl begins.
    pub seeds: Vec<Uri>,
    /// What belongs to the target.
    pub scope: Scope,
    /// How fast it is crawled.
    pub pace: Pace,
    /// What points to this source.
    pub grounds: String,
    /// What it is expected to add.
    pub expected_value: String,
    /// The provision that the crawl rests on.
    pub legal_basis: String,
    /// Why the same cannot be had by lesser means.
    pub necessity: String,
    /// Why the intrusion is in proportion to what is expected.
    pub proportionality: String,
    /// How far the source can be relied on.
    pub reliability: Reliability,
    /// How far what it says can be believed.
    pub credibility: Credibility,
    /// Which media are fetched.
    pub media: MediaPolicy,
    /// Whether `robots.txt` binds or is only recorded.
    pub robots: RobotsPolicy,
    /// Whether hosts of the clear net that are in scope may be reached through a Tor exit.
    pub allows_exit: bool,
    /// Whether the service's demand for a proof of work may be met.
    pub allows_proof_of_work: bool,
    /// Whether validators may be sent (`If-None-Match`); an `ETag` is also a tracking cookie.
    pub allows_conditional_requests: bool,
    /// How long content is kept, in days, where that is shorter than the theme says.
    pub retention_days: Option<u32>,
    /// When a person must look at it again. The crawl goes on meanwhile.
    pub review_at: Timestamp,
    /// The moment at which the decision lapses.
    pub ends_at: Timestamp,
}

/// Leave to fetch one page once, to see whether a site is fake or dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The page.
    pub uri: Uri,
    /// What points to it.
    pub grounds: String,
    /// The provision that the fetch rests on.
    pub legal_basis: String,
    /// Whether it may be reached through a Tor exit.
    pub allows_exit: bool,
    /// The moment at which the leave lapses.
    pub ends_at: Timestamp,
}

/// What belongs to a target. The hosts of its seeds always do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// Further hosts that belong to it.
    pub hosts: Vec<String>,
    /// Patterns over the path and query of which at least one must match, unless there are none.
    pub include: Vec<String>,
    /// Patterns over the path and query of which none may match.
    pub exclude: Vec<String>,
    /// The greatest number of links from a seed.
    pub max_depth: u16,
    /// The greatest number of captures a UTC day.
    pub pages_per_day: u32,
}

impl Default for Scope {
    fn default() -> Self {
        Self { hosts: Vec::new(), include: Vec::new(), exclude: Vec::new(), max_depth: 64, pages_per_day: 50_000 }
    }
}

/// How fast a target is crawled. Politeness is the strictest of what the service's targets ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// The least time between two requests to one service, in milliseconds.
    pub delay_ms: u32,
    /// The greatest number of requests in flight to one service.
    pub concurrency: u16,
    /// The shortest time until a page that changes is visited again, in seconds.
    pub revisit_min_s: u32,
    /// The longest time until a page that never changes is visited again, in seconds.
    pub revisit_max_s: u32,
}

impl Pace {
    /// The least time between two requests to one service.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.into())
    }

    /// The bounds of the time between two visits.
    pub fn revisit(&self) -> (Duration, Duration) {
        (Duration::from_secs(self.revisit_min_s.into()), Duration::from_secs(self.revisit_max_s.into()))
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self { delay_ms: 2_000, concurrency: 2, revisit_min_s: 6 * 3_600, revisit_max_s: 14 * 86_400 }
    }
}

/// What a site's `robots.txt` (RFC 9309) means for the crawl. It is fetched and kept in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RobotsPolicy {
    /// Kept as evidence; it binds nobody.
    #[default]
    Record,
    /// Its rules for every agent bind.
    Obey,
}

/// Which media are fetched. An image may itself be illegal to hold, so that it takes a decision to fetch any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaPolicy {
    /// Pages and other text.
    #[default]
    TextOnly,
    /// Images that pages link to as well.
    TextAndImages,
}

/// How far a source can be relied on: the letter of the Admiralty code (NATO AJP-2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Reliability {
    /// Completely reliable.
    A,
    /// Usually reliable.
    B,
    /// Fairly reliable.
    C,
    /// Not usually reliable.
    D,
    /// Unreliable.
    E,
    /// It cannot be judged.
    #[default]
    F,
}

impl Reliability {
    /// Every letter, with what it means.
    pub const ALL: [(Self, &'static str); 6] =
        [(Self::A, "A"), (Self::B, "B"), (Self::C, "C"), (Self::D, "D"), (Self::E, "E"), (Self::F, "F")];
}

impl fmt::Display for Reliability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, letter) = Self::ALL[*self as usize];
        f.write_str(letter)
    }
}

impl FromStr for Reliability {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let found = Self::ALL.into_iter().find(|(_, letter)| letter.eq_ignore_ascii_case(text));
        found.map(|(reliability, _)| reliability).ok_or_else(|| InvalidId::new("reliability (A to F)", text))
    }
}

/// How far information can be believed: the digit of the Admiralty code, from 1, confirmed by other sources, to 6, which cannot be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Credibility(u8);

impl Credibility {
    /// The digit.
    pub const fn digit(self) -> u8 {
        self.0
    }
}

impl Default for Credibility {
    /// It cannot be judged.
    fn default() -> Self {
        Self(6)
    }
}

impl TryFrom<u8> for Credibility {
    type Error = InvalidId;

    fn try_from(digit: u8) -> Result<Self, InvalidId> {
        let is_known = (1..=6).contains(&digit);
        if is_known { Ok(Self(digit)) } else { Err(InvalidId::new("credibility (1 to 6)", &digit.to_string())) }
    }
}

impl From<Credibility> for u8 {
    fn from(credibility: Credibility) -> Self {
        credibility.0
    }
}

impl fmt::Display for Credibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Credibility {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digit: u8 = text.parse().map_err(|_| InvalidId::new("credibility (1 to 6)", text))?;
        digit.try_into()
    }
}

/// What is wrong with what somebody proposes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidTerms {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl InvalidTerms {
    /// That a field is not as it must be.
    pub fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

/// A field of what was decided that is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field.
    pub field: &'static str,
    /// What it was; `None` where there was nothing before.
    pub from: Option<String>,
    /// What it is.
    pub to: String,
}

impl Terms {
    /// Checks what can be checked without a theme, for a decision that would begin at `now`.
    pub fn validate(&self, now: Timestamp) -> Result<(), InvalidTerms> {
        check_entries("seeds", self.seeds.len())?;
        check_entries("scope.hosts", self.scope.hosts.len())?;
        check_entries("scope.include", self.scope.include.len())?;
        check_entries("scope.exclude", self.scope.exclude.len())?;
        if self.seeds.is_empty() {
            return Err(InvalidTerms::new("seeds", "there must be one at least"));
        }
        check_text("grounds", &self.grounds)?;
        check_text("expected_value", &self.expected_value)?;
        check_text("legal_basis", &self.legal_basis)?;
        check_text("necessity", &self.necessity)?;
        check_text("proportionality", &self.proportionality)?;
        if self.pace.concurrency == 0 || self.pace.concurrency > 64 {
            return Err(InvalidTerms::new("pace.concurrency", "must be from 1 to 64"));
        }
        if self.pace.revisit_min_s == 0 || self.pace.revisit_min_s > self.pace.revisit_max_s {
            return Err(InvalidTerms::new("pace.revisit_min_s", "must be from 1 to revisit_max_s"));
        }
        for seed in &self.seeds {
            check_reach("seeds", seed, self.allows_exit)?;
        }
        if self.retention_days == Some(0) {
            return Err(InvalidTerms::new("retention_days", "must be 1 at least"));
        }
        check_end(self.ends_at, now)?;
        if self.review_at <= now || self.review_at > self.ends_at {
            return Err(InvalidTerms::new("review_at", "must be in the future, and not after ends_at"));
        }
        Ok(())
    }

    /// The hosts that belong to the target, each in its one form.
    pub fn hosts(&self) -> Vec<String> {
        let of_scope = |host: &String| OnionAddress::from_host(host).map_or_else(|_| host.clone(), |it| it.to_string());
        let seeds = self.seeds.iter().map(|seed| seed.host().to_string());
        let mut hosts: Vec<String> = seeds.chain(self.scope.hosts.iter().map(of_scope)).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    /// Each field with its value in words.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let list = |entries: &[String]| entries.join(", ");
        let seeds: Vec<String> = self.seeds.iter().map(Uri::to_string).collect();
        let yes = |is_so: bool| if is_so { "yes" } else { "no" }.to_owned();
        vec![
            ("seeds", list(&seeds)),
            ("scope.hosts", list(&self.scope.hosts)),
            ("scope.include", list(&self.scope.include)),
            ("scope.exclude", list(&self.scope.exclude)),
            ("scope.max_depth", self.scope.max_depth.to_string()),
            ("scope.pages_per_day", self.scope.pages_per_day.to_string()),
            ("pace.delay_ms", self.pace.delay_ms.to_string()),
            ("pace.concurrency", self.pace.concurrency.to_string()),
            ("pace.revisit_min_s", self.pace.revisit_min_s.to_string()),
            ("pace.revisit_max_s", self.pace.revisit_max_s.to_string()),
            ("grounds", self.grounds.clone()),
            ("expected_value", self.expected_value.clone()),
            ("legal_basis", self.legal_basis.clone()),
            ("necessity", self.necessity.clone()),
            ("proportionality", self.proportionality.clone()),
            ("reliability", self.reliability.to_string()),
            ("credibility", self.credibility.to_string()),
            (
                "media",
                match self.media {
                    MediaPolicy::TextOnly => "text only".to_owned(),
                    MediaPolicy::TextAndImages => "text and images".to_owned(),
                },
            ),
            (
                "robots",
                match self.robots {
                    RobotsPolicy::Record => "recorded".to_owned(),
                    RobotsPolicy::Obey => "obeyed".to_owned(),
                },
            ),
            ("allows_exit", yes(self.allows_exit)),
            ("allows_proof_of_work", yes(self.allows_proof_of_work)),
            ("allows_conditional_requests", yes(self.allows_conditional_requests)),
            (
                "retention_days",
                self.retention_days.map_or_else(|| "as the theme says".to_owned(), |days| days.to_string()),
            ),
            ("review_at", self.review_at.to_string()),
            ("ends_at", self.ends_at.to_string()),
        ]
    }

    /// What differs from `before`; every field that says something where there was nothing before.
    pub fn changes_since(&self, before: Option<&Self>) -> Vec<FieldChange> {
        let Some(before) = before else {
            let said = self.fields().into_iter().filter(|(_, value)| !value.is_empty());
            return said.map(|(field, to)| FieldChange { field, from: None, to }).collect();
        };
        let pairs = before.fields().into_iter().zip(self.fields());
        let differing = pairs.filter(|((_, from), (_, to))| from != to);
        differing.map(|((_, from), (field, to))| FieldChange { field, from: Some(from), to }).collect()
    }
}

impl Probe {
    /// Checks what can be checked without a theme, for leave that would begin at `now`.
    pub fn validate(&self, now: Timestamp) -> Result<(), InvalidTerms> {
        check_text("grounds", &self.grounds)?;
        check_text("legal_basis", &self.legal_basis)?;
        check_reach("uri", &self.uri, self.allows_exit)?;
        check_end(self.ends_at, now)
    }

    /// Each field with its value in words.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("uri", self.uri.to_string()),
            ("grounds", self.grounds.clone()),
            ("legal_basis", self.legal_basis.clone()),
            ("allows_exit", if self.allows_exit { "yes" } else { "no" }.to_owned()),
            ("ends_at", self.ends_at.to_string()),
        ]
    }
}

fn check_entries(field: &'static str, count: usize) -> Result<(), InvalidTerms> {
    if count > MAX_ENTRIES {
        return Err(InvalidTerms::new(field, format!("{count} entries are more than {MAX_ENTRIES}")));
    }
    Ok(())
}

fn check_text(field: &'static str, text: &str) -> Result<(), InvalidTerms> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        Err(InvalidTerms::new(field, "must not be empty"))
    } else if length > MAX_TEXT {
        Err(InvalidTerms::new(field, format!("{length} characters are more than {MAX_TEXT}")))
    } else {
        Ok(())
    }
}

fn check_reach(field: &'static str, uri: &Uri, allows_exit: bool) -> Result<(), InvalidTerms> {
    match uri.host() {
        Host::ClearNet(_) if !allows_exit => {
            Err(InvalidTerms::new(field, format!("{uri} is on the clear net, and allows_exit is not set")))
        }
        _ => Ok(()),
    }
}

fn check_end(ends_at: Timestamp, now: Timestamp) -> Result<(), InvalidTerms> {
    if ends_at <= now { Err(InvalidTerms::new("ends_at", "must be in the future")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONION: &str = "http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion/";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn terms() -> Terms {
        Terms {
            seeds: vec![ONION.parse().unwrap()],
            scope: Scope::default(),
            pace: Pace::default(),
            grounds: "g".into(),
            expected_value: "e".into(),
            legal_basis: "l".into(),
            necessity: "n".into(),
            proportionality: "p".into(),
            reliability: Reliability::default(),
            credibility: Credibility::default(),
            media: MediaPolicy::default(),
            robots: RobotsPolicy::default(),
            allows_exit: false,
            allows_proof_of_work: false,
            allows_conditional_requests: false,
            retention_days: None,
            review_at: at(50),
            ends_at: at(100),
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        assert_eq!(terms().validate(at(0)), Ok(()));
        let refused = |change: fn(&mut Terms), field: &str| {
            let mut terms = terms();
            change(&mut terms);
            assert_eq!(terms.validate(at(0)).unwrap_err().field, field);
        };
        refused(|terms| terms.seeds.clear(), "seeds");
        refused(|terms| terms.seeds.push("http://example.com/".parse().unwrap()), "seeds");
        refused(|terms| terms.seeds = vec![ONION.parse().unwrap(); MAX_ENTRIES + 1], "seeds");
        refused(|terms| terms.grounds = " ".into(), "grounds");
        refused(|terms| terms.expected_value.clear(), "expected_value");
        refused(|terms| terms.legal_basis.clear(), "legal_basis");
        refused(|terms| terms.necessity.clear(), "necessity");
        refused(|terms| terms.proportionality = "x".repeat(MAX_TEXT + 1), "proportionality");
        refused(|terms| terms.pace.concurrency = 0, "pace.concurrency");
        refused(|terms| terms.pace.revisit_min_s = u32::MAX, "pace.revisit_min_s");
        refused(|terms| terms.retention_days = Some(0), "retention_days");
        refused(|terms| terms.ends_at = at(0), "ends_at");
        refused(|terms| terms.review_at = at(0), "review_at");
        refused(|terms| terms.review_at = at(101), "review_at");
    }

    #[test]
    fn a_change_tells_what_differs_and_nothing_else() {
        let before = terms();
        let mut after = before.clone();
        assert_eq!(after.changes_since(Some(&before)), []);
        after.scope.max_depth = 3;
        after.media = MediaPolicy::TextAndImages;
        let told: Vec<_> =
            after.changes_since(Some(&before)).into_iter().map(|it| (it.field, it.from, it.to)).collect();
        let expected = [
            ("scope.max_depth", Some("64".to_owned()), "3".to_owned()),
            ("media", Some("text only".to_owned()), "text and images".to_owned()),
        ];
        assert_eq!(told, expected);
        assert!(before.changes_since(None).iter().all(|change| change.from.is_none() && !change.to.is_empty()));
    }

    #[test]
    fn the_admiralty_code_is_a_letter_and_a_digit() {
        for (reliability, letter) in Reliability::ALL {
            assert_eq!((reliability.to_string().as_str(), letter.parse()), (letter, Ok(reliability)));
        }
        assert!("G".parse::<Reliability>().is_err());
        assert_eq!("3".parse::<Credibility>().map(Credibility::digit), Ok(3));
        assert!("0".parse::<Credibility>().is_err() && "7".parse::<Credibility>().is_err());
        assert_eq!(format!("{}{}", Reliability::default(), Credibility::default()), "F6");
    }
}

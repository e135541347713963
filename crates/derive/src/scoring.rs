//! Scoring: looks at documents for the indicators of a theme, at new ones as they come, and at what is stored when an indicator changes.
//!
//! A version of an indicator is for every capture up to the one that was the newest when the next version came. Which documents it is scored on
//! therefore follows from the store alone, whenever it is done, and derived again the findings come back equal.

mod candidates;

use std::time::Duration;

use assess::{Indicator, RuleSet};
use model::{Document, Finding, Grant, Purpose, Seq, ThemeId};
use search::Index;
use store::{RuleKind, RuleVersion, Scoring, Store};
use tokio::time::Instant;

use self::candidates::Candidates;
use crate::{Config, deriver::Error};

/// The indicators of one theme at work.
pub(crate) struct Scorer {
    theme: ThemeId,
    /// Every version that there is, as it was loaded: what tells whether anything has changed.
    loaded: Vec<RuleVersion>,
    /// Those that keep up with the analysis.
    following: Group,
    /// Those that are furthest behind. Others that are behind are met on the way.
    behind: Option<Behind>,
}

/// Versions of indicators that are scored together.
struct Group {
    versions: Vec<RuleVersion>,
    rules: RuleSet,
}

/// Versions that have not seen every document that they are for.
struct Behind {
    group: Group,
    /// Up to where they have.
    done: Seq,
    /// Where the first of them ends, or others are met.
    end: Seq,
    candidates: Candidates,
    /// When the next documents are due.
    next_at: Instant,
}

impl Group {
    fn new(indicators: Vec<(RuleVersion, Indicator)>) -> Self {
        let versions = indicators.iter().map(|(version, _)| *version).collect();
        Self { versions, rules: RuleSet::new(indicators.into_iter().map(|(version, rule)| (version.leaf, rule))) }
    }

    /// What those find in a document that are for it.
    fn assess(&self, seq: Seq, document: &Document) -> Vec<Finding> {
        if self.versions.is_empty() {
            return Vec::new();
        }
        let mut findings = self.rules.assess(document);
        findings.retain(|finding| {
            let version = self.versions.iter().find(|version| version.leaf == finding.version);
            version.is_some_and(|version| version.until.is_none_or(|until| seq <= until))
        });
        findings
    }
}

impl Scorer {
    /// The indicators of a theme as they are, while the analysis has reached `cursor`.
    pub(crate) fn load(store: &Store, theme: ThemeId, cursor: Seq) -> Result<Self, Error> {
        let loaded = versions(store, theme)?;
        let (mut following, mut behind) = (Vec::new(), Vec::new());
        for &version in loaded.iter().filter(|version| !version.is_removal) {
            let done = match store.scoring(theme, version.leaf)? {
                Some(Scoring::UpTo(done)) => done,
                Some(Scoring::Follows) => cursor,
                None => Seq(0),
            };
            if version.until.is_some_and(|until| done >= until) {
                continue;
            }
            let Some(indicator) = read(store, theme, version.leaf)? else { continue };
            if done == cursor {
                following.push((version, indicator));
            } else {
                behind.push((done, version, indicator));
            }
        }
        // Before the first document whoever begins has kept up.
        let begins: Vec<_> = following.iter().map(|(version, _)| (version.leaf, Scoring::Follows)).collect();
        store.put_findings(theme, &[], &begins)?;
        Ok(Self { theme, loaded, following: Group::new(following), behind: Behind::of(behind) })
    }

    /// Loads the indicators again if any has changed.
    pub(crate) fn reload(&mut self, store: &Store, cursor: Seq) -> Result<(), Error> {
        if versions(store, self.theme)? != self.loaded {
            *self = Self::load(store, self.theme, cursor)?;
        }
        Ok(())
    }

    /// What the indicators find in the next document.
    pub(crate) fn assess(&self, seq: Seq, document: &Document) -> Vec<Finding> {
        self.following.assess(seq, document)
    }

    /// When there is something to look at again; none where nothing is behind.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.behind.as_ref().map(|behind| behind.next_at)
    }

    /// Looks at the next stored documents for the versions that are furthest behind.
    pub(crate) fn step(&mut self, store: &Store, index: &Index, cursor: Seq, config: &Config) -> Result<(), Error> {
        let Some(behind) = &mut self.behind else { return Ok(()) };
        let end = behind.end.min(cursor);
        let (documents, reached) =
            behind.candidates.next(store, index, self.theme, (behind.done, end), config.batch)?;
        let assess = |(seq, document): &(Seq, Document)| (*seq, behind.group.assess(*seq, document));
        let findings: Vec<_> = documents.iter().map(assess).collect();
        let scoring = |version: &RuleVersion| {
            let keeps_up = reached == cursor && version.until.is_none_or(|until| until > cursor);
            (version.leaf, if keeps_up { Scoring::Follows } else { Scoring::UpTo(reached) })
        };
        let scorings: Vec<_> = behind.group.versions.iter().map(scoring).collect();
        store.put_findings(self.theme, &findings, &scorings)?;
        behind.done = reached;
        behind.next_at = Instant::now() + pause(documents.len(), config);
        if reached >= end {
            *self = Self::load(store, self.theme, cursor)?;
        }
        Ok(())
    }
}

impl Behind {
    /// Those that are furthest behind, and where they meet others.
    fn of(mut behind: Vec<(Seq, RuleVersion, Indicator)>) -> Option<Self> {
        let done = behind.iter().map(|(done, ..)| *done).min()?;
        let meets = behind.iter().map(|(other, ..)| *other).filter(|other| *other > done).min();
        behind.retain(|(other, ..)| *other == done);
        let ends = behind.iter().filter_map(|(_, version, _)| version.until).min();
        Some(Self {
            done,
            end: meets.into_iter().chain(ends).min().unwrap_or(Seq(u64::MAX)),
            candidates: Candidates::of(behind.iter().map(|(.., indicator)| indicator)),
            group: Group::new(behind.into_iter().map(|(_, version, indicator)| (version, indicator)).collect()),
            next_at: Instant::now(),
        })
    }
}

/// Every version of every indicator of a theme, to look at documents that were looked at before.
pub(crate) struct Again(Group);

impl Again {
    pub(crate) fn load(store: &Store, theme: ThemeId) -> Result<Self, Error> {
        let mut indicators = Vec::new();
        for version in versions(store, theme)?.into_iter().filter(|version| !version.is_removal) {
            if let Some(indicator) = read(store, theme, version.leaf)? {
                indicators.push((version, indicator));
            }
        }
        Ok(Self(Group::new(indicators)))
    }

    /// What the versions find that are for this document. A version that has not come to it yet will find the same.
    pub(crate) fn assess(&self, seq: Seq, document: &Document) -> Vec<Finding> {
        self.0.assess(seq, document)
    }
}

fn versions(store: &Store, theme: ThemeId) -> Result<Vec<RuleVersion>, Error> {
    let rules = store.rules(&Grant::system(Purpose::Derivation), theme, RuleKind::Indicator)?;
    Ok(rules.into_iter().flat_map(|rule| rule.versions).collect())
}

/// The indicator of a version; none where its text was erased, or cannot be read by this release.
fn read(store: &Store, theme: ThemeId, version: u64) -> Result<Option<Indicator>, Error> {
    let text = store.rule_text(&Grant::system(Purpose::Derivation), theme, version)?.text;
    let Some(text) = text else { return Ok(None) };
    let indicator = Indicator::parse(&text);
    if let Err(error) = &indicator {
        tracing::error!(%theme, version, %error, "an indicator cannot be read, and finds nothing");
    }
    Ok(indicator.ok())
}

/// How long the documents behind wait after so many of them, so that looking again leaves the machine to the crawl.
pub(crate) fn pause(documents: usize, config: &Config) -> Duration {
    match config.rescored_per_s {
        0 => Duration::ZERO,
        per_s => Duration::from_secs_f64(documents as f64 / f64::from(per_s)),
    }
}

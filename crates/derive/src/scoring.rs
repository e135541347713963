//! Scoring: looks at documents for the indicators of a theme, at new ones as they come, and at what is stored when an indicator changes.
//!
//! A version of an indicator is for every capture up to the one that was the newest when the next version came. Which documents it is scored on
//! therefore follows from the store alone, whenever it is done, and derived again the findings come back equal.

mod candidates;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use assess::{Indicator, RuleSet};
use model::{Document, Finding, Grant, Purpose, Seq, ThemeId};
use search::Index;
use store::{RuleKind, RuleVersion, Scoring, Store};
use tokio::time::Instant;

use self::candidates::Candidates;
use crate::{Config, deriver::Error};

/// The text of the versions that are scored together on what is stored, in bytes: they are all in memory.
const MOST_TEXT: usize = 32 << 20;

/// The indicators of one theme at work.
pub(crate) struct Scorer {
    theme: ThemeId,
    /// Every version that there is, as it was loaded: what tells whether anything has changed.
    loaded: Vec<RuleVersion>,
    /// Those in force that keep up with the analysis.
    following: Group,
    /// Those that are furthest behind, as many as there is room for. Others have their turn, or are met on the way.
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
        // A rule must not put a capture aside, nor end the analysis of what was analysed before.
        let Ok(mut findings) = catch_unwind(AssertUnwindSafe(|| self.rules.assess(document))) else {
            tracing::error!(%seq, "the indicators could not look at a document, and find nothing in it");
            return Vec::new();
        };
        findings.retain(|finding| {
            let version = self.versions.iter().find(|version| version.leaf == finding.version);
            version.is_some_and(|version| version.covers(seq))
        });
        findings
    }
}

impl Scorer {
    /// The indicators of a theme as they are, while the analysis has reached `cursor`.
    pub(crate) fn load(store: &Store, theme: ThemeId, cursor: Seq) -> Result<Self, Error> {
        let loaded = versions(store, theme)?;
        let (mut following, mut behind, mut scorings) = (Vec::new(), Vec::new(), Vec::new());
        for &version in loaded.iter().filter(|version| !version.is_removal) {
            let scoring = store.scoring(theme, version.leaf)?;
            let done = match scoring {
                Some(Scoring::UpTo(done)) => done,
                Some(Scoring::Follows) => cursor,
                None => Seq(0),
            };
            let done = version.until.map_or(done, |until| done.min(until));
            // One that has ended follows no more: what is left for it is looked at like what is stored.
            let has_ended = version.until.is_some();
            let indicator = if done == cursor && !has_ended {
                read(store, theme, version.leaf)?.map(|(_, rule)| rule)
            } else {
                None
            };
            match indicator {
                Some(indicator) => {
                    following.push((version, indicator));
                    scorings.extend((scoring != Some(Scoring::Follows)).then_some((version.leaf, Scoring::Follows)));
                    continue;
                }
                None if scoring == Some(Scoring::Follows) => scorings.push((version.leaf, Scoring::UpTo(done))),
                None => {}
            }
            if version.until.map_or(done < cursor, |until| done < until) {
                behind.push((done, version));
            }
        }
        if !scorings.is_empty() {
            store.put_findings(theme, &[], &scorings)?;
        }
        Ok(Self { theme, loaded, following: Group::new(following), behind: Behind::of(store, theme, behind)? })
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

    /// When there is something to look at again; none where nothing is behind what is analysed.
    pub(crate) fn due(&self, cursor: Seq) -> Option<Instant> {
        self.behind.as_ref().filter(|behind| behind.done < cursor).map(|behind| behind.next_at)
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
            let keeps_up = reached == cursor && version.until.is_none();
            (version.leaf, if keeps_up { Scoring::Follows } else { Scoring::UpTo(reached) })
        };
        let scorings: Vec<_> = behind.group.versions.iter().map(scoring).collect();
        store.put_findings(self.theme, &findings, &scorings)?;
        behind.done = reached;
        behind.next_at = Instant::now() + pause(documents.len(), config);
        let catches_up = reached == cursor && behind.group.versions.iter().any(|version| version.until.is_none());
        if reached >= behind.end || catches_up {
            *self = Self::load(store, self.theme, cursor)?;
        }
        Ok(())
    }
}

impl Behind {
    /// Those that are furthest behind, and where they meet others. One that cannot be read keeps nobody waiting.
    fn of(store: &Store, theme: ThemeId, mut behind: Vec<(Seq, RuleVersion)>) -> Result<Option<Self>, Error> {
        behind.sort_by_key(|(done, version)| (*done, version.leaf));
        let (mut group, mut bytes, mut first, mut meets) = (Vec::new(), 0, None, None);
        for (done, version) in behind {
            if first.is_some_and(|first| done > first) {
                meets = Some(done);
                break;
            }
            // Of those that are as far behind, some have their turn when the others are through.
            if bytes > MOST_TEXT {
                continue;
            }
            if let Some((length, indicator)) = read(store, theme, version.leaf)? {
                bytes += length;
                first = Some(done);
                group.push((version, indicator));
            }
        }
        let Some(done) = first else { return Ok(None) };
        let ends = group.iter().filter_map(|(version, _)| version.until).min();
        Ok(Some(Self {
            done,
            end: meets.into_iter().chain(ends).min().unwrap_or(Seq(u64::MAX)),
            candidates: Candidates::of(group.iter().map(|(_, indicator)| indicator)),
            group: Group::new(group),
            next_at: Instant::now(),
        }))
    }
}

/// Every version of every indicator of a theme, to look at documents that were looked at before.
pub(crate) struct Again {
    loaded: Vec<RuleVersion>,
    group: Group,
}

impl Again {
    pub(crate) fn load(store: &Store, theme: ThemeId) -> Result<Self, Error> {
        let loaded = versions(store, theme)?;
        let mut indicators = Vec::new();
        for &version in loaded.iter().filter(|version| !version.is_removal) {
            indicators.extend(read(store, theme, version.leaf)?.map(|(_, indicator)| (version, indicator)));
        }
        Ok(Self { loaded, group: Group::new(indicators) })
    }

    /// Loads the versions again if any has changed.
    pub(crate) fn reload(&mut self, store: &Store, theme: ThemeId) -> Result<(), Error> {
        if versions(store, theme)? != self.loaded {
            *self = Self::load(store, theme)?;
        }
        Ok(())
    }

    /// What the versions find that are for this document. A version that has not come to it yet will find the same.
    pub(crate) fn assess(&self, seq: Seq, document: &Document) -> Vec<Finding> {
        self.group.assess(seq, document)
    }
}

fn versions(store: &Store, theme: ThemeId) -> Result<Vec<RuleVersion>, Error> {
    let rules = store.rules(&Grant::system(Purpose::Derivation), theme, RuleKind::Indicator)?;
    Ok(rules.into_iter().flat_map(|rule| rule.versions).collect())
}

/// The indicator of a version, and the length of its text; none where that was erased, or cannot be read by this release.
fn read(store: &Store, theme: ThemeId, version: u64) -> Result<Option<(usize, Indicator)>, Error> {
    let text = store.rule_text(&Grant::system(Purpose::Derivation), theme, version)?.text;
    let Some(text) = text else { return Ok(None) };
    let indicator = Indicator::parse(&text);
    if let Err(error) = &indicator {
        tracing::error!(%theme, version, %error, "an indicator cannot be read, and finds nothing");
    }
    Ok(indicator.ok().map(|indicator| (text.len(), indicator)))
}

/// How long the documents behind wait after so many of them, so that looking again leaves the machine to the crawl.
pub(crate) fn pause(documents: usize, config: &Config) -> Duration {
    match config.rescored_per_s {
        0 => Duration::ZERO,
        per_s => Duration::from_secs(1) * u32::try_from(documents).unwrap_or(u32::MAX) / per_s,
    }
}

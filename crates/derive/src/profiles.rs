//! Site profiles at work: pages are read with those in force, and stored ones are read again when a profile changes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use extract::SiteProfile;
use model::{Capture, CaptureId, CrawlHint, Grant, Purpose, Seq, ThemeId};
use search::Index;
use store::{Analysis, RuleKind, SiteReading, Store};
use tokio::time::Instant;

use crate::{
    Config,
    analysis::{self, Extractor, Reading},
    deriver::Error,
    scoring::{Again, pause},
    sketch::sketch,
};

/// The site profiles of one theme, and how far its stored pages were read with them.
pub(crate) struct Profiles {
    theme: ThemeId,
    /// With what the theme's pages are read.
    pub(crate) reading: Reading,
    done: SiteReading,
    /// When the next stored pages are due.
    next_at: Instant,
}

impl Profiles {
    /// The profiles of a theme as they are, while the analysis has reached `cursor`.
    pub(crate) fn load(store: &Store, theme: ThemeId, limits: extract::Limits, cursor: Seq) -> Result<Self, Error> {
        let rules = store.rules(&grant(), theme, RuleKind::SiteProfile)?;
        let set = rules.iter().flat_map(|rule| &rule.versions).map(|version| version.leaf).max().unwrap_or(0);
        let done = match store.site_reading(theme)? {
            Some(done) if done.set == set => done,
            _ if cursor == Seq(0) || set == 0 => SiteReading { set, up_to: None },
            _ => SiteReading { set, up_to: Some(Seq(0)) },
        };
        store.put_site_reading(theme, done)?;
        let mut profiles = Vec::new();
        for version in rules.iter().filter_map(store::Rule::present) {
            let Some(text) = store.rule_text(&grant(), theme, version.leaf)?.text else { continue };
            match SiteProfile::parse(&text) {
                Ok(profile) => profiles.push(profile),
                Err(error) => {
                    tracing::error!(%theme, version = version.leaf, %error, "a site profile cannot be read, and is not used");
                }
            }
        }
        Ok(Self { theme, reading: Reading { limits, profiles }, done, next_at: Instant::now() })
    }

    /// Loads the profiles again if any has changed.
    pub(crate) fn reload(&mut self, store: &Store, cursor: Seq) -> Result<(), Error> {
        let rules = store.rules(&grant(), self.theme, RuleKind::SiteProfile)?;
        let set = rules.iter().flat_map(|rule| &rule.versions).map(|version| version.leaf).max().unwrap_or(0);
        if set != self.done.set {
            *self = Self::load(store, self.theme, self.reading.limits.clone(), cursor)?;
        }
        Ok(())
    }

    /// When there is something to read again; none where nothing is.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.done.up_to.map(|_| self.next_at)
    }

    /// Reads the next stored pages again.
    pub(crate) fn step(
        &mut self,
        store: &Store,
        index: &Index,
        extractor: Extractor,
        cursor: Seq,
        config: &Config,
    ) -> Result<(), Error> {
        let Some(after) = self.done.up_to else { return Ok(()) };
        let run = store.captures_after(&grant(), self.theme, after, config.batch.max(1))?;
        let indicators = Again::load(store, self.theme)?;
        let (mut analyses, mut without, mut with) = (Vec::new(), Vec::new(), Vec::new());
        let mut looked_at = 0;
        for capture in run.captures.iter().take_while(|capture| capture.seq <= cursor) {
            looked_at += 1;
            let Some((before, hint, after)) = self.read_again(store, extractor, capture)? else { continue };
            let entry = analysis::entry(capture, Some(&after));
            if entry != analysis::entry(capture, Some(&before)) {
                without.push(capture.seq);
                with.push(entry);
            }
            let findings = indicators.assess(capture.seq, &after);
            let sketch = Some(sketch(capture, &after));
            analyses.push(Analysis { seq: capture.seq, hint, document: Some(after), sketch, version: None, findings });
        }
        store.put_analyses_again(self.theme, &analyses)?;
        if !without.is_empty() {
            index.replace(&without, &with)?;
        }
        let is_complete = run.up_to == after || run.up_to >= cursor;
        self.done.up_to = (!is_complete).then_some(run.up_to);
        store.put_site_reading(self.theme, self.done)?;
        self.next_at = Instant::now() + pause(looked_at, config);
        Ok(())
    }

    /// A stored document and what it becomes, with the new hint, if it becomes another.
    fn read_again(
        &self,
        store: &Store,
        extractor: Extractor,
        capture: &Capture,
    ) -> Result<Option<(model::Document, CrawlHint, model::Document)>, Error> {
        let id = CaptureId { theme: self.theme, seq: capture.seq };
        let read = || -> Result<_, store::Error> {
            let Some(before) = store.document(&grant(), id)? else { return Ok(None) };
            Ok(Some((before, store.payload(&grant(), self.theme, capture)?)))
        };
        let (before, payload) = match read() {
            Err(error) if error.is_withheld() => return Ok(None),
            read => match read? {
                Some(read) => read,
                None => return Ok(None),
            },
        };
        // It was read before, and must not kill the analysis now: here nobody counts the deaths.
        let again = catch_unwind(AssertUnwindSafe(|| extractor(capture, &payload, &self.reading)));
        let (Ok(Some(after)), Some(hint)) = (again, store.crawl_hint(self.theme, capture.seq)?) else {
            return Ok(None);
        };
        let hint = CrawlHint { kind: after.kind, ..hint };
        Ok((after != before).then_some((before, hint, after)))
    }
}

fn grant() -> Grant {
    Grant::system(Purpose::Derivation)
}

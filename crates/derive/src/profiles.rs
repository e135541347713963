//! Site profiles at work: pages are read with those in force, and stored ones are read again when a profile changes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use extract::SiteProfile;
use model::{Capture, CaptureId, CrawlHint, Document, Grant, Purpose, Seq, ThemeId};
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

/// Pages whose entries in the index are written anew at once: each time whole files of the index are.
const MOST_ENTRIES: usize = 2_000;

/// The site profiles of one theme, and how far its stored pages were read with them.
pub(crate) struct Profiles {
    theme: ThemeId,
    /// With what the theme's pages are read.
    pub(crate) reading: Reading,
    done: SiteReading,
    /// Every version of every indicator, once a page was read again that differs.
    indicators: Option<Again>,
    /// Pages of which the index says what they were before.
    stale: Vec<Seq>,
    /// When the next stored pages are due.
    next_at: Instant,
}

impl Profiles {
    /// The profiles of a theme as they are, while the analysis has reached `cursor`.
    ///
    /// `index` is emptied where a crash has left it behind the documents; whoever fills it begins anew.
    pub(crate) fn load(
        store: &Store,
        index: &Index,
        theme: ThemeId,
        limits: extract::Limits,
        cursor: Seq,
    ) -> Result<Self, Error> {
        let rules = store.rules(&grant(), theme, RuleKind::SiteProfile)?;
        let before = store.site_reading(theme)?;
        if before.is_some_and(|before| before.is_index_behind) {
            store.begin_edition(theme)?;
            index.clear()?;
        }
        let set = newest(&rules);
        // All that there is is analysed anew, with other profiles than before.
        let is_read_otherwise = cursor == Seq(0) && before.is_some_and(|before| before.set != set);
        let has_captures = store.newest().borrow().get(&theme).is_some_and(|newest| *newest > Seq(0));
        if is_read_otherwise && has_captures && store.edition(theme)?.is_multiple_of(2) {
            store.begin_edition(theme)?;
            store.end_edition(theme)?;
        }
        let up_to = match before {
            Some(before) if before.set == set => before.up_to,
            _ if cursor == Seq(0) || set == 0 => None,
            _ => Some(Seq(0)),
        };
        let done = SiteReading { set, up_to, is_index_behind: false };
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
        let reading = Reading { limits, profiles };
        Ok(Self { theme, reading, done, indicators: None, stale: Vec::new(), next_at: Instant::now() })
    }

    /// Loads the profiles again if any has changed.
    pub(crate) fn reload(&mut self, store: &Store, index: &Index, cursor: Seq) -> Result<(), Error> {
        if newest(&store.rules(&grant(), self.theme, RuleKind::SiteProfile)?) != self.done.set {
            self.catch_up(store, index)?;
            *self = Self::load(store, index, self.theme, self.reading.limits.clone(), cursor)?;
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
        let (mut analyses, mut looked_at) = (Vec::new(), 0);
        for capture in run.captures.iter().take_while(|capture| capture.seq <= cursor) {
            looked_at += 1;
            let Some((before, analysis)) = self.read_again(store, extractor, capture)? else { continue };
            if analysis::entry(capture, analysis.document.as_ref()) != analysis::entry(capture, Some(&before)) {
                self.stale.push(capture.seq);
            }
            analyses.push(analysis);
        }
        if !self.stale.is_empty() && !self.done.is_index_behind {
            self.done.is_index_behind = true;
            store.put_site_reading(self.theme, self.done)?;
        }
        if !analyses.is_empty() {
            store.begin_edition(self.theme)?;
            store.put_analyses_again(self.theme, &analyses)?;
            store.end_edition(self.theme)?;
        }
        let is_complete = run.up_to == after || run.up_to >= cursor;
        if is_complete || self.stale.len() >= MOST_ENTRIES {
            self.catch_up(store, index)?;
        }
        self.done.up_to = (!is_complete).then_some(run.up_to);
        store.put_site_reading(self.theme, self.done)?;
        self.next_at = Instant::now() + pause(looked_at, config);
        Ok(())
    }

    /// Makes the index say what the pages are now that were read again.
    fn catch_up(&mut self, store: &Store, index: &Index) -> Result<(), Error> {
        let mut entries = Vec::with_capacity(self.stale.len());
        for &seq in &self.stale {
            let id = CaptureId { theme: self.theme, seq };
            let Some(capture) = store.capture_if_open(&grant(), id)? else { continue };
            let document = match store.document(&grant(), id) {
                Err(error) if error.is_withheld() => continue,
                document => document?,
            };
            entries.push(analysis::entry(&capture, document.as_ref()));
        }
        if !self.stale.is_empty() {
            // What was erased or sealed since has left the index already, and does not come back.
            let sequences: Vec<Seq> = entries.iter().map(|entry| entry.seq).collect();
            store.begin_edition(self.theme)?;
            index.replace(&sequences, &entries)?;
            store.end_edition(self.theme)?;
            self.stale.clear();
            self.done.is_index_behind = false;
            store.put_site_reading(self.theme, self.done)?;
        }
        Ok(())
    }

    /// A stored document and what its capture comes to now, if that is something else.
    fn read_again(
        &mut self,
        store: &Store,
        extractor: Extractor,
        capture: &Capture,
    ) -> Result<Option<(Document, Analysis)>, Error> {
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
        let again = catch_unwind(AssertUnwindSafe(|| {
            let after = extractor(capture, &payload, &self.reading)?;
            Some((sketch(capture, &after), after))
        }));
        let Ok(Some((sketch, after))) = again else { return Ok(None) };
        let Some(hint) = store.crawl_hint(self.theme, capture.seq)?.filter(|_| after != before) else {
            return Ok(None);
        };
        let indicators = match &mut self.indicators {
            Some(indicators) => {
                indicators.reload(store, self.theme)?;
                indicators
            }
            none => none.insert(Again::load(store, self.theme)?),
        };
        let findings = indicators.assess(capture.seq, &after);
        let hint = CrawlHint { kind: after.kind, ..hint };
        let sketch = Some(sketch);
        let analysis = Analysis { seq: capture.seq, hint, document: Some(after), sketch, version: None, findings };
        Ok(Some((before, analysis)))
    }
}

/// The newest leaf that changed a profile; 0 where there never was one.
fn newest(rules: &[store::Rule]) -> u64 {
    rules.iter().flat_map(|rule| &rule.versions).map(|version| version.leaf).max().unwrap_or(0)
}

fn grant() -> Grant {
    Grant::system(Purpose::Derivation)
}

//! What follows an erasure, a seal and its lifting: versions are made right, entries leave the index or come back, and in the end no file holds
//! what was erased. Each step may be done again, and a row of the store stays until the last one is done.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use model::{Capture, CaptureId, CrawlHint, Grant, Outcome, Purpose, Seq, ThemeId, UriId};
use search::{Entry, Index};
use store::{Affected, ChangeKind, Store, Version, ViewChange};

use crate::{
    analysis::{self, Content, Extractor, Reading},
    deriver::Error,
    scoring::Again,
};

/// Carries out what a theme's changes ask for.
pub(crate) struct Eraser<'a> {
    pub(crate) store: &'a Store,
    pub(crate) index: &'a Index,
    pub(crate) theme: ThemeId,
    pub(crate) extractor: Extractor,
    pub(crate) reading: &'a Reading,
    /// The sequence up to which the derived tables are filled.
    pub(crate) cursor: Seq,
}

impl Eraser<'_> {
    /// Does what can be done now. True when nothing is left; false when a file is held open, so that a later try is due.
    pub(crate) fn run(&self) -> Result<bool, Error> {
        let changes = self.store.view_changes(self.theme)?;
        for change in changes.iter().filter(|change| !change.views_follow) {
            self.change_views(change)?;
        }
        let mut is_done = true;
        for change in self.store.view_changes(self.theme)? {
            is_done &= self.store.purge(self.theme, &change)?;
        }
        Ok(is_done)
    }

    /// Makes rows and index follow. What lies behind the cursor is yet to come to both, and comes as it should.
    pub(crate) fn change_views(&self, change: &ViewChange) -> Result<(), Error> {
        let captures: Vec<Affected> =
            change.captures.iter().filter(|capture| capture.seq <= self.cursor).copied().collect();
        let sequences: Vec<Seq> = captures.iter().map(|capture| capture.seq).collect();
        let entries = match change.kind {
            ChangeKind::Erased | ChangeKind::Sealed => {
                self.store.forget_views(self.theme, &captures)?;
                Vec::new()
            }
            ChangeKind::Unsealed => {
                self.store.begin_edition(self.theme)?;
                self.analyse_again(&sequences)?
            }
        };
        for uri in captures.iter().map(|capture| capture.uri).collect::<BTreeSet<UriId>>() {
            self.mend_versions(uri)?;
        }
        self.index.replace(&sequences, &entries)?;
        self.store.end_edition(self.theme)?;
        Ok(self.store.views_followed(self.theme, change)?)
    }

    /// Gives captures their views again; returns what the index is to hold of them.
    fn analyse_again(&self, sequences: &[Seq]) -> Result<Vec<Entry>, Error> {
        let grant = Grant::system(Purpose::Derivation);
        let (mut analyses, mut entries) = (Vec::new(), Vec::new());
        let indicators = Again::load(self.store, self.theme)?;
        for &seq in sequences {
            // It may have been erased, or sealed once more, since.
            let Some(capture) = self.store.capture_if_open(&grant, CaptureId { theme: self.theme, seq })? else {
                continue;
            };
            let payload = match self.store.payload(&grant, self.theme, &capture) {
                Err(error) if error.is_withheld() => continue,
                payload => payload?,
            };
            // It must not kill analysis again and again: here nobody counts the deaths.
            let extracted = catch_unwind(AssertUnwindSafe(|| (self.extractor)(&capture, &payload, self.reading)));
            let mut analysis = match extracted {
                Ok(document) => analysis::analysis(&capture, document, None, None),
                Err(_) => analysis::quarantined(&capture),
            };
            if let Some(document) = &analysis.document {
                analysis.findings = indicators.assess(seq, document);
            }
            entries.push(analysis::entry(&capture, analysis.document.as_ref()));
            analyses.push(analysis);
        }
        self.store.put_analyses_again(self.theme, &analyses)?;
        Ok(entries)
    }

    /// Makes the versions of a URI, and what its hints say of change, what they would be if the captures that are left were the first and only ones.
    fn mend_versions(&self, uri: UriId) -> Result<(), Error> {
        let grant = Grant::system(Purpose::Derivation);
        let mut versions: Vec<Version> = Vec::new();
        let mut hints: Vec<(Seq, CrawlHint)> = Vec::new();
        for seq in self.store.sequences_of_uri(self.theme, uri)?.into_iter().filter(|seq| *seq <= self.cursor) {
            let id = CaptureId { theme: self.theme, seq };
            let Some(hint) = self.store.crawl_hint(self.theme, seq)? else { continue };
            let Some(capture) = self.store.capture_if_open(&grant, id)? else { continue };
            let content = match self.store.document(&grant, id) {
                Err(error) if error.is_withheld() => None,
                document => document?.as_ref().map(Content::from),
            };
            let content = match content {
                None if capture.outcome == Outcome::NotModified => self.vouched_for(&capture, &versions)?,
                content => content,
            };
            let Some(content) = content else { continue };
            let version = analysis::continued(versions.last().copied(), seq, capture.started_at, content);
            match versions.last_mut() {
                Some(last) if last.first == version.first => *last = version,
                _ => versions.push(version),
            }
            let has_changed = version.first == seq;
            if hint.has_changed != has_changed {
                hints.push((seq, CrawlHint { has_changed, ..hint }));
            }
        }
        Ok(self.store.replace_versions(self.theme, uri, &versions, &hints)?)
    }

    /// What a 304 vouches for, among the versions that the URI has had by then.
    fn vouched_for(&self, capture: &Capture, versions: &[Version]) -> Result<Option<Content>, Error> {
        let (uri, grant) = (capture.uri.id(), Grant::system(Purpose::Derivation));
        let page = self.store.page_held(&grant, self.theme, uri, capture.target, Some(capture.seq))?;
        let at = page.map_or(capture.seq, |page| page.seq);
        Ok(versions.iter().rev().find(|version| version.first <= at).copied().map(Content::from))
    }
}

//! The loop of the analysis.
//!
//! Order of writing: derived rows and cursor in one batch, then, some captures later, the search index with the sequence that it has reached.
//! Each of the two positions is written together with what it counts, so that after a crash at any moment the rest is simply made again.

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use model::{Capture, CaptureId, Document, Grant, ObservableSettings, Outcome, Pulse, Purpose, Seq, Theme, ThemeId};
use search::{Index, Indexes};
use store::{Analysis, Attempt, Room, Run, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    Config,
    analysis::{self, Content, Extractor},
    eraser::Eraser,
    profiles::Profiles,
    scoring::Scorer,
    versions::Versions,
};

/// Deaths with one capture alone in hand after which it is put aside.
const DEATHS: u32 = 2;

/// How often a disk without room is looked at. What is captured stays captured: the analysis follows when there is room.
const ROOM_TICK: Duration = Duration::from_millis(500);
/// How long a file that is held open keeps an erasure waiting before the next try.
const ERASE_AGAIN: Duration = Duration::from_secs(1);

/// The follower's name in the store.
const FOLLOWER: &str = "derive";

/// The priority of the analysis, as `nice` counts: 0 is that of the rest, 19 the lowest.
const PRIORITY: i32 = 5;

/// What ends the analysis.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The search index failed.
    #[error(transparent)]
    Search(#[from] search::Error),
    /// A capture killed the analysis. After the second time it is put aside.
    #[error("the analysis died: {0}")]
    Died(#[from] tokio::task::JoinError),
}

/// The analysis.
pub struct Deriver {
    config: Config,
    store: Store,
    indexes: Arc<Indexes>,
    extractor: Extractor,
    /// Which observables of a theme may be kept; of others every kind.
    keep: HashMap<ThemeId, ObservableSettings>,
    pulse: Pulse,
}

/// How far the analysis of one theme is.
struct Follower {
    theme: ThemeId,
    index: Arc<Index>,
    cursor: Seq,
    /// Up to here captures are taken one by one, because a batch that held them was not survived.
    careful_until: Seq,
    /// Deaths so far with the next capture alone in hand.
    deaths: u32,
    /// Captures that the index has not committed, and since when.
    waiting: Option<(Instant, u32)>,
    /// When the rest of an erasure is tried again, if one is not complete.
    erase_at: Option<Instant>,
    profiles: Profiles,
    scorer: Scorer,
}

impl Deriver {
    /// An analysis of what `store` holds, into its derived tables and `indexes`.
    pub fn new(config: Config, store: Store, indexes: Arc<Indexes>) -> Self {
        Self { config, store, indexes, extractor: analysis::document, keep: HashMap::new(), pulse: Pulse::default() }
    }

    /// Keeps of each theme's pages the observables that it allows (R23), and no others.
    #[must_use]
    pub fn keeping(self, themes: &[Theme]) -> Self {
        let keep = themes.iter().map(|theme| (theme.id, theme.observables.clone())).collect();
        Self { keep, ..self }
    }

    /// Beats at each turn of the loop.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Up to where a page of the theme is read, and what is kept of it.
    fn limits(&self, theme: ThemeId) -> extract::Limits {
        extract::Limits { keep: self.keep.get(&theme).cloned().unwrap_or_default(), ..extract::Limits::default() }
    }

    /// Makes every derived row and index again from the captures: the next run begins at the first of them.
    pub fn forget(store: &Store, indexes: &Indexes, themes: &[ThemeId]) -> Result<(), Error> {
        store.forget_derived(FOLLOWER)?;
        for theme in themes {
            indexes.theme(*theme)?.clear()?;
        }
        Ok(())
    }

    /// Follows the captures until `stop`; what is analysed by then is in the index.
    ///
    /// It works on a thread of its own that gives way to the fetches, whose circuits suffer when they are served late.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let runtime = tokio::runtime::Handle::current();
        let work = move || {
            give_way();
            runtime.block_on(self.follow(&stop))
        };
        tokio::task::spawn_blocking(work).await?
    }

    async fn follow(&self, stop: &CancellationToken) -> Result<(), Error> {
        let mut newest = self.store.newest();
        self.forget_other_extractors(&newest.borrow())?;
        let mut changed = self.store.changed();
        let mut followers: BTreeMap<ThemeId, Follower> = BTreeMap::new();
        loop {
            self.pulse.beat();
            let themes = newest.borrow_and_update().clone();
            let has_room = self.store.room() == Room::ForAll;
            let has_changed = changed.has_changed().unwrap_or(false);
            if has_changed {
                changed.mark_unchanged();
            }
            let mut is_busy = false;
            for (theme, last) in themes {
                let follower = match followers.entry(theme) {
                    Entry::Occupied(follower) => follower.into_mut(),
                    Entry::Vacant(place) => place.insert(self.begin(theme)?),
                };
                if has_changed {
                    follower.profiles.reload(&self.store, &follower.index, follower.cursor)?;
                    follower.scorer.reload(&self.store, follower.cursor)?;
                }
                if has_changed || follower.erase_at.is_some_and(|at| at <= Instant::now()) {
                    self.erase(follower)?;
                }
                if follower.cursor < last && has_room {
                    self.step(follower)?;
                    is_busy |= follower.cursor < last;
                }
                if has_room {
                    self.look_again(follower)?;
                }
                if follower.must_commit(&self.config) {
                    follower.commit()?;
                }
            }
            if stop.is_cancelled() {
                break;
            }
            if !is_busy {
                let longest = if has_room { Pulse::REST } else { ROOM_TICK };
                let wait = followers.values().filter_map(|follower| follower.wait(&self.config)).min();
                let wait = wait.map_or(longest, |wait| wait.min(longest));
                tokio::select! {
                    () = stop.cancelled() => {}
                    more = newest.changed() => if more.is_err() { break },
                    _ = changed.changed() => changed.mark_changed(),
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
        self.store.use_reserve();
        followers.values_mut().try_for_each(Follower::commit)
    }

    /// What another version of the extractor made is made again from the captures, which stay.
    fn forget_other_extractors(&self, themes: &HashMap<ThemeId, Seq>) -> Result<(), Error> {
        let is_of_another = |theme: &ThemeId| -> Result<bool, Error> {
            let is_begun = self.store.derive_cursor(*theme)? > Seq(0);
            Ok(is_begun && self.store.extractor(*theme)? != Some(extract::EXTRACTOR))
        };
        for theme in themes.keys() {
            if is_of_another(theme)? {
                tracing::info!(
                    extractor = extract::EXTRACTOR,
                    "documents are of another extractor: everything is analysed again"
                );
                let themes: Vec<ThemeId> = themes.keys().copied().collect();
                return Self::forget(&self.store, &self.indexes, &themes);
            }
        }
        Ok(())
    }

    /// Takes up a theme where it was left, and brings its index up to the derived rows.
    fn begin(&self, theme: ThemeId) -> Result<Follower, Error> {
        let index = self.indexes.theme(theme)?;
        let cursor = self.store.derive_cursor(theme)?;
        self.store.put_extractor(theme, extract::EXTRACTOR)?;
        if cursor == Seq(0) && self.store.edition(theme)? > 0 {
            // Pages that had been read again in part are all read anew.
            self.store.begin_edition(theme)?;
        }
        let profiles = Profiles::load(&self.store, &index, theme, self.limits(theme), cursor)?;
        let mut follower = Follower {
            theme,
            index,
            cursor,
            careful_until: Seq(0),
            deaths: 0,
            waiting: None,
            erase_at: Some(Instant::now()),
            profiles,
            scorer: Scorer::load(&self.store, theme, cursor)?,
        };
        if let Some(attempt) = self.store.interrupted_attempt(theme)? {
            follower.careful_until = attempt.last;
            // One that was sealed since is passed over, and what comes after it is innocent.
            let id = CaptureId { theme, seq: attempt.first };
            let is_next = self.store.capture_if_open(&Grant::system(Purpose::Derivation), id)?.is_some();
            follower.deaths = if is_next && attempt.first == attempt.last { attempt.deaths + 1 } else { 0 };
            tracing::warn!(%theme, first = %attempt.first, last = %attempt.last, deaths = follower.deaths, "the analysis did not survive these captures; taking them one by one");
        }
        self.reindex(&mut follower)?;
        self.store.end_edition(theme)?;
        Ok(follower)
    }

    /// Adds what is analysed and not in the index; an index that is ahead of the rows, because these were deleted, is emptied.
    fn reindex(&self, follower: &mut Follower) -> Result<(), Error> {
        if follower.index.indexed_up_to() > follower.cursor {
            follower.index.clear()?;
        }
        let grant = Grant::system(Purpose::Derivation);
        let (mut at, end) = (follower.index.indexed_up_to(), follower.cursor);
        while at < end {
            self.pulse.beat();
            let run = self.store.captures_after(&grant, follower.theme, at, self.config.batch.max(1))?;
            for capture in run.captures.into_iter().take_while(|capture| capture.seq <= end) {
                let id = CaptureId { theme: follower.theme, seq: capture.seq };
                let document = match self.store.document(&grant, id) {
                    Err(error) if error.is_withheld() => None,
                    document => document?,
                };
                follower.add(&capture, document.as_ref())?;
            }
            if run.up_to == at {
                break;
            }
            at = run.up_to;
        }
        Ok(())
    }

    /// Carries out what erasures and seals ask of views, index and files.
    fn erase(&self, follower: &mut Follower) -> Result<(), Error> {
        let Follower { theme, cursor, .. } = *follower;
        let (store, index, extractor) = (&self.store, &follower.index, self.extractor);
        let eraser = Eraser { store, index, theme, extractor, reading: &follower.profiles.reading, cursor };
        // Files of a large store that hold what was erased are written anew.
        let _long = self.pulse.long_work();
        follower.erase_at = (!eraser.run()?).then(|| Instant::now() + ERASE_AGAIN);
        Ok(())
    }

    /// Looks at stored pages again for which a profile or an indicator has changed, as many as are due. Fields come first: indicators ask for them.
    fn look_again(&self, follower: &mut Follower) -> Result<(), Error> {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= Instant::now());
        let Follower { index, cursor, profiles, scorer, .. } = follower;
        if is_due(profiles.due()) {
            profiles.step(&self.store, index, self.extractor, *cursor, &self.config)?;
        } else if is_due(scorer.due(*cursor)) {
            scorer.step(&self.store, index, *cursor, &self.config)?;
        }
        Ok(())
    }

    /// Analyses the next batch.
    fn step(&self, follower: &mut Follower) -> Result<(), Error> {
        let is_careful = follower.cursor < follower.careful_until;
        let size = if is_careful { 1 } else { self.config.batch.max(1) };
        let theme = follower.theme;
        let Run { captures, up_to } =
            self.store.captures_after(&Grant::system(Purpose::Derivation), theme, follower.cursor, size)?;
        // Whatever changes later is for captures behind these.
        follower.scorer.reload(&self.store, follower.cursor)?;
        let analyses = match (captures.first(), captures.last()) {
            (Some(first), Some(last)) if follower.deaths < DEATHS => {
                let attempt = Attempt { first: first.seq, last: last.seq, deaths: follower.deaths };
                self.store.begin_attempt(theme, &attempt)?;
                self.analyse(follower, &captures)?
            }
            (Some(first), _) => {
                tracing::error!(%theme, capture = %first.seq, "the capture killed the analysis twice and is put aside");
                vec![analysis::quarantined(first)]
            }
            // Nothing but erased and sealed captures.
            (None, _) => Vec::new(),
        };
        for (capture, analysis) in captures.iter().zip(&analyses) {
            follower.add(capture, analysis.document.as_ref())?;
        }
        // The index is to say that it is complete to here, also where nothing of it was added.
        follower.waiting.get_or_insert_with(|| (Instant::now(), 0));
        self.store.put_analyses(theme, &analyses, up_to)?;
        follower.cursor = up_to;
        follower.deaths = 0;
        Ok(())
    }

    fn analyse(&self, follower: &Follower, captures: &[Capture]) -> Result<Vec<Analysis>, Error> {
        let theme = follower.theme;
        let grant = Grant::system(Purpose::Derivation);
        let mut versions = Versions::new(&self.store, theme);
        let mut analyses = Vec::with_capacity(captures.len());
        for capture in captures {
            let document = match self.store.payload(&grant, theme, capture) {
                Ok(payload) => (self.extractor)(capture, &payload, &follower.profiles.reading),
                // Since it was read; what is written of it here is taken away with the rest.
                Err(error) if error.is_withheld() => None,
                Err(error) => return Err(error.into()),
            };
            let before = versions.at(capture.uri.id(), capture.seq)?;
            let content = match &document {
                Some(document) => Some(Content::from(document)),
                None if capture.outcome == Outcome::NotModified => versions.vouched_for(capture)?.map(Content::from),
                None => None,
            };
            let mut analysis = analysis::analysis(capture, document, content, before);
            analysis.findings = analysis
                .document
                .as_ref()
                .map(|document| follower.scorer.assess(capture.seq, document))
                .unwrap_or_default();
            versions.extend(analysis.version);
            analyses.push(analysis);
        }
        Ok(analyses)
    }
}

impl Follower {
    fn add(&mut self, capture: &Capture, document: Option<&Document>) -> Result<(), Error> {
        self.index.add(&analysis::entry(capture, document))?;
        let (_, count) = self.waiting.get_or_insert_with(|| (Instant::now(), 0));
        *count += 1;
        Ok(())
    }

    fn must_commit(&self, config: &Config) -> bool {
        self.waiting.is_some_and(|(since, count)| {
            count >= config.index_after_captures || since.elapsed() >= config.index_after()
        })
    }

    /// The time until something must be done, though nothing new comes.
    fn wait(&self, config: &Config) -> Option<Duration> {
        let index = self.waiting.map(|(since, _)| config.index_after().saturating_sub(since.elapsed()));
        let until = |at: Instant| at.saturating_duration_since(Instant::now());
        index
            .into_iter()
            .chain(self.erase_at.map(until))
            .chain(self.profiles.due().map(until))
            .chain(self.scorer.due(self.cursor).map(until))
            .min()
    }

    fn commit(&mut self) -> Result<(), Error> {
        if self.waiting.take().is_some() {
            self.index.commit(self.cursor)?;
        }
        Ok(())
    }
}

/// Lowers the priority of this thread, and of those that it will start.
fn give_way() {
    // On Linux a priority belongs to a thread (setpriority(2), "C library/kernel differences").
    if let Err(error) = rustix::process::setpriority_process(None, PRIORITY) {
        tracing::warn!(%error, "the analysis keeps its priority");
    }
}

#[cfg(test)]
mod tests;

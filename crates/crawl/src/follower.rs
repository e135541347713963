//! From what analysis found to what is fetched next: follows the crawl hints with a durable cursor, applies scope, sets due times.

use std::collections::{HashMap, HashSet};

use model::{
    Attention, CaptureId, CrawlHint, Grant, MediaPolicy, Outcome, Purpose, Seq, ServiceId, TargetId, ThemeId,
    Timestamp, Uri, UriId,
};
use store::{CrawlBatch, Priority, Store, TemplateRecord, UriRecord};

use crate::{
    Config, Error,
    schedule::{come_again, is_refusal},
    scope::{Refusal, template},
    watched::Watched,
};

/// Hints that are dealt with in one batch.
const BATCH: usize = 32;

/// URIs that are remembered as known before the memory is emptied; 24 bytes each.
const REMEMBERED: usize = 200_000;

/// What one step came to, beyond what it wrote.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// Queues that now owe more visits.
    pub(crate) owed: Vec<(TargetId, ServiceId)>,
    /// Targets that must wait for a person.
    pub(crate) attention: Vec<(TargetId, Attention)>,
    /// Captures of `robots.txt`.
    pub(crate) robots: Vec<(TargetId, Uri)>,
}

pub(crate) struct Follower {
    store: Store,
    config: Config,
    known: HashSet<(TargetId, UriId)>,
}

/// A URI that may be admitted, and how it was come by.
struct Candidate<'a> {
    uri: Uri,
    via: Option<&'a Uri>,
    hops: u16,
    redirects: Vec<Uri>,
    priority: Priority,
}

impl Follower {
    pub(crate) fn new(store: Store, config: Config) -> Self {
        Self { store, config, known: HashSet::new() }
    }

    /// Admits the seeds of a target, and `robots.txt` of their services; what is known already stays as it is.
    pub(crate) fn admit_seeds(&mut self, watched: &Watched, now: Timestamp) -> Result<Followed, Error> {
        let mut step = Step::new(now);
        for uri in watched.robots_files().chain(watched.seeds().cloned()) {
            self.admit(
                &mut step,
                watched,
                Candidate { uri, via: None, hops: 0, redirects: Vec::new(), priority: Priority::High },
            )?;
        }
        self.write(watched.target.theme, step)
    }

    /// Deals with the next hints of a theme; `None` when there are none.
    pub(crate) fn step(
        &mut self,
        theme: ThemeId,
        targets: &mut HashMap<TargetId, Watched>,
        now: Timestamp,
    ) -> Result<Option<Followed>, Error> {
        let hints = self.store.crawl_hints_after(theme, self.store.crawl_cursor(theme)?, BATCH)?;
        let Some(&(last, _)) = hints.last() else { return Ok(None) };
        let mut step = Step::new(now);
        for (seq, hint) in &hints {
            if let Some(watched) = targets.get_mut(&hint.target) {
                self.follow(&mut step, watched, *seq, hint)?;
            }
        }
        step.batch.up_to = Some(last);
        self.write(theme, step).map(Some)
    }

    fn write(&mut self, theme: ThemeId, mut step: Step) -> Result<Followed, Error> {
        step.batch.templates = step.templates.into_iter().map(|((target, _), record)| (target, record)).collect();
        let applied = self.store.apply(theme, &step.batch);
        if applied.is_err() {
            // What was to be admitted is not: the memory must not tell the next attempt otherwise.
            self.known.clear();
        }
        applied?;
        Ok(step.followed)
    }

    fn follow(&mut self, step: &mut Step, watched: &mut Watched, seq: Seq, hint: &CrawlHint) -> Result<(), Error> {
        // Nothing follows from a probe.
        if watched.is_probe(&self.store, seq)? {
            return Ok(());
        }
        let theme = watched.target.theme;
        let Some(record) = self.store.uri(theme, hint.target, hint.uri)? else { return Ok(()) };
        if record.uri.path() == "/robots.txt" {
            step.followed.robots.push((hint.target, record.uri.clone()));
        }
        if !hint.outcome.has_content() {
            return Ok(());
        }
        if !is_refusal(hint.outcome) && record.last == Some(seq) && record.due.is_none() {
            let mut record = record.clone();
            come_again(&mut record, watched.target.pace(), hint.has_changed, step.now);
            step.followed.owed.push((hint.target, record.uri.service()));
            step.batch.uris.push(record);
        }
        if let Some(reason) = self.wall(watched, &record, hint) {
            step.followed.attention.push((hint.target, Attention { since: step.now, reason, seen_in: Some(seq) }));
            return Ok(());
        }
        for uri in self.redirects(theme, seq, hint)? {
            let mut redirects = record.redirects.clone();
            redirects.push(record.uri.clone());
            self.admit(
                step,
                watched,
                Candidate { uri, via: Some(&record.uri), hops: record.hops, redirects, priority: Priority::High },
            )?;
        }
        for link in self.store.links(&Grant::system(Purpose::Scheduling), theme, seq)? {
            let hops = record.hops.saturating_add(1);
            self.admit(
                step,
                watched,
                Candidate {
                    uri: link.uri,
                    via: Some(&record.uri),
                    hops,
                    redirects: Vec::new(),
                    priority: Priority::Normal,
                },
            )?;
        }
        self.admit_images(step, watched, seq, &record)
    }

    /// Admits the images that a page shows, where the decision wants them.
    fn admit_images(&mut self, step: &mut Step, watched: &Watched, seq: Seq, record: &UriRecord) -> Result<(), Error> {
        if watched.target.terms().is_none_or(|terms| terms.media == MediaPolicy::TextOnly) {
            return Ok(());
        }
        let id = CaptureId { theme: watched.target.theme, seq };
        let document = match self.store.document(&Grant::system(Purpose::Scheduling), id) {
            Err(error) if error.is_withheld() => None,
            document => document?,
        };
        let (via, hops) = (Some(&record.uri), record.hops.saturating_add(1));
        for uri in document.into_iter().flat_map(|document| document.images).filter_map(|image| image.parse().ok()) {
            let image = Candidate { uri, via, hops, redirects: Vec::new(), priority: Priority::Low };
            self.admit(step, watched, image)?;
        }
        Ok(())
    }

    /// Why the target must wait for a person: a login or a challenge stands where a page should be.
    ///
    /// A page that is merely linked as a login is no wall; one that is a seed, that something else led to by redirect, or that is
    /// one of several in a row, is.
    fn wall(&self, watched: &mut Watched, record: &UriRecord, hint: &CrawlHint) -> Option<String> {
        if !hint.kind.is_wall() {
            watched.walls = 0;
            return None;
        }
        watched.walls += 1;
        let stands_for_another = record.hops == 0 || !record.redirects.is_empty();
        (stands_for_another || watched.walls >= self.config.walls_in_a_row)
            .then(|| format!("a page of kind {} at {}", hint.kind, record.uri.path()))
    }

    /// Where the page sends its visitors: by `Location`, by a `Refresh` field, by a `meta` refresh.
    fn redirects(&self, theme: ThemeId, seq: Seq, hint: &CrawlHint) -> Result<Vec<Uri>, Error> {
        let mut redirects = Vec::new();
        if hint.outcome == Outcome::Redirect {
            let capture = self.store.capture_if_open(&Grant::system(Purpose::Maintenance), CaptureId { theme, seq })?;
            redirects.extend(capture.and_then(|capture| capture.redirect_to));
        }
        let refresh = hint.refresh.as_ref().filter(|refresh| refresh.delay_s <= self.config.refresh_delay_s);
        redirects.extend(refresh.and_then(|refresh| refresh.to.clone()?.ok()));
        Ok(redirects)
    }

    fn admit(&mut self, step: &mut Step, watched: &Watched, candidate: Candidate<'_>) -> Result<(), Error> {
        let Candidate { uri, via, hops, redirects, priority } = candidate;
        let uri = uri.without_parameters(|name| self.config.is_noise(name));
        let (theme, target) = (watched.target.theme, watched.target.id);
        let refusal = watched.scope.check(&uri, hops, &self.config).err();
        if refusal == Some(Refusal::OutOfScope) || !self.is_new(theme, target, &uri)? {
            return Ok(());
        }
        let shape = match refusal {
            Some(Refusal::Trap(name)) => name.to_owned(),
            _ => template(&uri),
        };
        let counts = match step.templates.entry((target, shape)) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let record = self.store.template(theme, target, &entry.key().1)?;
                entry.insert(record)
            }
        };
        if refusal.is_some() || counts.admitted >= self.config.uris_per_template {
            counts.refused = counts.refused.saturating_add(1);
            return Ok(());
        }
        counts.admitted += 1;
        step.followed.owed.push((target, uri.service()));
        step.batch.uris.push(UriRecord {
            uri,
            target,
            via: via.cloned(),
            hops,
            redirects,
            priority,
            due: Some(step.now),
            attempts: 0,
            failures: 0,
            interval_s: 0,
            outcome: None,
            last: None,
        });
        Ok(())
    }

    /// Whether the target has not met the URI before; from now on it has.
    fn is_new(&mut self, theme: ThemeId, target: TargetId, uri: &Uri) -> Result<bool, Error> {
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        Ok(self.known.insert((target, uri.id())) && self.store.uri(theme, target, uri.id())?.is_none())
    }
}

/// A batch under construction.
struct Step {
    now: Timestamp,
    batch: CrawlBatch,
    templates: HashMap<(TargetId, String), TemplateRecord>,
    followed: Followed,
}

impl Step {
    fn new(now: Timestamp) -> Self {
        Self { now, batch: CrawlBatch::default(), templates: HashMap::new(), followed: Followed::default() }
    }
}

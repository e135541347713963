//! Runs watches: asks again what was saved, under the grant that its owner has now, and writes what is found as alerts.
//!
//! It stands here and not with the analysis, because a watch is a search over the API that repeats itself: what its query means is known here, and here
//! grants are made.

mod config;
mod spool;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use model::{Grant, Grouping, Phase, Pulse, Purpose, Role, RoleGrant, Seq, ThemeId, Timestamp, Trigger, Watch};
use proof::LeafKind;
use search::{Hit, Query, Sort};
use store::{Act, KeptWatch, WatchRun, WatchState};
use tokio_util::sync::CancellationToken;

pub use self::config::WatchConfig;
use self::spool::Spool;
use crate::{
    app::{Running, Shared},
    controllers::search as searches,
    refusal::Refusal,
};

/// How often it is looked whether a watch is due. The index comes further once a second at most.
const TICK: Duration = Duration::from_secs(1);

/// How long a watch that could not run waits before it is tried again.
const TRY_AGAIN: Duration = Duration::from_mins(1);

/// Captures that a run looks at.
const WINDOW: u64 = 10_000;

const NO_GRANT: &str = "its owner has no grant for this theme at present";

/// Who may run what: the grant for a theme that the owner of a watch has at this moment, if there is one.
pub(crate) type Owners = dyn Fn(&str, ThemeId) -> Option<Grant> + Send + Sync;

/// What ends the watches.
#[derive(Debug, thiserror::Error)]
pub enum WatcherError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A watch killed it.
    #[error("the watches died: {0}")]
    Died(#[from] tokio::task::JoinError),
}

/// Runs the watches of all themes.
pub struct Watcher {
    running: Shared,
    owners: Arc<Owners>,
    spool: Option<Spool>,
    pulse: Pulse,
}

/// What a run found.
struct Found {
    /// It looked at every capture up to here.
    up_to: Seq,
    /// What matched, by sequence.
    hits: Vec<Hit>,
    /// Whether there is more to look at.
    has_more: bool,
}

impl Watcher {
    pub(crate) fn new(running: Shared, owners: Arc<Owners>) -> Self {
        let spool = Spool::of(&running.app.watches);
        Self { running, owners, spool, pulse: Pulse::default() }
    }

    /// Beats at each turn of the loop.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Runs watches when they are due, until `stop`. A full disk makes it wait.
    pub async fn run(self, stop: CancellationToken) -> Result<(), WatcherError> {
        let watcher = Arc::new(self);
        loop {
            watcher.pulse.beat();
            let round = Arc::clone(&watcher);
            let wait = match tokio::task::spawn_blocking(move || round.look()).await? {
                Ok(true) => Duration::ZERO,
                Ok(false) => TICK,
                Err(error) if error.is_disk_full() => {
                    tracing::error!(%error, "no watch can run");
                    TRY_AGAIN
                }
                Err(error) => return Err(error.into()),
            };
            if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Looks at every watch once, and carries alerts to the spool directory. Whether there is more to do at once.
    pub(crate) fn look(&self) -> Result<bool, store::Error> {
        let app = &self.running.app;
        let mut is_busy = false;
        for theme in app.themes.now().iter().map(|theme| theme.id) {
            for watch in app.store.watches(&Grant::system(Purpose::Maintenance), theme)? {
                self.pulse.beat();
                is_busy |= self.step(theme, &watch)?;
            }
            if let Some(spool) = &self.spool {
                is_busy |= spool.carry(app, theme)?;
            }
        }
        Ok(is_busy)
    }

    /// Runs a watch, if it is due. Whether it has more to do at once.
    fn step(&self, theme: ThemeId, watch: &KeptWatch) -> Result<bool, store::Error> {
        let (store, now) = (&self.running.app.store, self.running.app.clock.now());
        let state = store.watch_state(theme, watch.id)?;
        if !is_due(watch, &state, now) {
            return Ok(false);
        }
        let Some(grant) = (self.owners)(&watch.watch.owner, theme) else {
            self.note(theme, watch, &state, Some(NO_GRANT), None)?;
            return Ok(false);
        };
        match self.find(&grant, theme, watch, state.cursor) {
            Ok(Some(found)) => {
                if !found.hits.is_empty() && !self.is_audited(theme, watch, found.hits.len())? {
                    return Ok(false);
                }
                let has_more = found.has_more;
                let run = run(watch, &state, &found, now);
                Ok(store.note_run(&grant, theme, run)? && has_more)
            }
            Ok(None) => {
                self.note(theme, watch, &state, None, None)?;
                Ok(false)
            }
            Err(refusal) if is_passing(&refusal) => Ok(false),
            Err(refusal) => {
                self.note(theme, watch, &state, Some(&refusal.problem().1.detail), Some(now))?;
                Ok(false)
            }
        }
    }

    /// Records that a watch has found something for its owner, before it is told. Whether it could be: where not, the watch is tried again.
    fn is_audited(&self, theme: ThemeId, watch: &KeptWatch, hits: usize) -> Result<bool, store::Error> {
        let kept = &watch.watch;
        let int = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let act = Act::new(theme, LeafKind::Access, self.running.app.clock.now())
            .fact("who", kept.owner.as_str())
            .fact("action", "run watch")
            .fact("watch", int(watch.id))
            .fact("count", int(hits as u64))
            .part("query", kept.query.as_str());
        let act = kept.purpose.iter().fold(act, |act, purpose| act.part("purpose", purpose.as_str()));
        match self.running.app.store.audit(act, false) {
            Ok(_) => Ok(true),
            Err(store::Error::Unaudited(error)) => {
                tracing::error!(error, %theme, watch = watch.id, "a watch that found something cannot be recorded, and waits");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// What is found behind the cursor of a watch; `None` while there is nothing to look at.
    fn find(&self, grant: &Grant, theme: ThemeId, watch: &KeptWatch, after: Seq) -> Result<Option<Found>, Refusal> {
        let query = searches::read(Some(&watch.watch.query))?;
        let most = self.running.app.watches.hits_per_run();
        let indexed = self.running.app.indexes.theme(theme)?.indexed_up_to();
        let mut up_to = indexed.min(Seq(after.0.saturating_add(WINDOW)));
        if up_to <= after {
            // What runs by the clock has run, though nothing came.
            let has_run = watch.watch.trigger != Trigger::Arrival;
            return Ok(has_run.then(|| Found { up_to: after, hits: Vec::new(), has_more: false }));
        }
        loop {
            let query = Query {
                within: Some((after, up_to)),
                sort: Sort::Oldest,
                limit: most,
                after: None,
                up_to: None,
                ..query.clone()
            };
            let page = searches::find(&self.running, theme, grant, query)?.page;
            if page.total > most as u64 {
                up_to = Seq(after.0 + (up_to.0 - after.0).div_ceil(2));
                continue;
            }
            // An indicator that is asked for may not have come so far.
            let up_to = up_to.min(page.up_to);
            if up_to <= after {
                return Ok(None);
            }
            let mut hits = page.hits;
            hits.sort_unstable_by_key(|hit| hit.seq);
            return Ok(Some(Found { up_to, hits, has_more: up_to < indexed }));
        }
    }

    /// Notes what keeps a watch from running, where that is another thing than before.
    fn note(
        &self,
        theme: ThemeId,
        watch: &KeptWatch,
        state: &WatchState,
        problem: Option<&str>,
        tried_at: Option<Timestamp>,
    ) -> Result<(), store::Error> {
        if state.problem.as_deref() == problem && state.tried_at == tried_at {
            return Ok(());
        }
        if let Some(problem) = problem.filter(|_| state.problem.as_deref() != problem) {
            tracing::warn!(%theme, watch = watch.id, problem, "a watch cannot run");
        }
        self.running.app.store.put_watch_problem(theme, watch.id, problem, tried_at)
    }
}

/// The grants of owners, as they are at present.
pub(crate) fn owners(running: &Shared) -> Arc<Owners> {
    let running = Shared::clone(running);
    Arc::new(move |who, theme| grant_of(&running, who, theme))
}

/// Whoever holds the role of an analyst now, or that of an investigator with leave to search, may run a watch.
fn grant_of(running: &Running, who: &str, theme: ThemeId) -> Option<Grant> {
    let account = running.app.store.account(&who.parse().ok()?).ok()??;
    let reads = |role: &RoleGrant| role.role == Role::Analyst || (role.role == Role::Investigator && role.may_search);
    let mut held = account.roles_in_force(running.app.clock.now());
    let may = running.has_theme(theme) && held.any(|role| role.theme == Some(theme) && reads(role));
    may.then(|| running.app.authority.grant(who, theme, Phase::Analysis))
}

/// When a watch runs next, where the clock says so.
pub(crate) fn next_run(watch: &KeptWatch, state: &WatchState) -> Option<Timestamp> {
    watch.watch.trigger.next(state.ran_at.unwrap_or(watch.made_at))
}

/// Why a watch does not run at present, if something keeps it.
pub(crate) fn waits_because(watch: &KeptWatch, state: &WatchState, now: Timestamp) -> Option<String> {
    let Watch { is_paused, quiet, .. } = &watch.watch;
    if *is_paused {
        return Some("it is paused".to_owned());
    }
    let quiet = quiet.and_then(|hours| hours.end(now)).map(|end| format!("its quiet hours last until {end}"));
    quiet.or_else(|| state.problem.clone())
}

fn is_due(watch: &KeptWatch, state: &WatchState, now: Timestamp) -> bool {
    let Watch { is_paused, quiet, .. } = &watch.watch;
    let is_kept = *is_paused
        || quiet.is_some_and(|hours| hours.end(now).is_some())
        || state.tried_at.is_some_and(|tried| now.since(tried) < TRY_AGAIN);
    !is_kept && (state.has_more || next_run(watch, state).is_none_or(|next| next <= now))
}

/// Whether waiting a moment is all that helps.
pub(crate) const fn is_passing(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Search(search::Error::Erasing(_)) | Refusal::Store(store::Error::Changing(_) | store::Error::Closing)
    )
}

fn run<'a>(watch: &'a KeptWatch, before: &WatchState, found: &Found, now: Timestamp) -> WatchRun<'a> {
    WatchRun {
        watch,
        after: before.cursor,
        state: WatchState {
            cursor: found.up_to,
            ran_at: Some(now),
            hits: found.hits.len() as u64,
            has_more: found.has_more,
            problem: None,
            tried_at: None,
        },
        found: grouped(watch.watch.grouping, &found.hits),
        at: now,
    }
}

/// The captures of each alert, in order.
fn grouped(grouping: Grouping, hits: &[Hit]) -> Vec<Vec<Seq>> {
    let what = |hit: &Hit| match grouping {
        Grouping::Hit => (Some(hit.seq), None, None),
        Grouping::Uri => (None, Some(hit.uri.id()), None),
        Grouping::Target => (None, None, Some(hit.target)),
        Grouping::Run => (None, None, None),
    };
    let mut groups: BTreeMap<_, Vec<Seq>> = BTreeMap::new();
    for hit in hits {
        groups.entry(what(hit)).or_default().push(hit.seq);
    }
    let mut groups: Vec<Vec<Seq>> = groups.into_values().collect();
    groups.sort_unstable();
    groups
}

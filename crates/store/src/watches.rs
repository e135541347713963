//! Watches: saved queries that tell when something matches. A watch is named by the leaf of the act that made it, and each version of it by the
//! leaf of its own act; how far it has come is a note beside it.

use model::{Grant, Seq, ThemeId, Timestamp, Watch};
use proof::{Fact, Leaf, LeafKind};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{
    Act, Error, Store, codec,
    key::Key,
    log::missing_leaf,
    schema::Table,
    store::{cursor_key, demand, lock},
};

/// The erasable parts of a change.
const WATCH: &str = "watch";
const WHO: &str = "who";
const WHY: &str = "reason";
/// What stays.
const CHANGE: &str = "change";

/// The follower that runs watches.
const FOLLOWER: &str = "watch";

/// A watch as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptWatch {
    /// The leaf of the act that made it, which is its name.
    pub id: u64,
    /// The leaf of the act that made it what it is now.
    pub version: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// What it is.
    pub watch: Watch,
}

/// A watch to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewWatch<'a> {
    /// What it is.
    pub watch: &'a Watch,
    /// It looks at captures behind this one.
    pub after: Seq,
    /// How many watches the theme may have.
    pub most: usize,
    /// When.
    pub at: Timestamp,
}

/// A change of a watch.
#[derive(Debug, Clone, Copy)]
pub struct WatchChange<'a> {
    /// What it becomes; none deletes it.
    pub watch: Option<&'a Watch>,
    /// The version that whoever changes it has seen: the change is refused when another one came since. Absent: whatever is there.
    pub replaces: Option<u64>,
    /// Why.
    pub reason: &'a str,
    /// When.
    pub at: Timestamp,
}

/// What was done to a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchStep {
    /// The leaf of the act.
    pub leaf: u64,
    /// When.
    pub at: Timestamp,
    /// `made`, `changed` or `deleted`.
    pub change: String,
    /// Who did it; `None` when that has been erased.
    pub who: Option<String>,
    /// Why; `None` when that has been erased.
    pub reason: Option<String>,
    /// What it became; `None` where it was deleted, and when that has been erased.
    pub watch: Option<Watch>,
}

/// How far a watch has come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WatchState {
    /// Every capture up to here was looked at.
    pub cursor: Seq,
    /// When it ran last.
    pub ran_at: Option<Timestamp>,
    /// How many captures matched then.
    pub hits: u64,
    /// Whether that run was full, so that the next one goes on at once.
    pub has_more: bool,
    /// Why it could not run since; nothing is lost by that.
    pub problem: Option<String>,
    /// When it was tried in vain.
    pub tried_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct WatchRow {
    leaves: Vec<u64>,
    made_at: Timestamp,
    changed_at: Timestamp,
    /// None where it was deleted.
    watch: Option<Watch>,
}

impl WatchRow {
    fn kept(self, id: u64) -> Option<KeptWatch> {
        let version = self.leaves.last().copied().unwrap_or(id);
        let Self { made_at, changed_at, .. } = self;
        self.watch.map(|watch| KeptWatch { id, version, made_at, changed_at, watch })
    }
}

impl Store {
    /// Makes a watch; returns the leaf that names it. Errors: [`Error::TooManyWatches`].
    pub fn add_watch(&self, grant: &Grant, theme: ThemeId, new: &NewWatch<'_>) -> Result<u64, Error> {
        let _guard = lock(&self.watches_lock);
        if self.watches(grant, theme)?.len() >= new.most {
            return Err(Error::TooManyWatches(new.most));
        }
        let act = act(grant, theme, Some(new.watch), &new.watch.reason, new.at).fact(CHANGE, "made");
        self.act(&act, |tables, batch, leaf| {
            let row =
                WatchRow { leaves: vec![leaf], made_at: new.at, changed_at: new.at, watch: Some(new.watch.clone()) };
            tables.put(batch, Table::Watches, &watch_key(theme, leaf), &row);
            let state = WatchState { cursor: new.after, ..WatchState::default() };
            tables.put(batch, Table::Cursors, &state_key(theme, leaf), &state);
            Ok(())
        })
    }

    /// Changes a watch, or deletes it; returns the leaf that names the new version, and nothing where there is no such watch. It goes on from where it was.
    ///
    /// Errors: [`Error::WatchChanged`] where whoever changes it has not seen the newest version.
    pub fn change_watch(
        &self,
        grant: &Grant,
        theme: ThemeId,
        id: u64,
        change: &WatchChange<'_>,
    ) -> Result<Option<u64>, Error> {
        demand(grant, theme)?;
        let _guard = lock(&self.watches_lock);
        let key = watch_key(theme, id);
        let row: Option<WatchRow> = self.tables.get(Table::Watches, &key)?;
        let Some(mut row) = row.filter(|row| row.watch.is_some()) else { return Ok(None) };
        let version = row.leaves.last().copied().unwrap_or(id);
        if change.replaces.is_some_and(|seen| seen != version) {
            return Err(Error::WatchChanged(version));
        }
        let act = act(grant, theme, change.watch, change.reason, change.at)
            .fact(CHANGE, if change.watch.is_some() { "changed" } else { "deleted" })
            .fact(WATCH, i64::try_from(id).unwrap_or(i64::MAX));
        let leaf = self.act(&act, |tables, batch, leaf| {
            row.leaves.push(leaf);
            row.changed_at = change.at;
            row.watch = change.watch.cloned();
            tables.put(batch, Table::Watches, &key, &row);
            Ok(())
        })?;
        Ok(Some(leaf))
    }

    /// The watches of a theme, the oldest first.
    pub fn watches(&self, grant: &Grant, theme: ThemeId) -> Result<Vec<KeptWatch>, Error> {
        demand(grant, theme)?;
        let mut watches = Vec::new();
        for row in self.tables.scan(Table::Watches, &Key::theme(theme), None) {
            let (key, value) = row?;
            let row: WatchRow = codec::decode(Table::Watches, &key, &value)?;
            let id = *row.leaves.first().ok_or_else(|| Error::corrupt(Table::Watches, &key))?;
            watches.extend(row.kept(id));
        }
        Ok(watches)
    }

    /// The watch of this name, unless it was deleted.
    pub fn watch(&self, grant: &Grant, theme: ThemeId, id: u64) -> Result<Option<KeptWatch>, Error> {
        demand(grant, theme)?;
        let row: Option<WatchRow> = self.tables.get(Table::Watches, &watch_key(theme, id))?;
        Ok(row.and_then(|row| row.kept(id)))
    }

    /// Everything that was done to a watch, in order, also to one that was deleted; nothing where there never was one.
    pub fn watch_history(&self, grant: &Grant, theme: ThemeId, id: u64) -> Result<Vec<WatchStep>, Error> {
        demand(grant, theme)?;
        let row: Option<WatchRow> = self.tables.get(Table::Watches, &watch_key(theme, id))?;
        let leaves = row.map(|row| row.leaves).unwrap_or_default();
        leaves.into_iter().map(|leaf| self.watch_step(theme, leaf)).collect()
    }

    fn watch_step(&self, theme: ThemeId, leaf: u64) -> Result<WatchStep, Error> {
        let act = self.recorded_act(theme, leaf)?;
        let entry = Leaf::decode(&act.entry).map_err(|_| missing_leaf(leaf))?;
        let text = |name| act.parts.get(name).map(|part| String::from_utf8_lossy(part).into_owned());
        let change = match entry.facts.get(CHANGE) {
            Some(Fact::Text(change)) => change.clone(),
            _ => return Err(missing_leaf(leaf)),
        };
        Ok(WatchStep {
            leaf,
            at: Timestamp::from_micros(entry.time_us),
            change,
            who: text(WHO),
            reason: text(WHY),
            watch: act.parts.get(WATCH).and_then(|part| serde_json::from_slice(part).ok()),
        })
    }

    /// How far a watch has come.
    pub fn watch_state(&self, theme: ThemeId, id: u64) -> Result<WatchState, Error> {
        Ok(self.tables.get(Table::Cursors, &state_key(theme, id))?.unwrap_or_default())
    }

    /// Notes why a watch could not run, or that nothing is in its way; its cursor stays.
    pub fn put_watch_problem(
        &self,
        theme: ThemeId,
        id: u64,
        problem: Option<&str>,
        tried_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let _guard = lock(&self.watches_lock);
        let state = self.watch_state(theme, id)?;
        let mut batch = WriteBatch::default();
        let state = WatchState { problem: problem.map(str::to_owned), tried_at, ..state };
        self.tables.put(&mut batch, Table::Cursors, &state_key(theme, id), &state);
        self.tables.write(batch)
    }
}

fn act(grant: &Grant, theme: ThemeId, watch: Option<&Watch>, reason: &str, at: Timestamp) -> Act {
    let act = Act::new(theme, LeafKind::Watch, at).part(WHO, grant.who().as_bytes()).part(WHY, reason.as_bytes());
    match watch {
        // Plain data has a JSON form.
        Some(watch) => act.part(WATCH, serde_json::to_vec(watch).unwrap_or_default()),
        None => act,
    }
}

fn watch_key(theme: ThemeId, id: u64) -> Key {
    Key::theme(theme).with(&id.to_be_bytes())
}

pub(crate) fn state_key(theme: ThemeId, id: u64) -> Key {
    cursor_key(FOLLOWER, theme).with(&id.to_be_bytes())
}

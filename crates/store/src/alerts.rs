//! Alerts: what watches found. An alert holds which captures matched, and nothing of what they say, so that nothing is left in it of one that is erased.

use model::{CaptureId, Grant, Grouping, Seq, ThemeId, Timestamp};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Store, WatchState, codec,
    key::{Key, Reader},
    schema::Table,
    store::{cursor_key, demand, lock},
    watches::state_key,
};

/// The note of which alerts lie in the spool directory.
const SPOOL: &str = "spool";

/// Alerts that are looked at for one page of a list that is filtered.
const MOST_LOOKED_AT: usize = 10_000;

/// What a watch found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its place among the alerts of the theme, from 1 on, in the order in which they came.
    pub number: u64,
    /// The watch.
    pub watch: u64,
    /// The version of the watch that found it.
    pub version: u64,
    /// What the watch was called.
    pub name: String,
    /// Whose it was.
    pub owner: String,
    /// What the alert is about.
    pub grouping: Grouping,
    /// The captures that matched, in order; there is one at least.
    pub captures: Vec<Seq>,
    /// Whether the run had not looked at everything yet, so that more may follow at once.
    pub has_more: bool,
    /// When.
    pub at: Timestamp,
    /// That somebody has seen to it.
    pub acknowledged: Option<Acknowledgement>,
}

/// That somebody has seen to an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// What else is to be said.
    pub note: Option<String>,
}

impl Alert {
    /// An id that is the same whenever the same version of a watch finds the same: a watch looks at a capture once, so that the first one tells the
    /// alert from all others.
    pub fn id(&self) -> String {
        format!("{}-{}-{}", self.watch, self.version, self.captures.first().copied().unwrap_or_default())
    }
}

/// What a run of a watch came to.
#[derive(Debug, Clone)]
pub struct WatchRun<'a> {
    /// The watch as it was when the run began.
    pub watch: &'a crate::KeptWatch,
    /// Up to where it had looked by then.
    pub after: Seq,
    /// How far it has come.
    pub state: WatchState,
    /// The captures of each alert, in order.
    pub found: Vec<Vec<Seq>>,
    /// When.
    pub at: Timestamp,
}

/// Which alerts.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlertFilter {
    /// Only those of this watch.
    pub watch: Option<u64>,
    /// Only those that somebody has seen to, or nobody has.
    pub is_acknowledged: Option<bool>,
}

impl AlertFilter {
    fn lets(&self, alert: &Alert) -> bool {
        self.watch.is_none_or(|watch| alert.watch == watch)
            && self.is_acknowledged.is_none_or(|wanted| alert.acknowledged.is_some() == wanted)
    }
}

/// A page of alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertPage {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// The number that the next page begins with, if there is one.
    pub next: Option<u64>,
}

/// What may be told of captures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Those that are there.
    pub open: Vec<Seq>,
    /// How many are erased.
    pub erased: u64,
    /// How many are sealed.
    pub sealed: u64,
}

/// How far alerts were carried to the spool directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SpoolState {
    /// All alerts up to this one.
    pub up_to: u64,
    /// Why the next one could not be; it is tried again.
    pub problem: Option<String>,
}

impl Store {
    /// Writes what a run found, and how far the watch has come, in one batch. Whether it was written: not where the watch was changed, or ran,
    /// since the run began.
    pub fn note_run(&self, grant: &Grant, theme: ThemeId, run: WatchRun<'_>) -> Result<bool, Error> {
        demand(grant, theme)?;
        let _guard = lock(&self.watches_lock);
        let id = run.watch.id;
        let is_same = self.watch(grant, theme, id)?.is_some_and(|watch| watch.version == run.watch.version);
        if !is_same || self.watch_state(theme, id)?.cursor != run.after {
            return Ok(false);
        }
        let mut batch = WriteBatch::default();
        let has_found = !run.found.is_empty();
        let first = self.last_alert(theme)? + 1;
        for (number, captures) in (first..).zip(run.found) {
            let alert = Alert {
                number,
                watch: id,
                version: run.watch.version,
                name: run.watch.watch.name.clone(),
                owner: run.watch.watch.owner.clone(),
                grouping: run.watch.watch.grouping,
                captures,
                has_more: run.state.has_more,
                at: run.at,
                acknowledged: None,
            };
            self.tables.put(&mut batch, Table::Alerts, &alert_key(theme, number), &alert);
        }
        self.tables.put(&mut batch, Table::Cursors, &state_key(theme, id), &run.state);
        // A run that found nothing may be made again.
        if has_found {
            self.tables.write_synced(batch)?;
        } else {
            self.tables.write(batch)?;
        }
        Ok(true)
    }

    /// The number of the newest alert of a theme; 0 before the first.
    pub fn last_alert(&self, theme: ThemeId) -> Result<u64, Error> {
        let prefix = Key::theme(theme);
        let last = self.tables.scan_back(Table::Alerts, &prefix, None).next().transpose()?;
        last.map_or(Ok(0), |(key, _)| {
            let number = Reader(&key[prefix.as_ref().len()..]).take().map(u64::from_be_bytes);
            number.ok_or_else(|| Error::corrupt(Table::Alerts, &key))
        })
    }

    /// The alerts from the number `from` on, in the order in which they came.
    pub fn alerts_from(
        &self,
        grant: &Grant,
        theme: ThemeId,
        filter: AlertFilter,
        from: u64,
        limit: usize,
    ) -> Result<AlertPage, Error> {
        demand(grant, theme)?;
        let rows = self.tables.scan(Table::Alerts, &Key::theme(theme), Some(&alert_key(theme, from)));
        page(rows, filter, limit)
    }

    /// The alerts from the number `from` down, the newest first; from the newest one where none is named.
    pub fn alerts_back(
        &self,
        grant: &Grant,
        theme: ThemeId,
        filter: AlertFilter,
        from: Option<u64>,
        limit: usize,
    ) -> Result<AlertPage, Error> {
        demand(grant, theme)?;
        let from = from.map(|number| alert_key(theme, number));
        page(self.tables.scan_back(Table::Alerts, &Key::theme(theme), from.as_ref()), filter, limit)
    }

    /// The alert of this number.
    pub fn alert(&self, grant: &Grant, theme: ThemeId, number: u64) -> Result<Option<Alert>, Error> {
        demand(grant, theme)?;
        self.tables.get(Table::Alerts, &alert_key(theme, number))
    }

    /// Notes that whoever the grant is for has seen to an alert; nothing where there is no such alert.
    /// Errors: [`Error::Acknowledged`] where somebody had already: the first word stands.
    pub fn acknowledge(
        &self,
        grant: &Grant,
        theme: ThemeId,
        number: u64,
        note: Option<&str>,
        at: Timestamp,
    ) -> Result<Option<Alert>, Error> {
        let _guard = lock(&self.watches_lock);
        let Some(mut alert) = self.alert(grant, theme, number)? else { return Ok(None) };
        if alert.acknowledged.is_some() {
            return Err(Error::Acknowledged(number));
        }
        let who = grant.who().to_owned();
        alert.acknowledged = Some(Acknowledgement { who, at, note: note.map(str::to_owned) });
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::Alerts, &alert_key(theme, number), &alert);
        self.tables.write_synced(batch)?;
        Ok(Some(alert))
    }

    /// What may be told of captures that an alert, or a dossier, holds.
    pub fn told(&self, theme: ThemeId, captures: &[Seq]) -> Result<Told, Error> {
        let mut told = Told::default();
        for &seq in captures {
            if self.tables.contains(Table::ErasedCaptures, &Key::theme(theme).seq(seq))? {
                told.erased += 1;
            } else if self.seal_on(CaptureId { theme, seq })?.is_some() {
                told.sealed += 1;
            } else {
                told.open.push(seq);
            }
        }
        Ok(told)
    }

    /// How far the alerts of a theme were carried to the spool directory.
    pub fn spool_state(&self, theme: ThemeId) -> Result<SpoolState, Error> {
        Ok(self.tables.get(Table::Cursors, &cursor_key(SPOOL, theme))?.unwrap_or_default())
    }

    /// Notes how far the alerts of a theme were carried there. It may be lost with the power: they are carried again then.
    pub fn put_spool_state(&self, theme: ThemeId, state: &SpoolState) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::Cursors, &cursor_key(SPOOL, theme), state);
        self.tables.write(batch)
    }
}

/// A page of those rows that the filter lets through. Where many are passed over, it may hold fewer though there are more.
fn page(
    rows: impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), Error>>,
    filter: AlertFilter,
    limit: usize,
) -> Result<AlertPage, Error> {
    let mut alerts = Vec::new();
    for (looked_at, row) in rows.enumerate() {
        let (key, value) = row?;
        let alert: Alert = codec::decode(Table::Alerts, &key, &value)?;
        if alerts.len() == limit || looked_at == MOST_LOOKED_AT {
            return Ok(AlertPage { alerts, next: Some(alert.number) });
        }
        if filter.lets(&alert) {
            alerts.push(alert);
        }
    }
    Ok(AlertPage { alerts, next: None })
}

fn alert_key(theme: ThemeId, number: u64) -> Key {
    Key::theme(theme).with(&number.to_be_bytes())
}

//! What is still to be fetched, when, and how politely. A row in `frontier_by_due` is a visit that is owed: it goes away only in
//! the batch that records the attempt, so that no crash loses it.

use std::time::Duration;

use model::{Digest, Outcome, Seq, ServiceId, TargetId, ThemeId, Timestamp, Uri, UriId};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Store, codec,
    key::{Key, Reader},
    schema::Table,
    store::{Tables, cursor_key},
};

/// The follower that turns crawl hints into visits.
const CRAWL: &str = "crawl";

/// Classes of visits; within one service a higher class goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// `robots.txt`, seeds, and where redirects lead.
    High,
    /// Pages never seen.
    Normal,
    /// Pages seen before.
    Low,
}

impl Priority {
    /// Every class, highest first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    const fn to_byte(self) -> u8 {
        match self {
            Self::High => 0,
            Self::Normal => 1,
            Self::Low => 2,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.to_byte() == byte)
    }
}

/// A visit that is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrontierEntry {
    /// The theme.
    pub theme: ThemeId,
    /// The target.
    pub target: TargetId,
    /// The service that answers for the URI.
    pub service: ServiceId,
    /// The class.
    pub priority: Priority,
    /// Not before this moment.
    pub due: Timestamp,
    /// The URI.
    pub uri: UriId,
}

impl FrontierEntry {
    pub(crate) fn key(&self) -> Key {
        let queue = Key::theme(self.theme).target(self.target).service(self.service);
        queue.with(&[self.priority.to_byte()]).time(self.due).uri(self.uri)
    }

    fn from_key(key: &[u8]) -> Option<Self> {
        let mut reader = Reader(key);
        let (theme, target, service) = (reader.theme()?, reader.target()?, reader.service()?);
        let [priority] = reader.take()?;
        let priority = Priority::from_byte(priority)?;
        Some(Self { theme, target, service, priority, due: reader.time()?, uri: reader.uri()? })
    }
}

/// What the crawler knows of a URI of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UriRecord {
    /// The URI.
    pub uri: Uri,
    /// The target.
    pub target: TargetId,
    /// The page on which it was found.
    pub via: Option<Uri>,
    /// Links from a seed.
    pub hops: u16,
    /// The redirects that led here, oldest first.
    pub redirects: Vec<Uri>,
    /// The class of its next visit.
    pub priority: Priority,
    /// The next visit, if one is owed.
    pub due: Option<Timestamp>,
    /// Attempts so far.
    pub attempts: u32,
    /// Attempts since the service last answered.
    pub failures: u16,
    /// The present time between two visits, in seconds; 0 before the first.
    pub interval_s: u32,
    /// How the last attempt ended.
    pub outcome: Option<Outcome>,
    /// The sequence of the last attempt.
    pub last: Option<Seq>,
}

impl UriRecord {
    /// The visit that is owed, if one is.
    pub fn entry(&self, theme: ThemeId) -> Option<FrontierEntry> {
        let due = self.due?;
        Some(FrontierEntry {
            theme,
            target: self.target,
            service: self.uri.service(),
            priority: self.priority,
            due,
            uri: self.uri.id(),
        })
    }

    /// Writes the record, and the visit that it owes. The caller removes the visit that it owed before.
    pub(crate) fn put(&self, tables: &Tables, batch: &mut WriteBatch, theme: ThemeId, recorded_as: Option<Seq>) {
        let key = Key::theme(theme).target(self.target).uri(self.uri.id());
        match recorded_as {
            Some(seq) => tables.put(batch, Table::Uris, &key, &Self { last: Some(seq), ..self.clone() }),
            None => tables.put(batch, Table::Uris, &key, self),
        }
        if let Some(entry) = self.entry(theme) {
            batch.put_cf(tables.family(Table::FrontierByDue), entry.key(), []);
        }
    }
}

/// Politeness towards a service. It belongs to the service: themes share it and learn nothing of each other by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// No request before this moment.
    pub not_before: Timestamp,
    /// Attempts since the service last answered.
    pub failures: u32,
    /// Answers of 429 or 503 since the last other one.
    pub refusals: u32,
}

/// What the crawler counts for a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrawlState {
    /// The UTC day that `captures_today` counts.
    pub day: i64,
    /// Captures on that day.
    pub captures_today: u32,
    /// Captures ever.
    pub captures: u64,
    /// How the last attempt ended.
    pub last_outcome: Option<Outcome>,
    /// When the last attempt ended.
    pub last_at: Option<Timestamp>,
}

/// How many URIs of one shape a target has: what keeps a crawler trap finite, and shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRecord {
    /// The shape.
    pub template: String,
    /// URIs of it that were admitted.
    pub admitted: u32,
    /// URIs of it that were refused as a trap.
    pub refused: u32,
}

/// What following the crawl hints changes, written in one batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrawlBatch {
    /// New and rescheduled URIs.
    pub uris: Vec<UriRecord>,
    /// New counts of URIs per template.
    pub templates: Vec<(TargetId, TemplateRecord)>,
    /// The hints up to here are dealt with; `None` leaves the cursor where it is.
    pub up_to: Option<Seq>,
}

impl Store {
    /// What is known of a URI of a target.
    pub fn uri(&self, theme: ThemeId, target: TargetId, uri: UriId) -> Result<Option<UriRecord>, Error> {
        self.tables.get(Table::Uris, &Key::theme(theme).target(target).uri(uri))
    }

    /// Applies what following the hints came to. A URI's earlier visit is replaced by the one in its new record.
    pub fn apply(&self, theme: ThemeId, change: &CrawlBatch) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        for record in &change.uris {
            let before = self.uri(theme, record.target, record.uri.id())?.and_then(|before| before.entry(theme));
            if let Some(before) = before {
                batch.delete_cf(self.tables.family(Table::FrontierByDue), before.key());
            }
            record.put(&self.tables, &mut batch, theme, None);
        }
        for (target, record) in &change.templates {
            let key = Key::theme(theme).target(*target).digest(&Digest::of(record.template.as_bytes()));
            self.tables.put(&mut batch, Table::UriTemplates, &key, record);
        }
        if let Some(up_to) = change.up_to {
            self.tables.put(&mut batch, Table::Cursors, &cursor_key(CRAWL, theme), &up_to);
        }
        self.tables.write(batch)
    }

    /// The sequence up to which hints are dealt with.
    pub fn crawl_cursor(&self, theme: ThemeId) -> Result<Seq, Error> {
        self.cursor(CRAWL, theme)
    }

    /// The counts of one shape of URI.
    pub fn template(&self, theme: ThemeId, target: TargetId, template: &str) -> Result<TemplateRecord, Error> {
        let key = Key::theme(theme).target(target).digest(&Digest::of(template.as_bytes()));
        Ok(self
            .tables
            .get(Table::UriTemplates, &key)?
            .unwrap_or_else(|| TemplateRecord { template: template.to_owned(), ..TemplateRecord::default() }))
    }

    /// The shapes of which URIs were refused, at most `limit`: the crawler traps of a target.
    pub fn traps(&self, theme: ThemeId, target: TargetId, limit: usize) -> Result<Vec<TemplateRecord>, Error> {
        let rows = self.tables.scan(Table::UriTemplates, &Key::theme(theme).target(target), None);
        let decode = |row: Result<(Vec<u8>, Vec<u8>), Error>| {
            row.and_then(|(key, value)| codec::decode::<TemplateRecord>(Table::UriTemplates, &key, &value))
        };
        rows.map(decode)
            .filter(|record| record.as_ref().map_or(true, |record| record.refused > 0))
            .take(limit)
            .collect()
    }

    /// The first visits owed to `service` for a target in one class, soonest first, that `skip` does not know already; at most `limit`.
    pub fn owed(
        &self,
        queue: (ThemeId, TargetId, ServiceId),
        priority: Priority,
        limit: usize,
        skip: impl Fn(&FrontierEntry) -> bool,
    ) -> Result<Vec<FrontierEntry>, Error> {
        let prefix = Key::theme(queue.0).target(queue.1).service(queue.2).with(&[priority.to_byte()]);
        let mut entries = Vec::with_capacity(limit);
        for row in self.tables.scan(Table::FrontierByDue, &prefix, None) {
            let (key, _) = row?;
            let entry = FrontierEntry::from_key(&key).ok_or_else(|| Error::corrupt(Table::FrontierByDue, &key))?;
            if !skip(&entry) {
                entries.push(entry);
            }
            if entries.len() == limit {
                break;
            }
        }
        Ok(entries)
    }

    /// Every queue, a target's share of one service, with the number of visits it owes.
    pub fn queues(&self) -> Result<Vec<((ThemeId, TargetId, ServiceId), u64)>, Error> {
        let mut queues: Vec<((ThemeId, TargetId, ServiceId), u64)> = Vec::new();
        for row in self.tables.scan(Table::FrontierByDue, &Key::default(), None) {
            let (key, _) = row?;
            let entry = FrontierEntry::from_key(&key).ok_or_else(|| Error::corrupt(Table::FrontierByDue, &key))?;
            let queue = (entry.theme, entry.target, entry.service);
            match queues.last_mut() {
                Some((last, count)) if *last == queue => *count += 1,
                _ => queues.push((queue, 1)),
            }
        }
        Ok(queues)
    }

    /// Politeness towards a service.
    pub fn host(&self, service: ServiceId) -> Result<HostRecord, Error> {
        Ok(self.tables.get(Table::Hosts, &Key::bytes(service.as_bytes()))?.unwrap_or_default())
    }

    /// What the crawler counts for a target.
    pub fn crawl_state(&self, theme: ThemeId, target: TargetId) -> Result<CrawlState, Error> {
        Ok(self.tables.get(Table::CrawlStates, &Key::theme(theme).target(target))?.unwrap_or_default())
    }
}

impl CrawlState {
    /// Captures made on the UTC day of `now`.
    pub fn used_today(&self, now: Timestamp) -> u32 {
        if self.day == now.day() { self.captures_today } else { 0 }
    }

    /// The state after one more capture.
    #[must_use]
    pub fn counting(&self, outcome: Outcome, at: Timestamp) -> Self {
        Self {
            day: at.day(),
            captures_today: self.used_today(at) + 1,
            captures: self.captures + 1,
            last_outcome: Some(outcome),
            last_at: Some(at),
        }
    }
}

impl HostRecord {
    /// The time until the next request is allowed.
    pub fn wait(&self, now: Timestamp) -> Duration {
        self.not_before.since(now)
    }
}

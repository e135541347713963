//! Erasure, a lawful act: content, record and salts of captures go, their leaves stay with the leaf that tells of it.
//!
//! One synced batch, written while nobody else appends to the log, takes the rows; from then on nothing of it is served. What is left to do
//! (views, index, files) is a [`crate::ViewChange`], a row that stays until it is done, so that no crash loses it.

use std::collections::{BTreeMap, BTreeSet};

use model::{Capture, CaptureId, Digest, Grant, Seq, Subject, ThemeId, Timestamp};
use proof::LeafKind;
use rocksdb::WriteBatch;

use crate::{
    Act, Affected, ChangeKind, Error, Store, UriRecord,
    evidence::CaptureRow,
    key::{Key, Reader},
    payload,
    schema::Table,
    store::{demand, lock_data},
};

/// Captures in one act: what the leaf says of them fits in it many times, and the log is held for a moment only.
pub(crate) const CHUNK: usize = 256;

/// The order to erase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureOrder {
    /// What goes.
    pub subject: Subject,
    /// On what ground.
    pub ground: String,
    /// When.
    pub at: Timestamp,
    /// Whether the crawler forgets the URIs of which nothing is left.
    pub forgets_uris: bool,
}

/// What an act that takes captures away, or gives them back, came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// The leaves that tell of it.
    pub leaves: Vec<u64>,
    /// How many captures it concerned.
    pub captures: u64,
}

impl Taken {
    pub(crate) fn add(&mut self, leaf: u64, captures: usize) {
        self.leaves.push(leaf);
        self.captures += captures as u64;
    }
}

/// What an erasure would take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErasurePlan {
    /// How many captures.
    pub captures: u64,
    /// Bytes of payload that they have, counted once for each capture.
    pub payload_bytes: u64,
    /// How many of them are sealed.
    pub sealed: u64,
    /// The first capture that is held, with the leaf of the hold: the erasure would be refused.
    pub held: Option<(CaptureId, u64)>,
}

/// What is to be done with a capture that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnHold {
    /// Nothing is erased.
    Refuse,
    /// It stays, and the others go.
    Keep,
    /// It goes: the hold had been lifted when the capture was erased for the first time.
    Override,
}

impl Store {
    /// What `subject` comes to at present.
    pub fn erasure_plan(&self, grant: &Grant, theme: ThemeId, subject: &Subject) -> Result<ErasurePlan, Error> {
        let mut plan = ErasurePlan::default();
        for seq in self.captures_of(grant, theme, subject)? {
            let id = CaptureId { theme, seq };
            let Some(capture) = self.kept_capture(id)? else { continue };
            plan.captures += 1;
            plan.payload_bytes += capture.payload_len;
            plan.sealed += u64::from(self.seal_on(id)?.is_some());
            if plan.held.is_none() {
                plan.held = self.hold_on(theme, &capture)?.map(|leaf| (id, leaf));
            }
        }
        Ok(plan)
    }

    /// Erases what an order names. When this returns it is served no more, and leaves tell of it; [`Store::view_changes`] tells what is still to be
    /// done before no file holds it. A large order is several acts, each whole by itself: after a crash between two of them it is given again.
    ///
    /// Refused as a whole where a part of it is held, is sealed and the grant is not for custody, or is not analysed.
    pub fn erase(&self, grant: &Grant, theme: ThemeId, order: &ErasureOrder) -> Result<Taken, Error> {
        let captures = self.captures_of(grant, theme, &order.subject)?;
        let analysed = self.derive_cursor(theme)?;
        for &seq in &captures {
            let id = CaptureId { theme, seq };
            self.demand_unsealed(grant, id)?;
            if seq > analysed {
                return Err(Error::NotAnalysed(id));
            }
            let hold = self.kept_capture(id)?.map(|capture| self.hold_on(theme, &capture)).transpose()?.flatten();
            if let Some(leaf) = hold {
                return Err(Error::Held(id, leaf));
            }
        }
        let act = Act::about(theme, LeafKind::Erasure, order.at, &order.subject)
            .part("who", grant.who().as_bytes())
            .part("ground", order.ground.as_bytes());
        let mut taken = Taken::default();
        for chunk in captures.chunks(CHUNK) {
            let is_last = chunk.last() == captures.last();
            let target = match order.subject {
                Subject::Target(target) if is_last && order.forgets_uris => Some(target),
                _ => None,
            };
            self.erase_some(theme, chunk, &act, OnHold::Refuse, order.forgets_uris, &mut taken, |batch| {
                target.map_or(Ok(()), |target| self.forget_target(batch, theme, target, chunk))
            })?;
        }
        Ok(taken)
    }

    /// The captures that a subject names and that are not erased.
    fn captures_of(&self, grant: &Grant, theme: ThemeId, subject: &Subject) -> Result<Vec<Seq>, Error> {
        demand(grant, theme)?;
        match subject {
            Subject::Capture(seq) => {
                Ok(self.kept_capture(CaptureId { theme, seq: *seq })?.map(|_| *seq).into_iter().collect())
            }
            Subject::Uri(uri) => self.sequences_under(Table::CapturesByUri, &Key::theme(theme).uri(uri.id())),
            Subject::Target(target) => {
                self.sequences_under(Table::CapturesByTarget, &Key::theme(theme).target(*target))
            }
            Subject::Version(seq) => {
                let Some(capture) = self.kept_capture(CaptureId { theme, seq: *seq })? else { return Ok(Vec::new()) };
                // A failed attempt has no version, and a sealed capture none at present, though they lie between captures of one.
                let has_version = |seq: Seq| self.tables.contains(Table::Documents, &Key::theme(theme).seq(seq));
                let run = if has_version(*seq)? { self.run_of(theme, &capture)? } else { None };
                let (first, last) = run.unwrap_or((*seq, *seq));
                let mut captures = vec![*seq];
                for other in self.sequences_of_uri(theme, capture.uri.id())? {
                    if other != *seq && (first..=last).contains(&other) && has_version(other)? {
                        captures.push(other);
                    }
                }
                captures.sort_unstable();
                Ok(captures)
            }
        }
    }

    /// The sequences that end the keys under a prefix, in order.
    pub(crate) fn sequences_under(&self, table: Table, prefix: &Key) -> Result<Vec<Seq>, Error> {
        let read = |row: Result<(Vec<u8>, Vec<u8>), Error>| {
            let (key, _) = row?;
            Reader(&key[prefix.as_ref().len()..]).seq().ok_or_else(|| Error::corrupt(table, &key))
        };
        self.tables.scan(table, prefix, None).map(read).collect()
    }

    /// Erases those of `sequences` that are still there, as one act, which is told how many and which they are.
    #[expect(clippy::too_many_arguments, reason = "one caller for orders, one for retention")]
    pub(crate) fn erase_some(
        &self,
        theme: ThemeId,
        sequences: &[Seq],
        act: &Act,
        on_hold: OnHold,
        forgets_uris: bool,
        taken: &mut Taken,
        more: impl FnOnce(&mut WriteBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut log = self.log.append();
        let (mut captures, mut leaves) = (Vec::with_capacity(sequences.len()), Vec::with_capacity(sequences.len()));
        for &seq in sequences {
            let id = CaptureId { theme, seq };
            let CaptureRow::Kept(kept) = self.capture_row(id)? else { continue };
            let capture = kept.capture(Key::theme(theme).seq(seq).as_ref())?;
            match (self.hold_on(theme, &capture)?, on_hold) {
                (Some(hold), OnHold::Refuse) => return Err(Error::Held(id, hold)),
                (Some(_), OnHold::Keep) => continue,
                (None, _) | (Some(_), OnHold::Override) => {}
            }
            captures.push(capture);
            leaves.push(kept.leaf);
        }
        if captures.is_empty() {
            return Ok(());
        }
        let (leaf, change) = self.add_change(&mut log, theme, act, ChangeKind::Erased, &captures)?;
        let batch = &mut log.batch;
        for (capture, of_capture) in captures.iter().zip(leaves) {
            let row = CaptureRow::Erased { leaf: of_capture, erasure: leaf };
            self.tables.put(batch, Table::Captures, &Key::theme(theme).seq(capture.seq), &row);
            self.forget_capture(batch, theme, capture)?;
        }
        payload::erase(&self.tables, batch, theme, &self.unreferenced(theme, &change.captures)?)?;
        self.mend_crawl(batch, theme, &captures, forgets_uris, act.at)?;
        more(batch)?;
        log.commit_on_reserve(&self.space)?;
        lock_data(&self.erased).remove(&theme);
        self.changed.send_replace(());
        taken.add(leaf, captures.len());
        Ok(())
    }

    fn capture_row(&self, id: CaptureId) -> Result<CaptureRow, Error> {
        let key = Key::theme(id.theme).seq(id.seq);
        self.tables.get(Table::Captures, &key)?.ok_or_else(|| Error::corrupt(Table::Captures, key.as_ref()))
    }

    /// Everything that a capture left in tables, but for its own row, its payload and its version.
    fn forget_capture(&self, batch: &mut WriteBatch, theme: ThemeId, capture: &Capture) -> Result<(), Error> {
        let key = Key::theme(theme).seq(capture.seq);
        batch.put_cf(self.tables.family(Table::ErasedCaptures), &key, []);
        batch.delete_cf(
            self.tables.family(Table::CapturesByUri),
            Key::theme(theme).uri(capture.uri.id()).seq(capture.seq),
        );
        batch.delete_cf(
            self.tables.family(Table::CapturesByTarget),
            Key::theme(theme).target(capture.target).seq(capture.seq),
        );
        batch.delete_cf(
            self.tables.family(Table::CapturesByPayload),
            Key::theme(theme).digest(&capture.payload_digest).seq(capture.seq),
        );
        batch.delete_cf(self.tables.family(Table::Seals), &key);
        self.forget_views_of(batch, theme, capture.seq)
    }

    /// The payloads of captures that no other capture of the theme has.
    fn unreferenced(&self, theme: ThemeId, erased: &[Affected]) -> Result<BTreeSet<Digest>, Error> {
        let gone: BTreeSet<Seq> = erased.iter().map(|capture| capture.seq).collect();
        let mut unreferenced = BTreeSet::new();
        for digest in erased.iter().filter_map(|capture| capture.payload) {
            let holders = self.sequences_under(Table::CapturesByPayload, &Key::theme(theme).digest(&digest))?;
            if holders.iter().all(|seq| gone.contains(seq)) {
                unreferenced.insert(digest);
            }
        }
        Ok(unreferenced)
    }

    /// Makes the crawl go on without captures that are gone: it forgets their URIs where that was asked, and comes again to those whose next
    /// visit would have followed from a hint that is gone.
    pub(crate) fn mend_crawl(
        &self,
        batch: &mut WriteBatch,
        theme: ThemeId,
        gone: &[Capture],
        forgets_uris: bool,
        at: Timestamp,
    ) -> Result<(), Error> {
        let mut by_uri: BTreeMap<_, BTreeSet<Seq>> = BTreeMap::new();
        for capture in gone {
            by_uri.entry((capture.target, capture.uri.id())).or_default().insert(capture.seq);
        }
        let followed = self.crawl_cursor(theme)?;
        for ((target, uri), gone) in by_uri {
            let Some(record) = self.uri(theme, target, uri)? else { continue };
            let left = self.sequences_under(Table::CapturesByUri, &Key::theme(theme).uri(uri))?;
            if forgets_uris && left.iter().all(|seq| gone.contains(seq)) {
                self.forget_uri(batch, theme, &record);
            } else if record.due.is_none() && record.last.is_some_and(|last| last > followed && gone.contains(&last)) {
                UriRecord { due: Some(at), ..record }.put(&self.tables, batch, theme, None);
            }
        }
        Ok(())
    }

    fn forget_uri(&self, batch: &mut WriteBatch, theme: ThemeId, record: &UriRecord) {
        batch.delete_cf(self.tables.family(Table::Uris), Key::theme(theme).target(record.target).uri(record.uri.id()));
        if let Some(owed) = record.entry(theme) {
            batch.delete_cf(self.tables.family(Table::FrontierByDue), owed.key());
        }
    }

    /// Forgets every URI of a target of which no capture is left once `erased` are gone, and its shapes of URI.
    fn forget_target(
        &self,
        batch: &mut WriteBatch,
        theme: ThemeId,
        target: model::TargetId,
        erased: &[Seq],
    ) -> Result<(), Error> {
        let prefix = Key::theme(theme).target(target);
        for row in self.tables.scan(Table::Uris, &prefix, None) {
            let (key, value) = row?;
            let record: UriRecord = crate::codec::decode(Table::Uris, &key, &value)?;
            let left = self.sequences_under(Table::CapturesByUri, &Key::theme(theme).uri(record.uri.id()))?;
            if left.iter().all(|seq| erased.contains(seq)) {
                self.forget_uri(batch, theme, &record);
            }
        }
        for row in self.tables.scan(Table::UriTemplates, &prefix, None) {
            batch.delete_cf(self.tables.family(Table::UriTemplates), row?.0);
        }
        Ok(())
    }

    /// How many captures with a sequence up to `up_to` were erased.
    pub fn erased_up_to(&self, theme: ThemeId, up_to: Seq) -> Result<u64, Error> {
        let mut known = lock_data(&self.erased);
        let erased = match known.entry(theme) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(unknown) => {
                unknown.insert(self.sequences_under(Table::ErasedCaptures, &Key::theme(theme))?)
            }
        };
        Ok(erased.partition_point(|seq| *seq <= up_to) as u64)
    }
}

/// Sequences in order, written short: `3,7-12`.
pub(crate) fn ranges(sequences: &[Seq]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for &Seq(seq) in sequences {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == seq => *last = seq,
            _ => runs.push((seq, seq)),
        }
    }
    let write = |(first, last): (u64, u64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.into_iter().map(write).collect::<Vec<_>>().join(",")
}

/// Whether what [`ranges`] wrote names a sequence.
pub(crate) fn names(ranges: &str, seq: Seq) -> bool {
    ranges.split(',').any(|run| {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let bounds = first.parse::<u64>().ok().zip(last.parse::<u64>().ok());
        bounds.is_some_and(|(first, last)| (first..=last).contains(&seq.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn ranges_name_what_they_were_made_of(of: BTreeSet<u8>) {
            let sequences: Vec<Seq> = of.iter().map(|&seq| Seq(seq.into())).collect();
            let written = ranges(&sequences);
            for seq in 0..=u8::MAX {
                proptest::prop_assert_eq!(names(&written, Seq(seq.into())), of.contains(&seq), "{}", &written);
            }
        }
    }

    #[test]
    fn ranges_are_short() {
        assert_eq!(ranges(&[3, 7, 8, 9].map(Seq)), "3,7-9");
    }
}

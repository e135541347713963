use std::collections::{BTreeMap, HashMap};

use model::{Capture, CaptureId, Digest, Grant, Seq, TargetId, ThemeId, UriId};
use proof::PartSalt;
use tokio::sync::watch;

use crate::{
    Error, Evidence, FinishedVisit, Receipt, Store, codec,
    evidence::{CaptureRow, KeptCapture, part},
    key::{Key, Reader},
    log, payload,
    schema::Table,
    store::demand,
};

/// Which captures to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureFilter {
    /// All of the theme.
    All,
    /// Those made for a target.
    Target(TargetId),
    /// Those of a URI.
    Uri(UriId),
}

impl CaptureFilter {
    /// The table that lists them, and how its keys begin; the sequence follows.
    fn rows(self, theme: ThemeId) -> (Table, Key) {
        match self {
            Self::All => (Table::Captures, Key::theme(theme)),
            Self::Target(target) => (Table::CapturesByTarget, Key::theme(theme).target(target)),
            Self::Uri(uri) => (Table::CapturesByUri, Key::theme(theme).uri(uri)),
        }
    }
}

fn seq_of(table: Table, prefix: &Key, row: Result<(Vec<u8>, Vec<u8>), Error>) -> Result<Seq, Error> {
    let (key, _) = row?;
    Reader(&key[prefix.as_ref().len()..]).seq().ok_or_else(|| Error::corrupt(table, &key))
}

/// What opens the leaf of a capture: with it anybody can compute the commitments again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// The index of the leaf.
    pub leaf: u64,
    /// The leaf, as its hash is over it.
    pub entry: Vec<u8>,
    /// The salt of each part, by the part's name.
    pub salts: BTreeMap<&'static str, PartSalt>,
    /// The part `record`, as it is stored.
    pub record: Vec<u8>,
}

/// A page of captures, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturePage {
    /// The captures.
    pub captures: Vec<Capture>,
    /// Where the next page begins, if there is one.
    pub next: Option<Seq>,
}

impl Store {
    /// Records a finished attempt; returns its sequence when it is on disk, with everything that it changes.
    ///
    /// Waits while the disk is behind.
    pub async fn record(&self, visit: FinishedVisit) -> Result<Seq, Error> {
        self.submit(visit).await?.acknowledged().await
    }

    /// Hands over a finished attempt. Submissions become durable in the order in which they were handed over.
    ///
    /// Waits while the disk is behind.
    pub async fn submit(&self, visit: FinishedVisit) -> Result<Receipt, Error> {
        self.committer().submit(visit).await
    }

    /// The newest acknowledged sequence of each theme, as it grows.
    pub fn newest(&self) -> watch::Receiver<HashMap<ThemeId, Seq>> {
        self.committer().newest()
    }

    /// One capture. An erased one is an error that says so.
    pub fn capture(&self, grant: &Grant, id: CaptureId) -> Result<Option<Capture>, Error> {
        demand(grant, id.theme)?;
        let key = Key::theme(id.theme).seq(id.seq);
        self.kept(id)?.map(|kept| kept.capture(key.as_ref())).transpose()
    }

    /// Makes evidence of what a fetch came to. The payload is kept as what has changed since the URI's capture `previous`, where there is one.
    pub fn evidence(
        &self,
        theme: ThemeId,
        capture: Capture,
        payload: &[u8],
        previous: Option<Seq>,
    ) -> Result<Evidence, Error> {
        let previous = match previous {
            Some(seq) if !payload.is_empty() => self.payload_digest(CaptureId { theme, seq })?,
            _ => None,
        };
        let base = match previous.filter(|digest| *digest != capture.payload_digest) {
            None => None,
            // Damage to what is there already must not keep what comes from being recorded.
            Some(digest) => payload::read(&self.tables, theme, &digest).unwrap_or_else(|error| {
                tracing::error!(%theme, %error, "the earlier payload of the URI cannot be read; the new one is kept whole");
                None
            }),
        };
        Evidence::since(capture, payload, base.as_ref())
    }

    /// What opens the leaf of a capture, for whoever may see all of the capture.
    pub fn disclosure(&self, grant: &Grant, id: CaptureId) -> Result<Option<Disclosure>, Error> {
        demand(grant, id.theme)?;
        let Some(kept) = self.kept(id)? else { return Ok(None) };
        let entry = self.log_leaf(kept.leaf)?.ok_or_else(|| log::missing_leaf(kept.leaf))?;
        let salt = kept.salt();
        let salts = part::ALL.into_iter().map(|name| (name, salt.for_part(name))).collect();
        Ok(Some(Disclosure { leaf: kept.leaf, entry, salts, record: kept.record }))
    }

    /// The row of a capture that is not erased.
    fn kept(&self, id: CaptureId) -> Result<Option<KeptCapture>, Error> {
        match self.tables.get(Table::Captures, &Key::theme(id.theme).seq(id.seq))? {
            None => Ok(None),
            Some(CaptureRow::Kept(kept)) => Ok(Some(kept)),
            Some(CaptureRow::Erased { erasure, .. }) => Err(Error::Erased(id, erasure)),
        }
    }

    /// The digest of a capture's payload, if it is still there and not empty.
    fn payload_digest(&self, id: CaptureId) -> Result<Option<Digest>, Error> {
        let key = Key::theme(id.theme).seq(id.seq);
        let Some(CaptureRow::Kept(kept)) = self.tables.get(Table::Captures, &key)? else { return Ok(None) };
        let capture = kept.capture(key.as_ref())?;
        Ok((capture.payload_len > 0).then_some(capture.payload_digest))
    }

    /// The payload of a capture. Empty when nothing was received.
    pub fn payload(&self, grant: &Grant, theme: ThemeId, capture: &Capture) -> Result<Vec<u8>, Error> {
        demand(grant, theme)?;
        if capture.payload_len == 0 {
            return Ok(Vec::new());
        }
        let read = payload::read(&self.tables, theme, &capture.payload_digest)?;
        let missing = || Error::corrupt(Table::Payloads, Key::theme(theme).digest(&capture.payload_digest).as_ref());
        read.map(|read| read.payload).ok_or_else(missing)
    }

    /// The captures of `theme` after `after`, at most `limit`, in order of sequence; erased ones are passed over.
    pub fn captures_after(
        &self,
        grant: &Grant,
        theme: ThemeId,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Capture>, Error> {
        demand(grant, theme)?;
        let prefix = Key::theme(theme);
        let rows = self.tables.scan(Table::Captures, &prefix, Some(&prefix.clone().seq(after.next())));
        let read = |row: Result<(Vec<u8>, Vec<u8>), Error>| {
            let (key, value) = row?;
            match codec::decode(Table::Captures, &key, &value)? {
                CaptureRow::Kept(kept) => kept.capture(&key).map(Some),
                CaptureRow::Erased { .. } => Ok(None),
            }
        };
        rows.filter_map(|row| read(row).transpose()).take(limit).collect()
    }

    /// The sequences of at most `limit` captures after `after`, oldest first, erased ones included.
    pub fn sequences(
        &self,
        grant: &Grant,
        theme: ThemeId,
        filter: CaptureFilter,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Seq>, Error> {
        demand(grant, theme)?;
        let (table, prefix) = filter.rows(theme);
        let rows = self.tables.scan(table, &prefix, Some(&prefix.clone().seq(after.next())));
        rows.take(limit).map(|row| seq_of(table, &prefix, row)).collect()
    }

    /// A page of at most `limit` captures, newest first, from `from` (included) down when given.
    pub fn captures(
        &self,
        grant: &Grant,
        theme: ThemeId,
        filter: CaptureFilter,
        from: Option<Seq>,
        limit: usize,
    ) -> Result<CapturePage, Error> {
        demand(grant, theme)?;
        let (table, prefix) = filter.rows(theme);
        let mut sequences = Vec::with_capacity(limit + 1);
        for row in
            self.tables.scan_back(table, &prefix, from.map(|seq| prefix.clone().seq(seq)).as_ref()).take(limit + 1)
        {
            sequences.push(seq_of(table, &prefix, row)?);
        }
        let next = (sequences.len() > limit).then(|| sequences.pop()).flatten();
        let mut captures = Vec::with_capacity(sequences.len());
        for seq in sequences {
            match self.capture(grant, CaptureId { theme, seq }) {
                Ok(Some(capture)) => captures.push(capture),
                Ok(None) => return Err(Error::corrupt(Table::Captures, Key::theme(theme).seq(seq).as_ref())),
                Err(Error::Erased(..)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(CapturePage { captures, next })
    }
}

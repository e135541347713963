use std::collections::HashMap;

use model::{Capture, CaptureId, Grant, Seq, TargetId, ThemeId, UriId};
use tokio::sync::watch;

use crate::{
    Error, FinishedVisit, Receipt, Store, codec,
    key::{Key, Reader},
    payload,
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

    /// One capture.
    pub fn capture(&self, grant: &Grant, id: CaptureId) -> Result<Option<Capture>, Error> {
        demand(grant, id.theme)?;
        self.tables.get(Table::Captures, &Key::theme(id.theme).seq(id.seq))
    }

    /// The payload of a capture. Empty when nothing was received.
    pub fn payload(&self, grant: &Grant, theme: ThemeId, capture: &Capture) -> Result<Vec<u8>, Error> {
        demand(grant, theme)?;
        if capture.payload_len == 0 {
            return Ok(Vec::new());
        }
        let key = Key::theme(theme).digest(&capture.payload_digest);
        let row =
            self.tables.get_raw(Table::Payloads, &key)?.ok_or_else(|| Error::corrupt(Table::Payloads, key.as_ref()))?;
        payload::decompress(key.as_ref(), &row, &capture.payload_digest)
    }

    /// The captures of `theme` after `after`, at most `limit`, in order of sequence.
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
        rows.take(limit).map(|row| row.and_then(|(key, value)| codec::decode(Table::Captures, &key, &value))).collect()
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
        let (table, prefix) = match filter {
            CaptureFilter::All => (Table::Captures, Key::theme(theme)),
            CaptureFilter::Target(target) => (Table::CapturesByTarget, Key::theme(theme).target(target)),
            CaptureFilter::Uri(uri) => (Table::CapturesByUri, Key::theme(theme).uri(uri)),
        };
        let mut sequences = Vec::with_capacity(limit + 1);
        for row in
            self.tables.scan_back(table, &prefix, from.map(|seq| prefix.clone().seq(seq)).as_ref()).take(limit + 1)
        {
            let (key, _) = row?;
            let seq = Reader(&key[prefix.as_ref().len()..]).seq().ok_or_else(|| Error::corrupt(table, &key))?;
            sequences.push(seq);
        }
        let next = (sequences.len() > limit).then(|| sequences.pop()).flatten();
        let mut captures = Vec::with_capacity(sequences.len());
        for seq in sequences {
            let key = Key::theme(theme).seq(seq);
            captures.push(
                self.tables.get(Table::Captures, &key)?.ok_or_else(|| Error::corrupt(Table::Captures, key.as_ref()))?,
            );
        }
        Ok(CapturePage { captures, next })
    }
}

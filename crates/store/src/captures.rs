use std::collections::{BTreeMap, HashMap};

use model::{Capture, CaptureId, Digest, Grant, Outcome, Seq, TargetId, ThemeId, UriId};
use proof::PartSalt;
use tokio::sync::watch;

use crate::{
    Error, Evidence, FinishedProbe, FinishedVisit, Receipt, Store, codec,
    committer::Finished,
    evidence::{CaptureRow, KeptCapture, part},
    key::{Key, Reader},
    log, payload,
    room::Room,
    schema::Table,
    store::{demand, demand_content},
};

/// How many captures of a URI may say that nothing has changed before the page is fetched whole again.
pub const MOST_REVISITS: usize = 8;

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

/// Captures in order of sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The captures.
    pub captures: Vec<Capture>,
    /// Up to here there are no others that may be read.
    pub up_to: Seq,
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
    /// Waits while the disk is behind. Refused where there is too little room for it: the visit is owed as before.
    pub async fn submit(&self, visit: FinishedVisit) -> Result<Receipt, Error> {
        self.hand_over(Finished::Visit(visit)).await
    }

    /// Hands over what a probe came to, in the same way.
    pub async fn submit_probe(&self, probe: FinishedProbe) -> Result<Receipt, Error> {
        self.hand_over(Finished::Probe(probe)).await
    }

    async fn hand_over(&self, finished: Finished) -> Result<Receipt, Error> {
        let space = self.space.look();
        if space.room == Room::ForActs {
            return Err(Error::NoRoom { directory: self.tables.directory.clone(), free_mb: space.free_bytes >> 20 });
        }
        self.committer().submit(finished).await
    }

    /// The newest acknowledged sequence of each theme, as it grows.
    pub fn newest(&self) -> watch::Receiver<HashMap<ThemeId, Seq>> {
        self.committer().newest()
    }

    /// One capture. One that was erased, or is sealed and the grant is not for custody, is an error that says so.
    pub fn capture(&self, grant: &Grant, id: CaptureId) -> Result<Option<Capture>, Error> {
        demand(grant, id.theme)?;
        self.demand_unsealed(grant, id)?;
        self.kept_capture(id)
    }

    /// One capture, for whoever can do without: none where it was erased or is sealed.
    pub fn capture_if_open(&self, grant: &Grant, id: CaptureId) -> Result<Option<Capture>, Error> {
        match self.capture(grant, id) {
            Err(error) if error.is_withheld() => Ok(None),
            read => read,
        }
    }

    /// A capture that is not erased, sealed or not.
    pub(crate) fn kept_capture(&self, id: CaptureId) -> Result<Option<Capture>, Error> {
        let key = Key::theme(id.theme).seq(id.seq);
        self.kept(id)?.map(|kept| kept.capture(key.as_ref())).transpose()
    }

    /// Makes evidence of what a fetch came to. The payload is kept as what has changed since an earlier one of the URI, where there is one.
    /// Nothing is kept of a payload that is blocked.
    pub fn evidence(&self, theme: ThemeId, capture: Capture, payload: &[u8]) -> Result<Evidence, Error> {
        if capture.payload_len > 0 && self.is_blocked(&capture.payload_digest)? {
            return Evidence::of(blocked(capture), &[]);
        }
        let earlier = if payload.is_empty() { None } else { self.earlier_payload(theme, &capture)? };
        let base = match earlier.filter(|digest| *digest != capture.payload_digest) {
            None => None,
            // Damage to what is there already must not keep what comes from being recorded.
            Some(digest) => payload::read(&self.tables, theme, &digest).unwrap_or_else(|error| {
                tracing::error!(%theme, %error, "the earlier payload of the URI cannot be read; the new one is kept whole");
                None
            }),
        };
        Evidence::since(capture, payload, base.as_ref())
    }

    /// The payload that the URI had last when an attempt ended as this one did: an error page in between resembles neither neighbour.
    fn earlier_payload(&self, theme: ThemeId, capture: &Capture) -> Result<Option<Digest>, Error> {
        let prefix = Key::theme(theme).uri(capture.uri.id());
        for row in self.tables.scan_back(Table::CapturesByUri, &prefix, None).take(MOST_REVISITS) {
            let (key, _) = row?;
            let damaged = || Error::corrupt(Table::CapturesByUri, &key);
            let seq = Reader(&key[prefix.as_ref().len()..]).seq().ok_or_else(damaged)?;
            let key = Key::theme(theme).seq(seq);
            let Some(CaptureRow::Kept(kept)) = self.tables.get(Table::Captures, &key)? else { continue };
            let earlier = kept.capture(key.as_ref())?;
            if earlier.payload_len > 0 && earlier.outcome == capture.outcome {
                return Ok(Some(earlier.payload_digest));
            }
        }
        Ok(None)
    }

    /// What opens the leaf of a capture, for whoever may see all of the capture.
    pub fn disclosure(&self, grant: &Grant, id: CaptureId) -> Result<Option<Disclosure>, Error> {
        demand_content(grant, id.theme)?;
        self.demand_unsealed(grant, id)?;
        let Some(kept) = self.kept(id)? else { return Ok(None) };
        let entry = self.log_leaf(kept.leaf)?.ok_or_else(|| log::missing_leaf(kept.leaf))?;
        let salt = kept.salt();
        let salts = part::ALL.into_iter().map(|name| (name, salt.for_part(name))).collect();
        Ok(Some(Disclosure { leaf: kept.leaf, entry, salts, record: kept.record }))
    }

    /// The row of a capture that is not erased.
    pub(crate) fn kept(&self, id: CaptureId) -> Result<Option<KeptCapture>, Error> {
        match self.tables.get(Table::Captures, &Key::theme(id.theme).seq(id.seq))? {
            None => Ok(None),
            Some(CaptureRow::Kept(kept)) => Ok(Some(kept)),
            Some(CaptureRow::Erased { erasure, .. }) => Err(Error::Erased(id, erasure)),
        }
    }

    /// The payload of a capture. Empty when nothing was received.
    pub fn payload(&self, grant: &Grant, theme: ThemeId, capture: &Capture) -> Result<Vec<u8>, Error> {
        demand_content(grant, theme)?;
        if capture.payload_len == 0 {
            return Ok(Vec::new());
        }
        let id = CaptureId { theme, seq: capture.seq };
        self.demand_unsealed(grant, id)?;
        if let Some(read) = payload::read(&self.tables, theme, &capture.payload_digest)? {
            return Ok(read.payload);
        }
        // It may have been erased since the capture was read.
        self.kept(id)?;
        Err(Error::corrupt(Table::Payloads, Key::theme(theme).digest(&capture.payload_digest).as_ref()))
    }

    /// The page that a target has of a URI, as its captures before `before` say: the last of them, or, where that one only says that
    /// nothing has changed, the one that it says so of.
    ///
    /// Looks at [`MOST_REVISITS`] captures, so that a service that answers 304 for ever is asked for all of the page now and then.
    pub fn page_held(
        &self,
        grant: &Grant,
        theme: ThemeId,
        uri: UriId,
        target: TargetId,
        before: Option<Seq>,
    ) -> Result<Option<Capture>, Error> {
        let from = before.map(|Seq(before)| Seq(before.saturating_sub(1)));
        let page = self.captures(grant, theme, CaptureFilter::Uri(uri), from, MOST_REVISITS)?;
        let mut own = page.captures.into_iter().filter(|capture| capture.target == target);
        let last = own.find(|capture| capture.outcome != Outcome::NotModified);
        Ok(last.filter(|capture| capture.outcome == Outcome::Ok))
    }

    /// The next captures of `theme` after `after`, at most `limit`, in order of sequence; erased and sealed ones are passed over.
    pub fn captures_after(&self, grant: &Grant, theme: ThemeId, after: Seq, limit: usize) -> Result<Run, Error> {
        demand(grant, theme)?;
        let prefix = Key::theme(theme);
        let mut run = Run { captures: Vec::new(), up_to: after };
        for row in self.tables.scan(Table::Captures, &prefix, Some(&prefix.clone().seq(after.next()))) {
            if run.captures.len() == limit {
                break;
            }
            let (key, value) = row?;
            let damaged = || Error::corrupt(Table::Captures, &key);
            run.up_to = Reader(&key[prefix.as_ref().len()..]).seq().ok_or_else(damaged)?;
            if let CaptureRow::Kept(kept) = codec::decode(Table::Captures, &key, &value)?
                && self.demand_unsealed(grant, CaptureId { theme, seq: run.up_to }).is_ok()
            {
                run.captures.push(kept.capture(&key)?);
            }
        }
        Ok(run)
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
            captures.extend(self.capture_if_open(grant, CaptureId { theme, seq })?);
        }
        Ok(CapturePage { captures, next })
    }
}

/// What is recorded of a fetch whose payload is not to be kept: that it was made, and nothing that came back.
fn blocked(capture: Capture) -> Capture {
    let nothing = Digest::of(&[]);
    Capture {
        outcome: Outcome::Blocked,
        detail: Some("the payload is on the list of blocked ones".into()),
        response_head: Vec::new(),
        block_digest: nothing,
        block_len: 0,
        payload_digest: nothing,
        payload_len: 0,
        framing: None,
        truncation: None,
        redirect_to: None,
        ..capture
    }
}

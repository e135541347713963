//! Seals: an item with illegal content is hidden at once from all but whoever decides about it (R23), and its payload is not kept again.

use model::{Capture, CaptureId, Digest, Grant, Seq, Subject, ThemeId, Timestamp};
use proof::LeafKind;
use serde::{Deserialize, Serialize};

use crate::{
    Act, ChangeKind, Error, Store, Taken, codec,
    erasure::CHUNK,
    key::{Key, Reader},
    schema::Table,
    store::{Tables, demand},
};

/// A seal on a capture. The decision about it is pending: to lift the seal, or to erase what it hides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The leaf of the act that set it.
    pub leaf: u64,
    /// The payload that it blocks, if the capture has one.
    pub payload: Option<Digest>,
    /// Who set it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

impl Seal {
    /// The seal on a capture that was made while somebody sealed another one with its payload.
    pub(crate) fn of_blocked(leaf: u64, payload: Digest, since: Timestamp) -> Self {
        let reason = "its payload was blocked while it was recorded".to_owned();
        Self { leaf, payload: Some(payload), who: "nachtwacht".to_owned(), reason, since }
    }
}

impl Store {
    /// Seals a capture, and with it every other one of the theme that has the same payload. When this returns none of them is served.
    pub fn set_seal(
        &self,
        grant: &Grant,
        theme: ThemeId,
        seq: Seq,
        reason: &str,
        at: Timestamp,
    ) -> Result<Taken, Error> {
        demand(grant, theme)?;
        let mut taken = Taken::default();
        let Some(capture) = self.kept_capture(CaptureId { theme, seq })? else { return Ok(taken) };
        let payload = payload_of(&capture);
        let who = grant.who().to_owned();
        let act = Act::about(theme, LeafKind::Seal, at, &Subject::Capture(seq))
            .fact("change", "set")
            .part("who", who.as_bytes())
            .part("reason", reason.as_bytes());
        loop {
            let mut log = self.log.append();
            let captures = self.unsealed_with(theme, seq, payload)?;
            if captures.is_empty() {
                return Ok(taken);
            }
            let (leaf, _) = self.add_change(&mut log, theme, &act, ChangeKind::Sealed, &captures)?;
            let batch = &mut log.batch;
            let seal = Seal { leaf, payload, who: who.clone(), reason: reason.to_owned(), since: at };
            for capture in &captures {
                self.tables.put(batch, Table::Seals, &Key::theme(theme).seq(capture.seq), &seal);
                self.forget_views_of(batch, theme, capture.seq)?;
            }
            if let Some(payload) = payload {
                self.tables.put(batch, Table::BlockedPayloads, &block_key(&payload, theme), &leaf);
            }
            self.mend_crawl(batch, theme, &captures, false, at)?;
            log.commit()?;
            self.changed.send_replace(());
            taken.add(leaf, captures.len());
        }
    }

    /// The first captures, a chunk of them, that have this payload, or are this one, and are neither erased nor sealed.
    fn unsealed_with(&self, theme: ThemeId, seq: Seq, payload: Option<Digest>) -> Result<Vec<Capture>, Error> {
        let sequences = match payload {
            Some(payload) => self.sequences_under(Table::CapturesByPayload, &Key::theme(theme).digest(&payload))?,
            None => vec![seq],
        };
        let mut captures = Vec::new();
        for seq in sequences {
            let id = CaptureId { theme, seq };
            if captures.len() < CHUNK && self.seal_on(id)?.is_none() {
                captures.extend(self.kept_capture(id)?);
            }
        }
        Ok(captures)
    }

    /// Lifts the seal on a capture, and on every other one of the theme with the same payload, which may be kept again. Only for custody.
    pub fn lift_seal(
        &self,
        grant: &Grant,
        theme: ThemeId,
        seq: Seq,
        reason: &str,
        at: Timestamp,
    ) -> Result<Taken, Error> {
        demand(grant, theme)?;
        let id = CaptureId { theme, seq };
        self.demand_unsealed(grant, id)?;
        let mut taken = Taken::default();
        let Some(seal) = self.seal_on(id)? else { return Ok(taken) };
        let act = Act::about(theme, LeafKind::Seal, at, &Subject::Capture(seq))
            .fact("change", "lifted")
            .part("who", grant.who().as_bytes())
            .part("reason", reason.as_bytes());
        loop {
            let mut log = self.log.append();
            let mut captures = Vec::new();
            for (seq, other) in self.seals(grant, theme)? {
                let is_same = if seal.payload.is_some() { other.payload == seal.payload } else { seq == id.seq };
                if is_same && captures.len() < CHUNK {
                    captures.extend(self.kept_capture(CaptureId { theme, seq })?);
                }
            }
            if captures.is_empty() {
                return Ok(taken);
            }
            let (leaf, _) = self.add_change(&mut log, theme, &act, ChangeKind::Unsealed, &captures)?;
            for capture in &captures {
                log.batch.delete_cf(self.tables.family(Table::Seals), Key::theme(theme).seq(capture.seq));
            }
            if let Some(payload) = &seal.payload {
                log.batch.delete_cf(self.tables.family(Table::BlockedPayloads), block_key(payload, theme));
            }
            log.commit()?;
            self.changed.send_replace(());
            taken.add(leaf, captures.len());
        }
    }

    /// The seals of a theme, by capture.
    pub fn seals(&self, grant: &Grant, theme: ThemeId) -> Result<Vec<(Seq, Seal)>, Error> {
        demand(grant, theme)?;
        let prefix = Key::theme(theme);
        let read = |row: Result<(Vec<u8>, Vec<u8>), Error>| {
            let (key, value) = row?;
            let damaged = || Error::corrupt(Table::Seals, &key);
            let seq = Reader(&key[prefix.as_ref().len()..]).seq().ok_or_else(damaged)?;
            Ok((seq, codec::decode(Table::Seals, &key, &value)?))
        };
        self.tables.scan(Table::Seals, &prefix, None).map(read).collect()
    }

    /// The seal on a capture.
    pub(crate) fn seal_on(&self, id: CaptureId) -> Result<Option<Seal>, Error> {
        self.tables.get(Table::Seals, &Key::theme(id.theme).seq(id.seq))
    }

    /// Refuses a capture that is sealed, but for custody.
    pub(crate) fn demand_unsealed(&self, grant: &Grant, id: CaptureId) -> Result<(), Error> {
        match self.seal_on(id)? {
            Some(seal) if !grant.has_custody() => Err(Error::Sealed(id, seal.leaf)),
            _ => Ok(()),
        }
    }

    /// Whether a payload is not to be kept.
    pub(crate) fn is_blocked(&self, payload: &Digest) -> Result<bool, Error> {
        Ok(block_of(&self.tables, payload)?.is_some())
    }
}

/// The leaf of an act that blocked a payload, in whatever theme.
pub(crate) fn block_of(tables: &Tables, payload: &Digest) -> Result<Option<u64>, Error> {
    let row = tables.scan(Table::BlockedPayloads, &Key::bytes(payload.as_bytes()), None).next().transpose()?;
    row.map(|(key, value)| codec::decode(Table::BlockedPayloads, &key, &value)).transpose()
}

pub(crate) fn payload_of(capture: &Capture) -> Option<Digest> {
    (capture.payload_len > 0).then_some(capture.payload_digest)
}

/// By payload first: it is blocked as long as one theme says so.
fn block_key(payload: &Digest, theme: ThemeId) -> Key {
    Key::bytes(payload.as_bytes()).with(theme.as_bytes())
}

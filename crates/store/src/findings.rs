//! Findings: which documents an indicator flags, and why. Kept by version of the indicator, so that what an earlier one found stays.

use model::{CaptureId, Finding, Grant, Seq, ThemeId};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Store, codec,
    key::{Key, Reader},
    schema::Table,
    store::{cursor_key, demand_content},
    views::{DERIVE, decode_document},
};

/// How far the documents of a theme were looked at for a version of an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scoring {
    /// All up to this one.
    UpTo(Seq),
    /// All that are analysed, and each new one as it comes, until the version ends.
    Follows,
}

/// A page of the captures that a version of an indicator flags, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flagged {
    /// The captures, with their scores.
    pub captures: Vec<(Seq, i64)>,
    /// What the next page begins with, if there is one.
    pub next: Option<Seq>,
}

impl Store {
    /// What the versions of indicators found in a capture, in the order of the versions.
    pub fn findings(&self, grant: &Grant, id: CaptureId) -> Result<Vec<Finding>, Error> {
        demand_content(grant, id.theme)?;
        self.demand_unsealed(grant, id)?;
        let rows = self.tables.scan(Table::Findings, &Key::theme(id.theme).seq(id.seq), None);
        rows.map(|row| row.and_then(|(key, value)| codec::decode(Table::Findings, &key, &value))).collect()
    }

    /// A page of at most `limit` captures that a version of an indicator flags, newest first, from `from` down when given.
    pub fn flagged(
        &self,
        grant: &Grant,
        theme: ThemeId,
        version: u64,
        from: Option<Seq>,
        limit: usize,
    ) -> Result<Flagged, Error> {
        demand_content(grant, theme)?;
        let prefix = version_key(theme, version);
        let from = from.map(|seq| prefix.clone().seq(seq));
        let rows = self.tables.scan_back(Table::FindingsByVersion, &prefix, from.as_ref()).take(limit + 1);
        let mut captures = rows.map(|row| flag(&prefix, row)).collect::<Result<Vec<_>, _>>()?;
        let next = (captures.len() > limit).then(|| captures.pop()).flatten().map(|(seq, _)| seq);
        Ok(Flagged { captures, next })
    }

    /// Every capture that a version of an indicator flags with its score, in order.
    pub fn flags<'a>(
        &'a self,
        grant: &Grant,
        theme: ThemeId,
        version: u64,
    ) -> Result<impl Iterator<Item = Result<(Seq, i64), Error>> + use<'a>, Error> {
        demand_content(grant, theme)?;
        let prefix = version_key(theme, version);
        Ok(self.tables.scan(Table::FindingsByVersion, &prefix, None).map(move |row| flag(&prefix, row)))
    }

    /// How far the documents were looked at for a version of an indicator; `None` before that has begun.
    pub fn scoring(&self, theme: ThemeId, version: u64) -> Result<Option<Scoring>, Error> {
        self.tables.get(Table::Cursors, &scoring_key(theme, version))
    }

    /// Writes what versions of indicators found in documents behind the cursor, and how far these were looked at, in one batch.
    ///
    /// Documents that were erased or sealed since they were read are left out.
    pub fn put_findings(
        &self,
        theme: ThemeId,
        findings: &[(Seq, Vec<Finding>)],
        scorings: &[(u64, Scoring)],
    ) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        for (seq, findings) in findings {
            if self.tables.contains(Table::Documents, &Key::theme(theme).seq(*seq))? {
                self.add_findings(&mut batch, theme, *seq, findings);
            }
        }
        for (version, scoring) in scorings {
            self.tables.put(&mut batch, Table::Cursors, &scoring_key(theme, *version), scoring);
        }
        self.tables.write(batch)?;
        self.analysed.send_modify(|_| ());
        Ok(())
    }

    /// Adds what was found in a capture to a batch.
    pub(crate) fn add_findings(&self, batch: &mut WriteBatch, theme: ThemeId, seq: Seq, findings: &[Finding]) {
        for finding in findings {
            self.tables.put(batch, Table::Findings, &finding_key(theme, seq, finding.version), finding);
            let key = version_key(theme, finding.version).seq(seq);
            self.tables.put(batch, Table::FindingsByVersion, &key, &finding.score);
        }
    }

    /// Adds to a batch that nothing was found in a capture.
    pub(crate) fn forget_findings(&self, batch: &mut WriteBatch, theme: ThemeId, seq: Seq) -> Result<(), Error> {
        let prefix = Key::theme(theme).seq(seq);
        for row in self.tables.scan(Table::Findings, &prefix, None) {
            let (key, _) = row?;
            let version = Reader(&key[prefix.as_ref().len()..]).take().map(u64::from_be_bytes);
            let version = version.ok_or_else(|| Error::corrupt(Table::Findings, &key))?;
            batch.delete_cf(self.tables.family(Table::FindingsByVersion), version_key(theme, version).seq(seq));
            batch.delete_cf(self.tables.family(Table::Findings), key);
        }
        Ok(())
    }

    /// Documents of a theme after `after` and up to `up_to`, at most `limit`, in order, without their links; with the sequence that the run reaches.
    pub fn documents_after(
        &self,
        grant: &Grant,
        theme: ThemeId,
        (after, up_to): (Seq, Seq),
        limit: usize,
    ) -> Result<(Vec<(Seq, model::Document)>, Seq), Error> {
        demand_content(grant, theme)?;
        let prefix = Key::theme(theme);
        let mut documents = Vec::new();
        for row in self.tables.scan(Table::Documents, &prefix, Some(&prefix.clone().seq(after.next()))) {
            let (key, value) = row?;
            let seq = Reader(&key[prefix.as_ref().len()..]).seq();
            let seq = seq.ok_or_else(|| Error::corrupt(Table::Documents, &key))?;
            if seq > up_to {
                break;
            }
            documents.push((seq, decode_document(&Key::bytes(&key), &value)?));
            if documents.len() == limit {
                return Ok((documents, seq));
            }
        }
        Ok((documents, up_to))
    }
}

/// The capture and the score of a row.
fn flag(prefix: &Key, row: Result<(Vec<u8>, Vec<u8>), Error>) -> Result<(Seq, i64), Error> {
    let (key, value) = row?;
    let seq = Reader(&key[prefix.as_ref().len()..]).seq();
    let seq = seq.ok_or_else(|| Error::corrupt(Table::FindingsByVersion, &key))?;
    Ok((seq, codec::decode(Table::FindingsByVersion, &key, &value)?))
}

fn finding_key(theme: ThemeId, seq: Seq, version: u64) -> Key {
    Key::theme(theme).seq(seq).with(&version.to_be_bytes())
}

/// It goes when the views go whose progress it tells.
fn scoring_key(theme: ThemeId, version: u64) -> Key {
    cursor_key(DERIVE, theme).with(&version.to_be_bytes())
}

fn version_key(theme: ThemeId, version: u64) -> Key {
    Key::theme(theme).with(&version.to_be_bytes())
}

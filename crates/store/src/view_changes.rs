//! What must follow an erasure, a seal or its lifting: derived views, the index, and the files beneath. A row stays until all of it is done.

use model::{Capture, CrawlHint, Digest, Seq, TargetId, ThemeId, UriId};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    Act, Analysis, Error, Store, Version, codec, erasure, key::Key, log::Appending, schema::Table, seals,
    views::decode_document,
};

/// What happened to captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// They are gone for good.
    Erased,
    /// They are hidden.
    Sealed,
    /// They are shown again.
    Unsealed,
}

/// A change that views, index and files have not followed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewChange {
    /// The leaf of the act.
    pub leaf: u64,
    /// What happened.
    pub kind: ChangeKind,
    /// To which captures.
    pub captures: Vec<Affected>,
    /// Whether derived views and index are right again. What is left is to take the bytes out of files.
    pub views_follow: bool,
}

/// A capture that a change concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Its sequence.
    pub seq: Seq,
    /// Its URI.
    pub uri: UriId,
    /// Its target.
    pub target: TargetId,
    /// Its payload, if it has one.
    pub payload: Option<Digest>,
}

impl From<&Capture> for Affected {
    fn from(capture: &Capture) -> Self {
        Self { seq: capture.seq, uri: capture.uri.id(), target: capture.target, payload: seals::payload_of(capture) }
    }
}

impl Store {
    /// The changes of a theme that are not done, in order.
    pub fn view_changes(&self, theme: ThemeId) -> Result<Vec<ViewChange>, Error> {
        let rows = self.tables.scan(Table::ViewChanges, &Key::theme(theme), None);
        rows.map(|row| row.and_then(|(key, value)| codec::decode(Table::ViewChanges, &key, &value))).collect()
    }

    /// Whether derived views and index of a theme still hold what they must not, or lack what was given back.
    pub fn is_changing(&self, theme: ThemeId) -> Result<bool, Error> {
        Ok(self.view_changes(theme)?.iter().any(|change| !change.views_follow))
    }

    /// Tells when there are new changes, and when one is done.
    pub fn changed(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Adds the act of a change, which says which captures and how many, and the change itself; returns the leaf too.
    pub(crate) fn add_change(
        &self,
        log: &mut Appending<'_>,
        theme: ThemeId,
        act: &Act,
        kind: ChangeKind,
        captures: &[Capture],
    ) -> Result<(u64, ViewChange), Error> {
        let sequences: Vec<Seq> = captures.iter().map(|capture| capture.seq).collect();
        let act = act
            .clone()
            .fact("captures", erasure::ranges(&sequences))
            .fact("count", i64::try_from(sequences.len()).unwrap_or(i64::MAX));
        let leaf = self.add_act(log, &act)?;
        let captures = captures.iter().map(Affected::from).collect();
        let change = ViewChange { leaf, kind, captures, views_follow: false };
        self.tables.put(&mut log.batch, Table::ViewChanges, &change_key(theme, leaf), &change);
        Ok((leaf, change))
    }

    /// Adds to a batch that a capture has no derived views, but for its part in a version.
    pub(crate) fn forget_views_of(&self, batch: &mut WriteBatch, theme: ThemeId, seq: Seq) -> Result<(), Error> {
        let key = Key::theme(theme).seq(seq);
        let row = self.tables.get_raw(Table::Documents, &key)?;
        // A damaged one goes like the others; where it was seen stays, and leads to nothing.
        if let Some(document) = row.and_then(|row| decode_document(&key, &row).ok()) {
            self.forget_sightings(batch, theme, seq, &document);
        }
        self.forget_findings(batch, theme, seq)?;
        self.forget_sketch(batch, theme, seq)?;
        for table in [Table::Documents, Table::Links, Table::CrawlHints] {
            batch.delete_cf(self.tables.family(table), &key);
        }
        Ok(())
    }

    /// Takes captures out of the derived views, but for their part in versions.
    pub fn forget_views(&self, theme: ThemeId, captures: &[Affected]) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        for capture in captures {
            self.forget_views_of(&mut batch, theme, capture.seq)?;
        }
        self.tables.write(batch)
    }

    /// Writes again what captures behind the cursor came to, in place of what is there, but for their versions.
    pub fn put_analyses_again(&self, theme: ThemeId, analyses: &[Analysis]) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        for analysis in analyses {
            self.forget_views_of(&mut batch, theme, analysis.seq)?;
            self.put_views(&mut batch, theme, analysis);
        }
        self.tables.write(batch)
    }

    /// The captures of a URI that are not erased, in order.
    pub fn sequences_of_uri(&self, theme: ThemeId, uri: UriId) -> Result<Vec<Seq>, Error> {
        self.sequences_under(Table::CapturesByUri, &Key::theme(theme).uri(uri))
    }

    /// Makes `versions` the versions of a URI, and writes the hints that say otherwise now.
    pub fn replace_versions(
        &self,
        theme: ThemeId,
        uri: UriId,
        versions: &[Version],
        hints: &[(Seq, CrawlHint)],
    ) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        let prefix = Key::theme(theme).uri(uri);
        for row in self.tables.scan(Table::VersionsByUri, &prefix, None) {
            batch.delete_cf(self.tables.family(Table::VersionsByUri), row?.0);
        }
        for version in versions {
            self.tables.put(&mut batch, Table::VersionsByUri, &prefix.clone().seq(version.first), version);
        }
        for (seq, hint) in hints {
            self.tables.put(&mut batch, Table::CrawlHints, &Key::theme(theme).seq(*seq), hint);
        }
        self.tables.write(batch)
    }

    /// Notes that derived views and index have followed a change. An erasure goes on with the files, anything else is done.
    pub fn views_followed(&self, theme: ThemeId, change: &ViewChange) -> Result<(), Error> {
        if change.kind != ChangeKind::Erased {
            return self.change_done(theme, change);
        }
        let mut batch = WriteBatch::default();
        let followed = ViewChange { views_follow: true, ..change.clone() };
        self.tables.put(&mut batch, Table::ViewChanges, &change_key(theme, change.leaf), &followed);
        self.tables.write_synced(batch)
    }

    /// Notes that nothing is left to do for a change.
    pub(crate) fn change_done(&self, theme: ThemeId, change: &ViewChange) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        batch.delete_cf(self.tables.family(Table::ViewChanges), change_key(theme, change.leaf));
        self.tables.write_synced(batch)?;
        self.changed.send_replace(());
        Ok(())
    }
}

fn change_key(theme: ThemeId, leaf: u64) -> Key {
    Key::theme(theme).with(&leaf.to_be_bytes())
}

//! Where observables were seen: from a value to the captures that show it.

use model::{Digest, Document, Grant, Observable, ObservableKind, Seq, ThemeId};
use rocksdb::WriteBatch;

use crate::{
    Error, Store,
    key::{Key, Reader},
    schema::Table,
    store::demand_content,
};

/// The captures that show an observable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sightings {
    /// The first of all.
    pub first: Option<Seq>,
    /// The last of all.
    pub last: Option<Seq>,
    /// A page of them, newest first.
    pub captures: Vec<Seq>,
    /// What the next page begins with, if there is one.
    pub next: Option<Seq>,
}

impl Store {
    /// A page of at most `limit` captures of a theme whose documents hold this observable, newest first, from `from` down when given. `value` is the
    /// normal form.
    pub fn sightings(
        &self,
        grant: &Grant,
        theme: ThemeId,
        (kind, value): (ObservableKind, &str),
        from: Option<Seq>,
        limit: usize,
    ) -> Result<Sightings, Error> {
        demand_content(grant, theme)?;
        let prefix = prefix(theme, kind, value);
        let read = |row: Result<(Vec<u8>, Vec<u8>), Error>| {
            let (key, _) = row?;
            let seq = key.get(prefix.as_ref().len()..).and_then(|rest| Reader(rest).seq());
            seq.ok_or_else(|| Error::corrupt(Table::Sightings, &key))
        };
        let first = self.tables.scan(Table::Sightings, &prefix, None).next().map(read).transpose()?;
        let last = self.tables.scan_back(Table::Sightings, &prefix, None).next().map(read).transpose()?;
        let from = from.map(|seq| prefix.clone().seq(seq));
        let rows = self.tables.scan_back(Table::Sightings, &prefix, from.as_ref()).take(limit + 1);
        let mut captures: Vec<Seq> = rows.map(read).collect::<Result<_, _>>()?;
        let next = (captures.len() > limit).then(|| captures.pop()).flatten();
        Ok(Sightings { first, last, captures, next })
    }

    /// Adds to a batch where the observables of a document were seen.
    pub(crate) fn put_sightings(&self, batch: &mut WriteBatch, theme: ThemeId, seq: Seq, document: &Document) {
        for observable in &document.observables {
            batch.put_cf(self.tables.family(Table::Sightings), row(theme, observable, seq), []);
        }
    }

    /// Adds to a batch that the observables of a document were not seen.
    pub(crate) fn forget_sightings(&self, batch: &mut WriteBatch, theme: ThemeId, seq: Seq, document: &Document) {
        for observable in &document.observables {
            batch.delete_cf(self.tables.family(Table::Sightings), row(theme, observable, seq));
        }
    }
}

fn row(theme: ThemeId, observable: &Observable, seq: Seq) -> Key {
    prefix(theme, observable.kind, &observable.value).seq(seq)
}

fn prefix(theme: ThemeId, kind: ObservableKind, value: &str) -> Key {
    Key::theme(theme).digest(&Digest::of_parts(&[kind.as_str().as_bytes(), &[0], value.as_bytes()]))
}

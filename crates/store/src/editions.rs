//! What tells two states of a theme apart that have the same captures and the same acts: what became of the captures otherwise.

use model::{Grant, Seq, ThemeId};
use rocksdb::WriteBatch;

use crate::{
    Error, Store,
    key::{Key, Reader},
    schema::Table,
    store::{cursor_key, demand},
};

/// The note of the edition. It stays when the views go that it is of.
const EDITION: &str = "edition";

impl Store {
    /// How often views of captures that had been analysed were changed, other than by taking them away: twice a change, once when it begins and once
    /// when it is done. An odd number says that one is under way.
    pub fn edition(&self, theme: ThemeId) -> Result<u64, Error> {
        Ok(self.tables.get(Table::Cursors, &cursor_key(EDITION, theme))?.unwrap_or(0))
    }

    /// Notes that views of captures are about to be changed.
    pub fn begin_edition(&self, theme: ThemeId) -> Result<(), Error> {
        let edition = self.edition(theme)?;
        if edition.is_multiple_of(2) { self.put_edition(theme, edition + 1) } else { Ok(()) }
    }

    /// Notes that the change is done; nothing where none is under way.
    pub fn end_edition(&self, theme: ThemeId) -> Result<(), Error> {
        let edition = self.edition(theme)?;
        if edition.is_multiple_of(2) { Ok(()) } else { self.put_edition(theme, edition + 1) }
    }

    fn put_edition(&self, theme: ThemeId, edition: u64) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::Cursors, &cursor_key(EDITION, theme), &edition);
        self.tables.write(batch)
    }

    /// How many captures with a sequence up to `up_to` are withheld: erased or sealed.
    pub fn withheld_up_to(&self, theme: ThemeId, up_to: Seq) -> Result<u64, Error> {
        let sealed = self.sequences_under(Table::Seals, &Key::theme(theme))?;
        let mut count = self.erased_up_to(theme, up_to)?;
        for seq in sealed.into_iter().take_while(|seq| *seq <= up_to) {
            let is_erased = self.tables.contains(Table::ErasedCaptures, &Key::theme(theme).seq(seq))?;
            count += u64::from(!is_erased);
        }
        Ok(count)
    }

    /// The leaf behind the newest act of a theme; 0 where there is none.
    pub fn acts_end(&self, grant: &Grant, theme: ThemeId) -> Result<u64, Error> {
        demand(grant, theme)?;
        let prefix = Key::theme(theme);
        let Some((key, _)) = self.tables.scan_back(Table::Acts, &prefix, None).next().transpose()? else {
            return Ok(0);
        };
        let leaf = key.get(prefix.as_ref().len()..).and_then(|rest| Reader(rest).take()).map(u64::from_be_bytes);
        leaf.map(|leaf| leaf + 1).ok_or_else(|| Error::corrupt(Table::Acts, &key))
    }
}

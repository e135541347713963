use model::{Target, TargetId, ThemeId};
use rocksdb::WriteBatch;

use crate::{Error, Store, codec, key::Key, schema::Table, store::lock};

impl Store {
    /// Keeps a new target; whoever adds it has validated it.
    pub fn add_target(&self, target: &Target) -> Result<(), Error> {
        let _guard = lock(&self.targets_lock);
        self.put_target(target)
    }

    /// Changes a target: reads it, lets `change` work on it, writes it. `None` when there is none.
    pub fn update_target<T>(
        &self,
        theme: ThemeId,
        id: TargetId,
        change: impl FnOnce(&mut Target) -> T,
    ) -> Result<Option<(Target, T)>, Error> {
        let _guard = lock(&self.targets_lock);
        let Some(before) = self.target(theme, id)? else { return Ok(None) };
        let mut target = before.clone();
        let result = change(&mut target);
        if target != before {
            self.put_target(&target)?;
        }
        Ok(Some((target, result)))
    }

    /// One target.
    pub fn target(&self, theme: ThemeId, id: TargetId) -> Result<Option<Target>, Error> {
        self.tables.get(Table::Targets, &Key::theme(theme).target(id))
    }

    /// The targets of a theme, in order of id.
    pub fn targets(&self, theme: ThemeId) -> Result<Vec<Target>, Error> {
        self.targets_under(&Key::theme(theme))
    }

    /// The targets of every theme: for the crawler, which serves them all.
    pub fn all_targets(&self) -> Result<Vec<Target>, Error> {
        self.targets_under(&Key::default())
    }

    fn targets_under(&self, prefix: &Key) -> Result<Vec<Target>, Error> {
        self.tables
            .scan(Table::Targets, prefix, None)
            .map(|row| row.and_then(|(key, value)| codec::decode(Table::Targets, &key, &value)))
            .collect()
    }

    fn put_target(&self, target: &Target) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::Targets, &Key::theme(target.theme).target(target.id), target);
        self.tables.write_synced(batch)
    }
}

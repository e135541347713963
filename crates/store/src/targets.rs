use model::{Decision, Target, TargetId, ThemeId};
use proof::LeafKind;
use rocksdb::WriteBatch;

use crate::{
    Act, Error, Store, codec,
    key::Key,
    schema::Table,
    store::{Tables, lock},
};

impl Store {
    /// Keeps a new target; whoever adds it has validated it.
    pub fn add_target(&self, target: &Target) -> Result<(), Error> {
        let _guard = lock(&self.targets_lock);
        self.put_target(target, None)
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
            self.put_target(&target, Some(&before))?;
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

    /// Writes a target; a decision that it did not rest on before becomes a leaf of the evidence log in the same batch.
    fn put_target(&self, target: &Target, before: Option<&Target>) -> Result<(), Error> {
        let put = |tables: &Tables, batch: &mut WriteBatch| {
            tables.put(batch, Table::Targets, &Key::theme(target.theme).target(target.id), target);
        };
        match target.decisions.last() {
            Some(decision) if before.and_then(|before| before.decisions.last()) != Some(decision) => {
                self.act(&decided(target, decision), |tables, batch, _| {
                    put(tables, batch);
                    Ok(())
                })?;
                Ok(())
            }
            _ => {
                let mut batch = WriteBatch::default();
                put(&self.tables, &mut batch);
                self.tables.write_synced(batch)
            }
        }
    }
}

/// The act of deciding about a target, with all that was decided.
fn decided(target: &Target, decision: &Decision) -> Act {
    Act::new(target.theme, LeafKind::Decision, decision.made_at)
        .fact("target", target.id.to_string())
        .fact("decision", i64::from(decision.number))
        .part("author", decision.author.as_bytes())
        .part("decision", codec::encode(decision))
        .part("target", codec::encode(target))
}

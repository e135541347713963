use model::{Grant, Target, TargetId, TargetState, ThemeId, Timestamp};
use proof::LeafKind;
use rocksdb::WriteBatch;

use crate::{
    Act, DecisionError, Error, Step, Store, codec,
    decisions::{STEP, TARGET, WHO, history_key},
    key::Key,
    schema::Table,
    store::{demand, lock},
};

/// What a person wants of a target that needs no decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Steering {
    /// That it rests.
    Pause,
    /// That it goes on, also where it waited for a person.
    Resume,
    /// That it is finished with.
    Retire,
    /// That it is called by another name.
    Rename(String),
}

impl Steering {
    const fn step(&self) -> Step {
        match self {
            Self::Pause => Step::Paused,
            Self::Resume => Step::Resumed,
            Self::Retire => Step::Retired,
            Self::Rename(_) => Step::Renamed,
        }
    }

    fn apply(&self, target: &mut Target) {
        match self {
            Self::Pause => target.state = TargetState::Paused,
            Self::Resume => (target.state, target.attention) = (TargetState::Active, None),
            Self::Retire => target.state = TargetState::Retired,
            Self::Rename(name) => target.name.clone_from(name),
        }
    }
}

impl Store {
    /// Does what a person wants of a target, which is an act where it changes something. Errors: [`Error::Decision`] where there is no such target, or it is
    /// retired.
    pub fn steer(
        &self,
        grant: &Grant,
        theme: ThemeId,
        id: TargetId,
        steering: &Steering,
        at: Timestamp,
    ) -> Result<Target, Error> {
        demand(grant, theme)?;
        let _guard = lock(&self.targets_lock);
        let before = self.changeable(theme, id)?;
        let mut target = before.clone();
        steering.apply(&mut target);
        if target == before {
            return Ok(target);
        }
        let mut act = Act::new(theme, LeafKind::Decision, at)
            .fact(TARGET, id.to_string())
            .fact(STEP, steering.step().name())
            .part(WHO, grant.who().as_bytes());
        if let Steering::Rename(name) = steering {
            act = act.part("name", name.as_bytes());
        }
        self.act(&act, |tables, batch, leaf| {
            tables.put_target(batch, &target);
            batch.put_cf(tables.family(Table::DecisionsByTarget), history_key(theme, id, leaf), []);
            Ok(())
        })?;
        Ok(target)
    }

    /// Changes a target's epoch or attention: reads it, lets `change` work on it, writes it. `None` when there is none.
    ///
    /// Errors: [`DecisionError::Undecided`] where `change` meddles with the decisions, which come about by approval alone.
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
        if target.decisions != before.decisions {
            return Err(DecisionError::Undecided(id).into());
        }
        if target != before {
            let mut batch = WriteBatch::default();
            self.tables.put_target(&mut batch, &target);
            self.tables.write_synced(batch)?;
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

    /// A target that may still change.
    pub(crate) fn changeable(&self, theme: ThemeId, id: TargetId) -> Result<Target, Error> {
        let target = self.target(theme, id)?.ok_or(DecisionError::NoTarget)?;
        if target.state == TargetState::Retired { Err(DecisionError::Retired(id).into()) } else { Ok(target) }
    }
}

impl crate::store::Tables {
    /// Adds a target's row to a batch.
    pub(crate) fn put_target(&self, batch: &mut WriteBatch, target: &Target) {
        self.put(batch, Table::Targets, &Key::theme(target.theme).target(target.id), target);
    }
}

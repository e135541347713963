//! All that was proposed, decided and wanted of a target, as the evidence log has it.

use model::{Decision, FoundIn, Grant, Matter, TargetId, ThemeId, Timestamp};
use proof::{Fact, Leaf};

use super::{DECISION, FOUND_IN, MATTER, NAME, PROPOSAL, REASONS, STEP, WHO};
use crate::{
    Error, RecordedAct, Store, codec,
    key::{Key, Reader},
    log::missing_leaf,
    schema::Table,
    store::demand,
};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A proposal was made.
    Proposed,
    /// A proposal was approved, and is a decision since.
    Approved,
    /// A proposal was rejected.
    Rejected,
    /// A proposal was taken back.
    Withdrawn,
    /// A decision was ended before its time.
    Ended,
    /// The target was made to rest.
    Paused,
    /// The target was made to go on.
    Resumed,
    /// The target was finished with.
    Retired,
    /// The target got another name.
    Renamed,
}

impl Step {
    const ALL: [Self; 9] = [
        Self::Proposed,
        Self::Approved,
        Self::Rejected,
        Self::Withdrawn,
        Self::Ended,
        Self::Paused,
        Self::Resumed,
        Self::Retired,
        Self::Renamed,
    ];

    /// The word for it in the evidence log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Ended => "ended",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Retired => "retired",
            Self::Renamed => "renamed",
        }
    }
}

/// A step in the history of a target. What a person said or is called may have been erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The leaf.
    pub leaf: u64,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub step: Step,
    /// Who did it.
    pub who: Option<String>,
    /// Why.
    pub reasons: Option<String>,
    /// The proposal that it is about, by its leaf; of a proposal itself its own.
    pub proposal: Option<u64>,
    /// The decision that it made or ended.
    pub decision: Option<u32>,
    /// What was proposed or decided.
    pub matter: Option<Matter>,
    /// Where the source was come by.
    pub found_in: Option<FoundIn>,
    /// What the target was called then, where that is told.
    pub name: Option<String>,
}

impl Store {
    /// Everything that was proposed, decided and wanted of a target, in order.
    pub fn target_history(&self, grant: &Grant, theme: ThemeId, target: TargetId) -> Result<Vec<HistoryEntry>, Error> {
        demand(grant, theme)?;
        let prefix = Key::theme(theme).target(target);
        let mut history = Vec::new();
        for row in self.tables.scan(Table::DecisionsByTarget, &prefix, None) {
            let (key, _) = row?;
            let damaged = || Error::corrupt(Table::DecisionsByTarget, &key);
            let leaf = Reader(&key[prefix.as_ref().len()..]).take().map(u64::from_be_bytes).ok_or_else(damaged)?;
            history.push(entry(&self.recorded_act(theme, leaf)?)?);
        }
        Ok(history)
    }
}

fn entry(act: &RecordedAct) -> Result<HistoryEntry, Error> {
    let damaged = || missing_leaf(act.leaf);
    let leaf = Leaf::decode(&act.entry).map_err(|_| damaged())?;
    let number = |name| match leaf.facts.get(name) {
        Some(Fact::Int(number)) => u64::try_from(*number).ok(),
        _ => None,
    };
    let step = match leaf.facts.get(STEP) {
        Some(Fact::Text(name)) => Step::ALL.into_iter().find(|step| step.name() == name),
        _ => None,
    };
    let step = step.ok_or_else(damaged)?;
    let part = |name| act.parts.get(name);
    let text = |name| part(name).map(|part| String::from_utf8_lossy(part).into_owned());
    let matter: Option<Matter> = match step {
        Step::Proposed => part(MATTER).and_then(|part| codec::decode_plain(part)),
        _ => part(DECISION).and_then(|part| codec::decode_plain::<Decision>(part)).map(|decision| decision.matter),
    };
    Ok(HistoryEntry {
        leaf: act.leaf,
        at: Timestamp::from_micros(leaf.time_us),
        step,
        who: text(WHO),
        reasons: text(REASONS),
        proposal: if step == Step::Proposed { Some(act.leaf) } else { number(PROPOSAL) },
        decision: number(DECISION).and_then(|number| u32::try_from(number).ok()),
        matter,
        found_in: part(FOUND_IN).and_then(|part| codec::decode_plain(part)),
        name: text(NAME),
    })
}

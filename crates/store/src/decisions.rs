//! Proposals and decisions about sources: who proposed what, who approved it, and all that came of it, as leaves of the evidence log.
//!
//! Nothing is fetched for a target before a second person has approved a proposal about it; whoever proposed never approves.

mod history;

use model::{
    Answer, Decision, Ending, FoundIn, Grant, InvalidTerms, Matter, Proposal, Seq, Target, TargetId, ThemeId,
    Timestamp, Verdict,
};
use proof::LeafKind;

use crate::{
    Act, Error, Store, codec,
    key::Key,
    schema::Table,
    store::{demand, lock},
};

pub use history::{HistoryEntry, Step};

/// The names of facts and erasable parts of these acts.
pub(crate) const TARGET: &str = "target";
pub(crate) const STEP: &str = "step";
pub(crate) const WHO: &str = "who";
const PROPOSAL: &str = "proposal";
const DECISION: &str = "decision";
const MATTER: &str = "matter";
const NAME: &str = "name";
const REASONS: &str = "reasons";
const FOUND_IN: &str = "found_in";

/// Why a proposal or a decision is not as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// There is no such target.
    #[error("there is no such target in this theme")]
    NoTarget,
    /// There is no such proposal.
    #[error("there is no such proposal about this target")]
    NoProposal,
    /// Whoever approves or rejects is the one who proposed.
    #[error("proposal {0} is your own: it takes a second person to decide on it")]
    OwnProposal(u64),
    /// Whoever withdraws is not the one who proposed.
    #[error("proposal {0} is somebody else's: only whoever made it may withdraw it")]
    NotYours(u64),
    /// The proposal was answered before.
    #[error("proposal {0} was {answer} already", answer = .1.name())]
    Answered(u64, Verdict),
    /// Another decision came since the proposal, which was made in view of the one before.
    #[error("another decision came since proposal {0} was made: propose it anew in view of that")]
    Overtaken(u64),
    /// The target is retired.
    #[error("target {0} is retired: it does not change any more")]
    Retired(TargetId),
    /// There is no decision of this number in force.
    #[error("decision {0} is not in force")]
    NotInForce(u32),
    /// What is proposed is not valid, or is so no more.
    #[error(transparent)]
    Invalid(#[from] InvalidTerms),
    /// Somebody tried to change decisions without an approval.
    #[error("target {0}: decisions come about by approval alone")]
    Undecided(TargetId),
}

/// What somebody proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProposal {
    /// What.
    pub matter: Matter,
    /// Where the source was come by.
    pub found_in: Option<FoundIn>,
    /// When it is proposed.
    pub at: Timestamp,
}

/// An answer to a proposal.
#[derive(Debug, Clone, Copy)]
pub struct NewAnswer<'a> {
    /// The proposal, by its leaf.
    pub proposal: u64,
    /// Why.
    pub reasons: &'a str,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Keeps a new target together with the first proposal about it, by whoever holds the grant. Nothing is fetched before that is approved.
    pub fn propose_target(
        &self,
        grant: &Grant,
        theme: ThemeId,
        (id, name): (TargetId, &str),
        new: NewProposal,
    ) -> Result<(Target, Proposal), Error> {
        demand(grant, theme)?;
        let target = Target {
            id,
            theme,
            name: name.to_owned(),
            added_at: new.at,
            decisions: Vec::new(),
            state: model::TargetState::Active,
            attention: None,
            epoch: 0,
        };
        let _guard = lock(&self.targets_lock);
        let proposal = self.put_proposal(grant, &target, new, true)?;
        Ok((target, proposal))
    }

    /// Keeps another proposal about a target. What was decided before stays in force until this is approved.
    pub fn propose(
        &self,
        grant: &Grant,
        theme: ThemeId,
        target: TargetId,
        new: NewProposal,
    ) -> Result<Proposal, Error> {
        demand(grant, theme)?;
        let _guard = lock(&self.targets_lock);
        let target = self.changeable(theme, target)?;
        self.put_proposal(grant, &target, new, false)
    }

    fn put_proposal(
        &self,
        grant: &Grant,
        target: &Target,
        new: NewProposal,
        is_new_target: bool,
    ) -> Result<Proposal, Error> {
        let NewProposal { matter, found_in, at } = new;
        matter.validate(at).map_err(DecisionError::from)?;
        let replaces = target.last_decision().map(|(decision, _)| decision.number);
        let mut act = step(target, Step::Proposed, grant, at)
            .fact(MATTER, matter.name())
            .part(NAME, target.name.as_bytes())
            .part(MATTER, codec::encode(&matter));
        if let Some(found_in) = &found_in {
            act = act.part(FOUND_IN, codec::encode(found_in));
        }
        let by = grant.who().to_owned();
        let mut proposal = Proposal { leaf: 0, target: target.id, matter, by, at, found_in, replaces, answer: None };
        self.act(&act, |tables, batch, leaf| {
            proposal.leaf = leaf;
            if is_new_target {
                tables.put_target(batch, target);
            }
            tables.put(batch, Table::Proposals, &proposal_key(target.theme, target.id, leaf), &proposal);
            batch.put_cf(tables.family(Table::DecisionsByTarget), history_key(target.theme, target.id, leaf), []);
            Ok(())
        })?;
        Ok(proposal)
    }

    /// Approves a proposal, which makes it a decision in force at once. Refused to whoever proposed it, and where it would not be valid any more.
    pub fn approve(
        &self,
        grant: &Grant,
        theme: ThemeId,
        target: TargetId,
        answer: &NewAnswer<'_>,
    ) -> Result<(Target, Proposal), Error> {
        demand(grant, theme)?;
        let _guard = lock(&self.targets_lock);
        let mut target = self.changeable(theme, target)?;
        let proposal = self.open_proposal(&target, answer.proposal)?;
        demand_second_person(grant, &proposal)?;
        proposal.matter.validate(answer.at).map_err(DecisionError::from)?;
        let last = target.last_decision().map(|(decision, _)| decision.number);
        if matches!(proposal.matter, Matter::Crawl(_)) && last != proposal.replaces {
            return Err(DecisionError::Overtaken(proposal.leaf).into());
        }
        let number = target.decisions.last().map_or(0, |decision| decision.number).saturating_add(1);
        let decision = Decision {
            number,
            proposal: proposal.leaf,
            proposed_by: proposal.by.clone(),
            approved_by: grant.who().to_owned(),
            reasons: answer.reasons.to_owned(),
            made_at: answer.at,
            matter: proposal.matter.clone(),
            ended: None,
        };
        let act = step(&target, Step::Approved, grant, answer.at)
            .fact(PROPOSAL, int(proposal.leaf))
            .fact(DECISION, i64::from(number))
            .fact(MATTER, proposal.matter.name())
            .part(REASONS, answer.reasons.as_bytes())
            .part(DECISION, codec::encode(&decision));
        target.decisions.push(decision);
        self.put_answer(grant, target, proposal, answer, Verdict::Approved(number), &act)
    }

    /// Rejects a proposal. Refused to whoever proposed it.
    pub fn reject(
        &self,
        grant: &Grant,
        theme: ThemeId,
        target: TargetId,
        answer: &NewAnswer<'_>,
    ) -> Result<(Target, Proposal), Error> {
        demand(grant, theme)?;
        let _guard = lock(&self.targets_lock);
        let target = self.target(theme, target)?.ok_or(DecisionError::NoTarget)?;
        let proposal = self.open_proposal(&target, answer.proposal)?;
        demand_second_person(grant, &proposal)?;
        let act = step(&target, Step::Rejected, grant, answer.at)
            .fact(PROPOSAL, int(proposal.leaf))
            .fact(MATTER, proposal.matter.name())
            .part(REASONS, answer.reasons.as_bytes());
        self.put_answer(grant, target, proposal, answer, Verdict::Rejected, &act)
    }

    /// Takes a proposal back, for whoever made it.
    pub fn withdraw(
        &self,
        grant: &Grant,
        theme: ThemeId,
        target: TargetId,
        answer: &NewAnswer<'_>,
    ) -> Result<(Target, Proposal), Error> {
        demand(grant, theme)?;
        let _guard = lock(&self.targets_lock);
        let target = self.target(theme, target)?.ok_or(DecisionError::NoTarget)?;
        let proposal = self.open_proposal(&target, answer.proposal)?;
        if proposal.by != grant.who() {
            return Err(DecisionError::NotYours(proposal.leaf).into());
        }
        let act = step(&target, Step::Withdrawn, grant, answer.at)
            .fact(PROPOSAL, int(proposal.leaf))
            .fact(MATTER, proposal.matter.name())
            .part(REASONS, answer.reasons.as_bytes());
        self.put_answer(grant, target, proposal, answer, Verdict::Withdrawn, &act)
    }

    fn put_answer(
        &self,
        grant: &Grant,
        target: Target,
        mut proposal: Proposal,
        answer: &NewAnswer<'_>,
        verdict: Verdict,
        act: &Act,
    ) -> Result<(Target, Proposal), Error> {
        self.act(act, |tables, batch, leaf| {
            let (by, reasons) = (grant.who().to_owned(), answer.reasons.to_owned());
            proposal.answer = Some(Answer { leaf, verdict, by, at: answer.at, reasons });
            tables.put_target(batch, &target);
            tables.put(batch, Table::Proposals, &proposal_key(target.theme, target.id, proposal.leaf), &proposal);
            batch.put_cf(tables.family(Table::DecisionsByTarget), history_key(target.theme, target.id, leaf), []);
            Ok(())
        })?;
        Ok((target, proposal))
    }

    /// Ends a decision that is in force, at once.
    pub fn end_decision(
        &self,
        grant: &Grant,
        theme: ThemeId,
        id: TargetId,
        number: u32,
        (reason, at): (&str, Timestamp),
    ) -> Result<Target, Error> {
        demand(grant, theme)?;
        let _guard = lock(&self.targets_lock);
        let mut target = self.target(theme, id)?.ok_or(DecisionError::NoTarget)?;
        let crawls = target.last_decision().map(|(decision, _)| decision.number);
        let in_force = |decision: &&mut Decision| {
            let is_replaced = decision.terms().is_some() && crawls != Some(decision.number);
            decision.number == number && decision.is_in_force(at) && !is_replaced
        };
        let decision = target.decisions.iter_mut().find(in_force).ok_or(DecisionError::NotInForce(number))?;
        decision.ended = Some(Ending { at, by: grant.who().to_owned(), reason: reason.to_owned() });
        let matter = decision.matter.name();
        let act = step(&target, Step::Ended, grant, at)
            .fact(DECISION, i64::from(number))
            .fact(MATTER, matter)
            .part(REASONS, reason.as_bytes());
        self.act(&act, |tables, batch, leaf| {
            tables.put_target(batch, &target);
            batch.put_cf(tables.family(Table::DecisionsByTarget), history_key(theme, id, leaf), []);
            Ok(())
        })?;
        Ok(target)
    }

    /// One proposal.
    pub fn proposal(
        &self,
        grant: &Grant,
        theme: ThemeId,
        target: TargetId,
        leaf: u64,
    ) -> Result<Option<Proposal>, Error> {
        demand(grant, theme)?;
        self.tables.get(Table::Proposals, &proposal_key(theme, target, leaf))
    }

    /// The proposals about a target, or of a theme, the earliest of each target first.
    pub fn proposals(&self, grant: &Grant, theme: ThemeId, target: Option<TargetId>) -> Result<Vec<Proposal>, Error> {
        demand(grant, theme)?;
        let prefix = Key::theme(theme);
        let prefix = target.map_or_else(|| prefix.clone(), |target| prefix.clone().target(target));
        let rows = self.tables.scan(Table::Proposals, &prefix, None);
        rows.map(|row| row.and_then(|(key, value)| codec::decode(Table::Proposals, &key, &value))).collect()
    }

    /// The capture that a probe came to, once it was made; the probe is named by its decision.
    pub fn probe_capture(&self, theme: ThemeId, target: TargetId, decision: u32) -> Result<Option<Seq>, Error> {
        self.tables.get(Table::ProbeCaptures, &probe_key(theme, target, decision))
    }

    fn open_proposal(&self, target: &Target, leaf: u64) -> Result<Proposal, Error> {
        let key = proposal_key(target.theme, target.id, leaf);
        let proposal: Proposal = self.tables.get(Table::Proposals, &key)?.ok_or(DecisionError::NoProposal)?;
        match &proposal.answer {
            Some(answer) => Err(DecisionError::Answered(leaf, answer.verdict).into()),
            None => Ok(proposal),
        }
    }
}

fn demand_second_person(grant: &Grant, proposal: &Proposal) -> Result<(), Error> {
    if grant.who() == proposal.by { Err(DecisionError::OwnProposal(proposal.leaf).into()) } else { Ok(()) }
}

/// A step in the history of a target.
fn step(target: &Target, step: Step, grant: &Grant, at: Timestamp) -> Act {
    Act::new(target.theme, LeafKind::Decision, at)
        .fact(TARGET, target.id.to_string())
        .fact(STEP, step.name())
        .part(WHO, grant.who().as_bytes())
}

fn int(leaf: u64) -> i64 {
    i64::try_from(leaf).unwrap_or(i64::MAX)
}

fn proposal_key(theme: ThemeId, target: TargetId, leaf: u64) -> Key {
    Key::theme(theme).target(target).with(&leaf.to_be_bytes())
}

pub(crate) fn history_key(theme: ThemeId, target: TargetId, leaf: u64) -> Key {
    Key::theme(theme).target(target).with(&leaf.to_be_bytes())
}

pub(crate) fn probe_key(theme: ThemeId, target: TargetId, decision: u32) -> Key {
    Key::theme(theme).target(target).with(&decision.to_be_bytes())
}

//! Proposals and decisions: who may, what is a leaf, and what is told of it later.

use model::{FoundIn, Matter, Probe, Target, TargetState, Verdict};
use proof::{Fact, Leaf, LeafKind};

use super::*;
use crate::{DecisionError, Depth, Steering, Step};

fn market() -> ThemeId {
    theme("marketplace")
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn proposed(store: &Store) -> (Target, u64) {
    let new = crawl(terms(), 1);
    let (target, proposal) = store.propose_target(&somebody("ann"), market(), (TARGET, "market"), new).unwrap();
    (target, proposal.leaf)
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> DecisionError {
    match result.unwrap_err() {
        Error::Decision(error) => error,
        other => panic!("{other:?}"),
    }
}

fn kept(store: &Store) -> Target {
    store.target(market(), TARGET).unwrap().unwrap()
}

#[test]
fn nobody_approves_or_rejects_what_he_proposed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (target, leaf) = proposed(&store);
    let leaves = store.log_head().size;
    assert_eq!((target.decision_in_force(at(2)), target.is_crawlable(at(2))), (None, false));
    let own = DecisionError::OwnProposal(leaf);
    assert_eq!(refused(store.approve(&somebody("ann"), market(), TARGET, &answer(leaf, 2))), own);
    assert_eq!(refused(store.reject(&somebody("ann"), market(), TARGET, &answer(leaf, 2))), own);
    assert_eq!((kept(&store), store.log_head().size), (target, leaves), "a refusal changes nothing");

    let (target, proposal) = store.approve(&somebody("ben"), market(), TARGET, &answer(leaf, 2)).unwrap();
    let (decision, _) = target.decision_in_force(at(2)).unwrap();
    assert_eq!((decision.number, decision.proposal), (1, leaf));
    assert_eq!((decision.proposed_by.as_str(), decision.approved_by.as_str()), ("ann", "ben"));
    assert_eq!(proposal.answer.unwrap().verdict, Verdict::Approved(1));
    assert_eq!(kept(&store), target);
    let again = store.approve(&somebody("cat"), market(), TARGET, &answer(leaf, 3));
    assert_eq!(refused(again), DecisionError::Answered(leaf, Verdict::Approved(1)));
}

#[test]
fn a_proposal_is_withdrawn_by_whoever_made_it_and_rejected_by_anybody_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (_, first) = proposed(&store);
    let strange = store.withdraw(&somebody("ben"), market(), TARGET, &answer(first, 2));
    assert_eq!(refused(strange), DecisionError::NotYours(first));
    store.withdraw(&somebody("ann"), market(), TARGET, &answer(first, 2)).unwrap();
    let second = store.propose(&somebody("ann"), market(), TARGET, crawl(terms(), 3)).unwrap().leaf;
    store.reject(&somebody("ben"), market(), TARGET, &answer(second, 4)).unwrap();
    let verdicts: Vec<_> = store
        .proposals(&reader(), market(), Some(TARGET))
        .unwrap()
        .into_iter()
        .map(|proposal| (proposal.leaf, proposal.answer.unwrap().verdict))
        .collect();
    assert_eq!(verdicts, [(first, Verdict::Withdrawn), (second, Verdict::Rejected)]);
    assert!(kept(&store).decisions.is_empty());
    let none = store.approve(&somebody("ben"), market(), TARGET, &answer(9_999, 5));
    assert_eq!(refused(none), DecisionError::NoProposal);
    let elsewhere = TargetId::from_u64(9);
    assert_eq!(
        refused(store.propose(&somebody("ann"), market(), elsewhere, crawl(terms(), 5))),
        DecisionError::NoTarget
    );
}

#[test]
fn a_change_is_in_force_when_it_is_approved_and_not_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add_target(&store);
    let mut wider = terms();
    wider.scope.max_depth = 3;
    let change = store.propose(&somebody("ann"), market(), TARGET, crawl(wider.clone(), 10)).unwrap();
    let rival = store.propose(&somebody("cat"), market(), TARGET, crawl(terms(), 11)).unwrap();
    assert_eq!((change.replaces, kept(&store).terms()), (Some(1), Some(&terms())));
    let (target, _) = store.approve(&somebody("ben"), market(), TARGET, &answer(change.leaf, 12)).unwrap();
    let (decision, now) = target.decision_in_force(at(12)).unwrap();
    assert_eq!((decision.number, now), (2, &wider));
    let late = store.approve(&somebody("ben"), market(), TARGET, &answer(rival.leaf, 13));
    assert_eq!(refused(late), DecisionError::Overtaken(rival.leaf), "it was made in view of another decision");
}

#[test]
fn what_is_not_valid_any_more_cannot_be_approved() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (_, leaf) = proposed(&store);
    let late = refused(store.approve(&somebody("ben"), market(), TARGET, &answer(leaf, 100)));
    assert!(matches!(late, DecisionError::Invalid(ref invalid) if invalid.field == "ends_at"), "{late:?}");
    let mut silent = terms();
    silent.necessity.clear();
    let refused = refused(store.propose(&somebody("ann"), market(), TARGET, crawl(silent, 2)));
    assert!(matches!(refused, DecisionError::Invalid(ref invalid) if invalid.field == "necessity"), "{refused:?}");
}

#[test]
fn an_ended_decision_is_in_force_no_more_and_none_before_it_is_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add_target(&store);
    let change = store.propose(&somebody("ann"), market(), TARGET, crawl(terms(), 3)).unwrap();
    store.approve(&somebody("ben"), market(), TARGET, &answer(change.leaf, 4)).unwrap();
    let end = |number| store.end_decision(&somebody("ben"), market(), TARGET, number, ("the case is closed", at(5)));
    assert_eq!(refused(end(1)), DecisionError::NotInForce(1), "another one took its place");
    let target = end(2).unwrap();
    assert_eq!(target.decision_in_force(at(5)), None);
    assert_eq!(refused(end(2)), DecisionError::NotInForce(2));
}

#[test]
fn decisions_come_about_by_approval_alone_and_a_retired_target_gets_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let before = add_target(&store);
    let meddled = store.update_target(market(), TARGET, |target| {
        let next = model::Decision { number: 2, ..target.decisions[0].clone() };
        target.decisions.push(next);
    });
    assert_eq!(refused(meddled), DecisionError::Undecided(TARGET));
    assert_eq!(kept(&store), before);
    let leaves = store.log_head().size;
    store.update_target(market(), TARGET, |target| target.epoch += 1).unwrap();
    assert_eq!((kept(&store).epoch, store.log_head().size), (1, leaves), "new circuits are no act");
    let open_one = store.propose(&somebody("ann"), market(), TARGET, crawl(terms(), 3)).unwrap().leaf;
    let steer = |what| store.steer(&somebody("ann"), market(), TARGET, &what, at(5));
    assert_eq!(steer(Steering::Retire).unwrap().state, TargetState::Retired);
    assert_eq!(refused(steer(Steering::Resume)), DecisionError::Retired(TARGET));
    let approved = store.approve(&somebody("ben"), market(), TARGET, &answer(open_one, 6));
    assert_eq!(refused(approved), DecisionError::Retired(TARGET));
    let another = store.propose(&somebody("ann"), market(), TARGET, crawl(terms(), 6));
    assert_eq!(refused(another), DecisionError::Retired(TARGET));
}

#[tokio::test]
async fn the_history_is_complete_in_order_and_every_step_is_a_leaf() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let found_in = Some(FoundIn { capture: Some(Seq(4)), service: Some("s".into()), link: Some(uri("/l")) });
    let new = NewProposal { found_in: found_in.clone(), ..crawl(terms(), 1) };
    let (ann, ben) = (somebody("ann"), somebody("ben"));
    let (_, first) = store.propose_target(&ann, market(), (TARGET, "market"), new).unwrap();
    let probe = Probe {
        uri: uri("/"),
        grounds: "is it alive?".into(),
        legal_basis: "basis".into(),
        allows_exit: false,
        ends_at: at(90),
    };
    let look = NewProposal { matter: Matter::Probe(probe.clone()), found_in: None, at: at(2) };
    let look = store.propose(&ann, market(), TARGET, look).unwrap();
    store.approve(&ben, market(), TARGET, &answer(look.leaf, 3)).unwrap();
    store.record(finished("marketplace", "/x", b"page")).await.unwrap();
    store.approve(&ben, market(), TARGET, &answer(first.leaf, 4)).unwrap();
    let steer = |what, micros| store.steer(&ann, market(), TARGET, &what, at(micros)).unwrap();
    steer(Steering::Rename("bazaar".into()), 5);
    steer(Steering::Pause, 6);
    steer(Steering::Pause, 7);
    steer(Steering::Resume, 8);
    let second = store.propose(&ann, market(), TARGET, crawl(terms(), 9)).unwrap();
    store.reject(&ben, market(), TARGET, &answer(second.leaf, 10)).unwrap();
    let third = store.propose(&ann, market(), TARGET, crawl(terms(), 11)).unwrap();
    store.withdraw(&ann, market(), TARGET, &answer(third.leaf, 12)).unwrap();
    store.end_decision(&ben, market(), TARGET, 2, ("over", at(13))).unwrap();
    steer(Steering::Retire, 14);

    let history = store.target_history(&reader(), market(), TARGET).unwrap();
    let told: Vec<_> =
        history.iter().map(|it| (it.step, it.who.as_deref().unwrap(), it.proposal, it.decision)).collect();
    let expected = [
        (Step::Proposed, "ann", Some(first.leaf), None),
        (Step::Proposed, "ann", Some(look.leaf), None),
        (Step::Approved, "ben", Some(look.leaf), Some(1)),
        (Step::Approved, "ben", Some(first.leaf), Some(2)),
        (Step::Renamed, "ann", None, None),
        (Step::Paused, "ann", None, None),
        (Step::Resumed, "ann", None, None),
        (Step::Proposed, "ann", Some(second.leaf), None),
        (Step::Rejected, "ben", Some(second.leaf), None),
        (Step::Proposed, "ann", Some(third.leaf), None),
        (Step::Withdrawn, "ann", Some(third.leaf), None),
        (Step::Ended, "ben", None, Some(2)),
        (Step::Retired, "ann", None, None),
    ];
    assert_eq!(told, expected);
    assert_eq!((&history[0].found_in, history[0].name.as_deref()), (&found_in, Some("market")));
    assert_eq!(history[2].matter, Some(Matter::Probe(probe)));
    assert_eq!(history[3].matter, Some(Matter::Crawl(Box::new(terms()))));
    assert_eq!((history[4].name.as_deref(), history[11].reasons.as_deref()), (Some("bazaar"), Some("over")));
    let mut leaves = Vec::new();
    for it in &history {
        let leaf = Leaf::decode(&store.log_leaf(it.leaf).unwrap().unwrap()).unwrap();
        assert_eq!((leaf.kind, &leaf.facts["target"]), (LeafKind::Decision, &Fact::Text(TARGET.to_string())));
        assert_eq!((&leaf.facts["step"], leaf.time_us), (&Fact::Text(it.step.name().into()), it.at.as_micros()));
        assert!(leaf.parts.contains_key("who"), "a name is an erasable part");
        assert!(!format!("{:?}", leaf.facts).contains("ann"), "{:?}", leaf.facts);
        leaves.push(it.leaf);
    }
    assert!(leaves.is_sorted());
    assert_eq!(store.target_history(&reader(), market(), TargetId::from_u64(8)).unwrap(), []);
    let other = model::Authority::of_this_process().grant("ann", theme("cybercrime"), model::Phase::Technique);
    assert!(matches!(store.target_history(&other, market(), TARGET), Err(Error::NotGranted(_))));
    assert!(store.verify(Depth::Full, &mut |_| true).unwrap().is_sound());
}

#[tokio::test]
async fn a_probe_is_a_capture_of_which_the_frontier_learns_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let visit = finished("marketplace", "/a", b"page");
    let capture = Capture { decision: 3, ..visit.evidence.capture().clone() };
    let probe = FinishedProbe {
        theme: market(),
        evidence: Evidence::of(capture, b"page").unwrap(),
        host: visit.host.clone(),
        state: visit.state.1,
    };
    assert_eq!(store.probe_capture(market(), TARGET, 3).unwrap(), None);
    let seq = store.submit_probe(probe).await.unwrap().acknowledged().await.unwrap();
    assert_eq!(store.probe_capture(market(), TARGET, 3).unwrap(), Some(seq));
    assert_eq!((store.uri(market(), TARGET, uri("/a").id()).unwrap(), store.queues().unwrap()), (None, Vec::new()));
    assert_eq!(store.host(visit.host.0).unwrap(), visit.host.1, "politeness holds for it too");
    assert_eq!(store.crawl_state(market(), TARGET).unwrap().captures, 1);
    let id = CaptureId { theme: market(), seq };
    assert_eq!(store.capture(&reader(), id).unwrap().unwrap().decision, 3);
}

#[tokio::test]
async fn a_decision_may_keep_content_shorter_than_the_theme_and_never_longer() {
    const DAY: i64 = 86_400_000_000;
    for (own, theme_says, expired) in
        [(Some(2), Some(5), 1), (Some(2), None, 1), (Some(9), Some(5), 0), (None, Some(5), 0), (None, Some(3), 1)]
    {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let terms = model::Terms { retention_days: own, ..terms() };
        let (_, proposal) =
            store.propose_target(&somebody("ann"), market(), (TARGET, "market"), crawl(terms, 1)).unwrap();
        store.approve(&somebody("ben"), market(), TARGET, &answer(proposal.leaf, 2)).unwrap();
        store.record(finished("marketplace", "/a", b"page")).await.unwrap();
        store.put_analyses(market(), &[], Seq(1)).unwrap();
        let retention = model::Retention { content_days: theme_says, attempts_days: None };
        let run = store.expired(&reader(), market(), &retention, at(4 * DAY)).unwrap();
        assert_eq!(run.content.captures, expired, "{own:?} {theme_says:?}");
    }
}

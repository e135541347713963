//! When to come again: what an outcome means for the URI, for the service and for the target. Pure; the randomness is brought in.

use std::time::Duration;

use model::{Outcome, Pace, Stage, Timestamp};
use store::{HostRecord, Priority, UriRecord};

use crate::Config;

/// How long a URI waits when Tor itself was not there: no fact about the service.
const TOR_WAIT: Duration = Duration::from_secs(30);

/// What follows from an attempt that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) uri: UriRecord,
    pub(crate) host: HostRecord,
    /// Whether the service must be left alone until `host.not_before`, whatever its usual pace.
    pub(crate) must_rest: bool,
}

/// Decides on the next visit of a URI and the rest that its service is given.
///
/// A page that has content gets its next visit when its analysis has said what it is; anything else gets it here.
pub(crate) fn after_attempt(
    config: &Config,
    pace: Pace,
    before: (&UriRecord, &HostRecord),
    outcome: Outcome,
    retry_after: Option<Duration>,
    (started, now): (Timestamp, Timestamp),
    jitter: f64,
) -> Verdict {
    let (uri, host) = before;
    let mut must_rest = false;
    let mut uri =
        UriRecord { attempts: uri.attempts.saturating_add(1), outcome: Some(outcome), due: None, ..uri.clone() };
    let mut host = host.clone();
    host.not_before = host.not_before.max(started.after(pace.delay()));
    let jittered = |wait: Duration| wait.mul_f64(1.0 + jitter * f64::from(config.jitter_percent) / 100.0);
    if is_refusal(outcome) {
        must_rest = true;
        host.refusals = host.refusals.saturating_add(1);
        host.failures = 0;
        let asked = retry_after.map(|wait| wait.min(Duration::from_secs(config.retry_after_max_s.into())));
        host.not_before = now.after(asked.unwrap_or_else(|| jittered(config.backoff(host.refusals))));
        try_again(&mut uri, config, pace, now, host.not_before);
    } else if outcome == Outcome::TorUnavailable {
        uri.due = Some(now.after(jittered(TOR_WAIT)));
    } else if outcome == Outcome::Blocked {
        uri.due = Some(now.after(pace.revisit().1));
    } else if !outcome.was_reached() {
        must_rest = true;
        host.failures = host.failures.saturating_add(1);
        host.not_before = now.after(jittered(config.backoff(host.failures)));
        try_again(&mut uri, config, pace, now, host.not_before);
    } else {
        (host.failures, host.refusals) = (0, 0);
        if outcome == Outcome::NotModified {
            come_again(&mut uri, pace, false, now);
        } else if is_passing(outcome) {
            let wait = jittered(config.backoff(uri.failures.saturating_add(1).into()));
            try_again(&mut uri, config, pace, now, now.after(wait));
        } else if !outcome.has_content() {
            uri.due = Some(now.after(pace.revisit().1));
            uri.priority = Priority::Low;
        }
    }
    Verdict { uri, host, must_rest }
}

/// Sets the next visit of a page by whether it changed: sooner after a change, later without one, within the pace's bounds.
pub(crate) fn come_again(uri: &mut UriRecord, pace: Pace, has_changed: bool, now: Timestamp) {
    let (min, max) = (pace.revisit_min_s, pace.revisit_max_s);
    let next = match (uri.interval_s, has_changed) {
        (0, _) => min,
        (before, true) => before / 2,
        (before, false) => before.saturating_mul(2),
    };
    uri.interval_s = next.clamp(min, max.max(min));
    uri.failures = 0;
    uri.priority = Priority::Low;
    uri.due = Some(now.after(Duration::from_secs(uri.interval_s.into())));
}

/// Whether the service asks to be left alone for a while.
pub(crate) fn is_refusal(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::HttpError(429 | 503))
}

/// Whether the same attempt may well end otherwise the next time.
fn is_passing(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::TimedOut(Stage::Head | Stage::Body) | Outcome::Interrupted(Stage::Head | Stage::Body))
}

/// Owes the URI another try at `at`, or, after too many, at its longest revisit time.
fn try_again(uri: &mut UriRecord, config: &Config, pace: Pace, now: Timestamp, at: Timestamp) {
    uri.failures = uri.failures.saturating_add(1);
    let is_too_often = uri.failures > config.retries;
    uri.due = Some(if is_too_often { at.max(now.after(pace.revisit().1)) } else { at });
    if is_too_often {
        uri.failures = 0;
        uri.priority = Priority::Low;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use model::{
        Credibility, Decision, Matter, MediaPolicy, Reliability, RobotsPolicy, Scope, Target, TargetId, TargetState,
        Terms,
    };

    use super::*;

    /// A target of one onion service, with the default scope.
    pub(crate) fn target() -> Target {
        let now = Timestamp::from_micros(0);
        let end = now.after(Duration::from_secs(1_000_000));
        let terms = Terms {
            seeds: vec!["http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion/".parse().unwrap()],
            scope: Scope::default(),
            pace: Pace { delay_ms: 1_000, revisit_min_s: 100, revisit_max_s: 1_000, ..Pace::default() },
            grounds: "g".into(),
            expected_value: "e".into(),
            legal_basis: "b".into(),
            necessity: "n".into(),
            proportionality: "p".into(),
            reliability: Reliability::default(),
            credibility: Credibility::default(),
            media: MediaPolicy::default(),
            robots: RobotsPolicy::Record,
            allows_exit: false,
            allows_proof_of_work: false,
            allows_conditional_requests: false,
            retention_days: None,
            review_at: end,
            ends_at: end,
        };
        Target {
            id: TargetId::from_u64(1),
            theme: "marketplace".parse().unwrap(),
            name: "market".into(),
            added_at: now,
            decisions: vec![Decision {
                number: 1,
                proposal: 0,
                proposed_by: "a".into(),
                approved_by: "b".into(),
                reasons: "r".into(),
                made_at: now,
                matter: Matter::Crawl(Box::new(terms)),
                ended: None,
            }],
            state: TargetState::Active,
            attention: None,
            epoch: 0,
        }
    }

    /// Changes what was decided of a target.
    pub(crate) fn decide(target: &mut Target, change: impl FnOnce(&mut Terms)) {
        let Matter::Crawl(terms) = &mut target.decisions[0].matter else { panic!("no decision to crawl") };
        change(terms);
    }

    fn record() -> UriRecord {
        let target = target();
        UriRecord {
            uri: target.terms().unwrap().seeds[0].clone(),
            target: target.id,
            via: None,
            hops: 0,
            redirects: Vec::new(),
            priority: Priority::Normal,
            due: Some(Timestamp::from_micros(0)),
            attempts: 0,
            failures: 0,
            interval_s: 0,
            outcome: None,
            last: None,
        }
    }

    fn seconds(n: u64) -> Timestamp {
        Timestamp::from_micros(0).after(Duration::from_secs(n))
    }

    fn after(uri: &UriRecord, host: &HostRecord, outcome: Outcome, retry_after: Option<u64>) -> Verdict {
        let config = Config { backoff_min_s: 10, backoff_max_s: 60, retries: 2, ..Config::default() };
        after_attempt(
            &config,
            target().pace(),
            (uri, host),
            outcome,
            retry_after.map(Duration::from_secs),
            (seconds(0), seconds(0)),
            0.0,
        )
    }

    #[test]
    fn a_page_waits_for_its_analysis_and_the_service_for_its_delay() {
        let verdict = after(&record(), &HostRecord { failures: 3, ..HostRecord::default() }, Outcome::Ok, None);
        assert_eq!((verdict.uri.due, verdict.uri.attempts), (None, 1));
        assert_eq!((verdict.host.not_before, verdict.host.failures), (seconds(1), 0));
    }

    #[test]
    fn an_unreachable_service_rests_longer_each_time() {
        let (mut uri, mut host) = (record(), HostRecord::default());
        let mut waits = Vec::new();
        for _ in 0..4 {
            let verdict = after(&uri, &host, Outcome::DescriptorNotFound, None);
            waits.push(verdict.host.not_before.since(seconds(0)).as_secs());
            (uri, host) = (verdict.uri, HostRecord { not_before: Timestamp::default(), ..verdict.host });
        }
        assert_eq!(waits, [10, 20, 40, 60]);
    }

    #[test]
    fn after_too_many_tries_a_uri_waits_for_its_longest_time() {
        let verdict =
            after(&UriRecord { failures: 2, ..record() }, &HostRecord::default(), Outcome::ConnectionRefused, None);
        assert_eq!((verdict.uri.due, verdict.uri.failures), (Some(seconds(1_000)), 0));
    }

    #[test]
    fn retry_after_is_heeded_within_bounds() {
        let busy = Outcome::HttpError(503);
        assert_eq!(after(&record(), &HostRecord::default(), busy, Some(77)).host.not_before, seconds(77));
        assert_eq!(
            after(&record(), &HostRecord::default(), busy, Some(u64::from(u32::MAX))).host.not_before,
            seconds(24 * 3_600)
        );
        assert_eq!(after(&record(), &HostRecord::default(), Outcome::HttpError(429), None).uri.due, Some(seconds(10)));
    }

    #[test]
    fn tor_being_away_is_no_fault_of_the_service() {
        let verdict = after(&record(), &HostRecord::default(), Outcome::TorUnavailable, None);
        assert_eq!((verdict.uri.due, verdict.host.failures, verdict.uri.failures), (Some(seconds(30)), 0, 0));
    }

    #[test]
    fn what_will_not_change_is_not_tried_again_soon() {
        for outcome in [
            Outcome::TooLarge,
            Outcome::DecompressionBomb,
            Outcome::ContentTypeRefused,
            Outcome::RedirectRefused,
            Outcome::Blocked,
        ] {
            assert_eq!(
                after(&record(), &HostRecord::default(), outcome, None).uri.due,
                Some(seconds(1_000)),
                "{outcome}"
            );
        }
        assert_eq!(
            after(&record(), &HostRecord::default(), Outcome::Interrupted(Stage::Body), None).uri.due,
            Some(seconds(10))
        );
    }

    #[test]
    fn every_outcome_but_a_page_owes_a_visit() {
        for outcome in Outcome::NAMED {
            let is_owed = after(&record(), &HostRecord::default(), outcome, None).uri.due.is_some();
            assert_eq!(is_owed, !outcome.has_content(), "{outcome}");
        }
    }

    #[test]
    fn revisits_adapt_to_changes() {
        let mut uri = record();
        let mut intervals = Vec::new();
        for has_changed in [true, false, false, false, false, false, true, true, true, true, true] {
            come_again(&mut uri, target().pace(), has_changed, seconds(0));
            intervals.push(uri.interval_s);
        }
        assert_eq!(intervals, [100, 200, 400, 800, 1_000, 1_000, 500, 250, 125, 100, 100]);
    }
}

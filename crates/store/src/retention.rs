//! Retention: what was kept as long as its theme says, or as its target's decision says where that is shorter, goes, unless a hold or a seal keeps it.

use std::{collections::HashMap, time::Duration};

use model::{Capture, CaptureId, Grant, Retention, Seq, Target, TargetId, ThemeId, Timestamp};
use proof::LeafKind;

use crate::{
    Act, Error, Store, Taken, codec,
    erasure::{CHUNK, OnHold},
    evidence::CaptureRow,
    key::Key,
    schema::Table,
    store::demand,
};

const DAY: Duration = Duration::from_hours(24);

/// What of one kind has been kept long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    /// How many captures.
    pub captures: u64,
    /// Bytes of payload that they have, counted once for each capture.
    pub payload_bytes: u64,
}

/// What a run of retention comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetentionRun {
    /// Captures with content that go.
    pub content: Expired,
    /// Captures without content that go.
    pub attempts: Expired,
    /// Captures that would go, and that a hold keeps.
    pub held: u64,
    /// Captures that would go, and that wait under a seal for a decision.
    pub sealed: u64,
    /// The leaves that tell of the run and of its erasures; none of a run that was only tried.
    pub leaves: Vec<u64>,
}

/// How long a capture is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// The hold that keeps it as long as it is there, by its leaf.
    pub held: Option<u64>,
    /// When a run of retention takes it, if it is not seen again before; `None` where its theme keeps it for good.
    pub until: Option<Timestamp>,
}

impl Store {
    /// How long a capture is kept, as things are now.
    pub fn keeping(&self, theme: ThemeId, capture: &Capture, retention: &Retention) -> Result<Keeping, Error> {
        let days = if capture.payload_len == 0 {
            retention.attempts_days
        } else {
            let target = self.target(theme, capture.target)?;
            let own = target.as_ref().and_then(|target| target.terms()?.retention_days);
            own.into_iter().chain(retention.content_days).min()
        };
        let last_seen = self.last_seen(theme, capture)?;
        Ok(Keeping { held: self.hold_on(theme, capture)?, until: days.map(|days| last_seen.after(DAY * days)) })
    }

    /// What a run of retention would come to at `now`; nothing is erased.
    pub fn expired(
        &self,
        grant: &Grant,
        theme: ThemeId,
        retention: &Retention,
        now: Timestamp,
    ) -> Result<RetentionRun, Error> {
        self.find_expired(grant, theme, retention, now).map(|(run, _)| run)
    }

    /// Erases what has been kept long enough at `now`. The run is an act, also one that found nothing.
    pub fn retain(
        &self,
        grant: &Grant,
        theme: ThemeId,
        retention: &Retention,
        now: Timestamp,
    ) -> Result<RetentionRun, Error> {
        let (mut run, expired) = self.find_expired(grant, theme, retention, now)?;
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let mut act = Act::new(theme, LeafKind::Retention, now)
            .fact("content", count(run.content.captures))
            .fact("attempts", count(run.attempts.captures))
            .fact("held", count(run.held))
            .fact("sealed", count(run.sealed))
            .part("who", grant.who().as_bytes());
        for (name, days) in [("content_days", retention.content_days), ("attempts_days", retention.attempts_days)] {
            if let Some(days) = days {
                act = act.fact(name, i64::from(days));
            }
        }
        let leaf = self.act(&act, |_, _, _| Ok(()))?;
        run.leaves.push(leaf);
        let erasure =
            Act::new(theme, LeafKind::Erasure, now).fact("subject", "retention").fact("retention", count(leaf));
        let mut taken = Taken::default();
        for chunk in expired.chunks(CHUNK) {
            self.erase_some(theme, chunk, &erasure, OnHold::Keep, false, &mut taken, |_| Ok(()))?;
        }
        run.leaves.append(&mut taken.leaves);
        Ok(run)
    }

    fn find_expired(
        &self,
        grant: &Grant,
        theme: ThemeId,
        retention: &Retention,
        now: Timestamp,
    ) -> Result<(RetentionRun, Vec<Seq>), Error> {
        demand(grant, theme)?;
        // When a version was last seen is known when its captures are counted right.
        if self.is_changing(theme)? {
            return Err(Error::Changing(theme));
        }
        let narrower = self.narrower_retention(theme)?;
        let analysed = self.derive_cursor(theme)?;
        let (mut run, mut expired) = (RetentionRun::default(), Vec::new());
        for row in self.tables.scan(Table::Captures, &Key::theme(theme), None) {
            let (key, value) = row?;
            let CaptureRow::Kept(kept) = codec::decode(Table::Captures, &key, &value)? else { continue };
            let capture = kept.capture(&key)?;
            if capture.seq > analysed {
                break;
            }
            let (kind, days) = if capture.payload_len == 0 {
                (&mut run.attempts, retention.attempts_days)
            } else {
                let own = narrower.get(&capture.target).copied();
                (&mut run.content, own.into_iter().chain(retention.content_days).min())
            };
            let Some(days) = days else { continue };
            if now.since(self.last_seen(theme, &capture)?) < DAY * days {
                continue;
            }
            if self.seal_on(CaptureId { theme, seq: capture.seq })?.is_some() {
                run.sealed += 1;
            } else if self.hold_on(theme, &capture)?.is_some() {
                run.held += 1;
            } else {
                kind.captures += 1;
                kind.payload_bytes += capture.payload_len;
                expired.push(capture.seq);
            }
        }
        Ok((run, expired))
    }

    /// The days for which content of some targets is kept, where their decisions say so: of each target the last one.
    fn narrower_retention(&self, theme: ThemeId) -> Result<HashMap<TargetId, u32>, Error> {
        let days = |target: &Target| Some((target.id, target.terms()?.retention_days?));
        Ok(self.targets(theme)?.iter().filter_map(days).collect())
    }

    /// When the content of a capture was last seen: at the last capture of its version. What has no version was seen once.
    fn last_seen(&self, theme: ThemeId, capture: &Capture) -> Result<Timestamp, Error> {
        let run = if capture.payload_len > 0 { self.run_of(theme, capture)? } else { None };
        let last = match run {
            Some((_, last)) if last != capture.seq => self.kept_capture(CaptureId { theme, seq: last })?,
            _ => None,
        };
        Ok(last.map_or(capture.started_at, |last| last.started_at))
    }
}

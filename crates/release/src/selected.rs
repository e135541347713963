//! The captures of a selection, in the order in which they were made.

use model::{Capture, CaptureId, Grant, Seq};
use store::{CaptureFilter, Disclosure, Store};

use crate::{Error, Selection, order::Plan};

/// Sequences that are read at a time.
const PAGE: usize = 1_000;

/// What is read of each capture: what was noted, and what opens its leaf.
pub(crate) type Each<'a> = dyn FnMut(Capture, Disclosure) -> Result<(), Error> + 'a;

/// Settles what a selection leaves open: doubles go, and a version begins and ends where it does now.
pub(crate) fn settle(store: &Store, grant: &Grant, plan: &mut Plan) -> Result<(), Error> {
    let theme = plan.theme;
    match &mut plan.selection {
        Selection::Captures(captures) => {
            captures.sort_unstable();
            captures.dedup();
        }
        Selection::Target { .. } => {}
        Selection::Dossier { id, captures } => *captures = store.dossier_captures(grant, theme, *id)?,
        Selection::Version { first, last } => {
            let id = CaptureId { theme, seq: *first };
            let capture = store.capture(grant, id)?.ok_or(Error::NoCapture(id))?;
            let version = store.version_before(theme, capture.uri.id(), id.seq)?;
            let version = version.filter(|version| id.seq <= version.last).ok_or(Error::NoVersion(id))?;
            (*first, *last) = (version.first, Some(version.last));
        }
    }
    Ok(())
}

/// Hands out every capture of the plan's selection that its checkpoint covers. Erased ones are passed over, unless they were named.
pub(crate) fn each(store: &Store, grant: &Grant, plan: &Plan, each: &mut Each<'_>) -> Result<(), Error> {
    let selected = Selected { store, grant, plan };
    match &plan.selection {
        Selection::Captures(captures) | Selection::Dossier { captures, .. } => selected.named(captures, each),
        Selection::Target { id, from, until } => {
            selected.listed(CaptureFilter::Target(*id), Seq(0), Seq(u64::MAX), &mut |capture, disclosure| {
                let began = capture.started_at;
                if from.is_none_or(|from| began >= from) && until.is_none_or(|until| began < until) {
                    each(capture, disclosure)
                } else {
                    Ok(())
                }
            })
        }
        Selection::Version { first, last } => {
            let id = CaptureId { theme: plan.theme, seq: *first };
            let capture = store.capture(grant, id)?.ok_or(Error::NoCapture(id))?;
            let before = Seq(first.0.saturating_sub(1));
            selected.listed(CaptureFilter::Uri(capture.uri.id()), before, last.unwrap_or(*first), each)
        }
    }
}

struct Selected<'a> {
    store: &'a Store,
    grant: &'a Grant,
    plan: &'a Plan,
}

impl Selected<'_> {
    fn named(&self, captures: &[Seq], each: &mut Each<'_>) -> Result<(), Error> {
        for seq in captures {
            let id = CaptureId { theme: self.plan.theme, seq: *seq };
            let (capture, disclosure) = self.read(id)?.ok_or(Error::NoCapture(id))?;
            if disclosure.leaf >= self.plan.log_size {
                return Err(Error::BeyondCheckpoint(id, self.plan.log_size));
            }
            each(capture, disclosure)?;
        }
        Ok(())
    }

    /// Those that a list of the store holds after one sequence, and up to another.
    fn listed(&self, filter: CaptureFilter, mut after: Seq, last: Seq, each: &mut Each<'_>) -> Result<(), Error> {
        let theme = self.plan.theme;
        loop {
            let page = self.store.sequences(self.grant, theme, filter, after, PAGE)?;
            let Some(end) = page.last() else { return Ok(()) };
            after = *end;
            for seq in page {
                let (capture, disclosure) = match self.read(CaptureId { theme, seq }) {
                    Ok(Some(found)) => found,
                    Ok(None) | Err(Error::Store(store::Error::Erased(..))) => continue,
                    Err(error) => return Err(error),
                };
                // Within a theme the order of sequences is that of leaves.
                if seq > last || disclosure.leaf >= self.plan.log_size {
                    return Ok(());
                }
                each(capture, disclosure)?;
            }
        }
    }

    fn read(&self, id: CaptureId) -> Result<Option<(Capture, Disclosure)>, Error> {
        let capture = self.store.capture(self.grant, id)?;
        let disclosure = self.store.disclosure(self.grant, id)?;
        Ok(capture.zip(disclosure))
    }
}

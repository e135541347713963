//! Legal holds: what may not be erased, whatever its age, until somebody lifts the hold.

use model::{Capture, CaptureId, Grant, Seq, Subject, ThemeId, Timestamp};
use proof::LeafKind;
use serde::{Deserialize, Serialize};

use crate::{
    Act, Error, Store, codec,
    key::{Key, Reader},
    schema::Table,
    store::demand,
};

/// A hold. Several may lie on one subject; each is lifted by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The leaf of the act that set it, by which it is named.
    pub leaf: u64,
    /// What it keeps.
    pub subject: Subject,
    /// Who set it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

impl Store {
    /// Sets a hold; returns the leaf that names it.
    pub fn set_hold(
        &self,
        grant: &Grant,
        theme: ThemeId,
        subject: Subject,
        reason: &str,
        at: Timestamp,
    ) -> Result<u64, Error> {
        demand(grant, theme)?;
        let who = grant.who().to_owned();
        let act = Act::about(theme, LeafKind::Hold, at, &subject)
            .fact("change", "set")
            .part("who", who.as_bytes())
            .part("reason", reason.as_bytes());
        self.act(&act, |tables, batch, leaf| {
            let key = hold_key(theme, &subject).with(&leaf.to_be_bytes());
            let hold = Hold { leaf, subject, who, reason: reason.to_owned(), since: at };
            tables.put(batch, Table::Holds, &key, &hold);
            Ok(())
        })
    }

    /// Lifts the hold that the leaf `hold` set; returns the leaf of the lifting, and nothing where there is no such hold.
    pub fn lift_hold(
        &self,
        grant: &Grant,
        theme: ThemeId,
        hold: u64,
        reason: &str,
        at: Timestamp,
    ) -> Result<Option<u64>, Error> {
        let Some(hold) = self.holds(grant, theme)?.into_iter().find(|held| held.leaf == hold) else { return Ok(None) };
        let act = Act::about(theme, LeafKind::Hold, at, &hold.subject)
            .fact("change", "lifted")
            .fact("hold", i64::try_from(hold.leaf).unwrap_or(i64::MAX))
            .part("who", grant.who().as_bytes())
            .part("reason", reason.as_bytes());
        let lifted = self.act(&act, |tables, batch, _| {
            let key = hold_key(theme, &hold.subject).with(&hold.leaf.to_be_bytes());
            batch.delete_cf(tables.family(Table::Holds), key);
            Ok(())
        })?;
        Ok(Some(lifted))
    }

    /// The holds of a theme.
    pub fn holds(&self, grant: &Grant, theme: ThemeId) -> Result<Vec<Hold>, Error> {
        demand(grant, theme)?;
        self.holds_under(&Key::theme(theme))
    }

    fn holds_under(&self, prefix: &Key) -> Result<Vec<Hold>, Error> {
        let rows = self.tables.scan(Table::Holds, prefix, None);
        rows.map(|row| row.and_then(|(key, value)| codec::decode(Table::Holds, &key, &value))).collect()
    }

    /// A hold that keeps a capture, by its leaf: on itself, its target, its URI, or any capture of its version.
    pub(crate) fn hold_on(&self, theme: ThemeId, capture: &Capture) -> Result<Option<u64>, Error> {
        let subjects =
            [Subject::Capture(capture.seq), Subject::Target(capture.target), Subject::Uri(capture.uri.clone())];
        for subject in subjects {
            if let Some(hold) = self.holds_under(&hold_key(theme, &subject))?.first() {
                return Ok(Some(hold.leaf));
            }
        }
        self.hold_on_version(theme, capture)
    }

    /// A version may begin elsewhere than it did when the hold was set, so every capture of it counts that a hold names.
    fn hold_on_version(&self, theme: ThemeId, capture: &Capture) -> Result<Option<u64>, Error> {
        let (first, last) = self.run_of(theme, capture)?.unwrap_or((capture.seq, capture.seq));
        let prefix = Key::theme(theme).with(&[VERSION]);
        for row in self.tables.scan(Table::Holds, &prefix, Some(&prefix.clone().seq(first))) {
            let (key, value) = row?;
            let damaged = || Error::corrupt(Table::Holds, &key);
            let named = Reader(&key[prefix.as_ref().len()..]).seq().ok_or_else(damaged)?;
            if named > last {
                break;
            }
            let of_uri = named == capture.seq
                || self.kept_capture(CaptureId { theme, seq: named })?.is_some_and(|named| named.uri == capture.uri);
            if of_uri {
                return codec::decode(Table::Holds, &key, &value).map(|hold: Hold| Some(hold.leaf));
            }
        }
        Ok(None)
    }

    /// The first and the last capture of the version that a capture belongs to, or lies within.
    pub(crate) fn run_of(&self, theme: ThemeId, capture: &Capture) -> Result<Option<(Seq, Seq)>, Error> {
        let version = self.version_before(theme, capture.uri.id(), capture.seq)?;
        Ok(version.filter(|version| capture.seq <= version.last).map(|version| (version.first, version.last)))
    }
}

impl Act {
    /// An act about a subject. Of a URI the leaf tells only that it is one: which, is an erasable part.
    pub(crate) fn about(theme: ThemeId, kind: LeafKind, at: Timestamp, subject: &Subject) -> Self {
        let act = Self::new(theme, kind, at);
        match subject {
            Subject::Uri(uri) => act.fact("subject", "uri").part("subject", uri.id().to_string().as_bytes()),
            Subject::Capture(_) | Subject::Version(_) | Subject::Target(_) => act.fact("subject", subject.to_string()),
        }
    }
}

const VERSION: u8 = 3;

/// theme, kind of subject, subject. A new kind gets a new number; none is used twice.
fn hold_key(theme: ThemeId, subject: &Subject) -> Key {
    let key = Key::theme(theme);
    match subject {
        Subject::Target(target) => key.with(&[1]).target(*target),
        Subject::Uri(uri) => key.with(&[2]).uri(uri.id()),
        Subject::Version(seq) => key.with(&[VERSION]).seq(*seq),
        Subject::Capture(seq) => key.with(&[4]).seq(*seq),
    }
}

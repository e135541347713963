//! Dossiers: versions that an analyst released to somebody's operational use, for a purpose. To release, to add and to withdraw are acts, which stay.
//!
//! What a dossier holds is read through it alone: these functions refuse whatever is not in it, is sealed or erased, and a dossier that was withdrawn.

use model::{Capture, CaptureId, Document, Grant, Purpose, Seq, ThemeId, Timestamp, UriId};
use proof::{Fact, Leaf, LeafKind};
use serde::{Deserialize, Serialize};

use crate::{
    Act, CaptureFilter, Error, Store, codec,
    erasure::ranges,
    key::Key,
    log::missing_leaf,
    schema::Table,
    store::{demand, lock},
};

/// The erasable parts of the acts.
const TITLE: &str = "title";
const PURPOSE: &str = "purpose";
const RECIPIENT: &str = "recipient";
const WHO: &str = "who";
const NOTE: &str = "note";
/// What stays.
const CHANGE: &str = "change";
const VERSIONS: &str = "versions";
const DOSSIER: &str = "dossier";

/// The most versions of one act: what its leaf says of them fits in it many times.
const MOST_VERSIONS: usize = 1_000;

/// Captures of a URI that are listed at once.
const PAGE: usize = 1_000;

/// A version in a dossier: its captures, as they were when it was released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedVersion {
    /// The URI.
    pub uri: UriId,
    /// The first capture of the version, which is its identity.
    pub first: Seq,
    /// The last one, when it was released.
    pub last: Seq,
    /// The leaf of the act that released it.
    pub leaf: u64,
}

/// That a dossier was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DossierWithdrawal {
    /// The leaf of the act.
    pub leaf: u64,
    /// Who.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// Versions that were released to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dossier {
    /// The leaf of the act that released it, which is its name.
    pub id: u64,
    /// What people call it.
    pub title: String,
    /// What for.
    pub purpose: String,
    /// To whom: the name of an account or of a unit.
    pub recipient: String,
    /// Who released it.
    pub released_by: String,
    /// When.
    pub at: Timestamp,
    /// What else is to be said.
    pub note: Option<String>,
    /// What it holds, in the order in which it was released.
    pub versions: Vec<ReleasedVersion>,
    /// The leaves of all acts about it, in order.
    pub leaves: Vec<u64>,
    /// That it was withdrawn, if it was.
    pub withdrawn: Option<DossierWithdrawal>,
}

/// A dossier to be released.
#[derive(Debug, Clone, Copy)]
pub struct NewDossier<'a> {
    /// What people call it.
    pub title: &'a str,
    /// What for.
    pub purpose: &'a str,
    /// To whom.
    pub recipient: &'a str,
    /// What else is to be said.
    pub note: Option<&'a str>,
    /// The versions, each named by any of its captures.
    pub versions: &'a [Seq],
    /// When.
    pub at: Timestamp,
}

/// What was done to a dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DossierStep {
    /// The leaf of the act.
    pub leaf: u64,
    /// When.
    pub at: Timestamp,
    /// `released`, `added` or `withdrawn`.
    pub change: String,
    /// The first captures of the versions that it is about, as ranges.
    pub versions: Option<String>,
    /// Who did it; `None` when that has been erased.
    pub who: Option<String>,
    /// What was said: a note, or why.
    pub note: Option<String>,
}

impl Dossier {
    /// Whether a capture is one of those that were released.
    fn holds(&self, capture: &Capture) -> bool {
        let uri = capture.uri.id();
        self.versions.iter().any(|version| version.uri == uri && (version.first..=version.last).contains(&capture.seq))
    }

    /// Adds versions. One that is there already reaches as far as it does now.
    fn add(&mut self, versions: &[ReleasedVersion], leaf: u64) {
        for new in versions {
            match self.versions.iter_mut().find(|held| (held.uri, held.first) == (new.uri, new.first)) {
                Some(held) => held.last = held.last.max(new.last),
                None => self.versions.push(ReleasedVersion { leaf, ..*new }),
            }
        }
        self.leaves.push(leaf);
    }
}

impl Store {
    /// Releases versions; returns the leaf that names the dossier.
    ///
    /// Errors: [`Error::NoVersion`] for a capture that has none, [`Error::TooManyVersions`], and those of a capture that is withheld.
    pub fn release_dossier(&self, grant: &Grant, theme: ThemeId, new: &NewDossier<'_>) -> Result<u64, Error> {
        let versions = self.versions_named(grant, theme, new.versions)?;
        let mut act = release(grant, theme, "released", &versions, new.at)
            .part(TITLE, new.title.as_bytes())
            .part(PURPOSE, new.purpose.as_bytes())
            .part(RECIPIENT, new.recipient.as_bytes());
        if let Some(note) = new.note {
            act = act.part(NOTE, note.as_bytes());
        }
        self.act(&act, |tables, batch, leaf| {
            let mut dossier = Dossier {
                id: leaf,
                title: new.title.to_owned(),
                purpose: new.purpose.to_owned(),
                recipient: new.recipient.to_owned(),
                released_by: grant.who().to_owned(),
                at: new.at,
                note: new.note.map(str::to_owned),
                versions: Vec::new(),
                leaves: Vec::new(),
                withdrawn: None,
            };
            dossier.add(&versions, leaf);
            tables.put(batch, Table::Dossiers, &dossier_key(theme, leaf), &dossier);
            Ok(())
        })
    }

    /// Releases more versions in a dossier; returns the leaf of the act, and nothing where there is no such dossier.
    /// Errors: those of [`Store::release_dossier`], and [`Error::DossierWithdrawn`].
    pub fn add_to_dossier(
        &self,
        grant: &Grant,
        theme: ThemeId,
        id: u64,
        (versions, note): (&[Seq], Option<&str>),
        at: Timestamp,
    ) -> Result<Option<u64>, Error> {
        let _guard = lock(&self.dossiers_lock);
        let Some(mut dossier) = self.dossier(grant, theme, id)? else { return Ok(None) };
        in_force(&dossier)?;
        let versions = self.versions_named(grant, theme, versions)?;
        let mut act = release(grant, theme, "added", &versions, at).fact(DOSSIER, int(id));
        if let Some(note) = note {
            act = act.part(NOTE, note.as_bytes());
        }
        let leaf = self.act(&act, |tables, batch, leaf| {
            dossier.add(&versions, leaf);
            tables.put(batch, Table::Dossiers, &dossier_key(theme, id), &dossier);
            Ok(())
        })?;
        Ok(Some(leaf))
    }

    /// Withdraws a dossier: nothing is read through it from then on. Returns the leaf of the act, and nothing where there is no such dossier.
    /// Errors: [`Error::DossierWithdrawn`] where it was already.
    pub fn withdraw_dossier(
        &self,
        grant: &Grant,
        theme: ThemeId,
        id: u64,
        reason: &str,
        at: Timestamp,
    ) -> Result<Option<u64>, Error> {
        let _guard = lock(&self.dossiers_lock);
        let Some(mut dossier) = self.dossier(grant, theme, id)? else { return Ok(None) };
        in_force(&dossier)?;
        let act = release(grant, theme, "withdrawn", &[], at).fact(DOSSIER, int(id)).part(NOTE, reason.as_bytes());
        let leaf = self.act(&act, |tables, batch, leaf| {
            dossier.leaves.push(leaf);
            let (who, reason) = (grant.who().to_owned(), reason.to_owned());
            dossier.withdrawn = Some(DossierWithdrawal { leaf, who, at, reason });
            tables.put(batch, Table::Dossiers, &dossier_key(theme, id), &dossier);
            Ok(())
        })?;
        Ok(Some(leaf))
    }

    /// The dossiers of a theme, the oldest first, those included that were withdrawn.
    pub fn dossiers(&self, grant: &Grant, theme: ThemeId) -> Result<Vec<Dossier>, Error> {
        demand(grant, theme)?;
        let rows = self.tables.scan(Table::Dossiers, &Key::theme(theme), None);
        rows.map(|row| row.and_then(|(key, value)| codec::decode(Table::Dossiers, &key, &value))).collect()
    }

    /// The dossier of this name, withdrawn or not.
    pub fn dossier(&self, grant: &Grant, theme: ThemeId, id: u64) -> Result<Option<Dossier>, Error> {
        if !grant.covers_dossier(theme, id) {
            return Err(Error::NotGranted(theme));
        }
        self.tables.get(Table::Dossiers, &dossier_key(theme, id))
    }

    /// Everything that was done to a dossier, in order.
    pub fn dossier_history(&self, grant: &Grant, theme: ThemeId, id: u64) -> Result<Vec<DossierStep>, Error> {
        let dossier = self.dossier(grant, theme, id)?;
        let leaves = dossier.map(|dossier| dossier.leaves).unwrap_or_default();
        leaves.into_iter().map(|leaf| self.dossier_step(theme, leaf)).collect()
    }

    fn dossier_step(&self, theme: ThemeId, leaf: u64) -> Result<DossierStep, Error> {
        let act = self.recorded_act(theme, leaf)?;
        let entry = Leaf::decode(&act.entry).map_err(|_| missing_leaf(leaf))?;
        let part = |name| act.parts.get(name).map(|part| String::from_utf8_lossy(part).into_owned());
        let fact = |name| match entry.facts.get(name) {
            Some(Fact::Text(text)) => Some(text.clone()),
            _ => None,
        };
        Ok(DossierStep {
            leaf,
            at: Timestamp::from_micros(entry.time_us),
            change: fact(CHANGE).ok_or_else(|| missing_leaf(leaf))?,
            versions: fact(VERSIONS),
            who: part(WHO),
            note: part(NOTE),
        })
    }

    /// The captures that a dossier holds and that are neither erased nor sealed, in order.
    /// Errors: [`Error::NoDossier`], [`Error::DossierWithdrawn`].
    pub fn dossier_captures(&self, grant: &Grant, theme: ThemeId, id: u64) -> Result<Vec<Seq>, Error> {
        let dossier = self.dossier(grant, theme, id)?.ok_or(Error::NoDossier(id))?;
        in_force(&dossier)?;
        let mut captures = Vec::new();
        for version in &dossier.versions {
            captures.append(&mut self.released_captures(theme, version)?);
        }
        captures.sort_unstable();
        captures.dedup();
        Ok(self.told(theme, &captures)?.open)
    }

    /// The captures of a version that was released and that are not erased, in order; sealed ones are among them.
    pub(crate) fn released_captures(&self, theme: ThemeId, version: &ReleasedVersion) -> Result<Vec<Seq>, Error> {
        let grant = Grant::system(Purpose::Release);
        let (mut captures, mut after) = (Vec::new(), Seq(version.first.0.saturating_sub(1)));
        loop {
            let page = self.sequences(&grant, theme, CaptureFilter::Uri(version.uri), after, PAGE)?;
            let Some(last) = page.last() else { return Ok(captures) };
            after = *last;
            captures.extend(page.into_iter().take_while(|seq| *seq <= version.last));
            if after >= version.last {
                return Ok(captures);
            }
        }
    }

    /// The captures of a version of a dossier that may be shown, and how many may not.
    /// Errors: those of [`Store::dossier_captures`].
    pub fn dossier_version(
        &self,
        grant: &Grant,
        theme: ThemeId,
        id: u64,
        version: &ReleasedVersion,
    ) -> Result<crate::Told, Error> {
        let dossier = self.dossier(grant, theme, id)?.ok_or(Error::NoDossier(id))?;
        in_force(&dossier)?;
        if !dossier.versions.contains(version) {
            return Err(Error::NotInDossier(CaptureId { theme, seq: version.first }, id));
        }
        self.told(theme, &self.released_captures(theme, version)?)
    }

    /// A capture that a dossier holds.
    ///
    /// Errors: [`Error::NoDossier`], [`Error::DossierWithdrawn`], [`Error::NotInDossier`] for what is not in it, there or not, [`Error::Erased`] and [`Error::Sealed`].
    pub fn dossier_capture(&self, grant: &Grant, theme: ThemeId, id: u64, seq: Seq) -> Result<Capture, Error> {
        let dossier = self.dossier(grant, theme, id)?.ok_or(Error::NoDossier(id))?;
        in_force(&dossier)?;
        let capture = CaptureId { theme, seq };
        let is_near = dossier.versions.iter().any(|version| (version.first..=version.last).contains(&seq));
        if !is_near {
            return Err(Error::NotInDossier(capture, id));
        }
        let is_named = dossier.versions.iter().any(|version| seq == version.first || seq == version.last);
        let kept = match self.kept_capture(capture) {
            // Of one that is erased nobody knows any more which URI it was of: it may be another's.
            Err(Error::Erased(..)) if !is_named => None,
            kept => kept?.filter(|kept| dossier.holds(kept)),
        };
        let kept = kept.ok_or(Error::NotInDossier(capture, id))?;
        self.demand_unsealed(&Grant::system(Purpose::Release), capture)?;
        Ok(kept)
    }

    /// The document of a capture that a dossier holds. Errors: those of [`Store::dossier_capture`].
    pub fn dossier_document(
        &self,
        grant: &Grant,
        theme: ThemeId,
        id: u64,
        seq: Seq,
    ) -> Result<Option<Document>, Error> {
        self.dossier_capture(grant, theme, id, seq)?;
        self.document(&Grant::system(Purpose::Release), CaptureId { theme, seq })
    }

    /// The payload of a capture that a dossier holds. Errors: those of [`Store::dossier_capture`].
    pub fn dossier_payload(&self, grant: &Grant, theme: ThemeId, id: u64, seq: Seq) -> Result<Vec<u8>, Error> {
        let capture = self.dossier_capture(grant, theme, id, seq)?;
        self.payload(&Grant::system(Purpose::Release), theme, &capture)
    }

    /// The versions that captures belong to, each once.
    fn versions_named(&self, grant: &Grant, theme: ThemeId, named: &[Seq]) -> Result<Vec<ReleasedVersion>, Error> {
        demand(grant, theme)?;
        if named.len() > MOST_VERSIONS {
            return Err(Error::TooManyVersions(MOST_VERSIONS));
        }
        let mut versions: Vec<ReleasedVersion> = Vec::new();
        for &seq in named {
            let id = CaptureId { theme, seq };
            let (capture, version) = self.version_of(grant, id)?.ok_or(Error::NoVersion(id))?;
            let version = ReleasedVersion { uri: capture.uri.id(), first: version.first, last: version.last, leaf: 0 };
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
        Ok(versions)
    }
}

fn release(grant: &Grant, theme: ThemeId, change: &str, versions: &[ReleasedVersion], at: Timestamp) -> Act {
    let act = Act::new(theme, LeafKind::Release, at).fact(CHANGE, change).part(WHO, grant.who().as_bytes());
    let mut named: Vec<Seq> = versions.iter().map(|version| version.first).collect();
    named.sort_unstable();
    if named.is_empty() { act } else { act.fact(VERSIONS, ranges(&named)) }
}

fn in_force(dossier: &Dossier) -> Result<(), Error> {
    dossier.withdrawn.as_ref().map_or(Ok(()), |withdrawn| Err(Error::DossierWithdrawn(dossier.id, withdrawn.leaf)))
}

fn int(leaf: u64) -> i64 {
    i64::try_from(leaf).unwrap_or(i64::MAX)
}

fn dossier_key(theme: ThemeId, id: u64) -> Key {
    Key::theme(theme).with(&id.to_be_bytes())
}

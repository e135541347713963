//! Names of versions. A name belongs to a version's identity, its first capture, and so outlives every rule and every derivation; to name,
//! to rename and to take a name away are acts, which stay.

use std::collections::BTreeMap;

use model::{CaptureId, Grant, Seq, ThemeId, Timestamp, UriId};
use proof::{Leaf, LeafKind};

use crate::{
    Act, Error, Store, codec,
    key::{Key, Reader},
    log::missing_leaf,
    schema::Table,
    store::demand,
};

/// The erasable parts of a naming.
const NAME: &str = "name";
const AUTHOR: &str = "author";

/// A version that was named, renamed, or lost its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// The first capture of the version, as it was then.
    pub version: Seq,
    /// The leaf of the act.
    pub leaf: u64,
    /// When.
    pub at: Timestamp,
    /// Whether the name was taken away.
    pub is_removal: bool,
    /// The name; `None` when it was taken away or has been erased.
    pub name: Option<String>,
    /// Who did it; `None` when that has been erased.
    pub author: Option<String>,
}

impl Naming {
    /// The last word on each version that is named at present, by the order of the versions.
    pub fn present(namings: &[Self]) -> Vec<&Self> {
        let mut last: BTreeMap<Seq, &Self> = BTreeMap::new();
        last.extend(namings.iter().map(|naming| (naming.version, naming)));
        last.into_values().filter(|naming| !naming.is_removal).collect()
    }
}

impl Store {
    /// Names the version of a URI that begins with the capture `version`, or takes its name away; returns the leaf of the act.
    pub fn name_version(
        &self,
        grant: &Grant,
        version: CaptureId,
        uri: UriId,
        name: Option<&str>,
        author: &str,
        at: Timestamp,
    ) -> Result<u64, Error> {
        demand(grant, version.theme)?;
        let mut act = Act::new(version.theme, LeafKind::Name, at)
            .fact("version", version.to_string())
            .part(AUTHOR, author.as_bytes());
        if let Some(name) = name {
            act = act.part(NAME, name.as_bytes());
        }
        let key = Key::theme(version.theme).uri(uri).seq(version.seq);
        self.act(&act, |tables, batch, leaf| {
            // Nobody else names anything before this batch is written: whoever acts holds the log.
            let mut leaves: Vec<u64> = tables.get(Table::VersionNames, &key)?.unwrap_or_default();
            leaves.push(leaf);
            tables.put(batch, Table::VersionNames, &key, &leaves);
            Ok(())
        })
    }

    /// Every naming of the versions of a URI that begin from `first` to `last`, those of a version in order.
    ///
    /// More than one version's are found where a later rule makes one of what were several.
    pub fn namings(
        &self,
        grant: &Grant,
        theme: ThemeId,
        uri: UriId,
        (first, last): (Seq, Seq),
    ) -> Result<Vec<Naming>, Error> {
        demand(grant, theme)?;
        let prefix = Key::theme(theme).uri(uri);
        let mut namings = Vec::new();
        for row in self.tables.scan(Table::VersionNames, &prefix, Some(&prefix.clone().seq(first))) {
            let (key, value) = row?;
            let damaged = || Error::corrupt(Table::VersionNames, &key);
            let version = Reader(&key[prefix.as_ref().len()..]).seq().ok_or_else(damaged)?;
            if version > last {
                break;
            }
            for leaf in codec::decode::<Vec<u64>>(Table::VersionNames, &key, &value)? {
                namings.push(self.naming(theme, version, leaf)?);
            }
        }
        Ok(namings)
    }

    fn naming(&self, theme: ThemeId, version: Seq, leaf: u64) -> Result<Naming, Error> {
        let act = self.recorded_act(theme, leaf)?;
        let entry = Leaf::decode(&act.entry).map_err(|_| missing_leaf(leaf))?;
        let text = |name| act.parts.get(name).map(|part| String::from_utf8_lossy(part).into_owned());
        Ok(Naming {
            version,
            leaf,
            at: Timestamp::from_micros(entry.time_us),
            is_removal: !entry.parts.contains_key(NAME),
            name: text(NAME),
            author: text(AUTHOR),
        })
    }
}

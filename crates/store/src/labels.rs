//! Labels: what people think of versions of pages. A label belongs to a version's identity, its first capture, to whoever gave it, and to an
//! indicator where it is about that; to label, to label otherwise and to take a label away are acts, which stay.

use std::collections::BTreeMap;

use model::{CaptureId, Grant, Label, Seq, ThemeId, Timestamp, UriId};
use proof::{Fact, Leaf, LeafKind};

use crate::{
    Act, Error, Store, codec,
    key::{Key, Reader},
    log::missing_leaf,
    schema::Table,
    store::demand,
};

/// The erasable parts of a labelling.
const AUTHOR: &str = "author";
const NOTE: &str = "note";
const INDICATOR: &str = "indicator";
/// What stays.
const LABEL: &str = "label";

/// What somebody says of a version.
#[derive(Debug, Clone, Copy)]
pub struct NewLabel<'a> {
    /// The label; none takes away what the same author said of the same.
    pub label: Option<Label>,
    /// The indicator that it is about; none where it is about the page as such.
    pub indicator: Option<&'a str>,
    /// Who says so.
    pub author: &'a str,
    /// What else is to be said.
    pub note: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// That somebody labelled a version, or took a label away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelling {
    /// The URI of the version.
    pub uri: UriId,
    /// The first capture of the version, as it was then.
    pub version: Seq,
    /// The leaf of the act.
    pub leaf: u64,
    /// When.
    pub at: Timestamp,
    /// The label; `None` when it was taken away.
    pub label: Option<Label>,
    /// The indicator that it is about.
    pub indicator: Option<String>,
    /// Who did it; `None` when that has been erased.
    pub author: Option<String>,
    /// What else was said.
    pub note: Option<String>,
}

impl Labelling {
    /// The last word of each author on each version and indicator, where it is a label, by the order of the versions.
    pub fn present(labellings: Vec<Self>) -> Vec<Self> {
        let mut last: BTreeMap<(Seq, Option<String>, Option<String>), Self> = BTreeMap::new();
        for labelling in labellings {
            last.insert((labelling.version, labelling.indicator.clone(), labelling.author.clone()), labelling);
        }
        last.into_values().filter(|labelling| labelling.label.is_some()).collect()
    }
}

impl Store {
    /// Labels the version of a URI that begins with the capture `version`, or takes a label away; returns the leaf of the act.
    pub fn label_version(
        &self,
        grant: &Grant,
        version: CaptureId,
        uri: UriId,
        new: &NewLabel<'_>,
    ) -> Result<u64, Error> {
        demand(grant, version.theme)?;
        let mut act = Act::new(version.theme, LeafKind::Label, new.at)
            .fact("version", version.to_string())
            .part(AUTHOR, new.author.as_bytes());
        if let Some(label) = new.label {
            act = act.fact(LABEL, label.as_str());
        }
        for (name, part) in [(INDICATOR, new.indicator), (NOTE, new.note)] {
            if let Some(part) = part {
                act = act.part(name, part.as_bytes());
            }
        }
        let key = Key::theme(version.theme).uri(uri).seq(version.seq);
        self.act(&act, |tables, batch, leaf| {
            // Nobody else labels anything before this batch is written: whoever acts holds the log.
            let mut leaves: Vec<u64> = tables.get(Table::Labels, &key)?.unwrap_or_default();
            leaves.push(leaf);
            tables.put(batch, Table::Labels, &key, &leaves);
            Ok(())
        })
    }

    /// Every labelling of the versions of a URI that begin from `first` to `last`, those of a version in order.
    pub fn labellings(
        &self,
        grant: &Grant,
        theme: ThemeId,
        uri: UriId,
        (first, last): (Seq, Seq),
    ) -> Result<Vec<Labelling>, Error> {
        demand(grant, theme)?;
        let prefix = Key::theme(theme).uri(uri);
        let mut found = Vec::new();
        for row in self.tables.scan(Table::Labels, &prefix, Some(&prefix.clone().seq(first))) {
            let (key, value) = row?;
            if !self.add_labellings(theme, &key, &value, last, &mut found)? {
                break;
            }
        }
        Ok(found)
    }

    /// Every labelling of a theme, those of a version in order.
    pub fn all_labellings(&self, grant: &Grant, theme: ThemeId) -> Result<Vec<Labelling>, Error> {
        demand(grant, theme)?;
        let mut found = Vec::new();
        for row in self.tables.scan(Table::Labels, &Key::theme(theme), None) {
            let (key, value) = row?;
            self.add_labellings(theme, &key, &value, Seq(u64::MAX), &mut found)?;
        }
        Ok(found)
    }

    /// Adds the labellings of a row, unless its version begins behind `last`; whether it does not.
    fn add_labellings(
        &self,
        theme: ThemeId,
        key: &[u8],
        value: &[u8],
        last: Seq,
        found: &mut Vec<Labelling>,
    ) -> Result<bool, Error> {
        let mut reader = Reader(key);
        let read = (|| Some((reader.theme()?, reader.uri()?, reader.seq()?)))();
        let (_, uri, version) = read.ok_or_else(|| Error::corrupt(Table::Labels, key))?;
        if version > last {
            return Ok(false);
        }
        for leaf in codec::decode::<Vec<u64>>(Table::Labels, key, value)? {
            found.push(self.labelling(theme, uri, version, leaf)?);
        }
        Ok(true)
    }

    fn labelling(&self, theme: ThemeId, uri: UriId, version: Seq, leaf: u64) -> Result<Labelling, Error> {
        let act = self.recorded_act(theme, leaf)?;
        let entry = Leaf::decode(&act.entry).map_err(|_| missing_leaf(leaf))?;
        let text = |name| act.parts.get(name).map(|part| String::from_utf8_lossy(part).into_owned());
        let label = match entry.facts.get(LABEL) {
            Some(Fact::Text(label)) => Some(label.parse().map_err(|_| missing_leaf(leaf))?),
            _ => None,
        };
        Ok(Labelling {
            uri,
            version,
            leaf,
            at: Timestamp::from_micros(entry.time_us),
            label,
            indicator: text(INDICATOR),
            author: text(AUTHOR),
            note: text(NOTE),
        })
    }
}

//! What analysts write: indicators, which say what to look for, and site profiles, which say where the fields of a site's pages stand. Every
//! version is an act, and is named by the leaf of that act; the newest one that is not a removal is in force.

use model::{Digest, Grant, Seq, ThemeId, Timestamp};
use proof::{Leaf, LeafKind};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{
    Act, Error, Store, codec,
    key::{Key, Reader},
    log::missing_leaf,
    schema::Table,
    store::{Tables, cursor_key, demand},
};

/// The erasable parts of a change.
const NAME: &str = "name";
const TEXT: &str = "text";
const AUTHOR: &str = "author";

/// Which kind of rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// What to look for.
    Indicator,
    /// Where the fields of a site's pages stand.
    SiteProfile,
}

impl RuleKind {
    const fn table(self) -> Table {
        match self {
            Self::Indicator => Table::Indicators,
            Self::SiteProfile => Table::SiteProfiles,
        }
    }

    const fn leaf(self) -> LeafKind {
        match self {
            Self::Indicator => LeafKind::Indicator,
            Self::SiteProfile => LeafKind::SiteProfile,
        }
    }
}

/// Which captures a version of a rule is for: all those before it came, and those that came while it was in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleVersion {
    /// The leaf of the act that made it.
    pub leaf: u64,
    /// The theme's newest capture when it came.
    pub from: Seq,
    /// The theme's newest capture when the next version came; none while it is in force.
    pub until: Option<Seq>,
    /// Whether it takes the rule away.
    pub is_removal: bool,
}

/// A rule, with all of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, one within the theme and the kind.
    pub name: String,
    /// The versions, the oldest first; there is one at least.
    pub versions: Vec<RuleVersion>,
}

/// What was written as a version of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// The leaf of the act.
    pub leaf: u64,
    /// When.
    pub at: Timestamp,
    /// Who wrote it; `None` when that has been erased.
    pub author: Option<String>,
    /// The rule; `None` where it was taken away, or has been erased.
    pub text: Option<String>,
}

/// A change of a rule.
#[derive(Debug, Clone, Copy)]
pub struct RuleChange<'a> {
    /// Of which kind.
    pub kind: RuleKind,
    /// Of which name.
    pub name: &'a str,
    /// The rule; none takes it away.
    pub text: Option<&'a str>,
    /// Who changes it.
    pub author: &'a str,
    /// The version that the author has seen: the change is refused when another one came since. Absent: whatever is there. `Some(None)`: nothing is.
    pub replaces: Option<Option<u64>>,
    /// When.
    pub at: Timestamp,
}

/// How far the stored pages of a theme were read with its site profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteReading {
    /// The newest leaf that changed a profile by then.
    pub set: u64,
    /// All up to this one; none where that is all.
    pub up_to: Option<Seq>,
    /// Whether the index may still say what pages were before.
    pub is_index_behind: bool,
}

/// The follower that reads stored pages again.
const READER: &str = "site-reading";

#[derive(Serialize, Deserialize)]
struct RuleRow {
    name: String,
    versions: Vec<VersionRow>,
}

#[derive(Serialize, Deserialize)]
struct VersionRow {
    leaf: u64,
    from: Seq,
    is_removal: bool,
}

impl Rule {
    /// The version in force; `None` where the rule was taken away.
    pub fn present(&self) -> Option<RuleVersion> {
        self.versions.last().copied().filter(|version| !version.is_removal)
    }
}

impl RuleVersion {
    /// Whether it is for this capture.
    pub fn covers(&self, seq: Seq) -> bool {
        self.until.is_none_or(|until| seq <= until)
    }
}

impl Store {
    /// Writes a version of a rule, or takes the rule away; returns the leaf that names the version. What is there already is no new version.
    ///
    /// Errors: [`Error::RuleChanged`] where the author has not seen the newest version, and where a rule is to be taken away that is not there.
    pub fn change_rule(&self, grant: &Grant, theme: ThemeId, change: &RuleChange<'_>) -> Result<u64, Error> {
        demand(grant, theme)?;
        // Nobody else changes a rule, or captures anything, before this is written: whoever acts holds the log.
        let mut log = self.log.append();
        let key = rule_key(theme, change.name);
        let row: Option<RuleRow> = self.tables.get(change.kind.table(), &key)?;
        let mut row = row.unwrap_or_else(|| RuleRow { name: change.name.to_owned(), versions: Vec::new() });
        let present = row.versions.last().filter(|version| !version.is_removal).map(|version| version.leaf);
        let is_seen = change.replaces.is_none_or(|seen| seen == present);
        if !is_seen || (change.text.is_none() && present.is_none()) {
            return Err(Error::RuleChanged(present));
        }
        if let (Some(leaf), Some(_)) = (present, change.text)
            && self.rule_text(grant, theme, leaf)?.text.as_deref() == change.text
        {
            return Ok(leaf);
        }
        let is_removal = change.text.is_none();
        let from = self.tables.newest_capture(theme)?;
        let mut act = Act::new(theme, change.kind.leaf(), change.at)
            .fact("removed", is_removal)
            .fact("after", i64::try_from(from.0).unwrap_or(i64::MAX))
            .part(NAME, change.name.as_bytes())
            .part(AUTHOR, change.author.as_bytes());
        if let Some(text) = change.text {
            act = act.part(TEXT, text.as_bytes());
        }
        let leaf = self.add_act(&mut log, &act)?;
        row.versions.push(VersionRow { leaf, from, is_removal });
        self.tables.put(&mut log.batch, change.kind.table(), &key, &row);
        log.commit_on_reserve(&self.space)?;
        self.changed.send_replace(());
        Ok(leaf)
    }

    /// The rules of a theme that are or were in force, by name.
    pub fn rules(&self, grant: &Grant, theme: ThemeId, kind: RuleKind) -> Result<Vec<Rule>, Error> {
        demand(grant, theme)?;
        let rows = self.tables.scan(kind.table(), &Key::theme(theme), None);
        let read = |(key, value): (Vec<u8>, Vec<u8>)| codec::decode(kind.table(), &key, &value).map(rule);
        let mut rules: Vec<Rule> = rows.map(|row| row.and_then(read)).collect::<Result<_, _>>()?;
        rules.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(rules)
    }

    /// The rule of this name, if there ever was one.
    pub fn rule(&self, grant: &Grant, theme: ThemeId, kind: RuleKind, name: &str) -> Result<Option<Rule>, Error> {
        demand(grant, theme)?;
        Ok(self.tables.get(kind.table(), &rule_key(theme, name))?.map(rule))
    }

    /// What was written as the version of a rule with this leaf, which [`Store::rules`] tells.
    pub fn rule_text(&self, grant: &Grant, theme: ThemeId, leaf: u64) -> Result<RuleText, Error> {
        demand(grant, theme)?;
        let act = self.recorded_act(theme, leaf)?;
        let entry = Leaf::decode(&act.entry).map_err(|_| missing_leaf(leaf))?;
        let text = |name| act.parts.get(name).map(|part| String::from_utf8_lossy(part).into_owned());
        Ok(RuleText { leaf, at: Timestamp::from_micros(entry.time_us), author: text(AUTHOR), text: text(TEXT) })
    }

    /// How far the stored pages of a theme were read with its site profiles; `None` before the first time.
    pub fn site_reading(&self, theme: ThemeId) -> Result<Option<SiteReading>, Error> {
        self.tables.get(Table::Cursors, &cursor_key(READER, theme))
    }

    /// Notes how far the stored pages of a theme were read with its site profiles.
    pub fn put_site_reading(&self, theme: ThemeId, reading: SiteReading) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::Cursors, &cursor_key(READER, theme), &reading);
        self.tables.write(batch)?;
        self.analysed.send_modify(|_| ());
        Ok(())
    }
}

impl Tables {
    /// The newest capture of a theme, erased ones included; 0 before the first.
    fn newest_capture(&self, theme: ThemeId) -> Result<Seq, Error> {
        let prefix = Key::theme(theme);
        let Some((key, _)) = self.scan_back(Table::Captures, &prefix, None).next().transpose()? else {
            return Ok(Seq(0));
        };
        Reader(&key[prefix.as_ref().len()..]).seq().ok_or_else(|| Error::corrupt(Table::Captures, &key))
    }
}

fn rule(row: RuleRow) -> Rule {
    let ends = row.versions.iter().skip(1).map(|next| Some(next.from)).chain([None]);
    let versions = row.versions.iter().zip(ends).map(|(version, until)| RuleVersion {
        leaf: version.leaf,
        from: version.from,
        until,
        is_removal: version.is_removal,
    });
    Rule { versions: versions.collect(), name: row.name }
}

fn rule_key(theme: ThemeId, name: &str) -> Key {
    Key::theme(theme).digest(&Digest::of(name.as_bytes()))
}

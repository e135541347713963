//! Taking erased bytes out of files: a deleted row lives on in write-ahead logs and table files until these are gone.

use std::{collections::BTreeSet, fs, path::PathBuf, sync::TryLockError};

use model::ThemeId;
use rocksdb::{BottommostLevelCompaction, CompactOptions, FlushOptions, LiveFile};

use crate::{Error, Store, ViewChange, backup::checkpoint_dir, key::Key, schema::Table, store::Tables};

/// No key is longer behind the prefix that a range is given by.
const END: [u8; 64] = [0xff; 64];

impl Store {
    /// Makes sure that no file holds what was erased: local copies go, tables are flushed and compacted where it lay, write-ahead logs are left
    /// behind. True when all of it is done; false when a file is still held open, so that it is worth to ask again a moment later.
    pub fn purge(&self, theme: ThemeId, change: &ViewChange) -> Result<bool, Error> {
        // A backup under way holds links to the files as they are.
        let _no_backup = match self.backing_up.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(left)) => left.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(false),
        };
        // One that died may have left its own.
        drop(fs::remove_dir_all(checkpoint_dir(self.tables.directory())));
        self.delete_copies(theme, change)?;
        // The row of the change names payloads and URIs by their digests: what remains of it at the end says nothing.
        let bare = ViewChange { captures: Vec::new(), ..change.clone() };
        let own = vec![(Table::ViewChanges, ranges(BTreeSet::from([Key::theme(theme)])))];
        let is_done = self.sweep(theme, change, &touched(theme, change))? && self.sweep(theme, &bare, &own)?;
        if is_done {
            self.change_done(theme, change)?;
            tracing::info!(%theme, leaf = change.leaf, "an erasure is complete");
        }
        Ok(is_done)
    }

    /// Writes the row of a change, so that the write-ahead log before it is left behind, and then the table files anew that may hold rows of the
    /// ranges. Whether every file is gone that may have held such rows before.
    fn sweep(&self, theme: ThemeId, change: &ViewChange, ranges: &Ranges) -> Result<bool, Error> {
        self.views_followed(theme, change)?;
        let mut doomed = self.tables.files("log")?;
        self.tables.flush()?;
        let may_hold = |file: &LiveFile| ranges.iter().any(|(table, ranges)| overlaps(file, *table, ranges));
        let (guilty, innocent): (Vec<_>, Vec<_>) = self.tables.database().live_files()?.into_iter().partition(may_hold);
        let innocent: BTreeSet<PathBuf> = innocent.iter().map(|file| self.tables.path(file)).collect();
        // The rest are the guilty, and those that nothing refers to any more.
        doomed.extend(self.tables.files("sst")?.into_iter().filter(|path| !innocent.contains(path)));
        self.tables.rewrite(&guilty);
        let left = doomed.iter().find(|path| path.exists());
        if let Some(path) = left {
            tracing::debug!(path = %path.display(), leaf = change.leaf, "a file that may hold what was erased is still there");
        }
        Ok(left.is_none())
    }
}

/// Ranges of keys by table, both ends included.
type Ranges = Vec<(Table, Vec<(Key, Key)>)>;

/// Where rows of the erased captures lay.
fn touched(theme: ThemeId, change: &ViewChange) -> Ranges {
    let theme_key = || Key::theme(theme);
    let each = |key: &dyn Fn(&crate::Affected) -> Option<Key>| -> BTreeSet<Key> {
        change.captures.iter().filter_map(key).collect()
    };
    let by_seq = || each(&|capture| Some(theme_key().seq(capture.seq)));
    let by_uri = || each(&|capture| Some(theme_key().uri(capture.uri)));
    let by_target = || each(&|capture| Some(theme_key().target(capture.target)));
    let by_payload = || each(&|capture| capture.payload.map(|digest| theme_key().digest(&digest)));
    let prefixes = [
        (Table::Captures, by_seq()),
        (Table::CapturesByUri, by_uri()),
        (Table::CapturesByTarget, by_target()),
        (Table::CapturesByPayload, by_payload()),
        (Table::Payloads, by_payload()),
        (Table::PayloadDependants, by_payload()),
        (Table::Uris, by_target()),
        (Table::FrontierByDue, by_target()),
        (Table::UriTemplates, by_target()),
        (Table::Seals, by_seq()),
        (Table::Holds, BTreeSet::from([theme_key()])),
        (Table::Documents, by_seq()),
        (Table::Links, by_seq()),
        (Table::CrawlHints, by_seq()),
        (Table::Findings, by_seq()),
        (Table::VersionsByUri, by_uri()),
        // What they showed, and what was found in it, is not known any more.
        (Table::Sightings, BTreeSet::from([theme_key()])),
        (Table::FindingsByVersion, BTreeSet::from([theme_key()])),
        (Table::Sketches, by_seq()),
        (Table::PagesByService, BTreeSet::from([theme_key()])),
        (Table::ElementsByService, BTreeSet::from([theme_key()])),
        (Table::Traces, BTreeSet::from([theme_key()])),
    ];
    prefixes.into_iter().map(|(table, prefixes)| (table, ranges(prefixes))).collect()
}

fn ranges(prefixes: BTreeSet<Key>) -> Vec<(Key, Key)> {
    prefixes.into_iter().map(|prefix| (prefix.clone(), prefix.with(&END))).collect()
}

impl Tables {
    fn path(&self, file: &LiveFile) -> PathBuf {
        self.directory().join(file.name.trim_start_matches('/'))
    }

    /// The files of one kind, by the ending of their names.
    fn files(&self, kind: &str) -> Result<Vec<PathBuf>, Error> {
        let unreadable = |source| Error::Directory { path: self.directory().to_owned(), source };
        let mut files = Vec::new();
        for entry in fs::read_dir(self.directory()).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|ending| ending == kind) {
                files.push(path);
            }
        }
        Ok(files)
    }

    /// Writes everything to table files.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        let families: Vec<_> = Table::ALL.iter().map(|table| self.family(*table)).collect();
        let families: Vec<_> = families.iter().collect();
        Ok(self.database().flush_cfs_opt(&families, &FlushOptions::default())?)
    }

    /// Writes these table files anew, down to the last level, by all that lies between their bounds: the database passes over a range in which
    /// a file has no rows, and leaves that file.
    fn rewrite(&self, files: &[LiveFile]) {
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        options.set_exclusive_manual_compaction(false);
        for table in Table::ALL {
            let own = files.iter().filter(|file| file.column_family_name == table.name());
            let mut bounds: Vec<_> = own.map(bounds).collect();
            bounds.sort_unstable();
            bounds.dedup_by(|next, last| {
                let overlap = next.0 <= last.1;
                if overlap {
                    last.1 = last.1.max(next.1);
                }
                overlap
            });
            for (from, to) in bounds {
                self.database().compact_range_cf_opt(self.family(*table), Some(from), Some(to), &options);
            }
        }
    }
}

/// The first and the last key of a file; of everything, where it does not tell.
fn bounds(file: &LiveFile) -> (&[u8], &[u8]) {
    (file.start_key.as_deref().unwrap_or_default(), file.end_key.as_deref().unwrap_or(&END))
}

fn overlaps(file: &LiveFile, table: Table, ranges: &[(Key, Key)]) -> bool {
    let (first, last) = bounds(file);
    file.column_family_name == table.name()
        && ranges.iter().any(|(from, to)| from.as_ref() <= last && first <= to.as_ref())
}

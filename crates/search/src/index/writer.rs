use model::{Seq, ThemeId};
use tantivy::{
    IndexWriter, SegmentMeta, TantivyError, Term,
    directory::error::LockError,
    indexer::{IndexWriterOptions, LogMergePolicy, NoMergePolicy},
};

use crate::{Entry, Error, schema::Fields};

/// Segments of up to this many entries count as equally small. The engine's own figure is 10,000: with a commit a second of a few entries each, every
/// entry would be written anew hundreds of times before its segment has that many.
const SMALL_SEGMENT: u32 = 100;

/// The writing side of an index. The engine's writer, with its threads and its memory, exists from the first entry on.
pub(super) struct Writer {
    theme: ThemeId,
    memory_bytes: usize,
    engine: Option<IndexWriter>,
    /// The last entry that was added, or the last commit where that is later.
    added_up_to: Seq,
    committed_up_to: Seq,
    has_failed: bool,
}

impl Writer {
    pub(super) const fn new(theme: ThemeId, memory_bytes: usize, up_to: Seq) -> Self {
        Self { theme, memory_bytes, engine: None, added_up_to: up_to, committed_up_to: up_to, has_failed: false }
    }

    pub(super) fn add(&mut self, entry: &Entry, index: &tantivy::Index, fields: &Fields) -> Result<(), Error> {
        self.check()?;
        if entry.seq <= self.added_up_to {
            return Ok(());
        }
        let added = self.engine(index)?.add_document(fields.document(entry));
        self.noting_failure(added)?;
        self.added_up_to = entry.seq;
        Ok(())
    }

    /// False when there was nothing to do.
    pub(super) fn commit(&mut self, up_to: Seq, index: &tantivy::Index) -> Result<bool, Error> {
        self.check()?;
        // A commit holds what was added, whatever sequence it is said to be complete to.
        let up_to = up_to.max(self.added_up_to);
        if up_to == self.committed_up_to {
            return Ok(false);
        }
        let committed = commit(self.engine(index)?, up_to);
        self.noting_failure(committed)?;
        Ok(true)
    }

    pub(super) fn clear(&mut self, index: &tantivy::Index) -> Result<(), Error> {
        self.abandon();
        self.has_failed = false;
        let engine = self.engine(index)?;
        let cleared = engine.delete_all_documents().and_then(|_| commit(engine, Seq(0)));
        self.noting_failure(cleared)
    }

    /// Takes entries out and puts others in, and merges every segment that entries were taken out of, so that none of its files is needed.
    pub(super) fn replace(
        &mut self,
        without: &[Seq],
        with: &[Entry],
        index: &tantivy::Index,
        fields: &Fields,
    ) -> Result<(), Error> {
        self.check()?;
        self.commit(self.added_up_to, index)?;
        let up_to = self.added_up_to;
        // Merges in the background would have the segments in hand that are to be merged here.
        let rested = self.engine.take().map_or(Ok(()), |engine| {
            engine.set_merge_policy(Box::new(NoMergePolicy));
            engine.wait_merging_threads()
        });
        self.noting_failure(rested)?;
        let engine = self.engine(index)?;
        engine.set_merge_policy(Box::new(NoMergePolicy));
        let replaced = replace(engine, without, with, up_to, index, fields);
        self.noting_failure(replaced)?;
        // The next writer merges as it did before.
        self.engine = None;
        Ok(())
    }

    /// Drops the engine's writer with all that it has not committed. Until [`Writer::resume_after`] nothing is added.
    pub(super) fn abandon(&mut self) {
        self.engine = None;
        self.has_failed = true;
    }

    /// Goes on behind a commit that is known to stand.
    pub(super) const fn resume_after(&mut self, up_to: Seq) {
        self.added_up_to = up_to;
        self.committed_up_to = up_to;
        self.has_failed = false;
    }

    const fn check(&self) -> Result<(), Error> {
        if self.has_failed { Err(Error::WriteFailed(self.theme)) } else { Ok(()) }
    }

    fn engine(&mut self, index: &tantivy::Index) -> Result<&mut IndexWriter, Error> {
        if self.engine.is_none() {
            // One thread of each kind: memory matters more here than speed, and entries come from one task.
            let options = IndexWriterOptions::builder()
                .memory_budget_per_thread(self.memory_bytes)
                .num_worker_threads(1)
                .num_merge_threads(1)
                .build();
            let engine = index.writer_with_options(options).map_err(|error| match error {
                TantivyError::LockFailure(LockError::LockBusy, _) => Error::InUse(self.theme),
                other => other.into(),
            })?;
            engine.set_merge_policy(Box::new(merge_policy()));
            return Ok(self.engine.insert(engine));
        }
        self.engine.as_mut().ok_or(Error::WriteFailed(self.theme))
    }

    /// After a failure the engine has lost what was added, so nothing may be added behind the gap.
    fn noting_failure<T>(&mut self, result: tantivy::Result<T>) -> Result<(), Error> {
        match result {
            Ok(_) => Ok(()),
            Err(error) => {
                self.abandon();
                Err(error.into())
            }
        }
    }

    /// Brings all entries into one segment, as merges in the background do with time.
    pub(super) fn merge_all(&mut self, index: &tantivy::Index) -> Result<(), Error> {
        let segments = index.searchable_segment_ids()?;
        if segments.len() > 1 {
            self.engine(index)?.merge(&segments).wait()?;
        }
        Ok(())
    }
}

fn replace(
    engine: &mut IndexWriter,
    without: &[Seq],
    with: &[Entry],
    up_to: Seq,
    index: &tantivy::Index,
    fields: &Fields,
) -> tantivy::Result<()> {
    for seq in without.iter().copied().chain(with.iter().map(|entry| entry.seq)) {
        engine.delete_term(Term::from_field_u64(fields.seq, seq.0));
    }
    for entry in with {
        engine.add_document(fields.document(entry))?;
    }
    commit(engine, up_to)?;
    let holed: Vec<_> =
        index.load_metas()?.segments.iter().filter(|meta| meta.has_deletes()).map(SegmentMeta::id).collect();
    if !holed.is_empty() {
        engine.merge(&holed).wait()?;
    }
    engine.garbage_collect_files().wait().map(|_| ())
}

fn merge_policy() -> LogMergePolicy {
    let mut policy = LogMergePolicy::default();
    policy.set_min_layer_size(SMALL_SEGMENT);
    policy
}

fn commit(engine: &mut IndexWriter, up_to: Seq) -> tantivy::Result<()> {
    let mut prepared = engine.prepare_commit()?;
    prepared.set_payload(&up_to.to_string());
    prepared.commit().map(|_| ())
}

#[cfg(test)]
mod tests {
    use tantivy::{index::SegmentId, merge_policy::MergePolicy as _};

    use super::*;

    /// The sizes of the segments that would be merged with one another.
    fn check(sizes: &[u32], expect: &[&[u32]]) {
        let index = tantivy::Index::create_in_ram(Fields::new().schema);
        let segments: Vec<SegmentMeta> =
            sizes.iter().map(|size| index.new_segment_meta(SegmentId::generate_random(), *size)).collect();
        let size = |id: &SegmentId| segments.iter().find(|segment| segment.id() == *id).unwrap().max_doc();
        let merges = merge_policy().compute_merge_candidates(&segments);
        assert_eq!(merges.iter().map(|merge| merge.0.iter().map(size).collect::<Vec<_>>()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn small_segments_do_not_drag_large_ones_along() {
        check(&[5000, 2, 1, 1, 1, 1, 1, 1, 3], &[&[3, 2, 1, 1, 1, 1, 1, 1]]);
        check(&[5000, 2, 1, 1, 1, 1, 1, 1], &[]);
        check(&[90, 1, 1, 1, 1, 1, 1, 1], &[&[90, 1, 1, 1, 1, 1, 1, 1]]);
    }
}

use std::sync::Arc;

use model::Seq;
use tantivy::{DocId, Searcher, SegmentReader, columnar::ColumnValues};

use crate::{Error, matching::Documents, schema::SEQ};

/// A part of the index, as of a sequence.
pub(crate) struct Segment<'a> {
    /// Its place among the segments of the index.
    pub(crate) number: u32,
    pub(crate) reader: &'a SegmentReader,
    /// The sequence of each entry.
    pub(crate) sequences: Arc<dyn ColumnValues<u64>>,
    up_to: Seq,
    /// Whether no entry lies behind the sequence.
    pub(crate) is_whole: bool,
}

impl<'a> Segment<'a> {
    /// All parts of an index, those left out that begin behind the sequence.
    pub(crate) fn all(searcher: &'a Searcher, up_to: Seq) -> Result<Vec<Self>, Error> {
        let mut segments = Vec::new();
        for (reader, number) in searcher.segment_readers().iter().zip(0..) {
            let sequences = reader.fast_fields().column_first_or_default::<u64>(SEQ)?;
            if sequences.min_value() <= up_to.0 {
                let is_whole = sequences.max_value() <= up_to.0;
                segments.push(Self { number, reader, sequences, up_to, is_whole });
            }
        }
        Ok(segments)
    }

    /// Whether an entry is not behind the sequence.
    pub(crate) fn has(&self, id: DocId) -> bool {
        self.is_whole || self.sequences.get_val(id) <= self.up_to.0
    }

    /// How many of its entries are not behind the sequence.
    pub(crate) fn size(&self) -> u64 {
        if self.is_whole { self.reader.max_doc().into() } else { self.count(0..self.reader.max_doc()) }
    }

    /// How many of these entries are not behind the sequence.
    pub(crate) fn count(&self, ids: impl Iterator<Item = DocId>) -> u64 {
        ids.filter(|id| self.has(*id)).map(|_| 1).sum()
    }

    /// The entries that are not behind the sequence.
    pub(crate) fn entries(&self) -> Documents {
        if self.is_whole {
            return Documents::all(self.reader.max_doc());
        }
        let mut found = Documents::none(self.reader.max_doc());
        (0..self.reader.max_doc()).filter(|id| self.has(*id)).for_each(|id| found.insert(id));
        found
    }
}

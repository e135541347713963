use std::sync::Arc;

use model::Seq;
use tantivy::{DocId, Searcher, SegmentReader, columnar::ColumnValues};

use crate::{Error, columns, matching::Documents, schema::SEQ};

/// A part of the index, as of a sequence.
pub(crate) struct Segment<'a> {
    /// Its place among the segments of the index.
    pub(crate) number: u32,
    pub(crate) reader: &'a SegmentReader,
    /// The sequence of each entry.
    pub(crate) sequences: Arc<dyn ColumnValues<u64>>,
    /// The entries that are not behind the sequence.
    pub(crate) entries: Documents,
    /// Whether no entry lies behind the sequence.
    pub(crate) is_whole: bool,
}

impl<'a> Segment<'a> {
    /// All parts of an index, those left out that begin behind the sequence.
    pub(crate) fn all(searcher: &'a Searcher, up_to: Seq) -> Result<Vec<Self>, Error> {
        let mut segments = Vec::new();
        for (reader, number) in searcher.segment_readers().iter().zip(0..) {
            let sequences = columns::numbers::<u64>(reader, SEQ)?;
            if sequences.min_value() <= up_to.0 {
                let is_whole = sequences.max_value() <= up_to.0;
                let all = Documents::all(reader.max_doc());
                let entries =
                    if is_whole { all } else { columns::those(&*sequences, &all, |sequence| sequence <= up_to.0) };
                segments.push(Self { number, reader, sequences, entries, is_whole });
            }
        }
        Ok(segments)
    }

    /// Whether an entry is not behind the sequence.
    pub(crate) fn has(&self, id: DocId) -> bool {
        self.entries.contains(id)
    }

    /// How many of its entries are not behind the sequence.
    pub(crate) fn size(&self) -> u64 {
        if self.is_whole { self.reader.max_doc().into() } else { self.entries.len() }
    }

    /// How many of these entries are not behind the sequence.
    pub(crate) fn count(&self, entries: &Documents) -> u64 {
        if self.is_whole { entries.len() } else { entries.len_with(&self.entries) }
    }
}

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use tantivy::{index::SegmentId, schema::Field};

use crate::{Error, segment::Segment};

/// The most sums that are remembered; those of segments that were merged are never asked for again.
const MOST_REMEMBERED: usize = 10_000;

/// The lengths of fields in words, added up over segments. A segment never changes, so that the sum over a whole one is made once.
#[derive(Debug, Default)]
pub(crate) struct Lengths(Mutex<HashMap<(SegmentId, Field), u64>>);

impl Lengths {
    /// The sum over the entries of a segment that are not behind the sequence. A length is what the index keeps of it, one byte, wherever the entry
    /// lies, so that the sum does not depend on the segments.
    pub(crate) fn total(&self, segment: &Segment<'_>, field: Field) -> Result<u64, Error> {
        let key = (segment.reader.segment_id(), field);
        if segment.is_whole
            && let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key)
        {
            return Ok(*known);
        }
        let lengths = segment.reader.get_fieldnorms_reader(field)?;
        let total = segment.entries.iter().map(|id| u64::from(lengths.fieldnorm(id))).sum();
        if segment.is_whole {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST_REMEMBERED {
                known.clear();
            }
            known.insert(key, total);
        }
        Ok(total)
    }
}

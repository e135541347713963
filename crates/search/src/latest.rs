//! Of several captures of a page, the latest.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use tantivy::{DocId, columnar::ColumnValues};

use crate::{
    Error,
    budget::Budget,
    columns,
    matching::Documents,
    schema::{CAPTURED_AT, HAS_CONTENT, URI_HIGH, URI_LOW},
    segment::Segment,
};

/// The entries with content among those given, segment by segment: of each URI the latest that began at `until` or before, and of equals the one with
/// the greatest sequence.
pub(crate) fn latest(
    segments: &[Segment<'_>],
    among: &[Documents],
    until: Option<i64>,
    budget: &Budget,
) -> Result<Vec<Documents>, Error> {
    let all: Vec<Captures<'_>> = segments.iter().map(Captures::of).collect::<Result<_, Error>>()?;
    let mut meant = Vec::with_capacity(all.len());
    for (captures, among) in all.iter().zip(among) {
        budget.spend(among.len())?;
        meant.push(captures.meant(among, until));
    }
    let mut pages = Pages::for_so_many(meant.iter().map(Documents::len).sum());
    for ((captures, meant), segment) in all.iter().zip(&meant).zip(0..) {
        captures.each(meant, segment, |capture| pages.add(capture));
    }
    let mut found: Vec<Documents> = segments.iter().map(|segment| Documents::none(segment.reader.max_doc())).collect();
    for Capture { segment, id, .. } in pages.newest {
        if let Some(found) = found.get_mut(segment as usize) {
            found.insert(id);
        }
    }
    Ok(found)
}

/// One capture.
struct Capture {
    uri: (u64, u64),
    /// The later, the greater.
    order: (i64, u64),
    /// The place of its segment among the others, and its place there.
    segment: u32,
    id: DocId,
}

/// What the captures of a segment are told apart by.
struct Captures<'a> {
    sequences: &'a dyn ColumnValues<u64>,
    content: Arc<dyn ColumnValues<u64>>,
    times: Arc<dyn ColumnValues<i64>>,
    /// The two halves of the id of the URI.
    high: Arc<dyn ColumnValues<u64>>,
    low: Arc<dyn ColumnValues<u64>>,
}

impl<'a> Captures<'a> {
    fn of(segment: &'a Segment<'_>) -> Result<Self, Error> {
        Ok(Self {
            sequences: &*segment.sequences,
            content: columns::numbers(segment.reader, HAS_CONTENT)?,
            times: columns::numbers(segment.reader, CAPTURED_AT)?,
            high: columns::numbers(segment.reader, URI_HIGH)?,
            low: columns::numbers(segment.reader, URI_LOW)?,
        })
    }

    /// Those among them that have content and began in time.
    fn meant(&self, among: &Documents, until: Option<i64>) -> Documents {
        let mut meant = among.clone();
        if self.content.min_value() == 0 {
            meant.retain(&columns::those(&*self.content, &meant, |content| content == 1));
        }
        if let Some(until) = until.filter(|until| *until < self.times.max_value()) {
            meant.retain(&columns::those(&*self.times, &meant, |time| time <= until));
        }
        meant
    }

    /// Tells those among them. Numbers are read in the order in which they lie, which is many times faster than here and there.
    fn each(&self, among: &Documents, segment: u32, mut each: impl FnMut(Capture)) {
        let (mut high, mut low, mut times, mut sequences) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        among.in_batches(|ids| {
            for (of, numbers) in [(&*self.high, &mut high), (&*self.low, &mut low), (self.sequences, &mut sequences)] {
                numbers.resize(ids.len(), 0);
                of.get_vals(ids, numbers);
            }
            times.resize(ids.len(), 0);
            self.times.get_vals(ids, &mut times);
            for ((&id, uri), order) in
                ids.iter().zip(high.iter().zip(&low)).zip(times.iter().copied().zip(sequences.iter().copied()))
            {
                each(Capture { uri: (*uri.0, *uri.1), order, segment, id });
            }
        });
    }
}

/// The newest capture of each page: a table of open addressing over a list.
struct Pages {
    newest: Vec<Capture>,
    /// One more than the place in the list; 0 where there is none.
    table: Vec<u32>,
    /// An odd number by chance: whoever can choose URIs cannot choose which of them meet in the table (Dietzfelbinger et al., *A Reliable
    /// Randomized Algorithm for the Closest-Pair Problem*, 1997).
    factor: u64,
    shift: u32,
}

impl Pages {
    fn for_so_many(captures: u64) -> Self {
        // At most half full, so that ways are short; at least two places, so that the shift is one.
        let bits = (captures.max(1) * 2).next_power_of_two().ilog2();
        let factor = RandomState::new().hash_one(captures) | 1;
        Self { newest: Vec::new(), table: vec![0; 1 << bits], factor, shift: u64::BITS - bits }
    }

    fn add(&mut self, capture: Capture) {
        let mut at = usize::try_from(capture.uri.0.wrapping_mul(self.factor) >> self.shift).unwrap_or_default();
        while let Some(slot) = self.table.get_mut(at) {
            let Some(known) = slot.checked_sub(1) else {
                self.newest.push(capture);
                *slot = u32::try_from(self.newest.len()).unwrap_or(u32::MAX);
                return;
            };
            if let Some(known) = self.newest.get_mut(known as usize).filter(|known| known.uri == capture.uri) {
                if known.order < capture.order {
                    *known = capture;
                }
                return;
            }
            at = (at + 1) & (self.table.len() - 1);
        }
    }
}

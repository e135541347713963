use tantivy::DocId;

/// How many documents are told at once, at least, where there are so many.
const BATCH: usize = 128;

/// A set of documents of one segment, a bit for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Documents {
    blocks: Vec<u64>,
    len: u32,
}

impl Documents {
    /// No document of a segment of `len`.
    pub(crate) fn none(len: u32) -> Self {
        Self { blocks: vec![0; len.div_ceil(u64::BITS) as usize], len }
    }

    /// Every document of a segment of `len`.
    pub(crate) fn all(len: u32) -> Self {
        Self::none(len).complement()
    }

    /// Adds a document; one that the segment does not have is left out.
    pub(crate) fn insert(&mut self, id: DocId) {
        let block = self.blocks.get_mut((id / u64::BITS) as usize).filter(|_| id < self.len);
        if let Some(block) = block {
            *block |= 1 << (id % u64::BITS);
        }
    }

    /// Adds documents, each as [`Documents::insert`] does.
    pub(crate) fn insert_all(&mut self, ids: &[DocId]) {
        for id in ids {
            self.insert(*id);
        }
    }

    /// Adds all documents of `other`, which is of the same segment.
    pub(crate) fn add(&mut self, other: &Self) {
        self.blocks.iter_mut().zip(&other.blocks).for_each(|(block, other)| *block |= other);
    }

    /// Keeps only those documents that are in `other` too, which is of the same segment.
    pub(crate) fn retain(&mut self, other: &Self) {
        self.blocks.iter_mut().zip(&other.blocks).for_each(|(block, other)| *block &= other);
    }

    /// The documents of the segment that are not in this set.
    #[must_use]
    pub(crate) fn complement(mut self) -> Self {
        self.blocks.iter_mut().for_each(|block| *block = !*block);
        let beyond = self.len % u64::BITS;
        if let Some(last) = self.blocks.last_mut().filter(|_| beyond > 0) {
            *last &= (1 << beyond) - 1;
        }
        self
    }

    /// How many documents there are.
    pub(crate) fn len(&self) -> u64 {
        self.blocks.iter().map(|block| u64::from(block.count_ones())).sum()
    }

    /// How many documents are in `other` too, which is of the same segment.
    pub(crate) fn len_with(&self, other: &Self) -> u64 {
        self.blocks.iter().zip(&other.blocks).map(|(a, b)| u64::from((a & b).count_ones())).sum()
    }

    /// How many documents the segment has.
    pub(crate) const fn of(&self) -> u32 {
        self.len
    }

    /// Whether a document is in the set.
    pub(crate) fn contains(&self, id: DocId) -> bool {
        self.blocks.get((id / u64::BITS) as usize).is_some_and(|block| block >> (id % u64::BITS) & 1 == 1)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.iter().all(|&block| block == 0)
    }

    /// The documents in the order in which they lie.
    pub(crate) fn iter(&self) -> impl Iterator<Item = DocId> {
        self.blocks.iter().zip((0..).step_by(u64::BITS as usize)).flat_map(|(&block, first)| {
            let mut rest = block;
            std::iter::from_fn(move || {
                let next = rest.trailing_zeros();
                rest &= rest.wrapping_sub(1);
                (next < u64::BITS).then_some(first + next)
            })
        })
    }

    /// Tells the documents in the order in which they lie, many at a time: what asks once for many of them is sooner done.
    pub(crate) fn in_batches(&self, mut each: impl FnMut(&[DocId])) {
        let mut batch = Vec::with_capacity(BATCH + u64::BITS as usize);
        for (&block, first) in self.blocks.iter().zip((0..).step_by(u64::BITS as usize)) {
            let mut rest = block;
            while rest != 0 {
                batch.push(first + rest.trailing_zeros());
                rest &= rest.wrapping_sub(1);
            }
            if batch.len() >= BATCH {
                each(&batch);
                batch.clear();
            }
        }
        if !batch.is_empty() {
            each(&batch);
        }
    }

    /// Tells the documents stretch by stretch: where each stretch of so many blocks of 64 begins, and which documents lie in it.
    /// Stretches without any are left out.
    pub(crate) fn in_stretches(&self, blocks: usize, mut each: impl FnMut(DocId, &[DocId])) {
        let mut stretch = Vec::new();
        let step = blocks * u64::BITS as usize;
        for (blocks, begin) in self.blocks.chunks(blocks).zip((0..).step_by(step)) {
            stretch.clear();
            for (&block, first) in blocks.iter().zip((begin..).step_by(u64::BITS as usize)) {
                let mut rest = block;
                while rest != 0 {
                    stretch.push(first + rest.trailing_zeros());
                    rest &= rest.wrapping_sub(1);
                }
            }
            if !stretch.is_empty() {
                each(begin, &stretch);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(len: u32, ids: &[u32]) -> Documents {
        let mut set = Documents::none(len);
        for &id in ids {
            set.insert(id);
        }
        set
    }

    #[test]
    fn sets_behave_as_sets() {
        for len in [0, 1, 63, 64, 65, 128, 200] {
            let every: Vec<u32> = (0..len).collect();
            assert_eq!(Documents::all(len).iter().collect::<Vec<_>>(), every);
            let (even, odd): (Vec<u32>, Vec<u32>) = every.iter().partition(|&id| id % 2 == 0);
            assert_eq!(set(len, &even).complement(), set(len, &odd));
            for ids in [&every, &even, &Vec::new()] {
                let (of, mut batches, mut stretches) = (set(len, ids), Vec::new(), Vec::new());
                of.in_batches(|batch| batches.extend_from_slice(batch));
                of.in_stretches(2, |begin, stretch| {
                    assert!(stretch.iter().all(|id| (begin..begin + 128).contains(id)));
                    stretches.extend_from_slice(stretch);
                });
                assert_eq!((&batches, &stretches), (ids, ids));
            }
            assert_eq!(set(len, &even).len_with(&Documents::all(len)), even.len() as u64);
            assert_eq!(set(len, &even).len_with(&set(len, &odd)), 0);
            let mut both = set(len, &even);
            both.add(&set(len, &odd));
            assert_eq!(both, Documents::all(len));
            both.retain(&set(len, &odd));
            assert_eq!(both.iter().collect::<Vec<_>>(), odd);
            both.retain(&set(len, &even));
            assert!(both.is_empty());
        }
    }

    #[test]
    fn a_document_beyond_the_segment_is_none() {
        assert!(set(65, &[65, 127, 128, u32::MAX]).is_empty());
    }
}

//! Words that stand near each other.

use tantivy::{
    DocSet, Term,
    postings::{Postings as _, SegmentPostings},
    schema::{Field, IndexRecordOption},
};

use super::{Documents, Matcher};
use crate::{Error, segment::Segment};

/// A word that must be there so many times.
struct Needed {
    postings: SegmentPostings,
    times: usize,
    positions: Vec<u32>,
}

impl Matcher<'_> {
    /// The entries among these in which a stretch of the field holds all of the words, in any order, and at most so many others.
    pub(super) fn with_near(
        &self,
        field: Field,
        words: &[String],
        others: u32,
        segment: &Segment<'_>,
        among: &Documents,
    ) -> Result<Documents, Error> {
        let mut found = Documents::none(segment.reader.max_doc());
        let mut candidates = segment.entries.clone();
        candidates.retain(among);
        let mut needed = Vec::new();
        let mut distinct: Vec<&String> = words.iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let inverted = segment.reader.inverted_index(field)?;
        for word in distinct {
            let term = Term::from_field_text(field, word);
            candidates.retain(&self.with_term(&term, segment)?);
            let postings = inverted.read_postings(&term, IndexRecordOption::WithFreqsAndPositions)?;
            let times = words.iter().filter(|other| *other == word).count();
            needed.extend(postings.map(|postings| Needed { postings, times, positions: Vec::new() }));
        }
        let longest = u32::try_from(words.len()).unwrap_or(u32::MAX).saturating_add(others);
        for id in candidates.iter() {
            let mut places = Vec::new();
            for (number, needed) in needed.iter_mut().enumerate() {
                if needed.postings.doc() < id {
                    needed.postings.seek(id);
                }
                needed.postings.positions(&mut needed.positions);
                places.extend(needed.positions.iter().map(|&position| (position, number)));
            }
            self.budget.spend(places.len() as u64)?;
            places.sort_unstable();
            let times: Vec<usize> = needed.iter().map(|needed| needed.times).collect();
            if is_within(&places, &times, longest) {
                found.insert(id);
            }
        }
        Ok(found)
    }
}

/// Whether a stretch of so many words holds each of the words as often as it is needed. Places are in order, each with the number of its word.
fn is_within(places: &[(u32, usize)], times: &[usize], longest: u32) -> bool {
    let mut held = vec![0_usize; times.len()];
    let mut first = 0;
    for &(position, number) in places {
        if let Some(held) = held.get_mut(number) {
            *held += 1;
        }
        while let Some(&(_, other)) = places.get(first).filter(|(begin, _)| position - begin >= longest) {
            if let Some(held) = held.get_mut(other) {
                *held -= 1;
            }
            first += 1;
        }
        if held.iter().zip(times).all(|(held, times)| held >= times) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn a_stretch_holds_each_word_as_often_as_needed() {
        let places = [(1, 0), (4, 1), (9, 0), (10, 0)];
        assert!(is_within(&places, &[1, 1], 4) && !is_within(&places, &[1, 1], 3));
        assert!(is_within(&places, &[2, 0], 2) && !is_within(&places, &[3, 0], 9));
        assert!(is_within(&places, &[2, 1], 7) && !is_within(&places, &[2, 1], 6));
    }
}

use std::collections::HashMap;

/// How many numbers are counted at hand: most matches are of a few targets and of the same days.
const AT_HAND: usize = 1024;

/// How often each number was met.
///
/// A number has one place at hand, by its low bits. Whoever comes to a place that is taken sends the other's count to the rest.
pub(super) struct Tally {
    at_hand: Vec<(u64, u64)>,
    rest: HashMap<u64, u64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { at_hand: vec![(0, 0); AT_HAND], rest: HashMap::new() }
    }
}

impl Tally {
    pub(super) fn add(&mut self, number: u64) {
        let place = usize::try_from(number % AT_HAND as u64).unwrap_or_default();
        let Some((held, count)) = self.at_hand.get_mut(place) else { return };
        if *held == number {
            *count += 1;
            return;
        }
        if *count > 0 {
            *self.rest.entry(*held).or_default() += *count;
        }
        (*held, *count) = (number, 1);
    }

    /// Each number, once, and how often it was met.
    pub(super) fn into_counts(self) -> impl Iterator<Item = (u64, u64)> {
        let mut counts = self.rest;
        for (number, count) in self.at_hand.into_iter().filter(|(_, count)| *count > 0) {
            *counts.entry(number).or_default() += count;
        }
        counts.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn numbers_that_share_a_place_are_counted_apart() {
        let numbers = [3, 3 + 1024, 3, 0, u64::MAX, 3 + 1024, 3 + 1024, 1024, 0];
        let mut tally = Tally::default();
        let mut expect = BTreeMap::new();
        for number in numbers {
            tally.add(number);
            *expect.entry(number).or_default() += 1;
        }
        assert_eq!(tally.into_counts().collect::<BTreeMap<_, _>>(), expect);
    }
}

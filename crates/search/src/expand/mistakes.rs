//! How far one word is from another.

/// Whether `other` has at most so many mistakes: a letter too many, one missing, another one, or two neighbours in the wrong order (optimal string
/// alignment).
pub(super) fn has_at_most(mistakes: usize, word: &[char], other: &str) -> bool {
    let len = other.chars().count();
    if word.len().abs_diff(len) > mistakes {
        return false;
    }
    // Rows of the usual table: the distances between the beginnings of both words.
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=word.len()).collect();
    let mut previous = None;
    for (row, c) in (1..).zip(other.chars()) {
        let mut next = Vec::with_capacity(last.len());
        next.push(row);
        for (at, &wanted) in word.iter().enumerate() {
            let cost = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut least = (cost(&last, at) + usize::from(c != wanted)).min(cost(&last, at + 1) + 1);
            least = least.min(cost(&next, at) + 1);
            let is_swapped = at > 0 && previous == Some(wanted) && word.get(at - 1) == Some(&c);
            if is_swapped {
                least = least.min(cost(&before_last, at - 1) + 1);
            }
            next.push(least);
        }
        if next.iter().all(|&cost| cost > mistakes) {
            return false;
        }
        before_last = std::mem::replace(&mut last, next);
        previous = Some(c);
    }
    last.last().is_some_and(|&cost| cost <= mistakes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(word: &str, other: &str, mistakes: usize) {
        let word: Vec<char> = word.chars().collect();
        assert!(has_at_most(mistakes, &word, other), "{word:?} {other}");
        assert!(mistakes == 0 || !has_at_most(mistakes - 1, &word, other), "{word:?} {other}");
    }

    #[test]
    fn mistakes_are_counted() {
        check("lantern", "lantern", 0);
        check("lantern", "lanterns", 1);
        check("lantern", "lanter", 1);
        check("lantern", "lantarn", 1);
        check("lantern", "latnern", 1);
        check("lantern", "lan", 4);
        check("нож", "ноши", 2);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_which_of_two_words_is_wrong(a in "[ab]{0,6}", b in "[ab]{0,6}", mistakes in 0..3_usize) {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(has_at_most(mistakes, &chars(&a), &b), has_at_most(mistakes, &chars(&b), &a));
        }
    }
}

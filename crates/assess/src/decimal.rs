use std::{cmp::Ordering, fmt};

/// The most digits of an amount.
const MAX_DIGITS: usize = 40;

/// An amount as it is written in decimal digits, not negative: 0.1 is exactly 0.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    /// The digits before the point, without zeros in front.
    whole: String,
    /// The digits behind it, without zeros at the end.
    fraction: String,
}

impl Decimal {
    /// Reads digits with at most one point among them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (text, ""),
        };
        let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let fits = !whole.is_empty() && whole.len() + fraction.len() <= MAX_DIGITS;
        (fits && is_digits(whole) && is_digits(fraction)).then(|| Self {
            whole: whole.trim_start_matches('0').to_owned(),
            fraction: fraction.trim_end_matches('0').to_owned(),
        })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.whole
            .len()
            .cmp(&other.whole.len())
            .then_with(|| self.whole.cmp(&other.whole))
            .then_with(|| self.fraction.cmp(&other.fraction))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.whole.is_empty() { "0" } else { &self.whole })?;
        if self.fraction.is_empty() { Ok(()) } else { write!(f, ".{}", self.fraction) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn amounts_are_compared_exactly() {
        assert_eq!(decimal("0100.50"), decimal("100.5"));
        assert!(decimal("0.1") > decimal("0.0999999999999999999999999"));
        assert!(decimal("9") < decimal("10"));
        assert!(decimal("9.9") < decimal("9.91"));
        assert_eq!(decimal("000").to_string(), "0");
        assert_eq!(decimal("0.050").to_string(), "0.05");
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,000", "1.2.3", "٣", &"9".repeat(41)] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn order_is_that_of_numbers(a in 0_u64..10_000_000, b in 0_u64..10_000_000) {
            let written = |n: u64| decimal(&format!("{}.{:04}", n / 10_000, n % 10_000));
            proptest::prop_assert_eq!(written(a).cmp(&written(b)), a.cmp(&b));
        }
    }
}

//! Prices as the index compares them. Amounts of different currencies are never compared.

/// The decimals of an amount that are kept: what a bitcoin has.
const DECIMALS: usize = 8;

/// Units of the amount one.
const UNIT: u64 = 100_000_000;

/// The longest name of a currency.
const MAX_CURRENCY: usize = 8;

/// An amount in hundred-millionths, what is smaller left out; `None` when it is no decimal number, or too large.
pub(crate) fn units(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let kept = fraction.get(..DECIMALS).unwrap_or(fraction);
    let units: u64 = format!("{kept:0<DECIMALS$}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(UNIT)?.checked_add(units)
}

/// The letters of a currency as a number whose order is theirs; `None` when these are no such letters.
pub(crate) fn currency(name: &str) -> Option<u64> {
    let is_name = (2..=MAX_CURRENCY).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut bytes = [0; MAX_CURRENCY];
    let upper = name.to_ascii_uppercase();
    bytes.iter_mut().zip(upper.bytes()).for_each(|(to, from)| *to = from);
    is_name.then(|| u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_eight_decimals() {
        let check = |text: &str, expect: Option<u64>| assert_eq!(units(text), expect, "{text}");
        check("12.5", Some(1_250_000_000));
        check("0.00000001", Some(1));
        check("0.000000019", Some(1));
        check("007", Some(700_000_000));
        for bad in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,0", "999999999999999", "٣"] {
            check(bad, None);
        }
    }

    #[test]
    fn currencies_are_in_the_order_of_their_letters() {
        assert!(currency("BTC") < currency("EUR") && currency("eur") == currency("EUR"));
        assert!(currency("USD") < currency("USDT"));
        for bad in ["", "E", "€€", "TOOLONGNAME"] {
            assert_eq!(currency(bad), None, "{bad}");
        }
    }
}

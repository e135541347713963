use std::{borrow::Cow, ops::Range};

use model::Price;

/// Digits of the longest number that is read as an amount.
const MAX_DIGITS: usize = 24;

/// A price in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) price: Price,
    /// Where it stands, currency included, in bytes.
    pub(super) at: Range<usize>,
}

/// The longest name of a currency, in characters.
const MAX_NAME: usize = 9;

/// The currency of a name that sites give it: ISO 4217, the letters of coins, words in some languages.
fn of_name(name: &str) -> Option<&'static str> {
    let mut buffer = [0; 4 * MAX_NAME];
    let lower = if name.is_ascii() {
        let lower = buffer.get_mut(..name.len())?;
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        std::str::from_utf8(lower).ok()?
    } else {
        &name.to_lowercase()
    };
    let code = match lower {
        "usd" | "dollar" | "dollars" => "USD",
        "eur" | "euro" | "euros" => "EUR",
        "gbp" => "GBP",
        "aud" => "AUD",
        "cad" => "CAD",
        "chf" => "CHF",
        "sek" => "SEK",
        "nok" => "NOK",
        "dkk" => "DKK",
        "pln" | "zł" => "PLN",
        "czk" => "CZK",
        "jpy" => "JPY",
        "cny" => "CNY",
        "inr" => "INR",
        "brl" => "BRL",
        "nzd" => "NZD",
        "zar" => "ZAR",
        "uah" => "UAH",
        "rub" | "rur" | "rubles" | "руб" | "рублей" | "рубля" => "RUB",
        "btc" | "xbt" | "bitcoin" | "bitcoins" | "ƀ" => "BTC",
        "mbtc" => "mBTC",
        "xmr" | "monero" | "ɱ" => "XMR",
        "ltc" | "litecoin" | "ł" => "LTC",
        "eth" | "ξ" => "ETH",
        "bch" => "BCH",
        "dash" => "DASH",
        "doge" => "DOGE",
        "zec" => "ZEC",
        "usdt" => "USDT",
        _ => return None,
    };
    Some(code)
}

/// The currency of a sign. The letters in front of a dollar say whose it is.
fn of_sign(sign: char, letters: &str) -> Option<&'static str> {
    let code = match sign {
        '$' => match letters.to_ascii_lowercase().as_str() {
            "c" | "ca" => "CAD",
            "a" | "au" => "AUD",
            "nz" => "NZD",
            _ => "USD",
        },
        '€' => "EUR",
        '£' => "GBP",
        '¥' => "JPY",
        '₽' => "RUB",
        '₴' => "UAH",
        '₿' | '฿' => "BTC",
        _ => return None,
    };
    Some(code)
}

/// Whether a currency is a coin: people write its amounts with many decimals.
pub(super) fn is_coin(currency: &str) -> bool {
    matches!(currency, "BTC" | "mBTC" | "XMR" | "LTC" | "ETH" | "BCH" | "DASH" | "DOGE" | "ZEC")
}

/// The currency that a text names and nothing else.
pub(super) fn currency(text: &str) -> Option<&'static str> {
    let (code, rest) = leading(text.trim())?;
    rest.trim_matches(|c: char| c.is_whitespace() || c == '.').is_empty().then_some(code)
}

/// The first prices in `text`, in order: an amount with its currency before or behind it.
pub(super) fn prices(text: &str, most: usize) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut from = 0;
    while found.len() < most
        && let Some(start) = digit(text, from)
    {
        let end = number_end(text, start);
        from = end;
        let before = text.get(..start).unwrap_or_default();
        let after = text.get(end..).unwrap_or_default();
        if before.chars().next_back().is_some_and(|c| c.is_alphanumeric() && trailing(before).is_none()) {
            continue;
        }
        let least = found.last().map_or(0, |found| found.at.end);
        let ahead = trailing(before).filter(|(_, length)| start - length >= least);
        let behind = leading(strip_spaces(after)).map(|(code, rest)| (code, end + after.len() - rest.len()));
        let (currency, at) = match (ahead, behind) {
            // The letters say more than the sign: `$12 AUD`.
            (Some(("USD", length)), Some((code, end)))
                if before.trim_end().ends_with('$') && code != "USD" && !is_coin(code) =>
            {
                (code, start - length..end)
            }
            (Some((code, length)), _) => (code, start - length..end),
            (None, Some((code, end))) => (code, start..end),
            (None, None) => continue,
        };
        let Some(amount) = amount(text.get(start..end).unwrap_or_default(), currency) else { continue };
        from = at.end.max(end);
        found.push(Found { price: Price { amount, currency: Cow::Borrowed(currency) }, at });
    }
    found
}

/// The first digit from a place on.
fn digit(text: &str, from: usize) -> Option<usize> {
    text.as_bytes().get(from..)?.iter().position(u8::is_ascii_digit).map(|at| from + at)
}

/// Where the number ends that begins at `start`: digits, with single separators between them. A space is one only before three digits.
fn number_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = start;
    while is_digit(end) {
        end += 1;
    }
    let may_group = end - start <= 3;
    loop {
        let (width, is_space) = match bytes.get(end..) {
            Some([b'.' | b',', ..]) => (1, false),
            Some([b' ' | b'\'', ..]) => (1, true),
            Some([0xC2, 0xA0, ..]) => (2, true),
            Some([0xE2, 0x80, 0xAF | 0x99 | 0x89, ..]) => (3, true),
            _ => return end,
        };
        let next = end + width;
        let digits = (next..next + 4).take_while(|&at| is_digit(at)).count();
        if digits == 0 || is_space && !(may_group && digits == 3) {
            return end;
        }
        end = next;
        while is_digit(end) {
            end += 1;
        }
    }
}

/// The number as decimal digits. One separator alone parts thousands where exactly three digits follow and the currency has no such fractions.
fn amount(number: &str, currency: &str) -> Option<String> {
    if number.len() > MAX_DIGITS {
        return None;
    }
    let points = number.bytes().filter(|&byte| byte == b'.').count();
    let commas = number.bytes().filter(|&byte| byte == b',').count();
    let parts_thousands = |sign: char| {
        number.rsplit_once(sign).is_some_and(|(whole, rest)| {
            rest.len() == 3 && !is_coin(currency) && !whole.starts_with('0') && whole.len() <= 3
        })
    };
    let decimal = match (points, commas) {
        (1, 0) => (!parts_thousands('.')).then_some('.'),
        (0, 1) => (!parts_thousands(',')).then_some(','),
        // None, or several of one sign: these part thousands.
        (_, 0) | (0, _) => None,
        _ if number.rfind('.') > number.rfind(',') => Some('.'),
        _ => Some(','),
    };
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let amount = match decimal.and_then(|sign| number.rsplit_once(sign)) {
        Some((whole, rest)) => format!("{}.{}", digits(whole), digits(rest)),
        None => digits(number),
    };
    Some(amount)
}

/// The currency that a text begins with, and what follows.
fn leading(text: &str) -> Option<(&'static str, &str)> {
    let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    let (letters, rest) = text.split_at(end);
    if let Some(sign) = rest.chars().next().filter(|_| letters.len() <= 2)
        && let Some(code) = of_sign(sign, letters)
    {
        return Some((code, rest.get(sign.len_utf8()..)?));
    }
    let is_whole = !rest.starts_with(|c: char| c.is_ascii_digit());
    Some((of_name(letters).filter(|_| is_whole && !letters.is_empty())?, rest))
}

/// The currency that a text ends with but for spaces, and the length of both.
fn trailing(text: &str) -> Option<(&'static str, usize)> {
    let trimmed = text.trim_end_matches([' ', '\u{A0}', ':']);
    if text.len() - trimmed.len() > 4 {
        return None;
    }
    let last = trimmed.chars().next_back()?;
    let before = if last.is_alphabetic() { trimmed } else { trimmed.strip_suffix(last)? };
    let letters: usize =
        before.chars().rev().take(MAX_NAME + 1).take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
    let start = before.len() - letters;
    let letters = before.get(start..)?;
    if last.is_alphabetic() {
        return Some((of_name(letters)?, text.len() - start));
    }
    let code = of_sign(last, letters)?;
    let has_letters = last == '$' && letters.len() <= 2;
    Some((code, if has_letters { text.len() - start } else { text.len() - before.len() }))
}

fn strip_spaces(text: &str) -> &str {
    let stripped = text.trim_start_matches([' ', '\u{A0}']);
    if text.len() - stripped.len() <= 4 { stripped } else { "" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let found: Vec<String> = prices(text, 99).iter().map(|found| found.price.to_string()).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn currencies_stand_before_or_behind() {
        check("USD 412.50, 0.05 BTC, €12 and 12 руб.", &["412.50 USD", "0.05 BTC", "12 EUR", "12 RUB"]);
        check("฿0.0123 ($20)", &["0.0123 BTC", "20 USD"]);
        check("485.00 USD/112g (0.05199685 BTC/112g)", &["485.00 USD", "0.05199685 BTC"]);
        check("0.1 BTC / 2 LTC / 3 XMR", &["0.1 BTC", "2 LTC", "3 XMR"]);
        check("BTC 0.1 / LTC 2", &["0.1 BTC", "2 LTC"]);
        check("US$ 5, $12 AUD, C$7, 10 euro, Ƀ0.5", &["5 USD", "12 AUD", "7 CAD", "10 EUR", "0.5 BTC"]);
    }

    #[test]
    fn separators_are_read_as_people_write_them() {
        check("USD 9,478.97", &["9478.97 USD"]);
        check("1.234,50 EUR", &["1234.50 EUR"]);
        check("1 234,50 ₽", &["1234.50 RUB"]);
        check("CHF 1'234.50", &["1234.50 CHF"]);
        check("1,234 USD and 1.234.567 EUR", &["1234 USD", "1234567 EUR"]);
        check("0,123 BTC and 1.125 XMR and $0.125", &["0.123 BTC", "1.125 XMR", "0.125 USD"]);
        check("12,5 €", &["12.5 EUR"]);
        check("5 100 USD pieces", &["5100 USD"]);
        check("20 50 USD", &["50 USD"]);
    }

    #[test]
    fn other_numbers_are_no_prices() {
        check("12 pieces, 2031-02-03, X500 USD, 5 usdoodles, 7 ethers, 99.31%", &[]);
        check("12\nUSD", &[]);
        check(&format!("{} USD", "9".repeat(60)), &[]);
    }

    #[test]
    fn a_currency_may_stand_alone() {
        assert_eq!(
            (currency(" USD "), currency("руб."), currency("USD 5"), currency("x")),
            (Some("USD"), Some("RUB"), None, None)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[0-9 .,$€usdbtcUSD'\u{A0}฿é\n]{0,60}") {
            let mut last = 0;
            for found in prices(&text, 99) {
                prop_assert!(found.at.start >= last && text.get(found.at.clone()).is_some());
                prop_assert!(found.price.amount.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
                last = found.at.end;
            }
        }

        #[test]
        fn what_is_written_is_read(whole in 0..10_000_000_u64, cents in 0..100_u64, grouped: bool) {
            let mut digits = whole.to_string();
            if grouped {
                let mut at = digits.len();
                while at > 3 {
                    at -= 3;
                    digits.insert(at, ',');
                }
            }
            let text = format!("Price: {digits}.{cents:02} USD");
            let found = prices(&text, 99);
            prop_assert_eq!(&found[0].price.amount, &format!("{whole}.{cents:02}"));
        }
    }
}

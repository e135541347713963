//! Numbers with a check of their own: IBANs and payment cards.

use std::ops::Range;

use model::{Grade, ObservableKind};

use super::{Finds, Found, words::Words};

/// Countries of the IBAN registry (ISO 13616) and the length of their IBANs.
#[rustfmt::skip]
const COUNTRIES: [(&[u8; 2], usize); 89] = [
    (b"AD", 24), (b"AE", 23), (b"AL", 28), (b"AT", 20), (b"AZ", 28), (b"BA", 20), (b"BE", 16), (b"BG", 22), (b"BH", 22), (b"BI", 27),
    (b"BR", 29), (b"BY", 28), (b"CH", 21), (b"CR", 22), (b"CY", 28), (b"CZ", 24), (b"DE", 22), (b"DJ", 27), (b"DK", 18), (b"DO", 28),
    (b"EE", 20), (b"EG", 29), (b"ES", 24), (b"FI", 18), (b"FK", 18), (b"FO", 18), (b"FR", 27), (b"GB", 22), (b"GE", 22), (b"GI", 23),
    (b"GL", 18), (b"GR", 27), (b"GT", 28), (b"HN", 28), (b"HR", 21), (b"HU", 28), (b"IE", 22), (b"IL", 23), (b"IQ", 23), (b"IS", 26),
    (b"IT", 27), (b"JO", 30), (b"KW", 30), (b"KZ", 20), (b"LB", 28), (b"LC", 32), (b"LI", 21), (b"LT", 20), (b"LU", 20), (b"LV", 21),
    (b"LY", 25), (b"MC", 27), (b"MD", 24), (b"ME", 22), (b"MK", 19), (b"MN", 20), (b"MR", 27), (b"MT", 31), (b"MU", 30), (b"NI", 28),
    (b"NL", 18), (b"NO", 15), (b"OM", 23), (b"PK", 24), (b"PL", 28), (b"PS", 29), (b"PT", 25), (b"QA", 29), (b"RO", 24), (b"RS", 22),
    (b"RU", 33), (b"SA", 24), (b"SC", 31), (b"SD", 18), (b"SE", 24), (b"SI", 19), (b"SK", 24), (b"SM", 27), (b"SO", 23), (b"ST", 25),
    (b"SV", 28), (b"TL", 23), (b"TN", 24), (b"TR", 26), (b"UA", 29), (b"VA", 22), (b"VG", 24), (b"XK", 20), (b"YE", 30),
];

pub(super) fn find(words: &Words<'_>, whole_cards: bool, out: &mut Finds) {
    for word in 0..words.len() {
        let at = words.at(word);
        let bytes = words.text.as_bytes().get(at.clone()).unwrap_or_default();
        match bytes {
            [a, b, c, d, ..]
                if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit() =>
            {
                out.extend(iban(words, word));
            }
            [b'2'..=b'6', ..] if bytes.len() >= 4 && bytes.iter().all(u8::is_ascii_digit) => {
                out.extend(card(words, word, whole_cards));
            }
            _ => {}
        }
    }
}

fn iban(words: &Words<'_>, word: usize) -> Option<Found> {
    let country = words.slice(words.at(word).start..words.at(word).start + 2).to_ascii_uppercase();
    let &(_, len) = COUNTRIES.iter().find(|(known, _)| known.as_slice() == country.as_bytes())?;
    let (value, at) = joined(words, word, len)?;
    let value = value.to_ascii_uppercase();
    (value.len() == len && has_mod_97(&value)).then(|| Found::new(ObservableKind::Iban, Grade::Verified, at, value))
}

/// Words from `word` on, each a single space or hyphen from the one before it, until they hold at least `len` characters.
fn joined(words: &Words<'_>, word: usize, len: usize) -> Option<(String, Range<usize>)> {
    let at = words.at(word);
    if at.len() > len {
        return None;
    }
    let mut value = words.word(word).to_owned();
    let mut last = word;
    while value.len() < len && matches!(words.gap(last), " " | "-" | "\u{A0}") {
        last += 1;
        let next = words.at(last);
        if next.is_empty() || next.len() > len {
            break;
        }
        value.push_str(words.word(last));
    }
    value.is_ascii().then(|| (value, at.start..words.at(last).end))
}

/// ISO 7064, MOD 97-10, over the number with its first four characters at the end and letters as numbers from 10 on.
fn has_mod_97(iban: &str) -> bool {
    let bytes = iban.as_bytes();
    let (Some(head), Some(tail)) = (bytes.get(..4), bytes.get(4..)) else { return false };
    let rest = tail.iter().chain(head).fold(0u32, |rest, &byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.to_ascii_uppercase().saturating_sub(b'A')) + 10) % 97,
    });
    rest == 1
}

fn card(words: &Words<'_>, word: usize, whole: bool) -> Option<Found> {
    let at = words.at(word);
    // A number within a larger one, such as an amount, is no card.
    if matches!(words.byte_before(at.start), b'-' | b'.' | b',' | b'+' | b'_' | b'$') {
        return None;
    }
    for len in [16, 15, 14, 19, 18, 17, 13] {
        let Some((digits, at)) = joined(words, word, len) else { continue };
        let is_card = digits.len() == len
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && is_issued(&digits)
            && has_luhn(&digits)
            && is_grouped(words.slice(at.clone()));
        if is_card {
            let value = if whole { digits } else { masked(&digits) };
            return Some(Found::new(ObservableKind::PaymentCard, Grade::Verified, at, value));
        }
    }
    None
}

/// Whether the groups are those of cards: one, or several of three digits and more.
fn is_grouped(raw: &str) -> bool {
    raw.split([' ', '-', '\u{A0}']).all(|group| group.len() >= 3)
}

/// Whether a network issues numbers that begin so and are so long.
fn is_issued(digits: &str) -> bool {
    let first = |n: usize| digits.get(..n).and_then(|head| head.parse::<u32>().ok()).unwrap_or(0);
    match digits.len() {
        13 | 18 => first(1) == 4,
        14 => matches!(first(3), 300..=305 | 309) || matches!(first(2), 36 | 38 | 39),
        15 => matches!(first(2), 34 | 37),
        16 => {
            first(1) == 4
                || matches!(first(2), 51..=55 | 62 | 65)
                || matches!(first(3), 644..=649)
                || matches!(first(4), 2200..=2204 | 2221..=2720 | 3528..=3589 | 5018 | 5020 | 5038 | 6011 | 6304 | 6759 | 6761..=6763)
        }
        17 | 19 => first(1) == 4 || first(2) == 62,
        _ => false,
    }
}

/// ISO/IEC 7812-1, annex B.
fn has_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0') * if place % 2 == 1 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

fn masked(digits: &str) -> String {
    let shown = |place: usize| place < 6 || place + 4 >= digits.len();
    digits.char_indices().map(|(place, digit)| if shown(place) { digit } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_and_mod_97() {
        assert!(has_luhn("4111111111111111") && !has_luhn("4111111111111112"));
        assert!(has_mod_97("NL91ABNA0417164300") && !has_mod_97("NL92ABNA0417164300"));
    }
}

//! Telephone numbers in any notation: grouped by spaces, hyphens, dots and brackets, with or without a country code, and in words.

use std::{ops::Range, str::FromStr};

use model::{Grade, ObservableKind};
use phonenumber::{Mode, country};

use super::{
    Finds, Found,
    words::{Words, lower_ascii},
};

/// The fewest and the most digits of a number with its country code (ITU-T E.164); the shortest in use have seven.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// How much of a text one number may take, in bytes.
const MAX_NUMBER: usize = 48;

/// How much of a text a number in words may take, in words.
const MAX_SPOKEN: usize = 18;

pub(super) fn find(words: &Words<'_>, regions: &[String], out: &mut Finds) {
    let mut until = 0;
    for word in 0..words.len() {
        let at = words.at(word);
        if at.start < until {
            continue;
        }
        let text = words.word(word);
        let found = if text.bytes().all(|byte| byte.is_ascii_digit()) {
            written(words, at.start, regions).or_else(|| spoken(words, word, regions))
        } else if may_be_number_word(text) && number_word(text).is_some() {
            spoken(words, word, regions)
        } else {
            None
        };
        if let Some(found) = found {
            until = found.at.end;
            out.push(found);
        }
    }
}

/// Digits in groups, from the sign or bracket before the first of them on.
struct Groups {
    at: Range<usize>,
    digits: String,
    /// Where each group ends: in the text, and in the digits.
    ends: Vec<(usize, usize)>,
    is_international: bool,
    opens_with_bracket: bool,
}

impl Groups {
    fn read(words: &Words<'_>, first_digit: usize) -> Option<Self> {
        let lead = words.before(first_digit, 3);
        let before_bracket = lead.strip_suffix('(').unwrap_or(lead);
        let before_space = before_bracket.strip_suffix(' ').unwrap_or(before_bracket);
        let (is_international, before) = match before_space.strip_suffix('+') {
            Some(before) => (true, before),
            None => (false, before_bracket),
        };
        let opens_with_bracket = before_bracket.len() < lead.len();
        let start = first_digit - (lead.len() - before.len());
        // What is part of a larger number or name is none; a sign of its own parts it from leaders such as `.....`.
        let before = words.byte_before(start);
        let is_within = b".,-/_$#=&@".contains(&before) && !is_international;
        if before.is_ascii_alphanumeric() || is_within {
            return None;
        }
        let (digits, ends) = (String::new(), Vec::new());
        let mut groups = Self { at: start..first_digit, digits, ends, is_international, opens_with_bracket };
        let mut rest = words.after(first_digit, MAX_NUMBER);
        let mut place = first_digit;
        loop {
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let group = rest.get(..rest.len() - after.len()).unwrap_or_default();
            if is_amount(after) {
                break;
            }
            place += group.len();
            groups.digits.push_str(group);
            groups.ends.push((place, groups.digits.len()));
            let Some(gap) = gap(after) else { break };
            place += gap.len();
            rest = after.get(gap.len()..).unwrap_or_default();
        }
        groups.at.end = groups.ends.last()?.0;
        Some(groups)
    }

    /// `8 (912) 345-67-89`: a code in brackets with most of the number behind it.
    fn has_area_code(&self, words: &Words<'_>) -> bool {
        let raw = words.slice(self.at.clone());
        raw.split_once(')').is_some_and(|(_, rest)| rest.bytes().filter(u8::is_ascii_digit).count() >= 6)
    }

    /// `212-555-0123`, `212.555.0123`
    fn are_american(&self, words: &Words<'_>) -> bool {
        let raw = words.slice(self.at.clone());
        ['-', '.'].into_iter().any(|sign| raw.split(sign).map(str::len).eq([3, 3, 4]))
    }

    /// The number that all of the groups make, or all but the last few: what follows may be another number.
    fn longest<T>(&self, mut read: impl FnMut(&str) -> Option<T>) -> Option<(Range<usize>, T)> {
        self.ends.iter().rev().take(6).find_map(|&(end, digits)| {
            let digits =
                self.digits.get(..digits).filter(|digits| DIGITS.contains(&digits.len()) || digits.len() == 17)?;
            Some((self.at.start..end, read(digits)?))
        })
    }
}

/// Whether what follows a group makes an amount or a time of it, as in `5kg`, `22:46` and `1,000`.
fn is_amount(after: &str) -> bool {
    let mut after = after.chars();
    match after.next() {
        Some(':' | ',') => after.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => c.is_alphanumeric() || matches!(c, '%' | '€' | '$' | '£' | '₽'),
        None => false,
    }
}

/// What may stand between two groups of a number, if it stands at the beginning of `after` and digits follow.
fn gap(after: &str) -> Option<&str> {
    const SIGNS: [char; 11] = [' ', '-', '.', '(', ')', '/', '\u{A0}', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}'];
    let rest = after.trim_start_matches(SIGNS);
    let gap = after.get(..after.len() - rest.len())?;
    let is_gap = match gap.chars().count() {
        1 => true,
        2..=3 => gap.contains(['(', ')']) || gap == " - ",
        _ => false,
    };
    (is_gap && rest.starts_with(|c: char| c.is_ascii_digit())).then_some(gap)
}

fn written(words: &Words<'_>, first_digit: usize, regions: &[String]) -> Option<Found> {
    let has_sign = || words.before(first_digit, 3).contains('+') || words.after(first_digit, 2) == "00";
    if regions.is_empty() && !has_sign() {
        return None;
    }
    let groups = Groups::read(words, first_digit)?;
    let (at, value) = groups.longest(|digits| {
        if groups.is_international {
            return international(digits);
        }
        if let Some(digits) = digits.strip_prefix("00") {
            return international(digits);
        }
        let starts_so = groups.opens_with_bracket || (digits.starts_with('0') && digits.len() >= 9);
        let is_written_so = starts_so
            || groups.has_area_code(words)
            || groups.are_american(words)
            || is_called(words.before(groups.at.start, NEAR));
        if is_written_so { national(digits, regions) } else { None }
    })?;
    let raw = words.slice(at.clone());
    // `0.12.345` and `12 (4.95` are amounts, versions, ratings.
    let is_decimal = raw.contains('.') && raw.split('.').any(|group| group.trim_matches(['(', ')', ' ']).len() < 2);
    if !groups.is_international && (is_decimal || raw.matches('(').count() != raw.matches(')').count()) {
        return None;
    }
    Some(Found::within(ObservableKind::Phone, Grade::Verified, at, value))
}

/// The number after the label of a messenger that knows people by it: it counts by its shape where no plan of numbers knows it.
pub(super) fn after_label(words: &Words<'_>, start: usize, regions: &[String]) -> Option<(Range<usize>, String)> {
    if !words.byte(start).is_ascii_digit() {
        return None;
    }
    let groups = Groups::read(words, start)?;
    let shape = |digits: &str| (digits.len() >= 8).then(|| digits.to_owned());
    groups
        .longest(|digits| match (groups.is_international, digits.strip_prefix("00")) {
            (true, _) => international(digits),
            (false, Some(rest)) => international(rest),
            (false, None) => national(digits, regions).or_else(|| international(digits)),
        })
        .or_else(|| {
            groups.longest(|digits| match (groups.is_international, digits.strip_prefix("00")) {
                (true, _) => shape(digits).map(|digits| format!("+{digits}")),
                (false, Some(rest)) => shape(rest).map(|digits| format!("+{digits}")),
                (false, None) => shape(digits),
            })
        })
}

/// How far before a number the word that makes it one may stand, in bytes.
const NEAR: usize = 24;

/// Whether what stands before a row of digits says that one can call it.
fn is_called(near: &str) -> bool {
    let near = near.to_lowercase();
    ["tel", "phone", "call", "mob", "sms", "text", "bel", "fax", "тел", "звон", "☎", "📞"]
        .iter()
        .any(|word| near.contains(word))
}

/// A number with its country code, in E.164, if the plan of its country has such numbers.
fn international(digits: &str) -> Option<String> {
    // `+31 (0)6 …`: the zero is for callers inside the country.
    let parse = |digits: &str| {
        let number = phonenumber::parse(None, format!("+{digits}")).ok()?;
        phonenumber::is_valid(&number).then(|| number.format().mode(Mode::E164).to_string())
    };
    if !DIGITS.contains(&digits.len()) || digits.starts_with('0') {
        return None;
    }
    parse(digits).or_else(|| {
        (1..=3).find_map(|code| {
            let (code, rest) = digits.split_at_checked(code)?;
            parse(&format!("{code}{}", rest.strip_prefix('0')?))
        })
    })
}

/// A number as it is dialled inside one of the regions.
fn national(digits: &str, regions: &[String]) -> Option<String> {
    regions.iter().find_map(|region| {
        let region = country::Id::from_str(region).ok()?;
        let number = phonenumber::parse(Some(region), digits).ok()?;
        phonenumber::is_valid(&number).then(|| number.format().mode(Mode::E164).to_string())
    })
}

/// A number of which three digits at least are words, as in `zero six 12 three four …`.
fn spoken(words: &Words<'_>, first: usize, regions: &[String]) -> Option<Found> {
    let (mut digits, mut spoken, mut plus) = (String::new(), 0, false);
    let mut times = 1;
    let mut end = first;
    for word in first..first + MAX_SPOKEN {
        let text = words.word(word);
        let gap_is_small = word == first || words.gap(word - 1).len() <= 3;
        if text.is_empty() || !gap_is_small || words.gap(word.saturating_sub(1)).contains('\n') && word > first {
            break;
        }
        match number_word(text) {
            Some(Spoken::Plus) if digits.is_empty() => plus = true,
            Some(Spoken::Times(n)) => times = n,
            Some(Spoken::Digits(value)) => {
                for _ in 0..times {
                    digits.push_str(value);
                }
                times = 1;
                spoken += 1;
            }
            _ if text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit()) => digits.push_str(text),
            _ => break,
        }
        end = word;
    }
    if spoken < 3 || !DIGITS.contains(&digits.len()) {
        return None;
    }
    let value = match digits.strip_prefix("00") {
        _ if plus => international(&digits),
        Some(rest) => international(rest),
        None => national(&digits, regions),
    }?;
    let at = words.at(first).start..words.at(end).end;
    Some(Found::within(ObservableKind::Phone, Grade::Verified, at, value))
}

enum Spoken {
    Plus,
    Times(u8),
    Digits(&'static str),
}

/// Whether a word may be one of a number, at a glance: most are not.
fn may_be_number_word(text: &str) -> bool {
    let first = text.bytes().next().unwrap_or_default().to_ascii_lowercase();
    (3..=6).contains(&text.len()) && b"aednoptsfvz".contains(&first) || !first.is_ascii()
}

/// A digit, in English, Dutch and Russian.
fn number_word(text: &str) -> Option<Spoken> {
    let longest = if text.is_ascii() { 6 } else { 12 };
    if text.len() > longest || text.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (mut ascii, mut other) = ([0; 12], String::new());
    let lower = if text.is_ascii() {
        lower_ascii(text, &mut ascii)
    } else {
        other.push_str(&text.to_lowercase());
        &other
    };
    Some(Spoken::Digits(match lower {
        "plus" | "плюс" => return Some(Spoken::Plus),
        "double" | "dubbel" => return Some(Spoken::Times(2)),
        "triple" => return Some(Spoken::Times(3)),
        "zero" | "oh" | "o" | "nul" | "ноль" | "нуль" => "0",
        "one" | "een" | "один" => "1",
        "two" | "twee" | "два" => "2",
        "three" | "drie" | "три" => "3",
        "four" | "vier" | "четыре" => "4",
        "five" | "vijf" | "пять" => "5",
        "six" | "zes" | "шесть" => "6",
        "seven" | "zeven" | "семь" => "7",
        "eight" | "acht" | "восемь" => "8",
        "nine" | "negen" | "девять" => "9",
        _ => return None,
    }))
}

use model::{Refresh, Uri};

use crate::media::starts_with_ignoring_case;

/// How much is kept of a place that may never be fetched, in characters.
const MAX_PLACE: usize = 300;

/// Reads the value of a `Refresh` header or of a `meta` refresh (HTML, section 4.2.5.3, "shared declarative refresh steps").
///
/// `None` where browsers would ignore the value. A delay too long for its type is the longest there is.
pub fn refresh(value: &str, base: &Uri) -> Option<Refresh> {
    read(value, |place| base.join(place).ok())
}

/// The same, with any way to resolve a reference.
pub(crate) fn read(value: &str, resolve: impl Fn(&str) -> Option<Uri>) -> Option<Refresh> {
    let value = value.trim_start_matches(is_space);
    let digits_end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (digits, rest) = value.split_at(digits_end);
    if digits.is_empty() && !rest.starts_with('.') {
        return None;
    }
    // The sum cannot overflow upwards of the bound at which it stops.
    let delay_s =
        digits.bytes().fold(0_u32, |sum, digit| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if !rest.is_empty() && !rest.starts_with(|c: char| matches!(c, ';' | ',') || is_space(c)) {
        return None;
    }
    let rest = rest.trim_start_matches(is_space);
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_matches(is_space);
    let place = unquoted(without_name(rest)).trim_matches(is_space);
    let to = (!place.is_empty()).then(|| resolve(place).ok_or_else(|| place.chars().take(MAX_PLACE).collect()));
    Some(Refresh { delay_s, to })
}

/// What stands behind `url=`, or the whole where that is missing.
fn without_name(rest: &str) -> &str {
    if !starts_with_ignoring_case(rest, "url") {
        return rest;
    }
    let after = rest.get(3..).unwrap_or_default().trim_start_matches(is_space);
    after.strip_prefix('=').map_or(rest, |place| place.trim_start_matches(is_space))
}

fn unquoted(place: &str) -> &str {
    match place.chars().next() {
        Some(quote @ ('"' | '\'')) => place.split(quote).nth(1).unwrap_or_default(),
        _ => place,
    }
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Uri {
        "http://shop.example.com/a/b".parse().unwrap()
    }

    fn check(value: &str, delay_s: u32, to: &str) {
        let to = if to.is_empty() { None } else { Some(to.parse::<Uri>().map_err(|_| to.to_owned())) };
        assert_eq!(refresh(value, &base()), Some(Refresh { delay_s, to }), "{value}");
    }

    #[test]
    fn odd_forms_are_read_as_browsers_do() {
        check("5; url=/x", 5, "http://shop.example.com/x");
        check("0;url='c?a=1'junk", 0, "http://shop.example.com/a/c?a=1");
        check("0; URL=\"http://other.example.com/\"", 0, "http://other.example.com/");
        check("5, /x", 5, "http://shop.example.com/x");
        check("2 /x", 2, "http://shop.example.com/x");
        check("  7.9 ; url = /x ", 7, "http://shop.example.com/x");
        check(".5;/x", 0, "http://shop.example.com/x");
        check("3;url", 3, "http://shop.example.com/a/url");
        check("3; urlx", 3, "http://shop.example.com/a/urlx");
        check("0;url='/x", 0, "http://shop.example.com/x");
    }

    #[test]
    fn a_refresh_without_a_place_reloads() {
        check("30", 30, "");
        check("30;", 30, "");
        check("30; url=", 30, "");
        check("99999999999999999999", u32::MAX, "");
    }

    #[test]
    fn a_place_never_to_be_fetched_is_kept_as_written() {
        check("0; url=javascript:alert(1)", 0, "javascript:alert(1)");
        check("0; url=http://127.0.0.1/", 0, "http://127.0.0.1/");
    }

    #[test]
    fn what_browsers_ignore_is_no_refresh() {
        for value in ["", "url=/x", "x", "5x; url=/x", "-1; url=/x", "5'/x"] {
            assert_eq!(refresh(value, &base()), None, "{value}");
        }
    }
}

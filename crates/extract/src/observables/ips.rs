//! IP addresses.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use super::{
    hosts::{self, Joint},
    words::Words,
};

/// Four numbers up to 255, the dots plain or in brackets; no part of a longer row of numbers.
pub(super) fn ipv4(words: &Words<'_>, start: usize) -> Option<(Range<usize>, Ipv4Addr)> {
    if matches!(words.byte_before(start), b'.' | b'-' | b'_') {
        return None;
    }
    let mut octets = [0; 4];
    let mut at = start;
    for (place, octet) in octets.iter_mut().enumerate() {
        if place > 0 {
            let (len, joint) = hosts::dot(words.after(at, 8))?;
            at += if joint <= Joint::Bracketed { len } else { return None };
        }
        let rest = words.text.as_bytes().get(at..).unwrap_or_default();
        let len = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let digits = words.slice(at..at + len);
        *octet = digits.parse::<u8>().ok().filter(|_| len == 1 || !digits.starts_with('0'))?;
        at += len;
    }
    let goes_on = words.byte(at).is_ascii_alphanumeric()
        || (words.byte(at) == b'.' && words.byte(at + 1).is_ascii_alphanumeric());
    (!goes_on).then(|| (start..at, Ipv4Addr::from(octets)))
}

/// An IPv6 address (RFC 4291, section 2.2) that begins with a number, of at least three groups.
pub(super) fn ipv6(words: &Words<'_>, start: usize) -> Option<(Range<usize>, Ipv6Addr)> {
    if matches!(words.byte_before(start), b':' | b'.') {
        return None;
    }
    let rest = words.text.as_bytes().get(start..).unwrap_or_default();
    let len = rest.iter().take(46).take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')).count();
    let text = words.slice(start..start + len).trim_end_matches('.');
    let end = start + text.len();
    if words.byte(end).is_ascii_alphanumeric() || text.matches(':').count() < 3 {
        return None;
    }
    Some((start..end, text.parse().ok()?))
}

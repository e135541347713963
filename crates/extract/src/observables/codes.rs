//! Codes in hexadecimal: digests of files, fingerprints typed out, Tox and Session ids; and numbers of vulnerabilities.

use model::{Grade, ObservableKind, OnionAddress};

use super::{Finds, Found, words::Words};

pub(super) fn find(words: &Words<'_>, out: &mut Finds) {
    let mut grouped_until = 0;
    for word in 0..words.len() {
        let at = words.at(word);
        match at.len() {
            3 if words.word(word).eq_ignore_ascii_case("cve") => out.extend(cve(words, word)),
            4 if at.start >= grouped_until => {
                if let Some(found) = grouped_fingerprint(words, word) {
                    grouped_until = found.at.end;
                    out.push(found);
                }
            }
            56 => out.extend(bare_onion(words, word)),
            32 | 40 | 42 | 64 | 66 | 76 | 128 => out.extend(code(words, word)),
            _ => {}
        }
    }
}

fn code(words: &Words<'_>, word: usize) -> Option<Found> {
    let at = words.at(word);
    let text = words.word(word);
    let is_named_key = || {
        let near = words.before(at.start, 60).to_ascii_lowercase();
        let line_above = || {
            let line = at.start - words.before(at.start, 60).len();
            words.before(line.saturating_sub(1), 60).to_ascii_lowercase()
        };
        speaks_of_key(&near) || (near.trim().is_empty() && speaks_of_key(&line_above()))
    };
    if let Some(digits) = text.strip_prefix("0x").filter(|digits| digits.len() == 40 && is_hex(digits)) {
        let value = digits.to_ascii_uppercase();
        return is_named_key().then(|| Found::new(ObservableKind::PgpFingerprint, Grade::Contextual, at, value));
    }
    if !is_hex(text) || !is_mixed(text) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let (kind, grade, value) = match text.len() {
        32 => (ObservableKind::Md5, Grade::ShapeOnly, lower),
        40 if is_named_key() => (ObservableKind::PgpFingerprint, Grade::Contextual, text.to_ascii_uppercase()),
        40 => (ObservableKind::Sha1, Grade::ShapeOnly, lower),
        64 => (ObservableKind::Sha256, Grade::ShapeOnly, lower),
        66 if text.starts_with("05") => (ObservableKind::Session, Grade::ShapeOnly, lower),
        76 if is_tox(&lower) => (ObservableKind::Tox, Grade::Verified, text.to_ascii_uppercase()),
        128 => (ObservableKind::Sha512, Grade::ShapeOnly, lower),
        _ => return None,
    };
    let names_session = || words.before(at.start, 40).to_ascii_lowercase().contains("session");
    let grade = if kind == ObservableKind::Session && names_session() { Grade::Contextual } else { grade };
    Some(Found::new(kind, grade, at, value))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether there are digits and letters: a row of one kind is a number, or a rule between paragraphs.
fn is_mixed(hex: &str) -> bool {
    hex.bytes().any(|byte| byte.is_ascii_digit()) && hex.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn speaks_of_key(near: &str) -> bool {
    ["fingerprint", "pgp", "gpg", "vingerafdruk", "отпечаток", "fpr"].iter().any(|name| near.contains(name))
}

/// Public key, nospam and two bytes that are the exclusive or of all pairs before them (Tox protocol specification, *Tox ID*).
fn is_tox(hex: &str) -> bool {
    let Ok(bytes) = data_encoding::HEXLOWER.decode(hex.as_bytes()) else { return false };
    let sum = bytes.chunks(2).fold([0u8; 2], |sum, pair| match pair {
        [a, b] => [sum[0] ^ a, sum[1] ^ b],
        _ => sum,
    });
    bytes.iter().any(|&byte| byte != 0) && sum == [0, 0]
}

/// A version 3 onion address that somebody wrote without its ending: the checksum tells it.
fn bare_onion(words: &Words<'_>, word: usize) -> Option<Found> {
    let address: OnionAddress = words.word(word).parse().ok()?;
    Some(Found::new(ObservableKind::OnionV3, Grade::Verified, words.at(word), address.to_string()))
}

/// Ten groups of four hexadecimal digits, as `GnuPG` prints a fingerprint.
fn grouped_fingerprint(words: &Words<'_>, word: usize) -> Option<Found> {
    let mut value = String::new();
    for group in word..word + 10 {
        let text = words.word(group);
        let stands_right = group == word
            || matches!(words.gap(group - 1), " " | "  " | "\n" | "\u{A0}" | "\u{A0} " | " \u{A0}" | ":" | "-");
        if text.len() != 4 || !is_hex(text) || !stands_right {
            return None;
        }
        value.push_str(text);
    }
    let at = words.at(word).start..words.at(word + 9).end;
    let next_is_group = words.gap(word + 9) == " " && words.at(word + 10).len() == 4 && is_hex(words.word(word + 10));
    let grade =
        if speaks_of_key(&words.before(at.start, 60).to_lowercase()) { Grade::Contextual } else { Grade::ShapeOnly };
    (is_mixed(&value) && !next_is_group)
        .then(|| Found::new(ObservableKind::PgpFingerprint, grade, at, value.to_ascii_uppercase()))
}

/// `CVE-` year `-` four digits and more (CVE record format, `cveId`).
fn cve(words: &Words<'_>, word: usize) -> Option<Found> {
    let (year, number) = (words.word(word + 1), words.word(word + 2));
    let is_joined = |gap: &str| matches!(gap, "-" | "\u{2010}" | "\u{2011}" | "\u{2013}");
    let is_cve = is_joined(words.gap(word))
        && is_joined(words.gap(word + 1))
        && year.len() == 4
        && (year.starts_with("19") || year.starts_with("20"))
        && (4..=19).contains(&number.len())
        && [year, number].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let at = words.at(word).start..words.at(word + 2).end;
    is_cve.then(|| Found::new(ObservableKind::Cve, Grade::ShapeOnly, at, format!("CVE-{year}-{number}")))
}

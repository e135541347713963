//! `OpenPGP` armour in a text, and the public keys in it (RFC 9580).
//!
//! A parser of our own and not a library: a fingerprint needs the frames of a few packets and no cipher, and a page often holds a key without its line
//! breaks or its end, which libraries refuse. Nothing here decompresses or recurses, and what is read of a block is bounded.

use std::ops::Range;

use data_encoding::{BASE64_NOPAD, HEXUPPER};
use model::{Grade, ObservableKind, PgpKey, PgpKeyPart, Timestamp};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::{Finds, Found};

/// How much of a block is read, in bytes of Base64.
const MAX_BLOCK: usize = 256 << 10;

/// How many keys of a block, and how many user ids and subkeys of a key, are told.
const MAX_PARTS: usize = 50;

/// The longest user id told, in bytes.
const MAX_USER_ID: usize = 500;

/// Where armour stands: nothing else is to be looked for in there, except in the text of a signed message.
pub(super) fn find(text: &str, out: &mut Finds) -> Vec<Range<usize>> {
    let mut armour: Vec<Range<usize>> = Vec::new();
    let mut marks = text.match_indices("PGP ").filter_map(|(at, _)| Mark::at(text, at)).peekable();
    while let Some(begin) = marks.next() {
        if !begin.begins || begin.label == "SIGNED MESSAGE" {
            continue;
        }
        let end = marks.next_if(|next| !next.begins);
        let limit = end.as_ref().map(|end| end.at.start).or_else(|| marks.peek().map(|next| next.at.start));
        let body = begin.at.end..limit.unwrap_or(text.len());
        let armoured = Armour::read(text, body);
        let at = begin.at.start..end.map_or(armoured.end, |end| end.at.end);
        if begin.label == "PUBLIC KEY BLOCK" {
            out.extend(keys(&armoured, &at));
        }
        armour.push(at);
    }
    armour
}

/// A line such as `-----BEGIN PGP PUBLIC KEY BLOCK-----`, any number of hyphens long.
struct Mark<'a> {
    at: Range<usize>,
    begins: bool,
    label: &'a str,
}

impl<'a> Mark<'a> {
    const LABELS: [&'static str; 5] =
        ["PUBLIC KEY BLOCK", "PRIVATE KEY BLOCK", "SIGNED MESSAGE", "MESSAGE", "SIGNATURE"];

    /// The mark around `PGP `, which stands at `pgp`.
    fn at(text: &'a str, pgp: usize) -> Option<Self> {
        let (before, after) = (text.get(..pgp)?, text.get(pgp + 4..)?);
        let (head, begins) = before
            .strip_suffix("BEGIN ")
            .map(|head| (head, true))
            .or_else(|| Some((before.strip_suffix("END ")?, false)))?;
        let label = Self::LABELS.into_iter().find(|label| after.starts_with(label))?;
        let hyphens = |c: &u8| *c == b'-';
        let lead = head.bytes().rev().take(16).take_while(hyphens).count();
        let trail = after.bytes().skip(label.len()).take(16).take_while(hyphens).count();
        (lead > 0 && trail > 0).then(|| Self { at: head.len() - lead..pgp + 4 + label.len() + trail, begins, label })
    }
}

/// The bytes that armour holds.
struct Armour {
    bytes: Vec<u8>,
    /// The checksum where one is written (RFC 9580, section 6.1), and where it holds.
    has_wrong_checksum: bool,
    /// Where the Base64 ends.
    end: usize,
}

impl Armour {
    /// Reads armour whose lines may have become one: what comes before the Base64 is told from it by its look.
    fn read(text: &str, body: Range<usize>) -> Self {
        let (mut base64, mut checksum, mut end) = (String::new(), None, body.start);
        let mut rest = text.get(body.clone()).unwrap_or_default().trim_start();
        while let Some(token) = rest.split_whitespace().next() {
            let at = body.end - rest.len();
            rest = rest.get(token.len()..).unwrap_or_default().trim_start();
            let (digits, tail) = token.split_once('=').map_or((token, None), |(digits, tail)| (digits, Some(tail)));
            let is_base64 = digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
            if base64.is_empty() && !(is_base64 && is_key_like(digits)) {
                if at > body.start + MAX_HEADERS {
                    break;
                }
                continue;
            }
            let tail_is_checksum = |tail: &str| tail.len() == 4 && !tail.contains('=');
            if !is_base64 || base64.len() > MAX_BLOCK {
                break;
            }
            base64.push_str(digits);
            end = at + token.len();
            if let Some(tail) = tail.map(|tail| tail.trim_start_matches('=')).filter(|tail| tail_is_checksum(tail)) {
                checksum = Some(tail.to_owned());
                break;
            }
        }
        // Half a digit at the end is a block cut short.
        base64.truncate(base64.len() - usize::from(base64.len() % 4 == 1));
        let bytes = decode(&base64);
        let sum = checksum.and_then(|text| BASE64_NOPAD.decode(text.as_bytes()).ok());
        let has_wrong_checksum = sum.is_some_and(|sum| sum != crc24(&bytes).to_be_bytes().get(1..).unwrap_or_default());
        Self { bytes, has_wrong_checksum, end }
    }
}

/// How far into a block Base64 may begin, in bytes.
const MAX_HEADERS: usize = 2000;

/// Whether Base64 may be the beginning of a key: its first byte is the head of a packet with one, and no word is so long.
fn is_key_like(digits: &str) -> bool {
    digits.len() >= 16 && digits.starts_with(['m', 'x', 'l'])
}

fn decode(base64: &str) -> Vec<u8> {
    let mut lenient = data_encoding::Specification::new();
    lenient.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    lenient.check_trailing_bits = false;
    lenient.encoding().ok().and_then(|encoding| encoding.decode(base64.as_bytes()).ok()).unwrap_or_default()
}

/// RFC 9580, section 6.1.1.
fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00B7_04CE, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte) << 16, |sum, _| {
            let shifted = sum << 1;
            if shifted & 0x0100_0000 == 0 { shifted } else { shifted ^ 0x0186_4CFB }
        })
    })
}

/// The keys of a block. A block whose checksum does not hold names none: nobody could tell whether its fingerprint is right.
fn keys(armour: &Armour, at: &Range<usize>) -> Vec<Found> {
    if armour.has_wrong_checksum {
        return Vec::new();
    }
    let mut packets = Packets { rest: &armour.bytes, is_damaged: false };
    let mut keys: Vec<PgpKey> = Vec::new();
    for (tag, body) in packets.by_ref() {
        if tag == PUBLIC_KEY {
            match part(body).filter(|_| keys.len() < MAX_PARTS) {
                Some(primary) => keys.push(PgpKey { primary, user_ids: Vec::new(), subkeys: Vec::new() }),
                None => break,
            }
            continue;
        }
        match (tag, keys.last_mut()) {
            (PUBLIC_SUBKEY, Some(key)) if key.subkeys.len() < MAX_PARTS => key.subkeys.extend(part(body)),
            (USER_ID, Some(key)) if key.user_ids.len() < MAX_PARTS => {
                let name = String::from_utf8_lossy(body.get(..MAX_USER_ID).unwrap_or(body)).into_owned();
                key.user_ids.push(name);
            }
            (_, Some(_)) => {}
            (_, None) => break,
        }
    }
    let grade = if packets.is_damaged { Grade::ShapeOnly } else { Grade::Verified };
    let of_key = |key: PgpKey| Found {
        key: Some(Box::new(key.clone())),
        ..Found::new(ObservableKind::PgpFingerprint, grade, at.clone(), key.primary.fingerprint)
    };
    keys.into_iter().map(of_key).collect()
}

const PUBLIC_KEY: u8 = 6;
const USER_ID: u8 = 13;
const PUBLIC_SUBKEY: u8 = 14;

/// Packets with their tags (RFC 9580, section 4.2).
struct Packets<'a> {
    rest: &'a [u8],
    /// Whether it ended in what is no packet, or in one without its end.
    is_damaged: bool,
}

impl<'a> Packets<'a> {
    fn packet(&mut self) -> Option<(u8, &'a [u8])> {
        let (&head, rest) = self.rest.split_first()?;
        if head & 0x80 == 0 {
            return None;
        }
        let (tag, len, rest) = if head & 0x40 == 0 {
            // Of the old format. Only data may be of indefinite length, and keys hold none.
            let bytes = match head & 3 {
                0 => 1,
                1 => 2,
                2 => 4,
                _ => return None,
            };
            let (len, rest) = rest.split_at_checked(bytes)?;
            (head >> 2 & 15, big_endian(len), rest)
        } else {
            let (&first, after) = rest.split_first()?;
            let (len, rest) = match first {
                0..192 => (usize::from(first), after),
                192..224 => {
                    let (&second, after) = after.split_first()?;
                    (((usize::from(first) - 192) << 8) + usize::from(second) + 192, after)
                }
                255 => {
                    let (len, after) = after.split_at_checked(4)?;
                    (big_endian(len), after)
                }
                _ => return None,
            };
            (head & 63, len, rest)
        };
        let (body, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some((tag, body))
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let packet = self.packet();
        if packet.is_none() {
            self.is_damaged = true;
            self.rest = &[];
        }
        packet
    }
}

fn big_endian(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte))
}

/// A key packet of version 4 or 6 (RFC 9580, sections 5.5.2 and 5.5.4).
fn part(body: &[u8]) -> Option<PgpKeyPart> {
    let [version, c0, c1, c2, c3, algorithm, material @ ..] = body else { return None };
    let fingerprint = match version {
        4 => {
            let len = u16::try_from(body.len()).ok()?;
            HEXUPPER
                .encode(&Sha1::new().chain_update([0x99]).chain_update(len.to_be_bytes()).chain_update(body).finalize())
        }
        6 => {
            let len = u32::try_from(body.len()).ok()?;
            let digest =
                Sha256::new().chain_update([0x9B]).chain_update(len.to_be_bytes()).chain_update(body).finalize();
            HEXUPPER.encode(&digest)
        }
        _ => return None,
    };
    // Version 6 tells the length of the material before it.
    let material = if *version == 6 { material.get(4..)? } else { material };
    let created_s = i64::from(u32::from_be_bytes([*c0, *c1, *c2, *c3]));
    let created = Timestamp::from_micros(created_s * 1_000_000);
    Some(PgpKeyPart { fingerprint, algorithm: algorithm_name(*algorithm, material), created })
}

/// The name by RFC 9580, section 9.1, and the bits of the first number where it tells the size.
fn algorithm_name(algorithm: u8, material: &[u8]) -> String {
    let bits = material.get(..2).map_or(0, big_endian);
    match algorithm {
        1..=3 => format!("rsa{bits}"),
        16 => format!("elgamal{bits}"),
        17 => format!("dsa{bits}"),
        18 => "ecdh".to_owned(),
        19 => "ecdsa".to_owned(),
        22 => "eddsa".to_owned(),
        25 => "x25519".to_owned(),
        26 => "x448".to_owned(),
        27 => "ed25519".to_owned(),
        28 => "ed448".to_owned(),
        other => format!("algorithm {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9580, appendix A.1.
    const VERSION_4: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----

xjMEU/NfCxYJKwYBBAHaRw8BAQdAPwmJlL3ZFu1AUxl5NOSofIBzOhKA1i+AEJku
Q+47JAY=
-----END PGP PUBLIC KEY BLOCK-----";

    /// RFC 9580, appendix A.3.
    const VERSION_6: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----

xioGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laPCsQYf
GwoAAABCBYJjh3/jAwsJBwUVCg4IDAIWAAKbAwIeCSIhBssYbE8GCaaX5NUt+mxy
KwwfHifBilZwj2Ul7Ce62azJBScJAgcCAAAAAK0oIBA+LX0ifsDm185Ecds2v8lw
gyU2kCcUmKfvBXbAf6rhRYWzuQOwEn7E/aLwIwRaLsdry0+VcallHhSu4RN6HWaE
QsiPlR4zxP/TP7mhfVEe7XWPxtnMUMtf15OyA51YBM4qBmOHf+MZAAAAIIaTJINn
+eUBXbki+PSAld2nhJh/LVmFsS+60WyvXkQ1wpsGGBsKAAAALAWCY4d/4wKbDCIh
BssYbE8GCaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce62azJAAAAAAQBIKbpGG2dWTX8
j+VjFM21J0hqWlEg+bdiojWnKfA5AQpWUWtnNwDEM0g12vYxoWM8Y81W+bHBw805
I8kWVkXU6vFOi+HWvv/ira7ofJu16NnoUkhclkUrk0mXubZvyl4GBg==
-----END PGP PUBLIC KEY BLOCK-----";

    /// The key of draft-koch-eddsa-for-openpgp with its user id, under a checksum.
    const NAMED: &str = "-----BEGIN PGP PUBLIC KEY BLOCK----- Version: GnuPG v2.1 Comment: https://example.org/keys
mDMEU/NfCxYJKwYBBAHaRw8BAQdAPwmJlL3ZFu1AUxl5NOSofIBzOhKA1i+AEJku
Q+47JAa0NEVkRFNBIHNhbXBsZSBrZXkgMSAoZHJhZnQta29jaC1lZGRzYS1mb3It
b3BlbnBncC0wMCmIeQQTFggAIQUCU/NfCwIbAwULCQgHAgYVCAkKCwIEFgIDAQIe
AQIXgAAKCRCM/eEhl5ZamnNOAP9pKn5wz3jPsgy9p65zxz1+xJEr/cczFQx/tYkk
49tkeAD+P9jJE4SFD2lVofxn1e22H7YLvcVyHDOA9gpYWTNXiAU=
=CRCS
-----END PGP PUBLIC KEY BLOCK-----";

    fn found(text: &str) -> (Vec<Found>, Vec<Range<usize>>) {
        let mut out = Finds::default();
        let armour = find(text, &mut out);
        (out.all, armour)
    }

    fn fingerprints(text: &str) -> Vec<String> {
        found(text).0.into_iter().map(|found| found.value).collect()
    }

    /// [`NAMED`] with the checksum that it has.
    fn named() -> String {
        let sum = crc24(&Armour::read(NAMED, 0..NAMED.len()).bytes);
        NAMED.replace("CRCS", &BASE64_NOPAD.encode(&sum.to_be_bytes()[1..]))
    }

    const KOCH: &str = "C959BDBAFA32A2F89A153B678CFDE12197965A9A";

    #[test]
    fn fingerprints_of_the_specification() {
        assert_eq!(fingerprints(VERSION_4), [KOCH]);
        let (keys, _) = found(VERSION_6);
        let key = keys[0].key.as_ref().unwrap();
        assert_eq!(key.primary.fingerprint, "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9");
        assert_eq!(key.subkeys[0].fingerprint, "12C83F1E706F6308FE151A417743A1F033790E93E9978488D1DB378DA9930885");
        assert_eq!((key.primary.algorithm.as_str(), key.subkeys[0].algorithm.as_str()), ("ed25519", "x25519"));
        assert_eq!(key.primary.created.to_string(), "2022-11-30T16:08:03.000000Z");
        assert_eq!(keys[0].grade, Grade::Verified);
    }

    #[test]
    fn what_a_key_says_of_itself() {
        let (keys, _) = found(&named());
        let key = keys[0].key.as_ref().unwrap();
        assert_eq!(key.user_ids, ["EdDSA sample key 1 (draft-koch-eddsa-for-openpgp-00)"]);
        assert_eq!((key.primary.fingerprint.as_str(), keys[0].grade), (KOCH, Grade::Verified));
    }

    #[test]
    fn lines_may_be_lost() {
        assert_eq!(fingerprints(&named().replace('\n', " ")), [KOCH]);
        assert_eq!(fingerprints(&VERSION_4.replace("-----\n\n", "-----").replace("\n-----", "-----")), [KOCH]);
    }

    #[test]
    fn a_key_cut_short_is_no_more_than_a_shape() {
        let whole = named();
        let cut = &whole[..whole.find("Y5VxyHDOA").unwrap_or(whole.len() - 120)];
        let (keys, armour) = found(cut);
        assert_eq!((keys[0].value.as_str(), keys[0].grade), (KOCH, Grade::ShapeOnly));
        assert_eq!(armour, vec![0..cut.len()]);
        assert!(fingerprints(&whole[..160]).is_empty());
    }

    #[test]
    fn a_damaged_key_names_nobody() {
        assert!(fingerprints(&named().replacen("U/NfCx", "U/NfCy", 1)).is_empty());
        assert!(fingerprints(&VERSION_4.replace("xjME", "xjMD")).is_empty());
        assert!(fingerprints("-----BEGIN PGP PUBLIC KEY BLOCK-----").is_empty());
    }

    #[test]
    fn armour_hides_and_signed_text_does_not() {
        let text = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nmail me\n-----BEGIN PGP SIGNATURE-----\n\niF4EABYIAAYFAlX5\n-----END PGP SIGNATURE-----\nend";
        let (_, armour) = found(text);
        assert_eq!(
            armour.iter().map(|at| &text[at.clone()]).collect::<Vec<_>>(),
            [&text[text.find("-----BEGIN PGP SIGNATURE").unwrap()..text.len() - 4]]
        );
    }
}

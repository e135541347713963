//! Addresses that are paid to. Each has a checksum; one that fails it is kept as a shape only where its shape is like nothing else.

use bech32::segwit;
use model::{Grade, ObservableKind};
use sha2::{Digest as _, Sha256, Sha512};
use sha3::Keccak256;

use super::{Finds, Found, words::Words};

/// How far before an address its coin may be named, in bytes.
const NEAR: usize = 40;

pub(super) fn find(words: &Words<'_>, out: &mut Finds) {
    for word in 0..words.len() {
        let at = words.at(word);
        if !(14..=110).contains(&at.len()) {
            continue;
        }
        let text = words.word(word);
        if text.is_ascii()
            && let Some((kind, grade, value)) = address(words, word, text)
        {
            let prefix = match kind {
                ObservableKind::Bch if value.contains(':') && has_prefix(words, at.start, "bitcoincash:") => 12,
                ObservableKind::Bitmessage => 3,
                _ => 0,
            };
            out.push(Found::within(kind, grade, at.start - prefix..at.end, value));
        }
    }
}

fn address(words: &Words<'_>, word: usize, text: &str) -> Option<(ObservableKind, Grade, String)> {
    let start = words.at(word).start;
    let first = text.bytes().next()?;
    if has_prefix(words, start, "BM-") {
        return is_bitmessage(text).then(|| (ObservableKind::Bitmessage, Grade::Verified, format!("BM-{text}")));
    }
    match (first, text.len()) {
        (b'0', 42) => ethereum(text),
        (b'b' | b'B' | b'l' | b'L', _) if is_segwit_like(text) => segwit_address(text),
        (b'q' | b'p' | b'Q' | b'P', 42) => cash_address(text),
        (b'4' | b'8', 95) | (b'4', 106) => monero(text),
        (b'1' | b'3' | b'L' | b'M' | b'D' | b'A' | b'9', 25..=35) => {
            let near = words.before(start, NEAR).to_ascii_lowercase();
            base58_address(text, &near)
        }
        _ => None,
    }
}

fn has_prefix(words: &Words<'_>, start: usize, prefix: &str) -> bool {
    start.checked_sub(prefix.len()).is_some_and(|from| words.slice(from..start).eq_ignore_ascii_case(prefix))
}

/// A version and a hash with four bytes of a double SHA-256 (Bitcoin's wiki, *`Base58Check` encoding*). Bitcoin Cash writes old addresses as Bitcoin does, and Litecoin once wrote its
/// script addresses so: then what stands before decides.
fn base58_address(text: &str, near: &str) -> Option<(ObservableKind, Grade, String)> {
    let bytes = bs58::decode(text).into_vec().ok()?;
    let (payload, checksum) = bytes.split_last_chunk::<4>()?;
    let (&version, hash) = payload.split_first()?;
    let hash: [u8; 20] = hash.try_into().ok()?;
    let is_cash = ["bch", "bitcoin cash", "bitcoincash"].iter().any(|name| near.contains(name));
    let is_lite = ["ltc", "litecoin"].iter().any(|name| near.contains(name));
    let kind = match version {
        0x00 | 0x05 if is_cash => ObservableKind::Bch,
        0x05 if is_lite => ObservableKind::Ltc,
        0x00 | 0x05 => ObservableKind::Btc,
        0x30 | 0x32 => ObservableKind::Ltc,
        0x1E | 0x16 => ObservableKind::Doge,
        _ => return None,
    };
    if sha256d(payload)[..4] != *checksum {
        let is_named = near.contains(kind.as_str())
            || ["address", "wallet", "bitcoin", "litecoin", "dogecoin"].iter().any(|name| near.contains(name));
        return is_named.then(|| (kind, Grade::ShapeOnly, text.to_owned()));
    }
    let value = match kind {
        ObservableKind::Bch => cash_address_of(version, hash),
        ObservableKind::Ltc if version == 0x05 => {
            let payload = [&[0x32], &hash[..]].concat();
            let checksum = sha256d(&payload);
            bs58::encode([&payload, &checksum[..4]].concat()).into_string()
        }
        _ => text.to_owned(),
    };
    Some((kind, Grade::Verified, value))
}

fn sha256d(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(bytes)).into()
}

fn is_segwit_like(text: &str) -> bool {
    let is_upper = text.bytes().all(|byte| !byte.is_ascii_lowercase());
    let is_lower = text.bytes().all(|byte| !byte.is_ascii_uppercase());
    let has = |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    (is_upper || is_lower) && (has("bc1") || has("ltc1"))
}

/// Bech32 and Bech32m (BIP-173, BIP-350).
fn segwit_address(text: &str) -> Option<(ObservableKind, Grade, String)> {
    let value = text.to_ascii_lowercase();
    let (kind, data) = match value.strip_prefix("bc1") {
        Some(data) => (ObservableKind::Btc, data),
        None => (ObservableKind::Ltc, value.strip_prefix("ltc1")?),
    };
    let grade = if segwit::decode(text).is_ok() {
        Grade::Verified
    } else if matches!(data.len(), 39 | 59) && data.bytes().all(|byte| BASE32.contains(&byte)) {
        Grade::ShapeOnly
    } else {
        return None;
    };
    Some((kind, grade, value))
}

/// The alphabet of Bech32 and of cash addresses.
const BASE32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// A cash address of 160 bits, with or without its prefix (Bitcoin Cash, `cashaddr.md`).
fn cash_address(text: &str) -> Option<(ObservableKind, Grade, String)> {
    let value = text.to_ascii_lowercase();
    if text != value && text != text.to_ascii_uppercase() {
        return None;
    }
    let digits: Option<Vec<u8>> = value
        .bytes()
        .map(|byte| BASE32.iter().position(|&digit| digit == byte).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let is_sound = cash_checksum(digits?.into_iter()) == 0;
    is_sound.then(|| (ObservableKind::Bch, Grade::Verified, format!("bitcoincash:{value}")))
}

fn cash_address_of(version: u8, hash: [u8; 20]) -> String {
    let kind = if version == 0x05 { 8 } else { 0 };
    let mut digits = Vec::with_capacity(42);
    let (mut bits, mut held) = (0u32, 0);
    for byte in [kind].into_iter().chain(hash) {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            digits.push((bits >> held & 31) as u8);
        }
    }
    digits.push((bits << (5 - held) & 31) as u8);
    let checksum = cash_checksum(digits.iter().copied().chain([0; 8]));
    digits.extend((0..8).rev().map(|digit| (checksum >> (5 * digit) & 31) as u8));
    let address: String =
        digits.iter().filter_map(|&digit| BASE32.get(usize::from(digit))).map(|&byte| char::from(byte)).collect();
    format!("bitcoincash:{address}")
}

/// The polynomial code over GF(32) of `cashaddr.md`, with the prefix `bitcoincash`; 0 where it holds.
fn cash_checksum(digits: impl Iterator<Item = u8>) -> u64 {
    const GENERATOR: [u64; 5] = [0x98_F2BC_8E61, 0x79_B76D_99E2, 0xF3_3E5F_B3C4, 0xAE_2EAB_E2A8, 0x1E_4F43_E470];
    let prefix = b"bitcoincash".iter().map(|byte| byte & 31).chain([0]);
    let sum = prefix.chain(digits).fold(1u64, |sum, digit| {
        let top = sum >> 35;
        let shifted = (sum & 0x07_FFFF_FFFF) << 5 ^ u64::from(digit);
        GENERATOR.iter().enumerate().fold(shifted, |sum, (bit, &term)| sum ^ if top >> bit & 1 == 1 { term } else { 0 })
    });
    sum ^ 1
}

/// Forty hexadecimal digits, whose capitals are a checksum where there are any (EIP-55); its normal form has them.
fn ethereum(text: &str) -> Option<(ObservableKind, Grade, String)> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let value = format!("0x{}", eip55(&digits.to_ascii_lowercase()));
    let grade = if value == text { Grade::Verified } else { Grade::ShapeOnly };
    Some((ObservableKind::Eth, grade, value))
}

fn eip55(digits: &str) -> String {
    let hash = Keccak256::digest(digits.as_bytes());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.chars().zip(nibbles).map(|(c, nibble)| if nibble >= 8 { c.to_ascii_uppercase() } else { c }).collect()
}

/// A standard address, a subaddress or an integrated address of Monero's main network (`CryptoNote` standard 7; tags 18, 42, 19).
fn monero(text: &str) -> Option<(ObservableKind, Grade, String)> {
    let bytes = blocks_of_base58(text)?;
    let tag = match text.len() {
        106 => *bytes.first()? == 19,
        _ => matches!(bytes.first()?, 18 | 42),
    };
    let (payload, checksum) = bytes.split_last_chunk::<4>()?;
    let is_sound = tag && Keccak256::digest(payload)[..4] == *checksum;
    let grade = if is_sound { Grade::Verified } else { Grade::ShapeOnly };
    Some((ObservableKind::Xmr, grade, text.to_owned()))
}

/// The alphabet of Base58.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Monero's Base58: each eight bytes by themselves make eleven digits.
fn blocks_of_base58(text: &str) -> Option<Vec<u8>> {
    const BYTES: [usize; 12] = [0, 0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8];
    let mut bytes = Vec::with_capacity(80);
    for block in text.as_bytes().chunks(11) {
        let mut number = 0u128;
        for digit in block {
            let digit = BASE58.iter().position(|known| known == digit)?;
            number = number * 58 + digit as u128;
        }
        let len = BYTES.get(block.len()).copied().filter(|&len| len > 0)?;
        if number >> (8 * len) != 0 {
            return None;
        }
        bytes.extend(number.to_be_bytes().get(16 - len..)?);
    }
    Some(bytes)
}

/// A Bitmessage address: version, stream and hash under the beginning of a double SHA-512 (protocol specification, *Addresses*).
fn is_bitmessage(text: &str) -> bool {
    if text.len() > 40 {
        return false;
    }
    let Ok(bytes) = bs58::decode(text).into_vec() else { return false };
    let Some((payload, checksum)) = bytes.split_last_chunk::<4>() else { return false };
    payload.len() > 6 && Sha512::digest(Sha512::digest(payload))[..4] == *checksum
}

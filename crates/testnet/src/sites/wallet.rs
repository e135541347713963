use sha2::{Digest as _, Sha256};
use sha3::Keccak256;

use crate::sites::chance::Chance;

const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A bitcoin address to a key hash that nobody has the key of: Bech32 (BIP 173) or `Base58Check`.
pub(crate) fn bitcoin(chance: &mut Chance) -> String {
    let hash = chance.bytes::<20>();
    if chance.one_in(4) { legacy_bitcoin(hash) } else { segwit_bitcoin(hash) }
}

/// A monero address to random keys: network byte, two keys, and the first four bytes of Keccak-256, in Monero's own Base58.
pub(crate) fn monero(chance: &mut Chance) -> String {
    let mut bytes = vec![0x12];
    bytes.extend(chance.bytes::<64>());
    let digest = Keccak256::digest(&bytes);
    bytes.extend(digest.iter().take(4));
    bytes.chunks(8).map(base58_block).collect()
}

/// A version 0 witness address of the main network with a 20-byte program (BIP 173).
fn segwit_bitcoin(hash: [u8; 20]) -> String {
    let mut values = vec![0];
    values.extend(in_fives(&hash));
    // The human-readable part `bc`, expanded: high bits, a zero, low bits.
    let mut checked = vec![3, 3, 0, 2, 3];
    checked.extend(&values);
    checked.extend([0; 6]);
    let sum = bech32_polymod(&checked) ^ 1;
    values.extend((0..6).map(|at| (sum >> (25 - 5 * at) & 31) as u8));
    let text: String = values.iter().map(|value| char::from(BECH32[usize::from(value & 31)])).collect();
    format!("bc1{text}")
}

fn in_fives(bytes: &[u8; 20]) -> impl Iterator<Item = u8> {
    bytes.chunks(5).flat_map(|five| {
        let bits = five.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        (0..8).map(move |at| (bits >> (35 - 5 * at) & 31) as u8)
    })
}

fn bech32_polymod(values: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.iter().fold(1, |sum, value| {
        let top = sum >> 25;
        let shifted = ((sum & 0x1ff_ffff) << 5) ^ u32::from(*value);
        GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1).fold(shifted, |sum, (_, term)| sum ^ term)
    })
}

/// A pay-to-public-key-hash address of the main network: version 0, hash, the first four bytes of a double SHA-256.
fn legacy_bitcoin(hash: [u8; 20]) -> String {
    let mut bytes = vec![0];
    bytes.extend(hash);
    let digest = Sha256::digest(Sha256::digest(&bytes));
    bytes.extend(digest.iter().take(4));
    base58(&bytes)
}

fn base58(bytes: &[u8]) -> String {
    let mut digits: Vec<u8> = Vec::new();
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    std::iter::repeat_n(0, zeros).chain(digits.into_iter().rev()).map(letter).collect()
}

/// Monero writes each block of eight bytes as eleven letters, and the last five bytes as seven.
fn base58_block(block: &[u8]) -> String {
    let width = if block.len() == 8 { 11 } else { 7 };
    let mut number = block.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let mut letters: Vec<char> = Vec::with_capacity(width);
    for _ in 0..width {
        letters.push(letter((number % 58) as u8));
        number /= 58;
    }
    letters.into_iter().rev().collect()
}

fn letter(digit: u8) -> char {
    char::from(BASE58[usize::from(digit % 58)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key hash of the examples in BIP 173.
    const HASH: [u8; 20] = [
        0x75, 0x1e, 0x76, 0xe8, 0x19, 0x91, 0x96, 0xd4, 0x54, 0x94, 0x1c, 0x45, 0xd1, 0xb3, 0xa3, 0x23, 0xf1, 0x43,
        0x3b, 0xd6,
    ];

    #[test]
    fn addresses_are_those_of_the_standard() {
        assert_eq!(segwit_bitcoin(HASH), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
        assert_eq!(legacy_bitcoin(HASH), "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH");
    }

    #[test]
    fn monero_addresses_have_their_shape() {
        let address = monero(&mut Chance::of(1, "wallet", 0));
        assert_eq!((address.len(), address.starts_with('4')), (95, true), "{address}");
        assert_ne!(address, monero(&mut Chance::of(2, "wallet", 0)));
    }
}

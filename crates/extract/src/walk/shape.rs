use std::collections::HashSet;

/// How many elements a feature reaches up.
const DEPTH: usize = 4;

/// Different features that count; a page that people made has some hundreds.
const MAX_FEATURES: usize = 4096;

/// The shape of a page in the making: how elements stand within each other, and their classes, whatever they say.
///
/// Each feature counts once, however many rows a table has, so that pages of one template come out nearly equal.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The names of the elements that are open, as numbers.
    open: Vec<u64>,
    features: HashSet<u64>,
}

impl Shape {
    pub(super) fn open(&mut self, name: &str, class: &str) {
        let own = hash(name.bytes());
        self.open.push(own);
        self.add(self.open.iter().rev().take(DEPTH).fold(0, |path, &name| mix(path ^ name)));
        for word in class.split_ascii_whitespace() {
            // `post-17` and `post-18` are of one kind.
            self.add(mix(own ^ hash(word.bytes().filter(|byte| !byte.is_ascii_digit()))));
        }
    }

    pub(super) fn close(&mut self) {
        self.open.pop();
    }

    fn add(&mut self, feature: u64) {
        if self.features.len() < MAX_FEATURES {
            self.features.insert(feature);
        }
    }

    /// The simhash of all features (Charikar, 2002): the more of them two pages share, the fewer bits differ.
    pub(super) fn simhash(&self) -> u64 {
        let mut balance = [0_i32; 64];
        for feature in &self.features {
            for (bit, balance) in balance.iter_mut().enumerate() {
                *balance += if feature >> bit & 1 == 1 { 1 } else { -1 };
            }
        }
        balance.iter().rev().fold(0, |bits, &balance| bits << 1 | u64::from(balance > 0))
    }
}

/// FNV-1a.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// Spreads what differs over all bits (the finalizer of `SplitMix64`).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}

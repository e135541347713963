//! Payloads at rest: one byte that names the coding, the length, then the bytes.

use model::Digest;

use crate::{Error, schema::Table};

/// zstd's own default; 20 KB of HTML take some 0.1 ms.
const LEVEL: i32 = 3;

/// No payload is larger; a length beyond it in a row is damage, and must not become an allocation.
const MAX_LEN: usize = 256 << 20;

const STORED: u8 = 0;
const ZSTD: u8 = 1;

/// A payload in the form in which it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompressedPayload(Vec<u8>);

impl CompressedPayload {
    /// Compresses; some 0.1 ms of CPU for 20 KB.
    pub fn of(payload: &[u8]) -> Self {
        Self(compress(payload))
    }

    pub(crate) fn row(&self) -> &[u8] {
        &self.0
    }
}

pub(crate) fn compress(payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let (coding, body) = match zstd::bulk::compress(payload, LEVEL) {
        Ok(smaller) if smaller.len() < payload.len() => (ZSTD, smaller),
        _ => (STORED, payload.to_vec()),
    };
    let mut row = Vec::with_capacity(5 + body.len());
    row.push(coding);
    row.extend_from_slice(&len);
    row.extend_from_slice(&body);
    row
}

/// The payload of a row, checked against the digest that is its key.
pub(crate) fn decompress(key: &[u8], row: &[u8], digest: &Digest) -> Result<Vec<u8>, Error> {
    let payload = decompress_unchecked(Table::Payloads, key, row)?;
    if Digest::of(&payload) == *digest { Ok(payload) } else { Err(Error::corrupt(Table::Payloads, key)) }
}

/// What was compressed, of any table; nothing vouches for it.
pub(crate) fn decompress_unchecked(table: Table, key: &[u8], row: &[u8]) -> Result<Vec<u8>, Error> {
    let corrupt = || Error::corrupt(table, key);
    let (&coding, rest) = row.split_first().ok_or_else(corrupt)?;
    let (len, body) = rest.split_first_chunk::<4>().ok_or_else(corrupt)?;
    let len = usize::try_from(u32::from_be_bytes(*len)).ok().filter(|&len| len <= MAX_LEN).ok_or_else(corrupt)?;
    let plain = match coding {
        STORED => body.to_vec(),
        ZSTD => zstd::bulk::decompress(body, len).map_err(|_| corrupt())?,
        _ => return Err(corrupt()),
    };
    if plain.len() == len { Ok(plain) } else { Err(corrupt()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_payload_comes_back(payload: Vec<u8>) {
            let digest = Digest::of(&payload);
            proptest::prop_assert_eq!(decompress(b"", &compress(&payload), &digest).unwrap(), payload);
        }

        #[test]
        fn any_flipped_bit_is_noticed(payload in proptest::collection::vec(0u8..4, 1..200), at: prop::sample::Index, bit in 0u8..8) {
            let digest = Digest::of(&payload);
            let mut row = compress(&payload);
            let at = at.index(row.len());
            row[at] ^= 1 << bit;
            if let Ok(read) = decompress(b"", &row, &digest) {
                proptest::prop_assert_eq!(read, payload);
            }
        }
    }

    use proptest::prelude::prop;
}

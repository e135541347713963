//! Values: one version byte, then CBOR (RFC 8949). A value of another version or shape is `Corrupt`, never a panic.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, schema::Table};

const VERSION: u8 = 1;

/// How deep a value may nest; ours nest far less.
const DEPTH: usize = 32;

pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    // Writing into memory cannot fail, and our values are plain data.
    let written = ciborium::into_writer(value, &mut bytes);
    debug_assert!(written.is_ok(), "{written:?}");
    bytes
}

pub(crate) fn decode<T: DeserializeOwned>(table: Table, key: &[u8], value: &[u8]) -> Result<T, Error> {
    let corrupt = || Error::corrupt(table, key);
    let (&version, body) = value.split_first().ok_or_else(corrupt)?;
    if version != VERSION {
        return Err(corrupt());
    }
    let mut rest = body;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH).map_err(|_| corrupt())?;
    if rest.is_empty() { Ok(value) } else { Err(corrupt()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_named_by_table_and_key() {
        let good = encode(&(1u32, "text"));
        assert_eq!(decode::<(u32, String)>(Table::Uris, b"k", &good).unwrap(), (1, "text".into()));
        for bad in [&[][..], &[9, 1], &good[..good.len() - 1], &[&good[..], &[0]].concat()] {
            let error = decode::<(u32, String)>(Table::Uris, b"k", bad).unwrap_err();
            assert_eq!(error.to_string(), "store: table uris, key 6b: the row is damaged");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_decode_or_are_corrupt(bytes: Vec<u8>) {
            let _ = decode::<model::Capture>(Table::Captures, b"", &bytes);
        }
    }
}

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
    decode_plain(value).ok_or_else(|| Error::corrupt(table, key))
}

/// A value that lies in no table.
pub(crate) fn decode_plain<T: DeserializeOwned>(value: &[u8]) -> Option<T> {
    let (&version, mut rest) = value.split_first()?;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH).ok()?;
    (version == VERSION && rest.is_empty()).then_some(value)
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

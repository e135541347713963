//! Any bytes: a leaf with exactly this encoding, or none.

#![no_main]

use libfuzzer_sys::fuzz_target;
use proof::{Leaf, read_entries, write_entry};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(leaf) = Leaf::decode(bytes) {
        assert_eq!(leaf.encode().as_deref(), Ok(bytes));
    }
    if let Ok(entries) = read_entries(bytes) {
        let mut written = Vec::new();
        for entry in entries {
            write_entry(&mut written, entry).expect("it was as long before");
        }
        assert_eq!(written, bytes);
    }
});

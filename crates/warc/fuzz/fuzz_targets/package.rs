//! Any bytes as a package: read or refused, within the bounds.

#![no_main]

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use warc::{WaczLimits, WaczReader};

fuzz_target!(|bytes: &[u8]| {
    let limits = WaczLimits { files: 10, manifest_bytes: 4096, deflated_bytes: 1 << 20 };
    let Ok(mut wacz) = WaczReader::open(Cursor::new(bytes), limits) else { return };
    let _ = wacz.check();
    let paths: Vec<String> = wacz.paths().map(str::to_owned).collect();
    for path in paths {
        let mut content = Vec::new();
        if let Ok(Some(mut file)) = wacz.file(&path) {
            let _ = file.read_to_end(&mut content);
        }
        assert!(content.len() <= limits.deflated_bytes as usize);
    }
});

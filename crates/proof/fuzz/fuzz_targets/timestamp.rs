//! Any bytes: an answer that stamps nothing of ours, or none.

#![no_main]

use libfuzzer_sys::fuzz_target;
use proof::TimestampResponse;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(response) = TimestampResponse::parse(bytes) {
        assert!(response.check(b"a note", None).is_err());
    }
});

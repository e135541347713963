//! Any bytes under any headers: a document within the bounds, the same each time.

#![no_main]

use std::sync::LazyLock;

use extract::{Limits, Page, document};
use libfuzzer_sys::fuzz_target;
use model::Uri;

static PAGE: LazyLock<Uri> = LazyLock::new(|| "http://shop.example.com/a/b?c=d".parse().expect("a valid address"));

type Input<'a> = (u16, Option<&'a [u8]>, Option<&'a [u8]>, Option<&'a [u8]>, &'a [u8]);

fuzz_target!(|input: Input<'_>| {
    let (status, content_type, content_encoding, refresh, payload) = input;
    let page = Page { uri: &PAGE, status, content_type, content_encoding, refresh, payload };
    let limits = Limits {
        decoded_bytes: 1 << 20,
        depth: 64,
        links: 50,
        observables: 50,
        text_bytes: 1 << 16,
        ..Limits::default()
    };
    let (found, problems) = document(&page, &limits);
    assert!(
        found.links.len() <= limits.links
            && found.observables.len() <= limits.observables
            && found.text.len() <= limits.text_bytes
    );
    let part = |at: &std::ops::Range<u32>| found.text.get(at.start as usize..at.end as usize);
    assert!(found.hidden.iter().all(|at| part(at).is_some_and(|text| !text.is_empty())));
    assert!(found.languages.iter().all(|run| part(&run.at).is_some_and(|text| !text.is_empty())));
    assert_eq!(document(&page, &limits), (found, problems));
});

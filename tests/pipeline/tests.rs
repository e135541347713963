use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use super::*;

/// What a market might send, with something that an indicator looks for and something that is an observable.
const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n<!DOCTYPE html><title>Lantern oil</title>\
    <h1>Lantern oil</h1><p>Vendor: heron. Price: 12.50 EUR. Ships from Netherlands.</p><p>Pay to bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4</p>\
    <a href=\"/other\">other</a><form action=/cart><button>Add to cart</button></form>";

fn status(fed: &Fed, end: &str) -> StatusCode {
    let found = fed.answers.iter().find(|(path, ..)| path.ends_with(end));
    found.unwrap_or_else(|| panic!("nobody asked for {end}")).1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_comes_out_at_the_other_end() {
    let mut pipeline = Pipeline::start();
    let fed = pipeline.feed(PAGE.as_bytes()).await;
    assert_eq!(fed.outcome, Outcome::Ok);
    for end in ["/text", "/document", "/findings", "/proof", "limit=10", "/services"] {
        assert_eq!(status(&fed, end), 200, "{end}: {fed:?}");
    }
    let (_, _, found) = fed.answers.iter().find(|(path, ..)| path.ends_with("limit=10")).unwrap();
    let found: serde_json::Value = serde_json::from_slice(found).unwrap();
    // The server answers its `robots.txt` with the same page.
    let hit = found["hits"].as_array().unwrap().iter().find(|hit| hit["seq"] == fed.seq.0);
    assert_eq!(hit.unwrap()["title"], "Lantern oil", "{found}");

    let again = pipeline.feed(b"SSH-2.0-ferry\r\n").await;
    assert!(again.seq > fed.seq && matches!(again.outcome, Outcome::Malformed(_)), "{again:?}");
    pipeline.end().await;
}

/// The round would notice: an analysis that has died leaves a capture behind that nobody reads.
#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "a task has ended")]
async fn a_task_that_dies_is_noticed() {
    let mut pipeline = Pipeline::start();
    pipeline.tasks.abort_all();
    pipeline.feed(PAGE.as_bytes()).await;
}

/// Bytes that are no page, and pages in which something is exchanged, left out or put in.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), 0..40_usize, vec(any::<u8>(), 0..20));
    let changed = vec(change, 1..6).prop_map(|changes| {
        let mut page = PAGE.as_bytes().to_vec();
        for (at, cut, put) in changes {
            let at = at.index(page.len() + 1);
            let end = (at + cut).min(page.len());
            page.splice(at..end, put);
        }
        page
    });
    let body = vec(any::<u8>(), 0..400).prop_map(|body| [PAGE.split("<!").next().unwrap().as_bytes(), &body].concat());
    prop_oneof![vec(any::<u8>(), 0..400), changed, body]
}

#[test]
fn whatever_is_sent_is_kept_read_and_answered() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let pipeline = std::cell::RefCell::new(runtime.block_on(async { Pipeline::start() }));
    let config =
        ProptestConfig { cases: 48, failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&hostile(), |bytes| {
            let _fed = runtime.block_on(pipeline.borrow_mut().feed(&bytes));
            Ok(())
        })
        .unwrap();
    runtime.block_on(pipeline.into_inner().end());
}

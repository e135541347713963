//! Whatever bytes a server answers with: the crawl fetches and keeps them, the analysis reads, judges and indexes them, and the API tells
//! of them, all without a panic, without a failure, and with an end.

#![no_main]

#[path = "../../pipeline.rs"]
mod pipeline;

use std::sync::{Mutex, PoisonError};

use libfuzzer_sys::fuzz_target;
use pipeline::Pipeline;
use tokio::runtime::{Builder, Runtime};

/// How many inputs one house gets: what it keeps of them must not slow down those that follow.
const INPUTS: usize = 500;

/// The house at work. A static is not dropped at the end of the process, when a runtime that goes away would look like a crash.
static HOUSE: Mutex<Option<House>> = Mutex::new(None);

struct House {
    runtime: Runtime,
    pipeline: Pipeline,
    fed: usize,
}

impl House {
    fn open() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let pipeline = runtime.block_on(async { Pipeline::start() });
        Self { runtime, pipeline, fed: 0 }
    }
}

fuzz_target!(|answer: &[u8]| {
    let mut house = HOUSE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(House { runtime, pipeline, .. }) = house.take_if(|house| house.fed >= INPUTS) {
        runtime.block_on(pipeline.end());
    }
    let House { runtime, pipeline, fed } = house.get_or_insert_with(House::open);
    let made = runtime.block_on(pipeline.feed(answer));
    let is_told = made.answers.iter().any(|(_, status, _)| status.is_success());
    assert!(is_told, "the API tells nothing of capture {}: {}", made.seq, made.outcome);
    *fed += 1;
});

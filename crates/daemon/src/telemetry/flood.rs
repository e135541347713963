//! How often one event is told. A site, a target or a client that fails at every turn must not fill the journal, nor push out of it what somebody
//! looks for later. What is left out is counted, and told as a number.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt::{self, Write as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{
    Event, Metadata, Subscriber,
    callsite::Identifier,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// The time within which events are counted.
const WINDOW: Duration = Duration::from_mins(1);

/// How often it is told what was left out.
const TELL: Duration = Duration::from_secs(10);

/// Counts what each place of the program tells, and lets by what is not too much.
#[derive(Clone)]
pub(crate) struct Flood {
    most: u32,
    places: Arc<Mutex<HashMap<Identifier, Place>>>,
}

/// A place of the program that tells an event. There are as many as there are lines that log.
struct Place {
    since: Instant,
    told: u32,
    left_out: u64,
    /// What it says, without the fields; known once something is left out.
    says: String,
    metadata: &'static Metadata<'static>,
}

impl Flood {
    /// At most so many times a minute; 0 sets no limit.
    pub(crate) fn of_at_most(most: u32) -> Self {
        Self { most, places: Arc::default() }
    }

    /// Tells once in a while how much was left out, until `stop`, and then once more.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), Infallible> {
        loop {
            let goes_on = stop.run_until_cancelled(tokio::time::sleep(TELL)).await.is_some();
            self.tell();
            if !goes_on {
                return Ok(());
            }
        }
    }

    fn tell(&self) {
        for (says, from, left_out) in self.left_out() {
            tracing::warn!(says, from, left_out, "an event came too often: not every one was told");
        }
    }

    /// What was left out since it was last asked: what the events say, where they are from, and how many.
    fn left_out(&self) -> Vec<(String, &'static str, u64)> {
        let mut places = self.places();
        let flooded = places.values_mut().filter(|place| place.left_out > 0);
        flooded
            .map(|place| (place.says.clone(), place.metadata.target(), std::mem::take(&mut place.left_out)))
            .collect()
    }

    fn lets_by(&self, event: &Event<'_>, now: Instant) -> bool {
        if self.most == 0 {
            return true;
        }
        let metadata = event.metadata();
        let mut places = self.places();
        let place = places.entry(metadata.callsite()).or_insert_with(|| Place {
            since: now,
            told: 0,
            left_out: 0,
            says: String::new(),
            metadata,
        });
        if now >= place.since + WINDOW {
            (place.since, place.told) = (now, 0);
        }
        if place.told < self.most {
            place.told += 1;
            return true;
        }
        if place.left_out == 0 {
            let mut message = Message::default();
            event.record(&mut message);
            place.says = message.0;
        }
        place.left_out += 1;
        false
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Identifier, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for Flood {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        self.lets_by(event, Instant::now())
    }
}

/// What an event says, without its fields.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests;

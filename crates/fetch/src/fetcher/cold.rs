//! A cap on how many services are opened afresh at the same time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use model::{Host, Isolation};
use tokio::{
    sync::{OnceCell, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::lock;
use crate::Request;

/// Tor keeps the circuit to a service for ten minutes after its last use; half of that is certainly warm.
const WARM_FOR: Duration = Duration::from_mins(5);

/// From this size on the memory of warm services is tidied.
const TIDY_FROM: usize = 1024;

/// Opening a service for which no circuit stands costs about three circuits, and relays defend themselves against clients
/// that build many at once.
pub(crate) struct ColdOpens {
    places: Arc<Semaphore>,
    slots: Mutex<HashMap<Key, Weak<Slot>>>,
    warm: Mutex<HashMap<Key, Instant>>,
}

type Key = (Isolation, Host);

/// One of the places for a service that is opened afresh. All that open the same service share it, as they share its circuits; it
/// is free again when the last of them drops it, or before.
#[derive(Default)]
pub(crate) struct Slot(OnceCell<Mutex<Option<OwnedSemaphorePermit>>>);

impl Slot {
    /// Gives the place to others already: opening the service takes time, and no circuits for now.
    pub(crate) fn free(&self) {
        if let Some(place) = self.0.get() {
            drop(lock(place).take());
        }
    }
}

impl ColdOpens {
    pub(crate) fn new(most: usize) -> Self {
        let places = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { places, slots: Mutex::default(), warm: Mutex::default() }
    }

    /// Waits for a slot if the service is cold.
    pub(crate) async fn enter(&self, request: &Request) -> Option<Arc<Slot>> {
        if self.is_warm(request) {
            return None;
        }
        let slot = self.slot(key(request));
        slot.0.get_or_init(|| async { Mutex::new(Arc::clone(&self.places).acquire_owned().await.ok()) }).await;
        Some(slot)
    }

    /// The slot that others open the service with, or a new one.
    fn slot(&self, key: Key) -> Arc<Slot> {
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.get(&key).and_then(Weak::upgrade) {
            return slot;
        }
        slots.retain(|_, slot| slot.strong_count() > 0);
        let slot = Arc::new(Slot::default());
        slots.insert(key, Arc::downgrade(&slot));
        slot
    }

    /// The service was reached just now.
    pub(crate) fn note_use(&self, request: &Request) {
        let now = Instant::now();
        let mut warm = lock(&self.warm);
        if warm.len() >= TIDY_FROM {
            warm.retain(|_, used| now.duration_since(*used) < WARM_FOR);
        }
        warm.insert(key(request), now);
    }

    /// The circuits to the service are not to be used again.
    pub(crate) fn forget(&self, request: &Request) {
        lock(&self.warm).remove(&key(request));
    }

    fn is_warm(&self, request: &Request) -> bool {
        lock(&self.warm).get(&key(request)).is_some_and(|used| used.elapsed() < WARM_FOR)
    }
}

fn key(request: &Request) -> Key {
    (request.isolation, request.uri.host())
}

//! A cap on how many services are opened afresh at the same time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use model::{Host, Isolation};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::Request;

/// Tor keeps the circuit to a service for ten minutes after its last use; half of that is certainly warm.
const WARM_FOR: Duration = Duration::from_mins(5);

/// From this size on the memory of warm services is tidied.
const TIDY_FROM: usize = 1024;

/// Opening a service for which no circuit stands costs about three circuits, and relays defend themselves against clients
/// that build many at once.
pub(crate) struct ColdOpens {
    slots: Arc<Semaphore>,
    warm: Mutex<HashMap<(Isolation, Host), Instant>>,
}

impl ColdOpens {
    pub(crate) fn new(most: usize) -> Self {
        Self { slots: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))), warm: Mutex::default() }
    }

    /// Waits for a slot if the service is cold; it is free again when the slot is dropped.
    pub(crate) async fn enter(&self, request: &Request) -> Option<OwnedSemaphorePermit> {
        if self.is_warm(request) {
            return None;
        }
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    /// The service was reached just now.
    pub(crate) fn note_use(&self, request: &Request) {
        let now = Instant::now();
        let mut warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        if warm.len() >= TIDY_FROM {
            warm.retain(|_, used| now.duration_since(*used) < WARM_FOR);
        }
        warm.insert(key(request), now);
    }

    /// The circuits to the service are not to be used again.
    pub(crate) fn forget(&self, request: &Request) {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(request));
    }

    fn is_warm(&self, request: &Request) -> bool {
        let warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        warm.get(&key(request)).is_some_and(|used| used.elapsed() < WARM_FOR)
    }
}

fn key(request: &Request) -> (Isolation, Host) {
    (request.isolation, request.uri.host())
}

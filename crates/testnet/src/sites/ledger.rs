use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How many bytes of the last response to a target are remembered.
const SENT_LIMIT: usize = 4 << 20;

/// What a site was asked, and what the hostile one sent.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    asked: Mutex<BTreeMap<String, u64>>,
    sent: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Ledger {
    /// Counts a request and says how many there have been of its kind. Anything but a GET is counted under its method and a space.
    pub(crate) fn count(&self, method: &str, target: &str) -> u64 {
        let key = if method == "GET" { target.to_owned() } else { format!("{method} {target}") };
        let mut asked = lock(&self.asked);
        let count = asked.entry(key).or_default();
        *count += 1;
        *count
    }

    pub(crate) fn requests(&self, target: &str) -> u64 {
        lock(&self.asked).get(target).copied().unwrap_or_default()
    }

    pub(crate) fn all_requests(&self) -> BTreeMap<String, u64> {
        lock(&self.asked).clone()
    }

    pub(crate) fn reset(&self) {
        lock(&self.asked).clear();
    }

    /// Forgets what was sent to an earlier request for this target.
    pub(crate) fn begin(&self, target: &str) {
        lock(&self.sent).insert(target.to_owned(), Vec::new());
    }

    /// Remembers bytes that are about to be sent.
    pub(crate) fn send(&self, target: &str, bytes: &[u8]) {
        if let Some(sent) = lock(&self.sent).get_mut(target) {
            let room = SENT_LIMIT.saturating_sub(sent.len());
            sent.extend(bytes.iter().take(room));
        }
    }

    pub(crate) fn sent(&self, target: &str) -> Option<Vec<u8>> {
        lock(&self.sent).get(target).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

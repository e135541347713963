use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

/// The pulse of a loop: it beats at each turn, so that whoever watches over the loop sees that it turns.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<State>);

#[derive(Debug, Default)]
struct State {
    beats: AtomicU64,
    long_works: AtomicU32,
}

/// A work of which nobody can say how long it takes. Until it is dropped no beat is expected.
#[derive(Debug)]
pub struct LongWork(Pulse);

impl Pulse {
    /// The longest time that a loop lets pass between two beats while it has nothing to do.
    pub const REST: Duration = Duration::from_secs(1);

    /// The loop has turned.
    pub fn beat(&self) {
        self.0.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Begins a work that may take longer than anybody would wait for a beat, such as writing a large store anew.
    #[must_use]
    pub fn long_work(&self) -> LongWork {
        self.0.long_works.fetch_add(1, Ordering::Relaxed);
        LongWork(self.clone())
    }

    /// How often it has beaten.
    pub fn beats(&self) -> u64 {
        self.0.beats.load(Ordering::Relaxed)
    }

    /// Whether the loop is at a work that may take long.
    pub fn is_at_long_work(&self) -> bool {
        self.0.long_works.load(Ordering::Relaxed) > 0
    }
}

impl Drop for LongWork {
    fn drop(&mut self) {
        let Self(pulse) = self;
        pulse.beat();
        pulse.0.long_works.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_long_work_is_a_beat() {
        let pulse = Pulse::default();
        let watched = pulse.clone();
        pulse.beat();
        assert_eq!((watched.beats(), watched.is_at_long_work()), (1, false));
        let (first, second) = (pulse.long_work(), pulse.long_work());
        drop(first);
        assert_eq!((watched.beats(), watched.is_at_long_work()), (2, true));
        drop(second);
        assert_eq!((watched.beats(), watched.is_at_long_work()), (3, false));
    }
}

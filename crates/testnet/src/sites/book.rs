use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::sites::html::Page;

/// Every reachable page of a site by path and query.
pub(crate) type Pages = BTreeMap<String, Page>;

/// All pages of a site at its present step. A mirror shares the book of its original, and so its step.
pub(crate) struct Book {
    write: Box<dyn Fn(u32) -> Pages + Send + Sync>,
    open: Mutex<Open>,
}

struct Open {
    step: u32,
    pages: Arc<Pages>,
}

impl Book {
    /// A book that `write` fills for a given step, opened at step 0.
    pub(crate) fn new(write: impl Fn(u32) -> Pages + Send + Sync + 'static) -> Self {
        let open = Mutex::new(Open { step: 0, pages: Arc::new(write(0)) });
        Self { write: Box::new(write), open }
    }

    /// The pages at the present step.
    pub(crate) fn pages(&self) -> Arc<Pages> {
        Arc::clone(&self.lock().pages)
    }

    /// The present step.
    pub(crate) fn step(&self) -> u32 {
        self.lock().step
    }

    /// Goes to a step; the next request sees it.
    pub(crate) fn set_step(&self, step: u32) {
        let pages = Arc::new((self.write)(step));
        *self.lock() = Open { step, pages };
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.lock();
        f.debug_struct("Book").field("step", &open.step).field("pages", &open.pages.len()).finish_non_exhaustive()
    }
}

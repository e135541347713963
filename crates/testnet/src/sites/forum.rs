mod pages;
mod talk;

use crate::sites::{book::Pages, forum::talk::Talk};

/// A forum: boards in three languages, threads, posts and members, all from its seed.
pub(crate) struct Forum {
    talk: Talk,
}

impl Forum {
    pub(crate) fn new(seed: u64) -> Self {
        Self { talk: Talk::new(seed) }
    }

    /// Every page.
    pub(crate) fn pages(&self) -> Pages {
        pages::write(&self.talk)
    }
}

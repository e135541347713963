mod catalogue;
mod pages;
mod shell;

use crate::sites::{book::Pages, market::catalogue::Catalogue};

/// A market: what it offers follows from its seed and a step.
pub(crate) struct Market {
    catalogue: Catalogue,
}

impl Market {
    pub(crate) fn new(seed: u64) -> Self {
        Self { catalogue: Catalogue::new(seed) }
    }

    /// Every page at a step.
    pub(crate) fn pages(&self, step: u32) -> Pages {
        pages::write(&self.catalogue, step)
    }
}

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of the analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The greatest number of captures that are analysed in one batch.
    pub batch: usize,
    /// The longest time that an analysed capture waits for the search index, in milliseconds.
    pub index_after_ms: u32,
    /// The number of analysed captures that the search index waits for at most.
    pub index_after_captures: u32,
    /// How many stored documents are looked at again in a second when an indicator changes; 0 as fast as it goes.
    pub rescored_per_s: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { batch: 64, index_after_ms: 1_000, index_after_captures: 2_000, rescored_per_s: 2_000 }
    }
}

impl Config {
    pub(crate) fn index_after(&self) -> Duration {
        Duration::from_millis(self.index_after_ms.into())
    }
}

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The most hits that a search gives at once.
const MOST_HITS: usize = 1_000;

/// Settings of watches and alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatchConfig {
    /// The directory that alerts are also written to as signed files; empty: none.
    pub spool_dir: PathBuf,
    /// The most watches that a theme may have.
    pub per_theme: usize,
    /// The most hits that one run of a watch takes, 1 to 1000; one that finds more goes on in the next.
    pub hits_per_run: usize,
}

impl Default for WatchConfig {
    fn default() -> Self {
        Self { spool_dir: PathBuf::new(), per_theme: 100, hits_per_run: MOST_HITS }
    }
}

impl WatchConfig {
    pub(super) fn hits_per_run(&self) -> usize {
        self.hits_per_run.clamp(1, MOST_HITS)
    }
}

use std::{future::Future, time::Duration};

use anyhow::bail;
use tokio::time::Instant;

/// How often a condition without an event of its own is looked at.
const TICK: Duration = Duration::from_millis(50);

/// The moment by which something must have come about.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline this many seconds from now.
    pub fn seconds(seconds: u64) -> Self {
        Self(Instant::now() + Duration::from_secs(seconds))
    }

    /// Whether it has passed.
    pub fn has_passed(self) -> bool {
        Instant::now() >= self.0
    }
}

/// Looks until `condition` gives something, and fails with `what` when it does not in time.
pub async fn wait_until<T, F>(what: &str, deadline: Deadline, mut condition: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    loop {
        if let Some(value) = condition().await? {
            return Ok(value);
        }
        if deadline.has_passed() {
            bail!("waited in vain: {what}");
        }
        tokio::time::sleep(TICK).await;
    }
}

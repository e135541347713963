//! After each death in a row the next start waits longer: systemd 252 restarts at one pace for ever (`RestartSteps=` came with 254).

use std::{env, fs, path::PathBuf, time::Duration};

use tokio::time::Instant;

/// The longest wait.
const LONGEST: Duration = Duration::from_mins(5);

/// Who has lived so long has not died young.
const OLD: Duration = Duration::from_mins(10);

/// The count of starts that nobody has outlived yet, in the runtime directory, which `RuntimeDirectoryPreserve=restart` keeps between them.
pub(crate) struct BackOff {
    file: Option<PathBuf>,
    since: Instant,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { file: None, since: Instant::now() }
    }
}

impl BackOff {
    /// Of the service; a daemon that is started by hand never waits.
    pub(crate) fn of_this_process() -> Self {
        let file = env::var_os("RUNTIME_DIRECTORY").map(|directory| PathBuf::from(directory).join("starts"));
        Self { file, ..Self::default() }
    }

    /// Counts this start; returns how long it should wait.
    pub(crate) fn begin(&self) -> Duration {
        let Some(file) = &self.file else { return Duration::ZERO };
        let deaths = fs::read_to_string(file).ok().and_then(|text| text.trim().parse::<u32>().ok()).unwrap_or(0);
        if let Err(error) = fs::write(file, format!("{}\n", deaths.saturating_add(1))) {
            tracing::warn!(%error, "starts cannot be counted");
        }
        wait_after(deaths)
    }

    /// Forgets the deaths of before, once the process has lived long enough.
    pub(crate) fn forgive_if_old(&mut self) {
        if self.since.elapsed() >= OLD {
            self.forgive();
        }
    }

    /// Forgets them at once: this process ends as it was asked to.
    pub(crate) fn forgive(&mut self) {
        if let Some(file) = self.file.take()
            && let Err(error) = fs::remove_file(&file)
        {
            tracing::debug!(%error, "there was nothing to forgive");
        }
    }
}

/// Nothing after the first death: `RestartSec=` waits then. From the second on it doubles.
fn wait_after(deaths: u32) -> Duration {
    match deaths {
        0 | 1 => Duration::ZERO,
        deaths => LONGEST.min(Duration::from_secs(5) * 2_u32.saturating_pow(deaths.min(10) - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_death_makes_the_next_start_wait_longer_until_one_lives() {
        let dir = tempfile::tempdir().unwrap();
        let start = || BackOff { file: Some(dir.path().join("starts")), since: Instant::now() };
        let waits: Vec<u64> = (0..9).map(|_| start().begin().as_secs()).collect();
        assert_eq!(waits, [0, 0, 10, 20, 40, 80, 160, 300, 300]);
        let mut long_lived = start();
        long_lived.forgive_if_old();
        assert_eq!(start().begin(), LONGEST, "it is young yet");
        tokio::time::sleep(OLD).await;
        long_lived.forgive_if_old();
        assert_eq!(start().begin(), Duration::ZERO);
    }

    #[test]
    fn who_starts_it_by_hand_does_not_wait() {
        for _ in 0..5 {
            assert_eq!(BackOff::default().begin(), Duration::ZERO);
        }
    }
}

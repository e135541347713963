//! The memory of the process. Fetching stops before it is used up: what the kernel kills loses nothing that was acknowledged, and still is the worst way to stop.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;
use tokio::{sync::watch, time::Instant};

/// How often the process is measured.
const LOOK: Duration = Duration::from_secs(1);

/// Where control groups are shown (cgroup v2).
const GROUPS: &str = "/sys/fs/cgroup";

/// The memory of the process, as it was last measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// What the process holds and the kernel cannot take back, in bytes, by the MiB: no pages of files.
    pub used_bytes: u64,
    /// What it may hold, in bytes; nothing where nobody says.
    pub ceiling_bytes: Option<u64>,
    /// Whether so much of it is used that nothing new is fetched.
    pub is_short: bool,
}

/// Measures the process, and says when it holds too much.
pub(crate) struct MemoryKeeper {
    used: Box<dyn Fn() -> Option<u64> + Send>,
    /// What was configured, in MiB; 0 for what the control group allows.
    ceiling_mb: watch::Sender<u32>,
    last: Memory,
    /// When the process was measured, and against which setting.
    looked: Option<(Instant, u32)>,
}

impl MemoryKeeper {
    pub(crate) fn new(ceiling_mb: u32) -> Self {
        Self { used: Box::new(used), ceiling_mb: watch::Sender::new(ceiling_mb), last: Memory::default(), looked: None }
    }

    /// Asks somebody else than the system.
    pub(crate) fn measure_by(&mut self, used: impl Fn() -> u64 + Send + 'static) {
        self.used = Box::new(move || Some(used()));
    }

    /// A hold on the setting.
    pub(crate) fn ceiling_mb(&self) -> watch::Sender<u32> {
        self.ceiling_mb.clone()
    }

    /// What was last measured.
    pub(crate) const fn last(&self) -> Memory {
        self.last
    }

    /// The memory as it is now, or was a moment ago. Tells the log when it begins or ceases to be short.
    pub(crate) fn look(&mut self) -> Memory {
        self.look_at(Instant::now())
    }

    fn look_at(&mut self, now: Instant) -> Memory {
        let setting = *self.ceiling_mb.borrow();
        if self.looked.is_some_and(|(at, before)| before == setting && now < at + LOOK) {
            return self.last;
        }
        self.looked = Some((now, setting));
        // What cannot be measured, for want of a descriptor perhaps, is as it was.
        let Some(used) = (self.used)() else { return self.last };
        let used_bytes = used & !((1 << 20) - 1);
        let ceiling_bytes = match setting {
            0 => allowed(Path::new(GROUPS), &fs::read_to_string("/proc/self/cgroup").unwrap_or_default()),
            mb => Some(u64::from(mb) << 20),
        };
        let was_short = self.last.is_short;
        let is_short = ceiling_bytes.is_some_and(|ceiling| is_short(was_short, used_bytes, ceiling));
        self.last = Memory { used_bytes, ceiling_bytes, is_short };
        let (used_mb, ceiling_mb) = (used_bytes >> 20, ceiling_bytes.map(|ceiling| ceiling >> 20));
        match (was_short, is_short) {
            (false, true) => {
                tracing::warn!(
                    used_mb,
                    ceiling_mb,
                    "nearly all memory is used: nothing new is fetched until there is more; raise the ceiling, or restart"
                );
            }
            (true, false) => tracing::info!(used_mb, ceiling_mb, "there is memory again: going on"),
            _ => {}
        }
        self.last
    }
}

/// Whether too much is used, given whether too much was used before: to go on takes a tenth of the ceiling more than to stop, so that nothing flutters.
fn is_short(before: bool, used: u64, ceiling: u64) -> bool {
    used > ceiling / 10 * if before { 8 } else { 9 }
}

/// What the process holds and the kernel cannot take back: pages of no file (`proc_pid_status(5)`).
fn used() -> Option<u64> {
    fs::read_to_string("/proc/self/status").ok().map(|status| held(&status))
}

fn held(status: &str) -> u64 {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    ["RssAnon:", "RssShmem:"].into_iter().filter_map(field).sum::<u64>() << 10
}

/// What a control group, as `/proc/self/cgroup` names it, and those above it allow: the least of `memory.high` and `memory.max`.
fn allowed(groups: &Path, own: &str) -> Option<u64> {
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let limits = |group: &Path| {
        let limit = |name: &str| fs::read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
        ["memory.high", "memory.max"].into_iter().filter_map(limit).min()
    };
    let own: PathBuf = groups.join(own);
    own.ancestors().take_while(|group| group.starts_with(groups)).filter_map(limits).min()
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    };

    use super::*;

    #[test]
    fn fetching_stops_and_goes_on_with_a_margin() {
        let figure = Arc::new(AtomicU64::new(0));
        let mut keeper = MemoryKeeper::new(1_000);
        let read = Arc::clone(&figure);
        keeper.measure_by(move || read.load(Relaxed));
        let mut now = Instant::now();
        let mut check = |used_mb: u64, expect: bool| {
            figure.store(used_mb << 20, Relaxed);
            now += LOOK;
            assert_eq!(keeper.look_at(now).is_short, expect, "{used_mb} MiB");
        };
        check(900, false);
        check(901, true);
        check(801, true);
        check(800, false);
        check(900, false);
        // Another ceiling counts at once.
        keeper.ceiling_mb().send_replace(500);
        assert!(keeper.look_at(now).is_short);
        keeper.ceiling_mb().send_replace(4_000);
        assert!(!keeper.look_at(now).is_short);
    }

    #[test]
    fn pages_of_files_do_not_count() {
        assert_eq!(held("VmRSS:\t 900 kB\nRssAnon:\t     300 kB\nRssFile:\t 500 kB\nRssShmem:\t 100 kB\n"), 400 << 10);
        assert_eq!(held(""), 0);
        assert!(used() > Some(0), "this process holds nothing");
    }

    #[test]
    fn the_least_of_all_groups_counts() {
        let dir = tempfile::tempdir().unwrap();
        let service = dir.path().join("system.slice/nachtwacht.service");
        fs::create_dir_all(&service).unwrap();
        let own = "1:name=systemd:/\n0::/system.slice/nachtwacht.service\n";
        let set = |group: &Path, name: &str, value: &str| fs::write(group.join(name), format!("{value}\n")).unwrap();
        assert_eq!(allowed(dir.path(), own), None, "nobody says");
        set(&service, "memory.max", "4000");
        set(&service, "memory.high", "max");
        assert_eq!(allowed(dir.path(), own), Some(4_000));
        set(&service, "memory.high", "3000");
        assert_eq!(allowed(dir.path(), own), Some(3_000));
        set(&dir.path().join("system.slice"), "memory.max", "2000");
        assert_eq!(allowed(dir.path(), own), Some(2_000));
        assert_eq!(allowed(dir.path(), "4:memory:/elsewhere\n"), None);
    }
}

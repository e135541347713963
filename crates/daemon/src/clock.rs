//! The machine's clock, and what is seen to keep it right. The kernel's own word (`adjtimex(2)`) is outside of the service's system calls.

use std::path::PathBuf;

use model::{Clock, ClockSource, SystemClock, Timestamp};

/// What is there while something keeps the clock. systemd-timesyncd makes its file once it has set the clock (systemd-timesyncd.service(8)); chrony's
/// own directory is closed to others, and its control group is not.
const SIGNS: [(&str, ClockSource); 4] = [
    ("run/systemd/timesync/synchronized", ClockSource::Timesyncd),
    ("run/chrony/chronyd.pid", ClockSource::Chrony),
    ("sys/fs/cgroup/system.slice/chrony.service", ClockSource::Chrony),
    ("sys/fs/cgroup/systemd/system.slice/chrony.service", ClockSource::Chrony),
];

/// The machine's clock.
pub(crate) struct MachineClock {
    /// Where the signs are looked for.
    root: PathBuf,
}

impl MachineClock {
    /// That of this machine.
    pub(crate) fn new() -> Self {
        Self { root: PathBuf::from("/") }
    }

    /// What keeps it, and the file that says so.
    pub(crate) fn kept_by(&self) -> Option<(ClockSource, PathBuf)> {
        SIGNS.into_iter().map(|(path, source)| (source, self.root.join(path))).find(|(_, path)| path.exists())
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn source(&self) -> ClockSource {
        self.kept_by().map_or(ClockSource::Unknown, |(source, _)| source)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_keeps_the_clock_is_seen_when_it_comes_and_when_it_goes() {
        let dir = tempfile::tempdir().unwrap();
        let clock = MachineClock { root: dir.path().to_owned() };
        assert_eq!(clock.source(), ClockSource::Unknown);
        let group = dir.path().join("sys/fs/cgroup/system.slice/chrony.service");
        fs::create_dir_all(&group).unwrap();
        assert_eq!((clock.source(), clock.kept_by()), (ClockSource::Chrony, Some((ClockSource::Chrony, group))));
        // Set is more than kept.
        let flag = dir.path().join("run/systemd/timesync/synchronized");
        fs::create_dir_all(flag.parent().unwrap()).unwrap();
        assert_eq!(clock.source(), ClockSource::Chrony, "timesyncd runs, and has set nothing yet");
        fs::write(&flag, "").unwrap();
        assert_eq!(clock.source(), ClockSource::Timesyncd);
        fs::remove_file(&flag).unwrap();
        assert_eq!(clock.source(), ClockSource::Chrony);
    }
}

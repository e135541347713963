//! How near the process is to what the system lets it have.

use std::fs;

use serde_json::Value;

use super::{Finding, advice, well, wrong};
use crate::descriptors;

/// Descriptors with which every listener may have as many connections as it takes.
const PLENTY: u64 = 4_096;

/// Whether there is memory to go on.
pub(super) fn memory(status: &Value) -> Finding {
    let mb = |field: &str| status[field].as_u64().map(|bytes| bytes >> 20);
    let used = mb("used_bytes").unwrap_or(0);
    match mb("ceiling_bytes") {
        Some(ceiling) if status["has_room"] == false => wrong(
            "memory",
            format!(
                "{used} of {ceiling} MB are used, and nothing is fetched: raise `crawl.memory_mb` or MemoryHigh=, or restart"
            ),
        ),
        Some(ceiling) => well("memory", format!("{used} of {ceiling} MB are used")),
        None => advice(
            "memory",
            format!("{used} MB are used, and no ceiling is set: `crawl.memory_mb`, or MemoryHigh= of the service"),
        ),
    }
}

/// Whether the process may open as many files as it needs.
pub(super) fn descriptors(process: Option<i32>) -> Finding {
    let Some(process) = process else { return advice("descriptors", "whose process answers is not known") };
    let open = fs::read_dir(format!("/proc/{process}/fd")).map(|files| files.count() as u64);
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap_or_default();
    match (open, most(&limits)) {
        (Ok(open), Some(most)) => judge(open, most),
        _ => advice("descriptors", "they are shown to root and to the daemon's own user only: run this as one of them"),
    }
}

/// The limit in force, as `/proc/PID/limits` tells it.
fn most(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
}

fn judge(open: u64, most: u64) -> Finding {
    let said = format!("{open} of {most} files are open");
    if open >= most / 10 * 9 {
        return wrong("descriptors", format!("{said}: raise LimitNOFILE= of the service"));
    }
    if most < PLENTY {
        let connections = descriptors::connections(most, 2);
        let what = format!("{said}, so that each listener takes {connections} connections: raise LimitNOFILE=");
        return advice("descriptors", what);
    }
    well("descriptors", said)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::command::doctor::Verdict;

    #[test]
    fn what_is_nearly_used_up_is_wrong() {
        let verdict = |open, most| judge(open, most).verdict;
        assert_eq!(verdict(100, 65_536), Verdict::Well);
        assert_eq!(verdict(100, 1_024), Verdict::Advice);
        assert_eq!(verdict(950, 1_024), Verdict::Wrong);
        let status =
            |has_room: bool| json!({ "used_bytes": 3_u64 << 30, "ceiling_bytes": 4_u64 << 30, "has_room": has_room });
        assert_eq!(memory(&status(true)).verdict, Verdict::Well);
        assert_eq!(memory(&status(false)).verdict, Verdict::Wrong);
        assert_eq!(
            memory(&json!({ "used_bytes": 1, "ceiling_bytes": null, "has_room": true })).verdict,
            Verdict::Advice
        );
    }

    #[test]
    fn the_limit_is_read() {
        let row = "Max open files            1024                 4096                 files     \n";
        assert_eq!(most(&format!("Limit  Soft Limit  Hard Limit  Units\n{row}")), Some(1_024));
        assert_eq!(most("Max open files  unlimited unlimited files"), Some(u64::MAX));
        assert!(matches!(descriptors(i32::try_from(std::process::id()).ok()).verdict, Verdict::Well | Verdict::Advice));
    }
}

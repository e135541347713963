//! What the kernel says of a process.

use std::{fs, time::Duration};

/// Ticks of CPU time a second, as `/proc` counts them: 100 on every Linux that this runs on.
const TICKS: u64 = 100;

/// CPU time of a process and its threads, in user and kernel.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Ok(Duration::from_millis((ticks(11) + ticks(12)) * 1000 / TICKS))
}

/// Lets the count of the most memory of this process begin anew (`proc_pid_clear_refs(5)`).
pub(crate) fn forget_peak() -> anyhow::Result<()> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}

/// The most memory that a process was resident with, in MB.
pub(crate) fn peak_mb(pid: u32) -> anyhow::Result<u64> {
    status_mb(pid, "VmHWM:")
}

/// What a process is resident with at present of files that it has mapped, in MB: the kernel takes it back when it needs the memory.
pub(crate) fn mapped_mb(pid: u32) -> anyhow::Result<u64> {
    status_mb(pid, "RssFile:")
}

/// What a process is resident with at present, in KB.
pub(crate) fn resident_kb(pid: u32) -> anyhow::Result<u64> {
    status(pid, "VmRSS:")
}

/// What a process is resident with at present of memory of its own, in KB: what no file stands behind.
pub(crate) fn own_kb(pid: u32) -> anyhow::Result<u64> {
    status(pid, "RssAnon:")
}

/// The threads of a process.
pub(crate) fn threads(pid: u32) -> anyhow::Result<u64> {
    status(pid, "Threads:")
}

/// The files and sockets that a process has open.
pub(crate) fn descriptors(pid: u32) -> anyhow::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

fn status_mb(pid: u32, field: &str) -> anyhow::Result<u64> {
    Ok(status(pid, field)? / 1024)
}

fn status(pid: u32, field: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    Ok(line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0))
}

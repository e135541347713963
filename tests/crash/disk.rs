//! Rounds on a small disk of their own, which can be filled.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use super::{
    Tally, Victim,
    round::{Line, Writer},
};

/// The disk's size, the store's floor and its reserve, in MiB.
const SIZE: u64 = 96;
const FLOOR: u64 = 24;
const RESERVE: u64 = 16;

/// Captures that must follow when there is room again.
const AFTERWARDS: usize = 40;

/// A small disk in memory, mounted; gone when this is dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts a disk of so many MiB; `None` without the right to.
    pub fn mount(at: &Path, size_mb: u64) -> anyhow::Result<Option<Self>> {
        fs::create_dir_all(at)?;
        let size = format!("size={size_mb}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "nachtwacht-test"]).arg(at).output();
        Ok(mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned())))
    }

    /// Takes all that is free but so many MiB.
    pub fn fill(&self, leave_mb: u64) -> anyhow::Result<()> {
        let mut ballast = fs::File::options().create(true).append(true).open(self.ballast())?;
        let block = vec![b'x'; 1 << 20];
        while ballast.write_all(&block).is_ok() {}
        let filled = ballast.metadata()?.len();
        Ok(ballast.set_len(filled.saturating_sub(leave_mb << 20))?)
    }

    /// Gives back what [`SmallDisk::fill`] took.
    pub fn empty(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has a file open there keeps it until then.
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
        drop(fs::remove_dir(&self.0));
    }
}

/// A disk that fills up below the floor, wholly, and is emptied again; then the same without a floor, where writes fail.
pub(super) fn full_disk(directory: &Path, seed: u64, tally: &mut Tally) -> anyhow::Result<()> {
    let at = directory.join(format!("disk{seed}"));
    for (floor, reserve) in [(FLOOR, RESERVE), (0, 0)] {
        let Some(disk) = SmallDisk::mount(&at, SIZE)? else {
            tally.skipped += 1;
            return Ok(());
        };
        let mut victim = Victim::new(&at.join("victim"))?;
        let before = victim.captures.len();
        fill_and_empty(&mut victim, &disk, seed, floor, reserve)
            .with_context(|| format!("with a floor of {floor} MiB"))?;
        tally.acknowledged += victim.captures.len() - before;
        tally.deaths += 1;
        tally.faults += 1;
        victim.check()?;
    }
    Ok(())
}

fn fill_and_empty(victim: &mut Victim, disk: &SmallDisk, seed: u64, floor: u64, reserve: u64) -> anyhow::Result<()> {
    let mut command = victim.command(seed);
    let (floor_mb, reserve_mb) = (floor.to_string(), reserve.to_string());
    command.args(["--captures", "100000", "--waits-for-room", "--floor-mb", &floor_mb, "--reserve-mb", &reserve_mb]);
    let mut writer = Writer::start(command)?;
    let result = (|| {
        hear(victim, &writer, "the first captures", |victim, _| victim.captures.len() >= AFTERWARDS)?;
        let reserve_file = victim.store_dir().join("RESERVE");
        if reserve > 0 && !reserve_file.exists() {
            bail!("no reserve is kept");
        }
        disk.fill(floor / 2 + floor / 4)?;
        hear(victim, &writer, "that the disk is full", |_, line| *line == Line::Full)?;
        // A disk on which nothing is left but the reserve.
        disk.fill(0)?;
        if floor > 0 {
            let acts = victim.targets.len();
            hear(victim, &writer, "an act on a full disk", |victim, _| victim.targets.len() > acts)?;
        }
        disk.empty()?;
        let captures = victim.captures.len();
        hear(victim, &writer, "captures after there is room", |victim, _| {
            victim.captures.len() >= captures + AFTERWARDS
        })
    })();
    writer.kill()?;
    // What it said before it died was promised as well.
    while let Some(line) = writer.next()? {
        victim.promised(&line)?;
    }
    let (_, errors) = writer.end()?;
    result.with_context(|| format!("the writer's errors:\n{errors}"))
}

/// Listens until what is waited for has come.
fn hear(
    victim: &mut Victim,
    writer: &Writer,
    what: &str,
    mut is_it: impl FnMut(&Victim, &Line) -> bool,
) -> anyhow::Result<()> {
    while let Some(line) = writer.next()? {
        victim.promised(&line)?;
        if is_it(victim, &line) {
            return Ok(());
        }
    }
    bail!("the writer ended before {what}");
}

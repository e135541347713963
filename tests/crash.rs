//! Crash rounds: a writer dies in the middle of its work, in a way that a seed decides, and what it was promised must be there.

mod disk;
mod round;

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use model::{CaptureId, Digest, Grant, Purpose, TargetId, ThemeId};
use store::{CredentialKey, Depth, Store};

pub use disk::SmallDisk;
pub use round::Death;
use round::Line;

use crate::built;

/// Rounds on one store; then the next begins with an empty one, so that checking stays quick.
const SERIES: usize = 20;

const SHIM: &str = include_str!("crash/fault.c");

/// A store that is killed again and again, and all that it ever promised.
pub struct Victim {
    writer: PathBuf,
    shim: PathBuf,
    directory: PathBuf,
    captures: BTreeMap<CaptureId, Digest>,
    targets: Vec<(ThemeId, TargetId)>,
}

/// What rounds came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Rounds.
    pub rounds: usize,
    /// Captures that were acknowledged; all of them are there.
    pub acknowledged: usize,
    /// Rounds in which the writer did not get to its end.
    pub deaths: usize,
    /// Rounds in which a call failed that the writer survived or not.
    pub faults: usize,
    /// Bytes that cut power took because no sync had made them durable.
    pub bytes_lost: u64,
    /// Rounds that needed a mount and could not have one.
    pub skipped: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, acknowledged, deaths, faults, bytes_lost, skipped } = self;
        write!(
            f,
            "{rounds} rounds: {acknowledged} captures acknowledged and every one there, {deaths} deaths, {faults} faults of the disk, {bytes_lost} bytes lost that nobody was promised"
        )?;
        if *skipped > 0 { write!(f, "; {skipped} rounds SKIPPED for want of the right to mount") } else { Ok(()) }
    }
}

/// Runs rounds, each of which a seed decides; `say` is told of each. The first that does not hold ends them.
pub fn run(directory: &Path, rounds: usize, seed: u64, mut say: impl FnMut(&str)) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut victim = None;
    for round in 0..rounds {
        let death = Death::of(seed, round as u64);
        let before = tally.acknowledged;
        let result = if death == Death::FullDisk {
            disk::full_disk(directory, seed ^ round as u64, &mut tally)
        } else {
            let fresh = round.is_multiple_of(SERIES) || victim.is_none();
            if fresh {
                victim = Some(Victim::new(&directory.join(format!("series{round}")))?);
            }
            victim.as_mut().map_or(Ok(()), |victim| victim.round(death, seed ^ round as u64, &mut tally))
        };
        result.with_context(|| format!("seed {seed}, round {round}: {death}"))?;
        tally.rounds += 1;
        say(&format!("round {round}: {death}: {} acknowledged", tally.acknowledged - before));
    }
    Ok(tally)
}

impl Victim {
    /// A store in `directory`, which is empty or not there yet.
    pub fn new(directory: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(directory)?;
        let directory = directory.canonicalize()?;
        let shim = directory.with_extension("fault.so");
        compile(&shim)?;
        Ok(Self {
            writer: built("writer")?,
            shim,
            directory: directory.join("store"),
            captures: BTreeMap::new(),
            targets: Vec::new(),
        })
    }

    /// The store's directory.
    pub fn store_dir(&self) -> &Path {
        &self.directory
    }

    /// Lets the writer work and die, and checks what it was promised.
    pub fn round(&mut self, death: Death, seed: u64, tally: &mut Tally) -> anyhow::Result<()> {
        self.work(death, seed, tally)?;
        self.check()
    }

    /// Lets the writer work and die.
    pub fn work(&mut self, death: Death, seed: u64, tally: &mut Tally) -> anyhow::Result<()> {
        let mut command = self.command(seed);
        death.prepare(&mut command, &self.shim, &self.directory);
        let before = self.captures.len();
        let end = round::play(command, death, |line| self.promised(line))?;
        tally.acknowledged += self.captures.len() - before;
        tally.deaths += usize::from(!end.is_done);
        tally.faults += usize::from(end.has_fault);
        tally.bytes_lost += end.bytes_lost;
        Ok(())
    }

    fn command(&self, seed: u64) -> Command {
        let mut command = Command::new(&self.writer);
        command.arg(&self.directory).args(["--seed", &seed.to_string()]);
        command
    }

    fn promised(&mut self, line: &Line) -> anyhow::Result<()> {
        match line {
            Line::Capture(id, digest) => {
                let before = self.captures.insert(*id, *digest);
                ensure!(before.is_none(), "{id} was acknowledged twice");
            }
            Line::Target(theme, id) => self.targets.push((*theme, *id)),
            Line::Full | Line::Room | Line::Open | Line::Done => {}
        }
        Ok(())
    }

    /// Opens the store, and finds in it all that was ever acknowledged, and nothing that is wrong.
    pub fn check(&self) -> anyhow::Result<()> {
        let config = store::Config { reserve_mb: 0, floor_mb: 0, ..store::Config::default() };
        let store = Store::open(&self.directory, &config, CredentialKey::from_bytes(&[7; 32]))?;
        let grant = Grant::system(Purpose::Maintenance);
        for (id, digest) in &self.captures {
            let Some(capture) = store.capture(&grant, *id)? else { bail!("{id} was acknowledged and is not there") };
            ensure!(capture.payload_digest == *digest, "{id} was acknowledged with another payload");
            ensure!(
                Digest::of(&store.payload(&grant, id.theme, &capture)?) == *digest,
                "the payload of {id} is another one"
            );
        }
        for (theme, id) in &self.targets {
            ensure!(store.target(*theme, *id)?.is_some(), "target {theme}/{id} was acknowledged and is not there");
        }
        let report = store.verify(Depth::Full, &mut |_| true)?;
        ensure!(report.is_sound(), "the store does not verify: {:?}", report.findings);
        ensure!(report.captures >= self.captures.len() as u64, "verify saw {} captures", report.captures);
        Ok(())
    }
}

/// Compiles the library that lets calls go wrong.
fn compile(library: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O1", "-Wall", "-x", "c", "-", "-ldl", "-o"]).arg(library);
    let mut child = command.stdin(Stdio::piped()).spawn().context("cc, from the Debian package gcc, is missing")?;
    if let Some(stdin) = &mut child.stdin {
        std::io::Write::write_all(stdin, SHIM.as_bytes())?;
    }
    ensure!(child.wait_with_output()?.status.success(), "the library that makes calls fail does not compile");
    Ok(())
}

//! One round: how the writer dies, and what it said before.

use std::{
    fmt,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use model::{CaptureId, Digest, TargetId, ThemeId};

use crate::Chance;

/// The longest wait for the writer's next word.
const SILENCE: Duration = Duration::from_mins(1);

/// How a writer dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// SIGKILL, some time after so many acknowledgements.
    Killed {
        /// Acknowledgements before it.
        after: u64,
        /// The time after the last of them.
        delay_us: u64,
    },
    /// One call on a file of the store goes wrong.
    Fault {
        /// `eio`, `full`, `torn` or `power`, as `fault.c` says.
        how: &'static str,
        /// Which calls are counted: `write`, `sync` or `all`.
        calls: &'static str,
        /// The number of the call.
        at: u64,
    },
    /// A small disk fills up, and is emptied again; then SIGKILL.
    FullDisk,
}

impl Death {
    /// The death of a round: the kinds take turns, and chance does the rest.
    pub fn of(seed: u64, round: u64) -> Self {
        let mut chance = Chance::of(seed, round);
        match round % 10 {
            0 | 3 => Self::Killed { after: chance.below(300), delay_us: chance.below(3_000) },
            1 | 7 => Self::Fault { how: "torn", calls: "write", at: 1 + chance.below(150) },
            2 | 5 | 8 => Self::Fault { how: "power", calls: "all", at: 1 + chance.below(250) },
            4 => Self::Fault { how: "eio", calls: "write", at: 1 + chance.below(100) },
            6 => Self::Fault {
                how: "eio",
                calls: if chance.below(2) == 0 { "sync" } else { "all" },
                at: 1 + chance.below(100),
            },
            _ if (round / 10).is_multiple_of(4) => Self::FullDisk,
            _ => Self::Fault { how: "full", calls: "write", at: 1 + chance.below(150) },
        }
    }

    pub(super) fn prepare(self, command: &mut Command, shim: &Path, directory: &Path) {
        if let Self::Fault { how, calls, at } = self {
            command
                .env("LD_PRELOAD", shim)
                .env("FAULT_UNDER", directory)
                .env("FAULT_CALLS", calls)
                .env("FAULT_HOW", how)
                .env("FAULT_AT", at.to_string());
        }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed { after, delay_us } => write!(f, "kill -9, {delay_us} µs after acknowledgement {after}"),
            Self::Fault { how, calls: "all", at } => write!(f, "{how} at call {at}"),
            Self::Fault { how, calls, at } => write!(f, "{how} at {calls} {at}"),
            Self::FullDisk => f.write_str("a full disk"),
        }
    }
}

/// A line of the writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Open,
    Capture(CaptureId, Digest),
    Target(ThemeId, TargetId),
    /// The disk is full, and the writer waits.
    Full,
    /// There is room again.
    Room,
    Done,
}

impl Line {
    fn parse(line: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Ok(match words.as_slice() {
            ["open"] => Self::Open,
            ["full"] => Self::Full,
            ["room"] => Self::Room,
            ["done"] => Self::Done,
            ["capture", id, digest] => Self::Capture(id.parse()?, digest.parse()?),
            ["target", theme, id] => Self::Target(theme.parse()?, id.parse()?),
            _ => bail!("the writer says {line:?}"),
        })
    }
}

/// How a writer ended.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) is_done: bool,
    pub(super) has_fault: bool,
    pub(super) bytes_lost: u64,
}

/// A writer at work. It is killed when this is dropped.
pub(super) struct Writer {
    child: Child,
    lines: Receiver<String>,
    errors: thread::JoinHandle<String>,
}

impl Writer {
    pub(super) fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (stdout, mut stderr) =
            (child.stdout.take().context("no stdout")?, child.stderr.take().context("no stderr")?);
        let (tell, lines) = channel();
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = String::new();
            // A line without its end is no promise: the writer died while it spoke.
            while reader.read_line(&mut line).is_ok_and(|count| count > 0) && line.ends_with('\n') {
                if tell.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        let errors = thread::spawn(move || {
            let mut text = String::new();
            drop(stderr.read_to_string(&mut text));
            text
        });
        Ok(Self { child, lines, errors })
    }

    /// The writer's next word; `None` when it has ended.
    pub(super) fn next(&self) -> anyhow::Result<Option<Line>> {
        match self.lines.recv_timeout(SILENCE) {
            Ok(line) => Line::parse(&line).map(Some),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => Ok(None),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => bail!("the writer says nothing any more"),
        }
    }

    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill()?)
    }

    /// Waits for the end, and what was said on standard error.
    pub(super) fn end(mut self) -> anyhow::Result<(std::process::ExitStatus, String)> {
        let status = self.child.wait()?;
        let errors = self.errors.join().map_err(|_| anyhow::anyhow!("the reader of the writer's errors died"))?;
        Ok((status, errors))
    }
}

/// Lets a writer work until it dies; `hear` is told every line.
pub(super) fn play(
    command: Command,
    death: Death,
    mut hear: impl FnMut(&Line) -> anyhow::Result<()>,
) -> anyhow::Result<End> {
    let mut writer = Writer::start(command)?;
    let mut end = End::default();
    let mut acknowledged = 0;
    let mut is_killed = false;
    while let Some(line) = writer.next()? {
        acknowledged += u64::from(matches!(line, Line::Capture(..)));
        end.is_done |= line == Line::Done;
        hear(&line)?;
        if let Death::Killed { after, delay_us } = death
            && acknowledged >= after
            && !is_killed
        {
            thread::sleep(Duration::from_micros(delay_us));
            writer.kill()?;
            is_killed = true;
        }
    }
    let (status, errors) = writer.end()?;
    end.has_fault = errors.contains("fault: ");
    let lost = errors.split("fault: power, ").nth(1).and_then(|rest| rest.split(' ').next());
    end.bytes_lost = lost.and_then(|lost| lost.parse().ok()).unwrap_or(0);
    if !end.is_done && !is_killed && !end.has_fault {
        bail!("the writer ended with {status}, and nobody made it:\n{errors}");
    }
    Ok(end)
}

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{error::Error, torrc};

const TAIL_LINES: usize = 12;

/// A running tor process. It is gone when this value is.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    dir: PathBuf,
    child: Child,
}

impl Process {
    /// Starts tor in its data directory `dir`, where a `torrc` lies.
    pub(crate) fn spawn(tor: &Path, shim: Option<&Path>, name: &str, dir: &Path) -> Result<Self, Error> {
        let defaults = dir.join("torrc-defaults");
        File::create(&defaults).map_err(Error::file(&defaults))?;
        let output = dir.join("output.log");
        let log = File::create(&output).map_err(Error::file(&output))?;
        let log_too = log.try_clone().map_err(Error::file(&output))?;

        let mut command = Command::new(tor);
        command.arg("-f").arg(dir.join(torrc::FILE)).arg("--defaults-torrc").arg(&defaults);
        // In a process group of its own, for two reasons. A Ctrl-C in the terminal is for the parent alone, which stops
        // the network in order. And a group whose parent dies is orphaned: the kernel wakes a frozen process in it
        // (_exit(2)), which could not notice the death otherwise.
        command.stdin(Stdio::null()).stdout(log).stderr(log_too).process_group(0);
        if let Some(shim) = shim {
            command.env("LD_PRELOAD", shim);
        }
        let child = command.spawn().map_err(Error::file(tor))?;
        Ok(Self { name: name.to_owned(), dir: dir.to_owned(), child })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, if it did.
    pub(crate) fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Stops the process in its tracks: it keeps its connections and answers nothing.
    pub(crate) fn freeze(&self) -> Result<(), Error> {
        self.signal(Signal::STOP)
    }

    /// Lets a frozen process go on.
    pub(crate) fn thaw(&self) -> Result<(), Error> {
        self.signal(Signal::CONT)
    }

    /// The last lines that the process wrote, before and after it opened its log.
    pub(crate) fn log_tail(&self) -> String {
        let text: String =
            ["output.log", torrc::LOG].iter().filter_map(|name| fs::read_to_string(self.dir.join(name)).ok()).collect();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default().join("\n")
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        let gone = || Error::Unknown { what: "tor process", name: self.name.clone() };
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
        kill_process(pid, signal).map_err(|_| gone())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when the process is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

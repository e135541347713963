//! A Debian of its own, booted by `systemd-nspawn` beside the tests: its systemd is process 1 there, and it shares the network of this machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use anyhow::{Context as _, ensure};
use tests::{Deadline, wait_until};

/// A booted machine. Dropping it pulls the plug.
pub(crate) struct Machine {
    nspawn: Child,
    /// Its process 1, as this machine counts.
    leader: u32,
}

impl Machine {
    /// Boots a copy of `root`, made in `dir`. Each of `shared` is there at the same path.
    pub(crate) async fn boot(root: &Path, dir: &Path, shared: &[&Path]) -> anyhow::Result<Self> {
        let own = dir.join("root");
        let copied = Command::new("cp").args(["-a", "--reflink=auto"]).arg(root).arg(&own).status()?;
        ensure!(copied.success(), "the root cannot be copied");
        let mut command = Command::new("systemd-nspawn");
        command.arg("--quiet").arg("--directory").arg(&own);
        command.arg(format!("--machine=nachtwacht-test-{}", std::process::id()));
        command.args(["--register=no", "--keep-unit", "--console=pipe", "--boot"]);
        command.args(shared.iter().map(|path| format!("--bind={}", path.display())));
        let log = fs::File::create(dir.join("console"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut machine = Self { nspawn: command.spawn().context("systemd-nspawn")?, leader: 0 };
        let nspawn = machine.nspawn.id();
        machine.leader = wait_until("the machine has a process 1", Deadline::seconds(60), || async move {
            let children = fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children"))?;
            Ok(children.split_whitespace().next().and_then(|pid| pid.parse().ok()))
        })
        .await?;
        let this = &machine;
        wait_until("the machine has booted", Deadline::seconds(90), || async move {
            Ok((this.try_run("systemctl is-system-running")?.stdout == b"running\n").then_some(()))
        })
        .await
        .with_context(|| fs::read_to_string(dir.join("console")).unwrap_or_default())?;
        Ok(machine)
    }

    /// A path of the machine, as this machine reaches it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.leader))
    }

    /// The words that run a command in the machine.
    pub(crate) fn within(&self) -> String {
        format!("nsenter --target {} --mount --uts --ipc --pid --root --wdns=/ --", self.leader)
    }

    /// Runs a line of shell as root in the machine, however it ends.
    pub(crate) fn try_run(&self, line: &str) -> anyhow::Result<Output> {
        let within = self.within();
        let mut words = within.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).args(["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]);
        Ok(command.args(["LC_ALL=C", "HOME=/root", "sh", "-c", line]).stdin(Stdio::null()).output()?)
    }

    /// Runs a line of shell as root in the machine to its end; fails when it does.
    pub(crate) fn run(&self, line: &str) -> anyhow::Result<String> {
        let Output { status, stdout, stderr } = self.try_run(line)?;
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        ensure!(status.success(), "{line}: {status}\n{stdout}{stderr}");
        Ok(stdout.into_owned())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The plug is process 1: with it goes everything in the machine.
        let _ = Command::new("kill").args(["-KILL", &self.leader.to_string()]).status();
        let _ = self.nspawn.wait();
    }
}

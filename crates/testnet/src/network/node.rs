use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use model::OnionAddress;
use tokio::{
    net::UnixStream,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    control::{Broken, Control},
    error::Error,
    process::Process,
    torrc,
};

/// The longest path of a socket (unix(7)), without the terminating zero.
const MAX_SOCKET_PATH: usize = 107;
/// The time between two looks for a socket that no event announces.
const TICK: Duration = Duration::from_millis(20);
/// How long a process that closed its control connection may take to die.
const DYING: Duration = Duration::from_secs(2);

/// How nodes are started.
#[derive(Debug, Clone)]
pub(crate) struct Launcher {
    pub(crate) tor: PathBuf,
    /// The library that switches Nagle's algorithm off.
    pub(crate) shim: Option<PathBuf>,
}

/// Until when something must have happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    allowed: Duration,
}

impl Deadline {
    pub(crate) fn after(allowed: Duration) -> Self {
        Self { at: Instant::now() + allowed, allowed }
    }
}

/// A tor process, and the control connection that owns it: when the connection ends, because we drop it or because our
/// process dies, tor exits at once.
#[derive(Debug)]
pub(crate) struct Node {
    process: Process,
    control: Control,
}

impl Launcher {
    /// Starts a node with this configuration and takes ownership of it.
    pub(crate) async fn launch(&self, name: &str, home: &Path, torrc: &str, deadline: Deadline) -> Result<Node, Error> {
        let socket = home.join(torrc::CONTROL);
        if socket.as_os_str().as_bytes().len() > MAX_SOCKET_PATH {
            return Err(Error::Plan(format!("{} is too long for a socket", socket.display())));
        }
        let file = home.join(torrc::FILE);
        fs::write(&file, torrc).map_err(Error::file(&file))?;
        let mut process = Process::spawn(&self.tor, self.shim.as_deref(), name, home)?;
        let Ok(opened) = timeout_at(deadline.at, open_control(&mut process, &socket)).await else {
            return Err(late(&process, "control socket", deadline));
        };
        let mut node = Node { process, control: opened? };
        node.ask("AUTHENTICATE").await?;
        node.ask("TAKEOWNERSHIP").await?;
        Ok(node)
    }
}

impl Node {
    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Sends a command on the control connection and returns the lines of the answer.
    pub(crate) async fn ask(&mut self, command: &str) -> Result<Vec<String>, Error> {
        match self.control.ask(command).await {
            Ok(lines) => Ok(lines),
            Err(Broken::Refused(answer)) => {
                Err(Error::Refused { name: self.process.name().to_owned(), command: command.to_owned(), answer })
            }
            Err(Broken::Closed) => Err(died(&mut self.process).await),
        }
    }

    /// Waits until this authority holds a consensus in which `routers` routers are usable.
    pub(crate) async fn wait_for_consensus(&mut self, routers: usize, deadline: Deadline) -> Result<(), Error> {
        let waited = timeout_at(deadline.at, self.follow_consensus(routers)).await;
        waited.unwrap_or_else(|_| Err(late(&self.process, "consensus with all relays", deadline)))
    }

    /// Waits until this node has what it needs to build circuits.
    pub(crate) async fn wait_for_bootstrap(&mut self, deadline: Deadline) -> Result<(), Error> {
        let waited = timeout_at(deadline.at, self.follow_bootstrap()).await;
        waited.unwrap_or_else(|_| Err(late(&self.process, "complete bootstrap", deadline)))
    }

    /// Waits until every directory that should have a descriptor of these services has answered. The node must have
    /// subscribed to `HS_DESC` before it could upload anything.
    pub(crate) async fn wait_for_descriptors(
        &mut self,
        services: &[OnionAddress],
        deadline: Deadline,
    ) -> Result<(), Error> {
        let waited = timeout_at(deadline.at, self.follow_descriptors(services)).await;
        waited.unwrap_or_else(|_| Err(late(&self.process, "upload of all descriptors", deadline)))
    }

    async fn follow_consensus(&mut self, routers: usize) -> Result<(), Error> {
        self.ask("SETEVENTS NEWCONSENSUS").await?;
        let mut entries = self.ask("GETINFO ns/all").await?;
        while usable_routers(&entries) < routers {
            entries = self.event().await?;
        }
        self.ask("SETEVENTS").await.map(drop)
    }

    async fn follow_bootstrap(&mut self) -> Result<(), Error> {
        self.ask("SETEVENTS STATUS_CLIENT").await?;
        let mut lines = self.ask("GETINFO status/bootstrap-phase").await?;
        while !lines.iter().any(|line| line.contains("PROGRESS=100")) {
            lines = self.event().await?;
        }
        self.ask("SETEVENTS").await.map(drop)
    }

    async fn follow_descriptors(&mut self, services: &[OnionAddress]) -> Result<(), Error> {
        let mut missing: BTreeMap<String, Uploads> =
            services.iter().map(|address| (address.to_string().replace(".onion", ""), Uploads::default())).collect();
        while !missing.is_empty() {
            for line in self.event().await? {
                note_upload(&mut missing, &line);
            }
            missing.retain(|_, uploads| !uploads.are_complete());
        }
        self.ask("SETEVENTS").await.map(drop)
    }

    async fn event(&mut self) -> Result<Vec<String>, Error> {
        match self.control.event().await {
            Ok(lines) => Ok(lines),
            Err(_) => Err(died(&mut self.process).await),
        }
    }
}

async fn open_control(process: &mut Process, socket: &Path) -> Result<Control, Error> {
    loop {
        if let Ok(stream) = UnixStream::connect(socket).await {
            return Ok(Control::over(stream));
        }
        if process.exit_status().is_some() {
            return Err(died(process).await);
        }
        sleep(TICK).await;
    }
}

/// What is to be said of a process that no longer answers.
async fn died(process: &mut Process) -> Error {
    let status = timeout(DYING, async {
        loop {
            if let Some(status) = process.exit_status() {
                return status;
            }
            sleep(TICK).await;
        }
    });
    let status = status.await.ok();
    Error::Died { name: process.name().to_owned(), status, log: process.log_tail() }
}

fn late(process: &Process, awaited: &'static str, deadline: Deadline) -> Error {
    Error::TimedOut { name: process.name().to_owned(), awaited, after: deadline.allowed, log: process.log_tail() }
}

/// How many entries of a consensus (dir-spec, section 3.4.1, lines `s`) run and keep descriptors of onion services.
fn usable_routers(lines: &[String]) -> usize {
    let flags = lines.iter().filter_map(|line| line.strip_prefix("s "));
    flags.filter(|flags| ["Running", "HSDir"].iter().all(|wanted| flags.split(' ').any(|flag| flag == *wanted))).count()
}

/// How far the descriptors of one service have come.
#[derive(Debug, Default)]
struct Uploads {
    descriptors: BTreeSet<String>,
    begun: usize,
    ended: usize,
    succeeded: usize,
}

impl Uploads {
    /// A service has two descriptors, for this time period and the next (rend-spec-v3, section 2.2.1): which of them a
    /// client asks for depends on its view of the time.
    fn are_complete(&self) -> bool {
        self.descriptors.len() >= 2 && self.ended >= self.begun && self.succeeded > 0
    }
}

/// Reads `HS_DESC <action> <address> <authentication> <directory> [<descriptor id>] …` (control-spec, section 4.1.25).
fn note_upload(services: &mut BTreeMap<String, Uploads>, line: &str) {
    let mut words = line.strip_prefix("HS_DESC ").unwrap_or_default().split(' ');
    let (action, address) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let Some(uploads) = services.get_mut(address) else { return };
    match action {
        "UPLOAD" => {
            uploads.begun += 1;
            uploads.descriptors.extend(words.nth(2).map(str::to_owned));
        }
        "UPLOADED" => {
            uploads.ended += 1;
            uploads.succeeded += 1;
        }
        "FAILED" => uploads.ended += 1,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_routers_that_run_and_keep_descriptors_count() {
        let consensus = [
            "ns/all=",
            "r relay0 AAAA BBBB 2038-01-01 00:00:00 127.103.1.1 15000 0",
            "s Exit Fast HSDir Running V2Dir Valid",
            "r relay1 AAAA BBBB 2038-01-01 00:00:00 127.104.1.1 15000 0",
            "s Exit Fast Running V2Dir Valid",
            "r relay2 AAAA BBBB 2038-01-01 00:00:00 127.105.1.1 15000 0",
            "s HSDirNot Running",
        ];
        assert_eq!(usable_routers(&consensus.map(str::to_owned)), 1);
    }

    #[test]
    fn descriptors_are_complete_when_both_have_reached_every_directory() {
        let mut services = BTreeMap::from([("x".to_owned(), Uploads::default())]);
        let mut after = |line: &str| {
            note_upload(&mut services, line);
            services["x"].are_complete()
        };
        assert!(!after("HS_DESC UPLOAD x UNKNOWN $A~a first HSDIR_INDEX=1"));
        assert!(!after("HS_DESC UPLOAD other UNKNOWN $A~a second HSDIR_INDEX=1"));
        assert!(!after("HS_DESC UPLOADED x UNKNOWN $A~a"), "one of two descriptors");
        assert!(!after("HS_DESC UPLOAD x UNKNOWN $A~a second HSDIR_INDEX=1"));
        assert!(!after("HS_DESC UPLOAD x UNKNOWN $B~b second HSDIR_INDEX=1"));
        assert!(!after("HS_DESC FAILED x UNKNOWN $B~b second REASON=UNEXPECTED"), "one directory has not answered");
        assert!(after("HS_DESC UPLOADED x UNKNOWN $A~a"));
    }
}

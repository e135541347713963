//! A private Tor network: real C-tor processes on loopback, started in order, awaited by event, and gone with their
//! owner.
//!
//! Three guards see to it that no process is left behind: a [`Network`] kills its processes when it is dropped; each
//! process is owned by a control connection, so that it exits when our process dies in whatever way; and tor itself
//! polls for its parent.

mod arti;
mod control;
mod demand;
mod error;
mod keys;
mod node;
mod plan;
mod process;
mod slot;
mod state;
#[cfg(test)]
mod tests;
mod tools;
mod torrc;

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread::available_parallelism,
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};
use model::{Clock as _, OnionAddress, SystemClock, Timestamp};
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, sleep},
};

use self::{
    demand::Demand,
    keys::{Identity, Keys},
    node::{Deadline, Launcher, Node},
    slot::Slot,
    tools::Tools,
    torrc::Torrc,
};
pub use self::{
    error::Error,
    plan::{ClientKey, Onion, Plan, ProofOfWork},
    state::{State, default_dir, holder},
};

/// How long a network may take to become ready. Usual is a tenth of it; a busy machine can miss the first votes.
const START: Duration = Duration::from_secs(150);
/// How long before the first consensus the routers start: as long as they need to find each other before the vote, and
/// no longer. Who misses the first consensus waits for the next, 20 seconds later.
const LEAD: Duration = Duration::from_secs(7);
const SOCKS_CLIENT: &str = "client";
const BRIDGE: &str = "bridge";

/// A running network.
#[derive(Debug)]
pub struct Network {
    dir: PathBuf,
    plan: Plan,
    identities: Vec<Identity>,
    arti_config: String,
    client_keys: BTreeMap<String, ClientKey>,
    addresses: BTreeMap<String, OnionAddress>,
    torrc: Torrc,
    launcher: Launcher,
    /// The running processes by name. Declared before the claims on directory and addresses, and so gone before them.
    nodes: Mutex<BTreeMap<String, Node>>,
    slot: Slot,
    _lock: File,
}

/// How far the start of a network has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Progress {
    /// Keys are made, or taken from an earlier network.
    #[default]
    Keys,
    /// The routers run and vote on their first consensus.
    Consensus,
    /// The service hosts upload the descriptors of their services.
    Descriptors,
    /// Every service can be reached.
    Ready {
        /// How long the start took.
        after: Duration,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys => f.write_str("making keys"),
            Self::Consensus => f.write_str("waiting for the first consensus of authorities and relays"),
            Self::Descriptors => f.write_str("waiting for the descriptors of the onion services"),
            Self::Ready { after } => write!(f, "ready after {:.1} s", after.as_secs_f64()),
        }
    }
}

impl Network {
    /// Starts a network in `dir` and returns when all authorities hold a consensus with all relays and every onion
    /// service has published its descriptors. An earlier network in the directory is forgotten; one that still runs
    /// there is an error.
    pub async fn start(dir: &Path, plan: Plan) -> Result<Self, Error> {
        Self::start_reporting(dir, plan, &watch::Sender::default()).await
    }

    /// The same, and says meanwhile how far it has come.
    pub async fn start_reporting(dir: &Path, plan: Plan, progress: &watch::Sender<Progress>) -> Result<Self, Error> {
        let (begun, deadline) = (Instant::now(), Deadline::after(START));
        report(progress, Progress::Keys);
        let mut network = Self::prepare(dir, plan).await?;

        let (launch, offset_s) = next_launch(SystemClock.now());
        network.torrc.voting_offset_s = offset_s;
        sleep(launch).await;
        report(progress, Progress::Consensus);
        network.start_routers(deadline).await?;

        report(progress, Progress::Descriptors);
        let hosts = network.plan.hosts();
        let started = try_join_all(hosts.iter().map(|host| network.start_host(host, deadline))).await?;
        let mut nodes = BTreeMap::new();
        for (host, (node, addresses)) in hosts.iter().zip(started) {
            nodes.insert(host_node(host), node);
            network.addresses.extend(addresses);
        }
        network.nodes.get_mut().extend(nodes);

        let file = network.arti_config_file();
        fs::write(&file, &network.arti_config).map_err(Error::file(&file))?;
        report(progress, Progress::Ready { after: begun.elapsed() });
        Ok(network)
    }

    /// The directory with all that the network writes.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The address of the onion service of this name.
    pub fn onion(&self, name: &str) -> Option<OnionAddress> {
        self.addresses.get(name).copied()
    }

    /// The addresses of all onion services by name.
    pub fn onions(&self) -> &BTreeMap<String, OnionAddress> {
        &self.addresses
    }

    /// The key to the restricted onion service of this name.
    pub fn client_key(&self, name: &str) -> Option<ClientKey> {
        self.client_keys.get(name).copied()
    }

    /// The network in arti's configuration format: its authorities, and where to find them at first.
    pub fn arti_config(&self) -> String {
        self.arti_config.clone()
    }

    /// The file with [`Network::arti_config`].
    pub fn arti_config_file(&self) -> PathBuf {
        self.dir.join("arti.toml")
    }

    /// Where authorities and relays listen for clients and each other: nothing else is ever connected to by a client.
    pub fn relay_addresses(&self) -> Vec<SocketAddr> {
        self.identities.iter().map(|identity| identity.router.or_address()).collect()
    }

    /// The names of authorities and relays.
    pub fn relay_names(&self) -> Vec<&str> {
        self.identities.iter().map(|identity| identity.router.name.as_str()).collect()
    }

    /// Kills a service host at once, as a crash would: nobody is told.
    pub async fn kill_host(&self, host: &str) -> Result<(), Error> {
        self.kill(&host_node(host)).await
    }

    /// Starts a service host again, running or killed, and waits until its services can be reached under their old
    /// addresses.
    pub async fn restart_host(&self, host: &str) -> Result<(), Error> {
        if !self.plan.hosts().contains(host) {
            return Err(Error::Unknown { what: "host", name: host.to_owned() });
        }
        let mut nodes = self.nodes.lock().await;
        nodes.remove(&host_node(host));
        let (node, _) = self.start_host(host, Deadline::after(START)).await?;
        nodes.insert(host_node(host), node);
        Ok(())
    }

    /// Stops a service host in its tracks: its connections stay open, and it answers nothing.
    pub async fn freeze_host(&self, host: &str) -> Result<(), Error> {
        running(&mut *self.nodes.lock().await, &host_node(host))?.process().freeze()
    }

    /// Lets a frozen service host go on.
    pub async fn thaw_host(&self, host: &str) -> Result<(), Error> {
        running(&mut *self.nodes.lock().await, &host_node(host))?.process().thaw()
    }

    /// Lets the onion service of this name demand proofs of work of this effort, whatever its load: clients find a descriptor that
    /// says so, until the time period of onion services ends, in a few minutes. The service checks the proofs if it has defences
    /// of its own, and ignores them otherwise.
    pub async fn demand_proof_of_work(&self, name: &str, effort: u32) -> Result<(), Error> {
        let unknown = || Error::Unknown { what: "onion service", name: name.to_owned() };
        let onion = self.plan.onions.iter().find(|onion| onion.name == name).ok_or_else(unknown)?;
        let service = self.onion(name).ok_or_else(unknown)?;
        let host = host_node(&onion.host);
        running(&mut *self.nodes.lock().await, &host)?;
        let home = self.home(&host)?;
        let demand = Demand {
            identity: demand::identity(&torrc::service_dir(&home, name))?,
            service,
            effort,
            control: home.join(torrc::CONTROL),
            // Every router is a directory here, and which of them a client asks depends on its view of the time.
            directories: self.identities.iter().map(|identity| identity.rsa.as_str()).collect(),
        };
        demand.publish().await
    }

    /// Kills authorities and relays of these names at once.
    pub async fn kill_relays(&self, names: &[&str]) -> Result<(), Error> {
        for name in names {
            if !self.is_router(name) {
                return Err(Error::Unknown { what: "relay", name: (*name).to_owned() });
            }
            self.kill(name).await?;
        }
        Ok(())
    }

    /// Starts every killed authority and relay again, and then all service hosts, whose circuits are gone; waits as at
    /// the start. The SOCKS client ends: it would hold its relays for dead for minutes. It starts anew when it is next
    /// asked for.
    pub async fn restart_relays(&self) -> Result<(), Error> {
        let deadline = Deadline::after(START);
        let mut nodes = self.nodes.lock().await;
        nodes.remove(SOCKS_CLIENT);
        let missing = self.identities.iter().filter(|identity| !nodes.contains_key(&identity.router.name));
        let started = try_join_all(missing.map(|identity| self.start_router(identity, deadline))).await?;
        nodes.extend(started.into_iter().map(|mut node| (node.process().name().to_owned(), node)));
        let routers = nodes.iter_mut().filter(|(name, _)| self.is_router(name));
        try_join_all(routers.map(|(_, node)| node.wait_for_bootstrap(deadline))).await?;
        drop(nodes);
        for host in self.plan.hosts() {
            self.restart_host(host).await?;
        }
        Ok(())
    }

    /// The SOCKS port of a C-tor client in this network, which is started when it is first asked for.
    pub async fn socks_client(&self) -> Result<SocketAddr, Error> {
        let address = self.slot.socks_address();
        let mut nodes = self.nodes.lock().await;
        self.start_late(&mut nodes, SOCKS_CLIENT, |home| self.torrc.socks_client(home, address)).await?;
        Ok(address)
    }

    /// The bridge line (tor(1), `Bridge`) of a C-tor bridge into this network, which is started when it is first asked for.
    pub async fn bridge(&self) -> Result<String, Error> {
        let address = self.slot.bridge_address();
        let mut nodes = self.nodes.lock().await;
        self.start_late(&mut nodes, BRIDGE, |home| self.torrc.bridge(home, address)).await?;
        let lines = running(&mut nodes, BRIDGE)?.ask("GETINFO fingerprint").await?;
        let fingerprint = lines.iter().find_map(|line| line.strip_prefix("fingerprint=")).unwrap_or_default();
        Ok(format!("{address} {fingerprint}"))
    }

    /// The ids of the running tor processes by name: authorities, relays, `host-…`, `client` and `bridge`.
    pub async fn processes(&self) -> BTreeMap<String, u32> {
        let mut nodes = self.nodes.lock().await;
        nodes.iter_mut().map(|(name, node)| (name.clone(), node.process().id())).collect()
    }

    /// Ends every process. Dropping the network does the same, and blocks for that moment.
    pub async fn stop(self) {
        let ended = tokio::task::spawn_blocking(move || drop(self)).await;
        if let Err(error) = ended {
            tracing::error!(%error, "the private network did not stop in order");
        }
    }

    /// Everything that can be done before the first process runs.
    async fn prepare(dir: &Path, plan: Plan) -> Result<Self, Error> {
        plan.check()?;
        let dir = prepare_dir(dir)?;
        let lock = state::lock(&dir)?;
        remove_old_nodes(&dir).map_err(Error::file(&dir))?;
        let tools = Tools::find().await?;
        let shim = if plan.tcp_nodelay { Some(tools::compile_shim(&dir).await?) } else { None };
        let slot = Slot::claim(plan.authorities, plan.relays)?;
        let identities = make_keys(&dir, &tools, &slot, &plan).await?;
        let client_keys = plan.onions.iter().filter(|onion| onion.is_restricted).map(|onion| {
            let key = ClientKey::generate()
                .map_err(|error| Error::Plan(format!("no randomness for a client key: {error}")))?;
            Ok((onion.name.clone(), key))
        });
        Ok(Self {
            arti_config: arti::config(&identities)?,
            client_keys: client_keys.collect::<Result<_, Error>>()?,
            addresses: BTreeMap::new(),
            torrc: Torrc::new(&identities, plan.tcp_nodelay),
            launcher: Launcher { tor: tools.tor, shim },
            nodes: Mutex::default(),
            dir,
            plan,
            identities,
            slot,
            _lock: lock,
        })
    }

    /// Starts authorities and relays together. Service hosts must come later: one that meets an authority without the
    /// whole consensus waits for a minute before it asks again.
    async fn start_routers(&mut self, deadline: Deadline) -> Result<(), Error> {
        let mut nodes =
            try_join_all(self.identities.iter().map(|identity| self.start_router(identity, deadline))).await?;
        let (authorities, all) = (self.plan.authorities, nodes.len());
        try_join_all(nodes.iter_mut().take(authorities).map(|node| node.wait_for_consensus(all, deadline))).await?;
        self.nodes.get_mut().extend(nodes.into_iter().map(|mut node| (node.process().name().to_owned(), node)));
        Ok(())
    }

    async fn start_router(&self, identity: &Identity, deadline: Deadline) -> Result<Node, Error> {
        let router = &identity.router;
        let home = self.dir.join(&router.name);
        self.launcher.launch(&router.name, &home, &self.torrc.router(&home, router), deadline).await
    }

    async fn start_host(&self, host: &str, deadline: Deadline) -> Result<(Node, Vec<(String, OnionAddress)>), Error> {
        let name = host_node(host);
        let home = self.home(&name)?;
        for onion in self.plan.onions_on(host) {
            self.authorise_client(&home, onion)?;
        }
        let torrc = self.torrc.host(&home, self.plan.onions_on(host));
        let mut node = self.launcher.launch(&name, &home, &torrc, deadline).await?;
        node.ask("SETEVENTS HS_DESC").await?;
        // tor wrote the names of its services before it answered on the control connection.
        let addresses = self.plan.onions_on(host).map(|onion| Ok((onion.name.clone(), read_address(&home, onion)?)));
        let addresses = addresses.collect::<Result<Vec<_>, Error>>()?;
        let expected: Vec<_> = addresses.iter().map(|(_, address)| *address).collect();
        node.wait_for_descriptors(&expected, deadline).await?;
        Ok((node, addresses))
    }

    /// Starts a node that is there only once somebody asks for it.
    async fn start_late(
        &self,
        nodes: &mut BTreeMap<String, Node>,
        name: &str,
        torrc: impl FnOnce(&Path) -> String,
    ) -> Result<(), Error> {
        if nodes.contains_key(name) {
            return Ok(());
        }
        let (home, deadline) = (self.home(name)?, Deadline::after(START));
        let mut node = self.launcher.launch(name, &home, &torrc(&home), deadline).await?;
        node.wait_for_bootstrap(deadline).await?;
        nodes.insert(name.to_owned(), node);
        Ok(())
    }

    fn authorise_client(&self, home: &Path, onion: &Onion) -> Result<(), Error> {
        let Some(key) = self.client_keys.get(&onion.name) else { return Ok(()) };
        let dir = torrc::service_dir(home, &onion.name).join("authorized_clients");
        keys::make_private(&dir).map_err(Error::file(&dir))?;
        let file = dir.join("client.auth");
        fs::write(&file, key.public_line()).map_err(Error::file(&file))
    }

    async fn kill(&self, name: &str) -> Result<(), Error> {
        let mut nodes = self.nodes.lock().await;
        running(&mut nodes, name)?;
        nodes.remove(name);
        Ok(())
    }

    fn is_router(&self, name: &str) -> bool {
        self.identities.iter().any(|identity| identity.router.name == name)
    }

    fn home(&self, name: &str) -> Result<PathBuf, Error> {
        let home = self.dir.join(name);
        keys::make_private(&home).map_err(Error::file(&home))?;
        Ok(home)
    }
}

/// How long to wait before the routers start, less than a second, and the offset of votes in seconds that makes their
/// first consensus due [`LEAD`] later: authorities publish at whole seconds, an offset after multiples of the voting
/// interval.
fn next_launch(now: Timestamp) -> (Duration, u64) {
    let earliest = now.since(Timestamp::from_micros(0)) + LEAD;
    let consensus_s = earliest.as_secs() + u64::from(earliest.subsec_nanos() > 0);
    (Duration::from_secs(consensus_s).saturating_sub(earliest), consensus_s % torrc::INITIAL_VOTING_INTERVAL_S)
}

async fn make_keys(dir: &Path, tools: &Tools, slot: &Slot, plan: &Plan) -> Result<Vec<Identity>, Error> {
    let keys = Keys { tools, cache: keys::cache_dir().map(|cache| cache.join("keys")), now: SystemClock.now() };
    let routers = slot.routers(plan.authorities, plan.relays);
    // Collected, because a lazy iterator over borrowed routers keeps the future of a start from being spawned.
    let made: Vec<_> = routers.iter().map(|router| keys.provide(router, dir.join(&router.name))).collect();
    stream::iter(made).buffered(available_parallelism().map_or(1, usize::from)).try_collect().await
}

fn running<'a>(nodes: &'a mut BTreeMap<String, Node>, name: &str) -> Result<&'a mut Node, Error> {
    nodes.get_mut(name).ok_or_else(|| Error::Unknown { what: "process", name: name.to_owned() })
}

/// Makes the directory of a network, for its owner only, and returns its absolute path.
fn prepare_dir(dir: &Path) -> Result<PathBuf, Error> {
    keys::make_private(dir).map_err(Error::file(dir))?;
    let dir = dir.canonicalize().map_err(Error::file(dir))?;
    let is_plain =
        |text: &str| !text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '#' | '\\'));
    if !dir.to_str().is_some_and(is_plain) {
        return Err(Error::Plan(format!("tor cannot be told of the path {}", dir.display())));
    }
    Ok(dir)
}

/// Removes what earlier networks left, known by their `torrc`, and nothing else: the directory may be of any kind.
fn remove_old_nodes(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.join(torrc::FILE).is_file() {
            keys::clear(&path)?;
        }
    }
    Ok(())
}

fn read_address(home: &Path, onion: &Onion) -> Result<OnionAddress, Error> {
    let file = torrc::service_dir(home, &onion.name).join("hostname");
    let text = fs::read_to_string(&file).map_err(Error::file(&file))?;
    text.trim().parse().map_err(|error| Error::file(&file)(io::Error::new(io::ErrorKind::InvalidData, error)))
}

/// The name of the process that is the service host `host`.
fn host_node(host: &str) -> String {
    format!("host-{host}")
}

fn report(to: &watch::Sender<Progress>, progress: Progress) {
    tracing::info!(%progress, "private Tor network");
    to.send_replace(progress);
}

//! The embedded Tor client.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arti_client::{BootstrapBehavior, HasKind, HsId, KeystoreSelector, StreamPrefs, TorClient, status::BlockageKind};
use futures::{FutureExt, StreamExt, future::BoxFuture};
use model::{Host, OnionAddress, Outcome};
use tokio::{sync::watch, task::JoinSet, time::sleep};
use tor_hscrypto::pk::HsClientDescEncSecretKey;
use tor_llcrypto::pk::curve25519::StaticSecret;

use crate::{BoxStream, ConnectFailure, ConnectOptions, Destination, Error, TorConfig, TorStatus, Transport};

mod isolation;
mod outcome;
mod runtime;
mod settings;
#[cfg_attr(not(feature = "proof-of-work"), path = "tor/no_work.rs")]
mod work;

use isolation::Isolations;
use outcome::outcome_of;
use runtime::Runtime;
use work::Works;

/// The pause after a failed attempt to bootstrap; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// How often the status is looked at again without an event: a directory also expires silently.
const STATUS_EVERY: Duration = Duration::from_secs(10);

/// A Tor client inside this process. Its tasks end when it is dropped.
pub struct Tor {
    client: Arc<TorClient<Runtime>>,
    status: watch::Receiver<TorStatus>,
    /// Whether the bootstrap has succeeded once. From then on arti says itself what is wrong.
    is_up: Arc<AtomicBool>,
    isolations: Mutex<Isolations>,
    works: Works,
    _tasks: Mutex<JoinSet<()>>,
}

/// The secret key of a client that an onion service admits (Tor rend-spec-v3, client authorisation): x25519.
///
/// Its text form is 52 base-32 characters, as in the files of C tor.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientKey([u8; 32]);

impl ClientKey {
    /// The key made of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientKey(…)")
    }
}

impl std::str::FromStr for ClientKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = data_encoding::BASE32_NOPAD.decode(text.trim().to_ascii_uppercase().as_bytes()).ok();
        let invalid = || Error::configuration("client key", "not an x25519 key in 52 base-32 characters");
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(invalid)
    }
}

impl Tor {
    /// Starts the client with its state and cache under `state_dir`, from within a tokio runtime.
    ///
    /// It bootstraps in the background and tries again for ever; [`Transport::status`] tells how far it is. Fails on a
    /// configuration that cannot work, and on a state directory that is in use or cannot be written.
    pub fn start(config: &TorConfig, state_dir: &Path) -> Result<Arc<Self>, Error> {
        // Arti asks for the process-wide provider. One that is already there serves as well.
        let _already_there = rustls::crypto::ring::default_provider().install_default();
        let settings = settings::build(config, state_dir)?;
        let fault = |error: &dyn std::fmt::Display| Error::Tor(error.to_string());
        let client = TorClient::with_runtime(runtime::current(config.tcp_nodelay).map_err(|error| fault(&error))?)
            .config(settings)
            .bootstrap_behavior(BootstrapBehavior::Manual)
            .local_resource_timeout(Duration::from_secs(2))
            .create_unbootstrapped()
            .map_err(|error| fault(&error))?;
        let (sender, status) = watch::channel(TorStatus::default());
        let works = Works::new(Duration::from_secs(config.proof_of_work_s.into()), sender.clone());
        let is_up = Arc::new(AtomicBool::new(false));
        let report = Arc::new(Report { client: Arc::clone(&client), status: sender, is_up: Arc::clone(&is_up) });
        let mut tasks = JoinSet::new();
        tasks.spawn(bootstrap(Arc::clone(&report)));
        tasks.spawn(follow_status(report));
        Ok(Arc::new(Self { client, status, is_up, isolations: Mutex::default(), works, _tasks: Mutex::new(tasks) }))
    }

    /// Hands over the key by which an onion service admits us, in place of an earlier one. It stays in memory only: after a
    /// restart the caller hands it over again.
    pub fn add_client_key(&self, service: &OnionAddress, key: &ClientKey) -> Result<(), Error> {
        self.remove_client_key(service)?;
        let secret = HsClientDescEncSecretKey::from(StaticSecret::from(key.0));
        self.client
            .insert_service_discovery_key(KeystoreSelector::Primary, HsId::from(*service.public_key()), secret)
            .map_err(|error| Error::Tor(error.to_string()))?;
        Ok(())
    }

    /// Forgets the key for an onion service; says whether there was one.
    pub fn remove_client_key(&self, service: &OnionAddress) -> Result<bool, Error> {
        let removed = self
            .client
            .remove_service_discovery_key(KeystoreSelector::Primary, HsId::from(*service.public_key()))
            .map_err(|error| Error::Tor(error.to_string()))?;
        Ok(removed.is_some())
    }

    async fn open(&self, to: &Destination, options: &ConnectOptions) -> Result<BoxStream, ConnectFailure> {
        // Arti would make the connection wait for the bootstrap, until it timed out and looked like the site's fault.
        if !self.is_up.load(Ordering::Acquire) {
            return Err(ConnectFailure { outcome: Outcome::TorUnavailable, detail: self.progress() });
        }
        let mut prefs = StreamPrefs::new();
        prefs.set_isolation(lock(&self.isolations).token(options.isolation));
        let is_onion = matches!(to.host, Host::Onion(_));
        let attempt = self.client.connect_with_prefs((to.host.to_string(), to.port), &prefs);
        match self.works.attempt(options.proof_of_work.clone(), attempt).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => {
                Err(ConnectFailure { outcome: outcome_of(error.kind(), is_onion), detail: error.to_string() })
            }
        }
    }

    fn progress(&self) -> String {
        let status = self.status.borrow();
        match &status.blocked_because {
            Some(why) => format!("the bootstrap is at {} %: {why}", status.percent),
            None => format!("the bootstrap is at {} %", status.percent),
        }
    }
}

impl Transport for Tor {
    fn connect<'a>(
        &'a self,
        to: &'a Destination,
        options: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
        self.open(to, options).boxed()
    }

    fn status(&self) -> watch::Receiver<TorStatus> {
        self.status.clone()
    }
}

/// What the client's tasks need to tell how it is.
struct Report {
    client: Arc<TorClient<Runtime>>,
    status: watch::Sender<TorStatus>,
    is_up: Arc<AtomicBool>,
}

/// Bootstraps until that has succeeded once; from then on arti keeps itself up to date.
async fn bootstrap(report: Arc<Report>) {
    let mut pause = FIRST_PAUSE;
    while let Err(error) = report.client.bootstrap().await {
        tracing::warn!(%error, pause_s = pause.as_secs(), "the Tor bootstrap failed and is tried again");
        report.status.send_modify(|status| {
            status.failed_attempts += 1;
            status.blocked_because = Some(error.to_string());
        });
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    report.is_up.store(true, Ordering::Release);
    report.publish();
}

/// Publishes arti's view of itself whenever it changes.
async fn follow_status(report: Arc<Report>) {
    let mut events = report.client.bootstrap_events();
    loop {
        report.publish();
        tokio::select! {
            event = events.next() => if event.is_none() { return },
            () = sleep(STATUS_EVERY) => {}
        }
    }
}

impl Report {
    fn publish(&self) {
        let arti = self.client.bootstrap_status();
        let is_ready = arti.ready_for_traffic() && self.is_up.load(Ordering::Acquire);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction from 0 to 1")]
        let percent = (arti.as_frac().clamp(0.0, 1.0) * 100.0) as u8;
        // That the client waits to be told to bootstrap is what arti says of every client that we tell ourselves.
        let blockage = arti.blocked().filter(|blockage| !matches!(blockage.kind(), BlockageKind::Disabled));
        let blocked_because = blockage.map(|blockage| blockage.to_string());
        self.status.send_if_modified(|status| {
            let new = TorStatus {
                percent: if is_ready { 100 } else { percent.min(99) },
                is_ready,
                // What the last failed attempt said stands until something else is known.
                blocked_because: blocked_because.or_else(|| status.blocked_because.clone().filter(|_| !is_ready)),
                failed_attempts: status.failed_attempts,
                proofs_of_work: status.proofs_of_work,
            };
            if *status == new {
                return false;
            }
            if new.is_ready != status.is_ready || new.blocked_because != status.blocked_because {
                tracing::info!(percent = new.percent, is_ready, blocked = new.blocked_because.as_deref(), "Tor");
            } else {
                tracing::info!(percent = new.percent, "Tor bootstraps");
            }
            *status = new;
            true
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_key_is_read_and_never_shown() {
        let text = data_encoding::BASE32_NOPAD.encode(&[9; 32]);
        let key: ClientKey = text.to_ascii_lowercase().parse().unwrap();
        assert_eq!(key, ClientKey::from_bytes([9; 32]));
        assert_eq!(format!("{key:?}"), "ClientKey(…)");
        assert!("abc".parse::<ClientKey>().is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_a_network_every_connection_says_so_and_keys_can_be_handed_over() {
        let dir = tempfile::tempdir().unwrap();
        // A bridge that nobody listens on: nothing is dialled but the loopback.
        let bridges = vec!["127.0.0.1:1 0123456789ABCDEF0123456789ABCDEF01234567".to_owned()];
        let tor = Tor::start(&TorConfig { bridges, ..TorConfig::default() }, &dir.path().join("tor")).unwrap();
        let service = OnionAddress::from_public_key([1; 32]);
        let to = Destination { host: Host::Onion(service), port: 80 };
        let isolation = model::Isolation { target: model::TargetId::from_u64(1), epoch: 0 };
        let Err(failure) = tor.connect(&to, &ConnectOptions { isolation, proof_of_work: None }).await else {
            panic!("connected without a network");
        };
        assert_eq!(failure.outcome, Outcome::TorUnavailable);
        assert!(!tor.status().borrow().is_ready);

        let real: OnionAddress = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid".parse().unwrap();
        assert!(!tor.remove_client_key(&real).unwrap());
        tor.add_client_key(&real, &ClientKey::from_bytes([7; 32])).unwrap();
        tor.add_client_key(&real, &ClientKey::from_bytes([8; 32])).unwrap();
        assert!(tor.remove_client_key(&real).unwrap());
        assert!(!tor.remove_client_key(&real).unwrap());
    }
}

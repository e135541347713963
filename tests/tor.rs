//! Tests over a real Tor network: C-tor relays and onion services on this machine, and our embedded client.

mod crawl;
mod failures;
mod first_day;
mod hostile;
mod installed;
mod interface;
mod limits;
mod operations;
mod proof_of_work;
mod service;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use fetch::{Exchange, Fetcher, Request, Tor};
use model::{Isolation, SystemClock, TargetId, Uri};
use testnet::network::{Onion, ProofOfWork};
use tests::{Deadline, Underworld, wait_until};
use tokio::runtime::Runtime;

/// The private network that the tests of this process share, on a runtime of its own that outlives every test.
fn underworld() -> &'static Underworld {
    static UNDERWORLD: OnceLock<(Runtime, tempfile::TempDir, Underworld)> = OnceLock::new();
    let (_, _, underworld) = UNDERWORLD.get_or_init(|| {
        let start = || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            let dir = tempfile::tempdir().unwrap();
            let underworld = runtime
                .block_on(Underworld::start(
                    &dir.path().join("tor"),
                    true,
                    more_onions,
                    &tokio::sync::watch::Sender::default(),
                ))
                .unwrap();
            (runtime, dir, underworld)
        };
        // A test's own runtime must not be blocked on from within.
        std::thread::scope(|scope| scope.spawn(start).join().unwrap())
    });
    underworld
}

/// Services for failures: each on a host of its own, so that one's end is not another's.
fn more_onions(sites: &testnet::sites::Sites) -> Vec<Onion> {
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let defences = ProofOfWork { queue_rate: 10, queue_burst: 20 };
    let on = |host: &str, onion: Onion| Onion { host: host.into(), ..onion };
    vec![
        Onion::new("closed", nobody),
        Onion { is_restricted: true, ..Onion::new("restricted", sites.forum().http()) },
        on("mortal", Onion::new("mortal", sites.mirror().http())),
        on("mortal-too", Onion::new("mortal-too", sites.hostile().http())),
        on("sleeper", Onion::new("sleeper", sites.mirror().http())),
        on("toll", Onion { proof_of_work: Some(defences), ..Onion::new("toll", sites.mirror().http()) }),
        on("toll", Onion::new("greedy", sites.mirror().http())),
    ]
}

/// A Tor client of its own, bootstrapped, with the limits that tests can wait for.
async fn client(network_config: std::path::PathBuf, limits: fetch::Limits) -> (tempfile::TempDir, Arc<Tor>, Fetcher) {
    client_with(fetch::TorConfig { network_config: Some(network_config), ..fetch::TorConfig::default() }, limits).await
}

async fn client_with(tor: fetch::TorConfig, limits: fetch::Limits) -> (tempfile::TempDir, Arc<Tor>, Fetcher) {
    let dir = tempfile::tempdir().unwrap();
    let config = fetch::Config { tor, limits, ..fetch::Config::default() };
    let tor = Tor::start(&config.tor, dir.path()).unwrap();
    let fetcher = Fetcher::new(tor.clone(), Arc::new(SystemClock), &config).unwrap();
    let mut status = fetcher.status();
    tokio::time::timeout(Duration::from_mins(1), status.wait_for(|status| status.is_ready)).await.unwrap().unwrap();
    (dir, tor, fetcher)
}

/// Limits short enough to run into.
fn short() -> fetch::Limits {
    fetch::Limits {
        connect_s: 15,
        first_byte_s: 4,
        idle_s: 3,
        total_s: 8,
        head_bytes: 64 << 10,
        body_bytes: 4 << 20,
        decoded_bytes: 8 << 20,
        ..fetch::Limits::default()
    }
}

async fn get(fetcher: &Fetcher, uri: &str, epoch: u32) -> Exchange {
    let uri: Uri = uri.parse().unwrap();
    fetcher.fetch(&Request::new(uri, Isolation { target: TargetId::from_u64(1), epoch })).await
}

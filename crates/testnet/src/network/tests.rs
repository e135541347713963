use std::{collections::BTreeSet, path::Path, process::Stdio, sync::Arc};

use data_encoding::BASE64_NOPAD;
use fetch::{ConnectOptions, Destination, Tor, TorConfig, Transport as _};
use model::{Host, Isolation, Outcome, TargetId};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::Command,
    time::timeout,
};
use tokio_util::task::TaskTracker;

use super::*;

const PATIENCE: Duration = Duration::from_mins(1);

/// A server that sends `word` to whoever connects.
async fn serve(word: &'static str, tasks: &TaskTracker) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            drop(stream.write_all(word.as_bytes()).await);
        }
    });
    address
}

/// What the service says through C tor's SOCKS port (RFC 1928), or the code of the refusal.
async fn listen_through(socks: SocketAddr, to: OnionAddress) -> Result<String, u8> {
    #[expect(clippy::disallowed_methods, reason = "the SOCKS port is on loopback, in a network of our own")]
    let mut stream = TcpStream::connect(socks).await.unwrap();
    let name = to.to_string();
    let mut request = vec![5, 1, 0, 5, 1, 0, 3, u8::try_from(name.len()).unwrap()];
    request.extend(name.as_bytes());
    request.extend(80_u16.to_be_bytes());
    stream.write_all(&request).await.unwrap();

    let mut reply = [0; 12];
    stream.read_exact(&mut reply).await.unwrap();
    if reply[3] != 0 {
        return Err(reply[3]);
    }
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    Ok(said)
}

/// The Tor client of the product, in this network.
async fn embedded_client(network: &Network, dir: &Path) -> Arc<Tor> {
    let config = TorConfig { network_config: Some(network.arti_config_file()), ..TorConfig::default() };
    let tor = Tor::start(&config, &dir.join("arti")).unwrap();
    timeout(PATIENCE, tor.status().wait_for(|status| status.is_ready)).await.unwrap().unwrap();
    tor
}

async fn listen_through_arti(tor: &Tor, to: OnionAddress) -> Result<String, Outcome> {
    let destination = Destination { host: Host::Onion(to), port: 80 };
    let isolation = Isolation { target: TargetId::from_u64(1), epoch: 1 };
    let options = ConnectOptions { isolation, proof_of_work: None };
    let mut stream = tor.connect(&destination, &options).await.map_err(|failure| failure.outcome)?;
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    Ok(said)
}

async fn start(dir: &Path, onions: Vec<Onion>) -> Network {
    Network::start(dir, Plan { onions, ..Plan::default() }).await.unwrap_or_else(|error| panic!("{error}"))
}

fn is_alive(id: u32) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_networks_run_at_once_and_each_knows_its_own_services() {
    let (tasks, dirs) = (TaskTracker::new(), [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()]);
    let (left, right) = (serve("left", &tasks).await, serve("right", &tasks).await);
    let begin = |dir: &TempDir, site| {
        let dir = dir.path().to_owned();
        tasks.spawn(async move { start(&dir, vec![Onion::new("site", site)]).await })
    };
    let (left, right) = (begin(&dirs[0], left), begin(&dirs[1], right));
    let (left, right) = (left.await.unwrap(), right.await.unwrap());
    let again = Network::start(dirs[0].path(), Plan::default()).await;
    assert!(matches!(again, Err(Error::InUse(_))));

    let addresses: BTreeSet<_> = [&left, &right].iter().flat_map(|network| network.relay_addresses()).collect();
    assert_eq!(addresses.len(), 12);
    let (left_socks, right_socks) = (left.socks_client().await.unwrap(), right.socks_client().await.unwrap());
    let (left_site, right_site) = (left.onion("site").unwrap(), right.onion("site").unwrap());
    assert_eq!(listen_through(left_socks, left_site).await.as_deref(), Ok("left"));
    assert_eq!(listen_through(right_socks, right_site).await.as_deref(), Ok("right"));
    assert!(listen_through(left_socks, right_site).await.is_err());
    tokio::join!(left.stop(), right.stop());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_die_freeze_and_come_back_and_a_restricted_service_wants_its_key() {
    let (tasks, dir) = (TaskTracker::new(), tempfile::tempdir().unwrap());
    let onions = vec![
        Onion::new("plain", serve("plain", &tasks).await),
        Onion { is_restricted: true, ..Onion::new("restricted", serve("restricted", &tasks).await) },
        Onion {
            host: "other".to_owned(),
            proof_of_work: Some(ProofOfWork { queue_rate: 10, queue_burst: 20 }),
            ..Onion::new("other", serve("other", &tasks).await)
        },
    ];
    let network = start(dir.path(), onions).await;
    let socks = network.socks_client().await.unwrap();
    let [plain, restricted, other] = ["plain", "restricted", "other"].map(|name| network.onion(name).unwrap());
    assert_eq!(listen_through(socks, plain).await.as_deref(), Ok("plain"));
    assert_eq!(listen_through(socks, other).await.as_deref(), Ok("other"));

    assert!(listen_through(socks, restricted).await.is_err(), "without its key");
    let key = BASE64_NOPAD.encode(network.client_key("restricted").unwrap().secret());
    let name = restricted.to_string().replace(".onion", "");
    let mut nodes = network.nodes.lock().await;
    nodes.get_mut(SOCKS_CLIENT).unwrap().ask(&format!("ONION_CLIENT_AUTH_ADD {name} x25519:{key}")).await.unwrap();
    drop(nodes);
    assert_eq!(listen_through(socks, restricted).await.as_deref(), Ok("restricted"));

    let tor = embedded_client(&network, dir.path()).await;
    assert_eq!(listen_through_arti(&tor, plain).await.as_deref(), Ok("plain"));
    assert_eq!(listen_through_arti(&tor, other).await.as_deref(), Ok("other"));
    assert_eq!(listen_through_arti(&tor, restricted).await, Err(Outcome::AuthorisationKeyNeeded));
    let key: fetch::ClientKey = network.client_key("restricted").unwrap().to_base32().parse().unwrap();
    tor.add_client_key(&restricted, &key).unwrap();
    assert_eq!(listen_through_arti(&tor, restricted).await.as_deref(), Ok("restricted"));

    network.freeze_host("other").await.unwrap();
    let silent = timeout(Duration::from_secs(2), listen_through(socks, other)).await;
    assert!(silent.is_err(), "a frozen host answers nothing, and got {silent:?}");
    network.thaw_host("other").await.unwrap();
    assert_eq!(timeout(PATIENCE, listen_through(socks, other)).await.unwrap().as_deref(), Ok("other"));

    network.kill_host("other").await.unwrap();
    assert!(matches!(network.kill_host("other").await, Err(Error::Unknown { .. })));
    network.restart_host("other").await.unwrap();
    assert_eq!(network.onion("other"), Some(other));

    network.kill_relays(&network.relay_names()).await.unwrap();
    for address in network.relay_addresses() {
        // Nothing listens there any more, so that the address can be had.
        drop(TcpListener::bind(address).await.unwrap());
    }
    network.restart_relays().await.unwrap();
    let socks = network.socks_client().await.unwrap();
    assert_eq!(timeout(PATIENCE, listen_through(socks, plain)).await.unwrap().as_deref(), Ok("plain"));

    let ids: Vec<u32> = network.processes().await.into_values().collect();
    assert_eq!(ids.len(), 9);
    assert!(ids.iter().all(|id| is_alive(*id)));
    network.stop().await;
    assert!(!ids.iter().any(|id| is_alive(*id)));
}

#[tokio::test]
async fn a_tor_that_dies_at_its_start_is_quoted() {
    let dir = tempfile::tempdir().unwrap();
    let launcher = Launcher { tor: Tools::find().await.unwrap().tor, shim: None };
    let error = launcher.launch("broken", dir.path(), "NoSuchOption 1\n", Deadline::after(PATIENCE)).await.unwrap_err();
    assert!(
        matches!(&error, Error::Died { name, log, .. } if name == "broken" && log.contains("NoSuchOption")),
        "{error}"
    );
}

#[test]
fn routers_start_so_that_the_first_consensus_finds_them_ready() {
    for millis in [0_i64, 1, 1_499, 1_500, 4_999, 1_790_000_003_217] {
        let now = Timestamp::from_micros(millis * 1_000);
        let (wait, offset_s) = next_launch(now);
        assert!(wait < Duration::from_secs(1));
        assert!(offset_s < 5);
        let consensus = now.after(wait + LEAD).as_micros();
        assert_eq!((consensus - i64::try_from(offset_s).unwrap() * 1_000_000) % 5_000_000, 0, "{millis}");
    }
}

const CRASH_DIR: &str = "TESTNET_CRASH_DIR";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_process_outlives_a_parent_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "network::tests::parent_that_is_killed", "--nocapture"])
        .env(CRASH_DIR, dir.path())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let processes = dir.path().join("processes");
    let ids: Vec<u32> = timeout(PATIENCE * 2, async {
        loop {
            if let Ok(text) = fs::read_to_string(&processes)
                && let Some(ids) = text.strip_suffix(" end")
            {
                break ids.split(' ').map(|id| id.parse().unwrap()).collect();
            }
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(ids.len(), 6);
    assert!(ids.iter().all(|id| is_alive(*id)));

    parent.kill().await.unwrap();
    let killed = Instant::now();
    timeout(Duration::from_secs(10), async {
        while ids.iter().any(|id| is_alive(*id)) {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("alive after 10 s: {:?}", ids.iter().filter(|id| is_alive(**id)).collect::<Vec<_>>()));
    tracing::info!("all gone {:?} after their parent", killed.elapsed());
}

#[tokio::test]
#[ignore = "a process of the test above, which runs and kills it"]
async fn parent_that_is_killed() {
    let Some(dir) = std::env::var_os(CRASH_DIR).map(PathBuf::from) else { return };
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    let onions = vec![Onion::new("site", nobody), Onion { host: "frozen".to_owned(), ..Onion::new("frozen", nobody) }];
    let plan = Plan { authorities: 3, relays: 1, onions, ..Plan::default() };
    let network = Network::start(&dir.join("network"), plan).await.unwrap();
    network.freeze_host("frozen").await.unwrap();
    let ids: Vec<String> = network.processes().await.values().map(ToString::to_string).collect();
    fs::write(dir.join("processes"), ids.join(" ") + " end").unwrap();
    std::future::pending::<()>().await;
}

//! Each failure that the private network can provoke ends in the outcome that `docs/outcomes.md` says.

use model::{OnionAddress, Outcome, Stage};
use testnet::network::{Network, Plan};

use super::{hostile::documented, *};

pub(super) fn check(case: &str, exchange: &Exchange) {
    let documented = documented("Failures of the network");
    let expected = documented.get(case).unwrap_or_else(|| panic!("{case:?} is not documented"));
    assert!(
        expected.split(", ").any(|outcome| outcome.trim_matches('`') == exchange.outcome.to_string()),
        "{case}: {} ({:?})",
        exchange.outcome,
        exchange.detail
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_apart() {
    let underworld = underworld();
    let (_dir, tor, fetcher) = client(underworld.network.arti_config_file(), short()).await;
    // An example of the specification: a good key, which nobody in this network has.
    let nobody: OnionAddress = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd".parse().unwrap();
    check("no such service", &get(&fetcher, &format!("http://{nobody}/"), 0).await);
    check("port closed", &get(&fetcher, &format!("http://{}/", underworld.onion("closed").unwrap()), 0).await);
    let restricted = underworld.onion("restricted").unwrap();
    check("authorisation key missing", &get(&fetcher, &format!("http://{restricted}/"), 0).await);
    let key = underworld.network.client_key("restricted").unwrap();
    tor.add_client_key(&restricted, &fetch::ClientKey::from_bytes(*key.secret())).unwrap();
    assert_eq!(get(&fetcher, &format!("http://{restricted}/"), 1).await.outcome, Outcome::Ok, "with the key it opens");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_killed() {
    let underworld = underworld();
    let (_dir, _tor, fetcher) =
        client(underworld.network.arti_config_file(), fetch::Limits { total_s: 60, ..short() }).await;
    let (quiet, slow) = (underworld.seed("mortal").unwrap(), underworld.seed("mortal-too").unwrap());
    assert_eq!(get(&fetcher, &quiet, 0).await.outcome, Outcome::Ok);
    let during = async {
        let begun = underworld.sites.hostile().requests("/slow/drip");
        let uri = format!("{slow}slow/drip");
        let fetch = get(&fetcher, &uri, 0);
        tokio::pin!(fetch);
        let has_begun = wait_until("the page is asked for", Deadline::seconds(20), || async {
            Ok((underworld.sites.hostile().requests("/slow/drip") > begun).then_some(()))
        });
        tokio::select! {
            exchange = &mut fetch => return exchange,
            begun = has_begun => begun.unwrap(),
        }
        underworld.network.kill_host("mortal-too").await.unwrap();
        fetch.await
    };
    check("service killed during a transfer", &during.await);
    underworld.network.kill_host("mortal").await.unwrap();
    check("service killed after a page, its connection kept", &get(&fetcher, &format!("{quiet}robots.txt"), 0).await);
    check("service killed, connecting anew", &get(&fetcher, &quiet, 1).await);
    underworld.network.restart_host("mortal").await.unwrap();
    let back = wait_until("the service is back", Deadline::seconds(90), || async {
        static EPOCH: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(2);
        let epoch = EPOCH.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok((get(&fetcher, &quiet, epoch).await.outcome == Outcome::Ok).then_some(()))
    });
    back.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_freezes() {
    let underworld = underworld();
    let (_dir, _tor, fetcher) = client(underworld.network.arti_config_file(), short()).await;
    let seed = underworld.seed("sleeper").unwrap();
    assert_eq!(get(&fetcher, &seed, 0).await.outcome, Outcome::Ok);
    underworld.network.freeze_host("sleeper").await.unwrap();
    let kept = get(&fetcher, &format!("{seed}robots.txt"), 0).await;
    check("service frozen, its connection kept", &kept);
    assert!(kept.needs_new_epoch);
    let fresh = get(&fetcher, &seed, 1).await;
    check("service frozen, connecting anew", &fresh);
    assert!(fresh.needs_new_epoch);
    underworld.network.thaw_host("sleeper").await.unwrap();
    wait_until("it answers again", Deadline::seconds(60), || async {
        Ok((get(&fetcher, &seed, 2).await.outcome == Outcome::Ok).then_some(()))
    })
    .await
    .unwrap();
}

/// A network of its own, on stock settings of tor and arti, which the real network has too: its relays die.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_dies_and_tor_that_never_bootstraps() {
    let dir = tempfile::tempdir().unwrap();
    let sites = testnet::sites::Sites::start(2).await.unwrap();
    let onions = vec![Onion::new("market", sites.market().http())];
    let network =
        Network::start(&dir.path().join("tor"), Plan { tcp_nodelay: false, onions, ..Plan::default() }).await.unwrap();
    let config = network.arti_config_file();
    let seed = format!("http://{}/", network.onion("market").unwrap());
    let (_dir, _tor, fetcher) = client(config.clone(), short()).await;
    assert_eq!(get(&fetcher, &seed, 0).await.outcome, Outcome::Ok);
    let names: Vec<String> = network.relay_names().into_iter().map(str::to_owned).collect();
    network.kill_relays(&names.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    check("all relays killed, a connection kept", &get(&fetcher, &format!("{seed}robots.txt"), 0).await);
    check("all relays killed, connecting anew", &get(&fetcher, &seed, 1).await);

    let state = tempfile::tempdir().unwrap();
    let config = fetch::Config {
        tor: fetch::TorConfig { network_config: Some(config), ..fetch::TorConfig::default() },
        limits: short(),
        ..fetch::Config::default()
    };
    let tor = Tor::start(&config.tor, state.path()).unwrap();
    let fetcher = Fetcher::new(tor, Arc::new(SystemClock), &config).unwrap();
    let exchange = get(&fetcher, &seed, 0).await;
    check("Tor not bootstrapped", &exchange);
    assert!(!fetcher.status().borrow().is_ready);
    assert_ne!(exchange.outcome, Outcome::TimedOut(Stage::Connect), "an unready Tor is told at once");
}

//! Nothing leaves the machine but to relays of Tor: the daemon crawls in a network namespace where whatever else it sends is counted.
//!
//! It is a test binary of its own, because it takes a namespace, and because its crawl should not share the machine with another.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod leaks {
    pub(crate) mod calls;
    pub(crate) mod canaries;
    pub(crate) mod quarantine;
    pub(crate) mod temptations;
}

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
};

use leaks::{
    calls,
    canaries::Canaries,
    quarantine::{self, GROUP},
    temptations::TEMPTATIONS,
};
use model::Uri;
use serde_json::Value;
use tests::{Daemon, Deadline, Underworld, expected_uris, program, wait_until};

/// How a program is run in the group whose packets are counted.
const COUNTED: [&str; 5] = ["setpriv", "--regid", GROUP, "--clear-groups", "--"];

/// As fast as each target allows, and limits short enough to run into.
const SETTINGS: &str = "crawl.requests_per_s = 0\nderive.index_after_ms = 200\ncrawl.backoff_min_s = 1\n\
     crawl.backoff_max_s = 1\ncrawl.retry_after_max_s = 1\nfetch.limits.connect_s = 15\nfetch.limits.first_byte_s = 4\nfetch.limits.idle_s = 3\n\
     fetch.limits.total_s = 8\n";

fn settings(more: &str) -> String {
    format!("{SETTINGS}{more}\n")
}

/// Each site with its theme and the pause between two requests in milliseconds: long enough that there is a middle of the crawl.
const SITES: [(&str, &str, &str); 3] =
    [("market", "marketplace", "50"), ("forum", "cybercrime", "50"), ("hostile", "cybercrime", "0")];

/// Starts this very binary again, in a namespace of its own.
#[test]
fn nothing_leaves_the_machine_but_to_relays() {
    let unshare = ["--net", "--mount"];
    let possible = Command::new("unshare").args(unshare).arg("true").stderr(Stdio::null()).status();
    if !possible.is_ok_and(|status| status.success()) {
        let why = "SKIPPED: no network namespace can be made here, so that nobody knows what leaves it: run the tests as root\n";
        std::io::stderr().lock().write_all(why.as_bytes()).unwrap();
        return;
    }
    let inside = Command::new("unshare")
        .args(unshare)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "in_quarantine", "--ignored", "--nocapture", "--test-threads=1"])
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&inside.stdout), String::from_utf8_lossy(&inside.stderr));
    assert!(inside.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in a network namespace that the test beside it makes"]
async fn in_quarantine() {
    let dir = tempfile::tempdir().unwrap();
    quarantine::enter(dir.path()).unwrap();
    let canaries = Canaries::open().await.unwrap();
    let (progress, network) = (tokio::sync::watch::Sender::default(), dir.path().join("tor"));
    let underworld = Underworld::start(&network, true, |_| Vec::new(), &progress).await.unwrap();
    quarantine::count_all_but(&underworld.network.relay_addresses()).unwrap();

    expect_that_it_counts(&canaries).await;
    crawl_everything_while_tor_comes_and_goes(dir.path(), &canaries, &underworld).await;
    crawl_under_strace(dir.path(), &canaries, &underworld).await;
    // What has counted nothing still counts.
    expect_that_it_counts(&canaries).await;
}

/// The negative control: each packet that was ever sent on purpose is counted as what it is, and arrives.
async fn expect_that_it_counts(canaries: &Canaries) {
    for temptation in TEMPTATIONS {
        quarantine::forget().unwrap();
        canaries.forget();
        let sent = tokio::task::spawn_blocking(move || temptation.yield_to()).await.unwrap().unwrap();
        let counts = quarantine::counts().unwrap();
        for counter in temptation.counters() {
            assert!(counts[counter] > 0, "{}: {counter} counts nothing: {counts:?}: {sent:?}", temptation.what);
        }
        assert_eq!(counts["relays"], 0, "{}", temptation.what);
        let Some(canary) = temptation.canary() else { continue };
        wait_until(temptation.what, Deadline::seconds(20), || async {
            Ok(canaries.songs().iter().any(|song| song.starts_with(canary)).then_some(()))
        })
        .await
        .unwrap_or_else(|error| panic!("{error}: no canary sings {canary}: {:?}: {sent:?}", canaries.songs()));
    }
    quarantine::forget().unwrap();
    canaries.forget();
}

fn expect_nothing_elsewhere(when: &str, canaries: &Canaries) {
    let (leaks, songs) = (quarantine::leaks().unwrap(), canaries.songs());
    assert!(leaks.is_empty() && songs.is_empty(), "{when}: {leaks:?}, {songs:?}");
}

/// Market, forum and hostile site, whole; in the middle no relay can be reached for a while.
async fn crawl_everything_while_tor_comes_and_goes(dir: &Path, canaries: &Canaries, underworld: &Underworld) {
    let config = underworld.network.arti_config_file();
    let mut daemon = Daemon::prepare_under(
        &COUNTED,
        &dir.join("counted"),
        &config,
        &settings("crawl.retries = 3\ncrawl.uris_per_template = 400"),
    )
    .await
    .unwrap();
    daemon.start().await.unwrap();
    for (name, theme, delay) in SITES {
        let pace = ["--delay-ms", delay, "--concurrency", "8"];
        daemon.add_target(theme, name, &underworld.seed(name).unwrap(), &pace).await.unwrap();
    }
    let market = underworld.sites.market();
    let middle = market.pages().len() / 4;
    wait_until("the crawl is in the middle", Deadline::seconds(100), || async {
        Ok((market.all_requests().len() >= middle).then_some(()))
    })
    .await
    .unwrap_or_else(|error| panic!("{error}:\n{}", daemon.end_of_log()));
    quarantine::stop_tor().unwrap();
    expect_nothing_elsewhere("before Tor stops", canaries);
    assert!(market.all_requests().len() < market.pages().len(), "Tor does not stop in the middle, but at the end");
    wait_until("fetches end for want of Tor", Deadline::seconds(100), || async {
        let of = async |theme: &str| -> anyhow::Result<usize> {
            Ok(daemon.captures(theme).await?.iter().filter(|capture| capture["outcome"] == "TorUnavailable").count())
        };
        Ok((of("marketplace").await? >= 5 && of("cybercrime").await? >= 5).then_some(()))
    })
    .await
    .unwrap_or_else(|error| panic!("{error}:\n{}", daemon.end_of_log()));
    expect_nothing_elsewhere("while Tor is stopped", canaries);

    quarantine::start_tor().unwrap();
    for (name, theme, _) in SITES {
        until_whole(name, theme, &daemon, underworld).await;
    }
    daemon.wait_until_idle(Deadline::seconds(200)).await.unwrap();
    expect_nothing_elsewhere("after the whole crawl", canaries);
    assert!(quarantine::counts().unwrap()["relays"] > 1_000, "the counters do not see the daemon at all");
    daemon.stop().await.unwrap();
    expect_nothing_elsewhere("after the daemon's end", canaries);
}

/// Waits until each page of a site is fetched, whatever became of earlier attempts; what Tor's absence put off comes later by itself.
async fn until_whole(name: &str, theme: &str, daemon: &Daemon, underworld: &Underworld) {
    let site = underworld.sites.all().into_iter().find(|site| site.name() == name).unwrap();
    let expected = expected_uris(site, underworld.onion(name).unwrap()).unwrap();
    let silent = || site.pages().into_iter().find(|page| site.requests(page) == 0);
    let missing = async || -> anyhow::Result<Vec<Uri>> {
        let captures = daemon.captures(theme).await?;
        let done = captures.iter().filter(|capture| is_done(name, capture));
        let done: BTreeSet<Uri> = done.filter_map(|capture| capture["uri"].as_str()?.parse().ok()).collect();
        Ok(expected.difference(&done).cloned().collect())
    };
    let fetched = wait_until("every page is fetched", Deadline::seconds(400), || async {
        // The site is asked first, which costs the daemon nothing.
        Ok((silent().is_none() && missing().await?.is_empty()).then_some(()))
    });
    if let Err(error) = fetched.await {
        let (silent, missing) = (silent(), missing().await.unwrap());
        panic!("{name}: {error}: asked for never {silent:?}, in vain {missing:?}:\n{}", daemon.end_of_log());
    }
}

/// Whether an attempt settles what became of a page: most of the hostile site end in a way of their own.
fn is_done(site: &str, capture: &Value) -> bool {
    capture["outcome"] == "Ok" || (site == "hostile" && capture["outcome"] != "TorUnavailable")
}

/// The hostile site once more, with every call written down that a resolver would need.
async fn crawl_under_strace(dir: &Path, canaries: &Canaries, underworld: &Underworld) {
    let relays: BTreeSet<SocketAddr> = underworld.network.relay_addresses().into_iter().collect();
    let trace = dir.join("trace");
    let program = program().unwrap();
    let under = [&COUNTED[..], &calls::STRACE, &[trace.to_str().unwrap()]].concat();

    // The negative control: who looks up a name is seen to do so.
    let looking =
        Command::new(under[0]).args(&under[1..]).args(["getent", "ahostsv4", "www.clear-net.example"]).output();
    let looking = looking.unwrap();
    assert!(looking.status.success(), "{looking:?}");
    let seen = calls::read(&whole(&trace, None).await, &program, &relays);
    for mark in ["/etc/resolv.conf", "/etc/hosts", "SOCK_DGRAM", "htons(53)", "AF_NETLINK", "execve"] {
        assert!(seen.objections.iter().any(|call| call.contains(mark)), "{mark} is not seen: {:?}", seen.objections);
    }
    quarantine::forget().unwrap();
    canaries.forget();

    let config = underworld.network.arti_config_file();
    let mut daemon = Daemon::prepare_under(
        &under,
        &dir.join("traced"),
        &config,
        &settings("crawl.retries = 0\ncrawl.uris_per_template = 20"),
    )
    .await
    .unwrap();
    daemon.start().await.unwrap();
    let hostile = underworld.sites.hostile();
    hostile.reset_counters();
    let (seed, pace) = (underworld.seed("hostile").unwrap(), ["--delay-ms", "0", "--concurrency", "8"]);
    daemon.add_target("cybercrime", "hostile", &seed, &pace).await.unwrap();
    until_whole("hostile", "cybercrime", &daemon, underworld).await;
    daemon.wait_until_idle(Deadline::seconds(200)).await.unwrap();
    let pid = daemon.pid().unwrap();
    daemon.stop().await.unwrap();
    let seen = calls::read(&whole(&trace, Some(pid)).await, &program, &relays);
    assert!(seen.objections.is_empty(), "{:#?}", seen.objections);
    assert!(seen.to_relays > 0, "strace saw no connection at all");
    expect_nothing_elsewhere("under strace", canaries);
}

/// What strace wrote, once it has seen the end of a process: of any where none is named.
async fn whole(trace: &Path, pid: Option<u32>) -> String {
    let is_end = |line: &str| {
        let of = line.split(' ').next().and_then(|pid| pid.parse::<u32>().ok());
        line.contains("+++ exited") && (pid.is_none() || pid == of)
    };
    wait_until("strace has seen the end", Deadline::seconds(30), || async {
        let text = fs::read_to_string(trace)?;
        Ok(text.lines().any(is_end).then_some(text))
    })
    .await
    .unwrap()
}

//! The limits of the machine, each reached on purpose by a real daemon: what it says, and that it goes on.

use std::{fs, io::Write as _};

use tests::{Daemon, Person, crash::SmallDisk};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
};

use super::{
    service::{HASTE, reload, set},
    *,
};

const SETTINGS: &str = "crawl.requests_per_s = 0\nderive.index_after_ms = 200\n";

async fn prepare(dir: &std::path::Path, under: &[&str], settings: &str) -> Daemon {
    let config = underworld().network.arti_config_file();
    Daemon::prepare_under(under, dir, &config, &format!("{SETTINGS}{settings}")).await.unwrap()
}

/// Where the API listens.
fn address(daemon: &Daemon) -> SocketAddr {
    daemon.url().unwrap().strip_prefix("http://").unwrap().parse().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the address is that of a daemon of the test, on this machine")]
async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Asks for a page of the API that needs no token; whoever is not let in waits.
async fn asked(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = connect(address).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_mins(1), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

async fn get(daemon: &Daemon, path: &str) -> String {
    answer(asked(address(daemon), path).await).await
}

async fn until_ready(daemon: &Daemon) {
    wait_until("it is ready", Deadline::seconds(60), || async {
        Ok(get(daemon, "/readyz").await.starts_with("HTTP/1.1 200").then_some(()))
    })
    .await
    .unwrap();
}

async fn until_log(daemon: &Daemon, part: &str) {
    wait_until(part, Deadline::seconds(60), || async { Ok(log(daemon).contains(part).then_some(())) })
        .await
        .unwrap_or_else(|error| panic!("{error}: {}", daemon.end_of_log()));
}

fn log(daemon: &Daemon) -> String {
    fs::read_to_string(daemon.log()).unwrap()
}

/// How `nachtwacht doctor` judges a thing.
async fn judged(daemon: &Daemon, what: &str) -> String {
    let output = daemon.try_cli_as(Person::Tester, &["--json", "doctor"]).await.unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = said["findings"].as_array().unwrap().iter().find(|finding| finding["what"] == what).unwrap();
    finding["verdict"].as_str().unwrap().to_owned()
}

async fn waits_because(daemon: &Daemon) -> Option<String> {
    let status = daemon.get("/status").await.unwrap();
    status["crawl"]["targets"][0]["waits_because"].as_str().map(str::to_owned)
}

async fn until_waiting(daemon: &Daemon, why: &str) {
    wait_until(why, Deadline::seconds(60), || async {
        Ok((waits_because(daemon).await.as_deref() == Some(why)).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_memory_nothing_is_fetched_until_the_ceiling_is_raised() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = prepare(dir.path(), &[], "crawl.memory_mb = 1\n").await;
    daemon.start().await.unwrap();
    let page = format!("http://{}/plain/memory", underworld().onion("hostile").unwrap());
    daemon.add_target("marketplace", "site", &page, &HASTE).await.unwrap();
    until_waiting(&daemon, "nearly all memory is used").await;
    // What else could hold it up is over.
    wait_until("Tor is ready", Deadline::seconds(60), || async {
        Ok((daemon.get("/status").await?["tor"]["is_ready"] == true).then_some(()))
    })
    .await
    .unwrap();
    let ready = get(&daemon, "/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("memory: nothing new is fetched"), "{ready}");
    assert_eq!(judged(&daemon, "memory").await, "WRONG");
    assert!(daemon.cli(&["status"]).await.unwrap().contains("SHORT: nothing new is fetched"));
    assert!(log(&daemon).contains("nearly all memory is used: nothing new is fetched until there is more"));
    assert_eq!(daemon.captures("marketplace").await.unwrap().len(), 0);

    set(&daemon, "crawl.memory_mb", "8000");
    let (code, said, problem) = reload(&daemon).await;
    assert_eq!((code, &said["restart"]), (Some(0), &serde_json::json!([])), "{problem}");
    daemon.wait_until_idle(Deadline::seconds(120)).await.unwrap();
    assert!(!daemon.captures("marketplace").await.unwrap().is_empty());
    until_ready(&daemon).await;
    assert_eq!(judged(&daemon, "memory").await, "ok");
    assert!(log(&daemon).contains("there is memory again: going on"));
    daemon.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_everywhere_and_room_lets_it_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path(), 384).unwrap() else {
        let skipped = b"\nSKIPPED: a full disk under the daemon, for want of the right to mount\n";
        std::io::stderr().lock().write_all(skipped).unwrap();
        return;
    };
    let mut daemon = prepare(dir.path(), &[], "store.floor_mb = 64\nstore.reserve_mb = 16\n").await;
    daemon.start().await.unwrap();
    let page = |path: &str| format!("http://{}/plain/{path}", underworld().onion("hostile").unwrap());
    daemon.add_target("marketplace", "a", &page("disk"), &HASTE).await.unwrap();
    daemon.wait_until_idle(Deadline::seconds(120)).await.unwrap();
    until_ready(&daemon).await;
    let before = daemon.captures("marketplace").await.unwrap();

    disk.fill(48).unwrap();
    until_waiting(&daemon, "the disk has too little room").await;
    let ready = get(&daemon, "/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("room on the disk"), "{ready}");
    assert_eq!(judged(&daemon, "disk").await, "WRONG");
    assert!(daemon.cli(&["status"]).await.unwrap().contains("FULL: nothing is fetched until"));
    until_log(&daemon, "the disk is nearly full: nothing is fetched until there is room").await;
    // A decision finds room all the same, and is carried out when there is more.
    daemon.add_target("marketplace", "b", &page("disk-too"), &HASTE).await.unwrap();
    assert_eq!(daemon.captures("marketplace").await.unwrap(), before);

    disk.empty().unwrap();
    wait_until("the other page is captured", Deadline::seconds(120), || async {
        Ok((daemon.captures("marketplace").await?.len() > before.len()).then_some(()))
    })
    .await
    .unwrap();
    until_ready(&daemon).await;
    assert!(log(&daemon).contains("the disk has room again: going on"));
    daemon.cli(&["verify"]).await.unwrap();
    daemon.stop().await.unwrap();
}

/// How many files the daemon may open; the soft limit alone is changed.
async fn allow(daemon: &Daemon, files: u64) {
    let (pid, limit) = (daemon.pid().unwrap().to_string(), format!("--nofile={files}:"));
    assert!(Command::new("prlimit").args(["--pid", &pid, &limit]).status().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_descriptors_are_refused_and_clients_never_take_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = prepare(dir.path(), &["prlimit", "--nofile=256:600"], "").await;
    let refused = Command::new("prlimit")
        .arg("--nofile=256:500")
        .arg(tests::program().unwrap())
        .arg("--config")
        .arg(daemon.config())
        .arg("serve")
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("only 500 files may be open at a time") && said.contains("LimitNOFILE="), "{said}");

    daemon.start().await.unwrap();
    assert_eq!(most_files(&daemon), 600, "the soft limit was not raised");
    assert_eq!(judged(&daemon, "descriptors").await, "advice");

    // More clients than there are descriptors, none of which ever says what it wants.
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..700 {
        let address = address(&daemon);
        clients.spawn(async move {
            let _silent = connect(address).await;
            std::future::pending::<()>().await;
        });
    }
    until_log(&daemon, "as many connections are open as there may be: others wait").await;
    let page = format!("http://{}/plain/descriptors", underworld().onion("hostile").unwrap());
    daemon.add_target("marketplace", "site", &page, &HASTE).await.unwrap();
    daemon.wait_until_idle(Deadline::seconds(120)).await.unwrap();
    let open = fs::read_dir(format!("/proc/{}/fd", daemon.pid().unwrap())).unwrap().count();
    assert!(open < 450, "{open} of 600 files are open");
    assert!(!log(&daemon).contains("a connection could not be taken"), "{}", daemon.end_of_log());
    drop(clients);
    assert!(get(&daemon, "/livez").await.starts_with("HTTP/1.1 200"));
    daemon.cli(&["verify"]).await.unwrap();
    daemon.stop().await.unwrap();
}

/// The most files that the daemon may open.
fn most_files(daemon: &Daemon) -> u64 {
    let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.pid().unwrap())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    files.split_whitespace().nth(3).unwrap().parse().unwrap()
}

/// What the log says once connections could not be taken so often that it says no more of each.
const LEFT_OUT: &str = "an event came too often: not every one was told says=\"a connection could not be taken\"";

#[tokio::test(flavor = "multi_thread")]
async fn without_descriptors_clients_wait_and_the_log_stays_short() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = prepare(dir.path(), &[], "log_repeats = 3\n").await;
    daemon.start().await.unwrap();
    let page = format!("http://{}/plain/waits", underworld().onion("hostile").unwrap());
    daemon.add_target("marketplace", "site", &page, &HASTE).await.unwrap();
    daemon.wait_until_idle(Deadline::seconds(120)).await.unwrap();
    let (before, most) = (daemon.captures("marketplace").await.unwrap(), most_files(&daemon));

    allow(&daemon, 3).await;
    let client = asked(address(&daemon), "/livez").await;
    until_log(&daemon, LEFT_OUT).await;
    let told = log(&daemon).matches(": a connection could not be taken").count();
    assert_eq!(told, 3, "{}", daemon.end_of_log());
    allow(&daemon, most).await;
    assert!(answer(client).await.starts_with("HTTP/1.1 200"), "whoever waited is answered");
    assert_eq!(daemon.captures("marketplace").await.unwrap(), before);
    daemon.cli(&["verify"]).await.unwrap();
    daemon.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn descriptors_that_run_out_in_the_middle_of_a_crawl_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = prepare(dir.path(), &[], "log_repeats = 3\n").await;
    daemon.start().await.unwrap();
    let seed = underworld().seed("market").unwrap();
    daemon.add_target("marketplace", "market", &seed, &HASTE).await.unwrap();
    wait_until("the crawl is under way", Deadline::seconds(120), || async {
        Ok((daemon.captures("marketplace").await?.len() > 5).then_some(()))
    })
    .await
    .unwrap();
    let (before, most) = (daemon.captures("marketplace").await.unwrap(), most_files(&daemon));
    let address = address(&daemon);
    allow(&daemon, 3).await;
    let mut client = tokio::task::JoinSet::new();
    client.spawn(async move { answer(asked(address, "/livez").await).await });
    // Whether a file was to be opened meanwhile is chance: then the daemon ends, as one whose store has failed, and systemd would start it again.
    wait_until("it suffers", Deadline::seconds(60), || async {
        Ok([LEFT_OUT, " stopping"].iter().any(|part| log(&daemon).contains(part)).then_some(()))
    })
    .await
    .unwrap();
    if log(&daemon).contains(" stopping") {
        assert!(!daemon.ended().await.unwrap().success());
        daemon.start().await.unwrap();
    } else {
        allow(&daemon, most).await;
        let answer = client.join_next().await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "whoever waited is answered");
    }
    daemon.wait_until_idle(Deadline::seconds(200)).await.unwrap();
    let after = daemon.captures("marketplace").await.unwrap();
    assert_eq!(after[after.len() - before.len()..], before[..], "what was acknowledged has changed");
    let expected = tests::expected_uris(underworld().sites.market(), underworld().onion("market").unwrap()).unwrap();
    let captured: std::collections::BTreeSet<Uri> =
        after.iter().map(|capture| capture["uri"].as_str().unwrap().parse().unwrap()).collect();
    assert!(expected.is_subset(&captured), "{} of {} pages", captured.len(), expected.len());
    daemon.cli(&["verify"]).await.unwrap();
    daemon.stop().await.unwrap();
}

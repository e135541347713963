//! The daemon as a service: what systemd is told, reloads, and the ways to stop.

use std::{
    fs,
    io::Write as _,
    os::unix::{fs::MetadataExt as _, net::UnixDatagram},
    path::Path,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tests::{Daemon, Person};

use super::*;

pub(super) const HASTE: [&str; 4] = ["--delay-ms", "0", "--concurrency", "8"];

/// A service manager that keeps what it is told.
struct Manager {
    socket: UnixDatagram,
    heard: Mutex<Vec<String>>,
}

impl Manager {
    /// One that watches over `daemon`, and wants to hear of it within `watchdog`.
    fn over(daemon: &mut Daemon, dir: &Path, watchdog: Duration) -> Self {
        let path = dir.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        daemon.hand_over("NOTIFY_SOCKET", path.to_str().unwrap());
        daemon.hand_over("WATCHDOG_USEC", &watchdog.as_micros().to_string());
        Self { socket, heard: Mutex::default() }
    }

    /// All that it was told so far.
    fn heard(&self) -> Vec<String> {
        let mut buffer = [0; 4096];
        let mut heard = self.heard.lock().unwrap();
        while let Ok(len) = self.socket.recv(&mut buffer) {
            heard.push(String::from_utf8(buffer[..len].to_vec()).unwrap());
        }
        heard.clone()
    }

    fn count(&self, state: &str) -> usize {
        self.heard().iter().filter(|heard| *heard == state).count()
    }

    async fn until(&self, what: &str, condition: impl Fn(&[String]) -> bool) {
        wait_until(what, Deadline::seconds(60), || async { Ok(condition(&self.heard()).then_some(())) })
            .await
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.heard()));
    }

    async fn until_told(&self, part: &str) {
        self.until(part, |heard| heard.iter().any(|state| state.contains(part))).await;
    }
}

/// Themes of its own, so that they can be changed.
fn own_themes(dir: &Path) -> std::path::PathBuf {
    let (themes, shipped) = (dir.join("themes"), Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/themes"));
    fs::create_dir(&themes).unwrap();
    for entry in fs::read_dir(shipped).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), themes.join(entry.file_name())).unwrap();
    }
    themes
}

/// Writes a line of the configuration anew, or adds it.
pub(super) fn set(daemon: &Daemon, key: &str, value: &str) {
    let text = fs::read_to_string(daemon.config()).unwrap();
    let others: String = text.lines().filter(|line| !line.starts_with(key)).map(|line| format!("{line}\n")).collect();
    fs::write(daemon.config(), format!("{others}{key} = {value}\n")).unwrap();
}

/// Adds a target whose one page never ends; returns its path.
async fn drip(daemon: &Daemon, name: &str) -> String {
    let path = format!("/slow/drip?{name}");
    let seed = format!("http://{}{path}", underworld().onion("hostile").unwrap());
    daemon.add_target("marketplace", name, &seed, &HASTE).await.unwrap();
    path
}

/// Waits until the hostile site was asked for a page so often.
async fn until_asked(path: &str, times: u64) {
    let site = underworld().sites.hostile();
    wait_until("the fetch is under way", Deadline::seconds(90), || async {
        Ok((site.requests(path) >= times).then_some(()))
    })
    .await
    .unwrap();
}

async fn titles(daemon: &Daemon) -> Vec<String> {
    let themes = daemon.get("/themes").await.unwrap();
    themes["themes"].as_array().unwrap().iter().map(|theme| theme["title"].as_str().unwrap().to_owned()).collect()
}

/// How a reload ended that the command line asked for, and what it said.
pub(super) async fn reload(daemon: &Daemon) -> (Option<i32>, Value, String) {
    let output = daemon.try_cli(&["--json", "reload"]).await.unwrap();
    let said = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), said, String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_and_a_reload_takes_what_is_good_and_keeps_what_is_bad() {
    let underworld = underworld();
    let dir = tempfile::tempdir().unwrap();
    let themes = own_themes(dir.path());
    let list = dir.path().join("blocked");
    fs::write(&list, "# nobody\n").unwrap();
    let settings = "crawl.requests_per_s = 0\nderive.index_after_ms = 200\n\
                    fetch.limits.idle_s = 300\nfetch.limits.total_s = 3600\n";
    let mut daemon = Daemon::prepare(dir.path(), &underworld.network.arti_config_file(), settings).await.unwrap();
    set(&daemon, "themes_dir", &format!("'{}'", themes.display()));
    let manager = Manager::over(&mut daemon, dir.path(), Duration::from_secs(8));
    daemon.start().await.unwrap();
    manager.until_told("READY=1").await;
    manager.until_told("Tor is ready").await;
    manager
        .until("every loop of the real daemon beats", |heard| {
            heard.iter().filter(|state| *state == "WATCHDOG=1").count() >= 5
        })
        .await;

    // Fetches that never end of themselves are under way all the while, each on circuits of its own.
    let mut drips = Vec::new();
    for name in ["reload-1", "reload-2", "reload-3"] {
        let path = drip(&daemon, name).await;
        until_asked(&path, 1).await;
        drips.push(path);
    }

    // By signal: what is good comes into force.
    let market = themes.join("marketplace.toml");
    let text = fs::read_to_string(&market).unwrap();
    let title = |title: &str| {
        let lines = text
            .lines()
            .map(|line| if line.starts_with("title") { format!("title = \"{title}\"") } else { line.to_owned() });
        fs::write(&market, lines.collect::<Vec<_>>().join("\n")).unwrap();
    };
    title("Renamed");
    daemon.signal("HUP").await.unwrap();
    manager
        .until("the reload is over", |heard| {
            let of = |state: &str| heard.iter().filter(|heard| *heard == state).count();
            of("RELOADING=1") == 1 && of("READY=1") == 2
        })
        .await;
    assert!(titles(&daemon).await.contains(&"Renamed".to_owned()));

    // By command, which waits: a bad file leaves the old one in force, and is named; what else is good is taken.
    fs::write(&market, "id = \"marketplace\"\ntitel = \"Wrong\"\n").unwrap();
    set(&daemon, "fetch.block_lists", &format!("['{}']", list.display()));
    set(&daemon, "crawl.burst", "3");
    let (code, said, problem) = reload(&daemon).await;
    assert_eq!(code, Some(3), "{said} {problem}");
    assert_eq!((manager.count("RELOADING=1"), manager.count("READY=1")), (2, 3), "told before the command returned");
    assert_eq!(said["restart"], serde_json::json!(["crawl.burst"]));
    assert!(said["kept"][0].as_str().unwrap().contains("marketplace.toml"), "{said}");
    assert!(problem.contains("marketplace.toml") && problem.contains("titel"), "{problem}");
    assert!(titles(&daemon).await.contains(&"Renamed".to_owned()), "the theme of before is in force");
    manager.until_told("old files stay in force").await;
    assert!(daemon.end_of_log().contains("what was in force before stays so"));

    // A configuration that is none, and a block list that is gone.
    title("Once more");
    let config = fs::read_to_string(daemon.config()).unwrap();
    fs::write(daemon.config(), format!("{config}\nnonsense = 1\n")).unwrap();
    daemon.signal("HUP").await.unwrap();
    manager
        .until("the third reload is over", |heard| heard.iter().filter(|state| *state == "READY=1").count() == 4)
        .await;
    assert!(titles(&daemon).await.contains(&"Once more".to_owned()));
    manager
        .until("the configuration is named", |heard| {
            heard.iter().any(|state| state.starts_with("STATUS=") && state.contains("nonsense"))
        })
        .await;
    fs::write(daemon.config(), &config).unwrap();
    fs::remove_file(&list).unwrap();
    let (code, said, _) = reload(&daemon).await;
    assert_eq!(code, Some(3), "{said}");
    fs::write(&list, "").unwrap();
    let (code, said, problem) = reload(&daemon).await;
    assert_eq!(code, Some(0), "{said} {problem}");

    // A circuit may die of itself, which is recorded; a fetch that is dropped is not, and is asked for once more.
    let recorded = daemon.captures("marketplace").await.unwrap();
    let in_flight = daemon.get("/status").await.unwrap()["crawl"]["in_flight"].as_u64().unwrap();
    let asked: u64 = drips.iter().map(|path| underworld.sites.hostile().requests(path)).sum();
    assert!(in_flight > 0, "every fetch has ended: {recorded:?}");
    assert!(in_flight + recorded.len() as u64 >= 3, "a fetch was dropped: {in_flight} go on, {recorded:?}");
    assert!(asked <= 3 + recorded.len() as u64, "a fetch was begun anew: asked {asked} times, {recorded:?}");
    daemon.stop().await.unwrap();
    manager.until_told("STOPPING=1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_captured_after_a_reload_names_the_configuration_of_then() {
    let underworld = underworld();
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("blocked");
    fs::write(&list, "").unwrap();
    let settings = "crawl.requests_per_s = 0\nderive.index_after_ms = 200\n";
    let mut daemon = Daemon::prepare(dir.path(), &underworld.network.arti_config_file(), settings).await.unwrap();
    daemon.start().await.unwrap();
    let page = |path: &str| format!("http://{}{path}", underworld.onion("hostile").unwrap());
    let digests = async |daemon: &Daemon, name: &str, path: &str| {
        daemon.add_target("marketplace", name, &page(path), &HASTE).await.unwrap();
        daemon.wait_until_idle(Deadline::seconds(120)).await.unwrap();
        let captures = daemon.captures("marketplace").await.unwrap();
        let seq = captures[0]["seq"].as_u64().unwrap();
        let capture = daemon.get(&format!("/themes/marketplace/captures/{seq}")).await.unwrap();
        capture["configuration"].as_str().unwrap().to_owned()
    };
    let before = digests(&daemon, "before", "/plain/before").await;
    let (code, _, _) = reload(&daemon).await;
    assert_eq!(code, Some(0));
    assert_eq!(digests(&daemon, "same", "/plain/same").await, before, "nothing has changed");
    set(&daemon, "fetch.block_lists", &format!("['{}']", list.display()));
    reload(&daemon).await;
    let after = digests(&daemon, "after", "/plain/after").await;
    assert_ne!(after, before);
    daemon.stop().await.unwrap();
    daemon.start().await.unwrap();
    assert_eq!(digests(&daemon, "started", "/plain/started").await, after, "a start and a reload come to the same");
    daemon.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soft_stop_waits_for_a_fetch_and_a_second_signal_does_not() {
    let underworld = underworld();
    let dir = tempfile::tempdir().unwrap();
    let settings = "crawl.requests_per_s = 0\ncrawl.drain_s = 3\nfetch.limits.total_s = 3600\n";
    let mut daemon = Daemon::prepare(dir.path(), &underworld.network.arti_config_file(), settings).await.unwrap();
    daemon.start().await.unwrap();
    let drip = drip(&daemon, "stop").await;
    until_asked(&drip, 1).await;
    let took = daemon.stop().await.unwrap();
    assert!(took >= Duration::from_secs(3), "the fetch had no time to end: {took:?}");

    // It is still owed, and a stop that is asked for twice leaves it so without a wait.
    fs::write(daemon.config(), fs::read_to_string(daemon.config()).unwrap().replace("drain_s = 3", "drain_s = 9"))
        .unwrap();
    daemon.start().await.unwrap();
    until_asked(&drip, 2).await;
    let count = daemon.end_of_log().matches("stopping").count();
    daemon.signal("TERM").await.unwrap();
    wait_until("the daemon begins to stop", Deadline::seconds(20), || async {
        Ok((daemon.end_of_log().matches("stopping").count() > count).then_some(()))
    })
    .await
    .unwrap();
    daemon.signal("TERM").await.unwrap();
    assert_eq!(daemon.ended().await.unwrap().code(), Some(1));
    assert!(daemon.end_of_log().contains("stopped at once, as asked a second time"), "{}", daemon.end_of_log());
    daemon.start().await.unwrap();
    until_asked(&drip, 3).await;
    daemon.cli_as(Person::Tester, &["verify"]).await.unwrap();
    daemon.kill().await.unwrap();
}

/// Under a journal the log is entries with fields, and nothing goes to standard error.
#[tokio::test(flavor = "multi_thread")]
async fn the_journal_gets_entries_with_fields() {
    let possible = std::process::Command::new("unshare").args(["--mount", "true"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        let why = b"\nSKIPPED: a journal beside the daemon, for want of the right to mount\n";
        std::io::stderr().lock().write_all(why).unwrap();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("journal");
    fs::create_dir(&journal).unwrap();
    let socket = tokio::net::UnixDatagram::bind(journal.join("socket")).unwrap();
    let entries: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
    let (heard, mut reader) = (Arc::clone(&entries), tokio::task::JoinSet::new());
    reader.spawn(async move {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(len) = socket.recv(&mut buffer).await {
            let entry = String::from_utf8_lossy(&buffer[..len]);
            heard.lock().unwrap().push(entry.lines().map(str::to_owned).collect());
        }
    });
    // The journal's own address, in a view of the file system that the daemon alone has.
    let view = format!(
        "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind '{}' /run/systemd/journal && exec \"$@\"",
        journal.display()
    );
    let under = ["unshare", "--mount", "sh", "-c", view.as_str(), "sh"];
    let config = underworld().network.arti_config_file();
    let mut daemon =
        Daemon::prepare_under(&under, dir.path(), &config, "log = 'info,arti_client=warn,tor_=warn'\n").await.unwrap();
    let errors = fs::File::create(daemon.log()).unwrap().metadata().unwrap();
    daemon.hand_over("JOURNAL_STREAM", &format!("{}:{}", errors.dev(), errors.ino()));
    daemon.start().await.unwrap();

    let told = async |event: &str| {
        let field = format!("NACHTWACHT_EVENT={event}");
        let found = || entries.lock().unwrap().iter().find(|entry| entry.contains(&field)).cloned();
        wait_until(&field, Deadline::seconds(20), || async { Ok(found()) }).await.unwrap()
    };
    let serving = told("serving").await;
    let version = format!("NACHTWACHT_VERSION={}", env!("CARGO_PKG_VERSION"));
    for line in ["PRIORITY=6", "SYSLOG_IDENTIFIER=nachtwacht", "TARGET=nachtwacht::serve", &version] {
        assert!(serving.iter().any(|field| field == line), "{line}: {serving:?}");
    }
    for name in ["MESSAGE=serving version=", "CODE_FILE=", "CODE_LINE=", "NACHTWACHT_SOCKET=/", "NACHTWACHT_TCP=["] {
        assert!(serving.iter().any(|field| field.starts_with(name)), "{name}: {serving:?}");
    }
    daemon.stop().await.unwrap();
    told("stopping").await;
    assert_eq!(fs::read_to_string(daemon.log()).unwrap(), "", "what the journal has is told twice");

    // A stream that is somebody else's means no journal: the lines are as ever.
    daemon.hand_over("JOURNAL_STREAM", "1:1");
    daemon.start().await.unwrap();
    assert!(daemon.end_of_log().contains("serving version="), "{}", daemon.end_of_log());
    daemon.stop().await.unwrap();
}

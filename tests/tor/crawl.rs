//! The daemon on the private network: what it captures, what it connects to, and what a kill costs.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::PermissionsExt as _,
};

use serde_json::Value;
use testnet::sites::Site;
use tests::{Daemon, PASSWORD, Person, expected_uris};
use tokio::process::Command;

use super::*;

const FAST: &str = "crawl.requests_per_s = 0\nderive.index_after_ms = 200\n";
const HASTE: [&str; 4] = ["--delay-ms", "0", "--concurrency", "8"];

/// How often each URI was captured, `robots.txt` aside.
fn counted(captures: &[Value]) -> BTreeMap<Uri, u32> {
    let mut counts = BTreeMap::new();
    for uri in captures.iter().map(|capture| capture["uri"].as_str().unwrap().parse::<Uri>().unwrap()) {
        if uri.path() != "/robots.txt" {
            *counts.entry(uri).or_default() += 1;
        }
    }
    counts
}

fn expect_each_once(site: &Site, captures: &[Value]) {
    let expected = expected_uris(site, underworld().onion(site.name()).unwrap()).unwrap();
    let counts = counted(captures);
    let captured: BTreeSet<Uri> = counts.keys().cloned().collect();
    let (missing, outside): (Vec<_>, Vec<_>) =
        (expected.difference(&captured).collect(), captured.difference(&expected).collect());
    assert!(missing.is_empty() && outside.is_empty(), "{}: missing {missing:?}, outside {outside:?}", site.name());
    let repeated: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(repeated.is_empty(), "{}: {repeated:?}", site.name());
}

/// The search finds what the captures say: all of them, and each site's by its target.
async fn expect_search_equals_captures(daemon: &Daemon, theme: &str) {
    let captures = daemon.captures(theme).await.unwrap();
    let mut found = BTreeSet::new();
    let mut after = String::new();
    loop {
        let page = daemon.get(&format!("/themes/{theme}/search?q=&sort=oldest&limit=100{after}")).await.unwrap();
        assert_eq!(page["total"].as_u64().unwrap(), captures.len() as u64, "{theme}");
        found.extend(
            page["hits"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hit| (hit["seq"].as_u64().unwrap(), hit["uri"].as_str().unwrap().to_owned())),
        );
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let expected: BTreeSet<_> = captures
        .iter()
        .map(|capture| (capture["seq"].as_u64().unwrap(), capture["uri"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(found, expected, "{theme}");
}

/// The remote ends of the TCP connections of a process, by `ss`.
async fn connections(pid: u32) -> BTreeSet<SocketAddr> {
    let output = Command::new("ss").args(["-Htnp"]).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let own = text.lines().filter(|line| line.contains(&format!("pid={pid},")));
    own.filter_map(|line| line.split_whitespace().nth(4)?.parse().ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn market_and_forum_are_captured_once_each_and_found() {
    let underworld = underworld();
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::prepare(dir.path(), &underworld.network.arti_config_file(), FAST).await.unwrap();
    daemon.start().await.unwrap();
    let (market, forum) = (underworld.sites.market(), underworld.sites.forum());
    let id = daemon.add_target("marketplace", "market", &underworld.seed("market").unwrap(), &HASTE).await.unwrap();
    daemon.add_target("cybercrime", "forum", &underworld.seed("forum").unwrap(), &HASTE).await.unwrap();

    let relays: BTreeSet<SocketAddr> = underworld.network.relay_addresses().into_iter().collect();
    let pid = daemon.pid().unwrap();
    let mut seen = BTreeSet::new();
    {
        let idle = daemon.wait_until_idle(Deadline::seconds(200));
        tokio::pin!(idle);
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        loop {
            tokio::select! {
                result = &mut idle => break result.unwrap(),
                _ = tick.tick() => seen.extend(connections(pid).await),
            }
        }
    }
    assert!(!seen.is_empty(), "ss shows no connection at all: the test sees nothing");
    let elsewhere: Vec<_> = seen.difference(&relays).collect();
    assert!(elsewhere.is_empty(), "connections that lead to no relay: {elsewhere:?}");

    for (site, theme) in [(market, "marketplace"), (forum, "cybercrime")] {
        let captures = daemon.captures(theme).await.unwrap();
        expect_each_once(site, &captures);
        assert!(
            captures
                .iter()
                .all(|capture| capture["outcome"] == "Ok" || capture["uri"].as_str().unwrap().ends_with("/robots.txt"))
        );
        let more: Vec<_> = site.pages().into_iter().filter(|page| site.requests(page) < 1).collect();
        assert!(more.is_empty(), "captured, and never asked for: {more:?}");
        expect_search_equals_captures(&daemon, theme).await;
    }
    let russian = daemon.get("/themes/cybercrime/search?q=lang:rus").await.unwrap();
    assert!(
        russian["total"].as_u64().unwrap() > 10,
        "the Russian boards are read, declared charset or not: {}",
        russian["total"]
    );
    let text = daemon.cli(&["search", "--theme", "marketplace", "vendor", "--limit", "2"]).await.unwrap();
    assert!(text.contains("captures match"), "{text}");
    let kept = daemon.cli(&["checkpoint", "sign"]).await.unwrap();
    let file = dir.path().join("kept.txt");
    std::fs::write(&file, format!("{}\n", kept.trim_end())).unwrap();
    expect_sound(&daemon, &["--against", file.to_str().unwrap()]).await;
    let proof = daemon.cli(&["capture", "proof", "marketplace/1"]).await.unwrap();
    assert!(proof.starts_with("c2sp.org/tlog-proof@v1\nindex "), "{proof}");
    expect_exports(&daemon, &id, dir.path()).await;
    expect_rules(&daemon, dir.path()).await;
    expect_health(&daemon, &underworld.onion("market").unwrap().to_string()).await;
    let pages = daemon.get("/themes/marketplace/search?limit=200&versions=latest").await.unwrap();
    let token = std::fs::read_to_string(daemon.token_file(Person::Tester)).unwrap();
    let stopped = daemon.stop().await.unwrap();
    assert!(stopped < Duration::from_secs(10), "{stopped:?}");
    expect_a_discreet_log(&std::fs::read_to_string(daemon.log()).unwrap(), &pages, token.trim());
    expect_sound(&daemon, &["--offline", "--quick", "--against", file.to_str().unwrap()]).await;
}

/// A market leaves the house, also in two goes, and the program for strangers accepts it with the keys that lie beside the checkpoints.
async fn expect_exports(daemon: &Daemon, target: &str, dir: &std::path::Path) {
    let count = daemon.captures("marketplace").await.unwrap().len();
    let keys = daemon.data().join("checkpoints/keys.txt");
    let verifier = tests::program().unwrap().with_file_name("nachtwacht-verify");
    for name in ["market.warc.gz", "market.wacz"] {
        let file = dir.join(name);
        let output = file.to_str().unwrap();
        let order = ["export", "--target", target, "--theme", "marketplace", "--purpose", "a test", "--output", output];
        let told: Value =
            serde_json::from_str(&daemon.cli(&[&["--json"], &order[..]].concat()).await.unwrap()).unwrap();
        let whole = std::fs::read(&file).unwrap();
        assert_eq!(told["digest"], model::Digest::of(&whole).to_string());
        assert!(!daemon.try_cli(&order).await.unwrap().status.success(), "a file that is there was written over");
        let resume = ["export", "--continue", told["export"].as_str().unwrap(), "--output", output];
        for kept in [0, 1, whole.len() / 2, whole.len()] {
            std::fs::write(&file, &whole[..kept]).unwrap();
            daemon.cli(&resume).await.unwrap();
            assert!(std::fs::read(&file).unwrap() == whole, "{name} from byte {kept}");
        }
        std::fs::write(&file, b"something else").unwrap();
        let refused = daemon.try_cli(&resume).await.unwrap();
        assert!(String::from_utf8_lossy(&refused.stderr).contains("does not begin as the export does"), "{refused:?}");
        std::fs::write(&file, &whole).unwrap();
        let report = Command::new(&verifier).arg("--json").arg("--key").arg(&keys).arg(&file).output().await.unwrap();
        let report = String::from_utf8(report.stdout).unwrap();
        let summary: Value = serde_json::from_str(report.lines().last().unwrap()).unwrap();
        assert_eq!((&summary["captures"], &summary["fails"]), (&count.into(), &0.into()), "{report}");
    }
}

/// Listings of one sort, by two versions of a rule.
const RESIN: &str = r#"
name = "resin"
why = "Resins are offered."
[[all]]
kind = ["listing"]
[[any]]
terms = ["resin"]
place = "listing.title"
weight = 2
[[any]]
field = "listing.price"
above = 0
currency = "EUR"
[[example]]
text = "Nothing"
kind = "listing"
flags = false
"#;

/// The starter sets are there, pages are read with the market's profile, and a new rule is scored on all that is stored, over the command line.
async fn expect_rules(daemon: &Daemon, dir: &std::path::Path) {
    let json = async |args: &[&str]| -> Value {
        serde_json::from_str(&daemon.cli(&[&["--json"], args].concat()).await.unwrap()).unwrap()
    };
    for (theme, noun) in [("marketplace", "indicators"), ("cybercrime", "indicators"), ("marketplace", "site")] {
        let rules = json(&[noun, "list", "--theme", theme]).await;
        assert!(!rules["rules"].as_array().unwrap().is_empty(), "{theme}: no starter set of {noun}");
    }
    let listings = daemon.get("/themes/marketplace/search?q=kind:listing&limit=1").await.unwrap();
    let seq = &listings["hits"][0]["seq"];
    let document = daemon.get(&format!("/themes/marketplace/captures/{seq}/document")).await.unwrap();
    assert_eq!(document["fields"]["profile"], serde_json::json!({ "name": "lantern-row", "matched": true }));

    let file = dir.join("resin.toml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, RESIN.replace("flags = false", "flags = true")).unwrap();
    assert!(
        !daemon.try_cli(&["indicators", "check", path]).await.unwrap().status.success(),
        "an example was not checked"
    );
    std::fs::write(&file, RESIN).unwrap();
    daemon.cli(&["indicators", "check", path]).await.unwrap();
    let trial = json(&["indicators", "test", "--theme", "marketplace", path, "--captures", "1000"]).await;
    let would = trial["trials"][0]["flagged"].as_u64().unwrap();
    assert!(would > 0 && Some(would) < listings["total"].as_u64(), "{would}: some prices are in euro");
    daemon.cli(&["indicators", "put", "--theme", "marketplace", path]).await.unwrap();
    wait_until("every page is looked at", Deadline::seconds(60), || async move {
        let shown = daemon.get("/themes/marketplace/indicators/resin").await?;
        Ok((shown["progress"]["up_to"] == shown["progress"]["of"]).then_some(shown))
    })
    .await
    .map(|shown| assert_eq!(shown["progress"]["flagged"], would))
    .unwrap();
    let first =
        json(&["search", "--theme", "marketplace", "--indicator", "resin", "title:resin", "--limit", "1"]).await;
    let capture = first["hits"][0]["capture"].as_str().unwrap();
    let found = daemon.cli(&["findings", capture]).await.unwrap();
    assert!(found.contains("Resins are offered.") && found.contains("listing.title"), "{found}");

    // Dearer by one word: what has no resin in its title ceases to be flagged.
    std::fs::write(&file, RESIN.replace("why =", "threshold = 3\nwhy =")).unwrap();
    daemon.cli(&["indicators", "put", "--theme", "marketplace", path]).await.unwrap();
    let report = wait_until("every page is looked at again", Deadline::seconds(60), || async move {
        let report = daemon.get("/themes/marketplace/indicators/resin/report").await?;
        Ok((report["up_to"] == report["of"]).then_some(report))
    })
    .await
    .unwrap();
    let count = |name: &str| report[name].as_u64().unwrap();
    assert!(count("unchanged") > 0 && count("ceased") > 0 && count("became") == 0, "{report}");
    assert_eq!(count("unchanged") + count("ceased"), would);

    let give = ["user", "give", "approver", "analyst", "--theme", "marketplace", "--qualification", "A second look."];
    daemon.cli(&[&give[..], &["--ends", "2099-01-01"]].concat()).await.unwrap();
    daemon.cli(&["label", "set", capture, "relevant", "--indicator", "resin"]).await.unwrap();
    let second = ["label", "set", capture, "unsure", "--indicator", "resin"];
    daemon.cli_as(Person::Approver, &second).await.unwrap();
    let labelled = json(&["search", "--theme", "marketplace", "--label", "relevant"]).await;
    assert_eq!((&labelled["total"], labelled["hits"][0]["capture"].as_str()), (&1.into(), Some(capture)));
    let agreement = json(&["label", "agreement", "--theme", "marketplace", "tester", "approver"]).await;
    assert_eq!((&agreement["both"], &agreement["alike"]), (&1.into(), &0.into()));
}

/// `nachtwacht verify` finds nothing wrong.
/// The log of a whole run holds no secret, and nothing of what pages say.
fn expect_a_discreet_log(log: &str, pages: &Value, token: &str) {
    assert!(log.lines().count() > 5, "{log}");
    let key = ["nw_", token, PASSWORD];
    let titles = pages["hits"].as_array().unwrap().iter().filter_map(|hit| hit["title"].as_str());
    let titles: BTreeSet<&str> = titles.filter(|title| title.chars().count() > 8).collect();
    assert!(titles.len() > 20, "{titles:?}");
    for secret in key.into_iter().chain(titles) {
        assert!(!log.contains(secret), "the log holds {secret:?}");
    }
}

/// What the doctor says of a daemon that works, and of one whose secrets lie open; with a Tor client of its own it comes to an onion service.
async fn expect_health(daemon: &Daemon, onion: &str) {
    let ask = async |args: &[&str]| {
        let output = daemon.try_cli_as(Person::Local, &[&["--json", "doctor"], args].concat()).await.unwrap();
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let verdicts: BTreeMap<String, String> = said["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| {
                (finding["what"].as_str().unwrap().to_owned(), finding["verdict"].as_str().unwrap().to_owned())
            })
            .collect();
        (output.status.success(), verdicts, said)
    };
    let (is_well, verdicts, said) = ask(&["--onion", onion]).await;
    for what in
        ["configuration", "themes", "permissions", "keys", "disk", "daemon", "approvers", "tor", "leaks", "circuit"]
    {
        assert_eq!(verdicts[what], "ok", "{said}");
    }
    assert!(is_well);
    let key = daemon.data().join("credentials").join("log-key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (is_well, verdicts, said) = ask(&[]).await;
    assert!(!is_well && verdicts["permissions"] == "WRONG", "{said}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
}

async fn expect_sound(daemon: &Daemon, args: &[&str]) {
    let answer = daemon.cli(&[&["--json", "verify"], args].concat()).await.unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["report"]["problems"], 0, "{answer}");
    assert!(answer["report"]["captures"].as_u64() > Some(0), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_bridge_nothing_else_is_connected_to() {
    let underworld = underworld();
    let bridge = underworld.network.bridge().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let settings = format!("{FAST}fetch.tor.bridges = ['{bridge}']\n");
    let mut daemon = Daemon::prepare(dir.path(), &underworld.network.arti_config_file(), &settings).await.unwrap();
    daemon.start().await.unwrap();
    daemon.add_target("marketplace", "market", &underworld.seed("market").unwrap(), &HASTE).await.unwrap();
    let pid = daemon.pid().unwrap();
    let seen = std::sync::Mutex::new(BTreeSet::new());
    let pages = wait_until("twenty pages come through the bridge", Deadline::seconds(120), || async {
        let now = connections(pid).await;
        seen.lock().unwrap().extend(now);
        let captures = daemon.captures("marketplace").await?;
        let pages = captures.iter().filter(|capture| capture["outcome"] == "Ok").count();
        Ok((pages >= 20).then_some(pages))
    });
    pages.await.unwrap();
    let address: SocketAddr = bridge.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(seen.into_inner().unwrap(), BTreeSet::from([address]));
    daemon.stop().await.unwrap();
}

/// Rounds of `kill -9` at random moments: the set of captured pages is complete in the end, and search equals the captures.
#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_a_page() {
    const WORKERS: u64 = 8;
    let rounds: u64 = if std::env::var("NACHTWACHT_FULL").is_ok_and(|full| full == "1") { 30 } else { 10 };
    let underworld = underworld();
    let mirror = underworld.sites.mirror();
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::prepare(dir.path(), &underworld.network.arti_config_file(), FAST).await.unwrap();
    daemon.start().await.unwrap();
    daemon.add_target("marketplace", "mirror", &underworld.seed("mirror").unwrap(), &HASTE).await.unwrap();
    let before: u64 = mirror.pages().iter().map(|page| mirror.requests(page)).sum();
    for round in 0..rounds {
        // Some captures further, and then at a moment that nobody chose.
        let captured = daemon.captures("marketplace").await.unwrap().len();
        let progress = || async {
            let crawl = &daemon.get("/status").await?["crawl"];
            let is_done = crawl["targets"][0]["is_idle"] == true && captured >= mirror.pages().len();
            Ok((is_done || crawl["captures"].as_u64() >= Some(5 + round % 8)).then_some(()))
        };
        let _ = wait_until("some more captures", Deadline::seconds(30), progress).await;
        let chance = u64::from(
            std::time::Duration::from_nanos(u64::from(std::process::id()) * 7_919 * (round + 1)).subsec_nanos() % 300,
        );
        tokio::time::sleep(Duration::from_millis(chance)).await;
        daemon.kill().await.unwrap();
        daemon.start().await.unwrap();
        assert!(
            daemon.captures("marketplace").await.unwrap().len() >= captured,
            "a capture that was acknowledged is gone"
        );
    }
    daemon.wait_until_idle(Deadline::seconds(200)).await.unwrap();
    expect_each_once(mirror, &daemon.captures("marketplace").await.unwrap());
    expect_search_equals_captures(&daemon, "marketplace").await;
    expect_sound(&daemon, &[]).await;
    let requests: u64 = mirror.pages().iter().map(|page| mirror.requests(page)).sum::<u64>() - before;
    let pages = mirror.pages().len() as u64;
    // What was fetched and not acknowledged is fetched again: what the workers hold, and one group that waits for its sync.
    let most = WORKERS + store::Config::default().group_size as u64;
    assert!(requests <= pages + rounds * most, "{requests} requests for {pages} pages and {rounds} kills");
    daemon.stop().await.unwrap();
}

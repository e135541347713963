//! A network namespace whose only device is the loopback, in which every address answers and every packet of the daemon is counted.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

/// The group that the daemon runs in, and nobody else: by it nftables tells its packets from those of relays and sites.
pub(crate) const GROUP: &str = "61234";

/// The address of the resolver that `resolv.conf` names within.
pub(crate) const RESOLVER: &str = "192.0.2.53";

/// How the loopback becomes the whole world: whatever is sent arrives here, also what is for everybody at once.
const WORLD: &[&str] = &[
    "ip link set lo up multicast on",
    // Who has no address but the loopback's asks no resolver (getaddrinfo(3), AI_ADDRCONFIG).
    "ip address add 192.0.2.2/32 dev lo",
    "ip address add 2001:db8::2/128 dev lo nodad",
    "ip route add local default dev lo",
    "ip -6 route add local default dev lo",
    "ip route add multicast 224.0.0.0/4 dev lo src 127.0.0.1 table local",
    "ip route add broadcast 255.255.255.255 dev lo src 127.0.0.1 table local",
    "ip -6 route add multicast ff00::/8 dev lo table local",
    // Anybody may send echo requests, so that a ping can show that they are counted.
    "sysctl -qw net.ipv4.ping_group_range=0\t2147483647",
];

/// Furnishes the namespace that this process was started in. Fails where it is not one that was made for this.
pub(crate) fn enter(dir: &Path) -> anyhow::Result<()> {
    let devices = fs::read_to_string("/proc/net/dev")?;
    let devices: Vec<&str> = devices.lines().skip(2).filter_map(|line| line.trim().split(':').next()).collect();
    ensure!(devices == ["lo"], "only for a network namespace of its own: here are {devices:?}");
    for step in WORLD {
        run(&step.split(' ').collect::<Vec<_>>(), "")?;
    }
    let resolv = dir.join("resolv.conf");
    fs::write(&resolv, format!("nameserver {RESOLVER}\n"))?;
    let resolv = resolv.to_str().context("a path that is no text")?;
    run(&["mount", "--bind", resolv, "/etc/resolv.conf"], "").map(drop)
}

/// From now on counts what leads to none of `relays`.
pub(crate) fn count_all_but(relays: &[SocketAddr]) -> anyhow::Result<()> {
    let relays: Vec<String> = relays.iter().map(|relay| format!("{} . {}", relay.ip(), relay.port())).collect();
    let rules = include_str!("rules.nft").replace("RELAYS", &relays.join(", ")).replace("GROUP", GROUP);
    run(&["nft", "-f", "-"], &rules).map(drop)
}

/// How many packets each counter has counted.
pub(crate) fn counts() -> anyhow::Result<BTreeMap<String, u64>> {
    let listed: serde_json::Value = serde_json::from_str(&run(&["nft", "-j", "list", "counters"], "")?)?;
    let counters = listed["nftables"].as_array().context("no list of counters")?.iter();
    let counts: BTreeMap<String, u64> = counters
        .filter_map(|entry| {
            let counter = &entry["counter"];
            Some((counter["name"].as_str()?.to_owned(), counter["packets"].as_u64()?))
        })
        .collect();
    ensure!(counts.contains_key("elsewhere"), "the counters are gone: {listed}");
    Ok(counts)
}

/// What was counted of packets that lead to no relay; empty where there were none.
pub(crate) fn leaks() -> anyhow::Result<BTreeMap<String, u64>> {
    Ok(counts()?.into_iter().filter(|(name, count)| name != "relays" && *count > 0).collect())
}

/// Sets every counter to zero.
pub(crate) fn forget() -> anyhow::Result<()> {
    run(&["nft", "reset", "counters"], "").map(drop)
}

/// Makes every relay unreachable for the daemon, also over connections that are open.
pub(crate) fn stop_tor() -> anyhow::Result<()> {
    run(&["nft", "add", "rule", "inet", "quarantine", "to_relay", "reject", "with", "tcp", "reset"], "").map(drop)
}

/// Lets the daemon reach the relays again.
pub(crate) fn start_tor() -> anyhow::Result<()> {
    let again = "flush chain inet quarantine to_relay\nadd rule inet quarantine to_relay counter name relays\n";
    run(&["nft", "-f", "-"], again).map(drop)
}

/// Runs a program to its end; returns what it said, and fails when it does.
fn run(command: &[&str], input: &str) -> anyhow::Result<String> {
    let (program, args) = command.split_first().context("an empty command")?;
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program} does not run: scripts/prepare installs it"))?;
    child.stdin.take().context("no standard input")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

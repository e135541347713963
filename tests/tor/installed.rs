//! The package on a clean Debian under its own systemd: installed, at work, reloaded, upgraded, removed. Only in `scripts/test --full`, which makes
//! package and Debian.

use std::{env, fs, io::Write as _, path::PathBuf};

use tests::Daemon;

use super::*;
use crate::appliance::{machine::Machine, unit};

const HASTE: [&str; 4] = ["--delay-ms", "0", "--concurrency", "8"];

/// What `scripts/test --full` made: a clean Debian, the package, and one of a later version. None elsewhere, and then it says so.
fn made() -> Option<[PathBuf; 3]> {
    let names = ["NACHTWACHT_DEBIAN", "NACHTWACHT_DEB", "NACHTWACHT_NEXT_DEB"];
    let paths = names.map(|name| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from));
    let [Some(debian), Some(package), Some(next)] = paths else {
        let said = "\nSKIPPED: the package is not installed anywhere: `scripts/test --full` does that\n";
        std::io::stderr().lock().write_all(said.as_bytes()).unwrap();
        return None;
    };
    Some([debian, package, next])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_installs_crawls_reloads_upgrades_and_goes() {
    let Some([debian, package, next]) = made() else { return };
    let underworld = underworld();
    let dir = tempfile::tempdir().unwrap();
    let shared = dir.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::create_dir(shared.join("next")).unwrap();
    for (from, to) in [(&package, shared.clone()), (&next, shared.join("next"))] {
        fs::copy(from, to.join(from.file_name().unwrap())).unwrap();
    }
    fs::copy(underworld.network.arti_config_file(), shared.join("arti.toml")).unwrap();
    let machine = Machine::boot(&debian, dir.path(), &[&shared]).await.unwrap();
    let own = |name: &str| shared.join(name).display().to_string();

    // The real network is never dialled: the private one is named before the package starts anything.
    machine.run("mkdir -p /etc/nachtwacht/nachtwacht.d").unwrap();
    // A clock of its own would only be in the way.
    machine.run("echo 'APT::Install-Recommends \"false\";' >/etc/apt/apt.conf.d/99-test").unwrap();
    let settings = "fetch.tor.network_config = '/etc/nachtwacht/arti.toml'\ncrawl.requests_per_s = 0\nlisten.tcp = ['127.0.0.1:0']\nderive.index_after_ms = 200\n";
    fs::write(shared.join("50-test.toml"), settings).unwrap();
    machine
        .run(&format!(
            "install -m 644 {} /etc/nachtwacht/nachtwacht.d/; install -m 644 {} /etc/nachtwacht/",
            own("50-test.toml"),
            own("arti.toml")
        ))
        .unwrap();
    follow("Install", &machine, &shared);
    assert_eq!(machine.run("systemd-analyze verify --man=no nachtwacht.service 2>&1").unwrap(), "");
    machine.run("systemctl is-enabled nachtwacht").unwrap();
    let active = async || {
        wait_until("the service runs", Deadline::seconds(120), || async {
            Ok((machine.try_run("systemctl is-active nachtwacht")?.stdout == b"active\n").then_some(()))
        })
        .await
        .unwrap_or_else(|error| panic!("{error}: {}", journal(&machine)));
    };
    active().await;
    expect_restricted(&machine);
    expect_relays_anywhere(&machine, &shared);

    let daemon = daemon(&machine, &shared).await;
    follow("Log in", &machine, &shared);
    let target = daemon.add_target("marketplace", "market", &underworld.seed("market").unwrap(), &HASTE).await.unwrap();
    daemon.wait_until_idle(Deadline::seconds(300)).await.unwrap();
    let captures = daemon.captures("marketplace").await.unwrap();
    let market = underworld.sites.market();
    let expected = tests::expected_uris(market, underworld.onion("market").unwrap()).unwrap();
    let captured: std::collections::BTreeSet<Uri> =
        captures.iter().map(|capture| capture["uri"].as_str().unwrap().parse().unwrap()).collect();
    assert!(
        expected.is_subset(&captured),
        "{} of {} pages under the unit's restrictions",
        captured.len(),
        expected.len()
    );
    // The journal keeps the fields of what the daemon tells, each under its own name.
    let entries =
        machine.run("journalctl --no-pager --unit=nachtwacht --output=json NACHTWACHT_EVENT=serving").unwrap();
    for field in ["\"NACHTWACHT_SOCKET\"", "\"NACHTWACHT_VERSION\"", "\"CODE_LINE\""] {
        assert!(entries.contains(field), "{field}: {entries}");
    }
    let log = journal(&machine);
    assert!(!log.contains("keeps its priority"), "the analysis may not give way: {log}");

    // A reload waits, and one that fails says so and leaves the service at work.
    follow("Reload", &machine, &shared);
    active().await;
    machine.run("cp /etc/nachtwacht/themes/marketplace.toml /root/; echo nonsense >>/etc/nachtwacht/themes/marketplace.toml").unwrap();
    assert!(!machine.try_run("systemctl reload nachtwacht").unwrap().status.success());
    let status = machine.run("systemctl show --property=ActiveState,StatusText nachtwacht").unwrap();
    assert!(status.contains("ActiveState=active") && status.contains("marketplace.toml"), "{status}");
    machine.run("cp /root/marketplace.toml /etc/nachtwacht/themes/; systemctl reload nachtwacht").unwrap();

    expect_the_watchdog_to_bite(&machine).await;
    active().await;

    // What an administrator changed stays, and so does the evidence.
    machine.run("sed -i 's/^title = .*/title = \"Our own\"/' /etc/nachtwacht/themes/marketplace.toml").unwrap();
    let before = machine.run("dpkg-query -W -f '${Version}' nachtwacht").unwrap();
    follow("Upgrade", &machine, &shared);
    active().await;
    assert_ne!(machine.run("dpkg-query -W -f '${Version}' nachtwacht").unwrap(), before);
    let after = wait_until("the API answers", Deadline::seconds(60), || async {
        Ok(daemon.captures("marketplace").await.ok())
    })
    .await
    .unwrap();
    assert_eq!(after, captures, "the upgrade changed what was captured");
    assert!(machine.run("cat /etc/nachtwacht/themes/marketplace.toml").unwrap().contains("Our own"));
    daemon.cli(&["verify"]).await.unwrap();
    daemon.cli(&["target", "show", "marketplace", &target]).await.unwrap();

    let commands = commands("Remove");
    let [remove, purge] = &commands[..] else { panic!("{commands:?}") };
    machine.run(remove).unwrap();
    assert!(!machine.try_run("systemctl is-active nachtwacht").unwrap().status.success());
    machine
        .run("test ! -e /usr/bin/nachtwacht && test -e /etc/nachtwacht/themes/marketplace.toml && test -d /var/lib/nachtwacht/store")
        .unwrap();
    machine.run(purge).unwrap();
    machine.run("test ! -e /etc/nachtwacht/themes && test ! -e /usr/lib/systemd/system/nachtwacht.service").unwrap();
    machine.run("test -d /var/lib/nachtwacht/store").unwrap_or_else(|error| panic!("evidence went unasked: {error}"));

    // Whoever wants it gone says so.
    machine
        .run(&format!(
            "mkdir -p /etc/nachtwacht/nachtwacht.d; cp {} /etc/nachtwacht/nachtwacht.d/; cp {} /etc/nachtwacht/",
            own("50-test.toml"),
            own("arti.toml")
        ))
        .unwrap();
    machine.run(&format!("dpkg --install {}", own(package.file_name().unwrap().to_str().unwrap()))).unwrap();
    active().await;
    assert!(!machine.run("ls /var/lib/nachtwacht/store").unwrap().is_empty());
    machine
        .run("echo 'nachtwacht nachtwacht/purge-data boolean true' | debconf-set-selections; dpkg --purge nachtwacht")
        .unwrap();
    machine.run("test ! -e /var/lib/nachtwacht").unwrap();
}

/// The commands that `docs/install.md` gives under a heading.
fn commands(heading: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/install.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with(&format!("{heading}\n"))).unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

/// Does what `docs/install.md` says under a heading, where the packages lie.
fn follow(heading: &str, machine: &Machine, shared: &std::path::Path) {
    let commands = commands(heading);
    assert!(!commands.is_empty(), "{heading}");
    for command in commands {
        machine
            .run(&format!("cd {} && {command}", shared.display()))
            .unwrap_or_else(|error| panic!("{error}: {}", journal(machine)));
    }
}

fn journal(machine: &Machine) -> String {
    machine
        .run("journalctl --no-pager --lines=60 --unit=nachtwacht; systemctl status --no-pager nachtwacht || true")
        .unwrap()
}

/// The daemon of the package, as the tests know daemons.
async fn daemon(machine: &Machine, shared: &std::path::Path) -> Daemon {
    let program = shared.join("nachtwacht");
    fs::write(&program, format!("#!/bin/sh\nexec {} /usr/bin/nachtwacht \"$@\"\n", machine.within())).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(machine.path("/run/nachtwacht/api.sock"), shared.join("api.sock")).unwrap();
    std::os::unix::fs::symlink("/etc/nachtwacht/nachtwacht.toml", shared.join("nachtwacht.toml")).unwrap();
    let told = machine.run("cat /var/lib/nachtwacht/first-passwords").unwrap();
    let line = told.lines().find(|line| line.contains("approver")).unwrap_or_else(|| panic!("no approver in {told:?}"));
    Daemon::attach(&program, shared, line.split_whitespace().last().unwrap()).await.unwrap()
}

/// The running service has nothing that its unit takes away.
fn expect_restricted(machine: &Machine) {
    let pid = machine.run("systemctl show --value --property=MainPID nachtwacht").unwrap();
    let pid = pid.trim();
    let status = machine.run(&format!("cat /proc/{pid}/status")).unwrap();
    for line in ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(line), "{line}: {status}");
    }
    assert!(!status.contains("Uid:\t0"), "{status}");
    let inside = |line: &str| machine.try_run(&format!("nsenter --target {pid} --mount -- {line}")).unwrap();
    assert!(!inside("touch /usr/x").status.success() && !inside("touch /etc/x").status.success());
    assert!(inside("touch /var/lib/nachtwacht/x").status.success(), "its own directory");
    assert!(!inside("test -e /dev/mem").status.success() && !inside("test -e /dev/kmsg").status.success());
}

/// Under the unit's own restrictions an address that is not of 127/8 can be reached: relays are anywhere.
fn expect_relays_anywhere(machine: &Machine, shared: &std::path::Path) {
    let addresses = std::process::Command::new("hostname").arg("-I").output().unwrap().stdout;
    let addresses = String::from_utf8(addresses).unwrap();
    let Some(address) =
        addresses.split_whitespace().find(|address| !address.starts_with("127.") && !address.contains(':'))
    else {
        panic!("this machine has no address but that of its loopback: nothing can be shown here");
    };
    let listener = std::net::TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let probe = |more: &str| {
        let dial = format!("ExecStart=/bin/bash -c 'exec 3<>/dev/tcp/{address}/{port}'");
        let unit = unit();
        let lines = unit.lines().map(|line| match line.split_once('=') {
            Some(("ExecStart", _)) => dial.clone(),
            Some(("Type", _)) => "Type=oneshot".to_owned(),
            Some((
                "Restart" | "ExecReload" | "WatchdogSec" | "RuntimeDirectory" | "NotifyAccess" | "RestartSec",
                _,
            )) => String::new(),
            _ => line.to_owned(),
        });
        let text = lines.collect::<Vec<_>>().join("\n").replace("[Install]", &format!("{more}\n[Install]"));
        fs::write(shared.join("probe.service"), text).unwrap();
        machine
            .run(&format!(
                "cp {} /run/systemd/system/; systemctl daemon-reload",
                shared.join("probe.service").display()
            ))
            .unwrap();
        machine.try_run("systemctl start probe; systemctl show --value --property=Result probe").unwrap()
    };
    assert_eq!(probe("").stdout, b"success\n");
    assert_ne!(probe("RestrictAddressFamilies=~AF_INET").stdout, b"success\n", "the probe dials nothing");
}

/// A daemon that does not turn is killed, and started again.
async fn expect_the_watchdog_to_bite(machine: &Machine) {
    machine
        .run("mkdir -p /run/systemd/system/nachtwacht.service.d; printf '[Service]\\nWatchdogSec=4\\nTimeoutAbortSec=2\\n' >/run/systemd/system/nachtwacht.service.d/quick.conf; systemctl daemon-reload; systemctl restart nachtwacht")
        .unwrap();
    let pid = || machine.run("systemctl show --value --property=MainPID nachtwacht").map(|pid| pid.trim().to_owned());
    let before = pid().unwrap();
    machine.run(&format!("kill -STOP {before}")).unwrap();
    wait_until("the watchdog bites", Deadline::seconds(60), || async {
        let now = pid()?;
        Ok((now != before && now != "0").then_some(()))
    })
    .await
    .unwrap_or_else(|error| panic!("{error}: {}", journal(machine)));
    assert!(journal(machine).contains("Watchdog timeout"), "{}", journal(machine));
    machine
        .run("rm -r /run/systemd/system/nachtwacht.service.d; systemctl daemon-reload; systemctl restart nachtwacht")
        .unwrap();
}

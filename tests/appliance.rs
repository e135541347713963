//! What is installed: the unit, as systemd itself judges it.

pub(crate) mod machine;

use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// The unit, as it ships.
pub(crate) fn unit() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/nachtwacht.service")).unwrap()
}

/// What `systemd-analyze` says of a unit, on both its outputs, and whether it is content.
fn analyze(args: &[&str], unit: &str) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nachtwacht.service");
    // The program lies where it was built, and nothing is installed.
    fs::write(&path, unit.replace("/usr/bin/nachtwacht", tests::program().unwrap().to_str().unwrap())).unwrap();
    let output = Command::new("systemd-analyze").args(args).arg(&path).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn systemd_has_nothing_to_say_about_the_unit() {
    let verify = |unit: &str| analyze(&["verify", "--man=no"], unit);
    assert_eq!(verify(&unit()), (true, String::new()));
    let (_, said) = verify(&unit().replace("Type=notify", "Type=notify-reload\nRestartSteps=5"));
    assert!(
        said.contains("notify-reload") && said.contains("RestartSteps"),
        "a unit for a later systemd goes by: {said}"
    );
}

#[test]
fn the_sandbox_is_as_tight_as_it_can_be() {
    let judge = |unit: &str| analyze(&["security", "--offline=yes", "--threshold=15", "--no-pager"], unit);
    let (is_tight, said) = judge(&unit());
    assert!(is_tight, "{said}");
    let (is_tight, said) = judge(&unit().replace("SystemCallFilter=", "#"));
    assert!(!is_tight, "the threshold lets everything by: {said}");
}

/// The settings of a unit that keep a service from an address, be it one of this machine or not.
fn limits_on_addresses(unit: &str) -> Vec<&str> {
    let names = [
        "IPAddressDeny",
        "IPAddressAllow",
        "IPIngressFilterPath",
        "IPEgressFilterPath",
        "BPFProgram",
        "NFTSet",
        "PrivateNetwork",
        "NetworkNamespacePath",
        "JoinsNamespaceOf",
        "RestrictNetworkInterfaces",
        "SocketBindDeny",
    ];
    let settings = unit.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim());
    settings.filter(|name| names.contains(name)).collect()
}

#[test]
fn relays_anywhere_may_be_reached() {
    let unit = unit();
    assert_eq!(limits_on_addresses(&unit), [""; 0]);
    let families = unit.lines().find_map(|line| line.strip_prefix("RestrictAddressFamilies=")).unwrap();
    let families: Vec<&str> = families.split_whitespace().collect();
    assert!(families.contains(&"AF_INET") && families.contains(&"AF_INET6"), "{families:?}");
    let walled = unit.replace("NoNewPrivileges=yes", "IPAddressDeny=any\nIPAddressAllow=localhost");
    assert_eq!(limits_on_addresses(&walled), ["IPAddressDeny", "IPAddressAllow"]);
}

#[test]
fn the_unit_says_what_was_agreed() {
    let unit = unit();
    let mut settings: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in unit.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')) {
        settings.entry(name).or_default().push(value);
    }
    for (name, value) in [
        ("Type", "notify"),
        ("ExecReload", "/usr/bin/nachtwacht reload"),
        ("User", "nachtwacht"),
        ("StateDirectory", "nachtwacht"),
        ("ProtectSystem", "strict"),
        ("PrivateDevices", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("SystemCallErrorNumber", "EPERM"),
        ("CapabilityBoundingSet", ""),
        ("StartLimitIntervalSec", "0"),
        ("Restart", "on-failure"),
    ] {
        assert_eq!(settings.get(name).map(Vec::as_slice), Some(&[value][..]), "{name}");
    }
    for name in ["WatchdogSec", "MemoryMax", "TasksMax", "LimitNOFILE", "RestartSec"] {
        assert_eq!(settings.get(name).map(Vec::len), Some(1), "{name}");
    }
    assert_eq!(settings["LoadCredential"].len(), 4);
    // The clock is not set from here: neither call is in the filter that systemd knows as @system-service.
    assert!(!unit.contains("adjtimex") && !unit.contains("@clock"));
}

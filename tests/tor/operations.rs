//! The commands of `docs/operations.md`, as they stand there: a backup and the way back, and another key for the log.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use tests::{Daemon, Person};
use tokio::process::Command;

use super::{service::HASTE, *};

const DOCUMENT: &str = include_str!("../../docs/operations.md");

/// The blocks of commands under a heading that an administrator runs.
fn blocks(heading: &str) -> Vec<&str> {
    let section = DOCUMENT.split("\n## ").find(|section| section.starts_with(&format!("{heading}\n"))).unwrap();
    let blocks = section.split("\n```sh administrator").skip(1).map(|block| block.split("\n```").next().unwrap());
    blocks.map(|block| block.split_once('\n').unwrap().1).collect()
}

/// The machine that the commands are for, as far as they know: its directories are those of the test, and its service is the test's daemon.
struct Machine {
    dir: tempfile::TempDir,
    daemon: Daemon,
}

impl Machine {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["bin", "backup", "safe"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let settings = "crawl.requests_per_s = 0\nderive.index_after_ms = 200\n";
        let config = underworld().network.arti_config_file();
        let mut daemon = Daemon::prepare(&dir.path().join("house"), &config, settings).await.unwrap();
        daemon.start().await.unwrap();
        let nachtwacht = format!(
            "exec {} --config {} --token-file {} \"$@\"",
            tests::program().unwrap().display(),
            daemon.config().display(),
            daemon.token_file(Person::Tester).display()
        );
        // The service is started and stopped by the test, which reads what was asked for; nobody else than root is there.
        let said = dir.path().join("systemctl");
        let systemctl = format!("echo \"$1\" >>'{}'; exit 0", said.display());
        for (name, script) in [
            ("nachtwacht", nachtwacht.as_str()),
            ("systemctl", systemctl.as_str()),
            ("runuser", "shift 3; exec \"$@\""),
            ("chown", "exit 0"),
        ] {
            let path = dir.path().join("bin").join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { dir, daemon }
    }

    /// Runs a block line by line; the service is stopped and started where the block says so.
    async fn run(&mut self, block: &str) {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        let block = block
            .replace("/var/lib/nachtwacht", &self.daemon.data().display().to_string())
            .replace("/mnt/backup", &path("backup"))
            .replace("/mnt/safe", &path("safe"));
        let (known, said) = (self.dir.path().join("known"), self.dir.path().join("systemctl"));
        let search = format!("{}:{}", path("bin"), std::env::var("PATH").unwrap());
        for line in block.lines() {
            let known = known.display();
            let script =
                format!("[ -e {known} ] && . {known}\n{line}\ndeclare -p NAME SIZE 2>/dev/null >{known} || true\n");
            let output = Command::new("bash")
                .args(["-euo", "pipefail", "-c", &script])
                .env("PATH", &search)
                .output()
                .await
                .unwrap();
            let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            // A doctor may find this machine's own disk and clock wanting.
            assert!(output.status.success() || line == "nachtwacht doctor", "{line}\n{}\n{}", text[0], text[1]);
            let asked = fs::read_to_string(&said).unwrap_or_default();
            let _ = fs::remove_file(&said);
            match asked.trim() {
                "stop" => drop(self.daemon.stop().await.unwrap()),
                "start" => self.daemon.start().await.unwrap(),
                other => assert_eq!(other, ""),
            }
        }
    }

    async fn crawl(&self, name: &str, expect: usize) {
        let page = format!("http://{}/plain/{name}", underworld().onion("hostile").unwrap());
        self.daemon.add_target("marketplace", name, &page, &HASTE).await.unwrap();
        self.daemon.wait_until_idle(Deadline::seconds(120)).await.unwrap();
        assert!(self.captures().await.len() >= expect);
    }

    async fn captures(&self) -> Vec<serde_json::Value> {
        self.daemon.captures("marketplace").await.unwrap()
    }
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap().lines().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_comes_back_as_it_is_told() {
    let mut machine = Machine::start().await;
    machine.crawl("kept", 1).await;
    let kept = machine.captures().await;
    for block in [blocks("Disk full"), blocks("Backup")].concat() {
        machine.run(block).await;
    }
    machine.crawl("lost", kept.len() + 1).await;
    let steps = blocks("Restore");
    assert_eq!(steps.len(), 3);
    for block in steps {
        machine.run(block).await;
    }
    assert_eq!(machine.captures().await, kept);
    // It is at work again, and searches find what came back.
    machine.daemon.wait_until_idle(Deadline::seconds(120)).await.unwrap();
    machine.daemon.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_gets_another_key_as_it_is_told_and_keeps_its_name() {
    let mut machine = Machine::start().await;
    machine.crawl("page", 1).await;
    let keys = machine.daemon.data().join("checkpoints/keys.txt");
    let steps = blocks("A lost or stolen log key");
    let [lost, stolen, renew, check] = &steps[..] else { panic!("{steps:?}") };
    for (first, count) in [(stolen, 2), (lost, 3)] {
        machine.run(first).await;
        machine.run(renew).await;
        machine.run(check).await;
        assert_eq!(lines(&keys), count);
        let text = fs::read_to_string(&keys).unwrap();
        let names: std::collections::BTreeSet<&str> = text.lines().filter_map(|key| key.split('+').next()).collect();
        assert_eq!(names.len(), 1, "{text}");
    }
    // What the first key signed is still a part of the log.
    let old = machine.dir.path().join("safe/last-of-the-old-key");
    machine.daemon.cli(&["verify", "--against", old.to_str().unwrap()]).await.unwrap();
    machine.daemon.stop().await.unwrap();
}

//! The commands of `docs/first-day.md`, as they stand there.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use tests::{Daemon, Person, built};
use tokio::process::Command;

use super::*;

const DOCUMENT: &str = include_str!("../../docs/first-day.md");

/// A block of commands: who runs it, whether they wait for the crawl first, and the commands.
fn blocks() -> Vec<(String, bool, String)> {
    let blocks = DOCUMENT.split("\n```sh ").skip(1).map(|block| block.split("\n```").next().unwrap());
    let read = |block: &str| {
        let (head, commands) = block.split_once('\n').unwrap();
        let (who, waits) = head.split_once(' ').map_or((head, false), |(who, rest)| (who, rest == "wait"));
        (who.to_owned(), waits, commands.to_owned())
    };
    blocks.map(read).collect()
}

fn person(name: &str) -> Person {
    match name {
        "administrator" | "expert" => Person::Local,
        "approver" => Person::Approver,
        "analyst" | "auditor" => Person::Tester,
        other => panic!("the document has a block for {other}"),
    }
}

/// Puts the programs where a shell finds them; `nachtwacht` with the configuration of the test.
fn shims(dir: &Path, daemon: &Daemon) {
    let verify = built("nachtwacht-verify").unwrap();
    std::os::unix::fs::symlink(verify, dir.join("nachtwacht-verify")).unwrap();
    let program = tests::program().unwrap();
    let script = format!(
        "#!/bin/sh\nexec {} --config {} --token-file \"$TOKEN_FILE\" \"$@\"\n",
        program.display(),
        daemon.config().display()
    );
    let path = dir.join("nachtwacht");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_day_goes_as_it_is_told() {
    let underworld = underworld();
    let dir = tempfile::tempdir().unwrap();
    let settings = "crawl.requests_per_s = 0\nderive.index_after_ms = 200\n";
    let mut daemon = Daemon::prepare(dir.path(), &underworld.network.arti_config_file(), settings).await.unwrap();
    daemon.start().await.unwrap();
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    shims(&bin, &daemon);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let blocks = blocks();
    assert!(blocks.len() > 8);
    for (who, waits, commands) in blocks {
        if waits {
            daemon.wait_until_idle(Deadline::seconds(200)).await.unwrap();
        }
        // What one block sets the next one knows.
        let script = format!(
            "[ -e known ] && . ./known\n{commands}\ndeclare -p TARGET PROPOSAL CAPTURE DOSSIER 2>/dev/null >known || true\n"
        );
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(dir.path())
            .env("PATH", &path)
            .env("TOKEN_FILE", daemon.token_file(person(&who)))
            .env("SEED", underworld.seed("market").unwrap())
            .env("DATA", daemon.data())
            .output()
            .await
            .unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(output.status.success(), "as {who}:\n{commands}\n{}\n{}", said[0], said[1]);
    }
    daemon.stop().await.unwrap();
}

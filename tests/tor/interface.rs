//! The API of a real daemon, with pages behind it, against its own description: schemathesis makes up requests, as each role, and judges the answers.

use std::{env, path::PathBuf};

use tests::{Daemon, Person};
use tokio::process::Command;

use super::*;

/// Who asks, in the full run; a short one asks as whoever holds every role.
const ROLES: [&str; 6] = [
    "operator@marketplace",
    "analyst@marketplace",
    "investigator@marketplace",
    "approver@marketplace",
    "auditor",
    "administrator",
];

/// What would take from the tests the account that they ask with.
const ENDS_THE_TEST: [&str; 4] = ["set_password", "log_out", "revoke_token", "make_backup"];

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_what_it_says_it_is() {
    let Some(schemathesis) = env::var_os("NACHTWACHT_FOREIGN").map(|dir| PathBuf::from(dir).join("bin/schemathesis"))
    else {
        #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
        {
            eprintln!("SKIPPED: NACHTWACHT_FOREIGN names no directory of validators (scripts/test sets it)");
        }
        return;
    };
    let is_full = env::var_os("NACHTWACHT_FULL").is_some_and(|full| full == "1");
    let underworld = underworld();
    let dir = tempfile::tempdir().unwrap();
    let settings =
        "accounts.requests_per_second = 100000\naccounts.requests_at_once = 100000\naccounts.token_days = 40000\n";
    let mut daemon = Daemon::prepare(dir.path(), &underworld.network.arti_config_file(), settings).await.unwrap();
    daemon.start().await.unwrap();
    let only_three = ["--include", "^/(|robots.txt|vendors)$"];
    daemon.add_target("marketplace", "mirror", &underworld.seed("mirror").unwrap(), &only_three).await.unwrap();
    daemon.wait_until_idle(Deadline::seconds(120)).await.unwrap();
    daemon.cli(&["checkpoint", "sign"]).await.unwrap();
    let tester = std::fs::read_to_string(daemon.token_file(Person::Tester)).unwrap().trim().to_owned();
    let mut tokens = vec![("every role", tester)];
    if is_full {
        for role in ROLES {
            let args = ["--json", "token", "new", role, "--ends", "2098-01-01", "--scope", role];
            let made: serde_json::Value = serde_json::from_str(&daemon.cli(&args).await.unwrap()).unwrap();
            tokens.push((role, made["secret"].as_str().unwrap().to_owned()));
        }
    }
    let (phases, examples) =
        if is_full { ("examples,coverage,fuzzing,stateful", "30") } else { ("examples,fuzzing", "2") };
    for (role, token) in tokens {
        let mut command = Command::new(&schemathesis);
        command
            .current_dir(dir.path())
            .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
            .env("PYTHONPATH", env!("CARGO_MANIFEST_DIR"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args(["--config-file", concat!(env!("CARGO_MANIFEST_DIR"), "/schemathesis.toml")])
            .args(["--no-color", "run"])
            .arg(format!("{}/api/v1/openapi.json", daemon.url().unwrap()))
            .args(["--checks", "all", "--continue-on-failure", "--phases", phases, "--max-examples", examples])
            .args(["--header", &format!("Authorization: Bearer {token}"), "--warnings", "off"]);
        for id in ENDS_THE_TEST {
            command.args(["--exclude-operation-id", id]);
        }
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "as {role}:\n{said}\n{}\n{}",
            String::from_utf8_lossy(&output.stderr),
            daemon.end_of_log()
        );
    }
    daemon.stop().await.unwrap();
}

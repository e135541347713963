//! Looks at everything that must be right for the appliance to do its work, and says of each thing that it is well, or what to do.

mod disk;
mod limits;
mod sockets;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use super::{items, text};
use crate::{client::Client, clock::MachineClock, config::Config, credentials, failure::Failure, print, themes};

/// The longest wait for a Tor client of its own to be ready, and for a circuit.
const PATIENCE: Duration = Duration::from_mins(3);

/// What was looked at, and what came of it.
struct Finding {
    what: &'static str,
    verdict: Verdict,
    detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Well,
    /// It works, and could be better.
    Advice,
    Wrong,
}

impl Verdict {
    const fn name(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Advice => "advice",
            Self::Wrong => "WRONG",
        }
    }
}

fn well(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { what, verdict: Verdict::Well, detail: detail.into() }
}

fn advice(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { what, verdict: Verdict::Advice, detail: detail.into() }
}

fn wrong(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { what, verdict: Verdict::Wrong, detail: detail.into() }
}

/// Looks at everything. Fails when anything is wrong.
pub(super) async fn run(
    path: &Path,
    config: &Config,
    client: &Client,
    onion: Option<&str>,
    wants_json: bool,
) -> Result<(), Failure> {
    let mut findings = vec![well("configuration", format!("{} is well", path.display()))];
    findings.push(described(config));
    findings.extend(permissions(config));
    findings.push(keys(config));
    findings.push(clock());
    findings.push(disk::room(config));
    findings.push(disk::encryption(&config.data_dir));
    findings.extend(daemon(config, client).await);
    if let Some(onion) = onion {
        findings.push(circuit(config, onion).await);
    }
    let wrong = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count();
    if wants_json {
        let shown = |f: &Finding| json!({ "what": f.what, "verdict": f.verdict.name(), "detail": f.detail });
        print::json(&json!({ "findings": findings.iter().map(shown).collect::<Vec<_>>(), "wrong": wrong }));
    } else {
        let row = |f: &Finding| vec![f.verdict.name().to_owned(), f.what.to_owned(), f.detail.clone()];
        print::table(&["", "what", "what to do"], &findings.iter().map(row).collect::<Vec<_>>());
    }
    if wrong == 0 { Ok(()) } else { Err(Failure::Unwell(wrong)) }
}

fn described(config: &Config) -> Finding {
    match themes::load(&config.themes_dir) {
        Ok(themes) => well("themes", format!("{} in {}", themes.len(), config.themes_dir.display())),
        Err(failure) => wrong("themes", failure.to_string()),
    }
}

/// What lies open that must not.
fn permissions(config: &Config) -> Vec<Finding> {
    let private = [config.data_dir.clone(), config.data_dir.join("credentials")];
    let secrets = fs::read_dir(config.data_dir.join("credentials")).into_iter().flatten().flatten();
    let all: Vec<PathBuf> = private.into_iter().chain(secrets.map(|entry| entry.path())).collect();
    let open: Vec<String> = all.iter().filter_map(|path| open_to_others(path)).collect();
    if open.is_empty() {
        return vec![well("permissions", format!("{} is its owner's alone", config.data_dir.display()))];
    }
    open.into_iter().map(|problem| wrong("permissions", problem)).collect()
}

fn open_to_others(path: &Path) -> Option<String> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.permissions().mode().trailing_zeros() >= 6 => None,
        Ok(meta) => {
            let mode = meta.permissions().mode() & 0o777;
            Some(format!("{} has mode {mode:o}: `chmod go= {}`", path.display(), path.display()))
        }
        Err(error) => Some(format!("{}: {error}; run this as root or as the daemon's user", path.display())),
    }
}

fn keys(config: &Config) -> Finding {
    match credentials::Credentials::load(&config.data_dir) {
        Ok(_) => well("keys", "login-key, log-key and backup-key are there; keep a copy of them elsewhere"),
        Err(failure) => wrong("keys", failure.to_string()),
    }
}

/// Whether something keeps the clock right: captures and leaves bear its time.
fn clock() -> Finding {
    match MachineClock::new().kept_by() {
        Some((_, sign)) => well("clock", format!("is kept right ({})", sign.display())),
        None => {
            advice("clock", "nothing is seen to keep it right: `systemctl enable --now systemd-timesyncd`, or chrony")
        }
    }
}

/// What the daemon says of itself.
async fn daemon(config: &Config, client: &Client) -> Vec<Finding> {
    let status = match client.get("/status").await {
        Ok(status) => status,
        Err(failure) => return vec![wrong("daemon", failure.to_string())],
    };
    let mut findings =
        vec![well("daemon", format!("version {}, up {} s", text(&status["version"]), text(&status["uptime_s"])))];
    let without: Vec<String> = items(&status["without_approver"]).iter().map(text).collect();
    findings.push(if without.is_empty() {
        well("approvers", "every theme that you see has somebody who may approve")
    } else {
        let what = "nobody may approve in {}, so that nothing new is crawled: `nachtwacht user give NAME approver --theme THEME`";
        wrong("approvers", what.replace("{}", &without.join(", ")))
    });
    findings.push(tor(&status["tor"]));
    findings.push(behind(&status));
    findings.push(attention(&status));
    let process = client.peer().await;
    findings.push(limits::memory(&status["memory"]));
    findings.push(limits::descriptors(process));
    findings.push(sockets::look(config, process));
    findings
}

fn tor(status: &Value) -> Finding {
    if status["is_ready"] == true {
        return well("tor", "is bootstrapped, and opens connections");
    }
    let why = status["blocked_because"].as_str().unwrap_or("nothing is known to stand in the way yet");
    let what = format!(
        "is bootstrapped to {} %: {why}; where Tor is blocked, set `fetch.tor.bridges`",
        text(&status["percent"])
    );
    wrong("tor", what)
}

/// Whether the analysis keeps up.
fn behind(status: &Value) -> Finding {
    let lag =
        |theme: &Value| theme["captured"].as_u64().unwrap_or(0).saturating_sub(theme["indexed"].as_u64().unwrap_or(0));
    let most = items(&status["analysis"]).iter().map(lag).max().unwrap_or(0);
    if most < 10_000 {
        return well("analysis", format!("{most} captures are not searchable yet"));
    }
    advice("analysis", format!("{most} captures are not searchable yet; a rule that was changed may be the cause"))
}

/// Targets that a person should look at.
fn attention(status: &Value) -> Finding {
    let targets = items(&status["crawl"]["targets"]);
    let remark = |target: &Value| {
        let why = target["waits_because"]
            .as_str()
            .or_else(|| target["review_overdue"].as_str().map(|_| "its review is overdue"));
        why.map(|why| format!("{}/{}: {why}", text(&target["theme"]), text(&target["name"])))
    };
    let remarks: Vec<String> = targets.iter().filter_map(remark).collect();
    if remarks.is_empty() {
        return well("targets", format!("{} that you see, none waits for anything", targets.len()));
    }
    advice("targets", remarks.join("; "))
}

/// Whether a Tor client of this process, with the daemon's settings and a state of its own, comes to the onion service. Nothing is asked of it.
async fn circuit(config: &Config, onion: &str) -> Finding {
    match tokio::time::timeout(PATIENCE, connected(config, onion)).await {
        Ok(Ok(())) => well("circuit", format!("{onion} takes connections")),
        Ok(Err(problem)) => wrong("circuit", format!("{onion}: {problem}")),
        Err(_) => wrong("circuit", format!("{onion}: nothing within {} s", PATIENCE.as_secs())),
    }
}

async fn connected(config: &Config, onion: &str) -> Result<(), String> {
    let uri: model::Uri = format!("http://{onion}/").parse().map_err(|error| format!("{error}"))?;
    if !matches!(uri.host(), model::Host::Onion(_)) {
        return Err("is no onion address of version 3".to_owned());
    }
    // No service that must not be fetched is knocked at either.
    if let Some(objection) = fetch::onion_objection(&config.fetch, &uri) {
        return Err(objection);
    }
    let state = tempfile::tempdir().map_err(|error| error.to_string())?;
    let tor = fetch::Tor::start(&config.fetch.tor, state.path()).map_err(|error| error.to_string())?;
    let mut status = fetch::Transport::status(&*tor);
    status.wait_for(|status| status.is_ready).await.map_err(|error| error.to_string())?;
    let isolation = model::Isolation { target: model::TargetId::from_u64(0), epoch: 0 };
    let destination = fetch::Destination::of(&uri);
    let options = fetch::ConnectOptions { isolation, proof_of_work: None };
    fetch::Transport::connect(&*tor, &destination, &options).await.map(drop).map_err(|failure| failure.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_circuit_leads_to_what_is_blocked() {
        let dir = tempfile::tempdir().unwrap();
        let onion = model::OnionAddress::from_public_key([7; 32]).to_string();
        let list = dir.path().join("list");
        fs::write(&list, model::Digest::of(onion.as_bytes()).to_string()).unwrap();
        let mut config = Config::default();
        // A Tor client that is started fails at once, and nothing is dialled.
        config.fetch.tor.network_config = Some(dir.path().join("missing"));
        let said = async |config: &Config| circuit(config, &onion).await.detail;
        let started = said(&config).await;
        assert!(started.contains("missing"), "the control starts no client: {started}");
        config.fetch.block_lists = vec![list.clone()];
        assert_eq!(said(&config).await, format!("{onion}: the service is on a block list"));
        fs::write(&list, "nonsense").unwrap();
        let unread = said(&config).await;
        assert!(unread.contains("no fetch without the block lists") && !unread.contains("missing"), "{unread}");
    }
}

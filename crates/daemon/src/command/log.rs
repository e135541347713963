//! The evidence log: checking it, signing it, having it time-stamped.

use std::{fs, io::Write as _, path::Path};

use anyhow::Context as _;
use hyper::Method;
use serde_json::{Value, json};
use store::{Depth, Notary, Report, Store};

use super::{items, text};
use crate::{
    cli::{CheckpointCommand, VerifyArgs},
    client::Client,
    config::Config,
    credentials::Credentials,
    failure::Failure,
    print,
};

/// Leaves that a quick verification of a stopped store looks at.
const TAIL: u64 = 10_000;

/// Checks the store through the daemon, with a bar of progress.
pub(super) async fn verify(client: &Client, args: VerifyArgs, wants_json: bool) -> Result<(), Failure> {
    let path = if args.quick { "/log/verification?quick=true" } else { "/log/verification" };
    let mut bar = print::Bar::new("verifying");
    let mut report = None;
    client
        .lines(Method::POST, path, None, |line: Value| {
            if let (Some(done), Some(total)) = (line["progress"]["done"].as_u64(), line["progress"]["total"].as_u64()) {
                bar.show(done, total);
            } else {
                report = Some(line);
            }
        })
        .await?;
    bar.clear();
    let answer = report.context("the verification broke off")?;
    if let Some(failed) = answer["failed"].as_str() {
        return Err(Failure::Refused(failed.to_owned()));
    }
    let report: Report = serde_json::from_value(answer["report"].clone()).context("the report is not understood")?;
    let mut against = Vec::new();
    for file in &args.against {
        let note = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let answer = client.send(Method::POST, "/log/consistency", Some(&json!({ "checkpoint": note }))).await?;
        against.push((file.display().to_string(), text(&answer["verdict"]), answer["holds"] == Value::Bool(true)));
    }
    told(&report, &against, wants_json.then(|| json!({})))
}

/// Checks a stopped store, without the daemon.
pub(super) fn verify_offline(config: &Config, args: &VerifyArgs, wants_json: bool) -> Result<(), Failure> {
    let credentials = Credentials::load(&config.data_dir)?;
    let store = Store::open(&config.store_dir(), &config.store, credentials.login_key)?;
    let notary = Notary::new(store, credentials.log_key, &config.checkpoint_dir());
    let depth = if args.quick { Depth::Tail(TAIL) } else { Depth::Full };
    let mut bar = print::Bar::new("verifying");
    let report = notary.verify(depth, &mut |progress| {
        bar.show(progress.done, progress.total);
        true
    })?;
    bar.clear();
    let mut against = Vec::new();
    for file in &args.against {
        let note = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let verdict = notary.consistency(&note)?;
        against.push((file.display().to_string(), verdict.to_string(), verdict.holds()));
    }
    told(&report, &against, wants_json.then(|| json!({})))
}

/// Tells what was checked, as JSON where there is an object to add it to; fails where something does not hold.
pub(super) fn told(report: &Report, against: &[(String, String, bool)], into: Option<Value>) -> Result<(), Failure> {
    let wants_json = into.is_some();
    if let Some(mut answer) = into {
        let against: Vec<Value> = against
            .iter()
            .map(|(file, verdict, holds)| json!({ "file": file, "verdict": verdict, "holds": holds }))
            .collect();
        answer["report"] = json!(report);
        answer["against"] = json!(against);
        print::json(&answer);
    } else {
        let checked = [
            ("leaves", report.leaves),
            ("hashes of the log", report.hashes),
            ("captures opened", report.captures),
            ("captures erased, their leaves in place", report.erased),
            ("acts opened", report.acts),
            ("signed checkpoints", report.checkpoints),
            ("bytes of payload hashed", report.payload_bytes),
            ("rows read against their checksums", report.rows),
        ];
        for (what, count) in checked {
            print::line(&format!("{count:>14}  {what}"));
        }
        for (file, verdict, _) in against {
            print::line(&format!("{file}: {verdict}"));
        }
        for finding in &report.findings {
            print::line(&format!("WRONG: table {}, key {}: {}", finding.table, finding.key, finding.problem));
        }
    }
    let inconsistent = against.iter().filter(|(_, _, holds)| !holds).count() as u64;
    match report.problems + inconsistent {
        0 => {
            if !wants_json {
                print::line("Everything that was checked holds.");
            }
            Ok(())
        }
        problems => Err(Failure::Unsound(problems)),
    }
}

pub(super) async fn checkpoint(client: &Client, command: CheckpointCommand, wants_json: bool) -> Result<(), Failure> {
    match command {
        CheckpointCommand::Show => note(&client.bytes("/log/checkpoint").await?, wants_json),
        CheckpointCommand::Sign => note(&client.post("/log/checkpoint").await?, wants_json),
        CheckpointCommand::List => {
            let answer = client.get("/log/checkpoints").await?;
            if wants_json { print::json(&answer) } else { list(&answer) }
        }
        CheckpointCommand::Request { size, output } => {
            let request = client.bytes(&format!("/log/checkpoints/{size}/request")).await?;
            write(&output, &request)?;
            print::line(&format!("{} asks for a time-stamp of the log at {size} leaves", output.display()));
        }
        CheckpointCommand::Attach { size, file } => {
            let reply = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            let answer = client
                .upload(
                    Method::POST,
                    &format!("/log/checkpoints/{size}/timestamps"),
                    "application/timestamp-reply",
                    reply,
                )
                .await?;
            if wants_json {
                print::json(&answer);
            } else {
                print::line(&format!("kept with the checkpoint of {size} leaves"));
            }
        }
    }
    Ok(())
}

fn note(bytes: &[u8], wants_json: bool) {
    let text = String::from_utf8_lossy(bytes);
    if wants_json { print::json(&json!({ "note": text })) } else { print::line(text.trim_end()) }
}

fn list(answer: &Value) {
    let row = |checkpoint: &Value| {
        vec![text(&checkpoint["size"]), text(&checkpoint["signed_at"]), text(&checkpoint["timestamps"])]
    };
    print::table(
        &["leaves", "signed", "time-stamps"],
        &items(&answer["checkpoints"]).iter().map(row).collect::<Vec<_>>(),
    );
}

/// Writes a file that does not exist yet.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = fs::File::create_new(path).with_context(|| format!("{} cannot be made", path.display()))?;
    file.write_all(bytes).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(())
}

//! Holds, seals, erasure and retention.

use hyper::Method;
use model::{CaptureId, ThemeId};
use serde_json::{Value, json};

use super::{items, text};
use crate::{
    cli::{EraseArgs, HoldCommand, SealCommand, SubjectArgs},
    client::Client,
    failure::Failure,
    print,
};

pub(super) async fn hold(client: &Client, command: HoldCommand, wants_json: bool) -> Result<(), Failure> {
    match command {
        HoldCommand::Set { theme, subject, reason } => {
            let body = json!({ "subject": named(&subject), "reason": reason });
            let answer = post(client, theme, "/holds", &body).await?;
            told(&answer, wants_json, || format!("Held. The hold is named by leaf {}.", leaves(&answer)));
        }
        HoldCommand::Lift { theme, leaf, reason } => {
            let answer = post(client, theme, &format!("/holds/{leaf}/lift"), &json!({ "reason": reason })).await?;
            told(&answer, wants_json, || format!("Lifted. Leaf {} tells of it.", leaves(&answer)));
        }
        HoldCommand::List { theme } => {
            let answer = client.get(&format!("/themes/{theme}/holds")).await?;
            list(&answer, "holds", &["leaf", "subject", "since", "who", "reason"], wants_json);
        }
    }
    Ok(())
}

pub(super) async fn seal(client: &Client, command: SealCommand, wants_json: bool) -> Result<(), Failure> {
    match command {
        SealCommand::Set { capture, reason } => decide(client, capture, "seal", &reason, wants_json).await?,
        SealCommand::Lift { capture, reason } => decide(client, capture, "unseal", &reason, wants_json).await?,
        SealCommand::List { theme } => {
            let answer = client.get(&format!("/themes/{theme}/seals")).await?;
            list(&answer, "seals", &["capture", "leaf", "since", "who", "reason"], wants_json);
        }
    }
    Ok(())
}

async fn decide(client: &Client, at: CaptureId, verb: &str, reason: &str, wants_json: bool) -> Result<(), Failure> {
    let answer = post(client, at.theme, &format!("/captures/{}/{verb}", at.seq), &json!({ "reason": reason })).await?;
    told(&answer, wants_json, || {
        format!("{} capture(s). Leaf {} tells of it.", text(&answer["captures"]), leaves(&answer))
    });
    Ok(())
}

pub(super) async fn erase(client: &Client, args: EraseArgs, wants_json: bool) -> Result<(), Failure> {
    let body = json!({
        "subject": named(&args.subject),
        "ground": args.ground,
        "forgets_uris": args.forget_uris,
        "dry_run": args.dry_run,
    });
    let answer = post(client, args.theme, "/erasures", &body).await?;
    told(&answer, wants_json, || {
        let (captures, bytes) = (text(&answer["captures"]), text(&answer["payload_bytes"]));
        match (args.dry_run, &answer["held"]) {
            (true, Value::Null) => format!("{captures} capture(s) with {bytes} bytes would go."),
            (true, held) => {
                format!("{captures} capture(s) would go, but {} is held: nothing would be erased.", text(held))
            }
            (false, _) => {
                format!("{captures} capture(s) with {bytes} bytes are erased. Leaf {} tells of it.", leaves(&answer))
            }
        }
    });
    Ok(())
}

pub(super) async fn pending(client: &Client, theme: ThemeId, wants_json: bool) -> Result<(), Failure> {
    let answer = client.get(&format!("/themes/{theme}/erasures")).await?;
    list(&answer, "pending", &["leaf", "change", "captures", "views_follow"], wants_json);
    let files = answer["files_left"].as_array().filter(|_| !wants_json);
    for file in files.into_iter().flatten() {
        print::line(&format!("To be deleted by whoever keeps it, because it holds what was erased: {}", text(file)));
    }
    Ok(())
}

pub(super) async fn retention(client: &Client, theme: ThemeId, dry_run: bool, wants_json: bool) -> Result<(), Failure> {
    let answer = post(client, theme, "/retention", &json!({ "dry_run": dry_run })).await?;
    if wants_json {
        print::json(&answer);
        return Ok(());
    }
    let row = |kind: &str, days: &str, captures: &str, bytes: Option<&str>| {
        let bytes = bytes.map_or_else(|| "–".to_owned(), |bytes| text(&answer[bytes]));
        vec![kind.to_owned(), text(&answer[days]), text(&answer[captures]), bytes]
    };
    print::table(
        &["kind", "kept for days", if dry_run { "would go" } else { "went" }, "bytes"],
        &[
            row("content", "content_days", "content", Some("content_bytes")),
            row("attempts", "attempts_days", "attempts", None),
        ],
    );
    print::line(&format!(
        "Kept by holds: {}. Sealed, and waiting for a decision: {}.",
        text(&answer["held"]),
        text(&answer["sealed"])
    ));
    if !dry_run {
        print::line(&format!("Leaf {} tells of it.", leaves(&answer)));
    }
    Ok(())
}

async fn post(client: &Client, theme: ThemeId, path: &str, body: &Value) -> Result<Value, Failure> {
    client.send(Method::POST, &format!("/themes/{theme}{path}"), Some(body)).await
}

/// The subject as the API writes it; the command line has made sure that there is one.
fn named(subject: &SubjectArgs) -> String {
    let named = [
        subject.capture.map(|seq| format!("capture:{seq}")),
        subject.version.map(|seq| format!("version:{seq}")),
        subject.uri.as_ref().map(|uri| format!("uri:{uri}")),
        subject.target.map(|target| format!("target:{target}")),
    ];
    named.into_iter().flatten().next().unwrap_or_default()
}

fn told(answer: &Value, wants_json: bool, sentence: impl FnOnce() -> String) {
    if wants_json { print::json(answer) } else { print::line(&sentence()) }
}

fn list(answer: &Value, what: &str, columns: &[&str], wants_json: bool) {
    if wants_json {
        print::json(answer);
        return;
    }
    let row = |item: &Value| -> Vec<String> { columns.iter().map(|column| text(&item[*column])).collect() };
    print::table(columns, &items(&answer[what]).iter().map(row).collect::<Vec<_>>());
}

/// The leaves that tell of what was done.
fn leaves(answer: &Value) -> String {
    items(&answer["leaves"]).iter().map(text).collect::<Vec<_>>().join(", ")
}

use std::io::Write as _;

use anyhow::Context as _;
use model::CaptureId;
use serde_json::Value;

use super::{items, text};
use crate::{
    cli::CaptureCommand,
    client::{Client, query},
    failure::Failure,
    print,
};

pub(super) async fn run(client: &Client, command: CaptureCommand, wants_json: bool) -> Result<(), Failure> {
    match command {
        CaptureCommand::List { theme, target, uri, limit } => {
            let mut pairs = vec![("limit", limit.to_string())];
            pairs.extend(target.map(|target| ("target", target.to_string())));
            pairs.extend(uri.map(|uri| ("uri", uri)));
            let answer = client.get(&format!("/themes/{theme}/captures{}", query(&pairs))).await?;
            if wants_json { print::json(&answer) } else { list(&answer) }
        }
        CaptureCommand::Show { capture } => {
            let answer = client.get(&path(&capture)?).await?;
            if wants_json { print::json(&answer) } else { show(&answer) }
        }
        CaptureCommand::Text { capture } => {
            let bytes = client.bytes(&format!("{}/text", path(&capture)?)).await?;
            print::line(&String::from_utf8_lossy(&bytes));
        }
        CaptureCommand::Proof { capture } => {
            let bytes = client.bytes(&format!("{}/proof", path(&capture)?)).await?;
            print::line(String::from_utf8_lossy(&bytes).trim_end());
        }
        CaptureCommand::Raw { capture, output } => {
            let bytes = client.bytes(&format!("{}/raw", path(&capture)?)).await?;
            let mut file =
                std::fs::File::create_new(&output).with_context(|| format!("{} cannot be made", output.display()))?;
            file.write_all(&bytes).with_context(|| format!("{} cannot be written", output.display()))?;
            print::line(&format!("{} bytes in {}", bytes.len(), output.display()));
        }
    }
    Ok(())
}

fn path(capture: &str) -> Result<String, Failure> {
    let id: CaptureId = capture.parse().map_err(|error: model::InvalidId| Failure::Refused(error.to_string()))?;
    Ok(format!("/themes/{}/captures/{}", id.theme, id.seq))
}

fn list(answer: &Value) {
    let row = |capture: &Value| {
        vec![
            text(&capture["capture"]),
            text(&capture["started_at"]),
            text(&capture["outcome"]),
            text(&capture["payload_len"]),
            text(&capture["uri"]),
        ]
    };
    print::table(
        &["capture", "started", "outcome", "bytes", "uri"],
        &items(&answer["captures"]).iter().map(row).collect::<Vec<_>>(),
    );
}

fn show(capture: &Value) {
    let Some(fields) = capture.as_object() else { return };
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        print::line(&format!("{name:20} {}", text(value)));
    }
}

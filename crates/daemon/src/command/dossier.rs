//! Dossiers: releasing, and reading what was released.

use std::{fs::File, io::Write as _, path::Path};

use anyhow::Context as _;
use hyper::Method;
use model::{CaptureId, ThemeId};
use serde_json::{Value, json};

use super::{items, text};
use crate::{
    cli::DossierCommand,
    client::{Client, query},
    failure::Failure,
    print,
};

const COLUMNS: [&str; 7] = ["id", "released_at", "title", "recipient", "released_by", "versions", "withdrawn"];
const VERSIONS: [&str; 5] = ["version", "captures", "kept_until", "held_by", "uri"];
const STEPS: [&str; 6] = ["leaf", "at", "change", "versions", "who", "note"];

pub(super) async fn run(client: &Client, command: DossierCommand, wants_json: bool) -> Result<(), Failure> {
    let (answer, tell): (Value, fn(&Value)) = match command {
        DossierCommand::Release { title, purpose, recipient, note, versions } => {
            let (theme, versions) = of_one_theme(&versions, None)?;
            let body = json!({
                "title": title, "purpose": purpose, "recipient": recipient, "note": note, "versions": versions,
            });
            (client.send(Method::POST, &format!("/themes/{theme}/dossiers"), Some(&body)).await?, show)
        }
        DossierCommand::List { theme, recipient, from, limit } => {
            let mut pairs = vec![("limit", limit.to_string())];
            pairs.extend(recipient.map(|recipient| ("recipient", recipient)));
            pairs.extend(from.map(|from| ("from", from.to_string())));
            (client.get(&format!("/themes/{theme}/dossiers{}", query(&pairs))).await?, list)
        }
        DossierCommand::Show { dossier } => (client.get(&path(dossier)).await?, show),
        DossierCommand::Add { dossier, note, versions } => {
            let (_, versions) = of_one_theme(&versions, Some(dossier.theme))?;
            let body = json!({ "versions": versions, "note": note });
            (client.send(Method::POST, &format!("{}/versions", path(dossier)), Some(&body)).await?, show)
        }
        DossierCommand::Withdraw { dossier, reason } => {
            let path = format!("{}/withdraw", path(dossier));
            (client.send(Method::POST, &path, Some(&json!({ "reason": reason }))).await?, show)
        }
        DossierCommand::Document { dossier, capture } => {
            (client.get(&format!("{}/document", released(dossier, capture)?)).await?, document)
        }
        DossierCommand::Text { dossier, capture } => {
            let text = client.bytes(&format!("{}/text", released(dossier, capture)?)).await?;
            print::line(&String::from_utf8_lossy(&text));
            return Ok(());
        }
        DossierCommand::Payload { dossier, capture, output } => {
            return payload(client, &released(dossier, capture)?, &output, wants_json).await;
        }
    };
    if wants_json {
        print::json(&answer);
    } else {
        tell(&answer);
    }
    Ok(())
}

async fn payload(client: &Client, path: &str, output: &Path, wants_json: bool) -> Result<(), Failure> {
    let bytes = client.bytes(&format!("{path}/payload")).await?;
    let written = File::create_new(output).and_then(|mut file| file.write_all(&bytes));
    written.with_context(|| format!("{} cannot be written", output.display()))?;
    if wants_json {
        print::json(&json!({ "bytes": bytes.len(), "file": output.display().to_string() }));
    } else {
        print::line(&format!("{} bytes in {}", bytes.len(), output.display()));
    }
    Ok(())
}

/// The theme of captures, which is the one that is expected, and their sequences.
fn of_one_theme(captures: &[CaptureId], expected: Option<ThemeId>) -> Result<(ThemeId, Vec<u64>), Failure> {
    let theme = expected.or_else(|| captures.first().map(|capture| capture.theme));
    match theme {
        Some(theme) if captures.iter().all(|capture| capture.theme == theme) => {
            Ok((theme, captures.iter().map(|capture| capture.seq.0).collect()))
        }
        _ => Err(Failure::Refused("a dossier holds versions of one theme".into())),
    }
}

fn path(dossier: CaptureId) -> String {
    format!("/themes/{}/dossiers/{}", dossier.theme, dossier.seq)
}

fn released(dossier: CaptureId, capture: CaptureId) -> Result<String, Failure> {
    of_one_theme(&[capture], Some(dossier.theme))?;
    Ok(format!("{}/captures/{}", path(dossier), capture.seq))
}

fn rows(list: &Value, columns: &[&str]) -> Vec<Vec<String>> {
    items(list).iter().map(|item| columns.iter().map(|column| text(&item[*column])).collect()).collect()
}

fn list(answer: &Value) {
    let row = |dossier: &Value| {
        let mut row: Vec<String> = COLUMNS.iter().map(|column| text(&dossier[*column])).collect();
        if let Some(withdrawn) = row.last_mut() {
            *withdrawn = text(&dossier["withdrawn"]["at"]);
        }
        row
    };
    print::table(&COLUMNS, &items(&answer["dossiers"]).iter().map(row).collect::<Vec<_>>());
    if !answer["next"].is_null() {
        print::line(&format!("\nMore: the same command with --from {}", text(&answer["next"])));
    }
}

fn show(answer: &Value) {
    let dossier = &answer["dossier"];
    for field in ["id", "title", "purpose", "recipient", "released_by", "released_at", "note"] {
        print::line(&format!("{field}: {}", text(&dossier[field])));
    }
    if !dossier["withdrawn"].is_null() {
        print::line(&format!("withdrawn: {}", text(&dossier["withdrawn"]["reason"])));
    }
    print::line("");
    let row = |version: &Value| {
        let count = items(&version["captures"]).len().to_string();
        VERSIONS
            .iter()
            .map(|column| if *column == "captures" { count.clone() } else { text(&version[*column]) })
            .collect()
    };
    print::table(&VERSIONS, &items(&answer["versions"]).iter().map(row).collect::<Vec<_>>());
    print::line("");
    print::table(&STEPS, &rows(&answer["history"], &STEPS));
}

fn document(document: &Value) {
    for field in ["capture", "title", "language", "kind"] {
        print::line(&format!("{field}: {}", text(&document[field])));
    }
    print::line("");
    let columns = ["kind", "grade", "value"];
    print::table(&columns, &rows(&document["observables"], &columns));
}

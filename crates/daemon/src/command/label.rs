use hyper::Method;
use model::CaptureId;
use serde_json::{Value, json};

use super::{items, text};
use crate::{
    cli::{LabelAbout, LabelCommand},
    client::{Client, query},
    failure::Failure,
    print,
};

const FIELDS: [&str; 6] = ["version", "label", "indicator", "author", "at", "note"];

pub(super) async fn run(client: &Client, command: LabelCommand, wants_json: bool) -> Result<(), Failure> {
    let (answer, tell): (Value, fn(&Value)) = match command {
        LabelCommand::Set { capture, label, about, note } => {
            (say(client, capture, Some(label.as_str()), about, note).await?, show)
        }
        LabelCommand::Remove { capture, about } => (say(client, capture, None, about, None).await?, show),
        LabelCommand::Show { capture } => (client.get(&path(capture)).await?, show),
        LabelCommand::List { theme, label, indicator, author, from, limit } => {
            let mut pairs = vec![("limit", limit.to_string())];
            pairs.extend(label.map(|label| ("label", label.to_string())));
            pairs.extend(indicator.map(|indicator| ("indicator", indicator)));
            pairs.extend(author.map(|author| ("author", author)));
            pairs.extend(from.map(|from| ("from", from.to_string())));
            (client.get(&format!("/themes/{theme}/labels{}", query(&pairs))).await?, list)
        }
        LabelCommand::Agreement { theme, a, b, indicator } => {
            let mut pairs = vec![("a", a), ("b", b)];
            pairs.extend(indicator.map(|indicator| ("indicator", indicator)));
            (client.get(&format!("/themes/{theme}/labels/agreement{}", query(&pairs))).await?, agreement)
        }
    };
    if wants_json {
        print::json(&answer);
    } else {
        tell(&answer);
    }
    Ok(())
}

async fn say(
    client: &Client,
    capture: CaptureId,
    label: Option<&str>,
    about: LabelAbout,
    note: Option<String>,
) -> Result<Value, Failure> {
    let body = json!({ "label": label, "indicator": about.indicator, "note": note });
    client.send(Method::POST, &path(capture), Some(&body)).await
}

fn path(capture: CaptureId) -> String {
    format!("/themes/{}/versions/{}/labels", capture.theme, capture.seq)
}

fn rows(labels: &Value) -> Vec<Vec<String>> {
    items(labels).iter().map(|label| FIELDS.iter().map(|field| text(&label[*field])).collect()).collect()
}

fn show(answer: &Value) {
    print::table(&FIELDS, &rows(&answer["labels"]));
    print::line("\nEverything that was said:");
    print::table(&FIELDS, &rows(&answer["history"]));
}

fn list(answer: &Value) {
    print::line(&format!("{} labels", text(&answer["total"])));
    print::table(&FIELDS, &rows(&answer["labels"]));
    if !answer["next"].is_null() {
        print::line(&format!("\nMore: the same command with --from {}", text(&answer["next"])));
    }
}

fn agreement(answer: &Value) {
    print::line(&format!(
        "{} and {} both labelled {} versions, {} of them alike; Cohen's kappa {}",
        text(&answer["a"]),
        text(&answer["b"]),
        text(&answer["both"]),
        text(&answer["alike"]),
        text(&answer["kappa"]),
    ));
    let row = |pair: &Value| ["a", "b", "count"].iter().map(|field| text(&pair[*field])).collect();
    print::table(&["first", "second", "count"], &items(&answer["pairs"]).iter().map(row).collect::<Vec<_>>());
    let differing: Vec<String> = items(&answer["differing"]).iter().map(text).collect();
    if !differing.is_empty() {
        print::line(&format!("They differ on {}", differing.join(", ")));
    }
}

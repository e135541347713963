use hyper::Method;
use model::CaptureId;
use serde_json::{Value, json};

use super::{items, text};
use crate::{
    cli::VersionCommand,
    client::{Client, query},
    failure::Failure,
    print,
};

pub(super) async fn run(client: &Client, command: VersionCommand, wants_json: bool) -> Result<(), Failure> {
    let (answer, tell): (Value, fn(&Value)) = match command {
        VersionCommand::List { theme, uri, limit } => {
            let pairs = [("uri", uri), ("limit", limit.to_string())];
            (client.get(&format!("/themes/{theme}/versions{}", query(&pairs))).await?, list)
        }
        VersionCommand::Show { capture } => (client.get(&path(capture)).await?, show),
        VersionCommand::Name { capture, name } => {
            let body = json!({ "name": name });
            (client.send(Method::PUT, &format!("{}/name", path(capture)), Some(&body)).await?, show)
        }
        VersionCommand::Unname { capture } => {
            (client.send(Method::DELETE, &format!("{}/name", path(capture)), None).await?, show)
        }
        VersionCommand::Compare { old, new, noise } => {
            if old.theme != new.theme {
                return Err(Failure::Refused(format!("{old} and {new} are of different themes, which are closed")));
            }
            let answer = client.get(&format!("{}/compare/{}", path(old), new.seq)).await?;
            (answer, if noise { compared_with_noise } else { compared })
        }
    };
    if wants_json {
        print::json(&answer);
    } else {
        tell(&answer);
    }
    Ok(())
}

fn path(capture: CaptureId) -> String {
    format!("/themes/{}/versions/{}", capture.theme, capture.seq)
}

fn list(answer: &Value) {
    let row = |version: &Value| {
        vec![
            text(&version["number"]),
            text(&version["version"]),
            text(&version["first_seen"]),
            text(&version["last_seen"]),
            text(&version["captures"]),
            names(version),
        ]
    };
    let versions = items(&answer["versions"]);
    print::table(
        &["number", "version", "first seen", "last seen", "captures", "name"],
        &versions.iter().map(row).collect::<Vec<_>>(),
    );
    if let Some(version) = versions.first() {
        print::line(&format!("Numbers go with digest rule {}.", text(&version["digest_rule"])));
    }
}

fn show(version: &Value) {
    let Some(fields) = version.as_object() else { return };
    let is_plain = |name: &str| name != "names" && name != "history";
    for (name, value) in fields.iter().filter(|(name, _)| is_plain(name)) {
        print::line(&format!("{name:20} {}", text(value)));
    }
    print::line(&format!("{:20} {}", "name", names(version)));
    let row = |naming: &Value| {
        let name = if naming["is_removal"] == true { "(taken away)".into() } else { text(&naming["name"]) };
        vec![text(&naming["at"]), text(&naming["version"]), name, text(&naming["author"]), text(&naming["leaf"])]
    };
    let history: Vec<_> = items(&version["history"]).iter().map(row).collect();
    if !history.is_empty() {
        print::line("");
        print::table(&["when", "version", "name", "by", "leaf"], &history);
    }
}

/// The names of a version at present; a dash where it has none.
fn names(version: &Value) -> String {
    let names: Vec<String> = items(&version["names"]).iter().map(|naming| text(&naming["name"])).collect();
    if names.is_empty() { "–".into() } else { names.join("; ") }
}

fn compared(answer: &Value) {
    differences(answer, false);
}

fn compared_with_noise(answer: &Value) {
    differences(answer, true);
}

fn differences(answer: &Value, with_noise: bool) {
    for (sign, side) in [("---", &answer["old"]), ("+++", &answer["new"])] {
        let (capture, number, uri) = (text(&side["capture"]), text(&side["number"]), text(&side["uri"]));
        print::line(&format!("{sign} {capture}  version {number}  {uri}"));
    }
    if answer["is_same_content"] == true {
        print::line("The content is the same but for noise.");
    }
    for change in items(&answer["fields"]) {
        let (field, old, new) = (text(&change["field"]), text(&change["old"]), text(&change["new"]));
        print::line(&format!("{field}: {}", changed(&old, &new)));
    }
    for (sign, links) in [("-", &answer["links"]["removed"]), ("+", &answer["links"]["added"])] {
        for link in items(links) {
            print::line(&format!("{sign} link {}  {}", text(&link["uri"]), text(&link["anchor"])));
        }
    }
    let changes = items(&answer["text"]["changes"]);
    let shown: Vec<&Value> = changes.iter().filter(|change| with_noise || change["is_noise"] != true).collect();
    for change in &shown {
        print::line(&told(change));
    }
    if shown.len() < changes.len() {
        print::line(&format!("{} changes of noise are not shown; --noise shows them.", changes.len() - shown.len()));
    }
    match answer["text"]["granularity"].as_str() {
        Some("line") => print::line("The texts are too large to compare every changed line word by word."),
        Some("whole") => print::line("The texts are too large to compare them line by line."),
        _ => {}
    }
}

/// A change on one line, as `git diff --word-diff` shows it.
fn told(change: &Value) -> String {
    let part = |name: &str| text(&change[name]).replace('\n', "⏎");
    format!("{}{}{}", part("before"), changed(&part("deleted"), &part("inserted")), part("after"))
}

fn changed(old: &str, new: &str) -> String {
    let set_off = |mark: [&str; 2], text: &str| match text {
        "" => String::new(),
        text => format!("{}{text}{}", mark[0], mark[1]),
    };
    set_off(["[-", "-]"], old) + &set_off(["{+", "+}"], new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_reads_on_one_line() {
        let change = json!({ "before": "Price: ", "deleted": "10", "inserted": "12", "after": " EUR" });
        assert_eq!(told(&change), "Price: [-10-]{+12+} EUR");
        let change = json!({ "before": "", "deleted": "a\nb", "inserted": "", "after": "" });
        assert_eq!(told(&change), "[-a⏎b-]");
    }

    #[test]
    fn a_version_without_a_name_has_a_dash() {
        assert_eq!(names(&json!({ "names": [] })), "–");
        assert_eq!(names(&json!({ "names": [{ "name": "a" }, { "name": null }] })), "a; –");
    }
}

//! Watches and what they found.

use hyper::Method;
use model::CaptureId;
use serde_json::{Value, json};

use super::{items, text};
use crate::{
    cli::{AlertsCommand, WatchArgs, WatchCommand},
    client::{Client, query},
    failure::Failure,
    print,
};

const COLUMNS: [&str; 8] = ["id", "name", "owner", "trigger", "grouping", "ran_at", "hits", "waits_because"];
const STEPS: [&str; 5] = ["leaf", "at", "change", "who", "reason"];
const ALERTS: [&str; 7] = ["alert", "at", "watch", "name", "grouping", "count", "has_more"];

/// What a watch is made of, beside its state.
const FIELDS: [&str; 8] = ["name", "reason", "purpose", "query", "trigger", "grouping", "quiet", "is_paused"];

pub(super) async fn watch(client: &Client, command: WatchCommand, wants_json: bool) -> Result<(), Failure> {
    let (answer, tell): (Value, fn(&Value)) = match command {
        WatchCommand::Add { theme, watch } => {
            let body = wanted(&watch)?;
            (client.send(Method::POST, &format!("/themes/{theme}/watches"), Some(&body)).await?, show)
        }
        WatchCommand::List { theme } => (client.get(&format!("/themes/{theme}/watches")).await?, list),
        WatchCommand::Show { watch } => (client.get(&path(watch)).await?, show),
        WatchCommand::Change { id, watch, because } => {
            let body = json!({ "watch": wanted(&watch)?, "reason": because });
            (client.send(Method::PUT, &path(id), Some(&body)).await?, show)
        }
        WatchCommand::Pause { watch, reason } => (rest(client, watch, true, &reason).await?, show),
        WatchCommand::Resume { watch, reason } => (rest(client, watch, false, &reason).await?, show),
        WatchCommand::Remove { watch, reason } => {
            let path = format!("{}{}", path(watch), query(&[("reason", reason)]));
            client.send(Method::DELETE, &path, None).await?;
            (json!({ "deleted": watch }), |answer| print::line(&format!("Deleted: {}", text(&answer["deleted"]))))
        }
    };
    if wants_json {
        print::json(&answer);
    } else {
        tell(&answer);
    }
    Ok(())
}

/// Lets a watch rest or go on; everything else stays as it is.
async fn rest(client: &Client, watch: CaptureId, is_paused: bool, reason: &str) -> Result<Value, Failure> {
    let present = client.get(&path(watch)).await?;
    let mut fields: Value =
        FIELDS.iter().map(|field| ((*field).to_owned(), present["watch"][*field].clone())).collect();
    fields["is_paused"] = is_paused.into();
    let body = json!({ "watch": fields, "reason": reason, "replaces": present["watch"]["version"] });
    client.send(Method::PUT, &path(watch), Some(&body)).await
}

fn wanted(args: &WatchArgs) -> Result<Value, Failure> {
    let mut pairs = Vec::new();
    if !args.query.is_empty() {
        pairs.push(("q", args.query.join(" ")));
    }
    for filter in &args.filters {
        let (name, value) = filter
            .split_once('=')
            .ok_or_else(|| Failure::Refused(format!("--filter {filter}: there is no = in it")))?;
        pairs.push((name, value.to_owned()));
    }
    Ok(json!({
        "name": args.name,
        "reason": args.reason,
        "purpose": args.purpose,
        "query": query(&pairs).trim_start_matches('?'),
        "trigger": args.trigger,
        "grouping": args.grouping,
        "quiet": args.quiet,
        "is_paused": false,
    }))
}

fn path(watch: CaptureId) -> String {
    format!("/themes/{}/watches/{}", watch.theme, watch.seq)
}

fn rows(list: &Value, columns: &[&str]) -> Vec<Vec<String>> {
    items(list).iter().map(|item| columns.iter().map(|column| text(&item[*column])).collect()).collect()
}

fn list(answer: &Value) {
    print::table(&COLUMNS, &rows(&answer["watches"], &COLUMNS));
    let spool = &answer["spool"];
    if !spool["problem"].is_null() {
        let (waiting, problem) = (text(&spool["waiting"]), text(&spool["problem"]));
        print::line(&format!("\n{waiting} alert(s) wait for the spool directory: {problem}"));
    }
}

fn show(answer: &Value) {
    let watch = &answer["watch"];
    for field in ["id", "version", "owner"].into_iter().chain(FIELDS) {
        print::line(&format!("{field}: {}", text(&watch[field])));
    }
    for field in ["looked_at_up_to", "ran_at", "hits", "has_more", "next_at", "waits_because"] {
        print::line(&format!("{field}: {}", text(&watch[field])));
    }
    print::line("");
    print::table(&STEPS, &rows(&answer["history"], &STEPS));
}

pub(super) async fn alerts(client: &Client, command: AlertsCommand, wants_json: bool) -> Result<(), Failure> {
    let (answer, tell): (Value, fn(&Value)) = match command {
        AlertsCommand::List { theme, watch, all, from, limit } => {
            let mut pairs = vec![("limit", limit.to_string())];
            pairs.extend(watch.map(|watch| ("watch", watch.to_string())));
            pairs.extend((!all).then(|| ("state", "open".to_owned())));
            pairs.extend(from.map(|from| ("from", from.to_string())));
            (client.get(&format!("/themes/{theme}/alerts{}", query(&pairs))).await?, list_alerts)
        }
        AlertsCommand::Show { alert } => (client.get(&alert_path(alert)).await?, show_alert),
        AlertsCommand::Ack { alert, note } => {
            let path = format!("{}/acknowledge", alert_path(alert));
            (client.send(Method::POST, &path, Some(&json!({ "note": note }))).await?, show_alert)
        }
    };
    if wants_json {
        print::json(&answer);
    } else {
        tell(&answer);
    }
    Ok(())
}

fn alert_path(alert: CaptureId) -> String {
    format!("/themes/{}/alerts/{}", alert.theme, alert.seq)
}

fn list_alerts(answer: &Value) {
    print::table(&ALERTS, &rows(&answer["alerts"], &ALERTS));
    if !answer["next"].is_null() {
        print::line(&format!("\nMore: the same command with --from {}", text(&answer["next"])));
    }
}

fn show_alert(alert: &Value) {
    for field in ["id", "at", "watch", "version", "name", "owner", "grouping", "count", "erased", "has_more"] {
        print::line(&format!("{field}: {}", text(&alert[field])));
    }
    let seen = &alert["acknowledged"];
    if !seen.is_null() {
        let (who, at, note) = (text(&seen["who"]), text(&seen["at"]), text(&seen["note"]));
        print::line(&format!("acknowledged: {who}, {at}: {note}"));
    }
    for capture in items(&alert["captures"]) {
        print::line(&text(capture));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn ordered(args: &str) -> Result<Value, String> {
        let cli = Cli::try_parse_from(format!("nachtwacht watch add --theme marketplace {args}").split(' '))
            .map_err(|error| error.to_string())?;
        let Command::Watch(WatchCommand::Add { watch, .. }) = cli.command else { panic!("{:?}", cli.command) };
        wanted(&watch).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_watch_says_what_was_asked_for() {
        let watch = ordered("--name n --reason r --filter kind=listing --quiet 22:00-06:00 ship lantern").unwrap();
        assert_eq!(watch["query"], "q=ship%20lantern&kind=listing");
        assert_eq!((&watch["trigger"], &watch["grouping"]), (&json!("arrival"), &json!("uri")));
        assert_eq!((&watch["quiet"], &watch["purpose"]), (&json!("22:00-06:00"), &Value::Null));
        let watch = ordered("--name n --reason r --trigger daily:06:30 --group run --filter label=relevant").unwrap();
        assert_eq!(
            (&watch["query"], &watch["trigger"], &watch["grouping"]),
            (&json!("label=relevant"), &json!("daily:06:30"), &json!("run"))
        );
    }

    #[test]
    fn a_watch_that_says_too_little_or_nonsense_is_refused() {
        for (args, why) in [
            ("--name n x", "--reason"),
            ("--name n --reason r --trigger hourly x", "trigger"),
            ("--name n --reason r --quiet 22:00 x", "times"),
            ("--name n --reason r --filter kind", "no = in it"),
        ] {
            let error = ordered(args).unwrap_err();
            assert!(error.contains(why), "{args}: {error}");
        }
    }
}

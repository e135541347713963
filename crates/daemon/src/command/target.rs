use std::io::Read as _;

use anyhow::Context as _;
use hyper::Method;
use model::ThemeId;
use serde_json::{Map, Value, json};

use super::{author, items, text};
use crate::{
    cli::{DecisionArgs, TargetAdd, TargetCommand, TargetRef},
    client::Client,
    failure::Failure,
    print,
};

pub(super) async fn run(client: &Client, command: TargetCommand, wants_json: bool) -> Result<(), Failure> {
    let answer = match command {
        TargetCommand::Add(args) => {
            client.send(Method::POST, &format!("/themes/{}/targets", args.theme), Some(&added(&args)?)).await?
        }
        TargetCommand::List { theme } => return list(client, theme, wants_json).await,
        TargetCommand::Show(target) => client.get(&path(&target)).await?,
        TargetCommand::Pause(target) => steer(client, &target, "pause").await?,
        TargetCommand::Resume(target) => steer(client, &target, "resume").await?,
        TargetCommand::Retire(target) => steer(client, &target, "retire").await?,
        TargetCommand::Decide { target, decision: args } => {
            client.send(Method::POST, &format!("{}/decision", path(&target)), Some(&decision(&args)?)).await?
        }
        TargetCommand::Login(target) => login(client, &target).await?,
    };
    if wants_json {
        print::json(&answer);
    } else {
        show(&answer);
    }
    Ok(())
}

fn path(target: &TargetRef) -> String {
    format!("/themes/{}/targets/{}", target.theme, target.id)
}

async fn steer(client: &Client, target: &TargetRef, verb: &str) -> Result<Value, Failure> {
    client.send(Method::POST, &format!("{}/{verb}", path(target)), None).await
}

fn added(args: &TargetAdd) -> Result<Value, Failure> {
    let mut scope = Map::new();
    scope.insert("include".into(), json!(args.include));
    scope.insert("exclude".into(), json!(args.exclude));
    put(&mut scope, "max_depth", args.max_depth);
    put(&mut scope, "pages_per_day", args.pages_per_day);
    let mut pace = Map::new();
    put(&mut pace, "delay_ms", args.delay_ms);
    put(&mut pace, "concurrency", args.concurrency);
    Ok(
        json!({ "name": args.name, "seeds": args.seeds, "scope": scope, "pace": pace, "decision": decision(&args.decision)? }),
    )
}

fn put<T: serde::Serialize>(map: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value {
        map.insert(key.into(), json!(value));
    }
}

fn decision(args: &DecisionArgs) -> Result<Value, Failure> {
    let author = author(args.author.clone())?;
    let ends_at = args.ends_at().map_err(|error| Failure::Refused(format!("--ends: {error}")))?;
    Ok(json!({
        "grounds": args.grounds,
        "legal_basis": args.legal_basis,
        "author": author,
        "ends_at": ends_at,
        "robots": if args.obey_robots { "obey" } else { "record" },
        "allows_exit": args.allow_exit,
        "allows_proof_of_work": args.allow_proof_of_work,
        "allows_conditional_requests": args.allow_conditional_requests,
    }))
}

/// Cookies come by standard input, where no list of processes shows them.
async fn login(client: &Client, target: &TargetRef) -> Result<Value, Failure> {
    let mut lines = String::new();
    std::io::stdin().take(1 << 20).read_to_string(&mut lines).context("standard input cannot be read")?;
    let mut cookies = Vec::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) =
            line.split_once('=').ok_or_else(|| Failure::Refused("a cookie is written as name=value".into()))?;
        cookies.push(json!({ "name": name, "value": value }));
    }
    let path = format!("{}/login", path(target));
    if cookies.is_empty() {
        client.send(Method::DELETE, &path, None).await?;
    } else {
        client.send(Method::PUT, &path, Some(&json!({ "cookies": cookies }))).await?;
    }
    client.get(&self::path(target)).await
}

async fn list(client: &Client, theme: Option<ThemeId>, wants_json: bool) -> Result<(), Failure> {
    let themes: Vec<String> = match theme {
        Some(theme) => vec![theme.to_string()],
        None => items(&client.get("/themes").await?["themes"]).iter().map(|theme| text(&theme["id"])).collect(),
    };
    let mut targets = Vec::new();
    for theme in themes {
        targets.extend(items(&client.get(&format!("/themes/{theme}/targets")).await?["targets"]).iter().cloned());
    }
    if wants_json {
        print::json(&json!({ "targets": targets }));
        return Ok(());
    }
    let row = |target: &Value| {
        let crawl = &target["crawl"];
        let state = if target["attention"].is_null() { text(&target["state"]) } else { "needs attention".into() };
        vec![
            text(&target["theme"]),
            text(&target["id"]),
            text(&target["name"]),
            state,
            text(&crawl["captures"]),
            text(&crawl["queued"]),
            text(&crawl["last_outcome"]),
        ]
    };
    print::table(
        &["theme", "id", "name", "state", "captures", "queued", "last outcome"],
        &targets.iter().map(row).collect::<Vec<_>>(),
    );
    Ok(())
}

fn show(target: &Value) {
    print::line(&format!("{} {}  {}", text(&target["theme"]), text(&target["id"]), text(&target["name"])));
    print::line(&format!("state     {}", text(&target["state"])));
    if !target["attention"].is_null() {
        print::line(&format!(
            "attention {} (since {})",
            text(&target["attention"]["reason"]),
            text(&target["attention"]["since"])
        ));
    }
    for seed in items(&target["seeds"]) {
        print::line(&format!("seed      {}", text(seed)));
    }
    for decision in items(&target["decisions"]) {
        print::line(&format!(
            "decision  {} by {}, until {}: {} ({})",
            text(&decision["number"]),
            text(&decision["author"]),
            text(&decision["ends_at"]),
            text(&decision["grounds"]),
            text(&decision["legal_basis"]),
        ));
    }
    let crawl = &target["crawl"];
    print::line(&format!(
        "crawl     {} captures, {} queued, {} in flight, last outcome {} at {}",
        text(&crawl["captures"]),
        text(&crawl["queued"]),
        text(&crawl["in_flight"]),
        text(&crawl["last_outcome"]),
        text(&crawl["last_at"]),
    ));
    if let Some(reason) = crawl["waits_because"].as_str() {
        print::line(&format!("waits     {reason}"));
    }
    for drift in items(&target["drifts"]) {
        print::line(&format!(
            "drift     site profile {} does not fit {} of the newest {} pages that it should read; see capture {}",
            text(&drift["profile"]),
            text(&drift["missed"]),
            text(&drift["of"]),
            text(&drift["seen_in"]),
        ));
    }
    for trap in items(&target["traps"]) {
        print::line(&format!("trap      {} ({} refused)", text(&trap["template"]), text(&trap["refused"])));
    }
}

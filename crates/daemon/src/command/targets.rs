//! Proposals, decisions, and what people want of targets.

mod shown;

use std::io::Read as _;

use anyhow::Context as _;
use hyper::Method;
use model::{TargetId, ThemeId};
use serde_json::{Map, Value, json};

use super::{items, text};
use crate::{
    cli::{AnswerArgs, FoundArgs, TargetCommand, TargetRef, TermsArgs},
    client::Client,
    failure::Failure,
    print,
};

pub(super) async fn run(client: &Client, command: TargetCommand, wants_json: bool) -> Result<(), Failure> {
    let (answer, show): (Value, fn(&Value)) = match command {
        TargetCommand::Propose { theme, name, terms, found } => {
            let body = json!({ "name": name, "terms": settings(&terms), "found_in": found_in(&found) });
            (post(client, &format!("/themes/{theme}/targets"), &body).await?, shown::target)
        }
        TargetCommand::Change { target, terms, found } => {
            let body = json!({ "terms": settings(&terms), "found_in": found_in(&found) });
            (post(client, &format!("{}/proposals", path(&target)), &body).await?, shown::proposal)
        }
        TargetCommand::Probe { target, uri, grounds, legal_basis, allow_exit, ends } => {
            let mut body =
                json!({ "uri": uri, "grounds": grounds, "legal_basis": legal_basis, "allows_exit": allow_exit });
            if let Some(ends) = ends {
                body["ends_at"] = json!(ends);
            }
            (post(client, &format!("{}/probes", path(&target)), &body).await?, shown::proposal)
        }
        TargetCommand::Health { theme, all } => return health(client, theme, all, wants_json).await,
        TargetCommand::Proposals { theme, target } => return proposals(client, theme, target, wants_json).await,
        TargetCommand::Proposal { target, proposal } => {
            (client.get(&format!("{}/proposals/{proposal}", path(&target))).await?, shown::proposal)
        }
        TargetCommand::Approve(args) => (answer(client, &args, "approve").await?, shown::proposal),
        TargetCommand::Reject(args) => (answer(client, &args, "reject").await?, shown::proposal),
        TargetCommand::Withdraw(args) => (answer(client, &args, "withdraw").await?, shown::proposal),
        TargetCommand::End { target, decision, reasons } => {
            let body = json!({ "decision": decision, "reasons": reasons });
            (post(client, &format!("{}/end-decision", path(&target)), &body).await?, shown::target)
        }
        TargetCommand::History(target) => return history(client, &target, wants_json).await,
        TargetCommand::List { theme } => return list(client, theme, wants_json).await,
        TargetCommand::Show(target) => (client.get(&path(&target)).await?, shown::target),
        TargetCommand::Rename { target, name } => {
            let renamed = client.send(Method::PATCH, &path(&target), Some(&json!({ "name": name }))).await?;
            (renamed, shown::target)
        }
        TargetCommand::Pause(target) => (steer(client, &target, "pause").await?, shown::target),
        TargetCommand::Resume(target) => (steer(client, &target, "resume").await?, shown::target),
        TargetCommand::Retire(target) => (steer(client, &target, "retire").await?, shown::target),
        TargetCommand::Login(target) => (login(client, &target).await?, shown::target),
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

async fn post(client: &Client, path: &str, body: &Value) -> Result<Value, Failure> {
    client.send(Method::POST, path, Some(body)).await
}

async fn steer(client: &Client, target: &TargetRef, verb: &str) -> Result<Value, Failure> {
    client.send(Method::POST, &format!("{}/{verb}", path(target)), None).await
}

async fn answer(client: &Client, args: &AnswerArgs, verb: &str) -> Result<Value, Failure> {
    let path = format!("{}/proposals/{}/{verb}", path(&args.target), args.proposal);
    post(client, &path, &json!({ "reasons": args.reasons })).await
}

/// What was given of the terms.
fn settings(args: &TermsArgs) -> Value {
    let mut scope = Map::new();
    put_list(&mut scope, "hosts", &args.hosts);
    put_list(&mut scope, "include", &args.include);
    put_list(&mut scope, "exclude", &args.exclude);
    put(&mut scope, "max_depth", args.max_depth);
    put(&mut scope, "pages_per_day", args.pages_per_day);
    let mut pace = Map::new();
    put(&mut pace, "delay_ms", args.delay_ms);
    put(&mut pace, "concurrency", args.concurrency);
    put(&mut pace, "revisit_min_s", args.revisit_min_s);
    put(&mut pace, "revisit_max_s", args.revisit_max_s);
    let mut terms = Map::new();
    put_list(&mut terms, "seeds", &args.seeds);
    put(&mut terms, "scope", Some(scope));
    put(&mut terms, "pace", Some(pace));
    put(&mut terms, "grounds", args.grounds.as_ref());
    put(&mut terms, "expected_value", args.expected_value.as_ref());
    put(&mut terms, "legal_basis", args.legal_basis.as_ref());
    put(&mut terms, "necessity", args.necessity.as_ref());
    put(&mut terms, "proportionality", args.proportionality.as_ref());
    put(&mut terms, "reliability", args.reliability);
    put(&mut terms, "credibility", args.credibility);
    put(&mut terms, "media", args.images.map(|yes| if yes { "text-and-images" } else { "text-only" }));
    put(&mut terms, "robots", args.obey_robots.map(|yes| if yes { "obey" } else { "record" }));
    put(&mut terms, "allows_exit", args.allow_exit);
    put(&mut terms, "allows_proof_of_work", args.allow_proof_of_work);
    put(&mut terms, "allows_conditional_requests", args.allow_conditional_requests);
    put(&mut terms, "retention_days", args.retention_days);
    put(&mut terms, "review_at", args.review);
    put(&mut terms, "ends_at", args.ends);
    Value::Object(terms)
}

fn found_in(args: &FoundArgs) -> Value {
    let mut found = Map::new();
    put(&mut found, "capture", args.found_in);
    put(&mut found, "service", args.found_at.as_ref());
    put(&mut found, "link", args.found_link.as_ref());
    if found.is_empty() { Value::Null } else { Value::Object(found) }
}

fn put<T: serde::Serialize>(map: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value {
        map.insert(key.into(), json!(value));
    }
}

fn put_list(map: &mut Map<String, Value>, key: &str, list: &[String]) {
    put(map, key, (!list.is_empty()).then_some(list));
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

async fn history(client: &Client, target: &TargetRef, wants_json: bool) -> Result<(), Failure> {
    if wants_json {
        print::json(&client.get(&format!("{}/history", path(target))).await?);
    } else {
        let document = client.bytes(&format!("{}/history.md", path(target))).await?;
        print::line(String::from_utf8_lossy(&document).trim_end());
    }
    Ok(())
}

async fn health(client: &Client, theme: ThemeId, all: bool, wants_json: bool) -> Result<(), Failure> {
    let health = client.get(&format!("/themes/{theme}/source-health")).await?;
    if wants_json {
        print::json(&health);
        return Ok(());
    }
    let told = items(&health["sources"]).iter().filter(|source| all || source["state"] != "well");
    let row =
        |source: &Value| ["state", "id", "name", "since", "cause"].iter().map(|field| text(&source[*field])).collect();
    let rows: Vec<Vec<String>> = told.map(row).collect();
    if rows.is_empty() {
        print::line(&format!("All {} sources are well.", items(&health["sources"]).len()));
    } else {
        print::table(&["state", "id", "name", "since", "cause"], &rows);
    }
    Ok(())
}

async fn proposals(client: &Client, theme: ThemeId, target: Option<TargetId>, wants_json: bool) -> Result<(), Failure> {
    let answer = match target {
        Some(target) => client.get(&format!("/themes/{theme}/targets/{target}/proposals")).await?,
        None => client.get(&format!("/themes/{theme}/open-proposals")).await?,
    };
    if wants_json {
        print::json(&answer);
        return Ok(());
    }
    let row = |proposal: &Value| {
        let what = if proposal["probe"].is_null() { "crawl" } else { "probe" };
        let fields = ["proposal", "target", "name", "state", "by", "at"].map(|field| text(&proposal[field]));
        fields.into_iter().chain([what.to_owned()]).collect()
    };
    let rows: Vec<Vec<String>> = items(&answer["proposals"]).iter().map(row).collect();
    print::table(&["proposal", "target", "name", "state", "by", "at", "what"], &rows);
    Ok(())
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
        vec![
            text(&target["theme"]),
            text(&target["id"]),
            text(&target["name"]),
            shown::state(target),
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

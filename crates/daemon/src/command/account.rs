//! One's own account, and those of others.

use std::path::Path;

use hyper::Method;
use model::AccountName;
use serde_json::{Value, json};

use super::{items, moment, text};
use crate::{
    cli::{AuditArgs, GiveArgs, TokenCommand, UserCommand},
    client::{Client, query},
    failure::Failure,
    identity, print,
};

/// For how long a login of the command line lasts, in hours.
const LOGIN_HOURS: u64 = 12;

/// Logs in with a password from the terminal or from standard input, sets a new one where that is asked for, and keeps a token.
pub(super) async fn login(client: &Client, name: &AccountName, file: &Path, wants_json: bool) -> Result<(), Failure> {
    let password = identity::ask_password(&format!("Password of {name}"))?;
    let (mut own, mut session) = client.log_in(name.as_str(), &password).await?;
    if own["must_change_password"] == true {
        print::note("The password was chosen by somebody else: set one of your own, of at least 15 characters.");
        let new = identity::ask_password("New password")?;
        session.send(Method::PUT, "/account/password", Some(&json!({ "old": password, "new": new }))).await?;
        (own, session) = client.log_in(name.as_str(), &new).await?;
    }
    let now = model::Clock::now(&model::SystemClock);
    let ends_at = now.after(std::time::Duration::from_secs(60 * 60 * LOGIN_HOURS));
    let body = json!({ "label": "command line", "ends_at": ends_at });
    let token = session.send(Method::POST, "/account/tokens", Some(&body)).await?;
    session.send(Method::DELETE, "/session", None).await?;
    identity::write(file, token["secret"].as_str().unwrap_or_default())?;
    if wants_json {
        print::json(&own);
    } else {
        print::line(&format!("You are {name}, until {ends_at}."));
        roles(&own);
    }
    Ok(())
}

/// Forgets the token, here and at the daemon.
pub(super) async fn logout(client: &Client, file: &Path) -> Result<(), Failure> {
    if identity::read(file)?.is_some() {
        let ended = client.send(Method::DELETE, "/session", None).await;
        identity::forget(file)?;
        // A token that has lapsed needs no ending.
        if let Err(error) = ended {
            print::note(&format!("the daemon did not know the token any more: {error}"));
        }
    }
    print::line("You are logged out.");
    Ok(())
}

/// Says who one is to the daemon.
pub(super) async fn whoami(client: &Client, wants_json: bool) -> Result<(), Failure> {
    let own = client.get("/account").await?;
    if wants_json {
        print::json(&own);
    } else {
        print::line(&text(&own["name"]));
        roles(&own);
    }
    Ok(())
}

/// Sets one's password; the token that is kept ends with the old one.
pub(super) async fn password(client: &Client, file: &Path) -> Result<(), Failure> {
    let old = identity::ask_password("Password until now")?;
    let new = identity::ask_password("New password")?;
    client.send(Method::PUT, "/account/password", Some(&json!({ "old": old, "new": new }))).await?;
    identity::forget(file)?;
    print::line("It is set. Log in with it.");
    Ok(())
}

pub(super) async fn user(client: &Client, command: UserCommand, wants_json: bool) -> Result<(), Failure> {
    let answer = match &command {
        UserCommand::Add { name, full_name } => {
            let body = json!({ "name": name, "full_name": full_name });
            client.send(Method::POST, "/accounts", Some(&body)).await?
        }
        UserCommand::List => client.get("/accounts").await?,
        UserCommand::Show { name } => client.get(&format!("/accounts/{name}")).await?,
        UserCommand::Give(args) => give(client, args).await?,
        UserCommand::End { name, number, reason } => {
            let body = json!({ "reason": reason });
            client.send(Method::POST, &format!("/accounts/{name}/roles/{number}/end"), Some(&body)).await?
        }
        UserCommand::Reset { name } => client.send(Method::POST, &format!("/accounts/{name}/password"), None).await?,
        UserCommand::Disable { name, reason } => set(client, name, "disable", reason).await?,
        UserCommand::Enable { name, reason } => set(client, name, "enable", reason).await?,
    };
    if wants_json {
        print::json(&answer);
        return Ok(());
    }
    match command {
        UserCommand::Add { .. } | UserCommand::Reset { .. } => {
            print::line(&format!("The password of {}, told only this once:", text(&answer["name"])));
            print::line(&text(&answer["password"]));
        }
        UserCommand::List => list(&answer),
        _ => show(&answer),
    }
    Ok(())
}

async fn give(client: &Client, args: &GiveArgs) -> Result<Value, Failure> {
    let body = json!({
        "role": args.role,
        "theme": args.theme,
        "may_search": args.may_search,
        "qualification": args.qualification,
        "ends_at": moment(&args.ends)?,
    });
    client.send(Method::POST, &format!("/accounts/{}/roles", args.name), Some(&body)).await
}

async fn set(client: &Client, name: &AccountName, verb: &str, reason: &str) -> Result<Value, Failure> {
    client.send(Method::POST, &format!("/accounts/{name}/{verb}"), Some(&json!({ "reason": reason }))).await
}

pub(super) async fn token(client: &Client, command: TokenCommand, wants_json: bool) -> Result<(), Failure> {
    let answer = match command {
        TokenCommand::List => client.get("/account/tokens").await?,
        TokenCommand::New { label, ends, scopes } => {
            let scopes: Vec<Value> = scopes.iter().map(|scope| named_scope(scope)).collect();
            let body = json!({ "label": label, "ends_at": moment(&ends)?, "scopes": scopes });
            let token = client.send(Method::POST, "/account/tokens", Some(&body)).await?;
            if !wants_json {
                print::line(&format!("The secret of token {}, told only this once:", text(&token["id"])));
                print::line(&text(&token["secret"]));
                return Ok(());
            }
            token
        }
        TokenCommand::Revoke { id } => {
            client.send(Method::DELETE, &format!("/account/tokens/{id}"), None).await?;
            print::line("It is good for nothing any more.");
            return Ok(());
        }
    };
    if wants_json {
        print::json(&answer);
        return Ok(());
    }
    let label = |token: &Value| token["label"].as_str().map_or_else(|| "(session)".to_owned(), str::to_owned);
    let row = |token: &Value| {
        vec![
            text(&token["id"]),
            label(token),
            text(&token["made_at"]),
            text(&token["used_at"]),
            text(&token["ends_at"]),
        ]
    };
    print::table(
        &["id", "label", "made", "used", "ends"],
        &items(&answer["tokens"]).iter().map(row).collect::<Vec<_>>(),
    );
    Ok(())
}

/// `role@theme`, or a role alone; the daemon says what is wrong with it.
fn named_scope(scope: &str) -> Value {
    match scope.split_once('@') {
        Some((role, theme)) => json!({ "role": role, "theme": theme }),
        None => json!({ "role": scope }),
    }
}

pub(super) async fn audit(client: &Client, args: AuditArgs, wants_json: bool) -> Result<(), Failure> {
    let mut pairs = vec![("limit", if args.export { "1000".to_owned() } else { args.limit.to_string() })];
    pairs.extend(args.who.map(|who| ("who", who)));
    pairs.extend(args.action.map(|action| ("action", action)));
    for (name, time) in [("from", args.from), ("until", args.until)] {
        if let Some(time) = time {
            pairs.push((name, moment(&time)?.to_string()));
        }
    }
    let path = args.theme.map_or_else(|| "/audit".to_owned(), |theme| format!("/themes/{theme}/audit"));
    let mut before = args.before;
    loop {
        let mut page = pairs.clone();
        page.extend(before.map(|before| ("before", before.to_string())));
        let answer = client.get(&format!("{path}{}", query(&page))).await?;
        before = answer["next"].as_u64();
        match (args.export, wants_json) {
            (true, _) => items(&answer["entries"]).iter().for_each(print::json),
            (false, true) => print::json(&answer),
            (false, false) => entries(&answer),
        }
        if !args.export || before.is_none() {
            return Ok(());
        }
    }
}

fn entries(answer: &Value) {
    let row = |entry: &Value| {
        let facts = &entry["facts"];
        let about = ["theme", "seq", "id", "account", "role", "count", "refused"];
        let about = about.iter().filter(|name| !facts[**name].is_null());
        let about = about.map(|name| format!("{name}={}", text(&facts[*name]))).collect::<Vec<_>>().join(" ");
        let texts = entry["texts"].as_object().into_iter().flatten();
        let texts = texts.map(|(name, value)| format!("{name}={}", text(value))).collect::<Vec<_>>().join(" ");
        let cells = [&entry["leaf"], &entry["at"], &facts["who"], &facts["action"], &facts["status"]];
        cells.into_iter().map(text).chain([about, texts]).collect::<Vec<_>>()
    };
    let rows: Vec<_> = items(&answer["entries"]).iter().map(row).collect();
    print::table(&["leaf", "at", "who", "action", "status", "about", "texts"], &rows);
    if let Some(next) = answer["next"].as_u64() {
        print::note(&format!("More: --before {next}"));
    }
}

fn roles(own: &Value) {
    let rows: Vec<_> = items(&own["roles"]).iter().map(|role| vec![text(&role["role"]), place(role)]).collect();
    print::table(&["role", "theme"], &rows);
}

fn place(role: &Value) -> String {
    role["theme"].as_str().unwrap_or("(the house)").to_owned()
}

fn list(answer: &Value) {
    let row = |account: &Value| {
        let held = items(&account["roles"]).iter().filter(|role| role["is_in_force"] == true);
        let held = held.map(|role| format!("{}@{}", text(&role["role"]), place(role))).collect::<Vec<_>>().join(", ");
        let state = if account["is_disabled"] == true {
            "disabled"
        } else if account["has_one_time_password"] == true {
            "waits for its owner"
        } else {
            "in use"
        };
        vec![text(&account["name"]), text(&account["full_name"]), state.to_owned(), held]
    };
    let rows: Vec<_> = items(&answer["accounts"]).iter().map(row).collect();
    print::table(&["name", "full name", "state", "roles"], &rows);
}

fn show(account: &Value) {
    print::line(&format!("{} ({})", text(&account["name"]), text(&account["full_name"])));
    let row = |role: &Value| {
        let state = if role["is_in_force"] == true { "held" } else { "ended" };
        let cells = ["number", "role"].map(|name| text(&role[name]));
        let more = ["given_by", "given_at", "ends_at", "qualification"].map(|name| text(&role[name]));
        cells.into_iter().chain([place(role), state.to_owned()]).chain(more).collect::<Vec<_>>()
    };
    let rows: Vec<_> = items(&account["roles"]).iter().map(row).collect();
    print::table(&["number", "role", "theme", "state", "given by", "given", "ends", "qualification"], &rows);
}

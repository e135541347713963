//! What each command does.

mod account;
mod backup;
mod capture;
mod custody;
mod doctor;
mod dossier;
mod export;
mod generate;
mod label;
mod log;
mod observable;
mod results;
mod rules;
mod search;
mod service;
mod status;
mod targets;
mod version;
mod watch;

use std::path::Path;

use anyhow::Context as _;
use model::{Clock as _, SystemClock, Timestamp};
use serde_json::{Value, json};
use store::Store;

use crate::{
    cli::{Cli, Command, ErasuresCommand, IndicatorsCommand},
    client::Client,
    config::Config,
    credentials::{self, Credentials},
    failure::Failure,
    identity, print, reload, serve, themes,
};

/// Runs the command.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { config: path, json: wants_json, token_file, purpose, command } = cli;
    if matches!(command, Command::Version { command: None }) {
        program_version(wants_json);
        return Ok(());
    }
    if let Command::Indicators(IndicatorsCommand::Check { files }) = &command {
        return rules::check(files, wants_json);
    }
    match &command {
        Command::Completions { shell } => {
            generate::completions(*shell);
            return Ok(());
        }
        Command::Manual { directory } => return generate::manual(directory),
        _ => {}
    }
    if matches!(command, Command::Reload) {
        // The daemon, and not this command, is to say what is wrong with a configuration: then its log and its status say it too.
        let config = Config::load(&path).unwrap_or_default();
        return runtime()?.block_on(reload(&config.listen.socket, wants_json));
    }
    let config = Config::load(&path)?;
    match command {
        Command::Serve => serve::run(&path, config),
        Command::Init { new_log_key } => init(&config, new_log_key, wants_json),
        Command::CheckConfig => check(&config, wants_json),
        Command::Restore(args) => backup::restore(&config, &args, wants_json),
        Command::Verify(args) if args.offline => log::verify_offline(&config, &args, wants_json),
        command => {
            let file =
                token_file.or_else(identity::default_file).context("say with --token-file where the token is")?;
            let client = Client::new(&config.listen.socket, identity::read(&file)?, purpose);
            if let Command::Doctor { onion } = command {
                let onion = onion.as_deref();
                return runtime()?.block_on(doctor::run(&path, &config, &client, onion, wants_json));
            }
            runtime()?.block_on(ask(&client, &file, command, wants_json))
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?)
}

async fn reload(socket: &Path, wants_json: bool) -> Result<(), Failure> {
    let report = reload::ask(socket).await?;
    if wants_json {
        print::json(&serde_json::to_value(&report).context("the answer cannot be written out")?);
    } else {
        print::line(&format!("Read anew: {}.", report.taken.join(", ")));
        for setting in &report.restart {
            print::line(&format!("Needs a restart: {setting}."));
        }
    }
    for problem in &report.kept {
        print::note(&format!("nachtwacht: {problem}"));
    }
    if report.kept.is_empty() { Ok(()) } else { Err(Failure::NotReloaded(report.kept.len())) }
}

async fn ask(client: &Client, token_file: &Path, command: Command, wants_json: bool) -> Result<(), Failure> {
    match command {
        Command::Login { name } => account::login(client, &name, token_file, wants_json).await,
        Command::Logout => account::logout(client, token_file).await,
        Command::Whoami => account::whoami(client, wants_json).await,
        Command::Password => account::password(client, token_file).await,
        Command::User(command) => account::user(client, command, wants_json).await,
        Command::Token(command) => account::token(client, command, wants_json).await,
        Command::Audit(args) => account::audit(client, args, wants_json).await,
        Command::Target(command) => targets::run(client, command, wants_json).await,
        Command::Search(args) => match args.export.clone() {
            Some(file) => results::run(client, &args, &file, wants_json).await,
            None => search::run(client, args, wants_json).await,
        },
        Command::Watch(command) => watch::watch(client, command, wants_json).await,
        Command::Alerts(command) => watch::alerts(client, command, wants_json).await,
        Command::Dossier(command) => dossier::run(client, command, wants_json).await,
        Command::Observable(args) => observable::run(client, args, wants_json).await,
        Command::Indicators(command) => rules::indicators(client, command, wants_json).await,
        Command::Findings { capture } => rules::findings(client, capture, wants_json).await,
        Command::Label(command) => label::run(client, command, wants_json).await,
        Command::Site(command) => rules::sites(client, command, wants_json).await,
        Command::Service(args) => service::service(client, args, wants_json).await,
        Command::Clusters(args) => service::clusters(client, args, wants_json).await,
        Command::Proposals(args) => service::proposals(client, args, wants_json).await,
        Command::Price(args) => service::price(client, args, wants_json).await,
        Command::Vendor(args) => service::vendor(client, args, wants_json).await,
        Command::Capture(command) => capture::run(client, command, wants_json).await,
        Command::Hold(command) => custody::hold(client, command, wants_json).await,
        Command::Seal(command) => custody::seal(client, command, wants_json).await,
        Command::Erase(args) => custody::erase(client, args, wants_json).await,
        Command::Retention { theme, dry_run } => custody::retention(client, theme, dry_run, wants_json).await,
        Command::Export(args) => export::run(client, args, wants_json).await,
        Command::Verify(args) => log::verify(client, args, wants_json).await,
        Command::Checkpoint(command) => log::checkpoint(client, command, wants_json).await,
        Command::Backup(args) => backup::backup(client, args, wants_json).await,
        Command::Erasures(ErasuresCommand::Export) => backup::export(client).await,
        Command::Erasures(ErasuresCommand::Pending { theme }) => custody::pending(client, theme, wants_json).await,
        Command::Status { watch } => status::run(client, watch, wants_json).await,
        Command::Version { command: Some(command) } => version::run(client, command, wants_json).await,
        Command::Serve
        | Command::Init { .. }
        | Command::CheckConfig
        | Command::Doctor { .. }
        | Command::Reload
        | Command::Completions { .. }
        | Command::Manual { .. }
        | Command::Restore(_)
        | Command::Version { command: None } => Ok(()),
    }
}

fn program_version(wants_json: bool) {
    let version = env!("CARGO_PKG_VERSION");
    if wants_json { print::json(&json!({ "version": version })) } else { print::line(&format!("nachtwacht {version}")) }
}

fn init(config: &Config, new_log_key: bool, wants_json: bool) -> Result<(), Failure> {
    let themes = themes::load(&config.themes_dir)?;
    let made_keys = credentials::init(&config.data_dir, new_log_key)?;
    let key = Credentials::load(&config.data_dir)?.login_key;
    let store = Store::open(&config.store_dir(), &config.store, key)?;
    let accounts = web::first_accounts(&store, &themes, SystemClock.now()).map_err(anyhow::Error::msg)?;
    if wants_json {
        print::json(&json!({ "data_dir": config.data_dir, "accounts": accounts }));
        return Ok(());
    }
    let directory = config.data_dir.display();
    if accounts.is_empty() && !made_keys {
        print::line(&format!("{directory} was ready already; nothing was changed."));
        return Ok(());
    }
    print::line(&format!("{directory} is ready."));
    for account in accounts {
        print::line(&format!("The password of {}, told only this once: {}", account.name, account.password));
    }
    Ok(())
}

fn check(config: &Config, wants_json: bool) -> Result<(), Failure> {
    let themes = themes::load(&config.themes_dir)?;
    let names: Vec<String> = themes.iter().map(|theme| theme.id.to_string()).collect();
    if wants_json {
        print::json(&json!({ "themes": names }));
    } else {
        print::line(&format!("The configuration is well. Themes: {}.", names.join(", ")));
    }
    Ok(())
}

/// A moment: RFC 3339, or a date, which means its first moment in UTC.
fn moment(text: &str) -> Result<Timestamp, Failure> {
    let moment = text.parse().or_else(|error| format!("{text}T00:00:00Z").parse().map_err(|_| error));
    Ok(moment.with_context(|| text.to_owned())?)
}

/// A field of an answer as text; a dash where there is none.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".into(),
        other => other.to_string(),
    }
}

/// The elements of an answer's array.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

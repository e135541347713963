//! Backups, the way back, and the list that it demands.

use std::path;

use anyhow::Context as _;
use hyper::Method;
use model::{Clock as _, SystemClock};
use serde_json::{Value, json};
use store::{BackupError, Depth, Notary, RestoreOrder};

use super::{log, text};
use crate::{
    cli::{BackupArgs, RestoreArgs},
    client::Client,
    config::Config,
    credentials::Credentials,
    failure::Failure,
    print,
};

/// Has the daemon make a backup, with a bar of progress.
pub(super) async fn backup(client: &Client, args: BackupArgs, wants_json: bool) -> Result<(), Failure> {
    let to = path::absolute(&args.to).context("the directory of backups")?;
    let order = json!({ "to": to, "keep_days": args.keep_days });
    let mut bar = print::Bar::new("backing up");
    let mut answer = None;
    client
        .lines(Method::POST, "/backups", Some(&order), |line: Value| {
            if let (Some(done), Some(total)) = (line["progress"]["done"].as_u64(), line["progress"]["total"].as_u64()) {
                bar.show(done, total);
            } else {
                answer = Some(line);
            }
        })
        .await?;
    bar.clear();
    let answer = answer.context("the backup broke off")?;
    if let Some(failed) = answer["failed"].as_str() {
        return Err(Failure::Refused(failed.to_owned()));
    }
    let backup = &answer["backup"];
    if wants_json {
        print::json(backup);
        return Ok(());
    }
    print::line(&format!(
        "Backed up {} leaves, {} bytes, of which {} are new. It may be restored until {}. {} expired backup(s) deleted.",
        text(&backup["leaves"]),
        text(&backup["bytes"]),
        text(&backup["new_bytes"]),
        text(&backup["expires_at"]),
        text(&backup["deleted"]),
    ));
    print::line(
        "A restore also needs the credentials and the list that `nachtwacht erasures export` prints: keep both elsewhere.",
    );
    Ok(())
}

/// Prints the list of erasures.
pub(super) async fn export(client: &Client) -> Result<(), Failure> {
    print::line(&String::from_utf8_lossy(&client.bytes("/erasures").await?));
    Ok(())
}

/// Restores a backup, without the daemon: every piece is checked, what was erased since is erased again, and everything is verified.
pub(super) fn restore(config: &Config, args: &RestoreArgs, wants_json: bool) -> Result<(), Failure> {
    let credentials = Credentials::load(&config.data_dir)?;
    let erasures = store::read_erasures(&args.erasures)?;
    let order = RestoreOrder {
        from: &args.from,
        at: args.at,
        into: &config.store_dir(),
        erasures: &erasures,
        now: SystemClock.now(),
    };
    let mut bar = print::Bar::new("restoring");
    let (store, restored) =
        store::restore(&order, &credentials.backup_key, &config.store, credentials.login_key, &mut |moved| {
            bar.show(moved.done, moved.total);
        })?;
    bar.clear();
    if !wants_json {
        print::line(&format!(
            "Restored the backup of {}: {} bytes, {} leaves; {} capture(s) erased since were erased again. The search index is made again by the daemon.",
            restored.made_at, restored.bytes, restored.leaves, restored.erased,
        ));
    }
    let notary = Notary::new(store, credentials.log_key, &config.checkpoint_dir());
    let mut bar = print::Bar::new("verifying");
    let report = notary.verify(Depth::Full, &mut |progress| {
        bar.show(progress.done, progress.total);
        true
    })?;
    bar.clear();
    log::told(&report, &[], wants_json.then(|| json!({ "restored": restored })))
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Store(error) => error.into(),
            BackupError::File { .. } => Self::Other(error.into()),
            refused => Self::Refused(refused.to_string()),
        }
    }
}

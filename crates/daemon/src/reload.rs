//! Reads files anew while the daemon serves: on SIGHUP, and when `nachtwacht reload` asks. No fetch is dropped. Each file that is bad leaves
//! what was in force before, and is named; settings that only a start can put in force are named too.

mod door;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use crawl::{CrawlHandle, Identity};
use fetch::{Fetcher, Tor};
use model::{Clock, Digest, OnionAddress, Pulse, Theme};
use serde::{Deserialize, Serialize};
use store::Store;
use tokio::{signal::unix::Signal, sync::watch};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

pub(crate) use door::{Door, ask};

use crate::{
    client_keys, config::Config, failure::Failure, serve, starters, supervisor::Manager, telemetry::LogFilter, themes,
};

/// The keys of the configuration that take effect without a start.
const LIVE: [&str; 6] = ["crawl.memory_mb", "fetch.block_lists", "indicators_dir", "log", "sites_dir", "themes_dir"];

/// What became of a reload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// What was read anew.
    pub(crate) taken: Vec<String>,
    /// What is wrong; what was in force before stays so.
    pub(crate) kept: Vec<String>,
    /// The settings that have changed and need a restart.
    pub(crate) restart: Vec<String>,
}

impl Report {
    /// Notes how one part went; returns its value where it went well.
    fn part<T>(&mut self, what: &str, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(value) => {
                self.taken.push(what.to_owned());
                Some(value)
            }
            Err(problem) => {
                tracing::error!(what, problem, "what was in force before stays so");
                self.kept.push(format!("{what}: {problem}"));
                None
            }
        }
    }

    /// What the status says of it; nothing where all is well.
    fn trouble(&self) -> Option<String> {
        let kept = (!self.kept.is_empty()).then(|| format!("old files stay in force: {}", self.kept.join("; ")));
        let restart = (!self.restart.is_empty()).then(|| format!("needs a restart: {}", self.restart.join(", ")));
        let trouble: Vec<String> = kept.into_iter().chain(restart).collect();
        (!trouble.is_empty()).then(|| trouble.join("; "))
    }
}

/// What a reload reaches.
pub(crate) struct Reach {
    pub(crate) path: PathBuf,
    /// The configuration in force.
    pub(crate) config: Config,
    pub(crate) themes: Arc<web::Themes>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fetcher: Arc<Fetcher>,
    pub(crate) tor: Arc<Tor>,
    pub(crate) client_keys: BTreeMap<OnionAddress, fetch::ClientKey>,
    pub(crate) crawl: CrawlHandle,
    pub(crate) certificate: Option<web::CertificateHandle>,
    pub(crate) log: LogFilter,
    pub(crate) software: Digest,
}

/// Waits for those who ask for a reload.
pub(crate) struct Reloader {
    pub(crate) reach: Reach,
    pub(crate) manager: Manager,
    pub(crate) hangup: Signal,
    pub(crate) door: Door,
    /// What the status says of the last reload.
    pub(crate) trouble: watch::Sender<Option<String>>,
    pub(crate) pulse: Pulse,
}

impl Reloader {
    /// Reloads whenever it is asked, until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), tokio::task::JoinError> {
        loop {
            self.pulse.beat();
            let asked = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                Some(()) = self.hangup.recv() => None,
                caller = self.door.caller() => Some(caller),
                () = tokio::time::sleep(Pulse::REST) => continue,
            };
            self.manager.reloading();
            let mut reach = self.reach;
            let (back, report) = tokio::task::spawn_blocking(move || {
                let report = reach.reload();
                (reach, report)
            })
            .await?;
            self.reach = back;
            tracing::info!(taken = ?report.taken, restart = ?report.restart, "reloaded");
            self.trouble.send_replace(report.trouble());
            self.manager.status(&report.trouble().unwrap_or_else(|| "Reloaded.".to_owned()));
            // First the manager, then the caller: `systemctl reload` waits for both.
            self.manager.ready();
            if let Some(caller) = asked {
                door::answer(caller, &report).await;
            }
        }
    }
}

impl Reach {
    fn reload(&mut self) -> Report {
        let mut report = Report::default();
        if let Some(new) = report.part("the configuration", Config::load(&self.path).map_err(text)) {
            report.restart = changed(&self.config, &new).unwrap_or_default();
            self.take_live(new, &mut report);
        }
        let themes = themes::load(&self.config.themes_dir).map_err(text);
        if let Some(themes) = report.part("themes", themes) {
            let themes = self.keep_observables(themes, &mut report);
            self.themes.replace(themes);
        }
        let planted = starters::plant(&self.store, &self.config, &self.themes.now(), self.clock.now()).map_err(text);
        report.part("starter sets", planted);
        let keys = self.read_client_keys();
        report.part("keys to restricted services", keys);
        if let Some(certificate) = &self.certificate {
            report.part("the certificate", certificate.reload().map_err(|error| error.to_string()));
        }
        match serve::configuration(&self.config) {
            Ok(configuration) => {
                self.crawl.identity_changed(Identity { software: self.software, configuration });
            }
            Err(failure) => report.kept.push(failure.to_string()),
        }
        report
    }

    /// Puts in force what needs no start.
    fn take_live(&mut self, new: Config, report: &mut Report) {
        let filter = EnvFilter::try_new(&new.log).map_err(|error| error.to_string());
        let set = filter.and_then(|filter| self.log.reload(filter).map_err(|error| error.to_string()));
        if report.part("the log's filter", set).is_some() {
            self.config.log = new.log;
        }
        let lists = self.fetcher.replace_block_lists(&new.fetch.block_lists).map_err(|error| error.to_string());
        if report.part("block lists", lists).is_some() {
            self.config.fetch.block_lists = new.fetch.block_lists;
        }
        self.crawl.memory_limited(new.crawl.memory_mb);
        self.config.crawl.memory_mb = new.crawl.memory_mb;
        self.config.themes_dir = new.themes_dir;
        self.config.indicators_dir = new.indicators_dir;
        self.config.sites_dir = new.sites_dir;
    }

    /// What may be kept of pages is known to the analysis from its start: a search must not ask by another rule.
    fn keep_observables(&self, mut themes: Vec<Theme>, report: &mut Report) -> Vec<Theme> {
        let before = self.themes.now();
        for theme in &mut themes {
            let known = before.iter().find(|known| known.id == theme.id);
            let kept = known.map(|known| known.observables.clone()).unwrap_or_default();
            if theme.observables != kept {
                report.restart.push(format!("observables of {}", theme.id));
                theme.observables = kept;
            }
        }
        themes
    }

    fn read_client_keys(&mut self) -> Result<(), String> {
        let directory = client_keys::directory(&self.config.data_dir);
        let keys: BTreeMap<_, _> = client_keys::load(&directory).map_err(text)?.into_iter().collect();
        for gone in self.client_keys.keys().filter(|onion| !keys.contains_key(*onion)) {
            self.tor.remove_client_key(gone).map_err(|error| error.to_string())?;
        }
        for (onion, key) in keys.iter().filter(|(onion, key)| self.client_keys.get(*onion) != Some(*key)) {
            self.tor.add_client_key(onion, key).map_err(|error| error.to_string())?;
        }
        self.client_keys = keys;
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn text(failure: Failure) -> String {
    failure.to_string()
}

/// The keys in which two configurations differ, but for those that take effect at once.
fn changed(before: &Config, after: &Config) -> Option<Vec<String>> {
    fn collect(prefix: &str, before: Option<&toml::Value>, after: Option<&toml::Value>, into: &mut Vec<String>) {
        let tables = (before.and_then(toml::Value::as_table), after.and_then(toml::Value::as_table));
        if let (Some(before), Some(after)) = tables {
            let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                collect(&name, before.get(key), after.get(key), into);
            }
        } else if before != after && !LIVE.contains(&prefix) {
            into.push(prefix.to_owned());
        }
    }
    let table = |config: &Config| toml::Value::try_from(config).ok();
    let mut changed = Vec::new();
    collect("", Some(&table(before)?), Some(&table(after)?), &mut changed);
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_need_a_restart_are_named() {
        let before = Config::default();
        let mut after = Config::default();
        assert_eq!(changed(&before, &after).unwrap(), [""; 0]);
        after.log = "debug".into();
        after.fetch.block_lists = vec!["/a".into()];
        assert_eq!(changed(&before, &after).unwrap(), [""; 0]);
        after.crawl.concurrency += 1;
        after.listen.certificate = Some("/b".into());
        assert_eq!(changed(&before, &after).unwrap(), ["crawl.concurrency", "listen.certificate"]);
    }

    #[test]
    fn live_keys_are_keys_of_the_configuration() {
        let table = toml::Value::try_from(Config::default()).unwrap();
        for key in LIVE {
            assert!(key.split('.').try_fold(&table, |table, key| table.get(key)).is_some(), "{key}");
        }
    }

    #[test]
    fn the_status_tells_what_stayed_and_what_waits() {
        let mut report = Report::default();
        assert_eq!(report.trouble(), None);
        assert_eq!(report.part("a", Ok::<_, String>(1)), Some(1));
        assert_eq!(report.trouble(), None);
        assert_eq!(report.part::<()>("themes", Err("line 3".into())), None);
        report.restart.push("crawl.burst".into());
        assert_eq!(report.trouble().unwrap(), "old files stay in force: themes: line 3; needs a restart: crawl.burst");
    }
}

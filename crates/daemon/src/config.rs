//! The configuration file: one TOML file whose every key has a default. Each crate owns its part.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{failure::Failure, starters};

/// The configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Where everything is kept.
    pub(crate) data_dir: PathBuf,
    /// Where the themes are described, one file each.
    pub(crate) themes_dir: PathBuf,
    /// Where the indicators are that a theme begins with, one file a theme.
    pub(crate) indicators_dir: PathBuf,
    /// Where the site profiles are that every theme begins with, one file each.
    pub(crate) sites_dir: PathBuf,
    /// What may be said in the log, as a filter of `tracing`.
    pub(crate) log: String,
    /// How often one event may be told in a minute; 0 sets no limit.
    pub(crate) log_repeats: u32,
    pub(crate) listen: Listen,
    pub(crate) accounts: web::Config,
    pub(crate) fetch: fetch::Config,
    pub(crate) crawl: crawl::Config,
    pub(crate) derive: derive::Config,
    pub(crate) search: search::Config,
    pub(crate) store: store::Config,
    pub(crate) watches: web::WatchConfig,
}

/// Where the API listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Listen {
    /// Addresses for people and programs.
    pub(crate) tcp: Vec<SocketAddr>,
    /// The certificate with which TCP is encrypted, in PEM; its key is the credential `tls-key`. Read again when it changes.
    pub(crate) certificate: Option<PathBuf>,
    /// An address of this machine at which figures for Prometheus are told without a token.
    pub(crate) metrics: Option<SocketAddr>,
    /// The socket of the command line; whoever opens it as root or as the daemon's own user is an administrator, others need a token.
    pub(crate) socket: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "/var/lib/nachtwacht".into(),
            themes_dir: "/etc/nachtwacht/themes".into(),
            indicators_dir: "/etc/nachtwacht/indicators".into(),
            sites_dir: "/etc/nachtwacht/sites".into(),
            log: "info,arti_client=warn,tor_=warn".into(),
            log_repeats: 200,
            listen: Listen::default(),
            accounts: web::Config::default(),
            fetch: fetch::Config::default(),
            crawl: crawl::Config::default(),
            derive: derive::Config::default(),
            search: search::Config::default(),
            store: store::Config::default(),
            watches: web::WatchConfig::default(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            tcp: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 8730))],
            certificate: None,
            metrics: None,
            socket: "/run/nachtwacht/api.sock".into(),
        }
    }
}

impl Config {
    /// Reads the file; an error names line and key.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let problem = |problem: String| Failure::Configuration { path: path.to_owned(), problem };
        let text = fs::read_to_string(path).map_err(|error| problem(error.to_string()))?;
        let mut config: Self = toml::from_str(&text).map_err(|error| problem(error.to_string()))?;
        let additions = additions(&path.with_extension("d"))?;
        if !additions.is_empty() {
            let mut merged: toml::Table = toml::from_str(&text).map_err(|error| problem(error.to_string()))?;
            for addition in additions {
                merge(&mut merged, addition);
            }
            config = merged.try_into().map_err(|error: toml::de::Error| problem(error.to_string()))?;
        }
        config.check().map_err(problem)?;
        Ok(config)
    }

    /// What no type can say.
    fn check(&self) -> Result<(), String> {
        if self.crawl.concurrency == 0 {
            return Err("crawl.concurrency must be at least 1".into());
        }
        let open = self.listen.tcp.iter().find(|address| !address.ip().is_loopback());
        if let (Some(address), None) = (open, &self.listen.certificate) {
            return Err(format!(
                "listen.tcp: {address} is open to others, so listen.certificate must name a certificate"
            ));
        }
        if let Some(address) = self.listen.metrics.filter(|address| !address.ip().is_loopback()) {
            return Err(format!(
                "listen.metrics: {address} is open to others; whoever may read figures from elsewhere asks the API"
            ));
        }
        if !(1..=1_000).contains(&self.watches.hits_per_run) {
            return Err("watches.hits_per_run must be from 1 to 1000".into());
        }
        if self.fetch.limits.content_types.is_empty() {
            return Err("fetch.limits.content_types must name at least one type".into());
        }
        tracing_subscriber::EnvFilter::try_new(&self.log).map(|_| ()).map_err(|error| format!("log: {error}"))
    }

    pub(crate) fn store_dir(&self) -> PathBuf {
        self.data_dir.join("store")
    }

    pub(crate) fn checkpoint_dir(&self) -> PathBuf {
        self.data_dir.join("checkpoints")
    }

    pub(crate) fn index_dir(&self) -> PathBuf {
        self.data_dir.join("index")
    }

    pub(crate) fn tor_dir(&self) -> PathBuf {
        self.data_dir.join("tor")
    }
}

/// The `*.toml` of a directory beside the file, in order of name: what the package was told at its installation, and what an administrator keeps apart.
fn additions(directory: &Path) -> Result<Vec<toml::Table>, Failure> {
    let mut additions = Vec::new();
    for path in starters::files(directory)? {
        let problem = |problem: String| Failure::Configuration { path: path.clone(), problem };
        let text = fs::read_to_string(&path).map_err(|error| problem(error.to_string()))?;
        // By itself, so that a mistake is named by its own file and line.
        toml::from_str::<Config>(&text).map_err(|error| problem(error.to_string()))?;
        additions.push(toml::from_str(&text).map_err(|error| problem(error.to_string()))?);
    }
    Ok(additions)
}

/// Puts the keys of `more` into `table`, over those that are there.
fn merge(table: &mut toml::Table, more: toml::Table) {
    for (key, value) in more {
        match (table.get_mut(&key), value) {
            (Some(toml::Value::Table(table)), toml::Value::Table(more)) => merge(table, more),
            (_, value) => _ = table.insert(key, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file that ships, with its commented keys in force.
    fn shipped() -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/nachtwacht.toml");
        let text = fs::read_to_string(path).unwrap();
        // A key is commented as `#key`, prose as `# prose`.
        let uncomment = |line: &str| match line.strip_prefix('#') {
            Some(key)
                if key.starts_with(|c: char| c.is_ascii_lowercase() || "[]\" ".contains(c))
                    && !key.starts_with("  ")
                    && !line.starts_with("# ") =>
            {
                key.to_owned()
            }
            Some(continued) if continued.starts_with("    ") || continued.starts_with(']') => continued.to_owned(),
            _ => line.to_owned(),
        };
        text.lines().map(uncomment).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_shipped_file_holds_every_key_at_its_default() {
        let text = shipped();
        let config: Config = toml::from_str(&text).unwrap();
        assert_eq!(config, Config::default());
        let keys = |text: &str| -> Vec<String> {
            fn collect(prefix: &str, value: &toml::Value, into: &mut Vec<String>) {
                match value.as_table() {
                    Some(table) => {
                        for (key, value) in table {
                            collect(&format!("{prefix}.{key}"), value, into);
                        }
                    }
                    None => into.push(prefix.to_owned()),
                }
            }
            let mut keys = Vec::new();
            collect("", &toml::from_str(text).unwrap(), &mut keys);
            keys.sort();
            keys
        };
        assert_eq!(keys(&text), keys(&toml::to_string(&Config::default()).unwrap()));
    }

    #[test]
    fn files_beside_it_go_before_it_in_order_of_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nachtwacht.toml");
        let add = |name: &str, text: &str| fs::write(dir.path().join("nachtwacht.d").join(name), text).unwrap();
        fs::create_dir(dir.path().join("nachtwacht.d")).unwrap();
        fs::write(&path, "[crawl]\nconcurrency = 3\nburst = 2\n").unwrap();
        assert_eq!(Config::load(&path).unwrap().crawl.concurrency, 3);
        add("10-a.toml", "listen.tcp = [\"127.0.0.1:1\"]\ncrawl.concurrency = 4\n");
        add("20-b.toml", "[crawl]\nconcurrency = 5\n");
        add("30-c.toml.old", "nonsense");
        let config = Config::load(&path).unwrap();
        assert_eq!((config.crawl.concurrency, config.crawl.burst), (5, 2));
        assert_eq!(config.listen.tcp, [SocketAddr::from((Ipv4Addr::LOCALHOST, 1))]);
        add("20-b.toml", "\n[crawl]\nconcurency = 5\n");
        let error = Config::load(&path).unwrap_err().to_string();
        assert!(["20-b.toml", "line 3", "concurency"].iter().all(|part| error.contains(part)), "{error}");
        add("20-b.toml", "crawl.concurrency = 0\n");
        assert!(Config::load(&path).is_err(), "what no type can say is checked of the whole");
    }

    #[test]
    fn a_mistake_is_named_by_line_and_key() {
        let dir = tempfile::tempdir().unwrap();
        let check = |text: &str, expect: &[&str]| {
            let path = dir.path().join("nachtwacht.toml");
            fs::write(&path, text).unwrap();
            let error = Config::load(&path).unwrap_err().to_string();
            for part in expect {
                assert!(error.contains(part), "{error}");
            }
        };
        check("data_dir = \"/x\"\n[crawl]\nconcurency = 3\n", &["line 3", "concurency"]);
        check("[listen]\ntcp = [\"example.com:80\"]\n", &["line 2", "socket address"]);
        check("[crawl]\nconcurrency = 0\n", &["crawl.concurrency"]);
        check("[listen]\ntcp = [\"0.0.0.0:8730\"]\n", &["0.0.0.0:8730", "listen.certificate"]);
        check("[listen]\nmetrics = \"0.0.0.0:1\"\n", &["listen.metrics", "0.0.0.0:1"]);
        check("[watches]\nhits_per_run = 0\n", &["watches.hits_per_run"]);
        check("log = \"a=b=c\"\n", &["log"]);
    }
}

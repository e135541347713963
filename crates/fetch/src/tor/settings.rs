//! From our configuration to arti's.

use std::{net::SocketAddr, path::Path, time::Duration};

use arti_client::{
    TorClientConfig,
    config::{BoolOrAuto, BridgeConfigBuilder, BridgeParseError, CfgPath, TorClientConfigBuilder},
};
use toml::{Table, Value};

use crate::{Error, TorConfig};

/// Arti's configuration, with state and cache under `state_dir`.
pub(crate) fn build(config: &TorConfig, state_dir: &Path) -> Result<TorClientConfig, Error> {
    let mut builder = base(config)?;
    builder
        .storage()
        .state_dir(CfgPath::new_literal(state_dir.join("state")))
        .cache_dir(CfgPath::new_literal(state_dir.join("cache")));
    builder.system().memory().max(usize::try_from(config.memory_mb).unwrap_or(usize::MAX).saturating_mul(1024 * 1024));
    builder
        .circuit_timing()
        .hs_intro_rend_attempts(config.introduction_attempts)
        .hs_desc_fetch_attempts(config.descriptor_attempts)
        .request_timeout(Duration::from_secs(config.circuit_s.into()));
    builder.stream_timeouts().connect_timeout(Duration::from_secs(config.stream_s.into()));
    if !config.bridges.is_empty() {
        builder.bridges().enabled(BoolOrAuto::Explicit(true));
        for line in &config.bridges {
            builder.bridges().bridges().push(bridge(line)?);
        }
    }
    builder.build().map_err(|error| Error::configuration("tor", error.to_string()))
}

/// The description of a private network if there is one, arti's defaults otherwise.
fn base(config: &TorConfig) -> Result<TorClientConfigBuilder, Error> {
    let mut table = match &config.network_config {
        Some(path) => {
            let text =
                std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.clone(), source })?;
            text.parse::<Table>().map_err(|error| network(path, &error))?
        }
        None => Table::new(),
    };
    // Client keys are secrets, and the store keeps them encrypted: arti gets them in memory only.
    let primary = Table::from_iter([("kind".to_owned(), Value::String("ephemeral".to_owned()))]);
    let keystore = Table::from_iter([("primary".to_owned(), Value::Table(primary))]);
    let storage = table.entry("storage").or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(storage) = storage {
        storage.insert("keystore".to_owned(), Value::Table(keystore));
    }
    table.try_into().map_err(|error: toml::de::Error| match &config.network_config {
        Some(path) => network(path, &error),
        None => Error::configuration("tor", error.to_string()),
    })
}

fn network(path: &Path, error: &toml::de::Error) -> Error {
    Error::Network { path: path.to_owned(), problem: error.to_string() }
}

/// A plain bridge. A pluggable transport would be a child process that dials by itself.
fn bridge(line: &str) -> Result<BridgeConfigBuilder, Error> {
    let invalid = |problem: String| Error::configuration("tor.bridges", format!("{line:?}: {problem}"));
    let mut words = line.split_whitespace().skip_while(|word| word.eq_ignore_ascii_case("bridge"));
    let first = words.next().unwrap_or_default();
    if first.parse::<SocketAddr>().is_err() {
        return Err(invalid(format!("{first:?} is no address; pluggable transports are not used, only plain bridges")));
    }
    line.parse().map_err(|error: BridgeParseError| invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_bridge(line: &str) -> Result<TorClientConfig, Error> {
        let config = TorConfig { bridges: vec![line.to_owned()], ..TorConfig::default() };
        build(&config, Path::new("/nowhere"))
    }

    #[test]
    fn the_defaults_make_a_configuration() {
        build(&TorConfig::default(), Path::new("/nowhere")).unwrap();
    }

    #[test]
    fn plain_bridges_pass_and_pluggable_transports_do_not() {
        with_bridge("192.0.2.1:443 0123456789ABCDEF0123456789ABCDEF01234567").unwrap();
        let error = with_bridge("obfs4 192.0.2.1:443 0123456789ABCDEF0123456789ABCDEF01234567 cert=x").unwrap_err();
        assert!(error.to_string().contains("pluggable transports are not used"), "{error}");
        assert!(with_bridge("not a bridge").is_err());
    }

    #[test]
    fn a_network_file_is_read_and_a_wrong_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("network.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            build(&TorConfig { network_config: Some(path.clone()), ..TorConfig::default() }, dir.path())
        };
        read("[storage.permissions]\ndangerously_trust_everyone = true\n[override_net_params]\ncbtdisabled = 1")
            .unwrap();
        let error = read("[tor_network]\nauthorities = 3").unwrap_err();
        assert!(error.to_string().contains("network.toml"), "{error}");
        let config = TorConfig { network_config: Some(dir.path().join("missing")), ..TorConfig::default() };
        assert!(matches!(build(&config, dir.path()), Err(Error::Unreadable { .. })));
    }
}

use serde::Serialize;

use super::{error::Error, keys::Identity};

/// The part of arti's configuration that names a Tor network (`tor_network` of arti's configuration file).
#[derive(Debug, Serialize)]
struct ArtiConfig<'a> {
    tor_network: TorNetwork<'a>,
}

#[derive(Debug, Serialize)]
struct TorNetwork<'a> {
    authorities: Authorities<'a>,
    fallback_caches: Vec<FallbackCache<'a>>,
}

#[derive(Debug, Serialize)]
struct Authorities<'a> {
    v3idents: Vec<&'a str>,
    uploads: Vec<[String; 1]>,
    downloads: Vec<[String; 1]>,
    votes: Vec<[String; 1]>,
}

#[derive(Debug, Serialize)]
struct FallbackCache<'a> {
    rsa_identity: &'a str,
    ed_identity: &'a str,
    orports: [String; 1],
}

/// Only the authorities are fallback caches: relays have the documents of a new network a few seconds later than they.
pub(crate) fn config(identities: &[Identity]) -> Result<String, Error> {
    let authorities = || identities.iter().filter(|identity| identity.v3ident.is_some());
    let directories =
        || authorities().map(|authority| [authority.router.directory_address().to_string()]).collect::<Vec<_>>();
    let config = ArtiConfig {
        tor_network: TorNetwork {
            authorities: Authorities {
                v3idents: authorities().filter_map(|authority| authority.v3ident.as_deref()).collect(),
                uploads: directories(),
                downloads: directories(),
                votes: directories(),
            },
            fallback_caches: authorities()
                .map(|authority| FallbackCache {
                    rsa_identity: &authority.rsa,
                    ed_identity: &authority.ed25519,
                    orports: [authority.router.or_address().to_string()],
                })
                .collect(),
        },
    };
    toml::to_string(&config).map_err(|error| Error::Plan(format!("no configuration for arti: {error}")))
}

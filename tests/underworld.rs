use std::{collections::BTreeSet, path::Path};

use anyhow::Context as _;
use model::{OnionAddress, Uri};
use testnet::{
    network::{Network, Onion, Plan, Progress},
    sites::{Site, Sites, Tls},
};
use tokio::sync::watch;

/// The port of the hostile site's first manner of TLS; the others follow in order.
pub const TLS_PORT: u16 = 443;

/// The sites, and the network that hides them.
pub struct Underworld {
    /// The network.
    pub network: Network,
    /// The sites.
    pub sites: Sites,
}

impl Underworld {
    /// Starts the sites and a network with an onion service for each, named as the site; more onions may be added.
    pub async fn start(
        dir: &Path,
        tcp_nodelay: bool,
        more: impl FnOnce(&Sites) -> Vec<Onion>,
        progress: &watch::Sender<Progress>,
    ) -> anyhow::Result<Self> {
        let sites = Sites::start(1).await.context("the hidden sites do not start")?;
        let mut onions: Vec<Onion> = sites.all().map(|site| Onion::new(site.name(), site.http())).to_vec();
        if let Some(hostile) = onions.last_mut() {
            let tls = Tls::ALL
                .iter()
                .zip(TLS_PORT..)
                .filter_map(|(manner, port)| Some((port, sites.hostile().tls(*manner)?)));
            hostile.ports.extend(tls);
        }
        onions.extend(more(&sites));
        let plan = Plan { tcp_nodelay, onions, ..Plan::default() };
        let network =
            Network::start_reporting(dir, plan, progress).await.context("the private Tor network does not start")?;
        Ok(Self { network, sites })
    }

    /// The onion address of the service of this name.
    pub fn onion(&self, name: &str) -> anyhow::Result<OnionAddress> {
        self.network.onion(name).with_context(|| format!("no onion service {name}"))
    }

    /// Where a crawl of a site begins.
    pub fn seed(&self, name: &str) -> anyhow::Result<String> {
        Ok(format!("http://{}/", self.onion(name)?))
    }
}

/// The URIs that a complete crawl of a site captures, each once.
pub fn expected_uris(site: &Site, onion: OnionAddress) -> anyhow::Result<BTreeSet<Uri>> {
    site.pages().iter().map(|page| Ok(format!("http://{onion}{page}").parse()?)).collect()
}

//! The daemon's wiring, from the configuration to the last task that ends.

use std::sync::Arc;

use anyhow::Context as _;
use model::{Authority, Clock, Digest, SystemClock};
use tracing_subscriber::EnvFilter;

use crate::{
    client_keys,
    config::Config,
    credentials::{self, Credentials},
    failure::Failure,
    lifecycle::Lifecycle,
    starters, themes,
};

/// Runs the daemon until it is told to stop.
pub(crate) fn run(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log).context("the log filter")?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(serve(config))
}

async fn serve(config: &Config) -> Result<(), Failure> {
    let themes = themes::load(&config.themes_dir)?;
    let Credentials { login_key, log_key, backup_key } = Credentials::load(&config.data_dir)?;
    let identity = identity(config)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = store::Store::open(&config.store_dir(), &config.store, login_key)?;
    let indexes =
        Arc::new(search::Indexes::open(config.index_dir(), config.search.clone()).context("the search index")?);
    let tor = fetch::Tor::start(&config.fetch.tor, &config.tor_dir()).context("the Tor client")?;
    for (onion, key) in client_keys::load(&config.data_dir.join("credentials").join("onion-auth"))? {
        tor.add_client_key(&onion, &key).context("a key to a restricted onion service")?;
    }
    let fetcher = Arc::new(fetch::Fetcher::new(tor, Arc::clone(&clock), &config.fetch).context("fetch")?);
    let crawler =
        crawl::Crawler::new(config.crawl.clone(), store.clone(), Arc::clone(&fetcher), Arc::clone(&clock), identity);
    starters::plant(&store, config, &themes, clock.now())?;
    let deriver = derive::Deriver::new(config.derive.clone(), store.clone(), Arc::clone(&indexes)).keeping(&themes);
    let notary = Arc::new(store::Notary::new(store.clone(), log_key, &config.checkpoint_dir()));
    let tls = config.listen.certificate.clone().map(|certificate| web::TlsFiles {
        certificate,
        key: credentials::path_of(&config.data_dir, credentials::TLS_KEY),
    });
    let app = web::App {
        store,
        notary: Arc::clone(&notary),
        indexes,
        crawl: crawler.handle(),
        tor: fetcher.status(),
        themes: themes.into(),
        clock: Arc::clone(&clock),
        authority: Authority::of_this_process(),
        config: config.accounts.clone(),
        backup_key,
        watches: config.watches.clone(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let server = web::Server::bind(app, &config.listen.tcp, &config.listen.socket, tls)
        .await
        .map_err(|error| Failure::Address(error.to_string()))?;
    let server = match config.listen.metrics {
        Some(address) => server.with_metrics(address).await.map_err(|error| Failure::Address(error.to_string()))?,
        None => server,
    };

    let tcp = server.addresses().to_vec();
    let mut lifecycle = Lifecycle::default();
    lifecycle.run("derive", deriver.run(lifecycle.stop()));
    lifecycle.run("crawl", crawler.run(lifecycle.stop()));
    lifecycle.run("notary", notary.run(clock, config.store.checkpoint_every(), lifecycle.stop()));
    lifecycle.run("watches", server.watcher().run(lifecycle.stop()));
    lifecycle.run("web", server.run(lifecycle.stop()));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), socket = %config.listen.socket.display(), ?tcp, "serving");
    Ok(lifecycle.until_stopped().await?)
}

/// What each capture says of the program that made it.
fn identity(config: &Config) -> Result<crawl::Identity, Failure> {
    let program = std::env::current_exe().and_then(std::fs::read).context("the program cannot read itself")?;
    let configuration = toml::to_string(config).context("the configuration cannot be written out")?;
    Ok(crawl::Identity { software: Digest::of(&program), configuration: Digest::of(configuration.as_bytes()) })
}

//! The daemon's wiring, from the configuration to the last task that ends.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use model::{Authority, Clock, Digest, Pulse};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    back_off::BackOff,
    client_keys,
    clock::MachineClock,
    config::Config,
    credentials::{self, Credentials},
    descriptors,
    failure::Failure,
    lifecycle::Lifecycle,
    reload::{Door, Reach, Reloader},
    starters,
    supervisor::Manager,
    telemetry::{self, Telemetry},
    themes,
};

/// How long a thread that does not end may hold up the end of the process.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Runs the daemon until it is told to stop.
pub(crate) fn run(path: &Path, config: Config) -> Result<(), Failure> {
    let telemetry = telemetry::begin(&config.log, config.log_repeats)?;
    let descriptors = descriptors::raise()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let ended = runtime.block_on(serve(path, config, telemetry, descriptors));
    // After a clean stop nothing runs any more; a thread that hangs must not keep the process alive.
    runtime.shutdown_timeout(LAST_WAIT);
    ended
}

async fn serve(path: &Path, config: Config, telemetry: Telemetry, descriptors: u64) -> Result<(), Failure> {
    let Telemetry { filter: log, flood } = telemetry;
    let manager = Manager::of_this_process();
    // From here on a reload that comes too early ends nothing.
    let hangup = signal(SignalKind::hangup()).context("signals")?;
    wait(&manager, BackOff::of_this_process().begin()).await;
    manager.status("Opening the store.");
    let themes = themes::load(&config.themes_dir)?;
    let Credentials { login_key, log_key, backup_key } = Credentials::load(&config.data_dir)?;
    let identity = identity(&config)?;
    let clock: Arc<dyn Clock> = Arc::new(MachineClock::new());
    let store = store::Store::open(&config.store_dir(), &config.store, login_key)?;
    let indexes =
        Arc::new(search::Indexes::open(config.index_dir(), config.search.clone()).context("the search index")?);
    let tor = fetch::Tor::start(&config.fetch.tor, &config.tor_dir()).context("the Tor client")?;
    let client_keys: BTreeMap<_, _> =
        client_keys::load(&client_keys::directory(&config.data_dir))?.into_iter().collect();
    for (onion, key) in &client_keys {
        tor.add_client_key(onion, key).context("a key to a restricted onion service")?;
    }
    let fetcher = Arc::new(fetch::Fetcher::new(tor.clone(), Arc::clone(&clock), &config.fetch).context("fetch")?);
    let crawler =
        crawl::Crawler::new(config.crawl.clone(), store.clone(), Arc::clone(&fetcher), Arc::clone(&clock), identity);
    starters::plant(&store, &config, &themes, clock.now())?;
    let deriver = derive::Deriver::new(config.derive.clone(), store.clone(), Arc::clone(&indexes)).keeping(&themes);
    let notary = Arc::new(store::Notary::new(store.clone(), log_key, &config.checkpoint_dir()));
    let tls = config.listen.certificate.clone().map(|certificate| web::TlsFiles {
        certificate,
        key: credentials::path_of(&config.data_dir, credentials::TLS_KEY),
    });
    let crawl = crawler.handle();
    let themes = Arc::new(web::Themes::new(themes));
    let app = web::App {
        store: store.clone(),
        notary: Arc::clone(&notary),
        indexes,
        crawl: crawl.clone(),
        tor: fetcher.status(),
        themes: Arc::clone(&themes),
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
    let listeners = config.listen.tcp.len() + 1 + usize::from(config.listen.metrics.is_some());
    let connections = descriptors::connections(descriptors, listeners as u64);
    let server = server.with_connections(usize::try_from(connections).unwrap_or(1));
    let door = Door::open(&config.listen.socket)?;
    let (every, socket) = (config.store.checkpoint_every(), config.listen.socket.clone());
    let trouble = watch::Sender::default();
    let status = status(fetcher.status(), crawl.status(), trouble.subscribe());
    let reach = Reach {
        path: path.to_owned(),
        config,
        themes,
        store,
        clock: Arc::clone(&clock),
        fetcher,
        tor,
        client_keys,
        crawl,
        certificate: server.certificate(),
        log,
        software: identity.software,
    };
    let reloader = Reloader { reach, manager: manager.clone(), hangup, door, trouble, pulse: Pulse::default() };
    let (watcher, tcp) = (server.watcher(), server.addresses().to_vec());

    let mut lifecycle = Lifecycle::new(manager).context("signals")?;
    lifecycle.run("derive", [deriver.pulse()], deriver.run(lifecycle.stop()));
    lifecycle.run("crawl", [crawler.pulse()], crawler.run(lifecycle.stop()));
    lifecycle.run("notary", [notary.pulse()], notary.run(clock, every, lifecycle.stop()));
    lifecycle.run("watches", [watcher.pulse()], watcher.run(lifecycle.stop()));
    lifecycle.run("web", server.pulses(), server.run(lifecycle.stop()));
    lifecycle.run("log", [], flood.run(lifecycle.stop()));
    lifecycle.run("reload", [reloader.pulse.clone()], reloader.run(lifecycle.stop()));
    lifecycle.supervise(BackOff::of_this_process(), status);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), socket = %socket.display(), ?tcp, "serving");
    lifecycle.until_stopped().await?;
    BackOff::of_this_process().forgive();
    Ok(())
}

/// Waits after deaths in a row; a signal to end takes effect at once, for nothing is open yet.
async fn wait(manager: &Manager, wait: Duration) {
    if wait > Duration::ZERO {
        tracing::warn!(wait_s = wait.as_secs(), "the last starts ended in deaths: waiting");
        manager.status(&format!("Waiting {} s, because the last starts ended in deaths.", wait.as_secs()));
        tokio::time::sleep(wait).await;
    }
}

/// What `systemctl status` tells.
fn status(
    tor: watch::Receiver<fetch::TorStatus>,
    crawl: watch::Receiver<crawl::CrawlStatus>,
    trouble: watch::Receiver<Option<String>>,
) -> impl Fn() -> String + Send + 'static {
    move || {
        let readiness = match &*tor.borrow() {
            tor if tor.is_ready => "Tor is ready".to_owned(),
            tor => format!("Tor is at {} %", tor.percent),
        };
        let (targets, last_minute) = {
            let crawl = crawl.borrow();
            (crawl.targets.len(), crawl.captures_last_minute)
        };
        let trouble = trouble.borrow().as_deref().map(|trouble| format!("; {trouble}")).unwrap_or_default();
        format!("Serving; {readiness}; {targets} targets, {last_minute} captures in the last minute{trouble}.")
    }
}

/// What each capture says of the program that made it.
fn identity(config: &Config) -> Result<crawl::Identity, Failure> {
    let program = std::env::current_exe().and_then(std::fs::read).context("the program cannot read itself")?;
    Ok(crawl::Identity { software: Digest::of(&program), configuration: configuration(config)? })
}

/// What each capture says of the configuration in force.
pub(crate) fn configuration(config: &Config) -> Result<Digest, Failure> {
    let text = toml::to_string(config).context("the configuration cannot be written out")?;
    Ok(Digest::of(text.as_bytes()))
}

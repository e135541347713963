//! The limit: a bare loop of GETs over the same Tor client and HTTP exchange, which keeps nothing and reads nothing.

use std::{path::PathBuf, sync::Arc};

use fetch::{Config, Fetcher, Request, Tor, TorConfig};
use futures::{StreamExt as _, stream};
use model::{Isolation, Outcome, SystemClock, TargetId};
use tokio::time::Instant;

use super::process;

/// Requests in flight to each service.
pub(crate) const CONCURRENCY: usize = 16;

/// Fetches every page of every onion once and prints `seconds cpu_ms`.
pub(crate) async fn run(
    network_config: PathBuf,
    tcp_nodelay: bool,
    pages: usize,
    onions: Vec<String>,
) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let tor = TorConfig { network_config: Some(network_config), tcp_nodelay, ..TorConfig::default() };
    let mut config = Config { tor, ..Config::default() };
    config.http.connections_per_target = CONCURRENCY;
    let tor = Tor::start(&config.tor, dir.path())?;
    let fetcher = Fetcher::new(tor, Arc::new(SystemClock), &config)?;
    fetcher.status().wait_for(|status| status.is_ready).await?;
    let requests = (0..pages).flat_map(|page| {
        onions.iter().enumerate().map(move |(target, onion)| (target, format!("http://{onion}/p/{page}")))
    });
    let requests: Vec<Request> = requests
        .map(|(target, uri)| {
            Ok(Request::new(uri.parse()?, Isolation { target: TargetId::from_u64(target as u64), epoch: 0 }))
        })
        .collect::<anyhow::Result<_>>()?;
    let (begun, cpu) = (Instant::now(), process::cpu(std::process::id())?);
    let exchanges =
        stream::iter(&requests).map(|request| fetcher.fetch(request)).buffer_unordered(CONCURRENCY * onions.len());
    let failed = exchanges.filter(|exchange| std::future::ready(exchange.outcome != Outcome::Ok)).count().await;
    anyhow::ensure!(failed == 0, "{failed} fetches failed");
    let cpu = process::cpu(std::process::id())?.saturating_sub(cpu);
    println!("{} {}", begun.elapsed().as_secs_f64(), cpu.as_secs_f64() * 1000.0);
    Ok(())
}

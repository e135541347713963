//! What the log tells, where it goes, and how much of it.

mod flood;
mod journal;

use anyhow::Context as _;
use tracing_subscriber::{EnvFilter, Registry, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _};

pub(crate) use flood::Flood;
use journal::Journal;

use crate::failure::Failure;

/// A hold on the filter of the log.
pub(crate) type LogFilter = reload::Handle<EnvFilter, Registry>;

/// A hold on the log.
pub(crate) struct Telemetry {
    pub(crate) filter: LogFilter,
    pub(crate) flood: Flood,
}

/// Begins to log: entries to systemd's journal where it reads this process, lines to standard error elsewhere. One event is told at most `repeats`
/// times in a minute; 0 sets no limit.
pub(crate) fn begin(filter: &str, repeats: u32) -> Result<Telemetry, Failure> {
    let filter = EnvFilter::try_new(filter).context("the log filter")?;
    let (filter, handle) = reload::Layer::new(filter);
    let flood = Flood::of_at_most(repeats);
    let journal = Journal::of_this_process();
    let lines =
        journal.is_none().then(|| tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false));
    tracing_subscriber::registry().with(filter).with(flood.clone()).with(journal).with(lines).init();
    Ok(Telemetry { filter: handle, flood })
}

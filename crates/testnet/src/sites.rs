//! The hidden sites: a market, its mirror, a forum and a hostile site, each a server on a loopback port of its own, to be put behind onion
//! services. What they say follows from a seed alone, and all of it is invented.
//!
//! Market, mirror and forum draw every page from a book that is written before the first request, so that the list of reachable pages is
//! exact. The hostile site is a raw TCP server, because each of its pages breaks a rule that an HTTP library would keep.

#![expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "pages are written once a step, and read better so than with a `Result` at each line"
)]

mod book;
mod chance;
mod door;
mod forum;
mod front;
mod handle;
pub mod hostile;
mod html;
mod ledger;
mod market;
mod pgp;
mod prose;
mod site;
mod wallet;

use std::{io, sync::Arc, time::Duration};

use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use self::{book::Book, forum::Forum, market::Market};
pub use self::{
    hostile::{case::Case, tls::Tls},
    site::Site,
};

/// How long open connections may take to end after the sites are told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// All hidden sites, started together. Dropping them stops them.
#[derive(Debug)]
pub struct Sites {
    market: Site,
    mirror: Site,
    forum: Site,
    hostile: Site,
    tasks: TaskTracker,
    stop: DropGuard,
}

impl Sites {
    /// Starts every site on a free port of 127.0.0.1. The same seed gives the same pages, addresses and handles.
    ///
    /// Fails where no port can be had or no certificate made.
    pub async fn start(seed: u64) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let market = Market::new(seed);
        let goods = Arc::new(Book::new(move |step| market.pages(step)));
        let forum = Forum::new(seed);
        let talk = Arc::new(Book::new(move |_| forum.pages()));
        Ok(Self {
            market: front::open("market", seed, Arc::clone(&goods), &tasks, &stop).await?,
            mirror: front::open("mirror", seed, goods, &tasks, &stop).await?,
            forum: front::open("forum", seed, talk, &tasks, &stop).await?,
            hostile: hostile::open(&tasks, &stop).await?,
            tasks,
            stop: stop.drop_guard(),
        })
    }

    /// The market.
    pub fn market(&self) -> &Site {
        &self.market
    }

    /// The market's content on a second address, with its own counters, tokens and clock; it follows the market's step.
    pub fn mirror(&self) -> &Site {
        &self.mirror
    }

    /// The forum, which no step changes.
    pub fn forum(&self) -> &Site {
        &self.forum
    }

    /// The hostile site.
    pub fn hostile(&self) -> &Site {
        &self.hostile
    }

    /// Market, mirror, forum and hostile site, in this order.
    pub fn all(&self) -> [&Site; 4] {
        [&self.market, &self.mirror, &self.forum, &self.hostile]
    }

    /// Stops every site and waits, for two seconds at most, until the connections have ended.
    pub async fn stop(self) {
        drop(self.stop);
        self.tasks.close();
        // A connection that does not end in time dies with the runtime.
        let _ = tokio::time::timeout(GRACE, self.tasks.wait()).await;
    }
}

#[cfg(test)]
mod tests;

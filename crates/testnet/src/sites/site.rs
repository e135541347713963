use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use crate::sites::{Tls, book::Book, door::Gate, hostile, ledger::Ledger};

/// One hidden site: where it listens, which pages it has, and what it was asked.
#[derive(Debug)]
pub struct Site {
    pub(crate) name: &'static str,
    pub(crate) http: SocketAddr,
    pub(crate) tls: BTreeMap<Tls, SocketAddr>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) ledger: Arc<Ledger>,
    /// The hostile site has none: each of its answers is made when asked for.
    pub(crate) book: Option<Arc<Book>>,
}

impl Site {
    /// `market`, `mirror`, `forum` or `hostile`.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Where the site speaks HTTP.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where the site speaks TLS with a good self-signed certificate; only the hostile site does.
    pub fn https(&self) -> Option<SocketAddr> {
        self.tls(Tls::SelfSigned)
    }

    /// Where the site speaks TLS, or something that should be TLS, in this manner; only the hostile site does.
    pub fn tls(&self, manner: Tls) -> Option<SocketAddr> {
        self.tls.get(&manner).copied()
    }

    /// Path and query of every page that is reachable from `/` by links at the present step, canonical and sorted: exactly what a complete
    /// crawl captures once. For the hostile site, where that would have no end, the front page and the pages that it links to.
    pub fn pages(&self) -> Vec<String> {
        match &self.book {
            Some(book) => book.pages().keys().cloned().collect(),
            None => hostile::linked_paths(),
        }
    }

    /// How many GET requests there were for this path and query since the last reset.
    pub fn requests(&self, target: &str) -> u64 {
        self.ledger.requests(target)
    }

    /// The count of every path and query that was asked for, also where the answer was 404. A method other than GET stands before it:
    /// `POST /logout`.
    pub fn all_requests(&self) -> BTreeMap<String, u64> {
        self.ledger.all_requests()
    }

    /// Sets all counters to zero.
    pub fn reset_counters(&self) {
        self.ledger.reset();
    }

    /// The present step of the schedule.
    pub fn step(&self) -> u32 {
        self.book.as_ref().map_or(0, |book| book.step())
    }

    /// Goes to a step of the schedule: at each some listings change price or stock, four vanish and four appear. The mirror goes along.
    /// Forum and hostile site do not change.
    pub fn set_step(&self, step: u32) {
        if let Some(book) = &self.book {
            book.set_step(step);
        }
    }

    /// Goes one step further and says which it is.
    pub fn advance(&self) -> u32 {
        let step = self.step().saturating_add(1);
        self.set_step(step);
        self.step()
    }

    /// The bytes sent in the last response to this path and query, at most 4 MiB of them; only the hostile site remembers. They are noted
    /// before they go out: where the client broke off, what it has is a beginning of them.
    pub fn sent(&self, target: &str) -> Option<Vec<u8>> {
        self.ledger.sent(target)
    }

    /// From now on requests are accepted and counted, and not answered.
    pub fn pause(&self) {
        self.gate.set_paused(true);
    }

    /// Answers again, also what was asked during the pause.
    pub fn resume(&self) {
        self.gate.set_paused(false);
    }

    /// Closes the HTTP port, so that new connections are refused, or opens the same port again. Returns when it is so. Connections that are
    /// already open stay.
    pub async fn refuse(&self, refuse: bool) {
        self.gate.set_refusing(refuse).await;
    }
}

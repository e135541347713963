use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use model::{Clock, Digest, Outcome, Stage, TargetId, Timestamp};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::{
    BoxStream, Config, ConnectFailure, ConnectOptions, Destination, Error, Exchange, HttpConfig, Limits, LoginCookie,
    Request, Transport,
    block_list::BlockList,
    connection::Connection,
    cookies::{CookieHeader, Cookies},
    policy::{self, Blocks},
    pool::{Key, Pool},
    tls::Tls,
};

mod cold;
mod conversation;
mod request;
mod verdict;

use cold::{ColdOpens, Slot};
use conversation::{Conversation, converse};
use request::RequestHead;

/// Fetches URIs: one call is one exchange. It follows no redirect and repeats nothing; what to do next is the caller's business.
pub struct Fetcher {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    /// The same, where the decision lets images be read.
    limits_with_images: Limits,
    head: RequestHead,
    tls: Tls,
    cold: ColdOpens,
    cookies: Mutex<Cookies>,
    pool: Mutex<Pool>,
    blocks: RwLock<Arc<Blocks>>,
}

/// Why there is no connection.
struct NotConnected {
    outcome: Outcome,
    detail: String,
    has_overrun: bool,
}

impl Fetcher {
    /// A fetcher over `transport`. A block list that cannot be read is no error here: it stops every fetch until it can.
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>, config: &Config) -> Result<Self, Error> {
        let limits = config.limits.clone();
        let HttpConfig { connections_per_target, keep_alive_s, .. } = config.http;
        if limits.head_bytes == 0 || limits.cold_opens == 0 {
            return Err(Error::configuration("limits", "head_bytes and cold_opens must be at least 1"));
        }
        let fetcher = Self {
            transport,
            clock,
            head: RequestHead::new(&config.http)?,
            tls: Tls::new()?,
            cold: ColdOpens::new(limits.cold_opens),
            limits_with_images: limits.with_images(),
            limits,
            cookies: Mutex::default(),
            pool: Mutex::new(Pool::new(connections_per_target, Duration::from_secs(keep_alive_s.into()))),
            blocks: RwLock::new(Arc::new(Ok(BlockList::default()))),
        };
        if let Err(error) = fetcher.replace_block_lists(&config.block_lists) {
            tracing::error!(%error, "nothing is fetched until the block lists can be read");
            *fetcher.blocks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Err(error.to_string()));
        }
        Ok(fetcher)
    }

    /// Reads these block lists, which take the place of the ones before, and says how many digests they hold. Where one of them cannot be read
    /// what was in force stays so: the lists of before, or a stop of every fetch.
    pub fn replace_block_lists(&self, paths: &[PathBuf]) -> Result<usize, Error> {
        let list = BlockList::read(paths)?;
        let len = list.len();
        *self.blocks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Ok(list));
        Ok(len)
    }

    /// Sends these cookies of a login with requests of `target` to `hosts`, instead of those that its site has set so far.
    ///
    /// The caller advances the target's epoch, so that the new session shares no circuit with the old one.
    pub fn set_cookies(&self, target: TargetId, hosts: Vec<String>, cookies: Vec<LoginCookie>) {
        lock(&self.cookies).set_login(target, hosts, cookies);
        lock(&self.pool).forget(target);
    }

    /// Closes the idle connections of a target, and forgets its cookies.
    pub fn forget(&self, target: TargetId) {
        lock(&self.cookies).forget(target);
        lock(&self.pool).forget(target);
    }

    /// How ready the transport is, now and whenever that changes.
    pub fn status(&self) -> tokio::sync::watch::Receiver<crate::TorStatus> {
        self.transport.status()
    }

    /// Makes one attempt to retrieve one URI. However it ends, the exchange says so; dropping the future closes the connection.
    pub async fn fetch(&self, request: &Request) -> Exchange {
        let blocks = Arc::clone(&self.blocks.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(objection) = policy::objection(&request.uri, request.allows_exit, &blocks) {
            return verdict::unsent(self.clock.now(), Outcome::Blocked, objection);
        }
        let cookies = lock(&self.cookies).header(request.isolation.target, &request.uri, self.clock.now());
        let prepared =
            salts(cookies.as_ref()).and_then(|salts| Ok((salts, self.head.build(request, cookies.as_ref())?)));
        let (salts, message) = match prepared {
            Ok(prepared) => prepared,
            Err(problem) => return verdict::unsent(self.clock.now(), Outcome::Blocked, problem),
        };

        let key = Key::new(request.isolation, &request.uri);
        let mut pooled = lock(&self.pool).take(&key);
        // Waiting for a slot is our own business, and no fact about the site: it ends before the clock starts.
        let mut slot = if pooled.is_some() { None } else { self.cold.enter(request).await };
        let started_at = self.clock.now();
        let deadline = Instant::now() + self.limits.total();
        loop {
            let is_reused = pooled.is_some();
            let mut connection = match pooled.take() {
                Some(connection) => connection,
                None => match self.open(request, slot.as_deref(), deadline).await {
                    Ok(connection) => connection,
                    Err(failure) => return self.not_connected(request, started_at, failure),
                },
            };
            drop(slot.take());
            self.cold.note_use(request);
            let spoken = converse(&mut connection, message.clone(), deadline, self.limits_of(request)).await;
            // A connection that dies between two requests is a race that says nothing about the site
            // (RFC 9112, section 9.3.1): the request goes out once more, over a new one.
            if is_reused && spoken.died_unheard() {
                slot = self.cold.enter(request).await;
                continue;
            }
            return self.conclude(
                request,
                &key,
                connection,
                &spoken,
                cookies.as_ref(),
                &salts,
                started_at,
                is_reused,
                &blocks,
            );
        }
    }

    /// Opens a connection within its own limit of time and that of the whole exchange.
    async fn open(&self, request: &Request, slot: Option<&Slot>, total: Instant) -> Result<Connection, NotConnected> {
        let deadline = total.min(Instant::now() + self.limits.connect());
        let to = Destination::of(&request.uri);
        let overrun = || NotConnected {
            outcome: Outcome::TimedOut(Stage::Connect),
            detail: format!("no connection to {} within the limit", to.host),
            has_overrun: true,
        };
        let stream = timeout_at(deadline, self.connect(&to, request, slot))
            .await
            .map_err(|_| overrun())?
            .map_err(|failure| NotConnected { outcome: failure.outcome, detail: failure.detail, has_overrun: false })?;
        let (stream, tls) = if request.uri.is_https() {
            let opened =
                timeout_at(deadline, self.tls.open(request.uri.host_str(), stream)).await.map_err(|_| overrun())?;
            let failed = |(why, detail)| NotConnected { outcome: Outcome::TlsFailed(why), detail, has_overrun: false };
            let (stream, facts) = opened.map_err(failed)?;
            (stream, Some(facts))
        } else {
            (stream, None)
        };
        Connection::new(stream, tls, Arc::clone(&self.clock), &self.limits).await.map_err(|error| NotConnected {
            outcome: Outcome::Interrupted(Stage::Connect),
            detail: error.to_string(),
            has_overrun: false,
        })
    }

    /// Connects; the slot is for others as soon as the service demands a proof of work, which can take longer than all their pages.
    async fn connect(
        &self,
        to: &Destination,
        request: &Request,
        slot: Option<&Slot>,
    ) -> Result<BoxStream, ConnectFailure> {
        let demanded = Arc::<Notify>::default();
        let proof_of_work = request.allows_proof_of_work.then(|| Arc::clone(&demanded));
        let options = ConnectOptions { isolation: request.isolation, proof_of_work };
        let mut connect = self.transport.connect(to, &options);
        tokio::select! {
            biased;
            connected = &mut connect => return connected,
            () = demanded.notified() => {}
        }
        if let Some(slot) = slot {
            slot.free();
        }
        connect.await
    }

    fn not_connected(&self, request: &Request, started_at: Timestamp, failure: NotConnected) -> Exchange {
        if failure.has_overrun {
            self.leave_circuits(request);
        }
        let mut exchange = verdict::unsent(started_at, failure.outcome, failure.detail);
        exchange.ended_at = self.clock.now();
        exchange.needs_new_epoch = failure.has_overrun;
        exchange
    }

    /// Turns what was spoken into an exchange, and keeps what outlives it: cookies, and the connection if it is fit for more.
    #[expect(clippy::too_many_arguments, reason = "the parts of one exchange, put together in one place")]
    fn conclude(
        &self,
        request: &Request,
        key: &Key,
        connection: Connection,
        spoken: &Conversation,
        cookies: Option<&CookieHeader>,
        salts: &[Digest],
        started_at: Timestamp,
        is_reused: bool,
        blocks: &Blocks,
    ) -> Exchange {
        let ended_at = self.clock.now();
        if let Some(head) = &spoken.head {
            let fields = head.headers.get_all(http::header::SET_COOKIE).iter().map(http::HeaderValue::as_bytes);
            lock(&self.cookies).store(request.isolation.target, &request.uri, fields, ended_at);
        }
        let mut record = connection.tape.cut();
        let secrets = cookies.map(|cookies| cookies.cut_out(&mut record.sent, salts)).unwrap_or_default();
        let tls = connection.tls.clone();
        let (mut exchange, is_clean) =
            verdict::judge(record, spoken, request, self.limits_of(request), blocks, ended_at);
        exchange.started_at = started_at;
        exchange.secrets = secrets;
        exchange.tls = tls;
        exchange.reused_connection = is_reused;
        if exchange.needs_new_epoch {
            self.leave_circuits(request);
        } else if is_clean {
            lock(&self.pool).put(key.clone(), connection);
        }
        exchange
    }

    fn limits_of(&self, request: &Request) -> &Limits {
        if request.allows_images { &self.limits_with_images } else { &self.limits }
    }

    /// What overran once is not used again.
    fn leave_circuits(&self, request: &Request) {
        lock(&self.pool).forget_group(request.isolation);
        self.cold.forget(request);
    }
}

/// A random salt for each secret, so that nobody finds a short secret by trying.
fn salts(cookies: Option<&CookieHeader>) -> Result<Vec<Digest>, String> {
    let secrets = cookies.map(|cookies| cookies.secrets.len()).unwrap_or_default();
    (0..secrets)
        .map(|_| {
            let mut salt = [0; 32];
            getrandom::fill(&mut salt).map_err(|error| format!("no randomness to commit to a login: {error}"))?;
            Ok(Digest::from_bytes(salt))
        })
        .collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

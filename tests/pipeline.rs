//! From the transport to the API's answer in one process: fetch, store, extract, assess, search and web at work on whatever a server sends.
//!
//! The fuzz target beside the tests includes this file, so that it uses crates alone and nothing of this package.

#![expect(clippy::expect_used, reason = "what cannot go on here has failed")]

#[cfg(test)]
mod tests;

use std::{
    io::Cursor,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode, header},
};
use fetch::{BoxStream, ConnectFailure, ConnectOptions, Destination, Fetcher, TorStatus, Transport};
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use model::{
    Authority, Clock, Digest, Grant, ManualClock, Matter, OnionAddress, Outcome, Pace, Phase, Purpose, Retention, Role,
    RoleGrant, Seq, TargetId, TargetState, Terms, Theme, ThemeId, Timestamp,
};
use proof::LeafKind;
use store::{
    Account, Act, CredentialKey, NewAnswer, NewProposal, Notary, Password, RuleChange, RuleKind, Store, Token,
    TokenKind,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
    task::JoinSet,
    time::{interval, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

const TARGET: TargetId = TargetId::from_u64(1);
const TOKEN: &str = "nw_pipeline";

/// After so long every page is due again, whatever became of it.
const ROUND: Duration = Duration::from_mins(10);

/// The longest that a round may take. Nothing here waits for the time: a round that takes longer has no end.
const BOUND: Duration = Duration::from_mins(2);

/// How often it is looked whether a round has come to rest.
const TICK: Duration = Duration::from_millis(1);

/// The starter set of the theme.
const INDICATORS: &str = include_str!("../config/indicators/marketplace.toml");

/// The house at work on one page, which is answered with the bytes that it is fed.
pub(crate) struct Pipeline {
    _dir: tempfile::TempDir,
    answer: Arc<Mutex<Vec<u8>>>,
    clock: Arc<ManualClock>,
    store: Store,
    indexes: Arc<search::Indexes>,
    crawl: crawl::CrawlHandle,
    router: Router,
    tasks: JoinSet<()>,
    stop: DropGuard,
}

/// What came of bytes.
#[derive(Debug)]
pub(crate) struct Fed {
    /// The newest capture of the page.
    pub(crate) seq: Seq,
    pub(crate) outcome: Outcome,
    /// What the API says of it, by path.
    pub(crate) answers: Vec<(String, StatusCode, Bytes)>,
}

impl Pipeline {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(ManualClock::at("2031-01-01T00:00:00Z".parse().expect("a time")));
        let kept = store::Config { floor_mb: 0, reserve_mb: 0, ..store::Config::default() };
        let store =
            Store::open(&dir.path().join("store"), &kept, CredentialKey::from_bytes(&[1; 32])).expect("a store");
        let indexes = search::Indexes::open(dir.path().join("index"), search::Config::default());
        let indexes = Arc::new(indexes.expect("indexes"));
        let answer = Arc::<Mutex<Vec<u8>>>::default();
        let transport = Arc::new(Server(Arc::clone(&answer)));
        let fetcher = Arc::new(Fetcher::new(transport, clock.clone(), &fetch::Config::default()).expect("a fetcher"));
        let identity = crawl::Identity { software: Digest::of(b"pipeline"), configuration: Digest::of(b"pipeline") };
        let crawler = crawl::Crawler::new(quick(), store.clone(), fetcher, clock.clone(), identity);
        let analysis = derive::Config { index_after_ms: 1, ..derive::Config::default() };
        let deriver = derive::Deriver::new(analysis, store.clone(), Arc::clone(&indexes));
        settle_in(&store, clock.now());
        let crawl = crawler.handle();
        let app = web::App {
            store: store.clone(),
            notary: notary(&store, dir.path(), clock.now()),
            indexes: Arc::clone(&indexes),
            crawl: crawler.handle(),
            tor: watch::Sender::new(ready()).subscribe(),
            themes: Arc::new(web::Themes::new(vec![market()])),
            clock: clock.clone(),
            authority: Authority::of_this_process(),
            config: web::Config::default(),
            backup_key: store::BackupKey::from_bytes(&[3; 32]),
            watches: web::WatchConfig { spool_dir: dir.path().join("spool"), ..web::WatchConfig::default() },
            version: "pipeline",
        };
        let stop = CancellationToken::new();
        let (crawl_stop, derive_stop) = (stop.clone(), stop.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { Box::pin(crawler.run(crawl_stop)).await.expect("the crawl ends well") });
        tasks.spawn(async move { deriver.run(derive_stop).await.expect("the analysis ends well") });
        let router = web::router(app);
        Self { _dir: dir, answer, clock, store, indexes, crawl, router, tasks, stop: stop.drop_guard() }
    }

    /// Visits the page once more, answers with `bytes`, and asks the API for all that came of it.
    ///
    /// # Panics
    ///
    /// Where anything panics, ends, or finds no end; where what is kept is not what was sent; and where the API fails.
    pub(crate) async fn feed(&mut self, bytes: &[u8]) -> Fed {
        bytes.clone_into(&mut *lock(&self.answer));
        let before = self.newest();
        // A page that looked like a wall has stopped the crawl; here it goes on.
        let resume = |target: &mut model::Target| (target.attention, target.state) = (None, TargetState::Active);
        self.store.update_target(theme(), TARGET, resume).expect("the store").expect("the target");
        self.clock.advance(ROUND);
        self.crawl.targets_changed();
        timeout(BOUND, self.until_rest(before)).await.expect("the round has no end");
        let id = self.newest_of_page();
        assert!(id.seq > before, "the page was not visited");
        let capture = self.store.capture(&grant(), id).expect("the store").expect("the capture");
        self.expect_evidence(bytes, &capture);
        let mut answers = Vec::new();
        for path in paths(id.seq, bytes) {
            let (status, body) = self.ask(&path).await;
            answers.push((path, status, body));
        }
        Fed { seq: id.seq, outcome: capture.outcome, answers }
    }

    /// Lets every task end, which none may do otherwise than well.
    pub(crate) async fn end(mut self) {
        drop(self.stop);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("a task ends well");
        }
    }

    /// What is kept is a beginning of what was sent.
    fn expect_evidence(&self, bytes: &[u8], capture: &model::Capture) {
        let payload = self.store.payload(&grant(), theme(), capture).expect("the payload");
        let block = capture.block(&payload);
        assert!(bytes.starts_with(&block), "what is kept is not what was sent");
        assert_eq!(capture.block_digest, Digest::of(&block));
    }

    async fn until_rest(&mut self, before: Seq) {
        let mut tick = interval(TICK);
        while !self.is_at_rest(before) {
            tokio::select! {
                ended = self.tasks.join_next() => panic!("a task has ended: {ended:?}"),
                _ = tick.tick() => {}
            }
        }
    }

    fn is_at_rest(&self, before: Seq) -> bool {
        let newest = self.newest();
        let status = self.crawl.status();
        let status = status.borrow();
        newest > before
            && status.captures == newest.0
            && status.in_flight == 0
            && self.store.crawl_cursor(theme()).is_ok_and(|cursor| cursor == newest)
            && self.indexes.theme(theme()).is_ok_and(|index| index.indexed_up_to() == newest)
            && status.targets.iter().all(|target| target.is_idle || target.waits_because.is_some())
    }

    fn newest(&self) -> Seq {
        self.store.newest().borrow().get(&theme()).copied().unwrap_or_default()
    }

    /// The newest capture of the page itself: `robots.txt` and redirects have captures of their own.
    fn newest_of_page(&self) -> model::CaptureId {
        let filter = store::CaptureFilter::Uri(page().id());
        let captures = self.store.captures(&grant(), theme(), filter, None, 1).expect("the store").captures;
        model::CaptureId { theme: theme(), seq: captures.first().expect("a capture of the page").seq }
    }

    /// Asks the API, which must answer, and never with a page.
    async fn ask(&self, path: &str) -> (StatusCode, Bytes) {
        let request = Request::get(format!("/api/v1{path}")).header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
        let request = request.body(Body::empty()).expect("a request");
        let (head, body) = self.router.clone().oneshot(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes();
        assert!(!head.status.is_server_error(), "{path}: {}: {}", head.status, String::from_utf8_lossy(&body));
        let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let may_be_shown =
            ["application/json", "application/problem+json", "application/octet-stream", "text/plain", "text/csv"];
        assert!(may_be_shown.iter().any(|may| kind.starts_with(may)), "{path} is answered as {kind:?}");
        (head.status, body)
    }
}

/// All that the API tells of a capture, and searches for what is in it.
fn paths(seq: Seq, bytes: &[u8]) -> Vec<String> {
    let theme = theme();
    let query: String = bytes.iter().rev().take(60).map(|byte| format!("%{byte:02X}")).collect();
    let uri: String = page().as_str().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let of_capture = ["", "/raw", "/payload", "/text", "/document", "/findings", "/similar", "/item", "/proof"];
    let mut paths: Vec<String> =
        of_capture.iter().map(|rest| format!("/themes/{theme}/captures/{seq}{rest}")).collect();
    paths.push(format!("/themes/{theme}/search?q=&sort=newest&limit=10"));
    paths.push(format!("/themes/{theme}/search?q={query}"));
    paths.push(format!("/themes/{theme}/versions?uri={uri}"));
    paths.push(format!("/themes/{theme}/services"));
    paths.push(format!("/themes/{theme}/services/{}", onion()));
    paths
}

/// A server that waits for a request, and answers each with the same bytes.
struct Server(Arc<Mutex<Vec<u8>>>);

impl Transport for Server {
    fn connect<'a>(
        &'a self,
        _: &'a Destination,
        _: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
        let answer = Cursor::new(lock(&self.0).clone());
        Box::pin(async move { Ok(Box::new(Wire { answer, is_asked: false, reader: None }) as BoxStream) })
    }

    fn status(&self) -> watch::Receiver<TorStatus> {
        watch::Sender::new(ready()).subscribe()
    }
}

struct Wire {
    answer: Cursor<Vec<u8>>,
    is_asked: bool,
    reader: Option<Waker>,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if !self.is_asked {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Pin::new(&mut self.answer).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.is_asked = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Writes down whoever asks, the indicators, and the decision to crawl.
fn settle_in(store: &Store, now: Timestamp) {
    let act = Act::new(None, LeafKind::Account, now);
    let name: model::AccountName = "pipeline".parse().expect("a name");
    let account = Account {
        name: name.clone(),
        full_name: "The pipeline".into(),
        made_at: now,
        made_by: "local".into(),
        is_disabled: false,
        password: Password { hash: "none".into(), set_at: now, is_one_time: false },
        roles: (1..)
            .zip([Role::Operator, Role::Analyst, Role::Investigator])
            .map(|(number, role)| given(number, role, now))
            .collect(),
    };
    store.add_account(&account, &act).expect("an account");
    let kind = TokenKind::Program { label: "pipeline".into(), scopes: Vec::new() };
    let token = Token { account: name, kind, made_at: now, fresh_at: now, used_at: now, ends_at: end(now) };
    store.add_token(&Digest::of(TOKEN.as_bytes()), &token, &act).expect("a token");

    for (text, rule) in assess::parse_set(INDICATORS).expect("indicators") {
        let change = RuleChange {
            kind: RuleKind::Indicator,
            name: rule.name(),
            text: Some(&text),
            author: "a",
            replaces: None,
            at: now,
        };
        store.change_rule(&grant(), theme(), &change).expect("an indicator");
    }

    let person = |name: &str| Authority::of_this_process().grant(name, theme(), Phase::Technique);
    let new = NewProposal { matter: Matter::Crawl(Box::new(terms(now))), found_in: None, at: now };
    let (_, proposal) = store.propose_target(&person("proposer"), theme(), (TARGET, "page"), new).expect("a proposal");
    let answer = NewAnswer { proposal: proposal.leaf, reasons: "r", at: now };
    store.approve(&person("approver"), theme(), TARGET, &answer).expect("a decision");
}

fn given(number: u32, role: Role, now: Timestamp) -> RoleGrant {
    RoleGrant {
        number,
        role,
        theme: Some(theme()),
        may_search: false,
        qualification: "q".into(),
        given_by: "local".into(),
        given_at: now,
        ends_at: end(now),
        ended: None,
    }
}

/// One page, as often as its time comes, and nothing that it links to.
fn terms(now: Timestamp) -> Terms {
    Terms {
        seeds: vec![page()],
        scope: model::Scope { max_depth: 0, pages_per_day: u32::MAX, ..model::Scope::default() },
        pace: Pace { delay_ms: 0, concurrency: 4, revisit_min_s: 60, revisit_max_s: 60 },
        grounds: "g".into(),
        expected_value: "e".into(),
        legal_basis: "b".into(),
        necessity: "n".into(),
        proportionality: "p".into(),
        reliability: model::Reliability::default(),
        credibility: model::Credibility::default(),
        media: model::MediaPolicy::default(),
        robots: model::RobotsPolicy::default(),
        allows_exit: false,
        allows_proof_of_work: false,
        allows_conditional_requests: false,
        retention_days: None,
        review_at: end(now),
        ends_at: end(now),
    }
}

/// Nothing waits longer than a round.
fn quick() -> crawl::Config {
    crawl::Config {
        requests_per_s: 0,
        jitter_percent: 0,
        backoff_min_s: 1,
        backoff_max_s: 1,
        retry_after_max_s: 1,
        walls_in_a_row: u32::MAX,
        ..crawl::Config::default()
    }
}

fn notary(store: &Store, dir: &std::path::Path, now: Timestamp) -> Arc<Notary> {
    let signer = proof::SignerKey::from_secret("nachtwacht/pipeline", &[1; 32]).expect("a key");
    let notary = Notary::new(store.clone(), signer, &dir.join("checkpoints"));
    notary.begin(now).expect("a checkpoint");
    Arc::new(notary)
}

fn market() -> Theme {
    Theme {
        id: theme(),
        title: "Market".into(),
        description: "One page.".into(),
        requires_purpose: false,
        retention: Retention { content_days: None, attempts_days: None },
        observables: model::ObservableSettings::default(),
    }
}

fn ready() -> TorStatus {
    TorStatus { percent: 100, is_ready: true, ..TorStatus::default() }
}

fn end(now: Timestamp) -> Timestamp {
    now.after(Duration::from_hours(4_380_000))
}

fn theme() -> ThemeId {
    "marketplace".parse().expect("a theme")
}

fn onion() -> OnionAddress {
    OnionAddress::from_public_key([7; 32])
}

fn page() -> model::Uri {
    format!("http://{}/", onion()).parse().expect("a URI")
}

fn grant() -> Grant {
    Grant::system(Purpose::Maintenance)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

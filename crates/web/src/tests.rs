//! The API over a real store, real indexes and a real crawl, asked as a client asks.

mod access;
mod accounts;
mod audit;
mod backups;
mod captures;
mod conformity;
mod custody;
mod decisions;
mod dossiers;
mod evidence;
mod exports;
mod generations;
mod guards;
mod log;
mod observables;
mod openapi;
mod people;
mod product;
mod results;
mod rules;
mod searches;
mod services;
mod status;
mod targets;
mod versions;
mod watches;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use crawl::{Crawler, Identity};
use fetch::{BoxStream, ConnectFailure, ConnectOptions, Destination, Fetcher, TorStatus, Transport};
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use model::{Authority, Clock, Digest, ManualClock, Outcome, Retention, Theme, ThemeId, Timestamp};
use search::Indexes;
use serde_json::Value;
use store::{CredentialKey, Notary, Store};
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::{App, Themes};

pub(crate) const TOKEN: &str = "nw_0123456789abcdef";

pub(crate) const MARKET: &str = "marketplace";

/// A theme that exists, of which nothing of the other one may tell.
pub(crate) const CYBER: &str = "cybercrime";

/// A house with everything that the API needs.
pub(crate) struct House {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) indexes: Arc<Indexes>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tor: watch::Sender<TorStatus>,
    pub(crate) crawler: Option<Crawler>,
    pub(crate) router: Router,
}

/// A way out that leads nowhere.
struct NoWayOut(watch::Sender<TorStatus>);

impl Transport for NoWayOut {
    fn connect<'a>(
        &'a self,
        _: &'a Destination,
        _: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
        Box::pin(async { Err(ConnectFailure { outcome: Outcome::TorUnavailable, detail: "no way out".into() }) })
    }

    fn status(&self) -> watch::Receiver<TorStatus> {
        self.0.subscribe()
    }
}

pub(crate) fn theme(name: &str) -> ThemeId {
    name.parse().unwrap()
}

pub(crate) fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

impl House {
    pub(crate) fn new() -> Self {
        let (app, mut house) = Self::with_app();
        house.router = crate::router(app);
        house
    }

    /// A house whose router is made by somebody else.
    pub(crate) fn with_app() -> (App, Self) {
        Self::on(&store::Config::default(), tempfile::tempdir().unwrap())
    }

    /// A house on a directory, in which there may have been one before, over a store with these settings.
    pub(crate) fn on(config: &store::Config, dir: tempfile::TempDir) -> (App, Self) {
        let key = CredentialKey::from_bytes(&[7; 32]);
        let store = Store::open(&dir.path().join("store"), config, key).unwrap();
        let indexes = Arc::new(Indexes::open(dir.path().join("index"), search::Config::default()).unwrap());
        let clock = Arc::new(ManualClock::at(noon()));
        let now: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let way_out = Arc::new(NoWayOut(watch::Sender::default()));
        let fetcher = Arc::new(Fetcher::new(way_out, Arc::clone(&now), &fetch::Config::default()).unwrap());
        let identity = Identity { software: Digest::of(b"software"), configuration: Digest::of(b"configuration") };
        let crawler = Crawler::new(crawl::Config::default(), store.clone(), fetcher, Arc::clone(&now), identity);
        let tor = watch::Sender::new(TorStatus { percent: 100, is_ready: true, ..TorStatus::default() });
        let retention = Retention { content_days: Some(30), attempts_days: None };
        let theme = |name: &str| Theme {
            observables: model::ObservableSettings::default(),
            id: theme(name),
            requires_purpose: false,
            title: name.to_uppercase(),
            description: format!("All {name}."),
            retention,
        };
        let signer = proof::SignerKey::from_secret("nachtwacht/test", &[1; 32]).unwrap();
        let notary = Arc::new(Notary::new(store.clone(), signer, &dir.path().join("checkpoints")));
        notary.begin(noon()).unwrap();
        let app = App {
            store: store.clone(),
            notary,
            indexes: Arc::clone(&indexes),
            crawl: crawler.handle(),
            tor: tor.subscribe(),
            themes: Arc::new(Themes::new(vec![theme(CYBER), theme(MARKET)])),
            clock: now,
            authority: Authority::of_this_process(),
            // Tests ask quickly; what limits them has a test of its own.
            config: crate::Config {
                requests_per_second: 100_000,
                requests_at_once: 100_000,
                ..crate::Config::default()
            },
            backup_key: store::BackupKey::from_bytes(&[3; 32]),
            watches: crate::WatchConfig { spool_dir: dir.path().join("spool"), ..crate::WatchConfig::default() },
            version: "1.2.3",
        };
        let house = Self { dir, store, indexes, clock, tor, crawler: Some(crawler), router: Router::new() };
        house.settle_in();
        (app, house)
    }

    /// Asks as a stranger, or as whoever the request says.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let answer =
            Answer { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() };
        conformity::check(&method, &path, &answer);
        answer
    }

    /// Asks with the token, on a path beneath `/api/v1`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// Sends JSON with the token.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = request(method, path).header(header::CONTENT_TYPE, "application/json");
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Posts nothing with the token.
    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.ask(request(Method::POST, path).body(Body::empty()).unwrap()).await
    }
}

/// A request with the token.
pub(crate) fn request(method: Method, path: &str) -> axum::http::request::Builder {
    let bearer = format!("Bearer {TOKEN}");
    Request::builder().method(method).uri(format!("/api/v1{path}")).header(header::AUTHORIZATION, bearer)
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The JSON of an answer with this status.
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The detail of a problem of this status and kind.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> String {
        let problem = self.json(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["type"], format!("tag:nachtwacht,2026:{kind}"));
        assert_eq!(problem["status"], status);
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
        problem["detail"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

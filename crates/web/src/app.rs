use std::sync::{Arc, PoisonError, RwLock};

use crawl::CrawlHandle;
use fetch::TorStatus;
use model::{Authority, Clock, Theme, ThemeId};
use release::Exporter;
use search::Indexes;
use store::{BackupKey, Notary, Store};
use tokio::{sync::watch, time::Instant};
use tokio_util::task::TaskTracker;

use crate::{
    authentication::{Config, Hashing, Throttle},
    idempotency::Keys,
    limits::Limits,
    metrics::Counters,
    refusal::Refusal,
    watching::WatchConfig,
};

/// All that the API answers from. The daemon makes it once and moves it in.
pub struct App {
    /// The truth.
    pub store: Store,
    /// Whoever signs for the evidence log.
    pub notary: Arc<Notary>,
    /// The indexes of all themes.
    pub indexes: Arc<Indexes>,
    /// The running crawl.
    pub crawl: CrawlHandle,
    /// How ready the Tor client is.
    pub tor: watch::Receiver<TorStatus>,
    /// The themes that exist. Any other one is unknown, whatever the store holds.
    pub themes: Arc<Themes>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The power to make grants, for those who are authenticated here.
    pub authority: Authority,
    /// What keeps people logged in.
    pub config: Config,
    /// The key that backups are sealed with.
    pub backup_key: BackupKey,
    /// Settings of watches and alerts.
    pub watches: WatchConfig,
    /// The version of the program.
    pub version: &'static str,
}

/// The themes as their files describe them, which may be read anew while the API is served.
#[derive(Debug)]
pub struct Themes(RwLock<Arc<[Theme]>>);

impl Themes {
    /// These themes.
    pub fn new(themes: Vec<Theme>) -> Self {
        Self(RwLock::new(themes.into()))
    }

    /// The themes as they are now.
    pub fn now(&self) -> Arc<[Theme]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts these in the place of the ones before; what asks from now on sees them.
    pub fn replace(&self, themes: Vec<Theme>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = themes.into();
    }
}

/// The application while it serves.
pub(crate) struct Running {
    pub(crate) app: App,
    pub(crate) exporter: Exporter,
    pub(crate) throttle: Throttle,
    pub(crate) hashing: Hashing,
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
    pub(crate) keys: Keys,
    /// Requests under way, which end well also when whoever asked has gone.
    pub(crate) requests: TaskTracker,
    pub(crate) since: Instant,
}

/// What every handler gets.
pub(crate) type Shared = Arc<Running>;

impl Running {
    pub(crate) fn new(app: App) -> Shared {
        let exporter = Exporter::new(app.store.clone(), Arc::clone(&app.notary), app.version);
        let limits = Limits::new(&app.config);
        Arc::new(Self {
            app,
            exporter,
            throttle: Throttle::default(),
            hashing: Hashing::default(),
            limits,
            counters: Counters::default(),
            keys: Keys::default(),
            requests: TaskTracker::new(),
            since: Instant::now(),
        })
    }

    /// Whether there is such a theme.
    pub(crate) fn has_theme(&self, theme: ThemeId) -> bool {
        self.theme(theme).is_some()
    }

    /// The theme, if there is such a one.
    pub(crate) fn theme(&self, theme: ThemeId) -> Option<Theme> {
        self.app.themes.now().iter().find(|known| known.id == theme).cloned()
    }

    /// Does what may wait for the disk, off the event loop.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let running = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&running)).await?
    }
}

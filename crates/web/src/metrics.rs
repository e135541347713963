//! Figures for Prometheus: one struct, gathered when somebody asks, in the text format 0.0.4. They are about the house as a whole: none names a theme, a
//! target, an account or anything that a page says.

use std::{
    fmt::Write as _,
    fs,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::{
    app::{Running, Shared},
    refusal::Refusal,
};

/// What is counted while requests are answered.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Answers by the first digit of their status, from 1 to 5.
    answers: [AtomicU64; 5],
    audited: AtomicU64,
    audit_us: AtomicU64,
}

impl Counters {
    /// Notes that a leaf of the audit log was on disk after this time.
    pub(crate) fn audited(&self, took: Duration) {
        self.audited.fetch_add(1, Relaxed);
        self.audit_us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }
}

/// Counts an answer.
pub(crate) async fn count(State(running): State<Shared>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let class = usize::from(response.status().as_u16() / 100).saturating_sub(1);
    if let Some(count) = running.counters.answers.get(class) {
        count.fetch_add(1, Relaxed);
    }
    response
}

/// A figure: its name, what it is, and its values by label.
struct Figure {
    name: &'static str,
    /// `gauge` or `counter`.
    kind: &'static str,
    help: &'static str,
    /// Labels, as they are written between braces, and values.
    values: Vec<(String, f64)>,
}

/// Every figure, as text.
pub(crate) fn text(running: &Running) -> Result<String, Refusal> {
    let mut text = String::new();
    for Figure { name, kind, help, values } in figures(running)? {
        let _ = write!(text, "# HELP nachtwacht_{name} {help}\n# TYPE nachtwacht_{name} {kind}\n");
        for (labels, value) in values {
            let _ = writeln!(text, "nachtwacht_{name}{labels} {value}");
        }
    }
    text.push_str(&process());
    Ok(text)
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus keeps every value as a floating-point number")]
fn figures(running: &Running) -> Result<Vec<Figure>, Refusal> {
    let app = &running.app;
    let number = |count: u64| vec![(String::new(), count as f64)];
    let gauge = |name, help, values| Figure { name, kind: "gauge", help, values };
    let counter = |name, help, values| Figure { name, kind: "counter", help, values };
    let labelled = |label: &str, values: &[(&str, u64)]| -> Vec<(String, f64)> {
        values.iter().map(|(value, count)| (format!("{{{label}=\"{value}\"}}"), *count as f64)).collect()
    };
    let tor = app.tor.borrow().clone();
    let crawl = app.crawl.status().borrow().clone();
    let disk = app.store.disk_use();
    let waiting = crawl.targets.iter().filter(|target| target.waits_because.is_some()).count() as u64;
    let overdue = crawl.targets.iter().filter(|target| target.review_overdue.is_some()).count() as u64;
    let lags = lags(running)?;
    let (audited, audit_us) = (running.counters.audited.load(Relaxed), running.counters.audit_us.load(Relaxed));
    let answers: Vec<u64> = running.counters.answers.iter().map(|count| count.load(Relaxed)).collect();
    let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(answers).collect::<Vec<_>>();
    Ok(vec![
        gauge("info", "The version of the program.", vec![(format!("{{version=\"{}\"}}", app.version), 1.0)]),
        gauge("uptime_seconds", "How long the daemon has been serving.", number(running.since.elapsed().as_secs())),
        gauge("tor_ready", "Whether a connection through Tor can be opened now.", number(tor.is_ready.into())),
        gauge("tor_bootstrap_percent", "Progress of the bootstrap.", number(tor.percent.into())),
        counter(
            "tor_failed_bootstraps_total",
            "Attempts to bootstrap that failed.",
            number(tor.failed_attempts.into()),
        ),
        counter(
            "tor_proofs_of_work_total",
            "Proofs of work that services demanded, by what became of them.",
            labelled("result", &[("made", tor.proofs_of_work.made), ("given-up", tor.proofs_of_work.given_up)]),
        ),
        gauge("crawl_in_flight", "Visits that have begun and are not recorded yet.", number(crawl.in_flight as u64)),
        gauge("crawl_queued", "Visits owed, due or not.", number(crawl.queued)),
        counter("crawl_captures_total", "Captures since the daemon began.", number(crawl.captures)),
        gauge(
            "targets",
            "Targets: all that are watched, those that wait for something, and those whose review is overdue.",
            labelled(
                "state",
                &[("watched", crawl.targets.len() as u64), ("waiting", waiting), ("review-overdue", overdue)],
            ),
        ),
        gauge(
            "lag_captures",
            "By how many captures the theme that is furthest behind is behind, by stage.",
            labelled("stage", &[("analysis", lags[0]), ("index", lags[1]), ("links", lags[2])]),
        ),
        gauge("store_bytes", "What the store takes on its disk.", number(disk.store_bytes)),
        gauge("disk_free_bytes", "What is free on the store's disk.", number(disk.space.free_bytes)),
        gauge("disk_floor_bytes", "Nothing is fetched while less is free.", number(disk.space.floor_bytes)),
        gauge(
            "memory_used_bytes",
            "What the process holds and the system cannot take back.",
            number(crawl.memory.used_bytes),
        ),
        gauge(
            "memory_ceiling_bytes",
            "Nothing new is fetched above nine tenths of this; 0 where no ceiling is known.",
            number(crawl.memory.ceiling_bytes.unwrap_or(0)),
        ),
        gauge("evidence_log_leaves", "Leaves of the evidence log.", number(app.store.log_head().size)),
        gauge("audit_log_leaves", "Leaves of the audit log.", number(app.store.audit_head().size)),
        counter("audit_syncs_total", "Answers that waited for their leaf of the audit log.", number(audited)),
        counter(
            "audit_sync_seconds_total",
            "How long they waited together.",
            vec![(String::new(), Duration::from_micros(audit_us).as_secs_f64())],
        ),
        counter("http_answers_total", "Answers of the API, by class of status.", labelled("class", &classes)),
    ])
}

/// By how many captures analysis, index and following of links are behind, in the theme where it is most.
pub(crate) fn lags(running: &Running) -> Result<[u64; 3], Refusal> {
    let app = &running.app;
    let (newest, crawl) = (app.store.newest().borrow().clone(), app.crawl.status().borrow().clone());
    let mut lags = [0; 3];
    for theme in app.themes.now().iter().map(|theme| theme.id) {
        let newest = newest.get(&theme).copied().unwrap_or_default().0;
        // Links of a theme without a target are followed by nobody.
        let is_watched = crawl.targets.iter().any(|target| target.theme == theme);
        let followed = if is_watched { crawl.followed.get(&theme).copied().unwrap_or_default().0 } else { newest };
        let reached = [app.store.derive_cursor(theme)?.0, app.indexes.theme(theme)?.indexed_up_to().0, followed];
        for (lag, reached) in lags.iter_mut().zip(reached) {
            *lag = (*lag).max(newest.saturating_sub(reached));
        }
    }
    Ok(lags)
}

/// What every program tells Prometheus of its process, read from `/proc`.
fn process() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let open = fs::read_dir("/proc/self/fd").map(|files| files.count() as u64).ok();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let most = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let most = most.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let values = [
        ("process_resident_memory_bytes", "Resident memory.", field("VmRSS:").map(|kb| kb << 10)),
        ("process_threads", "Threads.", field("Threads:")),
        ("process_open_fds", "Open file descriptors.", open),
        ("process_max_fds", "The most file descriptors that may be open.", most),
    ];
    let mut text = String::new();
    for (name, help, value) in values {
        if let Some(value) = value {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
        }
    }
    text
}

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::sites::{
    Site,
    book::Book,
    door::{Door, Gate},
    html::{self, Noise},
    ledger::Ledger,
};

/// Starts the server of a site whose pages stand in a book.
pub(crate) async fn open(
    name: &'static str,
    seed: u64,
    book: Arc<Book>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> io::Result<Site> {
    let gate = Arc::new(Gate::new());
    let ledger = Arc::new(Ledger::default());
    let door = Door::open(Arc::clone(&gate)).await?;
    let http = door.address();
    let front = Arc::new(Front {
        name,
        seed,
        loads: AtomicU64::new(0),
        book: Arc::clone(&book),
        gate: Arc::clone(&gate),
        ledger: Arc::clone(&ledger),
        stop: stop.clone(),
    });
    let router = Router::new().fallback(answer).with_state(front);
    let server = axum::serve(door, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    tasks.spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, site = name, "a hidden site stopped");
        }
    });
    Ok(Site { name, http, tls: std::collections::BTreeMap::new(), gate, ledger, book: Some(book) })
}

struct Front {
    name: &'static str,
    seed: u64,
    loads: AtomicU64,
    book: Arc<Book>,
    gate: Arc<Gate>,
    ledger: Arc<Ledger>,
    stop: CancellationToken,
}

async fn answer(State(front): State<Arc<Front>>, method: Method, uri: Uri) -> Response {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    front.ledger.count(method.as_str(), target);
    tokio::select! {
        () = front.gate.passed() => {}
        () = front.stop.cancelled() => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
    match method {
        Method::GET | Method::HEAD => front.page(target),
        // Forms lead here. They are accepted without effect: what a crawler must not do shows in the counters.
        Method::POST => reply(StatusCode::OK, "text/plain; charset=utf-8", b"Done.\n".to_vec()),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

impl Front {
    fn page(&self, target: &str) -> Response {
        if let Some((content_type, bytes)) = html::asset(target) {
            return reply(StatusCode::OK, content_type, bytes);
        }
        let noise = Noise::of(self.seed, self.name, self.loads.fetch_add(1, Ordering::Relaxed));
        match self.book.pages().get(target) {
            Some(page) => reply(StatusCode::OK, page.content_type(), page.bytes(&noise)),
            None => reply(StatusCode::NOT_FOUND, "text/html; charset=utf-8", html::not_found(&noise)),
        }
    }
}

fn reply(status: StatusCode, content_type: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::SERVER, HeaderValue::from_static("nginx"));
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

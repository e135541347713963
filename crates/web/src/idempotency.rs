//! Requests that may be sent again: whoever gives a request an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) can send it again when no
//! answer came, and it is carried out once, over restarts too.
//!
//! Answers are kept in memory, for a day at most, and go with every erasure; the store knows what was begun and how it ended, and nothing
//! that somebody wrote.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{CONTENT_TYPE, LOCATION},
    },
    middleware::Next,
    response::Response,
};
use http_body_util::{BodyExt as _, Limited};
use model::{Digest, Timestamp};
use sha2::{Digest as _, Sha256};
use store::{KeyedAnswer, KeyedRequest};

use crate::{
    app::Shared,
    authentication::Who,
    refusal::Refusal,
    request::{MAX_LARGE_BODY, bytes_of, refused},
};

/// The field that holds the key.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long a key is remembered.
pub(crate) const REMEMBERED: Duration = Duration::from_hours(24);

/// The longest answer that is kept, in bytes.
const MAX_ANSWER: usize = 64 << 10;

/// The most memory that answers take together, in bytes.
const MAX_ANSWERS: usize = 8 << 20;

/// Answers that hold a secret, which is told once.
const SECRET: [&str; 3] = ["/api/v1/account/tokens", "/api/v1/accounts", "/api/v1/accounts/{name}/password"];

/// Requests that hold a secret: not even their digest is kept, from which it might be guessed. And those that make room: they must not need any. To
/// send them twice does no harm.
const UNKEYED: [&str; 4] = [
    "/api/v1/account/password",
    "/api/v1/themes/{theme}/targets/{id}/login",
    "/api/v1/themes/{theme}/erasures",
    "/api/v1/themes/{theme}/retention",
];

/// Whether a request of this kind may have a key.
pub(crate) fn takes_key(method: &Method, path: &str) -> bool {
    !matches!(*method, Method::GET | Method::HEAD) && !UNKEYED.contains(&path)
}

/// What is under way, and the answers that are kept.
#[derive(Debug, Default)]
pub(crate) struct Keys(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    under_way: HashSet<Digest>,
    answers: HashMap<Digest, Answer>,
    /// In the order in which they came.
    order: VecDeque<Digest>,
    bytes: usize,
}

#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    until: Timestamp,
}

impl Keys {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets every answer: what they hold may be what is erased.
    pub(crate) fn forget_answers(&self) {
        let mut kept = self.lock();
        kept.answers.clear();
        kept.order.clear();
        kept.bytes = 0;
    }

    fn answer(&self, key: &Digest, now: Timestamp) -> Option<Response> {
        let answer = self.lock().answers.get(key).filter(|answer| now < answer.until).cloned()?;
        let mut response = Response::new(Body::from(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Some(response)
    }

    fn keep(&self, key: Digest, answer: Answer) {
        let mut kept = self.lock();
        kept.bytes += answer.body.len();
        if let Some(before) = kept.answers.insert(key, answer) {
            kept.bytes -= before.body.len();
        } else {
            kept.order.push_back(key);
        }
        while kept.bytes > MAX_ANSWERS
            && let Some(oldest) = kept.order.pop_front()
        {
            let gone = kept.answers.remove(&oldest).map_or(0, |answer| answer.body.len());
            kept.bytes -= gone;
        }
    }
}

/// A key that is in use until this is dropped.
struct InUse<'a>(&'a Keys, Digest);

impl<'a> InUse<'a> {
    fn begin(keys: &'a Keys, key: Digest) -> Result<Self, Refusal> {
        if keys.lock().under_way.insert(key) { Ok(Self(keys, key)) } else { Err(Refusal::KeyInUse) }
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.0.lock().under_way.remove(&self.1);
    }
}

/// Carries out what has a key once.
pub(crate) async fn once(State(running): State<Shared>, request: Request, next: Next) -> Result<Response, Refusal> {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let takes_key = takes_key(request.method(), &path);
    let Some(key) = key_of(request.headers())?.filter(|_| takes_key) else { return Ok(next.run(request).await) };
    let who = request.extensions().get::<Who>().cloned().ok_or(Refusal::Unauthenticated)?;
    let key = Digest::of(format!("{}\n{key}", who.name()).as_bytes());
    let _in_use = InUse::begin(&running.keys, key)?;
    let (parts, body) = request.into_parts();
    let body = bytes_of(Request::from_parts(parts.clone(), body), MAX_LARGE_BODY).await?;
    let asked = digest(&parts, &body);
    let now = running.app.clock.now();
    let before = running.blocking(move |running| Ok(running.app.store.keyed_request(&key)?)).await?;
    match before.filter(|before| now.since(before.begun_at) < REMEMBERED) {
        Some(before) if before.asked != asked => return Err(Refusal::KeyReused),
        Some(KeyedRequest { answer: None, .. }) => return Err(Refusal::OutcomeUnknown),
        Some(KeyedRequest { answer: Some(KeyedAnswer { status, location }), .. }) => {
            return running.keys.answer(&key, now).ok_or(Refusal::DoneAlready { status, location });
        }
        None => {}
    }
    let begun = KeyedRequest { asked, begun_at: now, answer: None };
    let noted = begun.clone();
    running.blocking(move |running| Ok(running.app.store.put_keyed_request(&key, &noted)?)).await?;
    let mut response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let status = response.status();
    let noted = if status.is_success() {
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok()).map(str::to_owned);
        let answer = Some(KeyedAnswer { status: status.as_u16(), location });
        let ended = KeyedRequest { answer, ..begun };
        running.blocking(move |running| Ok(running.app.store.put_keyed_request(&key, &ended)?)).await
    } else if status == StatusCode::INTERNAL_SERVER_ERROR {
        Ok(())
    } else {
        // It was refused, and may be mended and sent again.
        running.blocking(move |running| Ok(running.app.store.remove_keyed_request(&key)?)).await
    };
    if let Err(error) = noted {
        // It is done all the same: whoever sends it again is told that its outcome is unknown.
        tracing::warn!(%error, "how a request with a key ended is not noted");
    }
    if status.is_success() && !SECRET.contains(&path.as_str()) {
        response = keep(&running.keys, key, response, now).await;
    }
    Ok(response)
}

/// Keeps an answer that is short and complete; a long or a streamed one passes.
async fn keep(keys: &Keys, key: Digest, response: Response, now: Timestamp) -> Response {
    let size = HttpBody::size_hint(response.body()).exact();
    if size.is_none_or(|size| size > MAX_ANSWER as u64) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = Limited::new(body, MAX_ANSWER).collect().await else {
        return Response::from_parts(parts, Body::empty());
    };
    let body = body.to_bytes();
    let kept = |name: &HeaderName| *name == CONTENT_TYPE || *name == LOCATION;
    let headers = parts.headers.iter().filter(|(name, _)| kept(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    keys.keep(key, Answer { status: parts.status, headers, body: body.clone(), until: now.after(REMEMBERED) });
    Response::from_parts(parts, Body::from(body))
}

/// The key of a request: a string of structured fields (RFC 9651, section 3.3.3), or the same without its quotes.
fn key_of(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let is_key = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if is_key && values.next().is_none() {
        return Ok(Some(key.to_owned()));
    }
    Err(refused(KEY.as_str(), "say it once, in 1 to 255 visible ASCII characters"))
}

/// The digest of what is asked.
fn digest(parts: &axum::http::request::Parts, body: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    let field = |name| parts.headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
    for part in [parts.method.as_str().as_bytes(), parts.uri.to_string().as_bytes(), field(CONTENT_TYPE), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    Digest::from_bytes(hash.finalize().into())
}

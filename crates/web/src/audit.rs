//! Every request of somebody who is known becomes a leaf of the audit log before it is answered: who asked for what, why, and what came of it.
//! An answer that cannot be recorded is not given.

use axum::{
    extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use model::AccountName;
use proof::LeafKind;
use store::{Act, Room};
use tokio::time::Instant;

use crate::{
    access::Route,
    app::Shared,
    authentication::Who,
    refusal::{Kind, Refusal},
    request::purpose,
};

/// The longest text of a question that is kept, in bytes; of a longer one the beginning is.
const MAX_TEXT: usize = 8192;

/// The parts of paths that name what they point at by numbers; others may hold what somebody wrote, and are texts.
const PLAIN_PARTS: [&str; 11] =
    ["id", "proposal", "watch", "alert", "dossier", "seq", "a", "b", "leaf", "size", "number"];

/// Routes that must be answered on a full disk too: what makes room.
const VITAL: [&str; 2] = ["/themes/{theme}/erasures", "/themes/{theme}/retention"];

/// How many things an answer tells of; a handler leaves it with its response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count(pub(crate) u64);

/// What was asked in the body of a request; a handler leaves it with its response.
#[derive(Debug, Clone)]
pub(crate) struct Question(pub(crate) String);

/// Records what is asked, and answers only when that is on disk. It is done and recorded to its end also when whoever asked hangs up.
pub(crate) async fn audit(State(running): State<Shared>, request: Request, next: Next) -> Result<Response, Refusal> {
    let requests = running.requests.clone();
    requests.spawn(recorded(running, request, next)).await?
}

async fn recorded(running: Shared, request: Request, next: Next) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let who = parts.extensions.get::<Who>().cloned().ok_or(Refusal::Unauthenticated)?;
    let matched = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = matched.as_deref().and_then(|path| Route::of(parts.method.as_str(), path));
    let path = route.map_or("elsewhere", |route| route.path);
    let is_vital = VITAL.contains(&path);
    let is_quiet = route.is_some_and(|route| route.is_quiet(parts.method.as_str()));
    // What could not be recorded afterwards is not begun.
    if !is_vital && !is_quiet && running.app.store.room() == Room::ForActs {
        return Err(store::Error::Unaudited("the disk is full".to_owned()).into());
    }
    let mut act = Act::new(None, LeafKind::Access, running.app.clock.now())
        .fact("who", who.name())
        .fact("action", format!("{} {path}", parts.method));
    if let Ok(params) = RawPathParams::from_request_parts(&mut parts, &()).await {
        for (name, value) in &params {
            act = match name {
                "theme" => match value.parse() {
                    Ok(theme) if running.has_theme(theme) => Act { theme: Some(theme), ..act },
                    _ => act.part("theme", value),
                },
                _ if is_plain(path, name, value) => act.fact(name, value),
                _ => act.part(name, cut(value)),
            };
        }
    }
    if let Some(query) = parts.uri.query().filter(|query| !query.is_empty()) {
        act = act.part("query", cut(query));
    }
    if let Ok(Some(purpose)) = purpose(&parts.headers) {
        act = act.part("purpose", purpose);
    }
    let response = next.run(Request::from_parts(parts, body)).await;
    if is_quiet && response.status().is_success() {
        return Ok(response);
    }
    act = act.fact("status", i64::from(response.status().as_u16()));
    if let Some(kind) = response.extensions().get::<Kind>() {
        act = act.fact("refused", kind.name);
    }
    if let Some(Count(count)) = response.extensions().get() {
        act = act.fact("count", i64::try_from(*count).unwrap_or(i64::MAX));
    }
    if let Some(Question(text)) = response.extensions().get() {
        act = act.part("question", cut(text));
    }
    let begun = Instant::now();
    let recorded = running.blocking(move |running| Ok(running.app.store.audit(act, is_vital)?)).await;
    running.counters.audited(begun.elapsed());
    match recorded {
        // The answer to what was refused anyway tells nothing that it should not.
        Err(error) if response.status() != StatusCode::UNAUTHORIZED => Ok(error.into_response()),
        _ => Ok(response),
    }
}

/// Whether a part of a path may stay in a leaf for ever: a number, an id, or the name of an account, and nothing that somebody made up.
fn is_plain(path: &str, name: &str, value: &str) -> bool {
    let is_number = value.len() <= 20 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name {
        "name" => path.starts_with("/accounts/") && value.parse::<AccountName>().is_ok(),
        _ => PLAIN_PARTS.contains(&name) && is_number,
    }
}

/// The beginning of a text, as much as is kept.
fn cut(text: &str) -> &str {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_made_up_stays_in_no_leaf() {
        assert!(is_plain("/themes/{theme}/captures/{seq}", "seq", "17"));
        assert!(is_plain("/themes/{theme}/targets/{id}", "id", "00000000000007f3"));
        assert!(!is_plain("/themes/{theme}/captures/{seq}", "seq", "Jan Jansen"));
        assert!(is_plain("/accounts/{name}", "name", "anna") && !is_plain("/accounts/{name}", "name", "Jan Jansen"));
        assert!(!is_plain("/themes/{theme}/indicators/{name}", "name", "jansen"));
        assert!(!is_plain("/themes/{theme}/services/{host}", "host", "abc"));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("q=é"), "q=é");
        let long = format!("{}é", "x".repeat(MAX_TEXT - 1));
        assert_eq!(cut(&long).len(), MAX_TEXT - 1);
    }
}

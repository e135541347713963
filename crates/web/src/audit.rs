//! Every request of somebody who is known becomes a leaf of the audit log before it is answered: who asked for what, why, and what came of it.
//! An answer that cannot be recorded is not given.

use axum::{
    extract::{MatchedPath, RawPathParams, Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use proof::LeafKind;
use store::Act;

use crate::{
    access::Route,
    app::Shared,
    authentication::Who,
    refusal::{Kind, Refusal},
    request::purpose,
};

/// The longest text of a question that is kept, in bytes; of a longer one the beginning is.
const MAX_TEXT: usize = 8192;

/// The parts of paths that name what they point at by numbers and words of our own; others may hold what a site wrote, and are texts.
const PLAIN_PARTS: [&str; 13] =
    ["theme", "id", "proposal", "watch", "alert", "dossier", "seq", "a", "b", "leaf", "size", "number", "name"];

/// Routes that must be answered on a full disk too: what makes room.
const VITAL: [&str; 2] = ["/themes/{theme}/erasures", "/themes/{theme}/retention"];

/// How many things an answer tells of; a handler leaves it with its response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count(pub(crate) u64);

/// Records what is asked, and answers only when that is on disk.
pub(crate) async fn audit(State(running): State<Shared>, request: Request, next: Next) -> Result<Response, Refusal> {
    use axum::extract::FromRequestParts as _;
    let (mut parts, body) = request.into_parts();
    let who = parts.extensions.get::<Who>().cloned().ok_or(Refusal::Unauthenticated)?;
    let matched = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = matched.as_deref().and_then(|path| Route::of(parts.method.as_str(), path));
    let path = route.map_or("elsewhere", |route| route.path);
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
                _ if PLAIN_PARTS.contains(&name) && value.len() <= 64 => act.fact(name, value),
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
    let method = parts.method.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let is_quiet = route.is_some_and(|route| route.is_quiet(method.as_str()));
    if is_quiet && response.status().is_success() {
        return Ok(response);
    }
    act = act.fact("status", i64::from(response.status().as_u16()));
    if let Some(Kind(kind)) = response.extensions().get() {
        act = act.fact("refused", *kind);
    }
    if let Some(Count(count)) = response.extensions().get() {
        act = act.fact("count", i64::try_from(*count).unwrap_or(i64::MAX));
    }
    let is_vital = VITAL.contains(&path);
    let recorded = running.blocking(move |running| Ok(running.app.store.audit(act, is_vital)?)).await;
    match recorded {
        // The answer to what was refused anyway tells nothing that it should not.
        Err(error) if response.status() != StatusCode::UNAUTHORIZED => Ok(error.into_response()),
        _ => Ok(response),
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
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("q=é"), "q=é");
        let long = format!("{}é", "x".repeat(MAX_TEXT - 1));
        assert_eq!(cut(&long).len(), MAX_TEXT - 1);
    }
}

//! Tokens of programs: made by the owner of an account, limited and ending, and told once.

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use model::{Digest, Timestamp};
use proof::LeafKind;
use store::{Act, TokenKind, TokenScope};

use crate::{
    api::{NewToken, Token, TokenScope as Scope, Tokens, ToldToken},
    app::{Running, Shared},
    authentication::{Who, new_secret},
    refusal::Refusal,
    request::{Body, checked},
};

/// The most tokens of one account.
const MOST: usize = 50;

const DAY: Duration = Duration::from_hours(24);

/// One's tokens and sessions
#[utoipa::path(
    get, path = "/account/tokens", tag = "accounts", operation_id = "list_tokens",
    responses((status = 200, description = "The latest first; those that have lapsed are not shown.", body = Tokens)),
)]
pub(crate) async fn list(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
) -> Result<Json<Tokens>, Refusal> {
    let list = move |running: &Running| {
        let now = running.app.clock.now();
        let mut tokens = own(running, &who)?;
        tokens.retain(|(_, token)| now < token.ends_at);
        tokens.sort_by_key(|(_, token)| std::cmp::Reverse(token.made_at));
        Ok(Tokens { tokens: tokens.into_iter().map(|(digest, token)| shown(&digest, token)).collect() })
    };
    running.blocking(list).await.map(Json)
}

/// Make a token
///
/// For a program. Its secret is told in this answer and never again. It may use the roles of its account that are named, or all of them, as
/// long as the account holds them.
#[utoipa::path(
    post, path = "/account/tokens", tag = "accounts", operation_id = "make_token", request_body = NewToken,
    responses((status = 201, description = "The token and its secret.", body = ToldToken)),
)]
pub(crate) async fn create(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<ToldToken>), Refusal> {
    let account = who.account().cloned().ok_or(Refusal::NotAnAccount)?;
    let (label, now) = (checked("label", &new.label)?, running.app.clock.now());
    let most = running.app.config.token_days;
    if new.ends_at <= now || new.ends_at > now.after(DAY * most) {
        let problem = format!("it must lie within the next {most} days");
        return Err(Refusal::Invalid { field: "ends_at", problem });
    }
    let create = move |running: &Running| {
        let has = |scope: &Scope| who.held().iter().any(|held| held.role == scope.role && held.theme == scope.theme);
        if let Some(scope) = new.scopes.iter().find(|scope| !has(scope)) {
            let problem = format!("you do not hold the role of {} there", scope.role);
            return Err(Refusal::Invalid { field: "scopes", problem });
        }
        let limits = limits(running, &who)?;
        if limits.as_ref().is_some_and(|(_, ends_at)| new.ends_at > *ends_at) {
            let problem = "a token that is limited makes none that outlives it".to_owned();
            return Err(Refusal::Invalid { field: "ends_at", problem });
        }
        let scopes = match limits {
            Some((scopes, _)) if new.scopes.is_empty() => scopes,
            _ => new.scopes.iter().map(|scope| TokenScope { role: scope.role, theme: scope.theme }).collect(),
        };
        let is_counted = |token: &store::Token| now < token.ends_at && token.kind != TokenKind::Session;
        let present = own(running, &who)?.into_iter().filter(|(_, token)| is_counted(token)).count();
        if present >= MOST {
            let problem = format!("you have {MOST} already: revoke one that is not needed any more");
            return Err(Refusal::Invalid { field: "label", problem });
        }
        let secret = new_secret()?;
        let kind = TokenKind::Program { label, scopes };
        let token = store::Token { account, kind, made_at: now, fresh_at: now, used_at: now, ends_at: new.ends_at };
        let digest = secret.digest();
        let act = Act::new(None, LeafKind::Account, now).fact("who", who.name()).fact("action", "make token");
        running.app.store.add_token(&digest, &token, &act.fact("token", id(&digest)))?;
        Ok(ToldToken { secret: secret.tell(), token: shown(&digest, token) })
    };
    running.blocking(create).await.map(|token| (StatusCode::CREATED, Json(token)))
}

/// Revoke a token, or end a session
#[utoipa::path(
    delete, path = "/account/tokens/{id}", tag = "accounts", operation_id = "revoke_token",
    params(("id" = String, Path, description = "By which it is called.")),
    responses((status = 204, description = "It is good for nothing any more.")),
)]
pub(crate) async fn revoke(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    Path(wanted): Path<String>,
) -> Result<StatusCode, Refusal> {
    let revoke = move |running: &Running| {
        let found = own(running, &who)?.into_iter().find(|(digest, _)| id(digest) == wanted);
        let (digest, _) = found.ok_or(Refusal::NoToken)?;
        if limits(running, &who)?.is_some() && who.secret() != Some(digest) {
            let problem = "a token that is limited revokes none but itself".to_owned();
            return Err(Refusal::Invalid { field: "id", problem });
        }
        let act = Act::new(None, LeafKind::Account, running.app.clock.now()).fact("who", who.name());
        running.app.store.remove_token(&digest, &act.fact("action", "revoke token").fact("token", wanted))?;
        Ok(StatusCode::NO_CONTENT)
    };
    running.blocking(revoke).await
}

/// What the token with which somebody came is limited to, and until when: it makes no token that may do more. `None` of a session, and of a token
/// that may do all that its account may.
fn limits(running: &Running, who: &Who) -> Result<Option<(Vec<TokenScope>, Timestamp)>, Refusal> {
    let digest = who.secret().ok_or(Refusal::NotAnAccount)?;
    let token = running.app.store.token(&digest)?.ok_or(Refusal::Unauthenticated)?;
    Ok(match token.kind {
        TokenKind::Program { scopes, .. } if !scopes.is_empty() => Some((scopes, token.ends_at)),
        _ => None,
    })
}

fn own(running: &Running, who: &Who) -> Result<Vec<(Digest, store::Token)>, Refusal> {
    Ok(running.app.store.tokens(who.account().ok_or(Refusal::NotAnAccount)?)?)
}

/// By which a token is called: it tells nothing of the secret.
fn id(digest: &Digest) -> String {
    digest.to_string().chars().take(16).collect()
}

fn shown(digest: &Digest, token: store::Token) -> Token {
    let (label, scopes) = match token.kind {
        TokenKind::Session => (None, Vec::new()),
        TokenKind::Program { label, scopes } => (Some(label), scopes),
    };
    Token {
        id: id(digest),
        label,
        scopes: scopes.into_iter().map(|scope| Scope { role: scope.role, theme: scope.theme }).collect(),
        made_at: token.made_at,
        used_at: token.used_at,
        ends_at: token.ends_at,
    }
}

//! Who asks: a bearer token (RFC 6750), a browser's session, or whoever the system lets open the Unix socket as root or as the daemon's own user.

mod first;
mod login;
mod password;
mod throttle;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{
        Extensions, HeaderMap, HeaderValue, Method,
        header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, SET_COOKIE},
        request::Parts,
    },
    middleware::Next,
    response::Response,
};
use model::{AccountName, Digest, Role, ThemeId, Timestamp};
use store::{Account, Token, TokenKind};

pub use first::first_accounts;
pub(crate) use login::{end_session, log_in, new_secret};
pub(crate) use password::{Hashing, check_password};
pub(crate) use throttle::Throttle;

use crate::{
    app::{Running, Shared},
    refusal::Refusal,
};

/// The name under which whoever opens the Unix socket as root or as the daemon's own user is recorded. No account can have it.
pub(crate) const LOCAL: &str = "local";

/// The cookie that holds a session's secret.
const COOKIE_NAME: &str = "nachtwacht";

/// Nothing is written for a use within this time after the last one that was.
const TOUCH: Duration = Duration::from_mins(1);

/// How long the secret that a session had before is still good, for requests that are under way.
const OVERLAP: Duration = Duration::from_mins(1);

/// Settings of what keeps people logged in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A session that nobody used for so long lapses, in minutes.
    pub session_idle_minutes: u32,
    /// A session lapses after this time, however it is used, in hours.
    pub session_hours: u32,
    /// A session gets a new secret after this time, in minutes.
    pub session_renew_minutes: u32,
    /// The longest time for which a program's token may be made, in days.
    pub token_days: u32,
    /// The texts of questions and purposes in the audit log are forgotten after this time, in days. Their leaves stay.
    pub audit_text_days: u32,
    /// How many requests of one account are answered in a second, on the whole.
    pub requests_per_second: u32,
    /// How many requests of one account may come at once before that.
    pub requests_at_once: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            session_idle_minutes: 30,
            session_hours: 10,
            session_renew_minutes: 15,
            token_days: 365,
            audit_text_days: 5 * 365,
            requests_per_second: 50,
            requests_at_once: 500,
        }
    }
}

impl Config {
    const fn idle(&self) -> Duration {
        Duration::from_secs(60 * self.session_idle_minutes as u64)
    }

    const fn renew(&self) -> Duration {
        Duration::from_secs(60 * self.session_renew_minutes as u64)
    }

    /// The longest life of a session.
    const fn session_length(&self) -> Duration {
        Duration::from_secs(60 * 60 * self.session_hours as u64)
    }
}

/// Where a connection comes from. Only the server says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The Unix socket, opened by root or by the daemon's own user.
    Administrator,
    /// The Unix socket, opened by somebody else.
    Socket,
    /// TCP.
    Address(IpAddr),
}

impl Peer {
    fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self::Address(IpAddr::from([0, 0, 0, 0])))
    }
}

impl FromRequestParts<Shared> for Peer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Refusal> {
        Ok(Self::of(&parts.extensions))
    }
}

/// An authenticated caller.
#[derive(Debug, Clone)]
pub(crate) struct Who(Arc<Caller>);

#[derive(Debug)]
struct Caller {
    name: String,
    account: Option<AccountName>,
    peer: Peer,
    held: Vec<Held>,
    must_change_password: bool,
    secret: Option<Digest>,
    is_session: bool,
}

/// A role that the caller holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) role: Role,
    pub(crate) theme: Option<ThemeId>,
    pub(crate) may_search: bool,
}

impl Who {
    /// Whoever the system lets open the socket: an administrator.
    pub(crate) fn local() -> Self {
        let held = vec![Held { role: Role::Administrator, theme: None, may_search: false }];
        Self(Arc::new(Caller {
            name: LOCAL.to_owned(),
            account: None,
            peer: Peer::Administrator,
            held,
            must_change_password: false,
            secret: None,
            is_session: false,
        }))
    }

    /// Whoever holds a token of an account.
    fn with_token(account: &Account, token: &Token, digest: Digest, peer: Peer, now: Timestamp) -> Self {
        let held = account.roles_in_force(now).map(|role| Held {
            role: role.role,
            theme: role.theme,
            may_search: role.may_search,
        });
        let is_in_scope = |held: &Held| match &token.kind {
            TokenKind::Program { scopes, .. } if !scopes.is_empty() => {
                scopes.iter().any(|scope| scope.role == held.role && scope.theme == held.theme)
            }
            _ => true,
        };
        Self(Arc::new(Caller {
            name: account.name.to_string(),
            account: Some(account.name.clone()),
            peer,
            held: held.filter(is_in_scope).collect(),
            must_change_password: account.password.is_one_time,
            secret: Some(digest),
            is_session: token.kind == TokenKind::Session,
        }))
    }

    /// The name in grants, acts and both logs.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// The account; none of whoever opened the socket as the administrator of the machine.
    pub(crate) fn account(&self) -> Option<&AccountName> {
        self.0.account.as_ref()
    }

    /// The roles that are held now, and that the token may use.
    pub(crate) fn held(&self) -> &[Held] {
        &self.0.held
    }

    /// The digest of the secret that was shown.
    pub(crate) fn secret(&self) -> Option<Digest> {
        self.0.secret
    }

    /// Whether the request came over the Unix socket.
    pub(crate) fn is_on_socket(&self) -> bool {
        matches!(self.0.peer, Peer::Administrator | Peer::Socket)
    }

    /// Whether it is a browser's session.
    pub(crate) fn is_session(&self) -> bool {
        self.0.is_session
    }

    /// Whether nothing may be done but to set a password.
    pub(crate) fn must_change_password(&self) -> bool {
        self.0.must_change_password
    }

    /// Whether the role is held, in the theme or for the house.
    pub(crate) fn has(&self, role: Role, theme: Option<ThemeId>) -> bool {
        self.held().iter().any(|held| held.role == role && (held.theme == theme || reaches_everywhere(held)))
    }

    /// Whether an investigator may search there.
    pub(crate) fn may_search(&self, theme: Option<ThemeId>) -> bool {
        let searches = |held: &Held| held.role == Role::Investigator && held.theme == theme && held.may_search;
        self.held().iter().any(searches)
    }

    /// Whether any role is held in the theme: to others it does not exist.
    pub(crate) fn is_known_in(&self, theme: ThemeId) -> bool {
        self.held().iter().any(|held| held.theme == Some(theme) || reaches_everywhere(held))
    }
}

/// An auditor of the house reads what was done in every theme.
fn reaches_everywhere(held: &Held) -> bool {
    held.role == Role::Auditor && held.theme.is_none()
}

/// Lets those pass who are known, and notes who they are.
pub(crate) async fn authenticate(
    State(running): State<Shared>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let peer = Peer::of(request.extensions());
    let Some(shown) = Shown::of(request.headers()) else {
        if peer != Peer::Administrator {
            return Err(Refusal::Unauthenticated);
        }
        request.extensions_mut().insert(Who::local());
        return Ok(next.run(request).await);
    };
    if shown.is_cookie && !is_same_origin(request.method(), request.headers()) {
        return Err(Refusal::CrossOrigin);
    }
    let digest = Digest::of(&shown.secret);
    let known = running.blocking(move |running| recognise(running, digest, shown.is_cookie, peer)).await?;
    let Some((who, renewed)) = known else { return Err(Refusal::Unauthenticated) };
    request.extensions_mut().insert(who);
    let mut response = next.run(request).await;
    // An answer that ends the session says so itself.
    if let Some(renewed) = renewed
        && !response.headers().contains_key(SET_COOKIE)
    {
        response.headers_mut().insert(SET_COOKIE, renewed);
    }
    Ok(response)
}

/// Notes what may be lost, and what a full disk must not keep anybody from.
fn unless_full(result: Result<(), store::Error>) -> Result<bool, Refusal> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.is_disk_full() => {
            tracing::warn!(%error, "the use of a token is not noted");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Who has shown the secret with this digest, `None` where it is good for nothing any more; and the cookie with which a session goes on, where its secret is old enough to be changed.
fn recognise(
    running: &Running,
    digest: Digest,
    is_cookie: bool,
    peer: Peer,
) -> Result<Option<(Who, Option<HeaderValue>)>, Refusal> {
    let (store, now, config) = (&running.app.store, running.app.clock.now(), &running.app.config);
    let Some(token) = store.token(&digest)? else { return Ok(None) };
    let is_session = token.kind == TokenKind::Session;
    if now >= token.ends_at || is_session != is_cookie || (is_session && now >= token.used_at.after(config.idle())) {
        return Ok(None);
    }
    let Some(account) = store.account(&token.account)?.filter(|account| !account.is_disabled) else { return Ok(None) };
    let mut renewed = None;
    // A secret that was changed already lapses soon: whoever still shows it goes on with the new one.
    let is_changed = token.ends_at <= now.after(OVERLAP);
    if is_session && !is_changed && now >= token.fresh_at.after(config.renew()) {
        let secret = new_secret()?;
        if unless_full(store.renew_session(&digest, &secret.digest(), now, now.after(OVERLAP)))? {
            renewed = Some(login::cookie(&secret, token.ends_at, now)?);
        }
    } else if now >= token.used_at.after(TOUCH) {
        unless_full(store.touch_token(&digest, now))?;
    }
    Ok(Some((Who::with_token(&account, &token, digest, peer, now), renewed)))
}

/// The secret that a request shows.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    secret: Vec<u8>,
    is_cookie: bool,
}

impl Shown {
    /// The token of the `Authorization` field (RFC 6750, section 2.1), or else the session's cookie (RFC 6265). The scheme's case does not
    /// matter (RFC 9110, section 11.1).
    fn of(headers: &HeaderMap) -> Option<Self> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
            let is_bearer = scheme.eq_ignore_ascii_case(b"Bearer ");
            return is_bearer.then(|| Self { secret: token.trim_ascii().to_vec(), is_cookie: false });
        }
        let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(';'));
        let mut named = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == COOKIE_NAME);
        named.next().map(|(_, secret)| Self { secret: secret.as_bytes().to_vec(), is_cookie: true })
    }
}

/// Whether what changes something comes from a page of this very server: a cookie travels with requests that other pages make.
fn is_same_origin(method: &Method, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match text(ORIGIN) {
        None => true,
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            method.is_safe() || (host.is_some() && host == text(HOST))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: axum::http::HeaderName, value: &str) -> Option<Shown> {
        Shown::of(&HeaderMap::from_iter([(name, value.parse().unwrap())]))
    }

    fn check(value: &str, expect: Option<&str>) {
        let secret = shown(AUTHORIZATION, value).map(|shown| shown.secret);
        assert_eq!(secret.as_deref(), expect.map(str::as_bytes), "{value:?}");
    }

    #[test]
    fn only_a_bearer_token_is_one() {
        check("Bearer nw_1", Some("nw_1"));
        check("bearer  nw_1 ", Some("nw_1"));
        check("Bearernw_1", None);
        check("Basic nw_1", None);
        check("nw_1", None);
        check("", None);
        assert_eq!(Shown::of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_session_is_a_cookie_among_others() {
        let session = |secret: &str| Some(Shown { secret: secret.as_bytes().to_vec(), is_cookie: true });
        assert_eq!(shown(COOKIE, "a=b; nachtwacht=nw_1; c=d"), session("nw_1"));
        assert_eq!(shown(COOKIE, "nachtwacht="), session(""));
        assert_eq!(shown(COOKIE, "nachtwacht2=nw_1"), None);
    }

    #[test]
    fn another_page_changes_nothing() {
        let check = |method: Method, origin: Option<&str>| {
            let mut headers = HeaderMap::from_iter([(HOST, "127.0.0.1:8730".parse().unwrap())]);
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            is_same_origin(&method, &headers)
        };
        assert!(check(Method::POST, None));
        assert!(check(Method::POST, Some("https://127.0.0.1:8730")));
        assert!(check(Method::GET, Some("https://evil.example")));
        for origin in ["https://evil.example", "null", "https://127.0.0.1:8731", "127.0.0.1:8730"] {
            assert!(!check(Method::POST, Some(origin)), "{origin}");
        }
    }
}

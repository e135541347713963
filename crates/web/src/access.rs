//! Who may do what: one table of every route, and the one place that holds requests against it. A route that is not in the table is
//! refused, whoever asks.
//!
//! Themes are closed (R22): to whoever has no role in a theme it answers as if it did not exist.

use axum::{
    extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State},
    http::{HeaderValue, header::ALLOW},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use model::{
    Role::{self, Administrator, Analyst, Approver, Auditor, Investigator, Operator},
    ThemeId,
};

use crate::{app::Shared, authentication::Who, limits::TooMany, refusal::Refusal, request::purpose};

/// What a route asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// An account: what is answered is about the account itself, or is narrowed to what it may see.
    Account,
    /// One of these roles, held for the house.
    House(&'static [Role]),
    /// One of these roles in the theme of the path, to see to the theme. No content of pages is told.
    Theme(&'static [Role]),
    /// One of these roles in the theme of the path, to read content or to judge it. A theme may demand a purpose, and an investigator needs
    /// leave to search.
    Content(&'static [Role]),
    /// One of these roles in the theme of the path, to read what was released. A theme may demand a purpose.
    Released(&'static [Role]),
}

use Needs::{Account, Content, House, Released, Theme};

/// Every route beneath `/api/v1`, as the router spells it, and what it needs.
#[rustfmt::skip]
pub(crate) const ROUTES: &[(&str, &str, Needs)] = &[
    ("GET",    "/status", Account),
    ("GET",    "/metrics", House(&[Administrator])),
    ("GET",    "/themes", Account),
    // One's own account.
    ("GET",    "/account", Account),
    ("PUT",    "/account/password", Account),
    ("GET",    "/account/tokens", Account),
    ("POST",   "/account/tokens", Account),
    ("DELETE", "/account/tokens/{id}", Account),
    ("DELETE", "/session", Account),
    // Accounts.
    ("GET",    "/accounts", House(&[Administrator, Auditor])),
    ("POST",   "/accounts", House(&[Administrator])),
    ("GET",    "/accounts/{name}", House(&[Administrator, Auditor])),
    ("POST",   "/accounts/{name}/password", House(&[Administrator])),
    ("POST",   "/accounts/{name}/disable", House(&[Administrator])),
    ("POST",   "/accounts/{name}/enable", House(&[Administrator])),
    ("POST",   "/accounts/{name}/roles", House(&[Administrator])),
    ("POST",   "/accounts/{name}/roles/{number}/end", House(&[Administrator])),
    // The audit log.
    ("GET",    "/audit", House(&[Auditor])),
    ("GET",    "/themes/{theme}/audit", Theme(&[Auditor])),
    // Phase: technique.
    ("GET",    "/themes/{theme}/targets", Theme(&[Operator, Analyst, Approver])),
    ("POST",   "/themes/{theme}/targets", Theme(&[Operator, Analyst])),
    ("GET",    "/themes/{theme}/targets/{id}", Theme(&[Operator, Analyst, Approver])),
    ("PATCH",  "/themes/{theme}/targets/{id}", Theme(&[Operator])),
    ("GET",    "/themes/{theme}/source-health", Theme(&[Operator, Analyst, Approver])),
    ("POST",   "/themes/{theme}/targets/{id}/pause", Theme(&[Operator, Analyst])),
    ("POST",   "/themes/{theme}/targets/{id}/resume", Theme(&[Operator, Analyst])),
    ("POST",   "/themes/{theme}/targets/{id}/retire", Theme(&[Operator, Approver])),
    ("POST",   "/themes/{theme}/targets/{id}/end-decision", Theme(&[Approver])),
    ("GET",    "/themes/{theme}/open-proposals", Theme(&[Operator, Analyst, Approver])),
    ("GET",    "/themes/{theme}/targets/{id}/proposals", Theme(&[Operator, Analyst, Approver])),
    ("POST",   "/themes/{theme}/targets/{id}/proposals", Theme(&[Operator, Analyst])),
    ("GET",    "/themes/{theme}/targets/{id}/proposals/{proposal}", Theme(&[Operator, Analyst, Approver])),
    ("POST",   "/themes/{theme}/targets/{id}/proposals/{proposal}/approve", Theme(&[Approver])),
    ("POST",   "/themes/{theme}/targets/{id}/proposals/{proposal}/reject", Theme(&[Approver])),
    ("POST",   "/themes/{theme}/targets/{id}/proposals/{proposal}/withdraw", Theme(&[Operator, Analyst, Approver])),
    ("POST",   "/themes/{theme}/targets/{id}/probes", Theme(&[Operator, Analyst])),
    ("GET",    "/themes/{theme}/targets/{id}/history", Theme(&[Operator, Analyst, Approver, Auditor])),
    ("GET",    "/themes/{theme}/targets/{id}/history.md", Theme(&[Operator, Analyst, Approver, Auditor])),
    ("PUT",    "/themes/{theme}/targets/{id}/login", Theme(&[Operator])),
    ("DELETE", "/themes/{theme}/targets/{id}/login", Theme(&[Operator])),
    ("GET",    "/themes/{theme}/captures", Theme(&[Operator, Analyst])),
    // Phase: analysis.
    ("GET",    "/themes/{theme}/captures/{seq}", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/captures/{seq}/raw", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/captures/{seq}/payload", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/captures/{seq}/text", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/captures/{seq}/document", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/captures/{seq}/findings", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/captures/{seq}/similar", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/captures/{seq}/item", Content(&[Analyst, Investigator])),
    // Narrowed to the themes that one reads.
    ("GET",    "/observables", Account),
    ("GET",    "/themes/{theme}/observables", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/versions", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/versions/{seq}", Content(&[Analyst, Investigator])),
    ("PUT",    "/themes/{theme}/versions/{seq}/name", Content(&[Analyst])),
    ("DELETE", "/themes/{theme}/versions/{seq}/name", Content(&[Analyst])),
    ("GET",    "/themes/{theme}/versions/{a}/compare/{b}", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/versions/{seq}/labels", Content(&[Analyst, Investigator])),
    ("POST",   "/themes/{theme}/versions/{seq}/labels", Content(&[Analyst])),
    ("GET",    "/themes/{theme}/labels", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/labels/agreement", Content(&[Analyst])),
    ("GET",    "/themes/{theme}/search", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/indicators", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/indicators/{name}", Content(&[Analyst, Investigator])),
    ("PUT",    "/themes/{theme}/indicators/{name}", Content(&[Analyst])),
    ("DELETE", "/themes/{theme}/indicators/{name}", Content(&[Analyst])),
    ("POST",   "/themes/{theme}/indicator-trials", Content(&[Analyst])),
    ("GET",    "/themes/{theme}/indicators/{name}/flagged", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/indicators/{name}/report", Content(&[Analyst])),
    ("GET",    "/themes/{theme}/site-profiles", Content(&[Analyst])),
    ("GET",    "/themes/{theme}/site-profiles/{name}", Content(&[Analyst])),
    ("PUT",    "/themes/{theme}/site-profiles/{name}", Content(&[Analyst])),
    ("DELETE", "/themes/{theme}/site-profiles/{name}", Content(&[Analyst])),
    ("POST",   "/themes/{theme}/site-profile-trials", Content(&[Analyst])),
    ("GET",    "/themes/{theme}/services", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/services/{host}", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/clusters", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/vendors", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/proposals", Content(&[Analyst])),
    // Watches.
    ("GET",    "/themes/{theme}/watches", Content(&[Analyst, Investigator])),
    ("POST",   "/themes/{theme}/watches", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/watches/{watch}", Content(&[Analyst, Investigator])),
    ("PUT",    "/themes/{theme}/watches/{watch}", Content(&[Analyst, Investigator])),
    ("DELETE", "/themes/{theme}/watches/{watch}", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/alerts", Content(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/alerts/{alert}", Content(&[Analyst, Investigator])),
    ("POST",   "/themes/{theme}/alerts/{alert}/acknowledge", Content(&[Analyst, Investigator])),
    // Custody.
    ("GET",    "/themes/{theme}/holds", Theme(&[Analyst, Approver])),
    ("POST",   "/themes/{theme}/holds", Theme(&[Analyst, Approver])),
    ("POST",   "/themes/{theme}/holds/{leaf}/lift", Theme(&[Approver])),
    ("GET",    "/themes/{theme}/seals", Theme(&[Analyst, Approver])),
    ("POST",   "/themes/{theme}/captures/{seq}/seal", Theme(&[Analyst, Approver])),
    ("POST",   "/themes/{theme}/captures/{seq}/unseal", Theme(&[Approver])),
    ("GET",    "/themes/{theme}/erasures", Theme(&[Analyst, Approver, Auditor])),
    ("POST",   "/themes/{theme}/erasures", Theme(&[Approver])),
    ("POST",   "/themes/{theme}/retention", Theme(&[Approver])),
    // Phase: operational use.
    ("POST",   "/themes/{theme}/exports", Content(&[Analyst])),
    ("GET",    "/themes/{theme}/exports/{leaf}", Content(&[Analyst])),
    ("PUT",    "/themes/{theme}/exports/{leaf}/file", Content(&[Analyst])),
    ("GET",    "/themes/{theme}/dossiers", Released(&[Analyst, Investigator])),
    ("POST",   "/themes/{theme}/dossiers", Content(&[Analyst])),
    ("GET",    "/themes/{theme}/dossiers/{dossier}", Released(&[Analyst, Investigator])),
    ("POST",   "/themes/{theme}/dossiers/{dossier}/versions", Content(&[Analyst])),
    ("POST",   "/themes/{theme}/dossiers/{dossier}/withdraw", Content(&[Analyst])),
    ("GET",    "/themes/{theme}/dossiers/{dossier}/captures/{seq}", Released(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/dossiers/{dossier}/captures/{seq}/payload", Released(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/dossiers/{dossier}/captures/{seq}/text", Released(&[Analyst, Investigator])),
    ("GET",    "/themes/{theme}/dossiers/{dossier}/captures/{seq}/document", Released(&[Analyst, Investigator])),
    ("POST",   "/themes/{theme}/search/export", Content(&[Analyst])),
    // The evidence log.
    ("GET",    "/themes/{theme}/captures/{seq}/proof", Content(&[Analyst, Investigator])),
    ("GET",    "/log/checkpoint", House(&[Administrator, Auditor])),
    ("POST",   "/log/checkpoint", House(&[Administrator, Auditor])),
    ("GET",    "/log/checkpoints", House(&[Administrator, Auditor])),
    ("GET",    "/log/checkpoints/{size}/request", House(&[Administrator, Auditor])),
    ("POST",   "/log/checkpoints/{size}/timestamps", House(&[Administrator, Auditor])),
    ("POST",   "/log/consistency", House(&[Administrator, Auditor])),
    ("GET",    "/log/tile/{*path}", House(&[Auditor])),
    ("POST",   "/log/verification", House(&[Administrator, Auditor])),
    // What survives a machine.
    ("POST",   "/backups", House(&[Administrator])),
    ("GET",    "/erasures", House(&[Administrator])),
];

/// What is asked again and again, and tells no content: that it went well becomes no leaf of the audit log. What is refused always does.
const QUIET: [&str; 4] = ["/status", "/metrics", "/themes", "/account"];

/// Which row of the table a request is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
}

impl Route {
    /// The row of a method and a path as the router spells it.
    pub(crate) fn of(method: &str, matched: &str) -> Option<Self> {
        // The answer to HEAD is that to GET without its body.
        let method = if method == "HEAD" { "GET" } else { method };
        let path = matched.strip_prefix("/api/v1")?;
        let row = ROUTES.iter().find(|row| row.0 == method && row.1 == path)?;
        Some(Self { path: row.1, needs: row.2 })
    }

    /// Whether what went well becomes no leaf of the audit log.
    pub(crate) fn is_quiet(&self, method: &str) -> bool {
        matches!(method, "GET" | "HEAD") && QUIET.contains(&self.path)
    }
}

/// Lets those pass who have the role that the route needs.
pub(crate) async fn authorise(
    State(running): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let who = parts.extensions.get::<Who>().cloned().ok_or(Refusal::Unauthenticated)?;
    if let Some(&TooMany { retry_after_s }) = parts.extensions.get() {
        return Err(Refusal::TooManyRequests { retry_after_s });
    }
    let matched = parts.extensions.get::<MatchedPath>().ok_or(Refusal::NoRoute)?;
    let Some(route) = Route::of(parts.method.as_str(), matched.as_str()) else {
        return Ok(no_method(matched.as_str()));
    };
    if who.must_change_password() && !matches!(route.path, "/account" | "/account/password" | "/session") {
        return Err(Refusal::PasswordChangeNeeded);
    }
    let params = RawPathParams::from_request_parts(&mut parts, &()).await.map_err(|_| Refusal::NoRoute)?;
    let named = params.iter().find(|(name, _)| *name == "theme").and_then(|(_, value)| value.parse().ok());
    let may_see = |theme: &ThemeId| running.has_theme(*theme) && who.is_known_in(*theme);
    let theme = || named.filter(may_see).ok_or(Refusal::NoTheme);
    match route.needs {
        Account => {}
        House(roles) => who.demand(roles, None, false)?,
        Theme(roles) => who.demand(roles, Some(theme()?), false)?,
        Content(roles) | Released(roles) => {
            let theme = theme()?;
            who.demand(roles, Some(theme), matches!(route.needs, Content(_)))?;
            let demands = running.theme(theme).is_some_and(|known| known.requires_purpose);
            if demands && purpose(&parts.headers)?.is_none() {
                return Err(Refusal::NoPurpose);
            }
        }
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// What is said of a method that the table does not have for a path.
fn no_method(matched: &str) -> Response {
    let path = matched.strip_prefix("/api/v1").unwrap_or_default();
    let methods = ROUTES.iter().filter(|row| row.1 == path).map(|row| row.0);
    let methods: Vec<_> =
        methods.flat_map(|method| if method == "GET" { vec!["GET", "HEAD"] } else { vec![method] }).collect();
    if methods.is_empty() {
        return Refusal::NoRoute.into_response();
    }
    let mut response = Refusal::MethodNotAllowed.into_response();
    if let Ok(methods) = HeaderValue::try_from(methods.join(",")) {
        response.headers_mut().insert(ALLOW, methods);
    }
    response
}

impl Who {
    /// Refuses whoever has none of `roles` at this place. To read content, an investigator's role counts only with leave to search.
    fn demand(&self, roles: &'static [Role], theme: Option<ThemeId>, to_search: bool) -> Result<(), Refusal> {
        let fits = |role: &Role| match (role, to_search) {
            (Investigator, true) => self.may_search(theme),
            _ => self.has(*role, theme),
        };
        if roles.iter().any(fits) { Ok(()) } else { Err(Refusal::NoRole(roles)) }
    }
}

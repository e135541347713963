//! Sessions of browsers, and one's own account.

use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header::SET_COOKIE},
    response::IntoResponse,
};
use proof::LeafKind;
use store::Act;

use crate::{
    api::{HeldRole, NewPassword, NewSession, OwnAccount},
    app::Shared,
    authentication::{Hashing, Peer, Who, check_password, end_session, log_in},
    refusal::Refusal,
    request::Body,
};

/// Log in
///
/// Begins a session, which the cookie that comes with the answer holds. It lapses when nobody uses it for a while, and in any case after some
/// hours; its secret changes now and then. Wrong passwords make the next attempt wait, by account and by address.
#[utoipa::path(
    post, path = "/sessions", tag = "accounts", operation_id = "log_in", request_body = NewSession, security(()),
    responses((status = 200, description = "Whoever is logged in now.", body = OwnAccount)),
)]
pub(crate) async fn begin(
    State(running): State<Shared>,
    peer: Peer,
    Body(NewSession { name, password }): Body<NewSession>,
) -> Result<impl IntoResponse, Refusal> {
    let (account, cookie) = log_in(&running, name, password, peer).await?;
    let now = running.app.clock.now();
    let roles = account.roles_in_force(now).map(|role| HeldRole {
        role: role.role,
        theme: role.theme,
        may_search: role.may_search,
    });
    let own = OwnAccount {
        name: account.name.to_string(),
        full_name: Some(account.full_name.clone()),
        must_change_password: account.password.is_one_time,
        roles: roles.collect(),
    };
    Ok(([(SET_COOKIE, cookie)], Json(own)))
}

/// Log out
///
/// Ends the session; of a program, forgets the token with which it came.
#[utoipa::path(
    delete, path = "/session", tag = "accounts", operation_id = "log_out",
    responses((status = 204, description = "It has ended.")),
)]
pub(crate) async fn end(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
) -> Result<impl IntoResponse, Refusal> {
    let cookie = running.blocking(move |running| end_session(running, &who)).await?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]))
}

/// One's own account
#[utoipa::path(
    get, path = "/account", tag = "accounts", operation_id = "read_own_account",
    responses((status = 200, description = "Who one is, and what one may do.", body = OwnAccount)),
)]
pub(crate) async fn own(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
) -> Result<Json<OwnAccount>, Refusal> {
    let read = move |running: &crate::app::Running| {
        let account = who.account().map(|name| running.app.store.account(name)).transpose()?.flatten();
        let roles =
            who.held().iter().map(|held| HeldRole { role: held.role, theme: held.theme, may_search: held.may_search });
        Ok(OwnAccount {
            name: who.name().to_owned(),
            full_name: account.map(|account| account.full_name),
            must_change_password: who.must_change_password(),
            roles: roles.collect(),
        })
    };
    running.blocking(read).await.map(Json)
}

/// Set one's password
///
/// Every session and token that was made until now ends, this one included.
#[utoipa::path(
    put, path = "/account/password", tag = "accounts", operation_id = "set_password", request_body = NewPassword,
    responses((status = 204, description = "It is set.")),
)]
pub(crate) async fn set_password(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    peer: Peer,
    Body(new): Body<NewPassword>,
) -> Result<StatusCode, Refusal> {
    let name = who.account().cloned().ok_or(Refusal::NotAnAccount)?;
    let now = running.app.clock.now();
    check_password(&new.new, name.as_str())?;
    if new.new == new.old {
        return Err(Refusal::Invalid { field: "new", problem: "it is the password until now".to_owned() });
    }
    running.throttle.admit_login(&name, peer, now)?;
    let asked = name.clone();
    let account = running.blocking(move |running| Ok(running.app.store.account(&asked)?)).await?;
    if !Hashing::verify(&running, new.old, account.map(|account| account.password.hash)).await? {
        return Err(Refusal::WrongPassword);
    }
    running.throttle.forgive(&name, peer);
    let hash = Hashing::hash(&running, new.new).await?;
    let set = move |running: &crate::app::Running| {
        running.app.store.change_account(&name, |account| {
            account.password = store::Password { hash, set_at: now, is_one_time: false };
            let act = Act::new(None, LeafKind::Account, now).fact("who", who.name());
            Ok::<_, Refusal>(act.fact("action", "set password").fact("account", name.as_str()))
        })
    };
    running.blocking(set).await?.ok_or(Refusal::NoAccount)?;
    Ok(StatusCode::NO_CONTENT)
}

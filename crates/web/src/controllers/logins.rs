//! Sessions that people hand over. What comes in here never goes out by the API.

use axum::{extract::State, http::StatusCode};

use crate::{
    api::{Cookie, NewLogin},
    app::{Running, Shared},
    controllers::targets::change_now,
    refusal::Refusal,
    request::{AtTarget, Body},
};

/// The most cookies of a login.
const MAX_COOKIES: usize = 50;

/// The longest cookie, name and value together, in bytes (RFC 6265, section 6.1).
const MAX_COOKIE: usize = 4096;

/// Hand over a session
///
/// It takes the place of the one before. The target goes on, on circuits of its own, if it waited for a person.
#[utoipa::path(
    put, path = "/themes/{theme}/targets/{id}/login", tag = "targets", operation_id = "hand_over_login",
    params(AtTarget),
    request_body = NewLogin,
    responses((status = 204, description = "It is kept, encrypted.")),
)]
pub(crate) async fn put(
    State(running): State<Shared>,
    at: AtTarget,
    Body(login): Body<NewLogin>,
) -> Result<StatusCode, Refusal> {
    check(&login.cookies)?;
    let kept = |cookie: Cookie| store::Cookie { name: cookie.name, value: cookie.value };
    let cookies: Vec<_> = login.cookies.into_iter().map(kept).collect();
    running.blocking(move |running| keep(running, &at, &cookies)).await
}

/// Forget a session
#[utoipa::path(
    delete, path = "/themes/{theme}/targets/{id}/login", tag = "targets", operation_id = "forget_login",
    params(AtTarget),
    responses((status = 204, description = "It is forgotten.")),
)]
pub(crate) async fn delete(State(running): State<Shared>, at: AtTarget) -> Result<StatusCode, Refusal> {
    running.blocking(move |running| keep(running, &at, &[])).await
}

/// The epoch advances behind the login, so that whoever sees the new epoch finds the new login.
fn keep(running: &Running, at: &AtTarget, cookies: &[store::Cookie]) -> Result<StatusCode, Refusal> {
    let event = if cookies.is_empty() { "login forgotten" } else { "login handed over" };
    let store = &running.app.store;
    change_now(running, at, event, |target| {
        store.set_login(at.theme, at.id, cookies)?;
        target.epoch = target.epoch.saturating_add(1);
        target.attention = None;
        Ok(())
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses what could not be sent as it is, or would become another header field. The message names no value.
fn check(cookies: &[Cookie]) -> Result<(), Refusal> {
    let invalid = |problem: String| Err(Refusal::Invalid { field: "cookies", problem });
    if cookies.is_empty() || cookies.len() > MAX_COOKIES {
        return invalid(format!("there must be from 1 to {MAX_COOKIES}"));
    }
    for (at, Cookie { name, value }) in cookies.iter().enumerate() {
        let number = at + 1;
        if !is_token(name) {
            return invalid(format!("the name of cookie {number} is not a token"));
        }
        if !is_value(value) {
            return invalid(format!("the value of cookie {number} ({name}) has characters that a cookie cannot have"));
        }
        if name.len() + value.len() > MAX_COOKIE {
            return invalid(format!("cookie {number} ({name}) is longer than {MAX_COOKIE} bytes"));
        }
        if cookies.iter().take(at).any(|earlier| earlier.name == *name) {
            return invalid(format!("{name} is there twice"));
        }
    }
    Ok(())
}

/// A token of RFC 9110, section 5.6.2, as the name of a cookie is (RFC 6265, section 4.1.1).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// What browsers send as a value: visible ASCII, and spaces within, but no semicolon, which would begin another cookie.
fn is_value(value: &str) -> bool {
    value.trim() == value && value.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(name: &str, value: &str) -> bool {
        check(&[Cookie { name: name.into(), value: value.into() }]).is_ok()
    }

    #[test]
    fn a_cookie_stays_one_cookie() {
        assert!(accepts("session", "a1b2"));
        assert!(accepts("session", "\"a, b=c\\d\""));
        assert!(accepts("session", ""));
        for name in ["", "a b", "a=b", "a;b", "é", "a\r\nb"] {
            assert!(!accepts(name, "x"), "{name:?}");
        }
        for value in ["a;b", "a\r\nX-Other: 1", "a\0", "é", " a", "a\t"] {
            assert!(!accepts("session", value), "{value:?}");
        }
        assert!(!accepts("session", &"x".repeat(MAX_COOKIE)));
    }

    #[test]
    fn there_are_some_and_not_too_many_and_none_twice() {
        let cookie = |name: String| Cookie { name, value: "secret".into() };
        let many = |count: usize| (0..count).map(|number| cookie(format!("c{number}"))).collect::<Vec<_>>();
        assert!(check(&[]).is_err());
        assert!(check(&many(MAX_COOKIES)).is_ok());
        assert!(check(&many(MAX_COOKIES + 1)).is_err());
        let twice = check(&[cookie("a".into()), cookie("a".into())]).unwrap_err();
        assert!(!twice.to_string().contains("secret"));
    }
}

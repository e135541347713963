//! Accounts and their roles: made and given by administrators, never by anybody to themselves.

use axum::{Extension, Json, extract::State, http::StatusCode};
use data_encoding::BASE32_NOPAD;
use model::{AccountName, Timestamp};
use proof::LeafKind;
use store::{Act, Password};

use crate::{
    api::{Account, Accounts, NewAccount, NewRole, OneTimePassword, Reason, RoleGrant},
    app::{Running, Shared},
    authentication::{Hashing, LOCAL, Who},
    refusal::Refusal,
    request::{AtAccount, AtRole, Body, checked, said},
};

/// The accounts
#[utoipa::path(
    get, path = "/accounts", tag = "accounts", operation_id = "list_accounts",
    responses((status = 200, description = "The accounts.", body = Accounts)),
)]
pub(crate) async fn list(State(running): State<Shared>) -> Result<Json<Accounts>, Refusal> {
    let list = |running: &Running| {
        let (accounts, now) = (running.app.store.accounts()?, running.app.clock.now());
        Ok(Accounts { accounts: accounts.into_iter().map(|account| shown(account, now)).collect() })
    };
    running.blocking(list).await.map(Json)
}

/// An account
#[utoipa::path(
    get, path = "/accounts/{name}", tag = "accounts", operation_id = "read_account", params(AtAccount),
    responses((status = 200, description = "The account.", body = Account)),
)]
pub(crate) async fn read(State(running): State<Shared>, at: AtAccount) -> Result<Json<Account>, Refusal> {
    let read = move |running: &Running| {
        let account = running.app.store.account(&at.name)?.ok_or(Refusal::NoAccount)?;
        Ok(shown(account, running.app.clock.now()))
    };
    running.blocking(read).await.map(Json)
}

/// Make an account
///
/// It has no role as yet. Its owner logs in with the password that is told here, once, and sets another one before anything else.
#[utoipa::path(
    post, path = "/accounts", tag = "accounts", operation_id = "make_account", request_body = NewAccount,
    responses((status = 201, description = "The password to begin with.", body = OneTimePassword)),
)]
pub(crate) async fn create(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    Body(new): Body<NewAccount>,
) -> Result<(StatusCode, Json<OneTimePassword>), Refusal> {
    let full_name = checked("full_name", &new.full_name)?;
    if new.name.as_str() == LOCAL {
        let problem = format!("{LOCAL} stands for whoever opens the Unix socket");
        return Err(Refusal::Invalid { field: "name", problem });
    }
    let now = running.app.clock.now();
    let password = one_time_password()?;
    let hash = Hashing::hash(&running, password.clone()).await?;
    let name = new.name.clone();
    let create = move |running: &Running| {
        let account = store::Account {
            name: new.name,
            full_name,
            made_at: now,
            made_by: who.name().to_owned(),
            is_disabled: false,
            password: Password { hash, set_at: now, is_one_time: true },
            roles: Vec::new(),
        };
        Ok(running.app.store.add_account(&account, &act(&who, "make account", &account.name, now))?)
    };
    running.blocking(create).await?;
    Ok((StatusCode::CREATED, Json(OneTimePassword { name, password })))
}

/// Give somebody a new password to begin with
///
/// Every session and token of the account ends.
#[utoipa::path(
    post, path = "/accounts/{name}/password", tag = "accounts", operation_id = "reset_password", params(AtAccount),
    responses((status = 200, description = "The password to begin with.", body = OneTimePassword)),
)]
pub(crate) async fn reset(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    at: AtAccount,
) -> Result<Json<OneTimePassword>, Refusal> {
    not_oneself(&who, &at.name)?;
    let (name, now) = (at.name.clone(), running.app.clock.now());
    let password = one_time_password()?;
    let hash = Hashing::hash(&running, password.clone()).await?;
    let reset = move |account: &mut store::Account| {
        account.password = Password { hash, set_at: now, is_one_time: true };
        Ok(act(&who, "reset password", &account.name, now))
    };
    drop(change(&running, at, reset).await?);
    Ok(Json(OneTimePassword { name, password }))
}

/// Disable an account
///
/// Nobody can use it, and its sessions and tokens end. What was done with it stays recorded.
#[utoipa::path(
    post, path = "/accounts/{name}/disable", tag = "accounts", operation_id = "disable_account", params(AtAccount),
    request_body = Reason,
    responses((status = 200, description = "The account.", body = Account)),
)]
pub(crate) async fn disable(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    at: AtAccount,
    Body(why): Body<Reason>,
) -> Result<Json<Account>, Refusal> {
    set_disabled(&running, who, at, true, &why).await
}

/// Enable an account again
#[utoipa::path(
    post, path = "/accounts/{name}/enable", tag = "accounts", operation_id = "enable_account", params(AtAccount),
    request_body = Reason,
    responses((status = 200, description = "The account.", body = Account)),
)]
pub(crate) async fn enable(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    at: AtAccount,
    Body(why): Body<Reason>,
) -> Result<Json<Account>, Refusal> {
    set_disabled(&running, who, at, false, &why).await
}

async fn set_disabled(
    running: &Shared,
    who: Who,
    at: AtAccount,
    disabled: bool,
    why: &Reason,
) -> Result<Json<Account>, Refusal> {
    said("reason", &why.reason)?;
    not_oneself(&who, &at.name)?;
    let now = running.app.clock.now();
    let (action, reason) = (if disabled { "disable account" } else { "enable account" }, why.reason.clone());
    let set = move |account: &mut store::Account| {
        account.is_disabled = disabled;
        Ok(act(&who, action, &account.name, now).part("reason", reason))
    };
    change(running, at, set).await
}

/// Give a role
///
/// With the qualification that makes the person fit for it, and a moment at which it lapses by itself. Nobody gives a role to themselves.
#[utoipa::path(
    post, path = "/accounts/{name}/roles", tag = "accounts", operation_id = "give_role", params(AtAccount),
    request_body = NewRole,
    responses((status = 200, description = "The account.", body = Account)),
)]
pub(crate) async fn give_role(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    at: AtAccount,
    Body(new): Body<NewRole>,
) -> Result<Json<Account>, Refusal> {
    let now = running.app.clock.now();
    not_oneself(&who, &at.name)?;
    said("qualification", &new.qualification)?;
    if let Some(theme) = new.theme.filter(|theme| !running.has_theme(*theme)) {
        return Err(Refusal::Invalid { field: "theme", problem: format!("there is no theme {theme}") });
    }
    if !new.role.fits(new.theme) {
        let problem = match new.theme {
            Some(_) => format!("the role of {} is held for the house, and in no theme", new.role),
            None => format!("the role of {} is held in a theme: name it", new.role),
        };
        return Err(Refusal::Invalid { field: "theme", problem });
    }
    if new.may_search && new.role != model::Role::Investigator {
        let problem = "only an investigator's role is given with or without it".to_owned();
        return Err(Refusal::Invalid { field: "may_search", problem });
    }
    if new.ends_at <= now {
        return Err(Refusal::Invalid { field: "ends_at", problem: "it lies in the past".to_owned() });
    }
    let give = move |account: &mut store::Account| {
        let number = u32::try_from(account.roles.len()).unwrap_or(u32::MAX).saturating_add(1);
        account.roles.push(model::RoleGrant {
            number,
            role: new.role,
            theme: new.theme,
            may_search: new.may_search,
            qualification: new.qualification.clone(),
            given_by: who.name().to_owned(),
            given_at: now,
            ends_at: new.ends_at,
            ended: None,
        });
        let act = act(&who, "give role", &account.name, now).fact("role", new.role.as_str());
        let act = act.fact("number", i64::from(number)).fact("ends_at", new.ends_at.to_string());
        let act = act.fact("may_search", new.may_search).part("qualification", new.qualification);
        Ok(Act { theme: new.theme, ..act })
    };
    change(&running, at, give).await
}

/// Take a role away
#[utoipa::path(
    post, path = "/accounts/{name}/roles/{number}/end", tag = "accounts", operation_id = "end_role", params(AtRole),
    request_body = Reason,
    responses((status = 200, description = "The account.", body = Account)),
)]
pub(crate) async fn end_role(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    at: AtRole,
    Body(why): Body<Reason>,
) -> Result<Json<Account>, Refusal> {
    said("reason", &why.reason)?;
    let now = running.app.clock.now();
    let AtRole { name, number } = at;
    let end = move |account: &mut store::Account| {
        let role = account.roles.iter_mut().find(|role| role.number == number).ok_or(Refusal::NoRoleGiven)?;
        if !role.is_in_force(now) {
            return Err(Refusal::NoRoleGiven);
        }
        role.ended = Some(model::RoleEnd { by: who.name().to_owned(), at: now, reason: why.reason.clone() });
        let (theme, role) = (role.theme, role.role);
        let act = act(&who, "end role", &account.name, now).fact("role", role.as_str());
        Ok(Act { theme, ..act.fact("number", i64::from(number)).part("reason", why.reason) })
    };
    change(&running, AtAccount { name }, end).await
}

async fn change(
    running: &Shared,
    at: AtAccount,
    change: impl FnOnce(&mut store::Account) -> Result<Act, Refusal> + Send + 'static,
) -> Result<Json<Account>, Refusal> {
    let change = move |running: &Running| {
        let account = running.app.store.change_account(&at.name, change)?.ok_or(Refusal::NoAccount)?;
        Ok(shown(account, running.app.clock.now()))
    };
    running.blocking(change).await.map(Json)
}

fn not_oneself(who: &Who, name: &AccountName) -> Result<(), Refusal> {
    if who.account() == Some(name) { Err(Refusal::Oneself) } else { Ok(()) }
}

fn act(who: &Who, action: &str, account: &AccountName, now: Timestamp) -> Act {
    let act = Act::new(None, LeafKind::Account, now).fact("who", who.name());
    act.fact("action", action).fact("account", account.as_str())
}

/// A password of 100 bits, in groups that can be read out.
pub(crate) fn one_time_password() -> Result<String, Refusal> {
    let mut bytes = [0; 15];
    getrandom::fill(&mut bytes)?;
    let text = BASE32_NOPAD.encode(&bytes).to_lowercase();
    let groups: Vec<&str> = (0..4).filter_map(|group| text.get(5 * group..5 * group + 5)).collect();
    Ok(groups.join("-"))
}

fn shown(account: store::Account, now: Timestamp) -> Account {
    let is_disabled = account.is_disabled;
    let role = |role: model::RoleGrant| RoleGrant {
        is_in_force: !is_disabled && role.is_in_force(now),
        number: role.number,
        role: role.role,
        theme: role.theme,
        may_search: role.may_search,
        qualification: role.qualification,
        given_by: role.given_by,
        given_at: role.given_at,
        ends_at: role.ends_at,
        ended_by: role.ended.as_ref().map(|end| end.by.clone()),
        ended_at: role.ended.as_ref().map(|end| end.at),
        ended_because: role.ended.map(|end| end.reason),
    };
    Account {
        name: account.name,
        full_name: account.full_name,
        made_at: account.made_at,
        made_by: account.made_by,
        is_disabled,
        has_one_time_password: account.password.is_one_time,
        roles: account.roles.into_iter().map(role).collect(),
    }
}

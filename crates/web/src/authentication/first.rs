//! The first two accounts: one who gives roles, and another who approves. Neither can do the other's part.

use std::time::Duration;

use model::{AccountName, Role, RoleGrant, Theme, ThemeId, Timestamp};
use proof::LeafKind;
use store::{Account, Act, Password, Store};

use super::{LOCAL, password::hash_password};
use crate::{api::OneTimePassword, controllers::accounts::one_time_password, refusal::Refusal};

/// For how long the first roles are given.
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Makes those of the accounts `administrator` and `approver` that are not there: a start that died between the two is made good. The approver approves in
/// every theme that there is now.
///
/// Returns the passwords to begin with, which are told once. Errors: those of the store, in words.
pub fn first_accounts(store: &Store, themes: &[Theme], now: Timestamp) -> Result<Vec<OneTimePassword>, String> {
    make(store, themes, now).map_err(|refusal| refusal.to_string())
}

fn make(store: &Store, themes: &[Theme], now: Timestamp) -> Result<Vec<OneTimePassword>, Refusal> {
    let everywhere: Vec<_> = themes.iter().map(|theme| Some(theme.id)).collect();
    let mut made = Vec::new();
    for (role, places) in [(Role::Administrator, &[None][..]), (Role::Approver, &everywhere)] {
        let name: AccountName = role.as_str().parse().map_err(|_| Refusal::NoAccount)?;
        if store.account(&name)?.is_none() {
            made.push(add(store, name, role, places, now)?);
        }
    }
    Ok(made)
}

fn add(
    store: &Store,
    name: AccountName,
    role: Role,
    places: &[Option<ThemeId>],
    now: Timestamp,
) -> Result<OneTimePassword, Refusal> {
    let password = one_time_password()?;
    let given = |(number, theme): (u32, &Option<ThemeId>)| RoleGrant {
        number,
        role,
        theme: *theme,
        may_search: false,
        qualification: "Appointed when the appliance was set up.".to_owned(),
        given_by: LOCAL.to_owned(),
        given_at: now,
        ends_at: now.after(YEAR),
        ended: None,
    };
    let account = Account {
        name: name.clone(),
        full_name: format!("The first {role}"),
        made_at: now,
        made_by: LOCAL.to_owned(),
        is_disabled: false,
        password: Password { hash: hash_password(&password)?, set_at: now, is_one_time: true },
        roles: (1..).zip(places).map(given).collect(),
    };
    let act = Act::new(None, LeafKind::Account, now).fact("who", LOCAL).fact("action", "make account");
    store.add_account(&account, &act.fact("account", name.as_str()).fact("role", role.as_str()))?;
    Ok(OneTimePassword { name, password })
}

//! The first two accounts: one who gives roles, and another who approves. Neither can do the other's part.

use std::time::Duration;

use model::{AccountName, Role, RoleGrant, Theme, ThemeId, Timestamp};
use proof::LeafKind;
use store::{Account, Act, Password, Store};

use super::{LOCAL, password::hash_password};
use crate::{api::OneTimePassword, controllers::accounts::one_time_password, refusal::Refusal};

/// For how long the first roles are given.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Makes the accounts `administrator` and `approver`, where there is none at all. The approver approves in every theme that there is now.
///
/// Returns the passwords to begin with, which are told once. Errors: those of the store, in words.
pub fn first_accounts(store: &Store, themes: &[Theme], now: Timestamp) -> Result<Vec<OneTimePassword>, String> {
    make(store, themes, now).map_err(|refusal| refusal.to_string())
}

fn make(store: &Store, themes: &[Theme], now: Timestamp) -> Result<Vec<OneTimePassword>, Refusal> {
    if !store.accounts()?.is_empty() {
        return Ok(Vec::new());
    }
    let everywhere: Vec<_> = themes.iter().map(|theme| Some(theme.id)).collect();
    let administrator = add(store, "administrator", Role::Administrator, &[None], now)?;
    let approver = add(store, "approver", Role::Approver, &everywhere, now)?;
    Ok(vec![administrator, approver])
}

fn add(
    store: &Store,
    name: &str,
    role: Role,
    places: &[Option<ThemeId>],
    now: Timestamp,
) -> Result<OneTimePassword, Refusal> {
    let name: AccountName = name.parse().map_err(|_| Refusal::NoAccount)?;
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

use model::{AccountName, Role, ThemeId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema;

/// Who logs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The name of the account.
    #[schema(value_type = String, example = "anna")]
    pub name: AccountName,
    /// Its password.
    #[schema(format = Password)]
    pub password: String,
}

/// A new password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password until now.
    #[schema(format = Password)]
    pub old: String,
    /// The password from now on: at least 15 characters.
    #[schema(format = Password)]
    pub new: String,
}

/// An account, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnAccount {
    /// The name, under which everything is recorded.
    pub name: String,
    /// What people call its owner; none of whoever came over the Unix socket as the administrator of the machine.
    pub full_name: Option<String>,
    /// Whether nothing may be done but to set a password.
    pub must_change_password: bool,
    /// The roles that are held now, and that the token may use.
    pub roles: Vec<HeldRole>,
}

/// A role that is held now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldRole {
    /// The role.
    #[schema(schema_with = schema::role)]
    pub role: Role,
    /// The theme; none where the role is held for the house.
    #[schema(value_type = Option<String>)]
    pub theme: Option<ThemeId>,
    /// Whether an investigator may search.
    #[serde(default)]
    pub may_search: bool,
}

/// The accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accounts {
    /// In order of name.
    pub accounts: Vec<Account>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// The name to log in with.
    #[schema(value_type = String)]
    pub name: AccountName,
    /// What people call its owner.
    pub full_name: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// Who made it.
    pub made_by: String,
    /// Whether nobody may use it at present.
    pub is_disabled: bool,
    /// Whether its owner has not set a password yet.
    pub has_one_time_password: bool,
    /// The roles that were ever given.
    pub roles: Vec<RoleGrant>,
}

/// That a role was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleGrant {
    /// Counted from 1 per account.
    pub number: u32,
    /// The role.
    #[schema(schema_with = schema::role)]
    pub role: Role,
    /// The theme; none where the role is held for the house.
    #[schema(value_type = Option<String>)]
    pub theme: Option<ThemeId>,
    /// Whether an investigator may search, and not only read what was released to them.
    pub may_search: bool,
    /// The training or appointment that makes the person fit for it.
    pub qualification: String,
    /// Who gave it.
    pub given_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub given_at: Timestamp,
    /// The moment at which it lapses by itself.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// Who took it away earlier.
    pub ended_by: Option<String>,
    /// When it was taken away.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub ended_because: Option<String>,
    /// Whether it is held now.
    pub is_in_force: bool,
}

/// An account to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// The name to log in with: a lower-case letter, then lower-case letters, digits, `.`, `-` and `_`, at most 32.
    #[schema(value_type = String, example = "anna")]
    pub name: AccountName,
    /// What people call its owner.
    pub full_name: String,
}

/// A password that is good for one login, and told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OneTimePassword {
    /// The account.
    #[schema(value_type = String)]
    pub name: AccountName,
    /// The password. Whoever logs in with it sets another one before anything else.
    #[schema(format = Password)]
    pub password: String,
}

/// A role to give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// The role.
    #[schema(schema_with = schema::role)]
    pub role: Role,
    /// The theme. Left out for the administrator and for an auditor of the house.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub theme: Option<ThemeId>,
    /// Whether an investigator may search, and not only read what was released to them.
    #[serde(default)]
    pub may_search: bool,
    /// The training or appointment that makes the person fit for it.
    pub qualification: String,
    /// The moment at which it lapses by itself.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

/// The tokens of programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// The latest first.
    pub tokens: Vec<Token>,
}

/// What stands for an account: a program's token, or a browser's session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// By which it is called: 16 hexadecimal digits of the digest of its secret.
    pub id: String,
    /// What its owner calls it; none of a session.
    pub label: Option<String>,
    /// What it is limited to; empty: all that its account may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = String, format = DateTime)]
    pub used_at: Timestamp,
    /// The moment at which it lapses.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

/// A role that a token may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenScope)]
pub struct Scope {
    /// The role.
    #[schema(schema_with = schema::role)]
    pub role: Role,
    /// The theme; left out where the role is held for the house.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub theme: Option<ThemeId>,
}

/// A token to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What to call it.
    pub label: String,
    /// What it is limited to; left out: all that the account may do.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// The moment at which it lapses.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

/// A token with its secret, which is told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ToldToken {
    /// The secret, to send as a bearer token.
    #[schema(format = Password)]
    pub secret: String,
    /// The token.
    #[serde(flatten)]
    pub token: Token,
}

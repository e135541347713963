use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{ThemeId, Timestamp};

/// The name by which a person logs in, and under which everything they do is recorded: a lower-case letter, then lower-case
/// letters, digits, `.`, `-` and `_`, at most 32 in all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(String);

/// A text that is no name of an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the name of an account: a lower-case letter, then lower-case letters, digits, '.', '-' and '_', at most 32"
)]
pub struct InvalidAccountName(String);

impl AccountName {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 32;

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = InvalidAccountName;

    fn from_str(text: &str) -> Result<Self, InvalidAccountName> {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
        let is_name = text.len() <= Self::MAX_LEN
            && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
            && text.bytes().all(is_inner);
        if is_name { Ok(Self(text.to_owned())) } else { Err(InvalidAccountName(text.chars().take(64).collect())) }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AccountName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AccountName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a person may do, in one phase of the work (R29).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Technique: targets, logins, the state of the crawl. Sees outcomes and sizes, and no page text.
    Operator,
    /// Information and analysis: search, observables, labels, watches, indicators, releases.
    Analyst,
    /// Operational use: dossiers that were released; search where it was given with the role.
    Investigator,
    /// Decides about what others propose, and about what is sealed, held or to be erased.
    Approver,
    /// Reads both logs, and no content.
    Auditor,
    /// Accounts and the machine, and no content.
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Operator, Self::Analyst, Self::Investigator, Self::Approver, Self::Auditor, Self::Administrator];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Analyst => "analyst",
            Self::Investigator => "investigator",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }

    /// Whether it is held for the whole house (`None`) or within a theme: the administrator's is never a theme's, the auditor's may be either.
    pub const fn fits(self, theme: Option<ThemeId>) -> bool {
        match self {
            Self::Administrator => theme.is_none(),
            Self::Auditor => true,
            _ => theme.is_some(),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no role {0:?}; there are operator, analyst, investigator, approver, auditor and administrator")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == name);
        found.ok_or_else(|| UnknownRole(name.chars().take(40).collect()))
    }
}

/// That a person holds a role: where, why they are fit for it (R21), who gave it, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleGrant {
    /// Counted from 1 per account.
    pub number: u32,
    /// The role.
    pub role: Role,
    /// The theme in which it is held; none where it is held for the house.
    pub theme: Option<ThemeId>,
    /// Whether an investigator may search, and not only read what was released to them.
    pub may_search: bool,
    /// The training or appointment that makes the person fit for it.
    pub qualification: String,
    /// Who gave it.
    pub given_by: String,
    /// When.
    pub given_at: Timestamp,
    /// The moment at which it lapses by itself.
    pub ends_at: Timestamp,
    /// Who took it away earlier than that, when and why.
    pub ended: Option<RoleEnd>,
}

/// That a role was taken away before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleEnd {
    /// Who took it away.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl RoleGrant {
    /// Whether the role is held at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.given_at <= now && now < self.ends_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["a", "jan.de-vries_2", &"a".repeat(32)] {
            assert_eq!(good.parse::<AccountName>().unwrap().as_str(), good);
        }
        for bad in ["", "1a", "Jan", "jan de", "jan@x", ".a", "é", &"a".repeat(33)] {
            assert!(bad.parse::<AccountName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn roles_have_their_place() {
        let theme = Some("marketplace".parse().unwrap());
        assert!(Role::Administrator.fits(None) && !Role::Administrator.fits(theme));
        assert!(Role::Auditor.fits(None) && Role::Auditor.fits(theme));
        for role in [Role::Operator, Role::Analyst, Role::Investigator, Role::Approver] {
            assert!(role.fits(theme) && !role.fits(None), "{role}");
        }
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}

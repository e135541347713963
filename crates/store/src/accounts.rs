//! Accounts: who may log in, what they may do and until when, and the tokens that stand for them. Every change is a leaf of the audit log,
//! written with it.

use model::{AccountName, Digest, Role, RoleGrant, ThemeId, Timestamp};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{
    Act, Error, Store, codec,
    key::Key,
    schema::Table,
    store::{Tables, lock},
};

/// A person, or a program, that may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name to log in with.
    pub name: AccountName,
    /// What people call them.
    pub full_name: String,
    /// When the account was made.
    pub made_at: Timestamp,
    /// Who made it.
    pub made_by: String,
    /// Whether nobody may use it at present.
    pub is_disabled: bool,
    /// How whoever logs in is known.
    pub password: Password,
    /// The roles that were ever given, in order of number.
    pub roles: Vec<RoleGrant>,
}

/// How whoever logs in is known.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    /// Argon2id (RFC 9106) in PHC's string format, salt and parameters within.
    pub hash: String,
    /// When it was set.
    pub set_at: Timestamp,
    /// Whether somebody else chose it, so that nothing may be done with it but to set another.
    pub is_one_time: bool,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Password(set at {})", self.set_at)
    }
}

/// Something that stands for an account; kept under the digest of its secret, which is told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The account.
    pub account: AccountName,
    /// What it is for.
    pub kind: TokenKind,
    /// When it was made. A session that changes its secret keeps this.
    pub made_at: Timestamp,
    /// When its secret was made.
    pub fresh_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Timestamp,
    /// The moment at which it lapses.
    pub ends_at: Timestamp,
}

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenKind {
    /// A browser's session.
    Session,
    /// A program.
    Program {
        /// What the owner calls it.
        label: String,
        /// What it is limited to; empty: all that its account may do.
        scopes: Vec<Scope>,
    },
}

/// A role that a token may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The role.
    pub role: Role,
    /// Where; none stands for the house.
    pub theme: Option<ThemeId>,
}

impl Account {
    /// The roles that are held at `now`: none of a disabled account.
    pub fn roles_in_force(&self, now: Timestamp) -> impl Iterator<Item = &RoleGrant> {
        self.roles.iter().filter(move |role| !self.is_disabled && role.is_in_force(now))
    }
}

impl Store {
    /// An account.
    pub fn account(&self, name: &AccountName) -> Result<Option<Account>, Error> {
        self.tables.get(Table::Accounts, &account_key(name))
    }

    /// Every account, in order of name.
    pub fn accounts(&self) -> Result<Vec<Account>, Error> {
        let rows = self.tables.scan(Table::Accounts, &Key::default(), None);
        rows.map(|row| row.and_then(|(key, value)| codec::decode(Table::Accounts, &key, &value))).collect()
    }

    /// Whether somebody may approve what is proposed in `theme`. Where nobody may, nothing is crawled.
    pub fn has_approver(&self, theme: ThemeId, now: Timestamp) -> Result<bool, Error> {
        let approves = |role: &RoleGrant| role.role == Role::Approver && role.theme == Some(theme);
        Ok(self.accounts()?.iter().any(|account| account.roles_in_force(now).any(approves)))
    }

    /// Makes an account. Errors: [`Error::AccountTaken`].
    pub fn add_account(&self, account: &Account, act: &Act) -> Result<(), Error> {
        let _guard = lock(&self.accounts_lock);
        if self.account(&account.name)?.is_some() {
            return Err(Error::AccountTaken(account.name.clone()));
        }
        self.audit_with(act, |tables, batch| put_account(tables, batch, account))?;
        Ok(())
    }

    /// Changes an account: reads it, lets `change` work on it, writes it with the act that `change` tells. `None` when there is no such account.
    pub fn change_account<E: From<Error>>(
        &self,
        name: &AccountName,
        change: impl FnOnce(&mut Account) -> Result<Act, E>,
    ) -> Result<Option<Account>, E> {
        let _guard = lock(&self.accounts_lock);
        let Some(mut account) = self.account(name)? else { return Ok(None) };
        let had = account.password.clone();
        let act = change(&mut account)?;
        // A new password, or none any more, ends whatever was begun with the old one.
        let ended = if account.is_disabled || account.password != had { self.tokens(name)? } else { Vec::new() };
        self.audit_with(&act, |tables, batch| {
            put_account(tables, batch, &account);
            for (digest, _) in &ended {
                batch.delete_cf(tables.family(Table::Tokens), token_key(digest));
            }
        })?;
        Ok(Some(account))
    }

    /// The token whose secret has this digest, whether or not it has lapsed.
    pub fn token(&self, digest: &Digest) -> Result<Option<Token>, Error> {
        self.tables.get(Table::Tokens, &token_key(digest))
    }

    /// The tokens of an account, with the digests of their secrets.
    pub fn tokens(&self, name: &AccountName) -> Result<Vec<(Digest, Token)>, Error> {
        let mut found = Vec::new();
        for row in self.tables.scan(Table::Tokens, &Key::default(), None) {
            let (key, value) = row?;
            let token: Token = codec::decode(Table::Tokens, &key, &value)?;
            let digest = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| Error::corrupt(Table::Tokens, &key))?;
            if token.account == *name {
                found.push((Digest::from_bytes(digest), token));
            }
        }
        Ok(found)
    }

    /// Keeps a new token, and forgets those of its account that have lapsed.
    pub fn add_token(&self, digest: &Digest, token: &Token, act: &Act) -> Result<(), Error> {
        let _guard = lock(&self.accounts_lock);
        let lapsed: Vec<_> = self.tokens(&token.account)?.into_iter().filter(|(_, t)| t.ends_at <= act.at).collect();
        self.audit_with(act, |tables, batch| {
            for (digest, _) in &lapsed {
                batch.delete_cf(tables.family(Table::Tokens), token_key(digest));
            }
            tables.put(batch, Table::Tokens, &token_key(digest), token);
        })?;
        Ok(())
    }

    /// Notes that a token was used. It may be lost with the power.
    pub fn touch_token(&self, digest: &Digest, used_at: Timestamp) -> Result<(), Error> {
        let _guard = lock(&self.accounts_lock);
        let Some(mut token) = self.token(digest)? else { return Ok(()) };
        token.used_at = used_at;
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::Tokens, &token_key(digest), &token);
        self.tables.write(batch)
    }

    /// Gives a session a new secret; the old one lapses at `old_ends_at`.
    pub fn renew_session(
        &self,
        old: &Digest,
        new: &Digest,
        now: Timestamp,
        old_ends_at: Timestamp,
    ) -> Result<(), Error> {
        let _guard = lock(&self.accounts_lock);
        let Some(token) = self.token(old)? else { return Ok(()) };
        let renewed = Token { fresh_at: now, used_at: now, ..token.clone() };
        let ending = Token { ends_at: old_ends_at.min(token.ends_at), ..token };
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::Tokens, &token_key(new), &renewed);
        self.tables.put(&mut batch, Table::Tokens, &token_key(old), &ending);
        self.tables.write_synced(batch)
    }

    /// Forgets a token; says whether it was there.
    pub fn remove_token(&self, digest: &Digest, act: &Act) -> Result<bool, Error> {
        let _guard = lock(&self.accounts_lock);
        if self.token(digest)?.is_none() {
            return Ok(false);
        }
        self.audit_with(act, |tables, batch| batch.delete_cf(tables.family(Table::Tokens), token_key(digest)))?;
        Ok(true)
    }
}

fn put_account(tables: &Tables, batch: &mut WriteBatch, account: &Account) {
    tables.put(batch, Table::Accounts, &account_key(&account.name), account);
}

/// Zero-padded: as wide as the longest name.
fn account_key(name: &AccountName) -> Key {
    let mut bytes = [0; AccountName::MAX_LEN];
    for (to, from) in bytes.iter_mut().zip(name.as_str().bytes()) {
        *to = from;
    }
    Key::bytes(&bytes)
}

fn token_key(digest: &Digest) -> Key {
    Key::bytes(digest.as_bytes())
}

#[cfg(test)]
mod tests {
    use proof::LeafKind;

    use super::*;
    use crate::tests::open;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn act(seconds: i64) -> Act {
        Act::new(None, LeafKind::Account, at(seconds)).fact("who", "local")
    }

    fn account(name: &str) -> Account {
        Account {
            name: name.parse().unwrap(),
            full_name: name.to_uppercase(),
            made_at: at(1),
            made_by: "local".into(),
            is_disabled: false,
            password: Password { hash: "hash".into(), set_at: at(1), is_one_time: true },
            roles: Vec::new(),
        }
    }

    fn approver(theme: &str, ends_at: i64) -> RoleGrant {
        RoleGrant {
            number: 1,
            role: Role::Approver,
            theme: Some(theme.parse().unwrap()),
            may_search: false,
            qualification: "appointed".into(),
            given_by: "local".into(),
            given_at: at(1),
            ends_at: at(ends_at),
            ended: None,
        }
    }

    fn session(name: &str, ends_at: i64) -> Token {
        let (made_at, fresh_at, used_at) = (at(1), at(1), at(1));
        let account = name.parse().unwrap();
        Token { account, kind: TokenKind::Session, made_at, fresh_at, used_at, ends_at: at(ends_at) }
    }

    #[test]
    fn every_change_is_a_leaf_of_the_audit_log() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let anna = account("anna");
        store.add_account(&anna, &act(1)).unwrap();
        assert!(matches!(store.add_account(&anna, &act(2)), Err(Error::AccountTaken(_))));
        let changed = store.change_account(&anna.name, |account| {
            account.roles.push(approver("marketplace", 9));
            Ok::<_, Error>(act(3))
        });
        assert_eq!(changed.unwrap().unwrap().roles.len(), 1);
        let refused = store.change_account(&anna.name, |account| {
            account.roles.clear();
            Err(Error::Closing)
        });
        assert!(refused.is_err());
        assert_eq!(store.account(&anna.name).unwrap().unwrap().roles.len(), 1, "what is refused changes nothing");
        let nobody = store.change_account(&"bram".parse().unwrap(), |_| Ok::<_, Error>(act(4)));
        assert_eq!(nobody.unwrap(), None);
        assert_eq!(store.audit_head().size, 2);
    }

    #[test]
    fn a_role_lapses_by_itself_and_with_its_account() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let (market, cyber) = ("marketplace".parse().unwrap(), "cybercrime".parse().unwrap());
        let anna = Account { roles: vec![approver("marketplace", 9)], ..account("anna") };
        store.add_account(&anna, &act(1)).unwrap();
        let has = |theme, now| store.has_approver(theme, at(now)).unwrap();
        assert_eq!([has(market, 0), has(market, 1), has(market, 8), has(market, 9)], [false, true, true, false]);
        assert!(!has(cyber, 5));
        store
            .change_account(&anna.name, |account| {
                account.is_disabled = true;
                Ok::<_, Error>(act(5))
            })
            .unwrap();
        assert!(!has(market, 5));
    }

    #[test]
    fn a_new_password_ends_what_was_begun_with_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let (anna, bram) = (account("anna"), account("bram"));
        for account in [&anna, &bram] {
            store.add_account(account, &act(1)).unwrap();
            store
                .add_token(&Digest::of(account.name.as_str().as_bytes()), &session(account.name.as_str(), 9), &act(1))
                .unwrap();
        }
        store
            .change_account(&anna.name, |account| {
                account.password = Password { hash: "another".into(), set_at: at(2), is_one_time: false };
                Ok::<_, Error>(act(2))
            })
            .unwrap();
        assert_eq!(store.token(&Digest::of(b"anna")).unwrap(), None);
        assert!(store.token(&Digest::of(b"bram")).unwrap().is_some());
    }

    #[test]
    fn a_session_changes_its_secret_and_lapsed_ones_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        store.add_account(&account("anna"), &act(1)).unwrap();
        let [first, second, third] = [b"1", b"2", b"3"].map(|secret| Digest::of(secret));
        store.add_token(&first, &session("anna", 100), &act(1)).unwrap();
        store.renew_session(&first, &second, at(10), at(12)).unwrap();
        assert_eq!(store.token(&first).unwrap().unwrap().ends_at, at(12));
        let renewed = store.token(&second).unwrap().unwrap();
        assert_eq!((renewed.made_at, renewed.fresh_at, renewed.ends_at), (at(1), at(10), at(100)));
        store.touch_token(&second, at(11)).unwrap();
        assert_eq!(store.token(&second).unwrap().unwrap().used_at, at(11));
        store.add_token(&third, &session("anna", 100), &act(50)).unwrap();
        assert_eq!(store.tokens(&"anna".parse().unwrap()).unwrap().len(), 2, "the first has lapsed");
        assert!(store.remove_token(&second, &act(51)).unwrap());
        assert!(!store.remove_token(&second, &act(52)).unwrap());
    }
}

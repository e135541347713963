//! Sessions of browsers: begun with name and password, held by a cookie that no script can read, ended by whoever has it.

use axum::http::HeaderValue;
use data_encoding::BASE32_NOPAD;
use model::{AccountName, Digest, Timestamp};
use proof::LeafKind;
use store::{Account, Act, Token, TokenKind};

use super::{COOKIE_NAME, Hashing, Peer, Who};
use crate::{
    app::{Running, Shared},
    refusal::Refusal,
};

/// A secret that is told once.
pub(crate) struct NewSecret(String);

impl NewSecret {
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// The secret itself, for whoever it is for.
    pub(crate) fn tell(self) -> String {
        self.0
    }
}

/// A secret of 256 bits.
pub(crate) fn new_secret() -> Result<NewSecret, Refusal> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(NewSecret(format!("nw_{}", BASE32_NOPAD.encode(&bytes).to_lowercase())))
}

/// Begins a session for whoever knows the password. Each attempt is a leaf of the audit log.
pub(crate) async fn log_in(
    running: &Shared,
    name: AccountName,
    password: String,
    peer: Peer,
) -> Result<(Account, HeaderValue), Refusal> {
    let now = running.app.clock.now();
    running.throttle.admit_login(&name, peer, now)?;
    let asked = name.clone();
    let account = running.blocking(move |running| Ok(running.app.store.account(&asked)?)).await?;
    let usable = account.filter(|account| !account.is_disabled);
    let hash = usable.as_ref().map(|account| account.password.hash.clone());
    if !Hashing::verify(running, password, hash).await? {
        let act = login_act(&name, peer, now).fact("status", 401);
        running.blocking(move |running| Ok(running.app.store.audit(act, false)?)).await?;
        return Err(Refusal::WrongPassword);
    }
    running.throttle.forgive(&name, peer);
    let account = usable.ok_or(Refusal::WrongPassword)?;
    let (begun, at) = (account.clone(), peer);
    let cookie = running.blocking(move |running| begin(running, &begun, at, now)).await?;
    Ok((account, cookie))
}

fn begin(running: &Running, account: &Account, peer: Peer, now: Timestamp) -> Result<HeaderValue, Refusal> {
    let secret = new_secret()?;
    let ends_at = now.after(running.app.config.session_length());
    let token = Token {
        account: account.name.clone(),
        kind: TokenKind::Session,
        made_at: now,
        fresh_at: now,
        used_at: now,
        ends_at,
    };
    let act = login_act(&account.name, peer, now).fact("status", 200);
    running.app.store.add_token(&secret.digest(), &token, &act)?;
    cookie(&secret, ends_at, now)
}

fn login_act(name: &AccountName, peer: Peer, now: Timestamp) -> Act {
    let act = Act::new(None, LeafKind::Access, now).fact("who", name.as_str()).fact("action", "POST /sessions");
    match peer {
        Peer::Address(address) => act.fact("address", address.to_string()),
        Peer::Socket | Peer::Administrator => act.fact("address", "socket"),
    }
}

/// Ends the session, or forgets the token, with which somebody came; the cookie to answer with.
pub(crate) fn end_session(running: &Running, who: &Who) -> Result<HeaderValue, Refusal> {
    if let (Some(digest), Some(name)) = (who.secret(), who.account()) {
        let act = Act::new(None, LeafKind::Account, running.app.clock.now());
        let act = act.fact("who", who.name()).fact("action", "DELETE /session");
        // A session that has changed its secret is there twice for a moment.
        let tokens = running.app.store.tokens(name)?;
        let began = tokens.iter().find(|(other, _)| *other == digest).map(|(_, token)| token.made_at);
        let is_same =
            |token: &Token| who.is_session() && token.kind == TokenKind::Session && Some(token.made_at) == began;
        for (other, _) in tokens.iter().filter(|(other, token)| *other == digest || is_same(token)) {
            running.app.store.remove_token(other, &act)?;
        }
    }
    Ok(HeaderValue::from_static("nachtwacht=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict"))
}

/// The cookie of a session (RFC 6265 and its `SameSite`): for this server alone, over TLS or on this machine, and for no script.
pub(super) fn cookie(secret: &NewSecret, ends_at: Timestamp, now: Timestamp) -> Result<HeaderValue, Refusal> {
    let seconds = ends_at.since(now).as_secs();
    let secret = &secret.0;
    let text = format!("{COOKIE_NAME}={secret}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict");
    HeaderValue::try_from(text).map_err(|error| Refusal::Hash(error.to_string()))
}

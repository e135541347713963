//! Sessions that a person handed over: cookies, encrypted under a key that lies outside the store.

use chacha20poly1305::{
    Key as CipherKey, XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use model::{TargetId, ThemeId};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{Error, Store, codec, key::Key, schema::Table};

const NONCE: usize = 24;

/// A cookie that a person handed over (RFC 6265).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value, a secret.
    pub value: String,
}

impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cookie({}=…)", self.name)
    }
}

/// The key under which logins are encrypted. It never lies in the store, and never shows itself.
pub struct CredentialKey(XChaCha20Poly1305);

impl CredentialKey {
    /// The key made of these 32 bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(&CipherKey::from(*bytes)))
    }
}

impl Store {
    /// Keeps the cookies of a login, or forgets them when there are none.
    pub fn set_login(&self, theme: ThemeId, target: TargetId, cookies: &[Cookie]) -> Result<(), Error> {
        let key = Key::theme(theme).target(target);
        let mut batch = WriteBatch::default();
        if cookies.is_empty() {
            batch.delete_cf(self.tables.family(Table::Logins), &key);
        } else {
            let sealed = self.seal(&key, &codec::encode(&cookies)).ok_or(Error::CredentialKey(target))?;
            batch.put_cf(self.tables.family(Table::Logins), &key, sealed);
        }
        self.tables.write_synced(batch)
    }

    /// The cookies of the target's login; none when nobody handed any over.
    pub fn login(&self, theme: ThemeId, target: TargetId) -> Result<Vec<Cookie>, Error> {
        let key = Key::theme(theme).target(target);
        let Some(sealed) = self.tables.get_raw(Table::Logins, &key)? else { return Ok(Vec::new()) };
        let plain = self.unseal(&key, &sealed).ok_or(Error::CredentialKey(target))?;
        codec::decode(Table::Logins, key.as_ref(), &plain)
    }

    /// Nonce, then ciphertext; bound to the row by its key, so that it opens nowhere else.
    fn seal(&self, key: &Key, plain: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).ok()?;
        let sealed =
            self.credential().0.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: key.as_ref() }).ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    fn unseal(&self, key: &Key, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>()?;
        self.credential().0.decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: key.as_ref() }).ok()
    }
}

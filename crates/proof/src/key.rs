//! Ed25519 keys of signed notes (C2SP signed-note, signature type 0x01).

use std::{fmt, str::FromStr};

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::{Error, Hash};

/// The signature type of Ed25519 in key ids and encoded keys.
const ED25519: u8 = 1;

/// Four bytes that, with the name, tell a key from others.
pub type KeyId = [u8; 4];

/// A key that signs, under a name. Its secret is neither printed nor handed out.
pub struct SignerKey {
    key: SigningKey,
    verifier: VerifierKey,
}

impl SignerKey {
    /// The key of this 32-byte secret (RFC 8032 §5.1.5), which the caller draws and keeps.
    /// Errors: [`Error::Malformed`] for a name that is empty or holds a space, a plus or a control character.
    pub fn from_secret(name: &str, secret: &[u8; 32]) -> Result<Self, Error> {
        let key = SigningKey::from_bytes(secret);
        let verifier = VerifierKey::new(name, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The Ed25519 signature of `message` (RFC 8032 §5.1.6). Notes are signed with [`Note::sign`](crate::Note::sign).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({})", self.verifier)
    }
}

/// A key that checks signatures. Text form: `name+id+key`, as Go's `sumdb/note` writes verifier keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: KeyId,
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Result<Self, Error> {
        if !is_name(name) {
            return Err(Error::malformed("key", format!("{name:?} is no name of a key")));
        }
        let [a, b, c, d, ..] = *Hash::of(&[name.as_bytes(), &[b'\n', ED25519], key.as_bytes()]).as_bytes();
        Ok(Self { name: name.into(), id: [a, b, c, d], key })
    }

    /// Whose key it is; for a log's key, the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), first four bytes.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The public key's 32 bytes (RFC 8032 §5.1.2).
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether this is the key's signature of `message`. Strictly, so that no two parties can disagree: points of small order and
    /// malleable signatures are refused.
    pub fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = BASE64.encode(&[&[ED25519], &self.key.as_bytes()[..]].concat());
        write!(f, "{}+{}+{key}", self.name, HEXLOWER.encode(&self.id))
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let malformed = |why: &str| Error::malformed("key", why);
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed("not of the form name+id+key"));
        };
        let bytes = BASE64.decode(key.as_bytes()).map_err(|_| malformed("the key is not base64"))?;
        let Some((&ED25519, public)) = bytes.split_first() else { return Err(malformed("not an Ed25519 key")) };
        let public = public.try_into().map_err(|_| malformed("an Ed25519 key has 32 bytes"))?;
        let public = VerifyingKey::from_bytes(public).map_err(|_| malformed("no point of the curve"))?;
        let key = Self::new(name, public)?;
        if HEXLOWER.encode(&key.id) == id { Ok(key) } else { Err(malformed("the id is that of another key")) }
    }
}

/// Non-empty, without Unicode spaces, plus and control characters.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c < ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Go's `golang.org/x/mod/sumdb/note`.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn a_key_comes_back() {
        let key: VerifierKey = PETER.parse().unwrap();
        assert_eq!((key.name(), key.id(), key.to_string().as_str()), ("PeterNeumann", [0xc7, 0x4f, 0x20, 0xa3], PETER));
        let signer = SignerKey::from_secret("log.example/a", &[1; 32]).unwrap();
        assert_eq!(signer.verifier().to_string().parse(), Ok(signer.verifier().clone()));
        assert_eq!(format!("{signer:?}"), format!("SignerKey({})", signer.verifier()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for (text, why) in [
            ("", "not of the form name+id+key"),
            ("a+b", "not of the form name+id+key"),
            (&PETER.replace("c74f", "c74e"), "the id is that of another key"),
            (&PETER.replace("c74f", "C74F"), "the id is that of another key"),
            (&PETER.replace("Peter", "Petra"), "the id is that of another key"),
            (&PETER.replace("+A", "+B"), "not an Ed25519 key"),
            ("a+00000000+", "not an Ed25519 key"),
            ("a+00000000+AQ==", "an Ed25519 key has 32 bytes"),
            ("a+00000000+%", "the key is not base64"),
            (&PETER.replace("Peter", "Peter "), "\"Peter Neumann\" is no name of a key"),
            (&PETER.replace("Peter", "\u{a0}"), "\"\\u{a0}Neumann\" is no name of a key"),
            (&PETER.replace("PeterNeumann", ""), "\"\" is no name of a key"),
        ] {
            assert_eq!(text.parse::<VerifierKey>().unwrap_err().to_string(), format!("key: {why}"), "{text}");
        }
        assert!(SignerKey::from_secret("a+b", &[1; 32]).is_err());
        assert!(SignerKey::from_secret("a\u{1}b", &[1; 32]).is_err());
    }
}

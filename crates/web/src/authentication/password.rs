//! Passwords: Argon2id (RFC 9106), a few at a time at most, because each takes memory that the crawl may need.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::{SaltString, rand_core::OsRng},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{app::Shared, refusal::Refusal};

/// The fewest characters of a password that a person chooses (NIST SP 800-63B asks for fifteen where nothing else is asked for).
const MIN_CHARS: usize = 15;

/// The most bytes of a password: whoever is not known yet may not make us hash more.
const MAX_BYTES: usize = 256;

/// As hard as OWASP's first choice of 19 MiB, with less memory: 7 MiB, five passes, one lane.
const MEMORY_KIB: u32 = 7 << 10;
const PASSES: u32 = 5;

/// What is verified where there is no such account, so that it takes as long.
const NOBODY: &str = "$argon2id$v=19$m=7168,t=5,p=1$bm9ib2R5IGlzIGhlcmUu$Zm9yIHRoZSBzYWtlIG9mIHRpbWluZyBvbmx5LCAwMDA";

/// Passwords being hashed.
#[derive(Debug)]
pub(crate) struct Hashing(Arc<Semaphore>);

impl Default for Hashing {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(2)))
    }
}

impl Hashing {
    /// Whether `password` is the one that `hash` is of; without a hash it is not, and the answer takes as long.
    pub(crate) async fn verify(running: &Shared, password: String, hash: Option<String>) -> Result<bool, Refusal> {
        let place = running.hashing.place().await;
        let verify = move |_: &_| {
            // It is given back when the work is done, whoever still waits for it.
            let _place = place;
            let is_known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
            let is_right = PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            Ok(is_known && is_right && password.len() <= MAX_BYTES)
        };
        running.blocking(verify).await
    }

    /// The hash of a password, with a salt of its own.
    pub(crate) async fn hash(running: &Shared, password: String) -> Result<String, Refusal> {
        let place = running.hashing.place().await;
        let hash = move |_: &_| {
            let _place = place;
            hash_password(&password)
        };
        running.blocking(hash).await
    }

    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

/// The hash of a password, in PHC's string format.
pub(crate) fn hash_password(password: &str) -> Result<String, Refusal> {
    let salt = SaltString::generate(&mut OsRng);
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| Refusal::Hash(error.to_string()))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon.hash_password(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|error| Refusal::Hash(error.to_string()))
}

/// Refuses a password that is too easily guessed, or too long.
pub(crate) fn check_password(password: &str, name: &str) -> Result<(), Refusal> {
    let distinct: std::collections::BTreeSet<char> = password.chars().collect();
    let problem = if password.chars().count() < MIN_CHARS {
        format!("it must have at least {MIN_CHARS} characters: a few words will do")
    } else if password.len() > MAX_BYTES {
        format!("it has more than {MAX_BYTES} bytes")
    } else if distinct.len() < 6 {
        "it has too few different characters".to_owned()
    } else if name.len() >= 4 && password.to_lowercase().contains(name) && password.len() < MIN_CHARS + name.len() {
        "it is little more than the name of the account".to_owned()
    } else {
        return Ok(());
    };
    Err(Refusal::Invalid { field: "password", problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_passwords_are_refused() {
        for good in ["correct horse battery", "Ik fiets naar huis!", "ünïcödé-ünïcödé"] {
            assert!(check_password(good, "anna").is_ok(), "{good}");
        }
        for bad in
            ["", "short", "aaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "annabrederode12", &"long words ".repeat(30)]
        {
            assert!(check_password(bad, "annabrederode").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_hash_is_of_its_password_and_the_stand_in_of_none() {
        let hash = hash_password("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{hash}");
        let is = |password: &str, hash: &str| {
            Argon2::default().verify_password(password.as_bytes(), &PasswordHash::new(hash).unwrap()).is_ok()
        };
        assert!(is("correct horse battery", &hash) && !is("correct horse batterx", &hash));
        assert!(!is("", NOBODY), "it parses, so that it takes as long as any other");
    }
}

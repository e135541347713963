//! What slows whoever guesses: each wrong guess at an account, or from an address, makes the next one wait longer.
//!
//! It lies in memory: a restart forgets it, which nobody outside can bring about.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use model::{AccountName, Timestamp};

use super::Peer;
use crate::refusal::Refusal;

/// Wrong guesses that cost nothing: people mistype.
const FREE: u32 = 5;

/// From one address people and programs of a whole office may come.
const FREE_OF_ADDRESS: u32 = 20;

/// The longest wait.
const MOST: Duration = Duration::from_secs(15 * 60);

/// Guesses that are forgotten when none came for so long.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);

/// The most names and addresses that are remembered; beyond it those are forgotten whose last guess is the longest ago.
const MOST_REMEMBERED: usize = 10_000;

/// Wrong guesses, by account and by address.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    accounts: Mutex<HashMap<AccountName, Guesses>>,
    addresses: Mutex<HashMap<IpAddr, Guesses>>,
}

#[derive(Debug, Clone, Copy)]
struct Guesses {
    wrong: u32,
    last: Timestamp,
}

impl Throttle {
    /// Refuses a login that comes too soon after wrong ones.
    pub(crate) fn admit_login(&self, name: &AccountName, peer: Peer, now: Timestamp) -> Result<(), Refusal> {
        admit(&self.accounts, name, FREE, now)?;
        self.admit_secret(peer, now)
    }

    /// Refuses a token that comes too soon after wrong ones.
    pub(crate) fn admit_secret(&self, peer: Peer, now: Timestamp) -> Result<(), Refusal> {
        match peer {
            Peer::Address(address) => admit(&self.addresses, &address, FREE_OF_ADDRESS, now),
            _ => Ok(()),
        }
    }

    /// Notes a wrong password.
    pub(crate) fn note_wrong_login(&self, name: &AccountName, peer: Peer, now: Timestamp) {
        note(&self.accounts, name.clone(), now);
        self.note_wrong_secret(peer, now);
    }

    /// Notes a wrong token.
    pub(crate) fn note_wrong_secret(&self, peer: Peer, now: Timestamp) {
        if let Peer::Address(address) = peer {
            note(&self.addresses, address, now);
        }
    }

    /// Forgets the wrong guesses at an account whose owner has come.
    pub(crate) fn forgive(&self, name: &AccountName) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

fn admit<K: Eq + Hash>(
    guesses: &Mutex<HashMap<K, Guesses>>,
    key: &K,
    free: u32,
    now: Timestamp,
) -> Result<(), Refusal> {
    let guesses = guesses.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(Guesses { wrong, last }) = guesses.get(key).copied() else { return Ok(()) };
    let waits = last.after(wait(wrong, free));
    if wrong >= free && now < waits && now < last.after(FORGOTTEN) {
        Err(Refusal::TooManyGuesses { retry_after_s: waits.since(now).as_secs().max(1) })
    } else {
        Ok(())
    }
}

/// A second after the last free guess, and twice as long after each further one.
fn wait(wrong: u32, free: u32) -> Duration {
    let doublings = wrong.saturating_sub(free).min(16);
    Duration::from_secs(1 << doublings).min(MOST)
}

fn note<K: Eq + Hash + Clone>(guesses: &Mutex<HashMap<K, Guesses>>, key: K, now: Timestamp) {
    let mut guesses = guesses.lock().unwrap_or_else(PoisonError::into_inner);
    if guesses.len() >= MOST_REMEMBERED && !guesses.contains_key(&key) {
        guesses.retain(|_, guess| now < guess.last.after(FORGOTTEN));
        if guesses.len() >= MOST_REMEMBERED
            && let Some(oldest) = guesses.iter().min_by_key(|(_, guess)| guess.last).map(|(key, _)| key.clone())
        {
            guesses.remove(&oldest);
        }
    }
    let guess = guesses.entry(key).or_insert(Guesses { wrong: 0, last: now });
    if now >= guess.last.after(FORGOTTEN) {
        guess.wrong = 0;
    }
    *guess = Guesses { wrong: guess.wrong.saturating_add(1), last: now };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn refused(result: Result<(), Refusal>) -> Option<u64> {
        match result {
            Ok(()) => None,
            Err(Refusal::TooManyGuesses { retry_after_s }) => Some(retry_after_s),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn guesses_cost_more_and_more() {
        let (throttle, anna, bram) = (Throttle::default(), "anna".parse().unwrap(), "bram".parse().unwrap());
        let peer = Peer::Address([127, 0, 0, 1].into());
        let mut waits = Vec::new();
        for _ in 0..9 {
            waits.push(refused(throttle.admit_login(&anna, peer, at(0))));
            throttle.note_wrong_login(&anna, peer, at(0));
        }
        assert_eq!(waits, [None, None, None, None, None, Some(1), Some(2), Some(4), Some(8)]);
        assert_eq!(refused(throttle.admit_login(&anna, peer, at(15))), Some(1));
        assert_eq!(refused(throttle.admit_login(&anna, peer, at(16))), None);
        assert_eq!(refused(throttle.admit_login(&bram, peer, at(0))), None, "another account does not suffer");
        throttle.forgive(&anna);
        assert_eq!(refused(throttle.admit_login(&anna, peer, at(0))), None);
        for _ in 0..100 {
            throttle.note_wrong_login(&anna, peer, at(0));
        }
        assert_eq!(refused(throttle.admit_login(&anna, peer, at(0))), Some(900), "a quarter of an hour at the most");
        assert_eq!(refused(throttle.admit_login(&anna, peer, at(3_600))), None);
    }

    #[test]
    fn an_address_that_guesses_tokens_waits_and_the_socket_does_not() {
        let throttle = Throttle::default();
        let (there, here) = (Peer::Address([10, 0, 0, 9].into()), Peer::Address([10, 0, 0, 8].into()));
        for _ in 0..20 {
            for peer in [there, Peer::Socket, Peer::Administrator] {
                throttle.note_wrong_secret(peer, at(0));
            }
        }
        assert_eq!(refused(throttle.admit_secret(there, at(0))), Some(1));
        for peer in [here, Peer::Socket, Peer::Administrator] {
            assert_eq!(refused(throttle.admit_secret(peer, at(0))), None);
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..(MOST_REMEMBERED as u32 + 100) {
            throttle.note_wrong_secret(Peer::Address(n.to_be_bytes().into()), at(i64::from(n)));
        }
        assert!(throttle.addresses.lock().unwrap().len() <= MOST_REMEMBERED);
    }
}

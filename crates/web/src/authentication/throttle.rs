//! What slows whoever guesses passwords: each wrong guess at an account, or from an address, makes the next one wait longer. The secrets of tokens and
//! sessions have 256 bits, and nobody guesses them.
//!
//! It lies in memory: a restart forgets it, which nobody outside can bring about.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
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
const MOST: Duration = Duration::from_mins(15);

/// Guesses that are forgotten when none came for so long.
const FORGOTTEN: Duration = Duration::from_hours(1);

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
    /// Takes an attempt to log in, which counts as wrong until it is forgiven; refuses one that comes too soon after others.
    pub(crate) fn admit_login(&self, name: &AccountName, peer: Peer, now: Timestamp) -> Result<(), Refusal> {
        self.admit_from(peer, now)?;
        admit(&self.accounts, name.clone(), FREE, now)
    }

    fn admit_from(&self, peer: Peer, now: Timestamp) -> Result<(), Refusal> {
        match peer {
            Peer::Address(address) => admit(&self.addresses, network(address), FREE_OF_ADDRESS, now),
            _ => Ok(()),
        }
    }

    /// Forgets the attempts at an account whose owner has come, and the attempt that was theirs from where they came.
    pub(crate) fn forgive(&self, name: &AccountName, peer: Peer) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        let Peer::Address(address) = peer else { return };
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guess) = addresses.get_mut(&network(address)) {
            guess.wrong = guess.wrong.saturating_sub(1);
        }
    }
}

/// What one subscriber has: an IPv4 address, or a network of IPv6 with 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Counts a guess, or refuses it: to look and to note are one step, so that many at once are not taken for one.
fn admit<K: Eq + Hash + Clone>(
    guesses: &Mutex<HashMap<K, Guesses>>,
    key: K,
    free: u32,
    now: Timestamp,
) -> Result<(), Refusal> {
    let mut guesses = guesses.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(Guesses { wrong, last }) = guesses.get(&key).copied() {
        let waits = last.after(wait(wrong, free));
        if wrong >= free && now < waits && now < last.after(FORGOTTEN) {
            return Err(Refusal::TooManyGuesses { retry_after_s: waits.since(now).as_secs().max(1) });
        }
    }
    note(&mut guesses, key, now);
    Ok(())
}

/// A second after the last free guess, and twice as long after each further one.
fn wait(wrong: u32, free: u32) -> Duration {
    let doublings = wrong.saturating_sub(free).min(16);
    Duration::from_secs(1 << doublings).min(MOST)
}

fn note<K: Eq + Hash + Clone>(guesses: &mut HashMap<K, Guesses>, key: K, now: Timestamp) {
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
        let guess = |seconds| refused(throttle.admit_login(&anna, peer, at(seconds)));
        for _ in 0..5 {
            assert_eq!(guess(0), None);
        }
        assert_eq!((guess(0), guess(0)), (Some(1), Some(1)), "what is refused does not count");
        assert_eq!((guess(1), guess(1), guess(2), guess(3)), (None, Some(2), Some(1), None));
        assert_eq!(refused(throttle.admit_login(&bram, peer, at(0))), None, "another account does not suffer");
        throttle.forgive(&anna, peer);
        assert_eq!(guess(3), None);
        let mut now = 3;
        for _ in 0..20 {
            while let Some(wait) = guess(now) {
                now += i64::try_from(wait).unwrap();
            }
        }
        assert_eq!(guess(now), Some(900), "a quarter of an hour at the most");
        assert_eq!(guess(now + 3_600), None);
    }

    #[test]
    fn an_address_that_guesses_waits_and_the_socket_does_not() {
        let throttle = Throttle::default();
        let (there, here) = (Peer::Address([10, 0, 0, 9].into()), Peer::Address([10, 0, 0, 8].into()));
        for _ in 0..20 {
            for peer in [there, Peer::Socket, Peer::Administrator] {
                assert_eq!(refused(throttle.admit_from(peer, at(0))), None);
            }
        }
        assert_eq!(refused(throttle.admit_from(there, at(0))), Some(1));
        for peer in [here, Peer::Socket, Peer::Administrator] {
            assert_eq!(refused(throttle.admit_from(peer, at(0))), None);
        }
        let of_one_network = |n: u16| Peer::Address(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, n).into());
        for n in 0..20 {
            assert_eq!(refused(throttle.admit_from(of_one_network(n), at(0))), None);
        }
        assert_eq!(refused(throttle.admit_from(of_one_network(99), at(0))), Some(1));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..u32::try_from(MOST_REMEMBERED + 100).unwrap() {
            throttle.admit_from(Peer::Address(n.to_be_bytes().into()), at(i64::from(n))).unwrap();
        }
        assert!(throttle.addresses.lock().unwrap().len() <= MOST_REMEMBERED);
    }
}

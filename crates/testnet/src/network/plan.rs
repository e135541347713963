use std::{collections::BTreeSet, net::SocketAddr};

use data_encoding::BASE32_NOPAD;
use x25519_dalek::{PublicKey, StaticSecret};

use super::{error::Error, slot};
use crate::sites::Site;

/// The service host that serves an onion unless another is named.
pub(crate) const MAIN_HOST: &str = "main";

/// What a network consists of.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many directory authorities there are; they relay too.
    pub authorities: usize,
    /// How many further relays there are. With one authority, three make a network with little to choose from.
    pub relays: usize,
    /// Whether tor sends small packets at once and schedules without delay. Real networks do neither; on loopback it
    /// makes a page about thirty times faster.
    pub tcp_nodelay: bool,
    /// The onion services.
    pub onions: Vec<Onion>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { authorities: 3, relays: 3, tcp_nodelay: true, onions: Vec::new() }
    }
}

/// An onion service of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onion {
    /// What it is called in this network: letters, digits, hyphens.
    pub name: String,
    /// The ports of the service, and what answers there.
    pub ports: Vec<(u16, SocketAddr)>,
    /// The service host, which is one tor process, that serves it. Hosts can be killed and frozen apart from each
    /// other.
    pub host: String,
    /// Whether only a client with the key may read the descriptor (rend-spec-v3, section 2.5.1.2).
    pub is_restricted: bool,
    /// How the service defends itself by asking for proofs of work, if it does (proposal 327).
    pub proof_of_work: Option<ProofOfWork>,
}

impl Onion {
    /// A service open to everybody, on port 80.
    pub fn new(name: impl Into<String>, to: SocketAddr) -> Self {
        Self {
            name: name.into(),
            ports: vec![(80, to)],
            host: MAIN_HOST.to_owned(),
            is_restricted: false,
            proof_of_work: None,
        }
    }

    /// A hidden site under its own name: HTTP on port 80, and on port 443 TLS, if it has that.
    pub fn of_site(site: &Site) -> Self {
        let mut onion = Self::new(site.name(), site.http());
        onion.ports.extend(site.https().map(|to| (443, to)));
        onion
    }
}

/// When a service begins to ask for more work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofOfWork {
    /// How many clients it admits per second, on average.
    pub queue_rate: u32,
    /// How many it admits at once.
    pub queue_burst: u32,
}

/// The x25519 key with which a client reads the descriptor of a restricted service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientKey([u8; 32]);

impl ClientKey {
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self(secret))
    }

    /// The 32 bytes of the secret.
    pub const fn secret(&self) -> &[u8; 32] {
        &self.0
    }

    /// The secret as C tor writes it in an `.auth_private` file: base 32 without padding.
    pub fn to_base32(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// The line for the service's `authorized_clients`.
    pub(crate) fn public_line(&self) -> String {
        let public = PublicKey::from(&StaticSecret::from(self.0));
        format!("descriptor:x25519:{}\n", BASE32_NOPAD.encode(public.as_bytes()))
    }
}

impl Plan {
    /// Refuses what tor would choke on later, with less to say about it.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |problem: String| Err(Error::Plan(problem));
        if self.authorities == 0 || self.authorities + self.relays < 4 || self.relays == 0 {
            return wrong("a network wants an authority and a relay, and four of them in all".to_owned());
        }
        if self.authorities + self.relays > slot::MAX_ROUTERS {
            return wrong(format!("more than {} routers", slot::MAX_ROUTERS));
        }
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let mut names = BTreeSet::new();
        for onion in &self.onions {
            if !is_name(&onion.name) || !is_name(&onion.host) {
                return wrong(format!("{:?} on host {:?}: names are letters, digits, hyphens", onion.name, onion.host));
            }
            if onion.ports.is_empty() {
                return wrong(format!("the onion {} has no port", onion.name));
            }
            if !names.insert(&onion.name) {
                return wrong(format!("two onions are called {}", onion.name));
            }
        }
        Ok(())
    }

    /// The names of the service hosts.
    pub(crate) fn hosts(&self) -> BTreeSet<&str> {
        self.onions.iter().map(|onion| onion.host.as_str()).collect()
    }

    pub(crate) fn onions_on<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a Onion> {
        self.onions.iter().filter(move |onion| onion.host == host)
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn check(onions: &[(&str, &str)]) -> bool {
        let onion = |(name, host): &(&str, &str)| Onion {
            host: (*host).to_owned(),
            ..Onion::new(*name, ([127, 0, 0, 1], 1).into())
        };
        Plan { onions: onions.iter().map(onion).collect(), ..Plan::default() }.check().is_ok()
    }

    #[test]
    fn names_are_unique_and_fit_into_paths() {
        assert!(check(&[("market", "main"), ("forum-2", "other")]));
        assert!(!check(&[("market", "main"), ("market", "other")]));
        assert!(!check(&[("../market", "main")]));
        assert!(!check(&[("market", "a host")]));
    }

    #[test]
    fn a_network_too_small_for_circuits_is_refused() {
        assert!(Plan { authorities: 3, relays: 1, ..Plan::default() }.check().is_ok());
        assert!(Plan { authorities: 1, relays: 2, ..Plan::default() }.check().is_err());
        assert!(Plan { authorities: 0, relays: 6, ..Plan::default() }.check().is_err());
    }

    #[test]
    fn the_public_key_belongs_to_the_secret() {
        // The pair of Alice in RFC 7748, section 6.1.
        let bytes = |hex: &str| <[u8; 32]>::try_from(HEXLOWER.decode(hex.as_bytes()).unwrap()).unwrap();
        let secret = bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        let public = bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
        assert_eq!(ClientKey(secret).public_line(), format!("descriptor:x25519:{}\n", BASE32_NOPAD.encode(&public)));
    }
}

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::error::Error;

const SLOTS: std::ops::RangeInclusive<u8> = 1..=250;
/// The second octet of the first router; each has one of its own, because clients use no two relays of one /16 in a
/// circuit.
const FIRST_NETWORK: u8 = 100;
/// The second octet of everything in a slot that is no router.
const SERVICE_NETWORK: u8 = 99;
const OR_PORT: u16 = 15_000;
const DIRECTORY_PORT: u16 = 15_001;
const SOCKS_PORT: u16 = 15_002;
const CLAIM_PORT: u16 = 15_003;
const BRIDGE_PORT: u16 = 15_004;

/// The most authorities and relays of one network.
pub(crate) const MAX_ROUTERS: usize = 100;

/// A range of loopback addresses that belongs to one network: `127.x.SLOT.1`.
///
/// A listening socket stands for the claim: it has the very scope of the addresses, and the kernel gives it up with the
/// process that held it, however that ends.
#[derive(Debug)]
pub(crate) struct Slot {
    number: u8,
    _claim: TcpListener,
}

/// An authority or a relay, and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Router {
    pub(crate) name: String,
    pub(crate) is_authority: bool,
    pub(crate) ip: Ipv4Addr,
}

impl Router {
    pub(crate) fn or_address(&self) -> SocketAddr {
        SocketAddr::from((self.ip, OR_PORT))
    }

    pub(crate) fn directory_address(&self) -> SocketAddr {
        SocketAddr::from((self.ip, DIRECTORY_PORT))
    }
}

impl Slot {
    /// Takes the first range that nobody holds and on which nothing listens.
    pub(crate) fn claim(authorities: usize, relays: usize) -> Result<Self, Error> {
        for number in SLOTS {
            let Ok(claim) = TcpListener::bind((Ipv4Addr::new(127, SERVICE_NETWORK, number, 1), CLAIM_PORT)) else {
                continue;
            };
            let slot = Self { number, _claim: claim };
            if slot.is_free(authorities, relays) {
                return Ok(slot);
            }
        }
        Err(Error::NoSlot)
    }

    /// The routers of a network in this slot, authorities first.
    pub(crate) fn routers(&self, authorities: usize, relays: usize) -> Vec<Router> {
        let names = (0..authorities)
            .map(|i| (format!("auth{i}"), true))
            .chain((0..relays).map(|i| (format!("relay{i}"), false)));
        (FIRST_NETWORK..u8::MAX)
            .zip(names)
            .map(|(network, (name, is_authority))| Router {
                name,
                is_authority,
                ip: Ipv4Addr::new(127, network, self.number, 1),
            })
            .collect()
    }

    /// Where a client with a SOCKS port listens.
    pub(crate) fn socks_address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::new(127, SERVICE_NETWORK, self.number, 1), SOCKS_PORT))
    }

    /// Where a bridge listens.
    pub(crate) fn bridge_address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::new(127, SERVICE_NETWORK, self.number, 1), BRIDGE_PORT))
    }

    /// The processes of a network whose parent died a moment ago may not have noticed yet.
    fn is_free(&self, authorities: usize, relays: usize) -> bool {
        let routers = self.routers(authorities, relays);
        let listened = routers.iter().flat_map(|router| [router.or_address(), router.directory_address()]);
        listened.chain([self.socks_address(), self.bridge_address()]).all(|address| TcpListener::bind(address).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn two_networks_share_no_address() {
        let (one, other) = (Slot::claim(3, 3).unwrap(), Slot::claim(3, 3).unwrap());
        let addresses: BTreeSet<_> =
            [&one, &other].iter().flat_map(|slot| slot.routers(3, 3)).map(|router| router.ip).collect();
        assert_eq!(addresses.len(), 12);
    }

    #[test]
    fn a_slot_with_a_listener_of_somebody_else_is_passed_over() {
        let slot = Slot::claim(1, 1).unwrap();
        let _squatter = TcpListener::bind(slot.routers(1, 1)[1].or_address()).unwrap();
        assert!(!slot.is_free(1, 1));
    }

    #[test]
    fn each_router_lives_in_a_network_of_its_own() {
        let networks: BTreeSet<_> = Slot::claim(3, 4)
            .unwrap()
            .routers(3, 4)
            .iter()
            .map(|router| [router.ip.octets()[0], router.ip.octets()[1]])
            .collect();
        assert_eq!(networks.len(), 7);
    }
}

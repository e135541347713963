use std::{fmt, str::FromStr, sync::LazyLock};

use data_encoding::{BASE32_NOPAD, Encoding, Specification};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha3::{Digest as _, Sha3_256};

const VERSION: u8 = 3;

/// A version 3 onion address whose checksum holds (Tor rend-spec-v3, section 6): the 32-byte public key of the service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OnionAddress([u8; 32]);

/// Why a host name is not a usable onion address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOnion {
    /// The name does not end in `.onion` after 56 base-32 characters.
    #[error("not a version 3 onion address (56 characters of a-z and 2-7, then .onion)")]
    Shape,
    /// The shape is right and the checksum is not: a typing error, or a trap.
    #[error("the checksum of the onion address does not hold")]
    Checksum,
    /// The address says that it is of another version.
    #[error("the onion address is of an unsupported version")]
    Version,
}

impl OnionAddress {
    /// The address of the service with this public key.
    pub const fn from_public_key(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The public key of the service.
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.0
    }

    /// The address in a host name that may have subdomains in front, which Tor ignores.
    pub fn from_host(host: &str) -> Result<Self, InvalidOnion> {
        let name = host.strip_suffix(".onion").ok_or(InvalidOnion::Shape)?;
        name.rsplit('.').next().unwrap_or(name).parse()
    }

    fn checksum(key: &[u8]) -> [u8; 2] {
        let digest =
            Sha3_256::new().chain_update(b".onion checksum").chain_update(key).chain_update([VERSION]).finalize();
        [digest[0], digest[1]]
    }
}

impl FromStr for OnionAddress {
    type Err = InvalidOnion;

    /// Takes the address with or without `.onion`, in either case of letters.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.to_ascii_lowercase();
        let name = text.strip_suffix(".onion").unwrap_or(&text);
        let bytes = BASE32.decode(name.as_bytes()).map_err(|_| InvalidOnion::Shape)?;
        let [key @ .., c0, c1, version] = bytes.as_slice() else { return Err(InvalidOnion::Shape) };
        let key: [u8; 32] = key.try_into().map_err(|_| InvalidOnion::Shape)?;
        if *version != VERSION {
            return Err(InvalidOnion::Version);
        }
        if [*c0, *c1] != Self::checksum(&key) {
            return Err(InvalidOnion::Checksum);
        }
        Ok(Self(key))
    }
}

impl fmt::Display for OnionAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.to_vec();
        bytes.extend(Self::checksum(&self.0));
        bytes.push(VERSION);
        write!(f, "{}.onion", BASE32.encode(&bytes))
    }
}

impl fmt::Debug for OnionAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OnionAddress({self})")
    }
}

impl Serialize for OnionAddress {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OnionAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// RFC 4648 base 32 in lower case, without padding. To make its tables takes longer than to use them.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    spec.encoding().unwrap_or(BASE32_NOPAD)
});

#[cfg(test)]
mod tests {
    use super::*;

    /// The example addresses of rend-spec-v3, section 1.2.
    const SPEC: [&str; 3] = [
        "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
        "sp3k262uwy4r2k3ycr5awluarykdpag6a7y33jxop4cs2lu5uz5sseqd.onion",
        "xa4r2iadxm55fbnqgwwi5mymqdcofiu3w6rpbtqn7b2dyn7mgwj64jyd.onion",
    ];

    #[test]
    fn addresses_of_the_specification_hold() {
        for text in SPEC {
            assert_eq!(text.parse::<OnionAddress>().unwrap().to_string(), text);
            assert_eq!(OnionAddress::from_host(&format!("www.{text}")).unwrap().to_string(), text);
        }
    }

    #[test]
    fn one_wrong_letter_breaks_the_checksum() {
        let wrong = SPEC[0].replacen("pg6", "pg7", 1);
        assert_eq!(wrong.parse::<OnionAddress>(), Err(InvalidOnion::Checksum));
    }

    #[test]
    fn version_two_and_look_alikes_are_refused() {
        for host in ["expyuzz4wqqyqhjn.onion", "example.com", "onion", ".onion", "a.onion.example.com"] {
            assert!(OnionAddress::from_host(host).is_err(), "{host}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_key_survives(key: [u8; 32]) {
            let address = OnionAddress::from_public_key(key);
            proptest::prop_assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}

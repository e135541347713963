use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use url::Url;

use crate::{OnionAddress, ServiceId, UriId, onion::InvalidOnion};

/// The longest URI that is looked at, in bytes.
const MAX_LEN: usize = 4096;

/// A canonical `http` or `https` URI (RFC 3986, section 6): scheme and host in lower case, default port and fragment dropped,
/// dot segments resolved, unreserved characters unescaped, escapes in upper case. Equal text means the same resource.
///
/// The host is a checked onion address or a domain name; IP literals, `localhost` and user information never get in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(Url);

/// The host part of a [`Uri`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// An onion service.
    Onion(OnionAddress),
    /// A domain of the clear net, which only a decision that allows the exit makes reachable.
    ClearNet(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Onion(address) => address.fmt(f),
            Self::ClearNet(domain) => domain.fmt(f),
        }
    }
}

/// Why a text is not a URI that may be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUri {
    /// It does not parse (WHATWG URL, of which RFC 3986 is a part).
    #[error("not a URI: {0}")]
    Syntax(#[from] url::ParseError),
    /// It is longer than 4096 bytes.
    #[error("a URI longer than {MAX_LEN} bytes")]
    TooLong,
    /// Its scheme is neither `http` nor `https`.
    #[error("scheme {0:?} is not http or https")]
    Scheme(String),
    /// It carries a user name or a password.
    #[error("a URI with user information")]
    UserInformation,
    /// Its host is an IP literal.
    #[error("an IP literal as host")]
    IpLiteral,
    /// Its host is local to a machine or a network.
    #[error("a local host name")]
    LocalName,
    /// Its host ends in `.onion` and is no valid address.
    #[error(transparent)]
    Onion(#[from] InvalidOnion),
}

impl Uri {
    /// Reads `reference` relative to this URI (RFC 3986, section 5).
    pub fn join(&self, reference: &str) -> Result<Self, InvalidUri> {
        if reference.len() > MAX_LEN {
            return Err(InvalidUri::TooLong);
        }
        Self::canonical(self.0.join(reference)?)
    }

    /// The URI without the query parameters whose name `is_noise`; an emptied query disappears.
    #[must_use]
    pub fn without_parameters(&self, is_noise: impl Fn(&str) -> bool) -> Self {
        let Some(query) = self.0.query() else { return self.clone() };
        let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        let kept: Vec<&str> = query.split('&').filter(|pair| !is_noise(&name(pair))).collect();
        let mut url = self.0.clone();
        url.set_query(if kept.is_empty() { None } else { Some(kept.join("&")) }.as_deref());
        Self(url)
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The key of this URI in the store.
    pub fn id(&self) -> UriId {
        UriId::of(self.as_str())
    }

    /// The host, checked.
    pub fn host(&self) -> Host {
        let name = self.host_str();
        OnionAddress::from_host(name).map_or_else(|_| Host::ClearNet(name.to_owned()), Host::Onion)
    }

    /// The host as it stands in the URI, subdomains included.
    pub fn host_str(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The service that politeness belongs to: one onion address or one domain, whatever the port or subdomain.
    pub fn service(&self) -> ServiceId {
        ServiceId::of(&self.host().to_string())
    }

    /// The port, given or implied by the scheme.
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(80)
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Host, and port where it is not the default: the value of a `Host` header (RFC 9110, section 7.2).
    pub fn authority(&self) -> String {
        match self.0.port() {
            Some(port) => format!("{}:{port}", self.host_str()),
            None => self.host_str().to_owned(),
        }
    }

    /// The path, never empty.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// The query without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.0.query()
    }

    /// Path and query: the request target in origin form (RFC 9112, section 3.2.1).
    pub fn path_and_query(&self) -> String {
        match self.0.query() {
            Some(query) => format!("{}?{query}", self.0.path()),
            None => self.0.path().to_owned(),
        }
    }

    fn canonical(mut url: Url) -> Result<Self, InvalidUri> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidUri::Scheme(url.scheme().chars().take(20).collect()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidUri::UserInformation);
        }
        if let Some(rooted) = url.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned) {
            url.set_host(Some(&rooted))?;
        }
        check_host(&url)?;
        url.set_fragment(None);
        if url.path().contains('%') {
            url.set_path(&normalise_escapes(url.path()));
        }
        if let Some(query) = url.query().filter(|query| query.contains('%')).map(normalise_escapes) {
            url.set_query(Some(&query));
        }
        if url.as_str().len() > MAX_LEN {
            return Err(InvalidUri::TooLong);
        }
        Ok(Self(url))
    }
}

/// Onion addresses with a valid checksum, or fully qualified domains: nothing that names a machine or a private network.
fn check_host(url: &Url) -> Result<(), InvalidUri> {
    let domain = match url.host() {
        Some(url::Host::Domain(domain)) => domain,
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => return Err(InvalidUri::IpLiteral),
        None => return Err(url::ParseError::EmptyHost.into()),
    };
    if domain.rsplit('.').next() == Some("onion") {
        OnionAddress::from_host(domain)?;
        return Ok(());
    }
    if domain.parse::<IpAddr>().is_ok() {
        return Err(InvalidUri::IpLiteral);
    }
    let top = domain.rsplit('.').next().unwrap_or_default();
    let is_local = !domain.contains('.')
        || matches!(top, "localhost" | "local" | "localdomain" | "internal" | "lan" | "home" | "arpa");
    if is_local { Err(InvalidUri::LocalName) } else { Ok(()) }
}

/// Escapes in upper case; escaped unreserved characters as themselves (RFC 3986, section 6.2.2). Any other byte stays.
fn normalise_escapes(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let value = escape.and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match value {
            // An unescaped dot could make a new dot segment, which the parser has already resolved, and a character behind a
            // lone percent sign a new escape: both stay escaped.
            Some(value) if is_plainly_unreserved(value) && !ends_in_lone_percent(&out) => out.push(char::from(value)),
            Some(value) => out.push_str(&format!("%{value:02X}")),
            None => {
                let rest = &text[at..];
                let char = rest.chars().next().unwrap_or_default();
                out.push(char);
                at += char.len_utf8();
                continue;
            }
        }
        at += 3;
    }
    out
}

fn is_plainly_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~')
}

/// Whether one more character could turn the end of `text` into an escape.
fn ends_in_lone_percent(text: &str) -> bool {
    text.bytes().rev().take(2).any(|byte| byte == b'%')
}

impl FromStr for Uri {
    type Err = InvalidUri;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_LEN {
            return Err(InvalidUri::TooLong);
        }
        Self::canonical(Url::parse(text)?)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({self})")
    }
}

impl Serialize for Uri {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Uri {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

    fn check(input: &str, expect: &str) {
        let uri: Uri = input.replace("ONION", ONION).parse().unwrap();
        assert_eq!(uri.as_str(), expect.replace("ONION", ONION));
    }

    #[test]
    fn equivalent_texts_become_one() {
        check("HTTP://ONION:80/a/./b/../c#top", "http://ONION/a/c");
        check("http://ONION", "http://ONION/");
        check("http://ONION/%7euser/%2fx?q=%41%2b", "http://ONION/~user/%2Fx?q=A%2B");
        check("https://ONION:443/", "https://ONION/");
        check("http://ONION/100%", "http://ONION/100%");
        check("http://ONION/%%34%31", "http://ONION/%%341");
        check("http://ONION./", "http://ONION/");
        check("http://ONION/é", "http://ONION/%C3%A9");
    }

    #[test]
    fn what_must_never_be_fetched_is_no_uri() {
        for bad in [
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://localhost/",
            "http://a.localhost/",
            "http://router.local/",
            "http://intranet/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://user:pw@example.com/",
            "http://expyuzz4wqqyqhjn.onion/",
            "http://127.1/",
            "http://10.0.0.1./",
            "http://1.0.0.127.in-addr.arpa/",
        ] {
            assert!(bad.parse::<Uri>().is_err(), "{bad}");
        }
        assert!(format!("http://{}/", ONION.replacen("pg6", "pg7", 1)).parse::<Uri>().is_err());
    }

    #[test]
    fn parameters_are_removed_by_name() {
        let uri: Uri = "http://example.com/a?utm_source=x&id=3&UTM_medium=y".parse().unwrap();
        assert_eq!(uri.without_parameters(|name| name.starts_with("utm_")).as_str(), "http://example.com/a?id=3");
        let uri: Uri = "http://example.com/a?sid=1".parse().unwrap();
        assert_eq!(uri.without_parameters(|name| name == "sid").as_str(), "http://example.com/a");
    }

    #[test]
    fn one_service_whatever_the_port() {
        let plain: Uri = format!("http://{ONION}/a").parse().unwrap();
        let other: Uri = format!("https://www.{ONION}:8443/b").parse().unwrap();
        assert_eq!(plain.service(), other.service());
        assert_eq!(other.authority(), format!("www.{ONION}:8443"));
    }

    proptest::proptest! {
        #[test]
        fn canonical_form_is_a_fixed_point(path in "[ -~é]{0,40}") {
            if let Ok(uri) = format!("http://{ONION}/{path}").parse::<Uri>() {
                proptest::prop_assert_eq!(uri.as_str().parse::<Uri>().unwrap(), uri);
            }
        }
    }
}

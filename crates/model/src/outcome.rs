use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// How an attempt to retrieve a URI ended. A fact of transport: data, and not an error. The list is closed.
///
/// Text form, everywhere: the variant's name, its detail in parentheses: `Ok`, `HttpError(503)`, `TimedOut(FirstByte)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A complete response with a status from 200 to 299.
    Ok,
    /// 304 in answer to a conditional request.
    NotModified,
    /// A status from 300 to 399 with a `Location`, or a `Refresh` header, that may be followed.
    Redirect,
    /// A complete response with any other status.
    HttpError(u16),
    /// No descriptor of the onion service was found: the service is down, or the address is wrong.
    DescriptorNotFound,
    /// The introduction to the onion service failed.
    IntroductionFailed,
    /// The service did not come to the rendezvous in time.
    RendezvousTimeout,
    /// Tor is not bootstrapped, or cannot reach its network.
    TorUnavailable,
    /// The descriptor is encrypted to clients whose key we lack, or the key we have is wrong.
    AuthorisationKeyNeeded,
    /// The service is there, and nothing listens on the port.
    ConnectionRefused,
    /// The TLS handshake failed.
    TlsFailed(TlsFailure),
    /// A limit of time ran out.
    TimedOut(Stage),
    /// The connection ended too early.
    Interrupted(Stage),
    /// Head or body are larger than the limits allow.
    TooLarge,
    /// The body decodes to more than the allowed size or ratio.
    DecompressionBomb,
    /// The content type is none that is collected; the body was not read.
    ContentTypeRefused,
    /// The bytes are not HTTP.
    Malformed(Malformation),
    /// A redirect leads out of scope, in a circle, or is one too many.
    RedirectRefused,
    /// The address is on a block list, or the address policy forbids it, and nothing was sent; or the payload is on the list of blocked ones, and
    /// nothing of what was received is kept.
    Blocked,
}

/// The part of an exchange in which it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Opening the stream through Tor.
    Connect,
    /// Sending the request and waiting for the first byte of the response.
    FirstByte,
    /// Reading the status line and the header fields.
    Head,
    /// Reading the body.
    Body,
}

/// Why a TLS handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsFailure {
    /// The certificate cannot be parsed, or its signature over the handshake is wrong.
    BadCertificate,
    /// The peer does not speak TLS, or broke off.
    Handshake,
}

/// What about a response is not HTTP/1.1 (RFC 9112).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Malformation {
    /// The status line or a header field cannot be parsed.
    Head,
    /// Contradictory or unreadable lengths.
    Length,
    /// The chunked framing is broken.
    Chunk,
    /// The content encoding does not decode.
    Encoding,
}

impl Outcome {
    /// Whether there is a page to analyse.
    pub const fn has_content(self) -> bool {
        matches!(self, Self::Ok | Self::HttpError(_) | Self::Redirect)
    }

    /// Whether the service answered at all, so that a failure to reach it is forgotten.
    pub const fn was_reached(self) -> bool {
        !matches!(
            self,
            Self::DescriptorNotFound
                | Self::IntroductionFailed
                | Self::RendezvousTimeout
                | Self::TorUnavailable
                | Self::AuthorisationKeyNeeded
                | Self::ConnectionRefused
                | Self::TlsFailed(_)
                | Self::TimedOut(Stage::Connect | Stage::FirstByte)
                | Self::Interrupted(Stage::Connect | Stage::FirstByte)
                | Self::Blocked
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HttpError(status) => write!(f, "HttpError({status})"),
            other => fmt::Debug::fmt(other, f),
        }
    }
}

/// A text that names no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an outcome")]
pub struct UnknownOutcome(String);

impl Outcome {
    /// Every outcome but `HttpError`, whose status is open.
    pub const NAMED: [Self; 28] = {
        use Malformation as M;
        use Stage::{Body, Connect, FirstByte, Head};
        [
            Self::Ok,
            Self::NotModified,
            Self::Redirect,
            Self::DescriptorNotFound,
            Self::IntroductionFailed,
            Self::RendezvousTimeout,
            Self::TorUnavailable,
            Self::AuthorisationKeyNeeded,
            Self::ConnectionRefused,
            Self::TlsFailed(TlsFailure::BadCertificate),
            Self::TlsFailed(TlsFailure::Handshake),
            Self::TimedOut(Connect),
            Self::TimedOut(FirstByte),
            Self::TimedOut(Head),
            Self::TimedOut(Body),
            Self::Interrupted(Connect),
            Self::Interrupted(FirstByte),
            Self::Interrupted(Head),
            Self::Interrupted(Body),
            Self::TooLarge,
            Self::DecompressionBomb,
            Self::ContentTypeRefused,
            Self::Malformed(M::Head),
            Self::Malformed(M::Length),
            Self::Malformed(M::Chunk),
            Self::Malformed(M::Encoding),
            Self::RedirectRefused,
            Self::Blocked,
        ]
    };
}

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let status =
            text.strip_prefix("HttpError(").and_then(|rest| rest.strip_suffix(')')).and_then(|code| code.parse().ok());
        status
            .map(Self::HttpError)
            .or_else(|| Self::NAMED.into_iter().find(|outcome| outcome.to_string() == text))
            .ok_or_else(|| UnknownOutcome(text.chars().take(80).collect()))
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_survives_its_text_form() {
        for outcome in Outcome::NAMED.into_iter().chain([Outcome::HttpError(503)]) {
            assert_eq!(outcome.to_string().parse(), Ok(outcome));
        }
        assert!("HttpError(x)".parse::<Outcome>().is_err());
    }
}

//! Time-stamps of checkpoints (RFC 3161): what to ask an authority, and what its answer proves.
//!
//! Requests and responses are read and written here and carried by whoever calls. The answer's structures are walked by hand:
//! `x509-tsp` refuses the fractions of a second that RFC 3161 §2.4.2 allows, and `cms` writes certificates anew where their
//! signatures need the bytes as they came. The path to the authority is `webpki`'s business.

mod asn1;
#[cfg(test)]
mod tests;
mod token;

use std::time::Duration;

use der::{Decode as _, oid::ObjectIdentifier};
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::{Certificate, ext::pkix::ExtendedKeyUsage};

use crate::Error;
use asn1::{INTEGER, SEQUENCE};
use token::{Token, malformed};

/// The greatest length of a response, in bytes.
pub const MAX_RESPONSE_BYTES: usize = 1 << 20;

const ID_KP_TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

/// The same, as the content of its DER encoding.
const ID_KP_TIME_STAMPING_DER: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];

/// A request (`TimeStampReq`, DER) to stamp `note`, the bytes of a signed checkpoint: its SHA-256, the certificate wanted
/// with the answer. The caller draws the nonce and keeps it, so that an old answer is not taken for a new one.
pub fn timestamp_request(note: &[u8], nonce: u64) -> Vec<u8> {
    // MessageImprint up to the digest: AlgorithmIdentifier id-sha256 with NULL, and the head of an OCTET STRING.
    const IMPRINT: &[u8] = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let version = [2, 1, 1];
    let certificate_wanted = [1, 1, 0xff];
    let nonce = asn1::value(INTEGER, &asn1::unsigned(nonce));
    asn1::value(SEQUENCE, &[&version, IMPRINT, &Sha256::digest(note), &nonce, &certificate_wanted].concat())
}

/// Whom to believe about time: certificates of authorities, or of those who certify them.
#[derive(Debug)]
pub struct Authorities(Vec<TrustAnchor<'static>>);

impl Authorities {
    /// Reads one or more certificates in PEM (RFC 7468). Errors: [`Error::Malformed`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let unreadable = || Error::malformed("authority", "no certificate in PEM");
        let certificates =
            CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(|_| unreadable())?;
        let anchors = certificates.iter().map(|certificate| Ok(anchor_from_trusted_cert(certificate)?.to_owned()));
        let anchors: Vec<_> = anchors.collect::<Result<_, webpki::Error>>().map_err(|_| unreadable())?;
        if anchors.is_empty() { Err(unreadable()) } else { Ok(Self(anchors)) }
    }
}

/// What a time-stamp says: the checkpoint existed at this time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// When, in microseconds since 1970-01-01T00:00:00Z; finer fractions are cut off.
    pub time_us: i64,
    /// The subject of the certificate that signed (RFC 4514).
    pub authority: String,
}

/// An authority's answer (`TimeStampResp`, DER) that grants a time-stamp.
#[derive(Debug)]
pub struct TimestampResponse<'a>(Token<'a>);

impl<'a> TimestampResponse<'a> {
    /// Reads an answer, without checking it. Errors: [`Error::Malformed`]; [`Error::TooLarge`]; [`Error::Refuted`] where
    /// the authority declined.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_RESPONSE_BYTES {
            return Err(Error::TooLarge { what: "time-stamp", limit: MAX_RESPONSE_BYTES });
        }
        Token::of_response(bytes).map(Self)
    }

    /// Checks that this stamps `note`, that it answers the request with `nonce` where one is given, and that the
    /// certificate within it signed it and is made for time-stamping. Who that is, [`Self::check_authority`] checks.
    /// Errors: [`Error::Refuted`]; [`Error::Malformed`] for a certificate that cannot be read.
    pub fn check(&self, note: &[u8], nonce: Option<u64>) -> Result<Timestamp, Error> {
        let token = &self.0;
        if token.imprint != <[u8; 32]>::from(Sha256::digest(note)) {
            return Err(Error::Refuted("the time-stamp is of something else"));
        }
        if nonce.is_some_and(|nonce| token.nonce != Some(&asn1::unsigned(nonce)[..])) {
            return Err(Error::Refuted("the time-stamp answers another request"));
        }
        let signer = token.signer()?;
        token.check_signature(&end_entity(&signer)?)?;
        let certificate = Certificate::from_der(&signer).map_err(|_| malformed("a certificate that cannot be read"))?;
        let certificate = certificate.tbs_certificate();
        // RFC 3161 §2.3: critical, and for nothing else.
        match certificate.get_extension::<ExtendedKeyUsage>() {
            Ok(Some((true, ExtendedKeyUsage(purposes)))) if purposes == [ID_KP_TIME_STAMPING] => {}
            _ => return Err(Error::Refuted("the certificate of the time-stamp is not made for time-stamping")),
        }
        Ok(Timestamp { time_us: token.time_us, authority: certificate.subject().to_string() })
    }

    /// Checks that the signer's certificate leads to one of `authorities` and was in force at the time stated. Revocation
    /// is not looked up: that takes a network. Errors: [`Error::UnknownAuthority`], [`Error::Malformed`].
    pub fn check_authority(&self, authorities: &Authorities) -> Result<(), Error> {
        let signer = self.0.signer()?;
        let others: Vec<_> = self.0.certificates.iter().map(|other| CertificateDer::from(&other[..])).collect();
        let seconds = u64::try_from(self.0.time_us / 1_000_000).unwrap_or(0);
        let end_entity = end_entity(&signer)?;
        let path = end_entity.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &authorities.0,
            &others,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            KeyUsage::required_if_present(ID_KP_TIME_STAMPING_DER),
            None,
            None,
        );
        path.map(|_| ()).map_err(|error| Error::UnknownAuthority { why: error.to_string() })
    }
}

fn end_entity<'a>(certificate: &'a CertificateDer<'a>) -> Result<EndEntityCert<'a>, Error> {
    EndEntityCert::try_from(certificate).map_err(|_| malformed("a certificate that cannot be read"))
}

use der::{
    DateTime, Tag,
    oid::{AssociatedOid, ObjectIdentifier},
};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use webpki::{EndEntityCert, ring};

use super::asn1::{Fields, SEQUENCE, SET, tagged, value};
use crate::Error;

const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const ID_CT_TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const ID_CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const ID_MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const ID_SIGNING_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const ID_SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

const ID_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ID_RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const ID_RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const ID_RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const ID_RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ID_ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ID_ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A time-stamp as an authority signs it: a `TSTInfo` (RFC 3161 §2.4.2) in a CMS `SignedData` (RFC 5652 §5.1).
#[derive(Debug)]
pub(super) struct Token<'a> {
    /// What was stamped, by its SHA-256.
    pub(super) imprint: [u8; 32],
    /// The content of the nonce's INTEGER.
    pub(super) nonce: Option<&'a [u8]>,
    pub(super) time_us: i64,
    /// The certificates that came along, in DER.
    pub(super) certificates: Vec<Vec<u8>>,
    /// The `TSTInfo`, as the message digest covers it.
    pub(super) content: &'a [u8],
    digest: DigestKind,
    message_digest: &'a [u8],
    /// Which of the certificates is the signer's: a digest of it, which is itself signed.
    pub(super) certificate_digest: (DigestKind, &'a [u8]),
    /// The signed attributes, as the signature covers them.
    signed: Vec<u8>,
    signature_algorithm: ObjectIdentifier,
    pub(super) signature: &'a [u8],
}

impl<'a> Token<'a> {
    /// The token of a `TimeStampResp`.
    pub(super) fn of_response(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut outer = Fields::of(bytes)?;
        let mut response = outer.sequence()?;
        outer.finish()?;
        // PKIStatus: granted, or granted with modifications.
        let status = response.sequence()?.content(Tag::Integer)?;
        if !matches!(status, [0 | 1]) {
            return Err(Error::Refuted("the authority did not grant a time-stamp"));
        }
        let mut content_info = response.sequence()?;
        response.finish()?;
        if content_info.oid()? != ID_SIGNED_DATA {
            return Err(malformed("the token is not signed data"));
        }
        let mut explicit = Fields::of(content_info.content(tagged(0))?)?;
        content_info.finish()?;
        let signed_data = explicit.sequence()?;
        explicit.finish()?;
        Self::of_signed_data(signed_data)
    }

    fn of_signed_data(mut fields: Fields<'a>) -> Result<Self, Error> {
        fields.content(Tag::Integer)?;
        fields.content(Tag::Set)?;
        let mut encapsulated = fields.sequence()?;
        if encapsulated.oid()? != ID_CT_TST_INFO {
            return Err(malformed("the signed data is no time-stamp"));
        }
        let content = Fields::of(encapsulated.content(tagged(0))?)?.content(Tag::OctetString)?;
        let mut certificates = Vec::new();
        let mut set = Fields::of(fields.optional(tagged(0))?.unwrap_or_default())?;
        while !set.is_finished() {
            let certificate = set.any()?;
            // Attribute certificates and the like have tags of their own, and are of no use here.
            if der::Tagged::tag(&certificate) == Tag::Sequence {
                certificates.push(value(SEQUENCE, certificate.value()));
            }
        }
        fields.optional(tagged(1))?;
        let mut signers = Fields::of(fields.content(Tag::Set)?)?;
        fields.finish()?;
        let mut signer = signers.sequence()?;
        if !signers.is_finished() {
            return Err(malformed("more than one signer"));
        }

        let info = Info::read(content)?;
        signer.content(Tag::Integer)?;
        // The signer's name and serial number are not signed; the certificate's digest among the attributes is.
        signer.any()?;
        let digest = DigestKind::of(signer.algorithm()?)?;
        let signed = signer.content(tagged(0))?;
        let attributes = Attributes::read(signed)?;
        let signature_algorithm = signer.algorithm()?;
        let signature = signer.content(Tag::OctetString)?;
        Ok(Self {
            imprint: info.imprint,
            nonce: info.nonce,
            time_us: info.time_us,
            certificates,
            content,
            digest,
            message_digest: attributes.message_digest,
            certificate_digest: attributes.certificate_digest,
            // RFC 5652 §5.4: signed is the SET OF, not the tag that stands in its place.
            signed: value(SET, signed),
            signature_algorithm,
            signature,
        })
    }

    /// The signer's certificate.
    pub(super) fn signer(&self) -> Result<CertificateDer<'_>, Error> {
        let (kind, digest) = self.certificate_digest;
        let signer = self.certificates.iter().find(|certificate| kind.digest(certificate) == digest);
        signer.map(|der| der[..].into()).ok_or(Error::Refuted("the time-stamp does not bring its signer's certificate"))
    }

    /// Checks that the holder of `signer` signed the attributes, and that they are of this content.
    pub(super) fn check_signature(&self, signer: &EndEntityCert<'_>) -> Result<(), Error> {
        if self.digest.digest(self.content) != self.message_digest {
            return Err(Error::Refuted("the time-stamp was changed after it was signed"));
        }
        // One identifier stands for several curves; the key fits at most one of them.
        let mut algorithms = algorithms(self.signature_algorithm, self.digest).into_iter();
        if algorithms.any(|algorithm| signer.verify_signature(algorithm, &self.signed, self.signature).is_ok()) {
            Ok(())
        } else {
            Err(Error::Refuted("the signature of the time-stamp is not that of its certificate"))
        }
    }
}

/// What is needed of a `TSTInfo`.
struct Info<'a> {
    imprint: [u8; 32],
    nonce: Option<&'a [u8]>,
    time_us: i64,
}

impl<'a> Info<'a> {
    fn read(content: &'a [u8]) -> Result<Self, Error> {
        let mut outer = Fields::of(content)?;
        let mut fields = outer.sequence()?;
        outer.finish()?;
        if fields.content(Tag::Integer)? != [1] {
            return Err(malformed("a version that is not known"));
        }
        fields.oid()?;
        let mut imprint = fields.sequence()?;
        let algorithm = imprint.algorithm()?;
        let digest = imprint.content(Tag::OctetString)?;
        let imprint = match <[u8; 32]>::try_from(digest) {
            Ok(digest) if algorithm == Sha256::OID => digest,
            _ => return Err(Error::Refuted("the time-stamp is not of a SHA-256")),
        };
        fields.content(Tag::Integer)?;
        let time_us = read_time(fields.content(Tag::GeneralizedTime)?)?;
        fields.optional(Tag::Sequence)?;
        fields.optional(Tag::Boolean)?;
        let nonce = fields.optional(Tag::Integer)?;
        fields.optional(tagged(0))?;
        fields.optional(tagged(1))?;
        fields.finish()?;
        Ok(Self { imprint, nonce, time_us })
    }
}

/// What is needed of the signed attributes.
struct Attributes<'a> {
    message_digest: &'a [u8],
    certificate_digest: (DigestKind, &'a [u8]),
}

impl<'a> Attributes<'a> {
    fn read(content: &'a [u8]) -> Result<Self, Error> {
        let (mut content_type, mut message_digest, mut certificate_v1, mut certificate_v2) = (None, None, None, None);
        let mut attributes = Fields::of(content)?;
        while !attributes.is_finished() {
            let mut attribute = attributes.sequence()?;
            let (kind, mut values) = (attribute.oid()?, Fields::of(attribute.content(Tag::Set)?)?);
            let seen_before = match kind {
                ID_CONTENT_TYPE => content_type.replace(values.oid()?).is_some(),
                ID_MESSAGE_DIGEST => message_digest.replace(values.content(Tag::OctetString)?).is_some(),
                ID_SIGNING_CERTIFICATE => certificate_v1.replace(first_certificate(&mut values)?).is_some(),
                ID_SIGNING_CERTIFICATE_V2 => certificate_v2.replace(first_certificate(&mut values)?).is_some(),
                _ => continue,
            };
            if seen_before {
                return Err(malformed("a signed attribute that stands twice"));
            }
            values.finish()?;
        }
        if content_type != Some(ID_CT_TST_INFO) {
            return Err(Error::Refuted("what was signed is no time-stamp"));
        }
        let certificate_digest = match (certificate_v2, certificate_v1) {
            (Some(mut id), _) => {
                // ESSCertIDv2 (RFC 5035 §4): SHA-256 is the default of its algorithm.
                let algorithm = id.optional(Tag::Sequence)?.map(|algorithm| Fields::of(algorithm)?.oid());
                (DigestKind::of(algorithm.transpose()?.unwrap_or(Sha256::OID))?, id.content(Tag::OctetString)?)
            }
            // ESSCertID (RFC 2634 §5.4.1) knows SHA-1 only.
            (None, Some(mut id)) => (DigestKind::Sha1, id.content(Tag::OctetString)?),
            (None, None) => return Err(malformed("it does not say which certificate signed it")),
        };
        let message_digest = message_digest.ok_or_else(|| malformed("no message digest"))?;
        Ok(Self { message_digest, certificate_digest })
    }
}

/// The fields of the first `ESSCertID` of a signing certificate attribute: the signer's; those of its issuers may follow.
fn first_certificate<'a>(values: &mut Fields<'a>) -> Result<Fields<'a>, Error> {
    values.sequence()?.sequence()?.sequence()
}

/// A digest that authorities use.
#[derive(Debug, Clone, Copy)]
pub(super) enum DigestKind {
    /// To tell certificates apart, and never to sign.
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl DigestKind {
    fn of(algorithm: ObjectIdentifier) -> Result<Self, Error> {
        match algorithm {
            Sha256::OID => Ok(Self::Sha256),
            Sha384::OID => Ok(Self::Sha384),
            Sha512::OID => Ok(Self::Sha512),
            other => Err(malformed(&format!("the digest {other} is not known"))),
        }
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// Ways to check a signature of this algorithm over this digest; none where it is not known or the two disagree.
fn algorithms(signature: ObjectIdentifier, digest: DigestKind) -> Vec<&'static dyn SignatureVerificationAlgorithm> {
    match (digest, signature) {
        (DigestKind::Sha256, ID_RSA | ID_RSA_SHA256) => vec![ring::RSA_PKCS1_2048_8192_SHA256],
        (DigestKind::Sha384, ID_RSA | ID_RSA_SHA384) => vec![ring::RSA_PKCS1_2048_8192_SHA384],
        (DigestKind::Sha512, ID_RSA | ID_RSA_SHA512) => vec![ring::RSA_PKCS1_2048_8192_SHA512],
        (DigestKind::Sha256, ID_RSA_PSS) => vec![ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY],
        (DigestKind::Sha384, ID_RSA_PSS) => vec![ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY],
        (DigestKind::Sha512, ID_RSA_PSS) => vec![ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY],
        (DigestKind::Sha256, ID_ECDSA_SHA256) => vec![ring::ECDSA_P256_SHA256, ring::ECDSA_P384_SHA256],
        (DigestKind::Sha384, ID_ECDSA_SHA384) => vec![ring::ECDSA_P256_SHA384, ring::ECDSA_P384_SHA384],
        (DigestKind::Sha512, ID_ED25519) => vec![ring::ED25519],
        _ => vec![],
    }
}

/// A time of the form `YYYYMMDDhhmmss[.f…]Z` (RFC 3161 §2.4.2), in microseconds since 1970.
fn read_time(content: &[u8]) -> Result<i64, Error> {
    let bad = || malformed("a time that is none");
    let text = str::from_utf8(content).ok().and_then(|text| text.strip_suffix('Z')).ok_or_else(bad)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || fraction.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(bad());
    }
    let number = |from: usize, to: usize| whole[from..to].parse::<u8>().map_err(|_| bad());
    let year = whole[..4].parse().map_err(|_| bad())?;
    let time = DateTime::new(year, number(4, 6)?, number(6, 8)?, number(8, 10)?, number(10, 12)?, number(12, 14)?);
    let seconds = time.map_err(|_| bad())?.unix_duration().as_secs();
    let micros: i64 = format!("{fraction:0<6.6}").parse().map_err(|_| bad())?;
    i64::try_from(seconds).map(|seconds| seconds * 1_000_000 + micros).map_err(|_| bad())
}

pub(super) fn malformed(why: &str) -> Error {
    Error::malformed("time-stamp", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_fractions() {
        let read = |text: &str| read_time(text.as_bytes()).ok();
        assert_eq!(read("19700101000000Z"), Some(0));
        assert_eq!(read("20261124143000Z"), Some(1_795_530_600_000_000));
        assert_eq!(read("20261124143000.5Z"), Some(1_795_530_600_500_000));
        assert_eq!(read("20261124143000.123456789Z"), Some(1_795_530_600_123_456));
        for text in [
            "",
            "Z",
            "20261124143000",
            "20261124143000+0100",
            "20261124143000.Z",
            "202611241430Z",
            "20261324143000Z",
            "20260230143000Z",
            "+0261124143000Z",
            "20261124143000.-1Z",
            "19691231235959Z",
            "2026112414300éZ",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

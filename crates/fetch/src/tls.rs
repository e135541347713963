//! TLS to onion services: the certificate is recorded, and never trusted as an identity. The onion address is the identity.

use std::sync::Arc;

use model::{Digest, TlsFacts, TlsFailure};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio_rustls::TlsConnector;

use crate::{BoxStream, Error};

/// Opens TLS sessions.
pub(crate) struct Tls(TlsConnector);

impl Tls {
    pub(crate) fn new() -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(AnyIdentity(Arc::clone(&provider)));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::Tls)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        // A resumed session would tie exchanges of different isolation groups together.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Opens a session on a connection.
    pub(crate) async fn open(
        &self,
        host: &str,
        stream: BoxStream,
    ) -> Result<(BoxStream, TlsFacts), (TlsFailure, String)> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| (TlsFailure::Handshake, error.to_string()))?;
        let stream = self.0.connect(name, stream).await.map_err(|error| (failure(&error), error.to_string()))?;
        let session = stream.get_ref().1;
        let certificate =
            session.peer_certificates().and_then(<[_]>::first).map(|der| der.to_vec()).unwrap_or_default();
        let protocol = session.protocol_version().and_then(|version| version.as_str()).unwrap_or("unknown").to_owned();
        let facts = TlsFacts { protocol, certificate_digest: Digest::of(&certificate), certificate };
        Ok((Box::new(stream), facts))
    }
}

fn failure(error: &std::io::Error) -> TlsFailure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            TlsFailure::BadCertificate
        }
        _ => TlsFailure::Handshake,
    }
}

/// Takes any certificate whose key signed the handshake.
#[derive(Debug)]
struct AnyIdentity(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyIdentity {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

use std::sync::Arc;

use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

use super::client::{Answer, exchange, request, try_connect};
use crate::sites::{Sites, Tls};

/// Accepts any certificate by itself, and still demands that the handshake is signed with its key.
#[derive(Debug)]
struct AnyIssuer(CryptoProvider);

impl ServerCertVerifier for AnyIssuer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

async fn shake_hands(sites: &Sites, manner: Tls) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
    let stream = try_connect(sites.hostile().tls(manner).unwrap()).await.unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyIssuer(ring::default_provider())))
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("hidden.invalid").unwrap(), stream).await
}

#[tokio::test]
async fn a_self_signed_port_serves_the_pages() {
    let sites = Sites::start(super::SEED).await.unwrap();
    for manner in [Tls::SelfSigned, Tls::Expired] {
        let stream = shake_hands(&sites, manner).await.unwrap();
        let bytes = exchange(stream, &request("GET", "/plain"), usize::MAX).await;
        assert_eq!(Answer::parse(&bytes).status, 200);
        assert_eq!(sites.hostile().sent("/plain").unwrap(), bytes);
    }
    assert!(sites.market().https().is_none());
    sites.stop().await;
}

#[tokio::test]
async fn every_broken_manner_of_tls_breaks_the_handshake() {
    let sites = Sites::start(super::SEED).await.unwrap();
    for manner in [Tls::GarbageCertificate, Tls::WrongKey] {
        let error = shake_hands(&sites, manner).await.unwrap_err();
        assert!(error.to_string().contains("certificate"), "{manner:?}: {error}");
    }
    for manner in [Tls::BreaksOff, Tls::PlainHttp] {
        let error = shake_hands(&sites, manner).await.unwrap_err();
        assert!(!error.to_string().contains("certificate"), "{manner:?}: {error}");
    }
    sites.stop().await;
}

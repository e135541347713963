//! TLS servers with good, foreign and broken certificates.

use model::TlsFailure;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

use super::*;

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A server that shows `certificate` and signs with `key`, whether they belong together or not.
fn serve_tls(certificate: Vec<u8>, key: &rcgen::KeyPair) -> Arc<Loopback> {
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signer = ring::sign::any_supported_type(&der).unwrap();
    let certified = Arc::new(CertifiedKey::new(vec![certificate.into()], signer));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(certified)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Loopback::new(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return };
                request.push(byte);
            }
            stream.write_all(PAGE.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    })
}

fn certificate(key: &rcgen::KeyPair) -> Vec<u8> {
    // Self-signed, for another name, and long expired: none of it matters.
    let mut params = rcgen::CertificateParams::new(vec!["elsewhere.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    params.self_signed(key).unwrap().der().to_vec()
}

fn secure_request() -> Request {
    Request::new(uri("/").as_str().replace("http:", "https:").parse().unwrap(), GROUP)
}

#[tokio::test]
async fn a_certificate_is_recorded_and_not_trusted() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = certificate(&key);
    let exchange = fetcher(&serve_tls(certificate.clone(), &key)).fetch(&secure_request()).await;
    assert_eq!(exchange.outcome, Outcome::Ok, "{:?}", exchange.detail);
    assert_eq!(text(&block(&exchange)), PAGE);
    let tls = exchange.tls.unwrap();
    assert_eq!((tls.protocol.as_str(), &tls.certificate), ("TLSv1_3", &certificate));
    assert_eq!(tls.certificate_digest, Digest::of(&certificate));
}

#[tokio::test]
async fn a_certificate_without_its_key_or_without_sense_fails() {
    let (key, other) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
    for certificate in [certificate(&other), b"no certificate at all".to_vec()] {
        let exchange = fetcher(&serve_tls(certificate, &key)).fetch(&secure_request()).await;
        assert_eq!(exchange.outcome, Outcome::TlsFailed(TlsFailure::BadCertificate), "{:?}", exchange.detail);
        assert!(exchange.request.is_empty());
    }
}

#[tokio::test]
async fn a_peer_without_tls_fails_the_handshake() {
    let plain = Loopback::new(|_, mut stream| async move {
        let _gone = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let exchange = fetcher(&plain).fetch(&secure_request()).await;
    assert_eq!(exchange.outcome, Outcome::TlsFailed(TlsFailure::Handshake), "{:?}", exchange.detail);
}

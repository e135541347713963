use std::{io, sync::Arc};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
        sign::{CertifiedKey, SingleCertAndKey},
    },
    server::TlsStream,
};

/// The name in the certificates. What a hidden site's certificate says is no proof of anything.
const NAME: &str = "hidden.invalid";

/// How the hostile site speaks TLS on one of its ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tls {
    /// A self-signed certificate with nothing wrong but its issuer; the pages are those of the plain port.
    SelfSigned,
    /// The same, its validity long over.
    Expired,
    /// Bytes that are no certificate; the handshake goes on as if they were.
    GarbageCertificate,
    /// A good certificate, and a handshake signed with another key.
    WrongKey,
    /// The connection is closed after the client's first message.
    BreaksOff,
    /// The answer to the client's first message is an HTTP response in the clear.
    PlainHttp,
}

impl Tls {
    /// Every manner.
    pub const ALL: [Self; 6] =
        [Self::SelfSigned, Self::Expired, Self::GarbageCertificate, Self::WrongKey, Self::BreaksOff, Self::PlainHttp];
}

/// Begins connections in one manner.
pub(crate) enum Greeter {
    Handshake(TlsAcceptor),
    /// Waits for the first message and answers it with these bytes.
    Rebuff(&'static [u8]),
}

impl Greeter {
    pub(crate) fn new(manner: Tls) -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let (certificate, signer) = match manner {
            Tls::SelfSigned => (certificate(&key, 2099)?, key),
            Tls::Expired => (certificate(&key, 2001)?, key),
            Tls::GarbageCertificate => {
                (CertificateDer::from(b"no certificate at all, whatever the handshake says".to_vec()), key)
            }
            Tls::WrongKey => (certificate(&key, 2099)?, KeyPair::generate().map_err(io::Error::other)?),
            Tls::BreaksOff => return Ok(Self::Rebuff(b"")),
            Tls::PlainHttp => {
                return Ok(Self::Rebuff(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
            }
        };
        Ok(Self::Handshake(acceptor(certificate, &signer)?))
    }

    /// The connection after the handshake, where there is one.
    pub(crate) async fn greet(&self, mut stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        match self {
            Self::Handshake(acceptor) => acceptor.accept(stream).await.map(Some),
            Self::Rebuff(bytes) => {
                let _ = stream.read(&mut [0; 4096]).await?;
                stream.write_all(bytes).await?;
                stream.shutdown().await?;
                Ok(None)
            }
        }
    }
}

fn certificate(key: &KeyPair, until: i32) -> io::Result<CertificateDer<'static>> {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).map_err(io::Error::other)?;
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    Ok(params.self_signed(key).map_err(io::Error::other)?.der().clone())
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> io::Result<TlsAcceptor> {
    let provider = Arc::new(ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = provider.key_provider.load_private_key(key).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    // A resolver is not asked whether certificate and key belong together, which two manners rely on.
    let resolver = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    Ok(TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_cert_resolver(Arc::new(resolver)))))
}

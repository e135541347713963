//! TLS 1.2 and 1.3 on TCP, with a certificate that is read again when its file has changed: no restart when it is renewed.

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::Error;

/// The longest time that the handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The files are looked at no more often than this.
const LOOK: Duration = Duration::from_secs(5);

/// Where a certificate and its key lie, each in PEM (RFC 7468).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, with those between it and its root behind it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The certificate that the server shows.
pub(super) struct Certificate {
    files: TlsFiles,
    held: Mutex<Held>,
}

struct Held {
    acceptor: TlsAcceptor,
    changed_at: [Option<SystemTime>; 2],
    looked_at: Instant,
}

impl Certificate {
    /// Reads the files. Errors: [`Error::Tls`], which names the file.
    pub(super) fn load(files: TlsFiles) -> Result<Self, Error> {
        let changed_at = changed_at(&files);
        let held = Held { acceptor: acceptor(&files)?, changed_at, looked_at: Instant::now() };
        Ok(Self { files, held: Mutex::new(held) })
    }

    /// Reads the files anew, whether or not they seem to have changed. Errors: [`Error::Tls`]; what was read before stays in force.
    pub(super) fn reload(&self) -> Result<(), Error> {
        let now = changed_at(&self.files);
        let acceptor = acceptor(&self.files)?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Held { acceptor, changed_at: now, looked_at: Instant::now() };
        Ok(())
    }

    /// Shakes hands with a client, in a bounded time.
    pub(super) async fn greet(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = self.acceptor();
        timeout(HANDSHAKE, acceptor.accept(stream)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// What shakes hands, with the certificate of now. Files that cannot be used leave the one before in force, and the log says so.
    fn acceptor(&self) -> TlsAcceptor {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.looked_at.elapsed() >= LOOK {
            held.looked_at = Instant::now();
            let now = changed_at(&self.files);
            if now != held.changed_at {
                held.changed_at = now;
                match acceptor(&self.files) {
                    Ok(acceptor) => {
                        held.acceptor = acceptor;
                        tracing::info!(certificate = %self.files.certificate.display(), "the certificate was read anew");
                    }
                    Err(error) => tracing::error!(%error, "the certificate of before stays in force"),
                }
            }
        }
        held.acceptor.clone()
    }
}

fn changed_at(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    let changed_at = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    [changed_at(&files.certificate), changed_at(&files.key)]
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, Error> {
    let problem = |path: &Path, problem: String| Error::Tls { path: path.to_owned(), problem };
    let of_certificate = |error: rustls_pki_types::pem::Error| problem(&files.certificate, error.to_string());
    let chain = CertificateDer::pem_file_iter(&files.certificate).map_err(of_certificate)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(of_certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| problem(&files.key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| problem(&files.certificate, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

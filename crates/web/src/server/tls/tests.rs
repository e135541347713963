use rustls::{ClientConfig, RootCertStore};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::TlsConnector;

use super::*;

/// Writes a certificate for `localhost` of its own; returns it.
fn write(dir: &Path) -> (TlsFiles, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles { certificate: dir.join("tls.pem"), key: dir.join("tls-key.pem") };
    fs::write(&files.certificate, made.cert.pem()).unwrap();
    fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    (files, made.cert.der().clone())
}

/// Whether a client that trusts `root` alone is answered.
async fn is_answered(certificate: &Arc<Certificate>, root: &CertificateDer<'static>) -> bool {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Arc::clone(certificate);
    let mut task = JoinSet::new();
    task.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(mut stream) = server.greet(stream).await {
            stream.write_all(b"hello").await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    #[expect(clippy::disallowed_methods, reason = "the address is the test's own, on this machine")]
    let stream = TcpStream::connect(address).await.unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await;
    let Ok(mut stream) = connected else { return false };
    let mut text = String::new();
    stream.read_to_string(&mut text).await.is_ok() && text == "hello"
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (files, first) = write(dir.path());
    let certificate = Arc::new(Certificate::load(files.clone()).unwrap());
    assert!(is_answered(&certificate, &first).await);
    let later = || certificate.held.lock().unwrap().looked_at -= LOOK;
    fs::write(&files.certificate, "no certificate").unwrap();
    later();
    assert!(is_answered(&certificate, &first).await, "a bad file leaves the one before in force");
    let (_, second) = write(dir.path());
    later();
    assert!(is_answered(&certificate, &second).await);
    assert!(!is_answered(&certificate, &first).await);
}

#[tokio::test]
async fn a_reload_takes_a_good_certificate_and_names_a_bad_one() {
    let dir = tempfile::tempdir().unwrap();
    let (files, first) = write(dir.path());
    let certificate = Arc::new(Certificate::load(files.clone()).unwrap());
    fs::write(&files.certificate, "no certificate").unwrap();
    assert!(certificate.reload().unwrap_err().to_string().contains("tls.pem"));
    assert!(is_answered(&certificate, &first).await, "a bad file leaves the one before in force");
    let (_, second) = write(dir.path());
    certificate.reload().unwrap();
    assert!(is_answered(&certificate, &second).await);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (files, _) = write(dir.path());
    let check = |files: TlsFiles, named: &str| {
        let error = Certificate::load(files).err().unwrap().to_string();
        assert!(error.contains(named), "{error}");
    };
    check(TlsFiles { certificate: dir.path().join("none.pem"), ..files.clone() }, "none.pem");
    check(TlsFiles { key: files.certificate.clone(), ..files.clone() }, "tls.pem");
    let other = tempfile::tempdir().unwrap();
    let (foreign, _) = write(other.path());
    check(TlsFiles { key: foreign.key, ..files }, "tls.pem");
}

//! Against a real authority: `openssl ts`, with keys and certificates made for the test.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use super::*;

const NOTE: &[u8] = b"log.example/a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\xe2\x80\x94 a b\n";
const NONCE: u64 = 0x8877_6655_4433_2211;

/// How an authority signs.
#[derive(Clone, Copy)]
struct Manner {
    /// What `openssl req -newkey` is given.
    key: &'static str,
    digest: &'static str,
    /// How the signer's certificate is named in what is signed.
    certificate_digest: &'static str,
    /// Digits of a fraction of a second.
    precision: u8,
    usage: &'static str,
}

const USUAL: Manner = Manner {
    key: "ec:p256",
    digest: "sha256",
    certificate_digest: "sha256",
    precision: 0,
    usage: "critical,timeStamping",
};

/// A root, an authority below an intermediate, and the directory in which they live.
struct Authority {
    directory: TempDir,
}

impl Authority {
    /// None, said loudly, where there is no openssl: `scripts/prepare` installs it.
    fn new(manner: Manner) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            #[expect(clippy::print_stderr, reason = "a test that was skipped must be seen")]
            {
                eprintln!("SKIPPED: openssl is not installed, so no time-stamp was checked");
            }
            return None;
        }
        let authority = Self { directory: tempfile::tempdir().unwrap() };
        authority.write("p256", b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
        authority.write("p384", b"-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n");
        authority.write("ca.ext", b"basicConstraints=critical,CA:TRUE\n");
        authority.write("tsa.ext", format!("extendedKeyUsage={}\n", manner.usage).as_bytes());
        let Manner { digest, certificate_digest, precision, .. } = manner;
        let settings = format!(
            "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=tsa.key\ncerts=between.pem\n\
             signer_digest={digest}\ness_cert_id_alg={certificate_digest}\nclock_precision_digits={precision}\n\
             default_policy=1.2.3\ndigests=sha256,sha512\ness_cert_id_chain=yes\n"
        );
        authority.write("settings", settings.as_bytes());
        authority.write("serial", b"01\n");
        authority.openssl("req -x509 -newkey ec:p256 -nodes -keyout root.key -out root.pem -days 9 -subj /CN=Root");
        authority.certify("between", USUAL.key, "/CN=Between", "root", "ca.ext");
        authority.certify("tsa", manner.key, "/O=Test/CN=Authority", "between", "tsa.ext");
        Some(authority)
    }

    fn certify(&self, name: &str, key: &str, subject: &str, issuer: &str, extensions: &str) {
        self.openssl(&format!("req -newkey {key} -nodes -keyout {name}.key -out {name}.csr -subj {subject}"));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -CAcreateserial -out {name}.pem -days 9 -extfile {extensions}"
        ));
    }

    fn answer(&self, request: &[u8]) -> Vec<u8> {
        self.write("request", request);
        self.openssl("ts -reply -config settings -queryfile request -out response");
        self.read("response")
    }

    fn root(&self) -> Authorities {
        Authorities::from_pem(&self.read("root.pem")).unwrap()
    }

    fn openssl(&self, arguments: &str) -> String {
        let output = self.try_openssl(arguments);
        output.unwrap_or_else(|error| panic!("openssl {arguments}: {error}"))
    }

    fn try_openssl(&self, arguments: &str) -> Result<String, String> {
        let mut command = Command::new("openssl");
        let output = command.args(arguments.split(' ')).current_dir(self.directory.path()).output().unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
}

/// All that is checked of a response.
fn check(response: &[u8], authorities: &Authorities) -> Result<Timestamp, Error> {
    let response = TimestampResponse::parse(response)?;
    let timestamp = response.check(NOTE, Some(NONCE))?;
    response.check_authority(authorities)?;
    Ok(timestamp)
}

#[test]
fn openssl_and_we_agree() {
    let manners = [
        USUAL,
        Manner { certificate_digest: "sha1", precision: 6, ..USUAL },
        Manner { key: "ec:p384", digest: "sha384", certificate_digest: "sha384", ..USUAL },
        Manner { key: "rsa:2048", ..USUAL },
        Manner { key: "rsa:2048", digest: "sha512", certificate_digest: "sha512", precision: 3, ..USUAL },
    ];
    for manner in manners {
        let Some(authority) = Authority::new(manner) else { return };
        let request = timestamp_request(NOTE, NONCE);
        let response = authority.answer(&request);
        let Timestamp { time_us, authority: name } = check(&response, &authority.root()).unwrap();
        assert_eq!(name, "CN=Authority,O=Test");
        let printed = authority.openssl("ts -reply -in response -text");
        let time = printed.lines().find_map(|line| line.strip_prefix("Time stamp: ")).unwrap().to_owned();
        assert_eq!(said_by_openssl(time_us, manner.precision), time);
        authority.write("note", NOTE);
        for given in ["-data note", "-queryfile request"] {
            authority.openssl(&format!("ts -verify {given} -in response -CAfile root.pem"));
        }
    }
}

/// A time as `openssl ts -text` prints it.
fn said_by_openssl(time_us: i64, precision: u8) -> String {
    let output =
        Command::new("date").args(["-u", "-d", &format!("@{}", time_us / 1_000_000), "+%b %e %H:%M:%S|%Y"]).output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    let (time, year) = said.trim().split_once('|').unwrap();
    let fraction = format!(".{:06}", time_us % 1_000_000);
    let fraction = fraction[..=usize::from(precision)].trim_end_matches('0').trim_end_matches('.');
    format!("{time}{fraction} {year} GMT")
}

#[test]
fn requests_are_what_openssl_reads() {
    let Some(authority) = Authority::new(USUAL) else { return };
    for nonce in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, NONCE, u64::MAX] {
        authority.write("request", &timestamp_request(NOTE, nonce));
        let printed = authority.openssl("ts -query -in request -text");
        let read = printed.lines().find_map(|line| line.strip_prefix("Nonce: 0x")).unwrap();
        assert_eq!(u64::from_str_radix(read, 16), Ok(nonce));
        assert!(
            printed.contains("Hash Algorithm: sha256") && printed.contains("Certificate required: yes"),
            "{printed}"
        );
    }
}

#[test]
fn another_note_request_or_authority_is_refused() {
    let Some(authority) = Authority::new(USUAL) else { return };
    let response = authority.answer(&timestamp_request(NOTE, NONCE));
    let read = TimestampResponse::parse(&response).unwrap();
    assert_eq!(read.check(b"another", Some(NONCE)).unwrap_err().to_string(), "the time-stamp is of something else");
    assert_eq!(read.check(NOTE, Some(1)).unwrap_err().to_string(), "the time-stamp answers another request");
    assert!(read.check(NOTE, None).is_ok());

    let stranger = Authority::new(USUAL).unwrap();
    let refusal = read.check_authority(&stranger.root()).unwrap_err().to_string();
    assert!(
        refusal.starts_with("the certificate of the time-stamp does not lead to a trusted authority: "),
        "{refusal}"
    );
    let both = [stranger.read("root.pem"), authority.read("root.pem")].concat();
    read.check_authority(&Authorities::from_pem(&both).unwrap()).unwrap();
    // Who trusts the intermediate needs no root.
    read.check_authority(&Authorities::from_pem(&authority.read("between.pem")).unwrap()).unwrap();
    for pem in [&b""[..], b"rubbish", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(Authorities::from_pem(pem).unwrap_err().to_string(), "authority: no certificate in PEM");
    }
}

#[test]
fn a_certificate_that_is_not_for_time_stamping_is_refused() {
    for usage in ["timeStamping", "critical,timeStamping,codeSigning"] {
        let Some(authority) = Authority::new(USUAL) else { return };
        let response = authority.answer(&timestamp_request(NOTE, NONCE));
        // openssl would not sign with such a certificate, so the same key gets it afterwards.
        authority.write("tsa.ext", format!("extendedKeyUsage={usage}\n").as_bytes());
        authority
            .openssl("x509 -req -in tsa.csr -CA between.pem -CAkey between.key -out tsa.pem -days 9 -extfile tsa.ext");
        let der = authority.openssl("x509 -in tsa.pem -outform DER -out tsa.der");
        assert_eq!(der, "");
        let mut token = Token::of_response(&response).unwrap();
        let other = authority.read("tsa.der");
        let digest = Sha256::digest(&other);
        token.certificates = vec![other];
        token.certificate_digest.1 = &digest;
        let error = TimestampResponse(token).check(NOTE, None).unwrap_err().to_string();
        assert_eq!(error, "the certificate of the time-stamp is not made for time-stamping");
    }
}

#[test]
fn a_certificate_that_was_not_in_force_is_refused() {
    let Some(authority) = Authority::new(USUAL) else { return };
    let response = authority.answer(&timestamp_request(NOTE, NONCE));
    for days in [-30, 30] {
        let mut token = Token::of_response(&response).unwrap();
        token.time_us += days * 86_400_000_000;
        assert!(matches!(
            TimestampResponse(token).check_authority(&authority.root()),
            Err(Error::UnknownAuthority { .. })
        ));
    }
}

#[test]
fn a_refusal_is_no_time_stamp() {
    let Some(authority) = Authority::new(USUAL) else { return };
    let mut request = timestamp_request(NOTE, NONCE);
    // An algorithm that this authority does not accept: SHA-224 in place of SHA-256.
    let at = request.windows(4).position(|window| window == [3, 4, 2, 1]).unwrap();
    request[at + 3] = 4;
    let response = authority.answer(&request);
    let error = TimestampResponse::parse(&response).unwrap_err().to_string();
    assert_eq!(error, "the authority did not grant a time-stamp");
}

#[test]
fn a_flipped_byte_never_changes_what_is_proved() {
    let Some(authority) = Authority::new(USUAL) else { return };
    let response = authority.answer(&timestamp_request(NOTE, NONCE));
    let root = authority.root();
    let truth = check(&response, &root).unwrap();
    let accepted = |response: &[u8]| match check(response, &root) {
        Ok(timestamp) => {
            assert_eq!(timestamp, truth);
            true
        }
        Err(_) => false,
    };
    let harmless = (0..response.len()).filter(|at| {
        let mut bytes = response.clone();
        bytes[*at] ^= 1 << (at % 8);
        accepted(&bytes)
    });
    // Not signed, by RFC 5652: versions, the signer's name beside the digest of its certificate, sets of algorithms.
    assert!(harmless.count() < 100);
    let token = Token::of_response(&response).unwrap();
    let certificate = token.signer().unwrap();
    let covered = [token.content, &certificate[..], token.signature];
    for part in covered {
        let start = response.windows(part.len()).position(|window| window == part).unwrap();
        for at in start..start + part.len() {
            let mut bytes = response.clone();
            bytes[at] ^= 1;
            assert!(!accepted(&bytes), "byte {at}");
        }
    }
    for length in 0..response.len() {
        assert!(!accepted(&response[..length]));
    }
    assert!(TimestampResponse::parse(&vec![0x30; MAX_RESPONSE_BYTES + 1]).is_err());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>) {
        proptest::prop_assert!(TimestampResponse::parse(&bytes).is_err());
    }
}

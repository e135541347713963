//! Exports at a checkpoint that an authority has stamped, checked by OpenSSL too.

use std::{fs, io::Write as _, path::Path, process::Command};

use data_encoding::BASE64;
use proof::{Authorities, InclusionProof};

use super::{
    everything,
    house::{House, records},
    order,
};
use crate::{Format, Order};

const SETTINGS: &str = "[req]\ndistinguished_name=n\n[n]\n[e]\nextendedKeyUsage=critical,timeStamping\n[tsa]\ndefault_tsa=t\n[t]\nserial=serial\n\
                        signer_cert=tsa.pem\nsigner_key=tsa.key\nsigner_digest=sha256\ndefault_policy=1.2.3\ndigests=sha256\n";

fn openssl(directory: &Path, args: &str) -> bool {
    let output = Command::new("openssl").args(args.split(' ')).current_dir(directory).output().unwrap();
    output.status.success()
}

/// An authority made for the test: what `openssl ts` needs, in a directory.
fn authority() -> Option<tempfile::TempDir> {
    if Command::new("openssl").arg("version").output().is_err() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: openssl is not installed, so no time-stamp was made");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("settings"), SETTINGS).unwrap();
    fs::write(dir.path().join("serial"), "01\n").unwrap();
    let certificate = "req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem -subj /CN=Clock -days 2 -config settings -extensions e";
    assert!(openssl(dir.path(), certificate));
    Some(dir)
}

#[tokio::test]
async fn an_export_carries_the_time_stamps_that_its_checkpoint_had() {
    let Some(authority) = authority() else { return };
    let dir = authority.path();
    let house = House::with_captures().await;
    let before = house.order(&Order { format: Format::Wacz, ..order(everything()) }).unwrap();
    let size = before.log_size;
    fs::write(dir.join("query"), house.notary.request(size).unwrap().unwrap()).unwrap();
    assert!(openssl(dir, "ts -reply -queryfile query -out reply -config settings"));
    house.notary.attach(size, &fs::read(dir.join("reply")).unwrap()).unwrap().unwrap();
    assert_eq!(model::Digest::of(&house.bytes(&before, 0)), before.digest, "what was ordered before stays as it was");

    let export = house.order(&Order { checkpoint: Some(size), ..order(everything()) }).unwrap();
    let bytes = house.bytes(&export, 0);
    let authorities = Authorities::from_pem(&fs::read(dir.join("tsa.pem")).unwrap()).unwrap();
    let (summary, lines) = house.verify_with(&export, &bytes, Some(authorities));
    assert_eq!(summary.fails, 0, "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.starts_with("holds") && line.contains("time-stamp: it existed at")),
        "{lines:#?}"
    );

    // As VERIFY.md says.
    let records = records(&bytes);
    let block =
        &records.iter().find(|record| record.header.get("Content-Type") == Some(verify::CONTENT_TYPE)).unwrap().block;
    let disclosure: serde_json::Value = serde_json::from_slice(block).unwrap();
    let stamp = BASE64.decode(disclosure["timestamps"][0].as_str().unwrap().as_bytes()).unwrap();
    let proof = InclusionProof::parse(disclosure["proof"].as_str().unwrap().as_bytes()).unwrap();
    fs::write(dir.join("stamp.tsr"), stamp).unwrap();
    fs::write(dir.join("checkpoint.txt"), proof.checkpoint.to_string()).unwrap();
    let check = "ts -verify -in stamp.tsr -data checkpoint.txt -CAfile tsa.pem";
    assert!(openssl(dir, check));
    fs::write(dir.join("checkpoint.txt"), proof.checkpoint.to_string().replacen("nachtwacht", "nachtwachT", 1))
        .unwrap();
    assert!(!openssl(dir, check));
}

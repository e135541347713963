//! The evidence log over the API: what it hands out is checked as a stranger checks it.

use model::Outcome;
use proof::{Checkpoint, InclusionProof, Note, Tile, VerifierKey, leaf_hash, read_entries};
use serde_json::{Value, json};

use super::{CYBER, House, MARKET, evidence::TARGET};

async fn house() -> House {
    let house = House::new();
    for n in 0..5 {
        house.record(MARKET, TARGET, &format!("/{n}"), Outcome::Ok).await;
    }
    house
}

async fn keys(house: &House) -> Vec<VerifierKey> {
    let answer = house.get("/log/checkpoints").await.json(200);
    answer["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().parse().unwrap()).collect()
}

async fn entry(house: &House, index: usize) -> Vec<u8> {
    let size = house.store.log_head().size;
    let bundle = house.get(&format!("/log/tile/entries/000.p/{size}")).await;
    assert_eq!((bundle.status.as_u16(), bundle.header("content-type")), (200, "application/octet-stream"));
    read_entries(&bundle.body).unwrap()[index].to_vec()
}

#[tokio::test]
async fn a_proof_convinces_whoever_has_the_key() {
    let house = house().await;
    let keys = keys(&house).await;
    let answer = house.get(&format!("/themes/{MARKET}/captures/3/proof")).await;
    let proof = InclusionProof::parse(&answer.body).unwrap();
    // The first leaf is the key's own.
    let entry = entry(&house, 3).await;
    let checkpoint = proof.verify(&entry, &keys).unwrap();
    assert_eq!((proof.index, checkpoint.size), (3, 6));
    assert!(proof.verify(&[&entry[..], b"x"].concat(), &keys).is_err());
    assert_eq!(
        house.get(&format!("/themes/{CYBER}/captures/3/proof")).await.problem(404, "unknown-capture"),
        "there is no such capture in this theme"
    );
}

#[tokio::test]
async fn a_checkpoint_is_signed_once_for_each_size() {
    let house = house().await;
    house.get("/log/checkpoint").await.problem(404, "unknown-checkpoint");
    let signed = house.post("/log/checkpoint").await;
    let note = Note::parse(&signed.body).unwrap();
    let checkpoint = Checkpoint::verify(&note, &keys(&house).await).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (6, house.store.log_head().root));
    assert_eq!(house.post("/log/checkpoint").await.body, signed.body);
    assert_eq!(house.get("/log/checkpoint").await.body, signed.body);
    house.record(MARKET, TARGET, "/more", Outcome::Ok).await;
    assert_ne!(house.post("/log/checkpoint").await.body, signed.body);
    let list = house.get("/log/checkpoints").await.json(200);
    let sizes: Vec<_> = list["checkpoints"].as_array().unwrap().iter().map(|point| point["size"].clone()).collect();
    assert_eq!(sizes, [7, 6]);
    let day = house.dir.path().join("checkpoints/2026-06-01.txt");
    assert!(std::fs::read_to_string(day).unwrap().starts_with("nachtwacht/test\n7\n"));
}

#[tokio::test]
async fn the_log_is_held_against_a_checkpoint_that_was_kept() {
    let house = house().await;
    let note = String::from_utf8(house.post("/log/checkpoint").await.body.to_vec()).unwrap();
    house.record(MARKET, TARGET, "/more", Outcome::Ok).await;
    let ask = async |note: &str| {
        house.send(axum::http::Method::POST, "/log/consistency", &json!({ "checkpoint": note })).await.json(200)
    };
    assert_eq!(
        ask(&note).await,
        json!({ "holds": true, "verdict": "the log of 7 leaves continues the checkpoint of 6" })
    );
    assert_eq!(ask(&note.replace("\n6\n", "\n5\n")).await["holds"], false, "a checkpoint that was tampered with");
    assert_eq!(ask("nothing").await["holds"], false);
    // Another appliance with the same key and another past.
    let other = House::new();
    for n in 0..9 {
        other.record(MARKET, TARGET, &format!("/{n}"), Outcome::Ok).await;
    }
    let theirs = String::from_utf8(other.post("/log/checkpoint").await.body.to_vec()).unwrap();
    assert_eq!(ask(&theirs).await["verdict"], "the log had 10 leaves and has 7 now: leaves are missing");
    for n in 0..9 {
        house.record(MARKET, TARGET, &format!("/later/{n}"), Outcome::Ok).await;
    }
    assert_eq!(ask(&theirs).await["verdict"], "the first 10 leaves of the log are not those that were signed");
}

#[tokio::test]
async fn tiles_are_those_of_the_log() {
    let house = house().await;
    let hashes = house.get("/log/tile/0/000.p/6").await.body;
    for index in 0..6 {
        assert_eq!(hashes[index * 32..][..32], *leaf_hash(&entry(&house, index).await).as_bytes());
    }
    for path in ["0/000", "0/000.p/7", "0/001.p/1", "entries/000.p/7"] {
        assert!(format!("tile/{path}").parse::<Tile>().is_ok(), "{path}");
        house.get(&format!("/log/tile/{path}")).await.problem(404, "unknown-tile");
    }
    for path in ["0/0", "0/000.p/0", "x", "0/../0/000"] {
        house.get(&format!("/log/tile/{path}")).await.problem(404, "unknown-tile");
    }
}

#[tokio::test]
async fn a_verification_tells_its_progress_and_what_it_found() {
    let house = house().await;
    house.post("/log/checkpoint").await;
    for path in ["/log/verification", "/log/verification?quick=true"] {
        let audited = house.store.audit_head().size;
        let answer = house.post(path).await;
        assert_eq!(answer.header("content-type"), "application/x-ndjson");
        let lines: Vec<Value> = String::from_utf8(answer.body.to_vec())
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let report = &lines.last().unwrap()["report"];
        assert_eq!((&report["captures"], &report["checkpoints"]), (&json!(5), &json!(1)));
        let leaves = report["leaves"].as_u64().unwrap();
        assert!((6 + audited..=7 + audited).contains(&leaves), "{leaves}: it may see the leaf of its own request");
        assert_eq!(report["problems"], 0, "{report}");
        assert!(lines[0]["progress"]["total"].is_u64());
    }
    house.post("/log/verification?quick=perhaps").await.problem(400, "bad-parameter");
}

/// An authority made for the test: what `openssl ts` needs, in a directory.
fn authority() -> Option<tempfile::TempDir> {
    if std::process::Command::new("openssl").arg("version").output().is_err() {
        let skipped = b"\nSKIPPED: openssl is not installed, so no time-stamp was made\n";
        std::io::Write::write_all(&mut std::io::stderr().lock(), skipped).unwrap();
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let settings = "[req]\ndistinguished_name=n\n[n]\n[e]\nextendedKeyUsage=critical,timeStamping\n[tsa]\ndefault_tsa=t\n[t]\nserial=serial\n\
                    signer_cert=tsa.pem\nsigner_key=tsa.key\nsigner_digest=sha256\ndefault_policy=1.2.3\ndigests=sha256\n";
    std::fs::write(dir.path().join("settings"), settings).unwrap();
    std::fs::write(dir.path().join("serial"), "01\n").unwrap();
    openssl(
        &dir,
        "req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem -subj /CN=Clock -days 2 -config settings -extensions e",
    );
    Some(dir)
}

fn openssl(dir: &tempfile::TempDir, args: &str) {
    let output = std::process::Command::new("openssl").args(args.split(' ')).current_dir(dir.path()).output().unwrap();
    assert!(output.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn an_authority_stamps_a_checkpoint_and_no_other() {
    let Some(authority) = authority() else { return };
    let house = house().await;
    house.post("/log/checkpoint").await;
    house.record(MARKET, TARGET, "/more", Outcome::Ok).await;
    house.post("/log/checkpoint").await;
    let query = house.get("/log/checkpoints/6/request").await;
    assert_eq!(query.header("content-type"), "application/timestamp-query");
    std::fs::write(authority.path().join("query"), &query.body).unwrap();
    openssl(&authority, "ts -reply -queryfile query -out reply -config settings");
    let reply = std::fs::read(authority.path().join("reply")).unwrap();
    let attach = async |size: &str, reply: &[u8]| {
        let request = super::request(axum::http::Method::POST, &format!("/log/checkpoints/{size}/timestamps"));
        house
            .ask(request.header("content-type", "application/timestamp-reply").body(reply.to_vec().into()).unwrap())
            .await
    };
    for _ in 0..2 {
        assert_eq!(attach("6", &reply).await.json(200)["timestamps"], 1, "the same answer is kept once");
    }
    attach("7", &reply).await.problem(422, "unproven");
    attach("6", &reply[1..]).await.problem(422, "unproven");
    attach("5", &reply).await.problem(404, "unknown-checkpoint");
    attach("six", &reply).await.problem(404, "unknown-checkpoint");
    house.get("/log/checkpoints/5/request").await.problem(404, "unknown-checkpoint");
    let note = std::path::Path::new(&authority.path().join("note")).to_owned();
    let list = house.get("/log/checkpoints").await.json(200);
    std::fs::write(&note, list["checkpoints"][1]["note"].as_str().unwrap()).unwrap();
    openssl(&authority, "ts -verify -data note -in reply -CAfile tsa.pem");
}

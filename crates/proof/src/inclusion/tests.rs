use proptest::prelude::*;

use super::*;
use crate::{CompactRange, Node, SignerKey, inclusion_proof};

const ENTRY: &[u8] = b"entry 5";

fn key() -> SignerKey {
    SignerKey::from_secret("log.example/a", &[1; 32]).unwrap()
}

/// The proof of [`ENTRY`] in a log of eleven.
fn proof() -> InclusionProof {
    let mut hashes = std::collections::BTreeMap::new();
    let mut range = CompactRange::default();
    for number in 0..11 {
        let leaf = leaf_hash(format!("entry {number}").as_bytes());
        range.append(leaf, |node, hash| _ = hashes.insert(node, hash));
    }
    let read = |node: Node| Ok::<_, Error>(hashes[&node]);
    let checkpoint = Checkpoint { origin: "log.example/a".into(), size: 11, root: range.root(), extensions: vec![] };
    InclusionProof {
        extra: None,
        index: 5,
        hashes: inclusion_proof(5, 11, read).unwrap(),
        checkpoint: checkpoint.sign(&[&key()]).unwrap(),
    }
}

fn refused(text: &str) -> String {
    InclusionProof::parse(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_proof_stands_alone() {
    let text = proof().to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        (lines[0], lines[1], lines[6], lines[7], lines[8]),
        ("c2sp.org/tlog-proof@v1", "index 5", "", "log.example/a", "11")
    );
    let read = InclusionProof::parse(text.as_bytes()).unwrap();
    assert_eq!(read, proof());
    let trusted = [key().verifier().clone()];
    assert_eq!(read.verify(ENTRY, &trusted).unwrap().size, 11);
    assert_eq!(read.verify(ENTRY, &[]), Err(Error::Untrusted));
    assert_eq!(read.verify_path(ENTRY).unwrap().size, 11);
    assert_eq!(read.verify_path(b"entry 6").unwrap_err().to_string(), "the inclusion proof leads to another root");
    let elsewhere = InclusionProof { index: 11, ..read };
    assert_eq!(elsewhere.verify_path(ENTRY).unwrap_err().to_string(), "leaf 11 is beyond the log's 11 leaves");
}

#[test]
fn extra_data_is_carried() {
    for extra in [vec![], b"context".to_vec()] {
        let given = InclusionProof { extra: Some(extra), ..proof() };
        assert_eq!(InclusionProof::parse(given.to_string().as_bytes()).unwrap(), given);
    }
}

#[test]
fn other_texts_are_refused() {
    let text = proof().to_string();
    let hash = leaf_hash(b"").to_string();
    let with = |from: &str, to: &str| refused(&text.replacen(from, to, 1));
    assert_eq!(refused(""), "proof: it does not begin as one");
    assert_eq!(with("@v1", "@v2"), "proof: it does not begin as one");
    assert_eq!(with("\n\n", "\n"), "hash: not the base64 form of 32 bytes");
    assert_eq!(refused("c2sp.org/tlog-proof@v1\nindex 5\n"), "proof: no checkpoint");
    for index in ["", "index 05", "index +5", "index -5", "index x", "index", "Index 5", "index  5", "extra YQ=="] {
        assert_eq!(with("index 5", index), "proof: no index", "{index}");
    }
    assert_eq!(with("index", "extra %\nindex"), "proof: extra data that is not base64");
    assert_eq!(with("index 5\n", "index 5\nx"), "hash: not the base64 form of 32 bytes");
    assert_eq!(
        with("index 5\n", &format!("index 5\n{}", format!("{hash}\n").repeat(61))),
        "proof: a path longer than any tree is high"
    );
    assert_eq!(with("\u{2014}", "-"), "note: no line of a signature");
    assert!(InclusionProof::parse(b"c2sp.org/tlog-proof@v1\n\xff").is_err());
}

proptest! {
    #[test]
    fn a_changed_proof_is_refused(at: prop::sample::Index, flip in 1u8..) {
        let mut text = proof().to_string().into_bytes();
        *at.get_mut(&mut text) ^= flip;
        let trusted = [key().verifier().clone()];
        let accepted = InclusionProof::parse(&text).is_ok_and(|proof| proof.verify(ENTRY, &trusted).is_ok());
        prop_assert!(!accepted);
    }

    #[test]
    fn any_bytes_are_a_proof_or_refused(tail in "(index [0-9]|\n|[A-Za-z=]|— | )*", bytes: Vec<u8>) {
        for input in [&bytes, &[FIRST_LINE.as_bytes(), tail.as_bytes()].concat()] {
            if let Ok(proof) = InclusionProof::parse(input) {
                prop_assert_eq!(proof.to_string().into_bytes(), input.clone());
            }
        }
    }
}

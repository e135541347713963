use proptest::prelude::*;

use super::*;
use crate::leaf_hash;

fn key(name: &str, secret: u8) -> SignerKey {
    SignerKey::from_secret(name, &[secret; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: "log.example/a".into(), size: 123, root: leaf_hash(b"hello world"), extensions: vec![] }
}

/// A note with this body, signed by the log whatever it says.
fn note(body: &str) -> Note {
    Note::sign(body, &[&key("log.example/a", 1)]).unwrap()
}

#[test]
fn the_body_is_that_of_the_specification() {
    // The example of the specification's reference implementation.
    let body = "example.com/origin\n123\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\nabc\ndef\n";
    let read = Checkpoint::of(&note(body)).unwrap();
    assert_eq!((read.origin.as_str(), read.size, read.root), ("example.com/origin", 123, leaf_hash(b"hello world")));
    assert_eq!((read.extensions.join(" ").as_str(), read.to_string().as_str()), ("abc def", body));
}

#[test]
fn other_bodies_are_refused() {
    let root = leaf_hash(b"").to_string();
    for (body, why) in [
        (format!("\n1\n{root}\n"), "an empty line"),
        (format!("a\n1\n{root}\nx\n\ny\n"), "an empty line"),
        (format!("a\n1\n{root}\n\n"), "an empty line"),
        (format!("a\n0x1\n{root}\n"), "the size is no decimal number"),
        (format!("a\n01\n{root}\n"), "the size is no decimal number"),
        (format!("a\n+1\n{root}\n"), "the size is no decimal number"),
        (format!("a\n-1\n{root}\n"), "the size is no decimal number"),
        (format!("a\n\n{root}\n"), "the size is no decimal number"),
        (format!("a\n18446744073709551616\n{root}\n"), "the size is no decimal number"),
        (format!("a\n1\n{}\n", &root[4..]), "the root is not the base64 form of 32 bytes"),
        (format!("a\n1\n{}\n", root.replace('=', "")), "the root is not the base64 form of 32 bytes"),
        ("a\n1\n".into(), "fewer than three lines"),
        ("\n".into(), "fewer than three lines"),
    ] {
        assert_eq!(Checkpoint::of(&note(&body)).unwrap_err().to_string(), format!("checkpoint: {why}"), "{body}");
    }
    assert_eq!(Checkpoint::of(&note(&format!("a\n0\n{root}\n"))).unwrap().size, 0);
}

#[test]
fn a_log_may_change_its_key() {
    let (old, new) = (key("log.example/a", 1), key("log.example/a", 2));
    let trusted = [old.verifier().clone(), new.verifier().clone()];
    for signers in [&[&old][..], &[&new], &[&old, &new]] {
        assert_eq!(Checkpoint::verify(&checkpoint().sign(signers).unwrap(), &trusted).unwrap(), checkpoint());
    }
    let by_old = checkpoint().sign(&[&old]).unwrap();
    assert_eq!(Checkpoint::verify(&by_old, &trusted[1..]), Err(Error::Untrusted));
    assert_eq!(Checkpoint::verify(&by_old, &[]), Err(Error::Untrusted));
}

#[test]
fn only_the_logs_own_key_speaks_for_it() {
    let other = key("witness.example", 3);
    assert!(checkpoint().sign(&[&other]).unwrap_err().to_string().contains("another name"));
    let note = Note::sign(&checkpoint().to_string(), &[&other]).unwrap();
    assert!(note.verify(&[other.verifier().clone()]).is_ok());
    assert_eq!(Checkpoint::verify(&note, &[other.verifier().clone()]), Err(Error::Untrusted));
    // A witness may sign besides.
    let log = key("log.example/a", 1);
    let note = Note::sign(&checkpoint().to_string(), &[&other, &log]).unwrap();
    assert_eq!(Checkpoint::verify(&note, &[log.verifier().clone()]), Ok(checkpoint()));
}

#[test]
fn what_would_not_come_back_is_not_signed() {
    let log = key("log.example/a", 1);
    for extension in ["", "a\nb", "a\n\nb", "\u{7}"] {
        let bad = Checkpoint { extensions: vec![extension.into()], ..checkpoint() };
        assert!(matches!(bad.sign(&[&log]), Err(Error::Malformed { .. })), "{extension:?}");
    }
    assert!(checkpoint().sign(&[]).is_err());
}

proptest! {
    #[test]
    fn a_checkpoint_comes_back(size: u64, root: [u8; 32], extensions in prop::collection::vec("[^\\p{Cc}]{1,9}", 0..3)) {
        let given = Checkpoint { size, root: Hash::from_bytes(root), extensions, ..checkpoint() };
        let log = key("log.example/a", 1);
        let note = given.sign(&[&log]).unwrap();
        prop_assert_eq!(Checkpoint::verify(&note, &[log.verifier().clone()]).unwrap(), given);
        let oracle = tlog_tiles::Checkpoint::from_bytes(note.text().as_bytes()).unwrap();
        prop_assert_eq!((oracle.size(), oracle.hash().0), (size, root));
    }
}

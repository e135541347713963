use data_encoding::BASE64;
use proptest::prelude::*;

use super::*;

/// The keys, text and signatures of the tests of Go's `golang.org/x/mod/sumdb/note`.
const PETER_SECRET: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE: &str =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_LINE: &str =
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn keys<const N: usize>(texts: [&str; N]) -> Vec<VerifierKey> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn peter() -> SignerKey {
    let secret = BASE64.decode(PETER_SECRET.as_bytes()).unwrap();
    SignerKey::from_secret("PeterNeumann", secret[1..].try_into().unwrap()).unwrap()
}

fn verify(note: &str, trusted: &[VerifierKey]) -> Result<Vec<String>, String> {
    let note = Note::parse(note.as_bytes()).map_err(|error| error.to_string())?;
    let signers = note.verify(trusted).map_err(|error| error.to_string())?;
    Ok(signers.into_iter().map(ToString::to_string).collect())
}

#[test]
fn the_reference_note_comes_out() {
    let note = Note::sign(TEXT, &[&peter()]).unwrap();
    assert_eq!(peter().verifier().to_string(), PETER);
    assert_eq!(note.to_string(), format!("{TEXT}\n{PETER_LINE}"));
    assert_eq!(note.text(), TEXT);
}

#[test]
fn only_trusted_keys_count() {
    let both = format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}");
    assert_eq!(verify(&both, &keys([PETER])).unwrap(), [PETER]);
    assert_eq!(verify(&both, &keys([ENOCH, PETER])).unwrap(), [PETER, ENOCH]);
    assert_eq!(verify(&both, &[]).unwrap_err(), "no signature by a trusted key");
    // The same name with another id, and the same id with another name, are other keys.
    assert!(verify(&format!("{TEXT}\n{}", PETER_LINE.replace("x08g", "x18g")), &keys([PETER])).is_err());
    assert!(verify(&format!("{TEXT}\n{}", PETER_LINE.replace("Peter", "Petra")), &keys([PETER])).is_err());
}

#[test]
fn a_bad_signature_of_a_trusted_key_spoils_the_note() {
    let bad = PETER_LINE.replace("9UG", "9UH");
    let why = format!("the signature is not that of the key {PETER}");
    assert_eq!(verify(&format!("{TEXT}\n{bad}"), &keys([PETER])).unwrap_err(), why);
    assert_eq!(verify(&format!("{TEXT}\n{PETER_LINE}{bad}"), &keys([PETER])).unwrap_err(), why);
    assert_eq!(verify(&format!("{TEXT}\n{ENOCH_LINE}{bad}"), &keys([PETER, ENOCH])).unwrap_err(), why);
    assert_eq!(verify(&format!("{TEXT}\n{ENOCH_LINE}{bad}"), &keys([ENOCH])).unwrap(), [ENOCH]);
    assert_eq!(verify(&format!("other\n\n{PETER_LINE}"), &keys([PETER])).unwrap_err(), why);
    let short = format!("— PeterNeumann {}\n", BASE64.encode(&[0xc7, 0x4f, 0x20, 0xa3, 0]));
    assert_eq!(verify(&format!("{TEXT}\n{short}"), &keys([PETER])).unwrap_err(), why);
}

#[test]
fn what_is_no_note_is_refused() {
    let without_end = &PETER_LINE[..PETER_LINE.len() - 1];
    let many = |count| format!("{TEXT}\n{}", PETER_LINE.repeat(count));
    for (note, why) in [
        ("", "no empty line before signatures"),
        (TEXT, "no empty line before signatures"),
        (&format!("{TEXT}\n"), "the last line does not end"),
        (&format!("{TEXT}\n\n"), "the last line does not end"),
        (&format!("{TEXT}\n{without_end}"), "the last line does not end"),
        (&format!("\u{1}{TEXT}\n{PETER_LINE}"), "a control character"),
        (&format!("\r{TEXT}\n{PETER_LINE}"), "a control character"),
        (&format!("{TEXT}\n{PETER_LINE}another line\n"), "no line of a signature"),
        (&format!("{TEXT}\n{}", PETER_LINE.replace("Peter", "Peter ")), "a signature that is not base64"),
        (&format!("{TEXT}\n{}", PETER_LINE.replace("Peter", "Peter\u{a0}")), "no line of a signature"),
        (&format!("{TEXT}\n{}", PETER_LINE.replace("Peter", "+")), "no line of a signature"),
        (&format!("{TEXT}\n{}", PETER_LINE.replace('\u{2014}', "-")), "no line of a signature"),
        (&format!("{TEXT}\n{}", PETER_LINE.replace('=', "")), "a signature that is not base64"),
        (&format!("{TEXT}\n{}", PETER_LINE.replace("nAM=", "nAN=")), "a signature that is not base64"),
        (&format!("{TEXT}\n— a AAAAAA==\n"), "a signature without content"),
        (&format!("{TEXT}\n— a \n"), "a signature without content"),
        (&many(101), "too many signatures"),
    ] {
        assert_eq!(Note::parse(note.as_bytes()).unwrap_err().to_string(), format!("note: {why}"), "{note}");
    }
    assert!(Note::parse(b"\xff\n\n").is_err());
    assert_eq!(verify(&many(100), &keys([PETER])).unwrap().len(), 100);
    let long = format!("{}{}\n\n{PETER_LINE}", TEXT, "x".repeat(MAX_NOTE_BYTES));
    assert_eq!(Note::parse(long.as_bytes()).unwrap_err().to_string(), "note: longer than 1048576 bytes");
    for text in ["", "no end", "\u{7}\n", "a\rb\n"] {
        assert!(Note::sign(text, &[&peter()]).is_err(), "{text:?}");
    }
    assert!(Note::sign(TEXT, &[]).is_err());
}

/// What Cloudflare's `signed_note` makes of a note that Peter is said to have signed.
fn oracle_accepts(note: &[u8]) -> bool {
    let verifier = signed_note::StandardVerifier::new(PETER).unwrap();
    let list = signed_note::VerifierList::new(vec![Box::new(verifier)]);
    signed_note::Note::from_bytes(note).is_ok_and(|note| note.verify(&list).is_ok())
}

proptest! {
    #[test]
    fn a_note_comes_back(lines in prop::collection::vec("[^\\p{Cc}]{0,20}", 1..6)) {
        let text = lines.join("\n") + "\n";
        let note = Note::sign(&text, &[&peter()]).unwrap();
        let written = note.to_string();
        prop_assert_eq!(Note::parse(written.as_bytes()).unwrap(), note);
        prop_assert_eq!(verify(&written, &keys([PETER])).unwrap(), [PETER]);
        prop_assert!(oracle_accepts(written.as_bytes()));
        let secret = format!("PRIVATE+KEY+PeterNeumann+c74f20a3+{PETER_SECRET}");
        let mut foreign = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        foreign.add_sigs(&[&signed_note::StandardSigner::new(&secret).unwrap()]).unwrap();
        prop_assert_eq!(foreign.to_bytes(), written.into_bytes());
    }

    #[test]
    fn a_changed_note_is_refused(at: prop::sample::Index, flip in 1u8..) {
        let mut note = format!("{TEXT}\n{PETER_LINE}").into_bytes();
        *at.get_mut(&mut note) ^= flip;
        let accepted = Note::parse(&note).is_ok_and(|note| note.verify(&keys([PETER])).is_ok());
        prop_assert!(!accepted);
        prop_assert!(!oracle_accepts(&note));
    }

    #[test]
    fn any_bytes_are_a_note_or_refused(text in "(a|\n|—| |\\PC)*", bytes: Vec<u8>) {
        for input in [text.as_bytes(), &bytes] {
            if let Ok(note) = Note::parse(input) {
                prop_assert_eq!(note.to_string().into_bytes(), input);
            }
        }
    }
}

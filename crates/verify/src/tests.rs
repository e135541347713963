mod export;

use std::{
    io::{Cursor, Read as _},
    ops::Range,
    process::Command,
};

use proof::{Authorities, LeafKind, SignerKey};
use proptest::prelude::*;
use warc::{Compression, WaczLimits, WaczReader};

use export::{Capture, Exported, Log, ORIGIN, Record, key, package, write};

const URI: &str = "http://a.onion/";

/// One capture in a log of two, and its records: warcinfo, response, request, metadata, proof.
fn records() -> Vec<Record> {
    Log::of(&[Capture::of(URI)]).records()
}

const RESPONSE: usize = 1;
const REQUEST: usize = 2;
const METADATA: usize = 3;
const PROOF: usize = 4;

/// The findings about an export whose records were changed.
fn findings(change: impl FnOnce(&mut Vec<Record>)) -> Vec<String> {
    let mut records = records();
    change(&mut records);
    Exported::of(&records).findings()
}

/// The findings about an export of captures.
fn findings_of(captures: &[Capture]) -> Vec<String> {
    Exported::of(&Log::of(captures).records()).findings()
}

#[test]
fn what_is_good_holds() {
    for compression in [Compression::None, Compression::Gzip] {
        let exported = Exported::new(&write(&records(), compression));
        let (summary, lines) = exported.verify();
        assert_eq!(
            lines,
            [
                "holds      checkpoint of 2 leaves of log.example/a: signature",
                "unchecked  checkpoint of 2 leaves of log.example/a: when it was signed: it bears no time-stamp",
                "holds      urn:uuid:f1fb9ec0-6c72-8520-93de-646adb11d72d (response, http://a.onion/): leaf 1: payload, record, request, response, uri, path to the checkpoint",
                "unchecked  a.warc: metadata records: the log does not cover them; what it covers is the part record",
            ]
        );
        assert_eq!((summary.captures, summary.holds, summary.unchecked, summary.fails), (1, 2, 2, 0));
        assert_eq!(summary.to_string(), "1 captures: all that could be checked holds, 2 things could not be checked");
    }
}

#[test]
fn the_format_stands_for_ever() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/export.warc");
    assert_eq!(
        String::from_utf8(std::fs::read(path).unwrap()),
        String::from_utf8(write(&records(), Compression::None))
    );
}

#[test]
fn many_captures_hold() {
    let captures: Vec<_> = (0..20).map(|number| Capture::of(&format!("http://a.onion/{number}"))).collect();
    let (summary, _) = Exported::of(&Log::of(&captures).records()).verify();
    assert_eq!((summary.captures, summary.holds, summary.fails), (20, 21, 0));
}

#[test]
fn what_was_changed_is_named() {
    let differs = |part: &str| format!("the part {part}: it is not what the leaf commits to");
    assert_eq!(findings(|records| records[RESPONSE].block[9] = b'3'), [differs("response")]);
    assert_eq!(
        findings(|records| {
            let at = records[RESPONSE].block.windows(4).position(|window| window == b"Shop").unwrap();
            records[RESPONSE].block[at] = b'B';
        }),
        [differs("payload"), differs("response")]
    );
    assert_eq!(findings(|records| records[REQUEST].block[5] = b'x'), [differs("request")]);
    assert_eq!(
        findings(|records| records[PROOF].change_json(|json| json["record"] = "AAAA".into())),
        [differs("record")]
    );
    for part in ["uri", "request", "response", "payload", "record"] {
        let salt = data_encoding::BASE64.encode(&[9; 32]);
        assert_eq!(
            findings(|records| records[PROOF].change_json(|json| json["salts"][part] = salt.into())),
            [differs(part)]
        );
    }
}

/// The findings about an export in which one text was replaced by another of the same length, at its `nth` place.
fn forged(from: &str, to: &str, nth: usize) -> Vec<String> {
    assert_eq!(from.len(), to.len());
    let mut bytes = write(&records(), Compression::None);
    let mut places = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes()));
    let at = places.nth(nth).unwrap();
    drop(places);
    bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
    Exported::new(&bytes).findings()
}

#[test]
fn a_header_that_was_changed_is_named() {
    let target = "WARC-Target-URI: http://a.onion/";
    let other = "WARC-Target-URI: http://b.onion/";
    let strange = "its target is not that of the capture";
    assert_eq!(forged(target, other, 0), [strange, strange, "the part uri: it is not what the leaf commits to"]);
    assert_eq!(forged(target, other, 1), [strange]);
    assert_eq!(forged("urn:nachtwacht:leaf:1", "urn:nachtwacht:leaf:2", 0), ["it carries leaf 1"]);
    assert_eq!(
        forged("nachtwacht.proof+json", "nachtwacht.proof+jsom", 0),
        ["its content type is not application/vnd.nachtwacht.proof+json"]
    );
    for nth in 1..5 {
        assert_eq!(
            forged("WARC-Date: 2026-11-24T14:30:00.123456Z", "WARC-Date: 2026-11-24T14:30:00.123457Z", nth),
            ["its date is not that of the leaf"]
        );
    }
    let block = "its block does not have the digest that its header states";
    assert_eq!(forged("WARC-Block-Digest: sha256:", "WARC-Block-Digest: sha255:", 1), [block]);
    assert_eq!(forged("WARC-Block-Digest:", "WARC-Block-Digect:", 1), ["its header states no digest of its block"]);
    let payload = "its payload does not have the digest that its header states";
    assert_eq!(forged("WARC-Payload-Digest: sha256:", "WARC-Payload-Digest: sha255:", 0), [payload]);
    let alone = "no proof stands beside it";
    let orphan = "a proof that stands beside no capture";
    assert_eq!(forged("WARC-Concurrent-To", "WARC-Concurrent-Ta", 0), [alone, alone, alone, orphan]);
    assert_eq!(forged("WARC-Concurrent-To", "WARC-Concurrent-Ta", 2), [alone, orphan]);
    assert_eq!(
        forged("WARC-Type: request", "WARC-Type: reqwest", 0),
        ["the part request: its record is missing", "no part of a leaf can cover a record of this type",]
    );
    assert_eq!(forged("WARC/1.1", "WARC/2.1", 2).len(), 2);
}

#[test]
fn a_record_that_is_missing_or_too_many_is_named() {
    let alone = "no proof stands beside it";
    assert_eq!(findings(|records| _ = records.remove(PROOF)), [alone]);
    let orphan = "a proof that stands beside no capture";
    assert_eq!(findings(|records| _ = records.remove(RESPONSE)), [alone, alone, orphan]);
    assert_eq!(findings(|records| _ = records.remove(REQUEST)), ["the part request: its record is missing"]);
    assert_eq!(findings(|records| _ = records.remove(METADATA)), [""; 0]);
    assert_eq!(findings(|records| records.push(records[PROOF].clone())), ["more than one proof stands beside it"]);
    assert_eq!(
        findings(|records| records.push(records[REQUEST].clone())),
        ["a second record of its type in one capture"]
    );
    assert_eq!(findings(|records| records.truncate(1)), ["a.warc: no capture in it"]);
}

#[test]
fn a_record_that_the_leaf_does_not_cover_is_named() {
    // The proof of another capture, which had no request.
    let proof = Log::of(&[Capture { without: Some("request"), ..Capture::of(URI) }]).records().remove(PROOF);
    assert_eq!(findings(|records| records[PROOF] = proof), ["no part of the leaf covers it"]);
}

#[test]
fn what_the_proof_record_says_must_be_right() {
    let change = |name: &str, value: serde_json::Value| {
        findings(|records| records[PROOF].change_json(|json| json[name] = value))
    };
    assert_eq!(change("leaf", "AAAA".into()), ["leaf: no map of the leaf's fields, at byte 1"]);
    assert_eq!(change("proof", "rubbish".into()), ["proof: it does not begin as one"]);
    let salt_missing =
        findings(|records| records[PROOF].change_json(|json| json["salts"]["other"] = json["salts"]["uri"].take()));
    assert_eq!(salt_missing.len(), 1, "{salt_missing:?}");
    let salt =
        findings(|records| records[PROOF].change_json(|json| json["salts"]["other"] = json["salts"]["uri"].clone()));
    assert_eq!(salt, ["a salt for \"other\", which the leaf does not have"]);
    for (name, value) in [("leaf", "A"), ("other", ""), ("salts", "")] {
        let refused = change(name, value.into());
        assert_eq!(refused.len(), 1);
        assert!(refused[0].contains(" at line 1 column "), "{refused:?}");
    }
    assert_eq!(findings(|records| records[PROOF].block = vec![b' '; (4 << 20) + 1]), ["longer than 4194304 bytes"]);
    assert_eq!(
        findings_of(&[Capture { kind: LeafKind::Export, ..Capture::of(URI) }]),
        ["a leaf of the kind export, which proves no capture"]
    );
}

#[test]
fn a_leaf_that_is_not_in_the_log_is_named() {
    let log = Log::of(&[Capture::of(URI), Capture::of("http://a.onion/2")]);
    let other = Log::of(&[Capture::of(URI)]);
    let put = |proof: proof::InclusionProof| {
        findings(|records| records[PROOF].change_json(|json| json["proof"] = proof.to_string().into()))
    };
    assert_eq!(put(log.proof(1)), [""; 0]);
    assert_eq!(put(log.proof(3)), ["leaf 1 is proved at index 3", "the inclusion proof leads to another root"]);
    let mut grafted = other.proof(1);
    grafted.hashes = log.proof(1).hashes;
    assert_eq!(put(grafted), ["the proof is too short or too long for the tree"]);
}

#[test]
fn a_key_that_is_not_trusted_is_named() {
    let mut exported = Exported::of(&records());
    let stranger = SignerKey::from_secret(ORIGIN, &[2; 32]).unwrap();
    exported.trust.keys = vec![stranger.verifier().clone()];
    assert_eq!(
        exported.findings(),
        ["checkpoint of 2 leaves of log.example/a: no signature by a trusted key", "its checkpoint does not hold"]
    );
    exported.trust.keys.push(key().verifier().clone());
    assert_eq!(exported.findings(), [""; 0]);
    exported.trust.keys.clear();
    let (summary, lines) = exported.verify();
    assert_eq!((summary.fails, summary.unchecked), (0, 3));
    assert!(lines[1].contains("whether the key is the log's: it comes from the export"), "{}", lines[1]);
}

#[test]
fn a_signature_by_the_key_within_must_be_good_too() {
    let mut records = records();
    records[PROOF].change_json(|json| {
        let proof = json["proof"].as_str().unwrap();
        let body_end = proof.rfind("\n\n").unwrap();
        let (body, signature) = proof.split_at(body_end);
        // Another size under the old signature.
        json["proof"] = format!("{}{signature}", body.replace("\n2\n", "\n3\n")).into();
    });
    let mut exported = Exported::of(&records);
    exported.trust.keys.clear();
    let findings = exported.findings();
    assert!(findings[0].contains("the signature is not that of the key"), "{findings:?}");
    // Without any key nothing can be said of the signature.
    records.remove(0);
    let mut exported = Exported::of(&records);
    exported.trust.keys.clear();
    let (_, lines) = exported.verify();
    assert!(lines[0].contains("signature: no key was given, and the export names none"), "{}", lines[0]);
}

#[test]
fn a_checkpoint_that_was_kept_is_held_against() {
    let log = Log::of(&[Capture::of(URI)]);
    let mut exported = Exported::of(&log.records());
    let line = |exported: &Exported| exported.verify().1.remove(1);
    exported.trust.checkpoints = vec![log.checkpoint()];
    assert!(line(&exported).ends_with("it is the checkpoint that was given"));
    exported.trust.checkpoints[0].root = proof::empty_root();
    assert!(line(&exported).starts_with("FAILS      ") && line(&exported).contains("two different logs"));
    exported.trust.checkpoints[0].size = 9;
    assert!(
        line(&exported).starts_with("unchecked  ")
            && line(&exported).contains("none of the checkpoints given has its size")
    );
    exported.trust.checkpoints.push(log.checkpoint());
    assert!(line(&exported).starts_with("holds      "));
}

#[test]
fn a_revisit_is_checked_by_what_it_refers_to() {
    let revisit = Capture { is_revisit: true, ..Capture::of("http://a.onion/again") };
    let whole = Log::of(&[Capture::of(URI), revisit.clone()]);
    let lines = |records: &[Record]| {
        let (summary, lines) = Exported::of(records).verify();
        assert_eq!(summary.fails, 0, "{lines:?}");
        lines
    };
    let said = lines(&whole.records());
    let about = |said: &[String], what: &str| {
        said.iter().filter(|line| line.contains("/again")).any(|line| line.contains(what))
    };
    assert!(about(&said, "leaf 3: payload, record, request, uri"), "{said:?}");
    assert!(about(&said, "the part response: a revisit does not hold the whole response"), "{said:?}");
    // Without the response to which it refers.
    let mut records = whole.records();
    records.drain(RESPONSE..=PROOF);
    let said = lines(&records);
    assert!(about(&said, "the part payload: the response to which the revisit refers is not before it"), "{said:?}");
    // One that refers to another payload than it had.
    let liar = Capture { payload: b"another".to_vec(), ..revisit };
    assert_eq!(findings_of(&[Capture::of(URI), liar]), ["the part payload: it is not what the leaf commits to"]);
}

#[test]
fn an_attempt_without_an_answer_is_a_capture_too() {
    let silent = Capture { is_silent: true, ..Capture::of(URI) };
    let mut records = Log::of(&[silent]).records();
    let (summary, lines) = Exported::of(&records).verify();
    assert_eq!((summary.captures, summary.fails), (1, 0), "{lines:?}");
    assert!(lines[2].contains("(request, http://a.onion/): leaf 1: record, request, uri, path"), "{lines:?}");
    records[1].block[5] = b'x';
    assert_eq!(Exported::of(&records).findings(), ["the part request: it is not what the leaf commits to"]);
}

#[test]
fn silence_is_proved_too() {
    let empty = ["response", "payload"].map(|name| (name.to_owned(), Vec::new())).to_vec();
    let silent = Capture { is_silent: true, extra: empty, ..Capture::of(URI) };
    let (summary, lines) = Exported::of(&Log::of(&[silent]).records()).verify();
    assert_eq!(summary.fails, 0, "{lines:?}");
    assert!(lines[2].contains("leaf 1: payload, record, request, response, uri, path"), "{lines:?}");
    let answer = vec![("response".to_owned(), b"HTTP/1.1 200 OK".to_vec())];
    let withheld = Capture { is_silent: true, extra: answer, ..Capture::of(URI) };
    let records = Log::of(&[withheld]).records();
    assert_eq!(Exported::of(&records).findings(), ["the part response: its record is missing"]);
}

#[test]
fn a_request_without_its_secret_cannot_be_checked() {
    let redacted = b"GET / HTTP/1.1\r\nHost: a.onion\r\nCookie: sha256:00\r\n\r\n".to_vec();
    let capture = Capture { redacted: Some(redacted), ..Capture::of(URI) };
    let (summary, lines) = Exported::of(&Log::of(&[capture]).records()).verify();
    assert_eq!(summary.fails, 0);
    assert!(lines.iter().any(|line| line.ends_with("the part request: the export leaves out cookie")), "{lines:?}");
}

#[test]
fn a_response_that_is_cut_short_has_no_payload_to_check() {
    let mut capture = Capture::of(URI);
    capture.response.truncate(capture.response.len() - 7);
    let (summary, lines) = Exported::of(&Log::of(&[capture]).records()).verify();
    assert_eq!(summary.fails, 0);
    assert!(lines.iter().any(|line| line.contains("the part payload: the response is cut short")), "{lines:?}");
}

#[test]
fn parts_of_later_versions_cannot_be_checked() {
    let capture = Capture { extra: vec![("scent".into(), b"roses".to_vec())], ..Capture::of(URI) };
    let (summary, lines) = Exported::of(&Log::of(&[capture]).records()).verify();
    assert_eq!(summary.fails, 0);
    assert!(
        lines.iter().any(|line| line.ends_with("the part scent: this version does not know what it is of")),
        "{lines:?}"
    );
}

#[test]
fn metadata_may_be_a_part() {
    let metadata = |text: &str| Capture { extra: vec![("metadata".into(), text.into())], ..Capture::of(URI) };
    let (summary, lines) = Exported::of(&Log::of(&[metadata("fetchTimeMs: 12\r\n")]).records()).verify();
    assert_eq!((summary.fails, summary.unchecked), (0, 1));
    assert!(lines[2].contains("leaf 1: metadata, payload,"), "{lines:?}");
    assert_eq!(
        findings_of(&[metadata("fetchTimeMs: 13\r\n")]),
        ["the part metadata: it is not what the leaf commits to"]
    );
}

/// What an authority answered to the checkpoint of [`records`], and the certificate of its root. Made once with `openssl ts`, as the
/// tests of `proof` do it each time.
const STAMP: &[u8] = include_bytes!("tests/stamp.tsr");
const STAMP_ROOT: &[u8] = include_bytes!("tests/stamp-root.pem");

#[test]
fn a_time_stamp_says_when() {
    let stamped = Capture { timestamps: vec![STAMP.to_vec()], ..Capture::of(URI) };
    let mut exported = Exported::of(&Log::of(&[stamped]).records());
    let line = |exported: &Exported| exported.verify().1.remove(1);
    let said = "checkpoint of 2 leaves of log.example/a: time-stamp: it existed at 2026-11-24T14:58:42.000000Z, says CN=Authority,O=Test";
    assert_eq!(line(&exported), format!("unchecked  {said}: no authority was given that could vouch for it"));
    exported.trust.authorities = Some(Authorities::from_pem(STAMP_ROOT).unwrap());
    assert_eq!(line(&exported), format!("holds      {said}"));
    // The stamp is of another checkpoint.
    let elsewhere = Capture { timestamps: vec![STAMP.to_vec()], ..Capture::of("http://b.onion/") };
    let findings = findings_of(&[elsewhere]);
    assert!(findings[0].ends_with("time-stamp: the time-stamp is of something else"), "{findings:?}");
}

#[test]
fn a_foreign_check_agrees() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/verify-proof.py");
    let check = |exported: &Exported| {
        let output = Command::new("python3").arg(script).arg(exported.path()).output().unwrap();
        let said = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), said(output.stdout), said(output.stderr))
    };
    let captures: Vec<_> = (0..9).map(|number| Capture::of(&format!("http://a.onion/{number}"))).collect();
    let good = Log::of(&captures).records();
    for compression in [Compression::None, Compression::Gzip] {
        let (holds, out, err) = check(&Exported::new(&write(&good, compression)));
        assert!(holds, "{err}");
        assert_eq!(out.lines().count(), 9);
        assert!(
            out.lines()
                .last()
                .unwrap()
                .ends_with("index 17 of 18 leaves of log.example/a: record, request, response, uri"),
            "{out}"
        );
    }
    let (holds, out, err) = check(&Exported::new(&package(&good, Some(""), None)));
    assert_eq!((holds, out.lines().count()), (true, 9), "{err}");
    let finding = |change: &dyn Fn(&mut Record)| {
        let mut records = good.clone();
        change(&mut records[PROOF]);
        let (holds, _, err) = check(&Exported::of(&records));
        assert!(!holds);
        err.trim().to_owned()
    };
    assert_eq!(
        finding(&|proof| proof.change_json(|json| json["record"] = "AAAA".into())),
        "FAILS: the part record was changed"
    );
    let other = Log::of(&captures[1..]).proof(1).to_string();
    assert_eq!(
        finding(&|proof| proof.change_json(|json| json["proof"] = other.clone().into())),
        "FAILS: the path leads to another root"
    );
    let other = Log::of(&captures).proof(3).to_string();
    assert_eq!(
        finding(&|proof| proof.change_json(|json| json["proof"] = other.clone().into())),
        "FAILS: it is proved at another index"
    );
}

#[test]
fn a_time_stamp_must_be_one() {
    let capture = Capture { timestamps: vec![b"rubbish".to_vec()], ..Capture::of(URI) };
    let findings = findings_of(&[capture]);
    assert!(findings[0].contains("time-stamp: time-stamp: "), "{findings:?}");
}

#[test]
fn a_package_holds() {
    let captures: Vec<_> = (0..3).map(|number| Capture::of(&format!("http://a.onion/{number}"))).collect();
    let log = Log::of(&captures);
    let mut exported = Exported::new(&package(&log.records(), Some(&log.proofs()), Some(&key())));
    let about_package = |exported: &Exported| {
        let (summary, lines) = exported.verify();
        assert_eq!((summary.captures, summary.fails), (3, 0), "{lines:?}");
        lines.into_iter().filter(|line| line.contains(" a.warc: ") && !line.contains("metadata")).collect::<Vec<_>>()
    };
    let files = "holds      a.warc: 5 files, as the manifest lists them, and the manifest by its digest";
    let proofs = "holds      a.warc: proof/proof.txt";
    assert_eq!(
        about_package(&exported),
        [files, proofs, "holds      a.warc: signature of the package, by a key of the log"]
    );
    exported.trust.keys.clear();
    let within = "unchecked  a.warc: whose key signed the package: it comes from the export";
    assert_eq!(about_package(&exported), [files, proofs, within]);
    let exported = Exported::new(&package(&log.records(), Some(&log.proofs()), None));
    assert_eq!(about_package(&exported).pop().unwrap(), "unchecked  a.warc: who made the package: it is not signed");
    let stranger = SignerKey::from_secret("other", &[2; 32]).unwrap();
    let exported = Exported::new(&package(&log.records(), Some(&log.proofs()), Some(&stranger)));
    let other = "unchecked  a.warc: signature of the package: by another key than the log's";
    assert_eq!(about_package(&exported).pop().unwrap(), other);
}

#[test]
fn a_package_that_was_changed_is_named() {
    let log = Log::of(&[Capture::of(URI)]);
    let findings = |bytes: &[u8]| Exported::new(bytes).findings();
    let other = Log::of(&[Capture::of("http://b.onion/")]).proofs();
    let proofs = "a.warc: proof/proof.txt holds other proofs than the archives";
    assert_eq!(findings(&package(&log.records(), Some(&other), None)), [proofs]);
    assert_eq!(findings(&package(&log.records(), Some(&(log.proofs() + &log.proofs())), None)), [proofs]);
    assert_eq!(findings(&package(&log.records(), None, None)), ["a.warc: proof/proof.txt is missing"]);
    let good = package(&log.records(), Some(&log.proofs()), Some(&key()));
    assert_eq!(findings(&good[..good.len() - 1]).len(), 2);
    for (path, what) in [
        ("indexes/index.cdx", "indexes/index.cdx has another SHA-256 than is listed, or is corrupt"),
        ("pages/pages.jsonl", "pages/pages.jsonl has another SHA-256 than is listed, or is corrupt"),
        ("proof/VERIFY.md", "proof/VERIFY.md has another SHA-256 than is listed, or is corrupt"),
        ("archive/data.warc.gz", "archive/data.warc.gz has another SHA-256 than is listed, or is corrupt"),
    ] {
        let mut bytes = good.clone();
        bytes[content_of(&good, path).start + 12] ^= 1;
        assert_eq!(findings(&bytes)[0], format!("a.warc: {what}"));
    }
    let mut records = log.records();
    records[REQUEST].block[5] = b'x';
    let changed = findings(&package(&records, Some(&log.proofs()), None));
    assert_eq!(changed, ["the part request: it is not what the leaf commits to"]);
}

/// Where the content of a file lies in a package.
fn content_of(package: &[u8], path: &str) -> Range<usize> {
    let mut wacz = WaczReader::open(Cursor::new(package), WaczLimits::default()).unwrap();
    let span = wacz.span(path).unwrap().unwrap();
    let at = |number: u64| usize::try_from(number).unwrap();
    at(span.offset)..at(span.offset + span.len)
}

#[test]
fn a_strangers_text_cannot_steer_a_terminal() {
    let uri = "http://a.onion/\u{9b}2J\u{202e}\u{e9}'";
    let (_, lines) = Exported::of(&Log::of(&[Capture::of(uri)]).records()).verify();
    assert!(lines[2].contains("(response, http://a.onion/\\u{9b}2J\\u{202e}\u{e9}')"), "{lines:?}");
}

#[test]
fn what_is_no_export_is_refused() {
    assert_eq!(Exported::new(b"").findings(), ["a.warc: no capture in it"]);
    assert_eq!(Exported::new(b"rubbish").findings().len(), 2);
    let missing = crate::verify(std::path::Path::new("/nonexistent"), &crate::Trust::default(), &mut |_| ());
    assert_eq!(missing.unwrap_err().to_string(), "/nonexistent: it cannot be read");
}

/// Whether something vouches for this byte of a plain WARC. Nothing does for what the archive's own description says in its header,
/// for the identifiers of records other than the main one, for how the others' content is called, and for a payload digest that
/// is not called so.
fn is_evidence(bytes: &[u8], at: usize) -> bool {
    let info_end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let line_start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
    let names = [&b"WARC-Record-ID"[..], b"WARC-Payload-Digest", b"Content-Type"];
    at > info_end && !names.iter().any(|name| bytes[line_start..].starts_with(name))
}

/// What gzip members hold; nothing where one is damaged.
fn unpacked(members: &[u8]) -> Option<Vec<u8>> {
    let mut held = Vec::new();
    flate2::read::MultiGzDecoder::new(members).read_to_end(&mut held).ok().map(|_| held)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_flipped_byte_in_what_counts_is_found(at: prop::sample::Index, flip in 1u8..) {
        let mut bytes = write(&records(), Compression::None);
        let at = at.index(bytes.len());
        let is_evidence = is_evidence(&bytes, at);
        let before = bytes[at];
        bytes[at] ^= flip;
        // Names of fields, and white space around their values, may be written in several ways.
        let is_same = before.eq_ignore_ascii_case(&bytes[at]) || before.is_ascii_whitespace() && bytes[at].is_ascii_whitespace();
        let found = !Exported::new(&bytes).findings().is_empty();
        let around = bytes[at.saturating_sub(60)..(at + 40).min(bytes.len())].escape_ascii().to_string();
        prop_assert!(found || !is_evidence || is_same, "byte {at}: {before:#x} became {:#x} in {around}", bytes[at]);
    }

    #[test]
    fn a_flipped_byte_of_a_gzip_member_is_found(at: prop::sample::Index, flip in 1u8..) {
        let good = write(&records(), Compression::Gzip);
        let mut bytes = good.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let found = !Exported::new(&bytes).findings().is_empty();
        // Time and system in the head of a member, bits that fill a byte up, and codes that nothing uses say nothing of what it holds.
        prop_assert!(found || unpacked(&bytes) == unpacked(&good), "byte {at}");
    }

    #[test]
    fn a_flipped_byte_of_a_package_is_found(at: prop::sample::Index, flip in 1u8..) {
        let log = Log::of(&[Capture::of(URI)]);
        let good = package(&log.records(), Some(&log.proofs()), Some(&key()));
        let wacz = WaczReader::open(Cursor::new(&good), WaczLimits::default()).unwrap();
        let contents = wacz.paths().flat_map(|path| content_of(&good, path));
        let at = *at.get(&contents.collect::<Vec<_>>());
        let mut bytes = good.clone();
        bytes[at] ^= flip;
        prop_assert!(!Exported::new(&bytes).findings().is_empty(), "byte {at}");
    }

    #[test]
    fn any_bytes_are_judged(bytes: Vec<u8>) {
        prop_assert!(!Exported::new(&bytes).findings().is_empty());
    }
}

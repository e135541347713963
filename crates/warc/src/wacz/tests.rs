use std::io::{Cursor, Read};

use super::*;
use crate::{Date, Digest, Error, Header, Reader, RecordId, Span, Verdict, zip::ZipWriter};

const URI: &str = "http://a.onion/";

fn date() -> Date {
    "2026-01-31T12:00:00.123456Z".parse().unwrap()
}

fn about() -> About {
    About {
        title: "A dossier".to_owned(),
        description: "Two captures.".to_owned(),
        created: date(),
        software: "nachtwacht".to_owned(),
        main_page: Some((URI.to_owned(), date())),
    }
}

fn signature() -> Signature {
    Signature { signature: vec![1, 2, 3], public_key: vec![4, 5] }
}

fn package() -> Vec<u8> {
    let mut wacz = WaczWriter::new(Vec::new(), "data.warc.gz").unwrap();
    let id = RecordId::derived(&[]);
    for (uri, body) in [("http://b.onion/", "b"), (URI, "a")] {
        let block = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{body}");
        wacz.write(&Header::response(id, date(), uri), block.as_bytes()).unwrap();
        let header = Header::request(id, date(), uri).block_digest(Digest::of(b"GET / HTTP/1.1\r\n\r\n"));
        wacz.write_from(header, 18, b"GET / HTTP/1.1\r\n\r\n".as_slice()).unwrap();
    }
    let mut files = wacz.end_archive().unwrap();
    files.file("proof/VERIFY.md", b"# How to verify").unwrap();
    let page = Page { id: "1".to_owned(), url: URI.to_owned(), date: date(), title: Some("A \"title\"".to_owned()) };
    files.finish(&about(), [page], |_| Some(signature())).unwrap()
}

fn open(bytes: &[u8]) -> WaczReader<Cursor<&[u8]>> {
    WaczReader::open(Cursor::new(bytes), WaczLimits::default()).unwrap()
}

fn read(wacz: &mut WaczReader<Cursor<&[u8]>>, path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    wacz.file(path).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// The files of a package, put together again after a change.
fn changed(change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let bytes = package();
    let mut wacz = open(&bytes);
    let paths: Vec<String> = wacz.paths().map(str::to_owned).collect();
    let mut files = paths.into_iter().map(|path| (path.clone(), read(&mut wacz, &path))).collect();
    change(&mut files);
    let mut zip = ZipWriter::new(Vec::new());
    for (path, content) in files {
        zip.add(&path, &content).unwrap();
    }
    zip.finish().unwrap()
}

fn file<'a>(files: &'a mut [(String, Vec<u8>)], path: &str) -> &'a mut Vec<u8> {
    files.iter_mut().find(|(known, _)| known == path).map(|(_, content)| content).unwrap()
}

/// Changes text in the manifest or its digest.
fn replace(content: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(content.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    *content = text.replacen(from, to, 1).into_bytes();
}

#[test]
fn a_package_holds_what_was_written() {
    let bytes = package();
    let mut wacz = open(&bytes);
    let paths: Vec<_> = wacz.paths().collect();
    let expected = ["archive/data.warc.gz", INDEX, "proof/VERIFY.md", PAGES, MANIFEST, DIGEST];
    assert_eq!(paths, expected);
    assert_eq!(wacz.archives().collect::<Vec<_>>(), ["archive/data.warc.gz"]);
    assert_eq!(wacz.check().unwrap(), []);

    let manifest = wacz.manifest();
    assert_eq!((manifest.profile.as_str(), manifest.wacz_version.as_str()), ("data-package", "1.1.1"));
    assert_eq!(manifest.title.as_deref(), Some("A dossier"));
    assert_eq!(manifest.main_page_url.as_deref(), Some(URI));
    assert_eq!(manifest.resources[2].name, "verify.md");
    assert_eq!(manifest.resources[2].hash, Digest::of(b"# How to verify").to_string());

    let signed = wacz.signed_data().unwrap();
    assert_eq!(signed.hash, wacz.manifest_digest().to_string());
    assert_eq!((signed.signature.as_str(), signed.public_key.as_str()), ("AQID", "BAU="));
    assert_eq!((signed.created.as_str(), signed.version.as_str()), ("2026-01-31T12:00:00.123456Z", "0.1.0"));

    assert_eq!(read(&mut wacz, "proof/VERIFY.md"), b"# How to verify");
    let span = wacz.span("proof/VERIFY.md").unwrap().unwrap();
    let at = bytes.windows(15).position(|window| window == b"# How to verify");
    assert_eq!(Some(span), at.map(|at| Span { offset: at as u64, len: 15 }));
    assert_eq!(wacz.span("proof/none").unwrap(), None);
    let pages = "{\"format\":\"json-pages-1.0\",\"id\":\"pages\",\"title\":\"Pages\"}\n\
        {\"id\":\"1\",\"url\":\"http://a.onion/\",\"ts\":\"2026-01-31T12:00:00.123456Z\",\"title\":\"A \\\"title\\\"\"}\n";
    assert_eq!(String::from_utf8(read(&mut wacz, PAGES)).unwrap(), pages);
}

#[test]
fn the_index_leads_to_the_records() {
    let bytes = package();
    let mut wacz = open(&bytes);
    let archive = read(&mut wacz, "archive/data.warc.gz");
    let index = String::from_utf8(read(&mut wacz, INDEX)).unwrap();
    let keys: Vec<_> = index.lines().map(|row| row.split(' ').next().unwrap()).collect();
    assert_eq!(keys, ["onion,a)/", "onion,b)/"]);
    for row in index.lines() {
        let row: serde_json::Value = serde_json::from_str(&row[row.find('{').unwrap()..]).unwrap();
        let number = |name: &str| row[name].as_str().unwrap().parse::<usize>().unwrap();
        let member = &archive[number("offset")..][..number("length")];
        let mut reader = Reader::new(member);
        let examined = reader.next_record().unwrap().unwrap().examine().unwrap();
        assert_eq!(examined.header.target_uri(), row["url"].as_str());
        assert_eq!(examined.header.get("WARC-Payload-Digest"), row["digest"].as_str());
        assert_eq!(examined.checked.payload, Verdict::Matches);
    }
}

#[test]
fn the_same_input_gives_the_same_package() {
    assert_eq!(package(), package());
}

#[test]
fn an_unsigned_package_says_nothing_of_a_signature() {
    let files = WaczWriter::new(Vec::new(), "a.warc.gz").unwrap().end_archive().unwrap();
    let bytes = files.finish(&about(), [], |_| None).unwrap();
    let mut wacz = open(&bytes);
    assert_eq!((wacz.check().unwrap(), wacz.signed_data()), (vec![], None));
}

#[test]
fn files_are_listed_where_validators_find_them() {
    assert!(matches!(WaczWriter::new(Vec::new(), "../a.warc.gz"), Err(Error::UnwritablePath(_))));
    assert!(matches!(WaczWriter::new(Vec::new(), "a.zip"), Err(Error::UnwritablePath(_))));
    let mut files = WaczWriter::new(Vec::new(), "a.warc.gz").unwrap().end_archive().unwrap();
    files.file("proof/a.txt", b"").unwrap();
    for path in [
        "a.txt",
        "a/b/c.txt",
        "pages/a.txt",
        "archive/a.txt",
        "../a.txt",
        "proof/A.txt",
        "proof/",
        "/a",
        "a/.b",
        "proof/é",
    ] {
        assert!(matches!(files.file(path, b""), Err(Error::UnwritablePath(_))), "{path}");
    }
}

#[test]
fn every_problem_is_named() {
    let problems = |change: &dyn Fn(&mut Vec<(String, Vec<u8>)>)| open(&changed(change)).check().unwrap();
    let verify = || "proof/VERIFY.md".to_owned();
    assert_eq!(problems(&|_| {}), []);
    assert_eq!(problems(&|files| file(files, &verify())[0] ^= 1), [Problem::Digest(verify())]);
    assert_eq!(problems(&|files| file(files, INDEX)[9] ^= 1), [Problem::Digest(INDEX.to_owned())]);
    assert_eq!(problems(&|files| file(files, &verify()).push(0)), [Problem::Length(verify())]);
    assert_eq!(problems(&|files| files.retain(|(path, _)| *path != verify())), [Problem::Missing(verify())]);
    assert_eq!(problems(&|files| files.push(("a".to_owned(), vec![]))), [Problem::Unlisted("a".to_owned())]);
    assert_eq!(problems(&|files| files.retain(|(path, _)| path != DIGEST)), [Problem::NoManifestDigest]);
    assert_eq!(problems(&|files| file(files, DIGEST).clear()), [Problem::NoManifestDigest]);
    assert_eq!(
        problems(&|files| replace(file(files, MANIFEST), "A dossier", "B dossier")),
        [Problem::ManifestDigest, Problem::SignedData]
    );
    let signed = |from: &'static str, to: &'static str| problems(&|files| replace(file(files, DIGEST), from, to));
    assert_eq!(signed("\"created\": \"2026", "\"created\": \"2025"), [Problem::SignedData]);
    assert_eq!(signed("\"publicKey\"", "\"domain\""), [Problem::SignedData]);
    assert_eq!(signed("\"path\": \"datapackage.json\"", "\"path\": \"a\""), [Problem::ManifestDigest]);
    let listed = |from: String, to: String| {
        let problems = problems(&|files| replace(file(files, MANIFEST), &from, &to));
        problems
            .into_iter()
            .filter(|problem| ![Problem::ManifestDigest, Problem::SignedData].contains(problem))
            .collect()
    };
    let hash = Digest::of(b"# How to verify").to_string();
    let found: Vec<_> = listed(hash, "md5:b1946ac92492d2347c6235b4d2611184".to_owned());
    assert_eq!(found, [Problem::NoDigest(verify())]);
    let found: Vec<_> = listed(format!("\"path\": \"{INDEX}\""), format!("\"path\": \"{}\"", verify()));
    assert_eq!(found[..2], [Problem::ListedTwice(verify()), Problem::Unlisted(INDEX.to_owned())]);
}

#[test]
fn what_is_no_package_is_refused() {
    let refused = |bytes: &[u8], why: &str| match WaczReader::open(Cursor::new(bytes), WaczLimits::default()) {
        Err(Error::Package(reason)) => assert_eq!(reason, why),
        opened => panic!("{why}: {opened:?}"),
    };
    refused(&changed(|files| files.retain(|(path, _)| path != MANIFEST)), "it has no manifest");
    refused(&changed(|files| file(files, MANIFEST).clear()), "its manifest cannot be read");
    refused(&changed(|files| *file(files, MANIFEST) = vec![b' '; 9 << 20]), "its manifest is too long");
    let nested = "[".repeat(100_000).into_bytes();
    refused(&changed(|files| *file(files, MANIFEST) = nested), "its manifest cannot be read");
}

#[test]
fn compressed_archives_and_long_compressed_files_are_refused() {
    let deflated = |path: &str, len: u32| {
        let mut zip = ZipWriter::new(Vec::new());
        zip.add(path, b"").unwrap();
        let mut bytes = zip.finish().unwrap();
        let row = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        bytes[8] = 8;
        bytes[row + 10] = 8;
        bytes[row + 24..row + 28].copy_from_slice(&len.to_le_bytes());
        bytes
    };
    let why = |bytes: Vec<u8>| WaczReader::open(Cursor::new(bytes), WaczLimits::default()).unwrap_err().to_string();
    assert!(why(deflated("archive/data.warc.gz", 0)).ends_with("compressed again"));
    assert!(why(deflated("a.txt", u32::MAX - 1)).ends_with("is too long"));
    assert!(why(deflated("a.txt", 9)).ends_with("it has no manifest"));
}

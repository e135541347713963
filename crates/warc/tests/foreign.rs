//! What we write, read by the programs of others, and the other way round. `scripts/test` installs them and says where; with `--full` all of them are asked.

#![expect(clippy::unwrap_used, reason = "all of this is a test")]

#[path = "foreign/sample.rs"]
mod sample;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::Command,
};

use sample::{Sample, date, id, samples};
use warc::{
    About, Compression, Digest, Page, Reader, Signature, Span, Verdict, WaczLimits, WaczReader, WaczWriter, Writer,
};

const FILENAME: &str = "data.warc.gz";

const RAW_CHUNKS: &str = "hashes a chunked body as it lies on the wire, and not the entity (RFC 9112, section 7.1)";
const INTERIM: &str = "takes an interim response for the response (RFC 9110, section 15.2)";
const EXCESS: &str = "hashes what lies behind the announced end of the body (RFC 9112, section 6.3)";
const SPARED: &str = "looks within a revisit for the payload that a revisit leaves out (WARC/1.1, section 6.7)";
const HTTP_ALONE: &str = "knows payloads of HTTP alone";
const DECODED: &str = "undoes the content coding, which is part of the entity (WARC/1.1, section 5.9)";
const MADE_UP: &str = "makes up a SHA-1 where a record states no digest of a payload";

/// Where others part from the standards: program, record, reason. Whatever else they find is a fault of ours.
const DISAGREEMENTS: [(&str, &str, &str); 16] = [
    ("warcio", "chunked", RAW_CHUNKS),
    ("fastwarc", "chunked", RAW_CHUNKS),
    ("warcio", "interim", INTERIM),
    ("fastwarc", "interim", INTERIM),
    ("warcat", "interim", INTERIM),
    ("cdxj-indexer", "interim", INTERIM),
    ("warcio", "excess", EXCESS),
    ("fastwarc", "excess", EXCESS),
    ("fastwarc", "revisit", SPARED),
    ("fastwarc", "not-modified", SPARED),
    ("fastwarc", "certificate", HTTP_ALONE),
    ("warcat", "encoded", DECODED),
    ("cdxj-indexer", "malformed", MADE_UP),
    ("cdxj-indexer", "cut-chunks", MADE_UP),
    ("cdxj-indexer", "truncated", MADE_UP),
    ("cdxj-indexer", "empty", MADE_UP),
];

/// What a program has to say: the name of a record, and what about it.
type Findings = BTreeSet<(String, String)>;

/// The programs, if this run has any.
struct Programs {
    directory: PathBuf,
    is_full: bool,
}

impl Programs {
    fn find() -> Option<Self> {
        let Some(directory) = std::env::var_os("NACHTWACHT_FOREIGN") else {
            let _ = writeln!(
                io::stderr(),
                "SKIPPED: NACHTWACHT_FOREIGN names no directory of validators (scripts/test sets it)"
            );
            return None;
        };
        let is_full = std::env::var_os("NACHTWACHT_FULL").is_some_and(|full| full == "1");
        Some(Self { directory: directory.into(), is_full })
    }

    /// What a program writes, and whether it is content.
    fn run(&self, program: &str, arguments: &[&str], file: &Path) -> (String, bool) {
        let path = self.directory.join("bin").join(program);
        let output = Command::new(&path).args(arguments).arg(file).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let text = String::from_utf8(output.stdout).unwrap();
        (text, output.status.success())
    }

    fn warcio(&self, file: &Path) -> Findings {
        let (text, is_content) = self.run("warcio", &["check"], file);
        let mut findings = Findings::new();
        let mut record = String::new();
        for line in text.lines().skip(1) {
            match line.split_once("WARC-Record-ID ") {
                Some((_, rest)) => record = named(rest.split(' ').next().unwrap()),
                None => drop(findings.insert((record.clone(), line.trim().to_owned()))),
            }
        }
        assert_eq!(is_content, findings.is_empty(), "{text}");
        findings
    }

    fn fastwarc(&self, file: &Path) -> Findings {
        let (text, is_content) = self.run("fastwarc", &["check", "-p", "-q", "-o", "-"], file);
        assert_eq!(text.lines().count(), samples(FILENAME).len(), "{text}");
        let failed = text.lines().filter(|line| line.contains("FAIL"));
        let findings: Findings = failed
            .map(|line| line.rsplit_once(": ").unwrap())
            .map(|(record, status)| (named(record), status.to_owned()))
            .collect();
        assert_eq!(is_content, findings.is_empty(), "{text}");
        findings
    }

    fn warcat(&self, file: &Path) -> Findings {
        let (text, is_content) = self.run("warcat", &["verify", "--format", "jsonl", "--input"], file);
        let problem = |line: &str| {
            let problem: serde_json::Value = serde_json::from_str(line).unwrap();
            (named(problem["record_id"].as_str().unwrap()), problem["kind"].to_string())
        };
        let findings: Findings = text.lines().map(problem).collect();
        assert_eq!(is_content, findings.is_empty(), "{text}");
        findings
    }

    /// Every program that checks records and that this run asks.
    fn checkers(&self) -> Vec<(&'static str, Box<dyn Fn(&Path) -> Findings + '_>)> {
        let mut checkers: Vec<(_, Box<dyn Fn(&Path) -> Findings>)> =
            vec![("warcio", Box::new(|file| self.warcio(file)))];
        if self.is_full {
            checkers.push(("fastwarc", Box::new(|file| self.fastwarc(file))));
            checkers.push(("warcat", Box::new(|file| self.warcat(file))));
        }
        checkers
    }
}

/// The name of the record with this identifier.
fn named(identifier: &str) -> String {
    let is_it = |sample: &&Sample| identifier == format!("<{}>", id(sample.name));
    samples(FILENAME).iter().find(is_it).unwrap_or_else(|| panic!("{identifier}")).name.to_owned()
}

/// The records that a program may object to.
fn disagreements(program: &str) -> BTreeSet<String> {
    let of_it = DISAGREEMENTS.iter().filter(|(name, ..)| *name == program);
    of_it.map(|(_, record, _)| (*record).to_owned()).collect()
}

/// An archive with every sample, where each lies, and their rows in an index.
fn archive(compression: Compression) -> (Vec<u8>, BTreeMap<&'static str, Span>, BTreeMap<String, &'static str>) {
    let mut writer = Writer::new(Vec::new(), compression);
    let (mut spans, mut rows) = (BTreeMap::new(), BTreeMap::new());
    for sample in samples(FILENAME) {
        let written = writer.write(&sample.header, &sample.block).unwrap();
        spans.insert(sample.name, written.span);
        rows.extend(written.cdxj(FILENAME).map(|row| (row, sample.name)));
    }
    (writer.finish().unwrap(), spans, rows)
}

fn package() -> Vec<u8> {
    let mut wacz = WaczWriter::new(Vec::new(), FILENAME).unwrap();
    for sample in samples(FILENAME) {
        wacz.write(&sample.header, &sample.block).unwrap();
    }
    let mut files = wacz.end_archive().unwrap();
    files.file("proof/proof.txt", b"a proof").unwrap();
    files.file("proof/VERIFY.md", b"# How to verify").unwrap();
    let url = format!("{}/", sample::ONION);
    let about = About {
        title: "A dossier".to_owned(),
        description: "Captures of every kind.".to_owned(),
        created: date(),
        software: "nachtwacht".to_owned(),
        main_page: Some((url.clone(), date())),
    };
    let page = Page { id: id("response").to_string(), url, date: date(), title: None };
    let signature = Signature { signature: vec![1], public_key: vec![2] };
    files.finish(&about, [page], |_| Some(signature)).unwrap()
}

/// A file with this content, in a directory of its own.
fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, content).unwrap();
    (directory, path)
}

#[test]
fn others_find_what_they_are_known_to_find_and_nothing_else() {
    let Some(programs) = Programs::find() else { return };
    let (bytes, _, _) = archive(Compression::Gzip);
    let (_directory, path) = file(FILENAME, &bytes);
    for (program, check) in programs.checkers() {
        let found: BTreeSet<String> = check(&path).into_iter().map(|(record, _)| record).collect();
        assert_eq!(found, disagreements(program), "{program}");
    }
}

#[test]
fn the_index_is_the_one_that_others_make() {
    let Some(programs) = Programs::find() else { return };
    for (name, compression) in [(FILENAME, Compression::Gzip), ("data.warc", Compression::None)] {
        let (bytes, _, rows) = archive(compression);
        let (_directory, path) = file(name, &bytes);
        let (theirs, is_content) = programs.run("cdxj-indexer", &[], &path);
        assert!(is_content);
        let theirs: BTreeSet<String> = theirs.lines().map(|row| row.replace("data.warc\"", "data.warc.gz\"")).collect();
        let differing = rows.iter().filter(|(row, _)| !theirs.contains(*row)).map(|(_, name)| (*name).to_owned());
        assert_eq!(differing.collect::<BTreeSet<_>>(), disagreements("cdxj-indexer"));
        assert_eq!(theirs.len(), rows.len());
    }
}

#[test]
fn others_accept_the_package() {
    let Some(programs) = Programs::find().filter(|programs| programs.is_full) else { return };
    let (_directory, path) = file("a.wacz", &package());
    let (text, is_content) = programs.run("wacz", &["validate", "-f"], &path);
    assert!(is_content && text.contains("is valid"), "{text}");
}

/// The identifiers of the records of an archive, with the digests of their blocks, which must match.
fn records(archive: impl Read) -> Vec<(String, Digest)> {
    let mut reader = Reader::new(BufReader::new(archive));
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        let examined = record.examine().unwrap();
        assert_eq!(examined.checked.block, Verdict::Matches);
        records.push((examined.header.record_id().unwrap().to_owned(), examined.checked.block_digest));
    }
    records
}

#[test]
fn what_others_write_is_read() {
    let Some(programs) = Programs::find().filter(|programs| programs.is_full) else { return };
    let (bytes, _, _) = archive(Compression::Gzip);
    let (directory, path) = file(FILENAME, &bytes);
    let again = directory.path().join("again.warc.gz");
    assert!(programs.run("fastwarc", &["recompress", "-q", path.to_str().unwrap()], &again).1);
    assert_eq!(records(fs::File::open(again).unwrap()), records(bytes.as_slice()));

    let package = directory.path().join("a.wacz");
    assert!(programs.run("wacz", &["create", "-o", package.to_str().unwrap()], &path).1);
    let mut wacz = WaczReader::open(fs::File::open(package).unwrap(), WaczLimits::default()).unwrap();
    assert_eq!(wacz.check().unwrap(), []);
    let inner = wacz.file("archive/data.warc.gz").unwrap().unwrap();
    assert_eq!(records(inner), records(bytes.as_slice()));
}

/// The bytes with one bit flipped, so far behind the first `mark` after `from`.
fn flipped(bytes: &[u8], from: u64, mark: &[u8], behind: usize) -> Vec<u8> {
    let from = usize::try_from(from).unwrap();
    let at = bytes[from..].windows(mark.len()).position(|window| window == mark).unwrap();
    let mut bytes = bytes.to_vec();
    bytes[from + at + mark.len() + behind] ^= 1;
    bytes
}

#[test]
fn others_find_a_flipped_bit_in_a_record() {
    let Some(programs) = Programs::find() else { return };
    let (bytes, spans, _) = archive(Compression::None);
    let (_directory, intact) = file("data.warc", &bytes);
    // What lies before the flipped byte, and who does not look there.
    let flips = [
        ("response", "hell", ""),
        ("response", "WARC-Payload-Digest: sha256:", ""),
        ("request", "GE", ""),
        ("metadata", "hopsFrom", ""),
        ("revisit", "charset=utf-", "warcio"),
    ];
    for (program, check) in programs.checkers() {
        let known = check(&intact);
        for (record, mark, blind) in flips {
            let (_directory, path) = file("data.warc", &flipped(&bytes, spans[record].offset, mark.as_bytes(), 0));
            let gained: BTreeSet<_> = check(&path).difference(&known).map(|(name, _)| name.clone()).collect();
            let expected = if program == blind { BTreeSet::new() } else { BTreeSet::from([record.to_owned()]) };
            assert_eq!(gained, expected, "{program}, {record}, {mark}");
        }
    }
}

#[test]
fn others_find_a_flipped_bit_in_a_package() {
    let Some(programs) = Programs::find().filter(|programs| programs.is_full) else { return };
    let bytes = package();
    // The header of the first record, the index, a file of the caller's own, the pages, the manifest, and its digest.
    let flips = [
        (b"\x1f\x8b\x08".as_slice(), 20),
        (b"\"mime\": \"", 0),
        (b"# How", 0),
        (b"json-pages", 0),
        (b"\"profile\": \"", 0),
        (b"\"hash\": \"sha256:", 0),
    ];
    for (mark, behind) in flips {
        let (_directory, path) = file("a.wacz", &flipped(&bytes, 0, mark, behind));
        assert!(!programs.run("wacz", &["validate", "-f"], &path).1, "{}", String::from_utf8_lossy(mark));
    }
}

//! The hostile site, crawled and exported: strangers accept what leaves the house, or it is known why one of them does not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use model::{Authority, Phase, Timestamp};
use proof::SignerKey;
use release::{Exporter, Format, Order, Selection};
use store::Notary;
use testnet::sites::Sites;

use super::*;

const RAW_CHUNKS: &str = "hashes a chunked body as it lies on the wire, and not the entity (RFC 9112, section 7.1)";
const EXCESS: &str = "hashes what lies behind the announced end of the body (RFC 9112, section 6.3)";
const DECODED: &str = "undoes the content coding, which is part of the entity (WARC/1.1, section 5.9)";
const LONG_HEAD: &str = "reads no head of 178 KB";
const STRICT: &str = "reads no line that ends in a line feed alone, and no stray return (RFC 9112, section 2.2)";
const EMPTY: &str = "takes empty lines before the status line for the whole head";
const INTERIM: &str = "takes an interim answer for the answer (RFC 9110, section 15.2)";
const LIST: &str = "reads no length that is said twice (RFC 9110, section 8.6)";
const STATUS: &str = "reads no status of five digits";

/// Where others part from the standards: program, path of the hostile site, reason. Whatever else they find is a fault of ours. One thing more:
/// fastwarc knows payloads of HTTP alone, and so takes the payload digest of every proof record for wrong.
const DISAGREEMENTS: [(&str, &str, &str); 49] = [
    ("warcio", "/chunk/bare-newlines", RAW_CHUNKS),
    ("warcio", "/chunk/odd-name", RAW_CHUNKS),
    ("warcio", "/chunk/single-bytes", RAW_CHUNKS),
    ("warcio", "/chunk/trailers", RAW_CHUNKS),
    ("warcio", "/encoding/gzip-chunked", RAW_CHUNKS),
    ("warcio", "/length/and-chunked", RAW_CHUNKS),
    ("warcio", "/broken/second-answer", EXCESS),
    ("warcio", "/head/leading-newlines", EMPTY),
    ("warcio", "/length/too-short", EXCESS),
    ("warcio", "/length/zero", EXCESS),
    ("fastwarc", "/chunk/bare-newlines", RAW_CHUNKS),
    ("fastwarc", "/chunk/extensions", RAW_CHUNKS),
    ("fastwarc", "/chunk/odd-name", RAW_CHUNKS),
    ("fastwarc", "/chunk/odd-sizes", RAW_CHUNKS),
    ("fastwarc", "/chunk/single-bytes", RAW_CHUNKS),
    ("fastwarc", "/chunk/trailers", RAW_CHUNKS),
    ("fastwarc", "/encoding/gzip-chunked", RAW_CHUNKS),
    ("fastwarc", "/length/and-chunked", RAW_CHUNKS),
    ("fastwarc", "/broken/second-answer", EXCESS),
    ("fastwarc", "/head/early-hints", INTERIM),
    ("fastwarc", "/head/leading-newlines", EMPTY),
    ("fastwarc", "/length/no-content", EXCESS),
    ("fastwarc", "/length/too-short", EXCESS),
    ("fastwarc", "/length/zero", EXCESS),
    ("fastwarc", "/head/bare-newlines", STRICT),
    ("fastwarc", LONG, LONG_HEAD),
    ("warcat", "/encoding/br", DECODED),
    ("warcat", "/encoding/checksum", DECODED),
    ("warcat", "/encoding/claimed", DECODED),
    ("warcat", "/encoding/corrupt", DECODED),
    ("warcat", "/encoding/deflate", DECODED),
    ("warcat", "/encoding/deflate-raw", DECODED),
    ("warcat", "/encoding/gzip", DECODED),
    ("warcat", "/encoding/gzip-chunked", DECODED),
    ("warcat", "/encoding/layers", DECODED),
    ("warcat", "/encoding/many-layers", DECODED),
    ("warcat", "/encoding/trailing", DECODED),
    ("warcat", "/encoding/truncated", DECODED),
    ("warcat", "/encoding/two-members", DECODED),
    ("warcat", "/encoding/unknown", DECODED),
    ("warcat", "/encoding/x-gzip", DECODED),
    ("warcat", "/encoding/zstd", DECODED),
    ("warcat", "/broken/bare-return", STRICT),
    ("warcat", "/chunk/bare-newlines", STRICT),
    ("warcat", "/head/early-hints", INTERIM),
    ("warcat", "/head/leading-newlines", EMPTY),
    ("warcat", "/length/list", LIST),
    ("warcat", "/broken/status-long", STATUS),
    ("warcat", LONG, LONG_HEAD),
];

/// Longer than any of it takes, by the clock of the house.
const YEARS_S: u32 = 10 * 365 * 86_400;

/// The page whose head is so long that fastwarc stops reading the whole archive.
const LONG: &str = "/cookie/many";

/// What a program finds: the paths of captures.
type Findings = BTreeSet<String>;

/// The validators of others, where `scripts/test` says that they are.
struct Programs(PathBuf);

impl Programs {
    /// What a program writes, and whether it is content.
    fn run(&self, program: &str, arguments: &[&str], file: &Path) -> (String, bool) {
        let output = Command::new(self.0.join("bin").join(program)).args(arguments).arg(file).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.success())
    }

    fn warcio(&self, file: &Path, records: &Records) -> Findings {
        let (text, is_content) = self.run("warcio", &["check"], file);
        let ids = text.lines().filter_map(|line| line.split_once("WARC-Record-ID "));
        let findings: Findings = ids.map(|(_, rest)| records.path(rest.split(' ').next().unwrap())).collect();
        assert_eq!(is_content, findings.is_empty(), "{text}");
        findings
    }

    fn fastwarc(&self, file: &Path, records: &Records) -> Findings {
        let (text, _) = self.run("fastwarc", &["check", "-p", "-q", "-o", "-"], file);
        assert_eq!(text.lines().count(), records.0.len(), "{text}");
        let failed = text.lines().filter(|line| line.contains("FAIL")).map(|line| line.rsplit_once(": ").unwrap().0);
        failed.map(|id| records.path(id)).filter(|path| !path.starts_with("urn:nachtwacht:leaf:")).collect()
    }

    fn warcat(&self, file: &Path, records: &Records) -> Findings {
        let (text, is_content) = self.run("warcat", &["verify", "--format", "jsonl", "--input"], file);
        let id = |line: &str| {
            let problem: serde_json::Value = serde_json::from_str(line).unwrap();
            records.path(problem["record_id"].as_str().unwrap())
        };
        let findings: Findings = text.lines().map(id).collect();
        assert_eq!(is_content, findings.is_empty(), "{text}");
        findings
    }
}

/// The targets of an archive's records, by identifier: of captures the path.
struct Records(BTreeMap<String, String>);

impl Records {
    fn read(archive: &Path) -> Self {
        let bytes = fs::read(archive).unwrap();
        let mut reader = warc::Reader::new(&bytes[..]);
        let mut records = BTreeMap::new();
        while let Some(record) = reader.next_record().unwrap() {
            let header = record.examine().unwrap().header;
            let target = header.target_uri().unwrap_or_default();
            let path = target.parse::<model::Uri>().map_or_else(|_| target.to_owned(), |uri| uri.path_and_query());
            records.insert(header.record_id().unwrap().to_owned(), path);
        }
        Self(records)
    }

    fn path(&self, identifier: &str) -> String {
        self.0[identifier.trim_matches(['<', '>'])].clone()
    }
}

/// What is exported, and by whom.
struct Exports {
    dir: tempfile::TempDir,
    exporter: Exporter,
    trust: verify::Trust,
    captures: Vec<Capture>,
}

impl Exports {
    fn of(house: &House) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let signer = SignerKey::from_secret("nachtwacht/test", &[1; 32]).unwrap();
        let trust = verify::Trust { keys: vec![signer.verifier().clone()], ..verify::Trust::default() };
        let notary = Arc::new(Notary::new(house.store.clone(), signer, dir.path()));
        notary.begin(house.clock.now()).unwrap();
        let exporter = Exporter::new(house.store.clone(), notary, "test");
        Self { dir, exporter, trust, captures: house.all_captures() }
    }

    /// Exports the captures that are wanted to a file of this name.
    fn write(&self, name: &str, format: Format, is_wanted: impl Fn(&Capture) -> bool) -> PathBuf {
        let grant = Authority::of_this_process().grant("somebody", theme(), Phase::OperationalUse);
        let wanted = self.captures.iter().filter(|capture| is_wanted(capture)).map(|capture| capture.seq);
        let selection = Selection::Captures(wanted.collect());
        let order = Order { selection, format, purpose: "a test".into(), with_revisits: false, checkpoint: None };
        let export = self.exporter.order(&grant, theme(), &order, Timestamp::default()).unwrap();
        let path = self.dir.path().join(name);
        self.exporter.write(&grant, &export, 0, fs::File::create(&path).unwrap()).unwrap();
        path
    }

    /// What `nachtwacht-verify` has against a file, and how many captures it found.
    fn verify(&self, file: &Path) -> (Vec<String>, usize) {
        let mut failing = Vec::new();
        let mut say = |statement: &verify::Statement| {
            if statement.verdict == verify::Verdict::Fails {
                failing.push(statement.to_string());
            }
        };
        let summary = verify::verify(file, &self.trust, &mut say).unwrap();
        (failing, usize::try_from(summary.captures).unwrap())
    }

    /// A file with one bit flipped, so far behind the first `mark`.
    fn flipped(&self, file: &Path, mark: &[u8], behind: usize) -> PathBuf {
        let mut bytes = fs::read(file).unwrap();
        let at = bytes.windows(mark.len()).position(|window| window == mark).unwrap();
        bytes[at + mark.len() + behind] ^= 1;
        let path = self.dir.path().join("flipped").with_extension(file.extension().unwrap());
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// What the program of 80 lines says: a line for each capture, or nothing where it objects.
fn proofs_by_python(file: &Path) -> Option<usize> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/verify-proof.py");
    let output = Command::new("python3").arg(script).arg(file).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap().lines().count())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hostile_site_leaves_the_house_whole() {
    let sites = Sites::start(1).await.unwrap();
    let config = crawl::Config { uris_per_template: 5, retries: 0, ..quick() };
    let limits =
        fetch::Limits { first_byte_s: 2, idle_s: 1, total_s: 4, body_bytes: 4 << 20, ..fetch::Limits::default() };
    let fetch = fetch::Config { limits, ..fetch::Config::default() };
    // The scripted site stays unasked.
    let house = House::at(
        tempfile::tempdir().unwrap(),
        sites.hostile().http(),
        Site::pages(&[]).await,
        config,
        &fetch,
        &store::Config::default(),
    );
    let end = house.clock.now().after(Duration::from_secs(YEARS_S.into()));
    house.add(|terms| {
        (terms.pace.revisit_min_s, terms.pace.revisit_max_s) = (YEARS_S, YEARS_S);
        (terms.review_at, terms.ends_at) = (end, end);
    });
    house.until_idle().await;
    // A service that fails often is left alone for a while, and walls wait for a person.
    while let Some(reason) = house.waits_because() {
        house.clock.advance(HOUR);
        house.change(|target| target.attention = None);
        house.until("the crawl goes on", |house| house.waits_because().as_ref() != Some(&reason)).await;
        house.until_idle().await;
    }
    let exports = Exports::of(&house);
    let count = exports.captures.len();
    assert!(count > 100, "{count} captures");
    let archive = exports.write("hostile.warc.gz", Format::Warc, |_| true);
    let package = exports.write("hostile.wacz", Format::Wacz, |_| true);
    for file in [&archive, &package] {
        assert_eq!(exports.verify(file), (vec![], count));
        assert_eq!(proofs_by_python(file), Some(count));
    }
    // The header of the first record, its index, a proof, the manifest.
    let marks = [(&b"\x1f\x8b\x08"[..], 20), (b"\"mime\": \"", 0), (b"tlog-proof@v1\n", 8), (b"\"profile\": \"", 0)];
    for (mark, behind) in marks {
        let (failing, _) = exports.verify(&exports.flipped(&package, mark, behind));
        assert!(!failing.is_empty(), "{}", String::from_utf8_lossy(mark));
    }
    expect_others_agree(&exports, &archive, &package);
    house.close().await;
}

fn expect_others_agree(exports: &Exports, archive: &Path, package: &Path) {
    let Some(directory) = std::env::var_os("NACHTWACHT_FOREIGN") else {
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: NACHTWACHT_FOREIGN names no directory of validators (scripts/test sets it)"
        );
        return;
    };
    let programs = Programs(directory.into());
    // Not each shows each time: on a busy machine a page may come too late, or what lies behind its end.
    let expect_known = |program: &str, found: Findings| {
        let known = DISAGREEMENTS.iter().filter(|(name, ..)| *name == program);
        let known: Findings = known.map(|(_, path, _)| (*path).to_owned()).collect();
        assert!(found.is_subset(&known) && !found.is_empty(), "{program}: {:?}", found.difference(&known));
    };
    let records = Records::read(archive);
    expect_known("warcio", programs.warcio(archive, &records));
    expect_flips_found(exports, archive, &programs, &records);
    expect_instructions_work(package);
    if std::env::var_os("NACHTWACHT_FULL").is_none_or(|full| full != "1") {
        return;
    }
    expect_known("warcat", programs.warcat(archive, &records));
    let short = exports.write("short.warc.gz", Format::Warc, |capture| capture.uri.path() != LONG);
    expect_known("fastwarc", programs.fastwarc(&short, &Records::read(&short)));
    let (text, is_content) = programs.run("wacz", &["validate", "-f"], package);
    assert!(is_content && text.contains("is valid"), "{text}");
    for (mark, behind) in [(&b"\x1f\x8b\x08"[..], 20), (b"\"mime\": \"", 0), (b"tlog-proof@v1\n", 8)] {
        let (text, is_content) = programs.run("wacz", &["validate", "-f"], &exports.flipped(package, mark, behind));
        assert!(!is_content, "{text}");
    }
}

/// In an archive that is not compressed, so that no checksum of gzip's is in the way.
fn expect_flips_found(exports: &Exports, archive: &Path, programs: &Programs, records: &Records) {
    let plain = exports.dir.path().join("plain.warc");
    let unzipped = Command::new("gzip").arg("-dc").arg(archive).output().unwrap();
    fs::write(&plain, unzipped.stdout).unwrap();
    let known = programs.warcio(&plain, records);
    for mark in ["<title>", "WARC-Payload-Digest: sha256:", "GET /", "fetchTimeM", "{\"leaf\":\""] {
        let found = programs.warcio(&exports.flipped(&plain, mark.as_bytes(), 0), records);
        assert_eq!(found.difference(&known).count(), 1, "{mark}");
    }
    assert_eq!(proofs_by_python(&plain), Some(exports.captures.len()));
    for mark in ["GET /", "WARC-Target-URI: http", "{\"leaf\":\"", "\\nindex ", "\"record\":\""] {
        let flipped = exports.flipped(&plain, mark.as_bytes(), 2);
        assert_eq!(proofs_by_python(&flipped), None, "{mark}");
    }
}

/// The commands in the package's `VERIFY.md` that check its signature, as they stand there.
fn expect_instructions_work(package: &Path) {
    let mut wacz = warc::WaczReader::open(fs::File::open(package).unwrap(), warc::WaczLimits::default()).unwrap();
    let mut text = String::new();
    wacz.file("proof/VERIFY.md").unwrap().unwrap().read_to_string(&mut text).unwrap();
    let (_, rest) = text.split_once("Ed25519 over the text").unwrap();
    let commands: Vec<&str> =
        rest.split("A time-stamp").next().unwrap().lines().filter(|line| line.starts_with("    ")).collect();
    assert_eq!(commands.len(), 5);
    let dir = tempfile::tempdir().unwrap();
    fs::copy(package, dir.path().join("EXPORT.wacz")).unwrap();
    let run = |commands: &[&str]| {
        let script = commands.join("\n");
        Command::new("sh").args(["-e", "-c", &script]).current_dir(dir.path()).output().unwrap()
    };
    let output = run(&commands);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(dir.path().join("text"), "another text").unwrap();
    assert!(!run(&commands[4..]).status.success());
}

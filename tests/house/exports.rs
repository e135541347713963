//! The hostile site, crawled and exported: strangers accept what leaves the house, or it is known why one of them does not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use model::{Authority, Phase, Seq};
use proof::SignerKey;
use release::{Exporter, Format, Order, Selection};
use store::Notary;
use testnet::sites::Sites;

use super::*;

const RAW_CHUNKS: &str = "hashes a chunked body as it lies on the wire, and not the entity (RFC 9112, section 7.1)";
const INTERIM: &str = "takes an interim response for the response (RFC 9110, section 15.2)";
const EXCESS: &str = "hashes what lies behind the announced end of the body (RFC 9112, section 6.3)";
const DECODED: &str = "undoes the content coding, which is part of the entity (WARC/1.1, section 5.9)";

/// Where others part from the standards: program, path of the hostile site, reason. Whatever else they find is a fault of ours.
const DISAGREEMENTS: &[(&str, &str, &str)] = &[];

/// What programs find: the program, the path of the capture, and the record's type.
type Findings = BTreeSet<(&'static str, String, String)>;

/// The validators of others, where `scripts/test` says that they are.
struct Programs {
    directory: PathBuf,
    /// What each record is of: its identifier → path and type.
    records: BTreeMap<String, (String, String)>,
}

impl Programs {
    fn run(&self, program: &str, arguments: &[&str], file: &Path) -> (String, bool) {
        let output = Command::new(self.directory.join("bin").join(program)).args(arguments).arg(file).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.success())
    }

    fn named(&self, program: &'static str, identifier: &str) -> (&'static str, String, String) {
        let (path, kind) = &self.records[identifier.trim_matches(['<', '>'])];
        (program, path.clone(), kind.clone())
    }

    fn warcio(&self, file: &Path) -> Findings {
        let (text, _) = self.run("warcio", &["check"], file);
        let ids = text.lines().skip(1).filter_map(|line| line.split_once("WARC-Record-ID "));
        ids.map(|(_, rest)| self.named("warcio", rest.split(' ').next().unwrap())).collect()
    }

    fn fastwarc(&self, file: &Path) -> Findings {
        let (text, _) = self.run("fastwarc", &["check", "-p", "-q", "-o", "-"], file);
        assert_eq!(text.lines().count(), self.records.len(), "{text}");
        let failed = text.lines().filter(|line| line.contains("FAIL"));
        failed.map(|line| self.named("fastwarc", line.rsplit_once(": ").unwrap().0)).collect()
    }

    fn warcat(&self, file: &Path) -> Findings {
        let (text, _) = self.run("warcat", &["verify", "--format", "jsonl", "--input"], file);
        let id = |line: &str| {
            let problem: serde_json::Value = serde_json::from_str(line).unwrap();
            self.named("warcat", problem["record_id"].as_str().unwrap())
        };
        text.lines().map(id).collect()
    }
}

fn records(file: &Path) -> BTreeMap<String, (String, String)> {
    let bytes = fs::read(file).unwrap();
    let mut reader = warc::Reader::new(&bytes[..]);
    let mut records = BTreeMap::new();
    while let Some(record) = reader.next_record().unwrap() {
        let header = record.examine().unwrap().header;
        let target = header.target_uri().unwrap_or_default();
        let path = target.parse::<model::Uri>().map_or_else(|_| target.to_owned(), |uri| uri.path_and_query());
        records.insert(header.record_id().unwrap().to_owned(), (path, header.get("WARC-Type").unwrap().to_owned()));
    }
    records
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
    house.add(|_| {});
    house.until_idle().await;
    let captures = house.all_captures();
    assert!(captures.len() > 100, "{} captures", captures.len());

    let dir = tempfile::tempdir().unwrap();
    let signer = SignerKey::from_secret("nachtwacht/test", &[1; 32]).unwrap();
    let key = signer.verifier().clone();
    let notary = Arc::new(Notary::new(house.store.clone(), signer, dir.path()));
    notary.begin(house.clock.now()).unwrap();
    let exporter = Exporter::new(house.store.clone(), notary, "test");
    let grant = Authority::of_this_process().grant("somebody", theme(), Phase::OperationalUse);
    let mut files = Vec::new();
    for (format, name) in [(Format::Warc, "hostile.warc.gz"), (Format::Wacz, "hostile.wacz")] {
        let order = Order {
            selection: Selection::Target { id: TARGET, from: None, until: None },
            format,
            purpose: "a test".into(),
            with_revisits: false,
            checkpoint: None,
        };
        let export = exporter.order(&grant, theme(), &order, house.clock.now()).unwrap();
        let path = dir.path().join(name);
        exporter.write(&grant, &export, 0, fs::File::create(&path).unwrap()).unwrap();
        let trust = verify::Trust { keys: vec![key.clone()], ..verify::Trust::default() };
        let mut failing = Vec::new();
        let mut say = |statement: &verify::Statement| {
            if statement.verdict == verify::Verdict::Fails {
                failing.push(statement.to_string());
            }
        };
        let summary = verify::verify(&path, &trust, &mut say).unwrap();
        assert_eq!((failing, summary.captures), (vec![], captures.len() as u64));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/verify-proof.py");
        let python = Command::new("python3").arg(script).arg(&path).output().unwrap();
        assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
        assert_eq!(String::from_utf8(python.stdout).unwrap().lines().count(), captures.len());
        files.push(path);
    }
    expect_others_accept(&files[0], &files[1], &captures);
    house.close().await;
}

fn expect_others_accept(archive: &Path, package: &Path, captures: &[Capture]) {
    let Some(directory) = std::env::var_os("NACHTWACHT_FOREIGN") else {
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: NACHTWACHT_FOREIGN names no directory of validators (scripts/test sets it)"
        );
        return;
    };
    let programs = Programs { directory: directory.into(), records: records(archive) };
    let mut found = programs.warcio(archive);
    if std::env::var_os("NACHTWACHT_FULL").is_some_and(|full| full == "1") {
        found.extend(programs.fastwarc(archive));
        found.extend(programs.warcat(archive));
        let (text, is_content) = programs.run("wacz", &["validate", "-f"], package);
        assert!(is_content && text.contains("is valid"), "{text}");
    }
    let chunked: BTreeSet<String> = captures
        .iter()
        .filter(|capture| capture.framing.is_some())
        .map(|capture| capture.uri.path_and_query())
        .collect();
    let is_known = |(program, path, kind): &(&str, String, String)| {
        let is_raw = *program != "warcat" && kind == "response" && chunked.contains(path);
        is_raw || DISAGREEMENTS.iter().any(|(known, at, _)| (known, at) == (program, &path.as_str()))
    };
    let unknown: Vec<_> = found.iter().filter(|finding| !is_known(finding)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    let stale: Vec<_> = DISAGREEMENTS
        .iter()
        .filter(|(program, at, _)| !found.iter().any(|(found, path, _)| (found, path.as_str()) == (program, at)))
        .collect();
    assert!(std::env::var_os("NACHTWACHT_FULL").is_none_or(|full| full != "1") || stale.is_empty(), "{stale:#?}");
    // One capture that stands for all: its record is there, so that the search for findings looks at something.
    assert!(
        programs.records.values().any(|(path, kind)| path == "/" && kind == "response") && captures[0].seq == Seq(1)
    );
}

//! Exports as the product writes them, for the tests.

use std::{collections::BTreeMap, fs, path::PathBuf};

use proof::{
    Checkpoint, Commitment, CompactRange, Error, Hash, InclusionProof, Leaf, LeafKind, Node, Note, Salt, SignerKey,
    inclusion_proof, leaf_hash,
};
use tempfile::TempDir;
use warc::{About, Compression, Date, Fields, Header, Original, RecordId, Signature, WaczWriter, Writer};

use crate::{CONTENT_TYPE, Disclosure, KEY_FIELD, PROOFS_PATH, Statement, Summary, Trust, target_uri, verify};

pub(super) const ORIGIN: &str = "log.example/a";
pub(super) const TIME_US: i64 = 1_795_530_600_123_456;
pub(super) const PAYLOAD: &str = "<title>Shop</title>";

/// The log's key.
pub(super) fn key() -> SignerKey {
    SignerKey::from_secret(ORIGIN, &[1; 32]).unwrap()
}

/// What is exported of one capture, and what of it is spoilt. Each test changes what it is about.
#[derive(Clone)]
pub(super) struct Capture {
    pub(super) uri: String,
    pub(super) request: Vec<u8>,
    pub(super) response: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) record: Vec<u8>,
    /// Whether the export has a revisit in place of the response.
    pub(super) is_revisit: bool,
    /// Whether the site never answered.
    pub(super) is_silent: bool,
    /// The request as exported, where a secret is taken out.
    pub(super) redacted: Option<Vec<u8>>,
    pub(super) kind: LeafKind,
    pub(super) timestamps: Vec<Vec<u8>>,
    /// Parts that the leaf has not, and parts that it has besides.
    pub(super) without: Option<&'static str>,
    pub(super) extra: Vec<(String, Vec<u8>)>,
}

impl Capture {
    pub(super) fn of(uri: &str) -> Self {
        let chunked = format!("{:x}\r\n{PAYLOAD}\r\n0\r\n\r\n", PAYLOAD.len());
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
        Self {
            uri: uri.into(),
            request: b"GET / HTTP/1.1\r\nHost: a.onion\r\nCookie: secret\r\n\r\n".to_vec(),
            response: format!("{head}{chunked}").into_bytes(),
            payload: PAYLOAD.into(),
            record: b"\xa1\x67outcome\x62ok".to_vec(),
            is_revisit: false,
            is_silent: false,
            redacted: None,
            kind: LeafKind::Capture,
            timestamps: Vec::new(),
            without: None,
            extra: Vec::new(),
        }
    }

    fn salt(&self) -> Salt {
        Salt::from_bytes(*Commitment::of(&Salt::from_bytes([7; 32]).for_part("test"), self.uri.as_bytes()).as_bytes())
    }

    fn parts(&self) -> Vec<(String, Vec<u8>)> {
        let parts = [
            ("uri", self.uri.clone().into_bytes()),
            ("request", self.request.clone()),
            ("response", self.response.clone()),
            ("payload", self.payload.clone()),
            ("record", self.record.clone()),
        ];
        let parts = parts.map(|(name, part)| (name.to_owned(), part)).into_iter();
        let parts = parts.filter(|(name, _)| !self.is_silent || !["response", "payload"].contains(&name.as_str()));
        parts.chain(self.extra.clone()).filter(|(name, _)| self.without != Some(name)).collect()
    }

    pub(super) fn leaf(&self, seq: u64) -> Leaf {
        let commit = |(name, part): (String, Vec<u8>)| {
            let commitment = Commitment::of(&self.salt().for_part(&name), &part);
            (name, commitment)
        };
        Leaf {
            kind: self.kind,
            seq,
            time_us: TIME_US,
            facts: BTreeMap::from([("outcome".to_owned(), "ok".into())]),
            parts: self.parts().into_iter().map(commit).collect(),
        }
    }

    fn disclosure(&self, seq: u64, proof: String) -> Disclosure {
        let names = self.parts().into_iter().map(|(name, _)| name);
        let names = names.filter(|name| name != "request" || self.redacted.is_none());
        let salts = names.map(|name| (name.clone(), self.salt().for_part(&name)));
        let leaf = self.leaf(seq).encode().unwrap();
        let disclosure = Disclosure::new(leaf, salts.collect::<Vec<_>>(), self.record.clone(), proof);
        self.timestamps.iter().cloned().fold(disclosure, Disclosure::with_timestamp)
    }
}

/// A log that holds captures among other leaves: at 1, 3, 5 and so on.
pub(super) struct Log {
    captures: Vec<Capture>,
    hashes: BTreeMap<Node, Hash>,
    range: CompactRange,
}

impl Log {
    pub(super) fn of(captures: &[Capture]) -> Self {
        let (mut hashes, mut range) = (BTreeMap::new(), CompactRange::default());
        for (place, capture) in captures.iter().enumerate() {
            let seq = 2 * place as u64 + 1;
            for entry in [b"another leaf".to_vec(), capture.leaf(seq).encode().unwrap()] {
                range.append(leaf_hash(&entry), |node, hash| _ = hashes.insert(node, hash));
            }
        }
        Self { captures: captures.to_vec(), hashes, range }
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { origin: ORIGIN.into(), size: self.range.size(), root: self.range.root(), extensions: vec![] }
    }

    pub(super) fn note(&self) -> Note {
        self.checkpoint().sign(&[&key()]).unwrap()
    }

    pub(super) fn proof(&self, index: u64) -> InclusionProof {
        let read = |node| Ok::<_, Error>(self.hashes[&node]);
        let hashes = inclusion_proof(index, self.range.size(), read).unwrap();
        InclusionProof { extra: None, index, hashes, checkpoint: self.note() }
    }

    /// The proofs of all captures, one after the other.
    pub(super) fn proofs(&self) -> String {
        (0..self.captures.len() as u64).map(|place| self.proof(2 * place + 1).to_string()).collect()
    }

    /// The records of an export, in order.
    pub(super) fn records(&self) -> Vec<Record> {
        let date = Date::from_micros(TIME_US).unwrap();
        let id = |name: &str, place: usize| RecordId::derived(&[name.as_bytes(), &place.to_be_bytes()]);
        let info = Fields::new().with("software", "nachtwacht").with(KEY_FIELD, key().verifier().to_string());
        let mut records =
            vec![Record::new(Header::warcinfo(id("info", 0), date, "a.warc.gz"), info.to_bytes().unwrap())];
        for (place, capture) in self.captures.iter().enumerate() {
            let seq = 2 * place as u64 + 1;
            let main = id("main", place);
            let uri = &capture.uri;
            let request = Header::request(if capture.is_silent { main } else { id("request", place) }, date, uri);
            if !capture.is_silent {
                records.push(self.main(capture, main, id("main", 0)));
            }
            let request = if capture.is_silent { request } else { request.concurrent_to(main) };
            records.push(match &capture.redacted {
                Some(redacted) => Record::new(request.redacted("cookie"), redacted.clone()),
                None => Record::new(request, capture.request.clone()),
            });
            let metadata = Header::metadata(id("metadata", place), date, uri).concurrent_to(main);
            records.push(Record::new(metadata, b"fetchTimeMs: 12\r\n".to_vec()));
            let proof = Header::resource(id("proof", place), date, &target_uri(seq), CONTENT_TYPE).concurrent_to(main);
            let json = capture.disclosure(seq, self.proof(seq).to_string()).to_json();
            records.push(Record::new(proof, json.into_bytes()));
        }
        records
    }

    fn main(&self, capture: &Capture, id: RecordId, first: RecordId) -> Record {
        let date = Date::from_micros(TIME_US).unwrap();
        if !capture.is_revisit {
            return Record::new(Header::response(id, date, &capture.uri), capture.response.clone());
        }
        let original = Original {
            id: first,
            target_uri: self.captures[0].uri.clone(),
            date,
            payload_digest: warc::Digest::of(&capture.payload),
        };
        let end = capture.response.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        Record::new(Header::revisit(id, date, &capture.uri, &original), capture.response[..end].to_vec())
    }
}

/// A record to be written.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) header: Header,
    pub(super) block: Vec<u8>,
}

impl Record {
    fn new(header: Header, block: Vec<u8>) -> Self {
        Self { header, block }
    }

    /// The disclosure in the record, changed.
    pub(super) fn change_json(&mut self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut json = serde_json::from_slice(&self.block).unwrap();
        change(&mut json);
        self.block = serde_json::to_vec(&json).unwrap();
    }
}

pub(super) fn write(records: &[Record], compression: Compression) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), compression);
    for record in records {
        writer.write(&record.header, &record.block).unwrap();
    }
    writer.finish().unwrap()
}

/// A package of these records, with this list of proofs and this key that signs it.
pub(super) fn package(records: &[Record], proofs: Option<&str>, signer: Option<&SignerKey>) -> Vec<u8> {
    let mut wacz = WaczWriter::new(Vec::new(), "data.warc.gz").unwrap();
    for record in records {
        wacz.write(&record.header, &record.block).unwrap();
    }
    let mut files = wacz.end_archive().unwrap();
    files.file("proof/VERIFY.md", b"# How to check this").unwrap();
    if let Some(proofs) = proofs {
        files.file(PROOFS_PATH, proofs.as_bytes()).unwrap();
    }
    let about = About {
        title: "A dossier".into(),
        description: "Captures.".into(),
        created: Date::from_micros(TIME_US).unwrap(),
        software: "nachtwacht".into(),
        main_page: None,
    };
    let sign = |text: &str| {
        let key = signer?;
        let (signature, public_key) = (key.sign(text.as_bytes()).to_vec(), key.verifier().public_key().to_vec());
        Some(Signature { signature, public_key })
    };
    files.finish(&about, [], sign).unwrap()
}

/// An export as a file, and what is said of it.
pub(super) struct Exported {
    directory: TempDir,
    pub(super) trust: Trust,
}

impl Exported {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.warc"), bytes).unwrap();
        Self { directory, trust: Trust { keys: vec![key().verifier().clone()], ..Trust::default() } }
    }

    pub(super) fn of(records: &[Record]) -> Self {
        Self::new(&write(records, Compression::Gzip))
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("a.warc")
    }

    pub(super) fn verify(&self) -> (Summary, Vec<String>) {
        let mut lines = Vec::new();
        let mut say = |statement: &Statement| lines.push(statement.to_string());
        let summary = verify(&self.path(), &self.trust, &mut say).unwrap();
        (summary, lines)
    }

    /// What fails, without the records' names.
    pub(super) fn findings(&self) -> Vec<String> {
        let (_, lines) = self.verify();
        let fails = lines.iter().filter_map(|line| line.strip_prefix("FAILS      "));
        // Other subjects than records stay.
        fails.map(|line| line.split_once("): ").map_or(line, |(_, why)| why).to_owned()).collect()
    }
}

use std::{collections::HashMap, path::Path};

use proof::{Authorities, Checkpoint, VerifierKey};
use sha2::{Digest as _, Sha256};
use warc::{Examined, Fields, RecordType, Verdict};

use crate::{
    Error, KEY_FIELD, PROOFS_PATH, Statement, Summary,
    archive::{Package, Place, Section},
    capture::{Capture, Member},
    checkpoint::Checkpoints,
    report::Report,
};

/// The longest `warcinfo` block that is looked into, in bytes.
const MAX_INFO_BYTES: u64 = 1 << 20;

/// How many responses are remembered, in case that a revisit refers to them.
const MAX_ORIGINALS: usize = 1 << 20;

/// What whoever checks knows already, from elsewhere than the export.
#[derive(Debug, Default)]
pub struct Trust {
    /// The log's keys. Without any, the key within the export is taken, which shows only that the export agrees with itself.
    pub keys: Vec<VerifierKey>,
    /// Checkpoints of the log that were seen before, against which the export's is held.
    pub checkpoints: Vec<Checkpoint>,
    /// Whom to believe about time.
    pub authorities: Option<Authorities>,
}

/// Checks the export at `path` (`.warc`, `.warc.gz` or `.wacz`) and says line by line what holds, fails, or cannot be checked.
/// Memory is bounded, whatever the file holds. Errors: [`Error::Io`] where the file itself cannot be opened; everything else
/// that is wrong with it is a statement.
pub fn verify(path: &Path, trust: &Trust, say: &mut dyn FnMut(&Statement)) -> Result<Summary, Error> {
    let file = Section::whole(path)?;
    let mut check = Check {
        report: Report::new(say),
        checkpoints: Checkpoints::new(trust),
        originals: HashMap::new(),
        proofs: Sha256::new(),
        has_bare_metadata: false,
    };
    if file.is_zip() {
        check.package(&file);
    } else {
        check.section(&file);
    }
    Ok(check.finish(&file.name))
}

/// One run.
struct Check<'r> {
    report: Report<'r>,
    checkpoints: Checkpoints<'r>,
    /// Where the responses so far lie, by their identifiers.
    originals: HashMap<String, Place>,
    /// Of the texts of all proofs, one after the other.
    proofs: Sha256,
    /// Whether a `metadata` record stood beside a capture without being a part of its leaf.
    has_bare_metadata: bool,
}

impl Check<'_> {
    /// Checks a WACZ: its files against its manifest, its archives, and its list of proofs against theirs.
    fn package(&mut self, file: &Section) {
        let package = match Package::open(file) {
            Ok(package) => package,
            Err(error) => return self.report.fails(&file.name, error.to_string()),
        };
        for problem in &package.problems {
            self.report.fails(&file.name, problem.to_string());
        }
        if package.problems.is_empty() {
            let what = format!("{} files, as the manifest lists them, and the manifest by its digest", package.files);
            self.report.holds(&file.name, what);
        }
        for archive in &package.archives {
            self.section(archive);
        }
        match &package.proofs {
            Some(stated) if *stated == self.proofs.clone().into() => self.report.holds(&file.name, PROOFS_PATH),
            Some(_) => self.report.fails(&file.name, format!("{PROOFS_PATH} holds other proofs than the archives")),
            None => self.report.fails(&file.name, format!("{PROOFS_PATH} is missing")),
        }
        match &package.signed {
            Some(signed) => self.checkpoints.judge_package(signed, &package.signed_text, &file.name, &mut self.report),
            None => self.report.unchecked(&file.name, "who made the package: it is not signed"),
        }
    }

    /// Checks every record of a WARC file. Records of one capture stand together, the main one first.
    fn section(&mut self, section: &Section) {
        let mut records = match section.records(0) {
            Ok(records) => records,
            Err(error) => return self.report.fails(&section.name, error.to_string()),
        };
        let mut capture: Option<Capture> = None;
        loop {
            let examined = match records.next_record() {
                Ok(Some(record)) => record.examine(),
                Ok(None) => break,
                Err(error) => Err(error),
            };
            let examined = match examined {
                Ok(examined) => examined,
                Err(error) => {
                    self.report.fails(&section.name, format!("{error}; nothing behind it was checked"));
                    break;
                }
            };
            let place = Place { section: section.clone(), offset: examined.span.offset };
            let member = Member::new(&examined, place);
            self.digests(&member, &examined);
            if member.kind == Some(RecordType::Warcinfo) {
                self.warcinfo(&member);
                continue;
            }
            match &mut capture {
                Some(capture) if capture.has_room_for(&member) => capture.members.push(member),
                _ => {
                    if let Some(complete) = capture.replace(Capture::of(member)) {
                        self.capture(complete);
                    }
                }
            }
        }
        if let Some(complete) = capture {
            self.capture(complete);
        }
    }

    /// What the digests in a record's header are worth.
    fn digests(&mut self, member: &Member, examined: &Examined) {
        match examined.checked.block {
            Verdict::Matches => {}
            Verdict::Absent => self.report.fails(&member.subject, "its header states no digest of its block"),
            _ => self.report.fails(&member.subject, "its block does not have the digest that its header states"),
        }
        match examined.checked.payload {
            Verdict::Matches | Verdict::Absent | Verdict::NotHere => {}
            _ => self.report.fails(&member.subject, "its payload does not have the digest that its header states"),
        }
    }

    fn warcinfo(&mut self, member: &Member) {
        let block = match member.place.block(MAX_INFO_BYTES) {
            Ok(Some(block)) => block,
            Ok(None) => return self.report.fails(&member.subject, "longer than a description of an archive may be"),
            Err(error) => return self.report.fails(&member.subject, error.to_string()),
        };
        let Ok(fields) = Fields::parse(&block) else {
            return self.report.fails(&member.subject, "its block is not made of fields");
        };
        for key in fields.all(KEY_FIELD) {
            match key.parse() {
                Ok(key) => self.checkpoints.learn(key),
                Err(error) => self.report.fails(&member.subject, format!("{KEY_FIELD}: {error}")),
            }
        }
    }

    fn capture(&mut self, capture: Capture) {
        self.report.summary.captures += 1;
        let found = capture.check(&mut self.report, &mut self.checkpoints, &self.originals);
        self.has_bare_metadata |= found.has_bare_metadata;
        self.proofs.update(found.proof);
        let Some(main) = capture.members.into_iter().next() else { return };
        if main.kind == Some(RecordType::Response)
            && self.originals.len() < MAX_ORIGINALS
            && let Some(id) = main.header.record_id()
        {
            self.originals.insert(id.to_owned(), main.place);
        }
    }

    fn finish(mut self, name: &str) -> Summary {
        if self.report.summary.captures == 0 {
            self.report.fails(name, "no capture in it");
        }
        if self.has_bare_metadata {
            let why = "metadata records: the log does not cover them; what it covers is the part record";
            self.report.unchecked(name, why);
        }
        self.report.summary
    }
}

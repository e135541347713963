use std::collections::HashMap;

use proof::{Commitment, CommitmentHasher, InclusionProof, Leaf, LeafKind, PartSalt};
use warc::{Date, Examined, Header, PayloadHasher, RecordType};

use crate::{
    CONTENT_TYPE, Disclosure,
    archive::Place,
    checkpoint::Checkpoints,
    disclosure::{MAX_BYTES, is_proof, target_uri},
    report::Report,
};

/// How many records one capture may have.
const MAX_MEMBERS: usize = 16;

/// A record of a capture.
#[derive(Debug)]
pub(crate) struct Member {
    /// What it is called in the report.
    pub(crate) subject: String,
    pub(crate) kind: Option<RecordType>,
    pub(crate) header: Header,
    pub(crate) place: Place,
}

impl Member {
    pub(crate) fn new(examined: &Examined, place: Place) -> Self {
        let header = examined.header.clone();
        let id = header.record_id().unwrap_or("a record without identifier");
        let what = header.get("WARC-Type").unwrap_or("of no type");
        let target = header.target_uri().unwrap_or(&place.section.name);
        Self { subject: format!("{id} ({what}, {target})"), kind: header.kind(), header, place }
    }

    fn is_proof(&self) -> bool {
        self.kind == Some(RecordType::Resource) && self.header.target_uri().is_some_and(is_proof)
    }
}

/// The records of one capture, the main one first.
#[derive(Debug)]
pub(crate) struct Capture {
    pub(crate) members: Vec<Member>,
}

/// What a capture leaves behind when it is checked.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The text of its proof.
    pub(crate) proof: String,
    /// Whether a `metadata` record stands there that is no part of the leaf.
    pub(crate) has_bare_metadata: bool,
}

/// What came of one part of a leaf.
enum Part {
    Holds,
    Unchecked(String),
    Fails(String),
}

impl Capture {
    /// A capture that begins with its main record.
    pub(crate) fn of(main: Member) -> Self {
        Self { members: vec![main] }
    }

    /// Whether `member` says that it belongs to the main record.
    pub(crate) fn has_room_for(&self, member: &Member) -> bool {
        let main = self.members.first().and_then(|main| main.header.get("WARC-Record-ID"));
        self.members.len() < MAX_MEMBERS
            && main.is_some_and(|main| member.header.fields().all("WARC-Concurrent-To").any(|other| other == main))
    }

    /// Holds the records against their leaf, and the leaf against the log.
    pub(crate) fn check(
        &self,
        report: &mut Report<'_>,
        checkpoints: &mut Checkpoints<'_>,
        originals: &HashMap<String, Place>,
    ) -> Found {
        let Some(main) = self.members.first() else { return Found::default() };
        if main.is_proof() {
            report.fails(&main.subject, "a proof that stands beside no capture");
            return Found::default();
        }
        let mut proofs = self.members.iter().filter(|member| member.is_proof());
        let record = match (proofs.next(), proofs.next()) {
            (Some(record), None) => record,
            (None, _) => {
                report.fails(&main.subject, "no proof stands beside it");
                return Found::default();
            }
            (Some(_), Some(_)) => {
                report.fails(&main.subject, "more than one proof stands beside it");
                return Found::default();
            }
        };
        let disclosure = match read_disclosure(record) {
            Ok(disclosure) => disclosure,
            Err(why) => {
                report.fails(&record.subject, why);
                return Found::default();
            }
        };
        let leaf = match Leaf::decode(disclosure.leaf()) {
            Ok(leaf) => leaf,
            Err(error) => {
                report.fails(&record.subject, error.to_string());
                return Found::default();
            }
        };
        let mut holds = Vec::new();
        self.check_headers(record, &leaf, report);
        for (name, commitment) in &leaf.parts {
            match self.part(name, commitment, &disclosure, originals) {
                Part::Holds => holds.push(name.as_str()),
                Part::Unchecked(why) => report.unchecked(&main.subject, format!("the part {name}: {why}")),
                Part::Fails(why) => report.fails(&main.subject, format!("the part {name}: {why}")),
            }
        }
        for name in disclosure.parts().filter(|name| !leaf.parts.contains_key(*name)) {
            report.fails(&record.subject, format!("a salt for {name:?}, which the leaf does not have"));
        }
        let is_logged = check_log(&disclosure, &leaf, record, report, checkpoints);
        if is_logged {
            holds.push("path to the checkpoint");
        }
        if !holds.is_empty() {
            report.holds(&main.subject, format!("leaf {}: {}", leaf.seq, holds.join(", ")));
        }
        Found { has_bare_metadata: self.check_cover(&leaf, report), proof: disclosure.proof().to_owned() }
    }

    /// What the headers say against what the leaf says.
    fn check_headers(&self, record: &Member, leaf: &Leaf, report: &mut Report<'_>) {
        if leaf.kind != LeafKind::Capture {
            report.fails(&record.subject, format!("a leaf of the kind {}, which proves no capture", leaf.kind));
        }
        if record.header.target_uri() != Some(&target_uri(leaf.seq)) {
            report.fails(&record.subject, format!("it carries leaf {}", leaf.seq));
        }
        if record.header.get("Content-Type") != Some(CONTENT_TYPE) {
            report.fails(&record.subject, format!("its content type is not {CONTENT_TYPE}"));
        }
        let target = self.members.first().and_then(|main| main.header.target_uri());
        let date = Date::from_micros(leaf.time_us).map(|date| date.to_string());
        for member in &self.members {
            if member.header.get("WARC-Date") != date.as_deref() {
                report.fails(&member.subject, "its date is not that of the leaf");
            }
            if !member.is_proof() && member.kind != Some(RecordType::Resource) && member.header.target_uri() != target {
                report.fails(&member.subject, "its target is not that of the capture");
            }
        }
    }

    /// Recomputes one commitment of the leaf.
    fn part(
        &self,
        name: &str,
        commitment: &Commitment,
        disclosure: &Disclosure,
        originals: &HashMap<String, Place>,
    ) -> Part {
        let Some(salt) = disclosure.salt(name) else { return self.without_salt(name) };
        let found = match name {
            "uri" => self.uri(salt),
            "record" => Ok(Commitment::of(salt, disclosure.record())),
            "payload" => self.payload(salt, originals),
            "request" | "response" | "metadata" => self.block(name, salt),
            _ => Err(Part::Unchecked("this version does not know what it is of".into())),
        };
        match found {
            Ok(found) if found == *commitment => Part::Holds,
            Ok(found) if found == Commitment::of(salt, b"") => Part::Fails("its record is missing".into()),
            Ok(_) => Part::Fails("it is not what the leaf commits to".into()),
            Err(part) => part,
        }
    }

    fn without_salt(&self, name: &str) -> Part {
        let redacted = self.find(name).and_then(|member| member.header.get("Nachtwacht-Redacted"));
        Part::Unchecked(match redacted {
            Some(what) => format!("the export leaves out {what}"),
            None => "its salt is not disclosed".into(),
        })
    }

    fn uri(&self, salt: &PartSalt) -> Result<Commitment, Part> {
        let target = self.members.first().and_then(|main| main.header.target_uri());
        target
            .map(|target| Commitment::of(salt, target.as_bytes()))
            .ok_or_else(|| Part::Fails("no target is stated".into()))
    }

    /// The commitment to the block of the record of this type.
    fn block(&self, kind: &str, salt: &PartSalt) -> Result<Commitment, Part> {
        let Some(member) = self.find(kind) else {
            return match self.main_kind() {
                Some(RecordType::Revisit) if kind == "response" => {
                    Err(Part::Unchecked("a revisit does not hold the whole response".into()))
                }
                // What an attempt did not come to has no record.
                _ => Ok(Commitment::of(salt, b"")),
            };
        };
        let mut hasher = CommitmentHasher::new(salt);
        member.place.read(|piece| hasher.update(piece)).map_err(|error| Part::Fails(error.to_string()))?;
        Ok(hasher.finish())
    }

    /// The commitment to the payload of the response, or of the response to which a revisit refers.
    fn payload(&self, salt: &PartSalt, originals: &HashMap<String, Place>) -> Result<Commitment, Part> {
        let place = match (self.main_kind(), self.members.first()) {
            (Some(RecordType::Response), Some(main)) => &main.place,
            (Some(RecordType::Revisit), Some(main)) => {
                let original = main.header.get("WARC-Refers-To").map(|id| id.trim_matches(['<', '>']));
                let missing = || {
                    Part::Unchecked("the response to which the revisit refers is not before it in this export".into())
                };
                original.and_then(|id| originals.get(id)).ok_or_else(missing)?
            }
            _ => return Ok(Commitment::of(salt, b"")),
        };
        let mut hasher = PayloadHasher::with_prefix(salt.as_bytes());
        let header = place.read(|piece| hasher.update(piece)).map_err(|error| Part::Fails(error.to_string()))?;
        let whole = hasher.finish().filter(|_| header.get("WARC-Truncated").is_none());
        let none = || {
            Part::Unchecked("the response is cut short or malformed, so that its payload is not well defined".into())
        };
        whole.map(|payload| Commitment::from_bytes(*payload.digest.as_bytes())).ok_or_else(none)
    }

    /// Finds records that are no part of the leaf. Whether a `metadata` record is among them.
    fn check_cover(&self, leaf: &Leaf, report: &mut Report<'_>) -> bool {
        let mut has_bare_metadata = false;
        let mut seen = Vec::new();
        for member in self.members.iter().filter(|member| !member.is_proof()) {
            let kind = member.kind.map_or("", RecordType::as_str);
            if seen.contains(&kind) {
                report.fails(&member.subject, "a second record of its type in one capture");
            }
            seen.push(kind);
            match member.kind {
                Some(RecordType::Request | RecordType::Response) if !leaf.parts.contains_key(kind) => {
                    report.fails(&member.subject, "no part of the leaf covers it");
                }
                Some(RecordType::Request | RecordType::Response | RecordType::Revisit) => {}
                Some(RecordType::Metadata) => has_bare_metadata |= !leaf.parts.contains_key(kind),
                _ => report.fails(&member.subject, "no part of a leaf can cover a record of this type"),
            }
        }
        has_bare_metadata
    }

    fn find(&self, kind: &str) -> Option<&Member> {
        self.members.iter().find(|member| !member.is_proof() && member.kind.is_some_and(|known| known.as_str() == kind))
    }

    fn main_kind(&self) -> Option<RecordType> {
        self.members.first().and_then(|main| main.kind)
    }
}

/// Holds the leaf against the log. Whether the path leads to a checkpoint against which nothing speaks.
fn check_log(
    disclosure: &Disclosure,
    leaf: &Leaf,
    record: &Member,
    report: &mut Report<'_>,
    checkpoints: &mut Checkpoints<'_>,
) -> bool {
    let proof = match InclusionProof::parse(disclosure.proof().as_bytes()) {
        Ok(proof) => proof,
        Err(error) => {
            report.fails(&record.subject, error.to_string());
            return false;
        }
    };
    let mut is_logged = checkpoints.hold(&proof.checkpoint, disclosure.timestamps(), report);
    if !is_logged {
        report.fails(&record.subject, "its checkpoint does not hold");
    }
    if proof.index != leaf.seq {
        report.fails(&record.subject, format!("leaf {} is proved at index {}", leaf.seq, proof.index));
        is_logged = false;
    }
    if let Err(error) = proof.verify_path(disclosure.leaf()) {
        report.fails(&record.subject, error.to_string());
        is_logged = false;
    }
    is_logged
}

fn read_disclosure(record: &Member) -> Result<Disclosure, String> {
    let block = record.place.block(MAX_BYTES).map_err(|error| error.to_string())?;
    let block = block.ok_or_else(|| format!("longer than {MAX_BYTES} bytes"))?;
    Disclosure::from_json(&block).map_err(|error| error.to_string())
}

use std::collections::HashMap;

use data_encoding::BASE64;
use proof::{Checkpoint, Error, Note, TimestampResponse, VerifierKey};
use sha2::{Digest as _, Sha256};
use warc::{Date, SignedData};

use crate::{Trust, report::Report};

/// How many judgements are remembered; an export has one checkpoint, or few.
const MAX_KNOWN: usize = 256;

/// How many keys are taken from an export.
const MAX_LEARNT: usize = 64;

/// Judges checkpoints, each once.
pub(crate) struct Checkpoints<'t> {
    trust: &'t Trust,
    /// Keys that the export itself names.
    learnt: Vec<VerifierKey>,
    /// By the digest of note and time-stamps, whether they hold.
    known: HashMap<[u8; 32], bool>,
}

impl<'t> Checkpoints<'t> {
    pub(crate) fn new(trust: &'t Trust) -> Self {
        Self { trust, learnt: Vec::new(), known: HashMap::new() }
    }

    /// Takes a key that the export names.
    pub(crate) fn learn(&mut self, key: VerifierKey) {
        if self.learnt.len() < MAX_LEARNT && !self.learnt.contains(&key) {
            self.learnt.push(key);
        }
    }

    /// Whether nothing speaks against the checkpoint of `note`: its signature, its time-stamps, and the checkpoints given.
    pub(crate) fn hold<'b>(
        &mut self,
        note: &Note,
        timestamps: impl Iterator<Item = &'b [u8]> + Clone,
        report: &mut Report<'_>,
    ) -> bool {
        let text = note.to_string();
        let mut hash = Sha256::new_with_prefix(&text);
        for response in timestamps.clone() {
            hash.update((response.len() as u64).to_be_bytes());
            hash.update(response);
        }
        let key = hash.finalize().into();
        if let Some(holds) = self.known.get(&key) {
            return *holds;
        }
        let before = report.summary.fails;
        self.judge(note, &text, timestamps, report);
        let holds = report.summary.fails == before;
        if self.known.len() == MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(key, holds);
        holds
    }

    /// Whether a key of the log signed the manifest of a package, whose digest is `text`.
    pub(crate) fn judge_package(&self, signed: &SignedData, text: &str, subject: &str, report: &mut Report<'_>) {
        let decode = |text: &str| BASE64.decode(text.as_bytes()).unwrap_or_default();
        let (public_key, signature) = (decode(&signed.public_key), decode(&signed.signature));
        let (keys, is_given) = self.keys();
        match keys.iter().find(|key| key.public_key()[..] == public_key) {
            Some(key) if !key.accepts(text.as_bytes(), &signature) => {
                report.fails(subject, "the signature of the package is not that of its key");
            }
            Some(_) if is_given => report.holds(subject, "signature of the package, by a key of the log"),
            Some(_) => report.unchecked(subject, "whose key signed the package: it comes from the export"),
            None => report.unchecked(subject, "signature of the package: by another key than the log's"),
        }
    }

    /// The keys to check with, and whether they were given.
    fn keys(&self) -> (&[VerifierKey], bool) {
        if self.trust.keys.is_empty() { (&self.learnt, false) } else { (&self.trust.keys, true) }
    }

    fn judge<'b>(&self, note: &Note, text: &str, timestamps: impl Iterator<Item = &'b [u8]>, report: &mut Report<'_>) {
        let checkpoint = match Checkpoint::of(note) {
            Ok(checkpoint) => checkpoint,
            Err(error) => return report.fails("checkpoint", error.to_string()),
        };
        let subject = format!("checkpoint of {} leaves of {}", checkpoint.size, checkpoint.origin);
        self.judge_signature(note, &subject, report);
        self.judge_against(&checkpoint, &subject, report);
        let mut is_stamped = false;
        for response in timestamps {
            is_stamped = true;
            match self.judge_timestamp(response, text) {
                Ok((what, true)) => report.holds(&subject, what),
                Ok((what, false)) => {
                    report.unchecked(&subject, format!("{what}: no authority was given that could vouch for it"));
                }
                Err(error) => report.fails(&subject, format!("time-stamp: {error}")),
            }
        }
        if !is_stamped {
            report.unchecked(&subject, "when it was signed: it bears no time-stamp");
        }
    }

    fn judge_signature(&self, note: &Note, subject: &str, report: &mut Report<'_>) {
        let (keys, is_given) = self.keys();
        match Checkpoint::verify(note, keys) {
            Ok(_) => {
                report.holds(subject, "signature");
                if !is_given {
                    let why = "whether the key is the log's: it comes from the export, which so agrees with itself and no more";
                    report.unchecked(subject, why);
                }
            }
            Err(Error::Untrusted) if !is_given => {
                report.unchecked(subject, "signature: no key was given, and the export names none that signed");
            }
            Err(error) => report.fails(subject, error.to_string()),
        }
    }

    fn judge_against(&self, checkpoint: &Checkpoint, subject: &str, report: &mut Report<'_>) {
        let given = &self.trust.checkpoints;
        let mut same =
            given.iter().filter(|given| (&given.origin, given.size) == (&checkpoint.origin, checkpoint.size));
        match same.next() {
            Some(given) if given.root == checkpoint.root && same.all(|other| other.root == checkpoint.root) => {
                report.holds(subject, "it is the checkpoint that was given");
            }
            Some(_) => {
                report.fails(subject, "the checkpoint that was given has another root: these are two different logs");
            }
            None if !given.is_empty() => {
                report
                    .unchecked(subject, "none of the checkpoints given has its size: ask for an export at one of them");
            }
            None => {}
        }
    }

    /// What a time-stamp says, and whether a trusted authority said it.
    fn judge_timestamp(&self, response: &[u8], note: &str) -> Result<(String, bool), Error> {
        let response = TimestampResponse::parse(response)?;
        let timestamp = response.check(note.as_bytes(), None)?;
        if let Some(authorities) = &self.trust.authorities {
            response.check_authority(authorities)?;
        }
        let time = Date::from_micros(timestamp.time_us).map_or_else(String::new, |date| date.to_string());
        let what = format!("time-stamp: it existed at {time}, says {}", timestamp.authority);
        Ok((what, self.trust.authorities.is_some()))
    }
}

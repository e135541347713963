//! A whole export, from the first record to the last file, made of the store.

use std::{collections::HashMap, io::Write};

use model::{Capture, Digest, Grant, Outcome, UriId};
use proof::{Note, VerifierKey};
use store::{Checkpoint, Disclosure, Notary, Store};
use warc::{
    About, Compression, Date, Examined, Fields, Header, Original, Page, RecordId, Signature, WaczFiles, WaczWriter,
    Writer,
};

use crate::{
    Error, Format,
    order::Plan,
    records::{Exhibit, Record},
    selected,
};

/// The payloads that are remembered for revisits; captures behind so many have whole responses.
const MAX_ORIGINALS: usize = 100_000;

/// The archive within a package.
const DATA: &str = "data.warc.gz";

/// How whoever receives a package checks it.
const HOW_TO_VERIFY: &str = include_str!("VERIFY.md");

/// Makes the bytes of an export: the same ones whenever it is asked, as long as nothing of it is erased.
pub(crate) struct Maker<'a> {
    store: &'a Store,
    notary: &'a Notary,
    grant: &'a Grant,
    plan: &'a Plan,
    checkpoint: Checkpoint,
    /// What made the export, with its version.
    software: String,
    /// The keys that signed the checkpoint.
    keys: Vec<String>,
}

/// What is written while captures pass.
struct Progress<W: Write> {
    archive: Archive<W>,
    originals: HashMap<(UriId, Digest), Original>,
    /// The leaf of each capture so far.
    leaves: Vec<u64>,
    pages: Vec<Page>,
}

enum Archive<W: Write> {
    Warc(Writer<W>),
    Wacz(Box<WaczWriter<W>>),
}

impl<W: Write> Archive<W> {
    fn new(format: Format, out: W) -> Result<Self, Error> {
        Ok(match format {
            Format::Warc => Self::Warc(Writer::new(out, Compression::Gzip)),
            Format::Wacz => Self::Wacz(Box::new(WaczWriter::new(out, DATA)?)),
        })
    }

    fn write(&mut self, Record { header, block }: &Record) -> Result<Examined, Error> {
        Ok(match self {
            Self::Warc(writer) => writer.write(header, block)?,
            Self::Wacz(writer) => writer.write(header, block)?,
        })
    }
}

impl<'a> Maker<'a> {
    /// Gets ready. Errors: [`Error::NoCheckpoint`], and those of the store.
    pub(crate) fn new(
        store: &'a Store,
        notary: &'a Notary,
        grant: &'a Grant,
        plan: &'a Plan,
        version: &str,
    ) -> Result<Self, Error> {
        let mut checkpoint = notary.checkpoint(plan.log_size)?.ok_or(Error::NoCheckpoint(plan.log_size))?;
        checkpoint.timestamps.truncate(plan.timestamps);
        let note = Note::parse(checkpoint.note.as_bytes()).map_err(store::Error::from)?;
        let signed = |key: &String| {
            let key = key.parse::<VerifierKey>().map(|key| [key]);
            key.is_ok_and(|key| note.verify(&key).is_ok())
        };
        let keys = notary.keys()?.into_iter().filter(signed).collect();
        Ok(Self { store, notary, grant, plan, checkpoint, software: format!("nachtwacht/{version}"), keys })
    }

    /// Writes everything; how many captures it was, and what was written to.
    pub(crate) fn write<W: Write>(&self, out: W) -> Result<(u64, W), Error> {
        let mut progress = Progress {
            archive: Archive::new(self.plan.format, out)?,
            originals: HashMap::new(),
            leaves: Vec::new(),
            pages: Vec::new(),
        };
        progress.archive.write(&self.info()?)?;
        selected::each(self.store, self.grant, self.plan, &mut |capture, disclosure| {
            self.capture(&capture, &disclosure, &mut progress)
        })?;
        let Progress { archive, leaves, pages, .. } = progress;
        let captures = leaves.len() as u64;
        let out = match archive {
            Archive::Warc(writer) => writer.finish()?,
            Archive::Wacz(writer) => self.package(writer.end_archive()?, &leaves, pages)?,
        };
        Ok((captures, out))
    }

    fn date(&self) -> Result<Date, Error> {
        let date = Date::from_micros(self.checkpoint.signed_at.as_micros());
        Ok(date.ok_or(warc::Error::FieldMissing("WARC-Date"))?)
    }

    /// The record that describes the archive. It is dated as the checkpoint, so that the same export always says the same.
    fn info(&self) -> Result<Record, Error> {
        let fields = Fields::new()
            .with("software", &self.software)
            .with("format", "WARC File Format 1.1")
            .with("conformsTo", "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/")
            .with("isPartOf", self.plan.theme.as_str())
            .with("description", self.description());
        let fields = self.keys.iter().fold(fields, |fields, key| fields.with(verify::KEY_FIELD, key));
        let block = fields.to_bytes()?;
        let filename = match self.plan.format {
            Format::Warc => self.plan.filename(),
            Format::Wacz => DATA.to_owned(),
        };
        let id = RecordId::derived(&[b"nachtwacht info", self.plan.filename().as_bytes(), &block]);
        Ok(Record { header: Header::warcinfo(id, self.date()?, &filename), block })
    }

    fn description(&self) -> String {
        format!("captures of the theme {}, proved at {} leaves of the log", self.plan.theme, self.plan.log_size)
    }

    fn capture<W: Write>(
        &self,
        capture: &Capture,
        disclosure: &Disclosure,
        progress: &mut Progress<W>,
    ) -> Result<(), Error> {
        let payload = self.store.payload(self.grant, self.plan.theme, capture)?;
        let proof = self.notary.proof_at(disclosure.leaf, &self.checkpoint)?;
        let exhibit = Exhibit {
            capture,
            block: capture.block(&payload),
            disclosure,
            proof: &proof,
            timestamps: &self.checkpoint.timestamps,
        };
        let original = if self.plan.with_revisits { exhibit.original()? } else { None };
        let key = (capture.uri.id(), capture.payload_digest);
        let earlier = original.as_ref().and_then(|_| progress.originals.get(&key));
        let records = exhibit.records(earlier)?;
        if let Some(original) = original.filter(|_| earlier.is_none() && progress.originals.len() < MAX_ORIGINALS) {
            progress.originals.insert(key, original);
        }
        for record in &records {
            progress.archive.write(record)?;
        }
        progress.leaves.push(disclosure.leaf);
        if self.plan.format == Format::Wacz && is_page(capture) {
            let id = records.first().and_then(|record| record.header.record_id()).unwrap_or_default().to_owned();
            progress.pages.push(Page { id, url: capture.uri.as_str().to_owned(), date: exhibit.date()?, title: None });
        }
        Ok(())
    }

    /// What stands in a package besides its archive.
    fn package<W: Write>(&self, mut files: WaczFiles<W>, leaves: &[u64], pages: Vec<Page>) -> Result<W, Error> {
        files.file_from(verify::PROOFS_PATH, |out| {
            for leaf in leaves {
                let proof = self.notary.proof_at(*leaf, &self.checkpoint)?;
                write!(out, "{proof}").map_err(warc::Error::from)?;
            }
            Ok::<_, Error>(())
        })?;
        let how = HOW_TO_VERIFY.replace("{keys}", &self.keys.join("\n"));
        files.file("proof/VERIFY.md", how.as_bytes())?;
        let about = About {
            title: format!("Captures of {}", self.plan.theme),
            description: format!("Nachtwacht: {}. `proof/VERIFY.md` says how to check it.", self.description()),
            created: self.date()?,
            software: self.software.clone(),
            main_page: pages.first().map(|page| (page.url.clone(), page.date)),
        };
        let out = files.finish(&about, pages, |digest| {
            let (signature, public_key) = self.notary.sign_line(digest);
            Some(Signature { signature: signature.to_vec(), public_key: public_key.to_vec() })
        })?;
        Ok(out)
    }
}

/// Whether a reader may begin there.
fn is_page(capture: &Capture) -> bool {
    let media_type = capture.header("content-type").unwrap_or_default().to_ascii_lowercase();
    capture.outcome == Outcome::Ok
        && [&b"text/html"[..], b"application/xhtml+xml"].iter().any(|html| media_type.starts_with(html))
}

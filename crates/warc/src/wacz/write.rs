use std::{
    collections::BTreeSet,
    io::{Read, Write},
};

use data_encoding::BASE64;
use serde::Serialize;

use super::{ARCHIVES, DIGEST, INDEX, MANIFEST, Manifest, ManifestDigest, PAGES, Resource, SignedData, VERSION};
use crate::{Compression, Date, Digest, Error, Examined, Header, Result, Writer, zip::ZipWriter};

/// What the index may take of memory before it is written, in bytes: rows of some 430 bytes, so more than a million of records.
const INDEX_BYTES: usize = 512 << 20;

/// Writes a package: first its one archive, record by record, then ([`WaczWriter::end_archive`]) the files that come with it.
///
/// Nothing is sought in the output and nothing but the index is kept in memory. The same input gives the same bytes.
#[derive(Debug)]
pub struct WaczWriter<W: Write> {
    archive: Writer<ZipWriter<W>>,
    filename: String,
    index: Vec<Box<str>>,
    index_bytes: usize,
}

/// The rest of a package, behind its archive and its index.
#[derive(Debug)]
pub struct WaczFiles<W: Write> {
    zip: ZipWriter<W>,
    names: BTreeSet<String>,
}

/// What a package tells of itself.
#[derive(Debug, Clone)]
pub struct About {
    /// What it is, in a few words.
    pub title: String,
    /// What it is, in Markdown.
    pub description: String,
    /// When it was made.
    pub created: Date,
    /// What made it.
    pub software: String,
    /// Where replay begins: a page of the archive and its date.
    pub main_page: Option<(String, Date)>,
}

/// A page at which a reader may begin.
#[derive(Debug, Clone)]
pub struct Page {
    /// What tells it from the others, such as the identifier of its record.
    pub id: String,
    /// Its address.
    pub url: String,
    /// The date of its capture.
    pub date: Date,
    /// Its title.
    pub title: Option<String>,
}

/// What the caller's key made of the manifest's digest.
#[derive(Debug, Clone)]
pub struct Signature {
    /// The signature, in the raw form of its algorithm.
    pub signature: Vec<u8>,
    /// The public key that goes with it. The specification has ECDSA in mind, and programs for replay know only that; what an expert needs
    /// to check another algorithm is the caller's to put into the package.
    pub public_key: Vec<u8>,
}

impl<W: Write> WaczWriter<W> {
    /// Begins a package whose archive has this name, such as `data.warc.gz`.
    pub fn new(out: W, filename: &str) -> Result<Self> {
        let path = format!("{ARCHIVES}/{filename}");
        if !is_plain(filename) || !filename.ends_with(".warc.gz") {
            return Err(Error::UnwritablePath(path));
        }
        let mut zip = ZipWriter::new(out);
        zip.begin(&path)?;
        let archive = Writer::new(zip, Compression::Gzip);
        Ok(Self { archive, filename: filename.to_owned(), index: Vec::new(), index_bytes: 0 })
    }

    /// Writes a record, as [`Writer::write`] does.
    pub fn write(&mut self, header: &Header, block: &[u8]) -> Result<Examined> {
        let written = self.archive.write(header, block)?;
        self.list(&written)?;
        Ok(written)
    }

    /// Writes a record, as [`Writer::write_from`] does.
    pub fn write_from(&mut self, header: Header, len: u64, block: impl Read) -> Result<Examined> {
        let written = self.archive.write_from(header, len, block)?;
        self.list(&written)?;
        Ok(written)
    }

    fn list(&mut self, written: &Examined) -> Result<()> {
        if let Some(row) = written.cdxj(&self.filename) {
            self.index_bytes += row.len() + size_of::<Box<str>>();
            self.index.push(row.into_boxed_str());
        }
        if self.index_bytes > INDEX_BYTES { Err(Error::IndexTooLong(INDEX_BYTES)) } else { Ok(()) }
    }

    /// Ends the archive and writes its index.
    pub fn end_archive(mut self) -> Result<WaczFiles<W>> {
        let mut zip = self.archive.finish()?;
        zip.end()?;
        self.index.sort_unstable();
        self.index.dedup();
        zip.begin(INDEX)?;
        for row in self.index {
            zip.write_all(row.as_bytes())?;
            zip.write_all(b"\n")?;
        }
        zip.end()?;
        Ok(WaczFiles { zip, names: BTreeSet::new() })
    }
}

impl<W: Write> WaczFiles<W> {
    /// Adds a file of the caller's own. Its path is one directory and one name in visible ASCII, such as `proof/VERIFY.md`: the directories of the
    /// format are closed to others, and `wacz validate` finds only what lies one directory deep. No two files may have one name.
    pub fn file(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.file_from(path, |out| Ok(out.write_all(bytes)?))
    }

    /// The same of a file that `write` writes piece by piece. Where that fails, the package is to be given up.
    pub fn file_from<E: From<Error>>(
        &mut self,
        path: &str,
        write: impl FnOnce(&mut dyn Write) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let parts: Vec<&str> = path.split('/').collect();
        let is_own = |directory: &str| ![ARCHIVES, "indexes", "pages"].contains(&directory);
        match parts.as_slice() {
            [directory, name]
                if is_plain(directory)
                    && is_plain(name)
                    && is_own(directory)
                    && self.names.insert(name.to_lowercase()) => {}
            _ => return Err(Error::UnwritablePath(path.to_owned()).into()),
        }
        self.zip.begin(path)?;
        write(&mut self.zip)?;
        Ok(self.zip.end()?)
    }

    /// Writes the list of pages, the manifest and its digest, which `sign` may sign: it gets the text that is to be signed.
    pub fn finish(
        mut self,
        about: &About,
        pages: impl IntoIterator<Item = Page>,
        sign: impl FnOnce(&str) -> Option<Signature>,
    ) -> Result<W> {
        self.pages(pages)?;
        let resources = self.zip.entries().iter().map(|entry| Resource {
            name: entry.path.rsplit('/').next().unwrap_or_default().to_lowercase(),
            path: entry.path.clone(),
            hash: entry.digest.to_string(),
            bytes: entry.len,
        });
        let manifest = Manifest {
            profile: "data-package".to_owned(),
            wacz_version: VERSION.to_owned(),
            title: Some(about.title.clone()),
            description: Some(about.description.clone()),
            created: Some(about.created.to_string()),
            software: Some(about.software.clone()),
            main_page_url: about.main_page.as_ref().map(|(url, _)| url.clone()),
            main_page_date: about.main_page.as_ref().map(|(_, date)| date.to_string()),
            resources: resources.collect(),
        };
        let manifest = json(&manifest)?;
        self.zip.add(MANIFEST, &manifest)?;
        let hash = Digest::of(&manifest).to_string();
        let signed_data = sign(&hash).map(|signature| SignedData {
            hash: hash.clone(),
            created: about.created.to_string(),
            software: about.software.clone(),
            version: "0.1.0".to_owned(),
            signature: BASE64.encode(&signature.signature),
            public_key: BASE64.encode(&signature.public_key),
        });
        let signed_data = signed_data.map(serde_json::to_value).transpose().map_err(std::io::Error::from)?;
        let digest = ManifestDigest { path: MANIFEST.to_owned(), hash, signed_data };
        self.zip.add(DIGEST, &json(&digest)?)?;
        self.zip.finish()
    }

    fn pages(&mut self, pages: impl IntoIterator<Item = Page>) -> Result<()> {
        #[derive(Serialize)]
        struct Row<'a> {
            id: &'a str,
            url: &'a str,
            ts: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            title: Option<&'a str>,
        }
        self.zip.begin(PAGES)?;
        self.zip.write_all(b"{\"format\":\"json-pages-1.0\",\"id\":\"pages\",\"title\":\"Pages\"}\n")?;
        for page in pages {
            let row = Row { id: &page.id, url: &page.url, ts: page.date.to_string(), title: page.title.as_deref() };
            serde_json::to_writer(&mut self.zip, &row).map_err(std::io::Error::from)?;
            self.zip.write_all(b"\n")?;
        }
        self.zip.end()
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(std::io::Error::from)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Whether a name means the same on every system.
fn is_plain(name: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !name.is_empty() && name.len() < 200 && !name.starts_with('.') && name.bytes().all(is_usual)
}

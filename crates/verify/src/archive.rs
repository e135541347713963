use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use warc::{Digest, Header, Problem, Reader, SignedData, WaczLimits, WaczReader};

use crate::{Error, PROOFS_PATH};

/// A WARC file that can be read from any record on: a file, or a stored member of a WACZ.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// What it is called in the report.
    pub(crate) name: String,
    path: PathBuf,
    start: u64,
    len: u64,
}

impl Section {
    /// The whole of a file.
    pub(crate) fn whole(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Io { path: path.into(), source };
        let len = File::open(path).and_then(|file| file.metadata()).map_err(failed)?.len();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, path: path.into(), start: 0, len })
    }

    /// Whether it begins as a zip does.
    pub(crate) fn is_zip(&self) -> bool {
        let mut start = [0; 4];
        File::open(&self.path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && &start == b"PK\x03\x04"
    }

    /// The records from the byte `offset` on.
    pub(crate) fn records(&self, offset: u64) -> io::Result<Reader<impl io::BufRead + use<>>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start + offset))?;
        Ok(Reader::new(BufReader::new(file.take(self.len - offset))))
    }
}

/// A WACZ, as far as it is no archive.
#[derive(Debug)]
pub(crate) struct Package {
    /// What is wrong with its files.
    pub(crate) problems: Vec<Problem>,
    /// How many files its manifest lists.
    pub(crate) files: usize,
    pub(crate) archives: Vec<Section>,
    /// The digest of the list of proofs, as the manifest states it.
    pub(crate) proofs: Option<Digest>,
    /// The text that a signature signs.
    pub(crate) signed_text: String,
    pub(crate) signed: Option<SignedData>,
}

impl Package {
    pub(crate) fn open(file: &Section) -> Result<Self, warc::Error> {
        let mut wacz = WaczReader::open(BufReader::new(File::open(&file.path)?), WaczLimits::default())?;
        let mut archives = Vec::new();
        for path in wacz.archives().map(str::to_owned).collect::<Vec<_>>() {
            if let Some(span) = wacz.span(&path)? {
                archives.push(Section { name: path, path: file.path.clone(), start: span.offset, len: span.len });
            }
        }
        let resources = &wacz.manifest().resources;
        let proofs = resources.iter().find(|resource| resource.path == PROOFS_PATH);
        Ok(Self {
            files: resources.len(),
            proofs: proofs.and_then(|resource| resource.hash.parse().ok()),
            problems: wacz.check()?,
            archives,
            signed_text: wacz.manifest_digest().to_string(),
            signed: wacz.signed_data(),
        })
    }
}

/// Where a record lies that was read before.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) section: Section,
    pub(crate) offset: u64,
}

impl Place {
    /// Reads the record again and hands out its header and, piece by piece, its block.
    pub(crate) fn read(&self, mut take: impl FnMut(&[u8])) -> Result<Header, warc::Error> {
        let mut records = self.section.records(self.offset)?;
        let mut record = records.next_record()?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match record.read(&mut buffer)? {
                0 => return Ok(record.header().clone()),
                read => take(&buffer[..read]),
            }
        }
    }

    /// The block of the record, if it has no more than `limit` bytes.
    pub(crate) fn block(&self, limit: u64) -> Result<Option<Vec<u8>>, warc::Error> {
        let mut records = self.section.records(self.offset)?;
        let Some(mut record) = records.next_record()? else { return Ok(None) };
        if record.block_len() > limit {
            return Ok(None);
        }
        let mut block = Vec::new();
        record.read_to_end(&mut block)?;
        Ok(Some(block))
    }
}

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use warc::{Header, Reader};

use crate::Error;

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

    /// The records from the byte `offset` on.
    pub(crate) fn records(&self, offset: u64) -> io::Result<Reader<impl io::BufRead + use<>>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start + offset))?;
        Ok(Reader::new(BufReader::new(file.take(self.len - offset))))
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

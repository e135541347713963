use std::{
    collections::BTreeMap,
    fmt,
    io::{ErrorKind, Read, Seek},
};

use sha2::{Digest as _, Sha256};

use super::{ARCHIVES, DIGEST, MANIFEST, Manifest, ManifestDigest, SignedData};
use crate::{
    Digest, Error, Result, Span,
    zip::{Method, ZipReader},
};

/// What reading a package may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaczLimits {
    /// The most files in it.
    pub files: usize,
    /// The longest manifest, digest file or directory, in bytes; these are held in memory.
    pub manifest_bytes: usize,
    /// The longest content of a compressed file, in bytes. Archives are never compressed again.
    pub deflated_bytes: u64,
}

impl Default for WaczLimits {
    /// 10,000 files, 8 MiB of manifest, 1 GiB of compressed file.
    fn default() -> Self {
        Self { files: 10_000, manifest_bytes: 8 << 20, deflated_bytes: 1 << 30 }
    }
}

/// What is wrong with a package that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The manifest lists a file that is not there.
    Missing(String),
    /// The manifest lists a file twice.
    ListedTwice(String),
    /// A file is there that the manifest does not list.
    Unlisted(String),
    /// A file does not have the length that the manifest states.
    Length(String),
    /// A file does not have the SHA-256 that the manifest states, or is corrupt.
    Digest(String),
    /// The manifest states no SHA-256 for a file.
    NoDigest(String),
    /// There is no digest of the manifest.
    NoManifestDigest,
    /// The manifest does not have the digest that is stated.
    ManifestDigest,
    /// The signature is of another kind, is of something else, or tells another time than the manifest.
    SignedData,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "{path} is missing"),
            Self::ListedTwice(path) => write!(f, "{path} is listed twice"),
            Self::Unlisted(path) => write!(f, "{path} is not listed"),
            Self::Length(path) => write!(f, "{path} has another length than is listed"),
            Self::Digest(path) => write!(f, "{path} has another SHA-256 than is listed, or is corrupt"),
            Self::NoDigest(path) => write!(f, "{path} is listed without a SHA-256"),
            Self::NoManifestDigest => write!(f, "{DIGEST} is missing or cannot be read"),
            Self::ManifestDigest => write!(f, "{MANIFEST} has another SHA-256 than {DIGEST} states"),
            Self::SignedData => write!(f, "the signature in {DIGEST} does not belong to {MANIFEST}"),
        }
    }
}

/// Reads a package. Any bytes do; memory is bounded by [`WaczLimits`].
#[derive(Debug)]
pub struct WaczReader<R> {
    zip: ZipReader<R>,
    manifest: Manifest,
    manifest_digest: Digest,
    stated: Option<ManifestDigest>,
}

impl<R: Read + Seek> WaczReader<R> {
    /// Opens a package: reads its directory and its manifest.
    pub fn open(input: R, limits: WaczLimits) -> Result<Self> {
        let mut zip = ZipReader::open(input, limits.files, limits.manifest_bytes)?;
        for row in zip.rows() {
            if row.path.starts_with(ARCHIVES) && row.method != Method::Stored {
                return Err(Error::Package("an archive in it is compressed again"));
            }
            if row.method == Method::Deflated && row.len > limits.deflated_bytes {
                return Err(Error::Package("a compressed file in it is too long"));
            }
        }
        let manifest = read_short(&mut zip, MANIFEST, limits.manifest_bytes)?;
        let manifest = manifest.ok_or(Error::Package("it has no manifest"))?;
        let manifest_digest = Digest::of(&manifest);
        let manifest: Manifest =
            serde_json::from_slice(&manifest).map_err(|_| Error::Package("its manifest cannot be read"))?;
        if manifest.resources.len() > limits.files {
            return Err(Error::Package("its manifest is too long"));
        }
        let stated = read_short(&mut zip, DIGEST, limits.manifest_bytes)?;
        let stated = stated.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(Self { zip, manifest, manifest_digest, stated })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The digest of the manifest, as found; its text is what a signature signs.
    pub fn manifest_digest(&self) -> Digest {
        self.manifest_digest
    }

    /// The anonymous signature of the manifest, if it has one. To be verified by the caller, over the text of [`Self::manifest_digest`].
    pub fn signed_data(&self) -> Option<SignedData> {
        serde_json::from_value(self.stated.as_ref()?.signed_data.clone()?).ok()
    }

    /// The paths of every file, in the order in which they lie in the directory.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.zip.rows().map(|row| row.path.as_str())
    }

    /// The paths of its archives.
    pub fn archives(&self) -> impl Iterator<Item = &str> {
        self.paths().filter(|path| path.strip_prefix(ARCHIVES).is_some_and(|rest| rest.starts_with('/')))
    }

    /// The content of a file; `None` when there is no such file. Reading fails where it turns out corrupt.
    pub fn file(&mut self, path: &str) -> Result<Option<impl Read>> {
        self.zip.content(path)
    }

    /// Where the content of a file lies in the package, so that records can be read from anywhere in an archive; `None` when there is no
    /// such file, or it is compressed. What is read there, [`Self::check`] alone holds against the manifest.
    pub fn span(&mut self, path: &str) -> Result<Option<Span>> {
        self.zip.span(path)
    }

    /// Holds every file against the manifest, and the manifest against its digest.
    pub fn check(&mut self) -> Result<Vec<Problem>> {
        let mut problems = self.check_manifest();
        let mut listed = BTreeMap::new();
        for resource in &self.manifest.resources {
            if listed.insert(resource.path.clone(), resource.clone()).is_some() {
                problems.push(Problem::ListedTwice(resource.path.clone()));
            }
        }
        let lengths: BTreeMap<String, u64> = self.zip.rows().map(|row| (row.path.clone(), row.len)).collect();
        for path in lengths.keys().filter(|path| ![MANIFEST, DIGEST].contains(&path.as_str())) {
            if !listed.contains_key(path) {
                problems.push(Problem::Unlisted(path.clone()));
            }
        }
        for (path, resource) in listed {
            match lengths.get(&path) {
                None => problems.push(Problem::Missing(path)),
                Some(len) if *len != resource.bytes => problems.push(Problem::Length(path)),
                Some(_) => match resource.hash.parse::<Digest>() {
                    Err(_) => problems.push(Problem::NoDigest(path)),
                    Ok(digest) if self.digest(&path)? == Some(digest) => {}
                    Ok(_) => problems.push(Problem::Digest(path)),
                },
            }
        }
        Ok(problems)
    }

    fn check_manifest(&self) -> Vec<Problem> {
        let Some(stated) = &self.stated else { return vec![Problem::NoManifestDigest] };
        let mut problems = Vec::new();
        if stated.path != MANIFEST || stated.hash.parse() != Ok(self.manifest_digest) {
            problems.push(Problem::ManifestDigest);
        }
        let belongs = |signed: SignedData| {
            signed.hash.parse() == Ok(self.manifest_digest) && Some(signed.created) == self.manifest.created
        };
        if stated.signed_data.is_some() && !self.signed_data().is_some_and(belongs) {
            problems.push(Problem::SignedData);
        }
        problems
    }

    /// The digest of a file's content; `None` when it is corrupt.
    fn digest(&mut self, path: &str) -> Result<Option<Digest>> {
        let Some(mut content) = self.zip.content(path)? else { return Ok(None) };
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match content.read(&mut buffer) {
                Ok(0) => return Ok(Some(hash.into())),
                Ok(len) => hash.update(&buffer[..len]),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => return Ok(None),
                    _ => return Err(error.into()),
                },
            }
        }
    }
}

/// A file that is to be held in memory.
fn read_short<R: Read + Seek>(zip: &mut ZipReader<R>, path: &str, max: usize) -> Result<Option<Vec<u8>>> {
    let Some(content) = zip.content(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    content.take(max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > max { Err(Error::Package("its manifest is too long")) } else { Ok(Some(bytes)) }
}

//! The directory of backups: `manifests/`, named by their times, and `pieces/`, named by a keyed digest of what they hold, so that a name tells
//! nobody without the key what is in it.
//!
//! Everything is sealed with XChaCha20-Poly1305 under a random nonce, bound to its own name. A name appears only when its file is whole and on
//! disk, and a manifest only after its pieces.

use std::{
    collections::HashSet,
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use chacha20poly1305::{
    Key as CipherKey, XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use model::{Digest, Timestamp};

use super::{BackupError, Manifest, manifest::File};
use crate::erased::ErasureList;

/// The most of a file that is sealed at once, in bytes.
const PIECE: u64 = 4 << 20;

const NONCE: usize = 24;

/// The key of the backups. It never lies in a backup, and never shows itself.
pub struct BackupKey {
    cipher: XChaCha20Poly1305,
    /// Goes into the names of pieces.
    naming: Digest,
}

impl BackupKey {
    /// The key made of these 32 bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let derived = |purpose: &[u8]| Digest::of_parts(&[purpose, bytes]);
        Self {
            cipher: XChaCha20Poly1305::new(&CipherKey::from(*derived(b"nachtwacht backup: sealing").as_bytes())),
            naming: derived(b"nachtwacht backup: naming"),
        }
    }

    /// The name of a piece. Key and digest have fixed lengths, so that nothing can be appended to what is hashed.
    fn name(&self, piece: &[u8]) -> Digest {
        Digest::of_parts(&[self.naming.as_bytes(), Digest::of(piece).as_bytes()])
    }

    fn seal(&self, name: &str, plain: &[u8]) -> Result<Vec<u8>, BackupError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| BackupError::NoRandomness)?;
        let payload = Payload { msg: plain, aad: name.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| BackupError::NoRandomness)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>()?;
        self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: name.as_bytes() }).ok()
    }
}

/// A directory of backups.
pub(super) struct Vault<'a> {
    directory: PathBuf,
    key: &'a BackupKey,
}

impl<'a> Vault<'a> {
    /// The vault in `directory`, which is made where it is missing.
    pub(super) fn open(directory: &Path, key: &'a BackupKey) -> Result<Self, BackupError> {
        for part in ["manifests", "pieces"] {
            let part = directory.join(part);
            fs::create_dir_all(&part).map_err(BackupError::file(&part))?;
        }
        Ok(Self { directory: directory.to_owned(), key })
    }

    /// The vault in a directory that is only read.
    pub(super) fn read(directory: &Path, key: &'a BackupKey) -> Self {
        Self { directory: directory.to_owned(), key }
    }

    /// Puts a file into the vault, piece by piece; says how many bytes were not there yet.
    pub(super) fn put_file(
        &self,
        path: &Path,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(File, u64), BackupError> {
        let mut from = fs::File::open(path).map_err(BackupError::file(path))?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let mut file = File { name, len: 0, pieces: Vec::new() };
        let mut new = 0;
        loop {
            let mut piece = Vec::new();
            (&mut from).take(PIECE).read_to_end(&mut piece).map_err(BackupError::file(path))?;
            if piece.is_empty() {
                return Ok((file, new));
            }
            let name = self.key.name(&piece);
            let to = self.piece_path(&name);
            if !to.exists() {
                self.write(&to, &self.key.seal(&name.to_string(), &piece)?)?;
                new += piece.len() as u64;
            }
            file.len += piece.len() as u64;
            file.pieces.push(name);
            if !progress(piece.len() as u64) {
                return Err(BackupError::CalledOff);
            }
        }
    }

    /// The content of a piece; whatever is not exactly what was put there does not open.
    pub(super) fn piece(&self, name: &Digest) -> Result<Vec<u8>, BackupError> {
        let path = self.piece_path(name);
        let sealed = fs::read(&path).map_err(BackupError::file(&path))?;
        let piece = self.key.open(&name.to_string(), &sealed).filter(|piece| self.key.name(piece) == *name);
        piece.ok_or(BackupError::Damaged(path))
    }

    pub(super) fn put_manifest(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let name = manifest.made_at.as_micros().to_string();
        let plain = crate::codec::encode(manifest);
        self.write(&self.manifest_dir().join(&name), &self.key.seal(&name, &plain)?)
    }

    /// The list of what was erased when the last backup was made: better than none when the machine is lost.
    pub(super) fn put_erasures(&self, list: &ErasureList) -> Result<(), BackupError> {
        self.write(&self.directory.join("erasures.json"), &list.to_json())
    }

    /// Every manifest, the oldest first.
    pub(super) fn manifests(&self) -> Result<Vec<(PathBuf, Manifest)>, BackupError> {
        let directory = self.manifest_dir();
        let mut manifests = Vec::new();
        for entry in fs::read_dir(&directory).map_err(BackupError::file(&directory))? {
            let path = entry.map_err(BackupError::file(&directory))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| name.parse::<i64>().is_ok())
            else {
                continue;
            };
            let sealed = fs::read(&path).map_err(BackupError::file(&path))?;
            let manifest = self.key.open(name, &sealed).and_then(|plain| crate::codec::decode_plain(&plain));
            manifests.push((path.clone(), manifest.ok_or(BackupError::Damaged(path))?));
        }
        manifests.sort_by_key(|(_, manifest): &(PathBuf, Manifest)| manifest.made_at);
        Ok(manifests)
    }

    /// Deletes the backups that have expired, and the pieces that no other one has. A manifest that does not open stops it: it may need them.
    pub(super) fn delete_expired(&self, now: Timestamp) -> Result<u64, BackupError> {
        let (expired, valid): (Vec<_>, Vec<_>) =
            self.manifests()?.into_iter().partition(|(_, manifest)| manifest.expires_at <= now);
        for (path, _) in &expired {
            fs::remove_file(path).map_err(BackupError::file(path))?;
        }
        let needed: HashSet<String> =
            valid.iter().flat_map(|(_, manifest)| manifest.pieces()).map(ToString::to_string).collect();
        let directory = self.directory.join("pieces");
        for entry in fs::read_dir(&directory).map_err(BackupError::file(&directory))? {
            let path = entry.map_err(BackupError::file(&directory))?.path();
            let is_needed = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| needed.contains(name));
            if !is_needed {
                fs::remove_file(&path).map_err(BackupError::file(&path))?;
            }
        }
        Ok(expired.len() as u64)
    }

    fn piece_path(&self, name: &Digest) -> PathBuf {
        self.directory.join("pieces").join(name.to_string())
    }

    fn manifest_dir(&self) -> PathBuf {
        self.directory.join("manifests")
    }

    /// Writes a file whole or not at all, and waits for the disk.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
        let beside = path.with_extension("new");
        let write = || {
            let mut file = fs::File::create(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, path)?;
            fs::File::open(path.parent().unwrap_or(&self.directory))?.sync_all()
        };
        write().map_err(BackupError::file(path))
    }
}

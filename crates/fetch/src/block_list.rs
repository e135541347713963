use std::{collections::HashSet, path::PathBuf};

use md5::Md5;
use model::{Digest, Host};
use sha2::Digest as _;

use crate::Error;

/// Services that are never fetched, known by their digests only.
#[derive(Debug, Default)]
pub(crate) struct BlockList {
    md5: HashSet<[u8; 16]>,
    sha256: HashSet<[u8; 32]>,
}

impl BlockList {
    /// Reads all `paths`. One that cannot be read or understood fails the whole.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut list = Self::default();
        for path in paths {
            let text =
                std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.clone(), source })?;
            for (at, line) in text.lines().enumerate() {
                let digest = line.split('#').next().unwrap_or_default().trim();
                if !digest.is_empty() && !list.insert(digest) {
                    return Err(Error::BlockList { path: path.clone(), line: at + 1 });
                }
            }
        }
        Ok(list)
    }

    /// Takes one digest in hexadecimal digits; false when it is none.
    fn insert(&mut self, digest: &str) -> bool {
        let Ok(bytes) = data_encoding::HEXLOWER_PERMISSIVE.decode(digest.as_bytes()) else { return false };
        if let Ok(md5) = bytes.as_slice().try_into() {
            self.md5.insert(md5);
        } else if let Ok(sha256) = bytes.try_into() {
            self.sha256.insert(sha256);
        } else {
            return false;
        }
        true
    }

    /// Whether the domain is listed: as Ahmia does it, the digest of `<56 characters>.onion` without subdomains.
    pub(crate) fn contains(&self, host: &Host) -> bool {
        let domain = host.to_string();
        let md5: [u8; 16] = Md5::digest(domain.as_bytes()).into();
        self.md5.contains(&md5) || self.sha256.contains(Digest::of(domain.as_bytes()).as_bytes())
    }

    pub(crate) fn len(&self) -> usize {
        self.md5.len() + self.sha256.len()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use model::OnionAddress;

    use super::*;

    fn list(text: &str) -> Result<BlockList, Error> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        BlockList::read(&[file.path().to_owned()])
    }

    #[test]
    fn md5_and_sha_256_of_the_domain_are_recognised() {
        let (one, two, three) = ([1; 32], [2; 32], [3; 32]);
        let domain = |key| OnionAddress::from_public_key(key).to_string();
        let md5 = data_encoding::HEXUPPER.encode(&Md5::digest(domain(one).as_bytes()));
        let sha = Digest::of(domain(two).as_bytes());
        let list = list(&format!("# services\n\n{md5}  # the first\r\n {sha}\n")).unwrap();
        assert_eq!(list.len(), 2);
        let host = |key| Host::Onion(OnionAddress::from_public_key(key));
        assert!(list.contains(&host(one)) && list.contains(&host(two)));
        assert!(!list.contains(&host(three)));
    }

    #[test]
    fn a_line_that_is_no_digest_is_named() {
        let error = list("# fine\nd41d8cd98f00b204e9800998ecf8427e\nnot a digest\n").unwrap_err();
        assert!(matches!(error, Error::BlockList { line: 3, .. }), "{error}");
        assert!(list("d41d8cd98f00b204").is_err());
    }
}

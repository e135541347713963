//! Proofs that stand alone (C2SP tlog-proof@v1): index, path and signed checkpoint in one text.

use std::fmt;

use data_encoding::BASE64;

use crate::{Checkpoint, Error, Hash, Note, VerifierKey, leaf_hash, text::decimal, verify_inclusion};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1\n";

/// The longest path in a tree whose size has 64 bits.
const MAX_HASHES: usize = 64;

/// That a log holds an entry at an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// Opaque data that nothing authenticates; ours have none.
    pub extra: Option<Vec<u8>>,
    /// Where in the log the entry is.
    pub index: u64,
    /// The path from the entry to the root, lowest first.
    pub hashes: Vec<Hash>,
    /// The checkpoint whose root it is.
    pub checkpoint: Note,
}

impl InclusionProof {
    /// Reads a proof, without checking it. Errors: [`Error::Malformed`], [`Error::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let text = str::from_utf8(bytes).map_err(|_| malformed("not UTF-8"))?;
        let rest = text.strip_prefix(FIRST_LINE).ok_or_else(|| malformed("it does not begin as one"))?;
        let (head, checkpoint) = rest.split_once("\n\n").ok_or_else(|| malformed("no checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        let extra = lines.next_if(|line| line.starts_with("extra ")).map(parse_extra).transpose()?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or_else(|| malformed("no index"))?;
        let hashes: Vec<_> = lines.take(MAX_HASHES + 1).map(str::parse).collect::<Result<_, _>>()?;
        if hashes.len() > MAX_HASHES {
            return Err(malformed("a path longer than any tree is high"));
        }
        Ok(Self { extra, index, hashes, checkpoint: Note::parse(checkpoint.as_bytes())? })
    }

    /// Checks that the path leads from `entry` to the root that the checkpoint states, whoever signed it.
    /// Errors: [`Error::Malformed`] for a note that is no checkpoint, [`Error::OutOfRange`], [`Error::Refuted`].
    pub fn verify_path(&self, entry: &[u8]) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::of(&self.checkpoint)?;
        verify_inclusion(&leaf_hash(entry), self.index, checkpoint.size, &self.hashes, &checkpoint.root)?;
        Ok(checkpoint)
    }

    /// Checks the path and that one of `keys` signed the checkpoint. Errors: those of [`Self::verify_path`] and
    /// [`Checkpoint::verify`].
    pub fn verify(&self, entry: &[u8], keys: &[VerifierKey]) -> Result<Checkpoint, Error> {
        Checkpoint::verify(&self.checkpoint, keys)?;
        self.verify_path(entry)
    }
}

impl fmt::Display for InclusionProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FIRST_LINE)?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", BASE64.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

fn parse_extra(line: &str) -> Result<Vec<u8>, Error> {
    let data = line.strip_prefix("extra ").unwrap_or(line);
    BASE64.decode(data.as_bytes()).map_err(|_| malformed("extra data that is not base64"))
}

fn malformed(why: &str) -> Error {
    Error::malformed("proof", why)
}

#[cfg(test)]
mod tests;

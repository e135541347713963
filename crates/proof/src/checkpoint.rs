//! Checkpoints (C2SP tlog-checkpoint): the root of a log at a size, as a signed note.

use std::fmt;

use crate::{Error, Hash, Note, SignerKey, VerifierKey, text::decimal};

/// What a log stands by: so many leaves, and this root over them. Text form: the body of the note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, which its keys bear too.
    pub origin: String,
    /// How many leaves the log has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Further lines, which nobody can audit; ours have none.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// The checkpoint as a note signed by each of `keys`. Errors: [`Error::Malformed`] for an origin or extension that
    /// is empty or no line of text, for a key of another name than the origin, and without keys.
    pub fn sign(&self, keys: &[&SignerKey]) -> Result<Note, Error> {
        if keys.iter().any(|key| key.verifier().name() != self.origin) {
            return Err(malformed("the key bears another name than the log"));
        }
        let note = Note::sign(&self.to_string(), keys)?;
        if Self::of(&note)? == *self { Ok(note) } else { Err(malformed("a line that is none")) }
    }

    /// What the note says, whoever signed it.
    pub fn of(note: &Note) -> Result<Self, Error> {
        let lines = note.text().strip_suffix('\n').ok_or_else(|| malformed("the last line does not end"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(malformed("fewer than three lines"));
        };
        let size = decimal(size).ok_or_else(|| malformed("the size is no decimal number"))?;
        let root = root.parse().map_err(|_| malformed("the root is not the base64 form of 32 bytes"))?;
        let extensions: Vec<_> = lines.map(str::to_owned).collect();
        if origin.is_empty() || extensions.iter().any(String::is_empty) {
            return Err(malformed("an empty line"));
        }
        Ok(Self { origin: origin.into(), size, root, extensions })
    }

    /// What the note says, if the log signed it: a trusted key whose name is the origin. Several keys may bear the name,
    /// so that a log may change its key and its old checkpoints stay good.
    /// Errors: [`Error::Malformed`], [`Error::Untrusted`], [`Error::BadSignature`].
    pub fn verify(note: &Note, keys: &[VerifierKey]) -> Result<Self, Error> {
        let checkpoint = Self::of(note)?;
        let keys: Vec<_> = keys.iter().filter(|key| key.name() == checkpoint.origin).cloned().collect();
        note.verify(&keys)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn malformed(why: &str) -> Error {
    Error::malformed("checkpoint", why)
}

#[cfg(test)]
mod tests;

//! Signed notes (C2SP signed-note): text, an empty line, and a line for each signature.

use std::fmt;

use data_encoding::BASE64;

use crate::{
    Error,
    key::{KeyId, SignerKey, VerifierKey, is_name},
};

/// The greatest length of a note, in bytes.
pub const MAX_NOTE_BYTES: usize = 1 << 20;

/// The greatest number of signatures of a note.
pub const MAX_SIGNATURES: usize = 100;

/// A text and its signatures, which say nothing until [`Note::verify`] has been asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    id: KeyId,
    bytes: Vec<u8>,
}

impl Note {
    /// A text signed by each of `keys`.
    /// Errors: [`Error::Malformed`] for a text that no note can carry, and without keys.
    pub fn sign(text: &str, keys: &[&SignerKey]) -> Result<Self, Error> {
        let signatures = keys.iter().map(|key| NoteSignature {
            name: key.verifier().name().into(),
            id: key.verifier().id(),
            bytes: key.sign(text.as_bytes()).to_vec(),
        });
        let note = Self { text: text.into(), signatures: signatures.collect() };
        // What would not be read as it was written is not written.
        if Self::parse(note.to_string().as_bytes())? == note {
            Ok(note)
        } else {
            Err(malformed("the text does not end in a newline"))
        }
    }

    /// Reads a note, without checking a signature. Errors: [`Error::Malformed`], [`Error::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(Error::TooLarge { what: "note", limit: MAX_NOTE_BYTES });
        }
        let whole = str::from_utf8(bytes).map_err(|_| malformed("not UTF-8"))?;
        if whole.contains(|c| c < ' ' && c != '\n') {
            return Err(malformed("a control character"));
        }
        let split = whole.rfind("\n\n").ok_or_else(|| malformed("no empty line before signatures"))?;
        let (text, lines) = (&whole[..=split], &whole[split + 2..]);
        let lines = lines.strip_suffix('\n').ok_or_else(|| malformed("the last line does not end"))?;
        let signatures = lines.split('\n').map(parse_signature).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(malformed("too many signatures"));
        }
        Ok(Self { text: text.into(), signatures })
    }

    /// The text, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which of the trusted `keys` signed this. Signatures by others are ignored.
    /// Errors: [`Error::BadSignature`] if one of the keys is said to have signed and has not, [`Error::Untrusted`] if none is.
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<&'k VerifierKey>, Error> {
        let mut signers = Vec::new();
        for signature in &self.signatures {
            for key in keys.iter().filter(|key| key.name() == signature.name && key.id() == signature.id) {
                if !key.accepts(self.text.as_bytes(), &signature.bytes) {
                    return Err(Error::BadSignature { key: key.to_string() });
                }
                signers.push(key);
            }
        }
        if signers.is_empty() { Err(Error::Untrusted) } else { Ok(signers) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|NoteSignature { name, id, bytes }| {
            writeln!(f, "\u{2014} {name} {}", BASE64.encode(&[id, &bytes[..]].concat()))
        })
    }
}

fn parse_signature(line: &str) -> Result<NoteSignature, Error> {
    let parts = line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' '));
    let (name, signature) =
        parts.filter(|(name, _)| is_name(name)).ok_or_else(|| malformed("no line of a signature"))?;
    let bytes = BASE64.decode(signature.as_bytes()).map_err(|_| malformed("a signature that is not base64"))?;
    match bytes.split_first_chunk() {
        Some((id, bytes)) if !bytes.is_empty() => Ok(NoteSignature { name: name.into(), id: *id, bytes: bytes.into() }),
        _ => Err(malformed("a signature without content")),
    }
}

fn malformed(why: &str) -> Error {
    Error::malformed("note", why)
}

#[cfg(test)]
mod tests;

//! As much of DER (X.690) as time-stamps need.

use der::{
    Reader as _, SliceReader, Tag, TagNumber, Tagged as _,
    asn1::{AnyRef, ObjectIdentifier},
};

use super::token::malformed;
use crate::Error;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The fields of a constructed value, one after the other.
#[derive(Clone)]
pub(super) struct Fields<'a>(SliceReader<'a>);

impl<'a> Fields<'a> {
    pub(super) fn of(content: &'a [u8]) -> Result<Self, Error> {
        SliceReader::new(content).map(Self).map_err(|_| malformed("a length beyond what is there"))
    }

    /// The next field, whatever it is.
    pub(super) fn any(&mut self) -> Result<AnyRef<'a>, Error> {
        self.0.decode().map_err(|_| malformed("no DER where a field is due"))
    }

    /// The content of the next field, which has this tag.
    pub(super) fn content(&mut self, tag: Tag) -> Result<&'a [u8], Error> {
        let field = self.any()?;
        if field.tag() == tag {
            Ok(field.value())
        } else {
            Err(malformed(&format!("{} instead of {tag}", field.tag())))
        }
    }

    /// The content of the next field if it has this tag; else the field stays.
    pub(super) fn optional(&mut self, tag: Tag) -> Result<Option<&'a [u8]>, Error> {
        if Tag::peek(&self.0).is_ok_and(|next| next == tag) { self.content(tag).map(Some) } else { Ok(None) }
    }

    pub(super) fn sequence(&mut self) -> Result<Self, Error> {
        self.content(Tag::Sequence).and_then(Self::of)
    }

    pub(super) fn oid(&mut self) -> Result<ObjectIdentifier, Error> {
        let content = self.content(Tag::ObjectIdentifier)?;
        ObjectIdentifier::from_bytes(content).map_err(|_| malformed("a bad object identifier"))
    }

    /// The identifier of an algorithm; its parameters are not looked at.
    pub(super) fn algorithm(&mut self) -> Result<ObjectIdentifier, Error> {
        self.sequence()?.oid()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    pub(super) fn finish(&self) -> Result<(), Error> {
        if self.is_finished() { Ok(()) } else { Err(malformed("more fields than are due")) }
    }
}

/// The tag `[number]`, constructed.
pub(super) const fn tagged(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

/// The content of an INTEGER.
pub(super) fn unsigned(number: u64) -> Vec<u8> {
    // One byte more, so that the sign bit is free.
    let bytes = [&[0], &number.to_be_bytes()[..]].concat();
    let spare = bytes.windows(2).take_while(|pair| pair[0] == 0 && pair[1] < 0x80).count();
    bytes[spare..].to_vec()
}

/// A value of this tag, with its length in the shortest form.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let zeroes = length.iter().take_while(|byte| **byte == 0).count().min(length.len() - 1);
    let length = &length[zeroes..];
    // The long form says first of how many bytes the length is.
    #[expect(clippy::cast_possible_truncation, reason = "a length has at most eight bytes")]
    let prefix = if content.len() < 0x80 { None } else { Some(0x80 | length.len() as u8) };
    [tag].into_iter().chain(prefix).chain(length.iter().copied()).chain(content.iter().copied()).collect()
}

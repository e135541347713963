//! The ZIP files that packages are (APPNOTE 6.3.10): written without seeking and the same each time, read with suspicion.
//!
//! A zip can show one content to a program that follows its directory, and another to one that follows its entries. As evidence only a
//! file will do in which both are the same: that is what [`ZipReader`] holds it to, and why no general library stands here.

mod read;
mod write;

pub(crate) use read::{Method, ZipReader};
pub(crate) use write::ZipWriter;

const LOCAL: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;

/// The tag of the extra field that holds long numbers.
const EXTRA_64: u16 = 1;
/// In place of a number that is too long for its field.
const LONG: u32 = u32::MAX;
const LONG_COUNT: u16 = u16::MAX;

/// Flag: checksum and sizes follow the data.
const HAS_DESCRIPTOR: u16 = 1 << 3;

/// Whether a path names a file within the package and nothing else, on any system. A directory's ends in a slash.
fn is_safe(path: &str) -> bool {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    let has_trick = |character: char| character.is_control() || "\\:*?\"<>|".contains(character);
    !path.contains(has_trick) && path.strip_suffix('/').unwrap_or(path).split('/').all(is_plain)
}

#[cfg(test)]
mod tests;

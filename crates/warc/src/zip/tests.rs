use std::io::{Cursor, Read, Result as IoResult, Seek, SeekFrom, Write};

use proptest::prelude::*;

use super::*;
use crate::{Error, Result};

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Vec::new());
    for (path, content) in files {
        writer.add(path, content).unwrap();
    }
    writer.finish().unwrap()
}

fn open(bytes: &[u8]) -> Result<ZipReader<Cursor<&[u8]>>> {
    ZipReader::open(Cursor::new(bytes), 100, 10_000)
}

fn content<R: Read + Seek>(zip: &mut ZipReader<R>, path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    zip.content(path).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[track_caller]
fn refused(bytes: &[u8], why: &str) {
    match open(bytes) {
        Err(Error::Package(reason)) => assert_eq!(reason, why),
        opened => panic!("{why}: {opened:?}"),
    }
}

/// The bytes with `change` at the place where `mark` lies first, and so far behind it.
fn patched(bytes: &[u8], mark: u32, behind: usize, change: &[u8]) -> Vec<u8> {
    let at = bytes.windows(4).position(|window| window == mark.to_le_bytes()).unwrap() + behind;
    let mut bytes = bytes.to_vec();
    bytes[at..at + change.len()].copy_from_slice(change);
    bytes
}

#[test]
fn files_come_back() {
    let bytes = zip(&[("a/b.txt", b"hello"), ("c", b"")]);
    let mut zip = open(&bytes).unwrap();
    let rows: Vec<_> = zip.rows().map(|row| (row.path.clone(), row.len, row.method)).collect();
    assert_eq!(rows, [("a/b.txt".to_owned(), 5, Method::Stored), ("c".to_owned(), 0, Method::Stored)]);
    assert_eq!(content(&mut zip, "a/b.txt"), b"hello");
    assert_eq!(content(&mut zip, "c"), b"");
    assert!(zip.content("d").unwrap().is_none());
}

/// A file that begins with a hole.
struct Holed {
    hole: u64,
    at: u64,
    bytes: Vec<u8>,
}

impl Read for Holed {
    fn read(&mut self, into: &mut [u8]) -> IoResult<usize> {
        let at = usize::try_from(self.at.checked_sub(self.hole).expect("the hole is not read")).unwrap();
        let len = self.bytes.get(at..).unwrap_or_default().read(into)?;
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for Holed {
    fn seek(&mut self, to: SeekFrom) -> IoResult<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(0) => self.hole + self.bytes.len() as u64,
            _ => panic!("{to:?}"),
        };
        Ok(self.at)
    }
}

#[test]
fn what_lies_beyond_4_gib_is_found() {
    let hole = 5 << 30;
    let mut writer = ZipWriter::new_at(Vec::new(), hole);
    writer.add("a/b.txt", b"hello").unwrap();
    let bytes = writer.finish().unwrap();
    let mut zip = ZipReader::open(Holed { hole, at: 0, bytes }, 100, 10_000).unwrap();
    assert_eq!(content(&mut zip, "a/b.txt"), b"hello");
}

/// A file in which zeros take no room.
struct Sparse(std::fs::File);

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        if bytes.iter().any(|&byte| byte != 0) {
            return self.0.write(bytes);
        }
        self.0.seek_relative(i64::try_from(bytes.len()).unwrap())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        let end = self.0.stream_position()?;
        self.0.set_len(end)
    }
}

#[test]
fn an_entry_longer_than_4_gib_comes_back() {
    if std::env::var_os("NACHTWACHT_FULL").is_none_or(|full| full != "1") {
        return;
    }
    let len = (4 << 30) + 1;
    let mut writer = ZipWriter::new(Sparse(tempfile::tempfile().unwrap()));
    writer.begin("a").unwrap();
    std::io::copy(&mut std::io::repeat(0).take(len), &mut std::io::BufWriter::with_capacity(1 << 20, &mut writer))
        .unwrap();
    writer.end().unwrap();
    writer.add("b", b"hello").unwrap();
    let file = writer.finish().unwrap().0;
    let mut zip = ZipReader::open(file, 100, 10_000).unwrap();
    assert_eq!(std::io::copy(&mut zip.content("a").unwrap().unwrap(), &mut std::io::sink()).unwrap(), len);
    assert_eq!(content(&mut zip, "b"), b"hello");
}

#[test]
fn many_files_are_counted_with_long_numbers() {
    let mut writer = ZipWriter::new(Vec::new());
    for number in 0..70_000 {
        writer.add(&format!("a/{number}"), b"").unwrap();
    }
    let bytes = writer.finish().unwrap();
    let zip = ZipReader::open(Cursor::new(bytes.as_slice()), 70_000, 10 << 20).unwrap();
    assert_eq!(zip.rows().count(), 70_000);
    assert!(ZipReader::open(Cursor::new(bytes.as_slice()), 69_999, 10 << 20).is_err());
}

#[test]
fn deflated_files_come_back_within_their_length() {
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&[b'a'; 1000]).unwrap();
    let packed = packed.finish().unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(&[b'a'; 1000]);
    let deflated = |len: u32, crc: u32| {
        let bytes = zip(&[("a", &packed)]);
        let bytes = patched(&bytes, LOCAL, 8, &8_u16.to_le_bytes());
        let bytes = patched(&bytes, CENTRAL, 10, &8_u16.to_le_bytes());
        let bytes = patched(&bytes, CENTRAL, 16, &crc.to_le_bytes());
        patched(&bytes, CENTRAL, 24, &len.to_le_bytes())
    };
    let mut read = Vec::new();
    open(&deflated(1000, crc.sum())).unwrap().content("a").unwrap().unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, [b'a'; 1000]);
    for (len, crc) in [(999, crc.sum()), (1001, crc.sum()), (1000, 0)] {
        let mut read = Vec::new();
        let bytes = deflated(len, crc);
        assert!(open(&bytes).unwrap().content("a").unwrap().unwrap().read_to_end(&mut read).is_err(), "{len}");
        assert!(read.len() <= 1000);
    }
}

#[test]
fn a_flipped_bit_is_found() {
    let bytes = zip(&[("a", b"hello")]);
    let at = bytes.windows(5).position(|window| window == b"hello").unwrap();
    let changed = patched(&bytes, LOCAL, at, b"j");
    assert!(open(&changed).unwrap().content("a").unwrap().unwrap().read_to_end(&mut Vec::new()).is_err());
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for path in ["../a", "/a", "a/../b", "a//b", "./a", "a\\b", "c:a", "a\0", "", "a/..", "//"] {
        refused(&zip(&[(path, b"")]), "the path of an entry leads elsewhere");
    }
    assert!(open(&zip(&[("a/", b""), ("a/b..c", b""), ("é", b"")])).is_ok());
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let bytes = zip(&[("a", b"hello"), ("b", b"world")]);
    let at_end = "it is no zip, or something lies behind its directory";
    refused(&[&bytes[..], b"x"].concat(), at_end);
    refused(&bytes[..bytes.len() - 1], at_end);
    refused(b"", at_end);
    refused(&[b"x", &bytes[..]].concat(), "its directory does not end where the file does");
    refused(&zip(&[("a", b""), ("a", b"")]), "two entries have one path");
    refused(&patched(&bytes, LOCAL, 8, &[8]), "an entry and its row in the directory differ");
    refused(&patched(&bytes, LOCAL, 30, b"c"), "an entry and its row in the directory differ");
    refused(&patched(&bytes, LOCAL, 0, b"x"), "an entry and its row in the directory differ");
    refused(&patched(&bytes, CENTRAL, 24, &[4]), "an entry has two lengths");
    refused(&patched(&bytes, CENTRAL, 8, &[9]), "an entry is encrypted, or compressed in an unknown way");
    refused(&patched(&bytes, CENTRAL, 10, &[12]), "an entry is encrypted, or compressed in an unknown way");
    refused(&patched(&bytes, CENTRAL, 20, &[200, 0, 0, 0, 200]), "two entries share bytes");
    refused(&patched(&bytes, CENTRAL, 42, &bytes.len().to_le_bytes()[..4]), "a row of its directory cannot be read");
    refused(&patched(&bytes, CENTRAL, 28, &[200]), "a row of its directory cannot be read");
    refused(&patched(&bytes, END, 8, &[1, 0, 1, 0]), "its directory is longer than its rows");
    refused(&patched(&bytes, END, 8, &[101, 0, 101, 0]), "its directory is too long");
    refused(&patched(&bytes, END, 12, &[1]), "its directory does not end where the file does");
    let alone = zip(&[("a", b"hello")]);
    refused(&patched(&alone, CENTRAL, 20, &[200, 0, 0, 0, 200]), "an entry shares bytes with the directory");
    refused(&zip(&[(&"a".repeat(10_000), b"")]), "its directory is too long");
}

proptest! {
    #[test]
    fn any_change_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = zip(&[("a", b"hello"), ("b/c", b"world")]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        for bytes in [&bytes[..], &bytes[cut.index(bytes.len())..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(mut zip) = open(bytes) {
                let paths: Vec<String> = zip.rows().map(|row| row.path.clone()).collect();
                for path in paths {
                    let _ = zip.content(&path).unwrap().unwrap().read_to_end(&mut Vec::new());
                }
            }
        }
    }
}

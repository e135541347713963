//! Any bytes as an archive: records or damage, within the bounds, and the same however they are read.

#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use warc::{Digest, Error, Limits, Reader, Result};

const LIMITS: Limits = Limits { header_bytes: 4096, block_bytes: 1 << 20 };

fuzz_target!(|bytes: &[u8]| {
    let (mut read, mut passed, mut examined) = (Vec::new(), 0, Vec::new());
    check(each(bytes, |reader| {
        let Some(mut record) = reader.next_record()? else { return Ok(false) };
        let mut block = Vec::new();
        record.read_to_end(&mut block)?;
        assert_eq!(block.len() as u64, record.block_len());
        let span = record.finish()?;
        assert!(span.offset + span.len <= bytes.len() as u64);
        read.push((span, Digest::of(&block)));
        Ok(true)
    }));
    check(each(bytes, |reader| {
        let Some(record) = reader.next_record()? else { return Ok(false) };
        record.finish()?;
        passed += 1;
        Ok(true)
    }));
    check(each(bytes, |reader| {
        let Some(record) = reader.next_record()? else { return Ok(false) };
        let record = record.examine()?;
        let _ = record.cdxj("data.warc.gz");
        examined.push((record.span, record.checked.block_digest));
        Ok(true)
    }));
    assert_eq!((read.len(), &read), (passed, &examined));
});

fn each<'a>(bytes: &'a [u8], mut next: impl FnMut(&mut Reader<&'a [u8]>) -> Result<bool>) -> Result<()> {
    let mut reader = Reader::with_limits(bytes, LIMITS);
    while next(&mut reader)? {}
    Ok(())
}

fn check(result: Result<()>) {
    if let Err(error) = result {
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
    }
}

//! Writing and reading, held against each other.

use std::io::Read;

use proptest::prelude::*;

use super::*;

const URI: &str = "http://shopexampleaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad.onion/a?b=c";

fn id(number: u8) -> RecordId {
    RecordId::derived(&[&[number]])
}

fn date() -> Date {
    "2026-01-31T12:00:00.123456Z".parse().unwrap()
}

/// Every record of a file with its block, or the damage that ends it.
fn read(bytes: &[u8]) -> Result<Vec<(Header, Vec<u8>, Span)>> {
    let mut reader = Reader::new(bytes);
    let mut records = Vec::new();
    while let Some(mut record) = reader.next_record()? {
        let header = record.header().clone();
        let mut block = Vec::new();
        record.read_to_end(&mut block)?;
        records.push((header, block, record.finish()?));
    }
    Ok(records)
}

/// A capture as an archive holds it.
fn capture() -> Vec<(Header, Vec<u8>)> {
    let response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_vec();
    let fields = Fields::new().with("via", "http://a.onion/").with("hopsFromSeed", "LL").with("fetchTimeMs", "1500");
    vec![
        (
            Header::warcinfo(id(0), date(), "a.warc.gz"),
            Fields::new().with("software", "nachtwacht").to_bytes().unwrap(),
        ),
        (
            Header::request(id(1), date(), URI).warcinfo_id(id(0)).concurrent_to(id(2)).redacted("cookie"),
            b"GET /a?b=c HTTP/1.1\r\nCookie: sha256:00\r\n\r\n".to_vec(),
        ),
        (
            Header::response(id(2), date(), URI).warcinfo_id(id(0)).protocol("http/1.1").protocol("tls/1.3"),
            response.clone(),
        ),
        (Header::metadata(id(3), date(), URI).concurrent_to(id(1)).concurrent_to(id(2)), fields.to_bytes().unwrap()),
        (Header::resource(id(4), date(), "urn:x:certificate", "application/pkix-cert"), vec![0, 1, 2]),
        (
            Header::revisit(
                id(5),
                date(),
                URI,
                &Original { id: id(2), target_uri: URI.to_owned(), date: date(), payload_digest: Digest::of(b"hello") },
            ),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
        ),
    ]
}

fn write(records: &[(Header, Vec<u8>)], compression: Compression) -> (Vec<u8>, Vec<Span>) {
    let mut writer = Writer::new(Vec::new(), compression);
    let spans = records.iter().map(|(header, block)| writer.write(header, block).unwrap().span).collect();
    (writer.finish().unwrap(), spans)
}

#[test]
fn a_capture_reads_as_text() {
    let (bytes, _) = write(&capture()[1..3], Compression::None);
    let expected = format!(
        "WARC/1.1\r\n\
        WARC-Type: request\r\n\
        WARC-Record-ID: <{}>\r\n\
        WARC-Date: 2026-01-31T12:00:00.123456Z\r\n\
        WARC-Target-URI: {URI}\r\n\
        Content-Type: application/http; msgtype=request\r\n\
        WARC-Warcinfo-ID: <{}>\r\n\
        WARC-Concurrent-To: <{}>\r\n\
        Nachtwacht-Redacted: cookie\r\n\
        WARC-Block-Digest: {}\r\n\
        Content-Length: 42\r\n\
        \r\n\
        GET /a?b=c HTTP/1.1\r\nCookie: sha256:00\r\n\r\n\
        \r\n\r\n\
        WARC/1.1\r\n\
        WARC-Type: response\r\n\
        WARC-Record-ID: <{}>\r\n\
        WARC-Date: 2026-01-31T12:00:00.123456Z\r\n\
        WARC-Target-URI: {URI}\r\n\
        Content-Type: application/http; msgtype=response\r\n\
        WARC-Warcinfo-ID: <{}>\r\n\
        WARC-Protocol: http/1.1\r\n\
        WARC-Protocol: tls/1.3\r\n\
        WARC-Block-Digest: {}\r\n\
        WARC-Payload-Digest: {}\r\n\
        Content-Length: 62\r\n\
        \r\n\
        HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n\
        \r\n\r\n",
        id(1),
        id(0),
        id(2),
        Digest::of(&capture()[1].1),
        id(2),
        id(0),
        Digest::of(&capture()[2].1),
        Digest::of(b"hello"),
    );
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn what_is_written_is_read_back_and_found_again() {
    for compression in [Compression::None, Compression::Gzip] {
        let (bytes, spans) = write(&capture(), compression);
        let found = read(&bytes).unwrap();
        assert_eq!(found.len(), capture().len());
        for ((header, block), (found, found_block, found_span)) in capture().iter().zip(&found) {
            let written: Vec<_> = header.fields().iter().collect();
            assert_eq!(found.fields().iter().take(written.len()).collect::<Vec<_>>(), written);
            assert_eq!(block, found_block);
            let alone =
                &bytes[usize::try_from(found_span.offset).unwrap()..][..usize::try_from(found_span.len).unwrap()];
            let end: &[u8] = if compression == Compression::None { b"\r\n\r\n" } else { b"" };
            assert_eq!(&read(&[alone, end].concat()).unwrap()[0].0, found);
        }
        assert_eq!(found.iter().map(|(_, _, span)| *span).collect::<Vec<_>>(), spans);
    }
}

#[test]
fn the_same_records_give_the_same_bytes() {
    assert_eq!(write(&capture(), Compression::Gzip), write(&capture(), Compression::Gzip));
}

#[test]
fn checks_say_what_each_digest_is_worth() {
    use Verdict::{Absent, Matches, NotHere};
    let (bytes, _) = write(&capture(), Compression::Gzip);
    let mut reader = Reader::new(bytes.as_slice());
    let mut verdicts = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        let checked = record.examine().unwrap().checked;
        verdicts.push((checked.block, checked.payload));
    }
    let expected = [
        (Matches, Absent),
        (Matches, Absent),
        (Matches, Matches),
        (Matches, Absent),
        (Matches, Matches),
        (Matches, NotHere),
    ];
    assert_eq!(verdicts, expected);
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let records = &capture()[2..3];
    let (plain, _) = write(records, Compression::None);
    let block_at = plain.len() - 4 - records[0].1.len();
    let mut changed = plain.clone();
    changed[block_at + 52] ^= 1;
    let checked = Reader::new(changed.as_slice()).next_record().unwrap().unwrap().examine().unwrap().checked;
    assert_eq!((checked.block, checked.payload), (Verdict::Differs, Verdict::Differs));

    let (gzip, _) = write(records, Compression::Gzip);
    // A member's first flag, time, level and operating system say nothing about its content, and carry no check.
    for at in (0..gzip.len()).filter(|at| !(3..10).contains(at)) {
        let mut changed = gzip.clone();
        changed[at] ^= 1;
        assert!(matches!(read(&changed), Err(Error::Damaged { offset: 0, .. })), "byte {at}");
    }
}

#[test]
fn an_archive_that_is_cut_short_is_damaged() {
    for compression in [Compression::None, Compression::Gzip] {
        let (bytes, spans) = write(&capture()[..3], compression);
        let starts: Vec<usize> = spans.iter().map(|span| usize::try_from(span.offset).unwrap()).collect();
        for len in 1..bytes.len() {
            let found = read(&bytes[..len]);
            if starts.contains(&len) {
                assert!(found.is_ok());
            } else {
                let start = *starts.iter().rfind(|start| **start < len).unwrap() as u64;
                assert!(matches!(found, Err(Error::Damaged { offset, .. }) if offset == start), "{len}: {found:?}");
            }
        }
    }
}

#[test]
fn damage_is_named() {
    let check = |bytes: &str, expected| match read(bytes.as_bytes()) {
        Err(Error::Damaged { damage, .. }) => assert_eq!(damage, expected, "{bytes:?}"),
        found => panic!("{bytes:?}: {found:?}"),
    };
    check("hello", Damage::NoRecord);
    check("WARC/2.0\r\n\r\n", Damage::NoRecord);
    check("WARC/1.1\r\nA\r\n\r\n", Damage::Field);
    check("WARC/1.1\r\nA: b\r\n\r\n", Damage::NoLength);
    check("WARC/1.1\r\nContent-Length: -1\r\n\r\n", Damage::NoLength);
    check("WARC/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", Damage::NoLength);
    check("WARC/1.1\r\nContent-Length: 99999999999999\r\n\r\n", Damage::BlockTooLong);
    check("WARC/1.1\r\nContent-Length: 1\r\n\r\n", Damage::CutShort);
    check("WARC/1.1\r\nContent-Length: 1\r\n\r\nab\r\n\r\n", Damage::NoEnd);
    check(&format!("WARC/1.1\r\nA: {}\r\n", "b".repeat(64 << 10)), Damage::HeaderTooLong);
    check("WARC/1.1\r\nContent-Length: 1\r\n\r\na\r\n\r\nWARC", Damage::CutShort);
}

#[test]
fn behind_damage_nothing_is_read() {
    let mut reader = Reader::new(b"hello".as_slice());
    assert!(reader.next_record().is_err());
    assert!(reader.next_record().unwrap().is_none());
}

#[test]
fn a_member_with_two_records_is_damaged() {
    let (two, _) = write(&capture()[..2], Compression::None);
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut member, &two).unwrap();
    assert!(matches!(read(&member.finish().unwrap()), Err(Error::Damaged { offset: 0, damage: Damage::NoEnd })));
}

#[test]
fn a_failing_disk_is_no_damage() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::PermissionDenied.into())
        }
    }
    let head = b"WARC/1.1\r\nContent-Length: 1\r\n\r\n".as_slice();
    let mut reader = Reader::new(std::io::BufReader::new(head.chain(Failing)));
    let mut record = reader.next_record().unwrap().unwrap();
    let error = record.read(&mut [0]).unwrap_err();
    assert!(matches!(Error::from(error), Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied));
}

#[test]
fn records_that_contradict_the_standard_are_not_written() {
    let mut writer = Writer::new(Vec::new(), Compression::None);
    let mut forbidden = |header: Header, field: &str| match writer.write(&header, b"") {
        Err(Error::FieldForbidden(name) | Error::FieldMissing(name)) => assert_eq!(name, field),
        written => panic!("{header:?}: {written:?}"),
    };
    forbidden(Header::warcinfo(id(0), date(), "a").with("WARC-Target-URI", URI), "WARC-Target-URI");
    forbidden(Header::warcinfo(id(0), date(), "a").concurrent_to(id(1)), "WARC-Concurrent-To");
    forbidden(Header::response(id(0), date(), URI).with("WARC-Filename", "a"), "WARC-Filename");
    forbidden(Header::response(id(0), date(), URI).with("WARC-Refers-To", "<a:b>"), "WARC-Refers-To");
    forbidden(Header::metadata(id(0), date(), URI).payload_digest(Digest::of(b"")), "WARC-Payload-Digest");
    forbidden(Header::response(id(0), date(), URI).with("Content-Length", "0"), "Content-Length");
    forbidden(Header::response(id(0), date(), URI).with("warc-date", "2026"), "WARC-Date");
    forbidden(Header::response(id(0), date(), URI).with("WARC-IP-Address", "127.0.0.1"), "WARC-IP-Address");
    forbidden(Header::new(RecordType::Response, id(0), date()), "WARC-Target-URI");
    forbidden(Header::new(RecordType::Revisit, id(0), date()).with("WARC-Target-URI", URI), "WARC-Profile");
    let header = Header::response(id(0), date(), "http://a.onion/\r\nWARC-Type: request");
    assert!(matches!(writer.write(&header, b""), Err(Error::UnwritableField(_))));
    let header = Header::response(id(0), date(), "http://example.com/").with("WARC-IP-Address", "127.0.0.1");
    assert!(writer.write(&header, b"").is_ok());
}

#[test]
fn blocks_that_contradict_their_header_are_not_written() {
    let mut writer = Writer::new(std::io::sink(), Compression::Gzip);
    let block = b"HTTP/1.1 200 OK\r\n\r\nhello".as_slice();
    let header = || Header::response(id(0), date(), URI);
    let streamed = header().block_digest(Digest::of(block));
    assert!(writer.write_from(streamed.clone(), block.len() as u64, block).is_ok());
    assert!(matches!(writer.write_from(streamed.clone(), 1, block), Err(Error::BlockLength(1))));
    assert!(matches!(writer.write_from(streamed.clone(), 99, block), Err(Error::BlockLength(99))));
    assert!(matches!(writer.write_from(header(), 24, block), Err(Error::FieldMissing("WARC-Block-Digest"))));
    let other = header().block_digest(Digest::of(b""));
    assert!(matches!(writer.write(&other, block), Err(Error::DigestDiffers("WARC-Block-Digest"))));
    let other = header().payload_digest(Digest::of(b""));
    assert!(matches!(writer.write(&other, block), Err(Error::DigestDiffers("WARC-Payload-Digest"))));
}

#[test]
fn what_was_cut_short_gets_no_payload_digest() {
    let written = |header: &Header, block: &[u8]| {
        let (bytes, _) = write(&[(header.clone(), block.to_vec())], Compression::None);
        read(&bytes).unwrap()[0].0.get("WARC-Payload-Digest").is_some()
    };
    let header = Header::response(id(0), date(), URI);
    assert!(written(&header, b"HTTP/1.1 200 OK\r\n\r\nhello"));
    assert!(!written(&header.clone().truncated(Truncation::Time), b"HTTP/1.1 200 OK\r\n\r\nhello"));
    assert!(!written(&header, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"));
    assert!(!written(&header, b"hello"));
}

#[test]
fn headers_of_other_writers_are_understood() {
    let bytes = b"WARC/1.0\nwarc-type:response\r\n\r\n";
    assert!(matches!(read(bytes), Err(Error::Damaged { damage: Damage::NoRecord, .. })));
    let bytes = b"WARC/1.0\r\nwarc-type:response\r\nWARC-Target-URI: <http://a/>\r\nWARC-Record-ID: <urn:x:y>\r\n\
        WARC-Date: 2016-01-02T03:04:05Z\r\nContent-Type: Application/HTTP;msgtype=response\r\nContent-Length: 0\r\n\r\n\r\n\r\n";
    let (header, _, _) = &read(bytes).unwrap()[0];
    assert_eq!(header.kind(), Some(RecordType::Response));
    assert_eq!((header.target_uri(), header.record_id()), (Some("http://a/"), Some("urn:x:y")));
    assert_eq!(header.date().unwrap().to_string(), "2016-01-02T03:04:05.000000Z");
    assert!(header.is_http());
}

proptest! {
    #[test]
    fn any_block_comes_back(
        blocks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..6),
        uri in "[!-~]{1,40}",
        is_gzip in any::<bool>(),
    ) {
        let compression = if is_gzip { Compression::Gzip } else { Compression::None };
        let records: Vec<_> = blocks.into_iter().map(|block| (Header::response(id(1), date(), &uri), block)).collect();
        let (bytes, spans) = write(&records, compression);
        let found = read(&bytes).unwrap();
        prop_assert_eq!(found.len(), records.len());
        for (((header, block), (found, found_block, span)), written) in records.iter().zip(&found).zip(&spans) {
            prop_assert_eq!((block, header.get("WARC-Target-URI")), (found_block, found.get("WARC-Target-URI")));
            prop_assert_eq!(span, written);
        }
        let mut reader = Reader::new(bytes.as_slice());
        while let Some(record) = reader.next_record().unwrap() {
            prop_assert_eq!(record.examine().unwrap().checked.block, Verdict::Matches);
        }
    }

    #[test]
    fn any_bytes_are_read_or_damaged(bytes in proptest::collection::vec(any::<u8>(), 0..300), is_plain in any::<bool>()) {
        let start: &[u8] = if is_plain { b"WARC/1.1\r\nContent-Length: 20\r\nA: b" } else { b"\x1f\x8b\x08\0\0\0\0\0\0\0" };
        let _ = read(&[start, &bytes].concat());
        let _ = read(&bytes);
    }
}

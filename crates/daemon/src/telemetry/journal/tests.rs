use proptest::prelude::*;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

/// What a journal reads out of a datagram, by the rules of the protocol.
fn read(mut entry: &[u8]) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    while !entry.is_empty() {
        let end = entry.iter().position(|byte| matches!(byte, b'=' | b'\n')).unwrap();
        let name = std::str::from_utf8(&entry[..end]).unwrap().to_owned();
        let (value, rest) = if entry[end] == b'=' {
            let value = &entry[end + 1..];
            value.split_at(value.iter().position(|byte| *byte == b'\n').unwrap())
        } else {
            let (len, value) = entry[end + 1..].split_first_chunk::<8>().unwrap();
            value.split_at(usize::try_from(u64::from_le_bytes(*len)).unwrap())
        };
        fields.push((name, std::str::from_utf8(value).unwrap().to_owned()));
        entry = rest.strip_prefix(b"\n").unwrap();
    }
    fields
}

/// A journal that a test reads, and the layer that writes to it.
fn journal() -> (tempfile::TempDir, UnixDatagram, Journal) {
    let dir = tempfile::tempdir().unwrap();
    let address = dir.path().join("socket");
    let socket = UnixDatagram::bind(&address).unwrap();
    socket.set_nonblocking(true).unwrap();
    (dir, socket, Journal::at(&address).unwrap())
}

fn receive(socket: &UnixDatagram) -> Vec<(String, String)> {
    let mut buffer = vec![0; 1 << 18];
    let len = socket.recv(&mut buffer).unwrap();
    read(&buffer[..len])
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    let mut named = fields.iter().filter(|(known, _)| known == name);
    let (_, value) = named.next().unwrap_or_else(|| panic!("no {name} in {fields:?}"));
    assert!(named.next().is_none(), "{name} is there twice: {fields:?}");
    value
}

#[test]
fn an_event_is_an_entry_with_its_fields() {
    let (_dir, socket, journal) = journal();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(journal));
    tracing::warn!(target_id = 7, until = %"noon", "the service rests");
    let fields = receive(&socket);
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "MESSAGE",
            "PRIORITY",
            "SYSLOG_IDENTIFIER",
            "TARGET",
            "CODE_FILE",
            "CODE_LINE",
            "NACHTWACHT_EVENT",
            "NACHTWACHT_TARGET_ID",
            "NACHTWACHT_UNTIL"
        ]
    );
    assert_eq!(value(&fields, "MESSAGE"), "the service rests target_id=7 until=noon");
    assert_eq!(value(&fields, "NACHTWACHT_EVENT"), "the service rests");
    assert_eq!((value(&fields, "PRIORITY"), value(&fields, "SYSLOG_IDENTIFIER")), ("4", "nachtwacht"));
    assert_eq!((value(&fields, "NACHTWACHT_TARGET_ID"), value(&fields, "NACHTWACHT_UNTIL")), ("7", "noon"));
    assert!(value(&fields, "CODE_FILE").ends_with("telemetry/journal/tests.rs"));
    tracing::error!("worse");
    assert_eq!(value(&receive(&socket), "PRIORITY"), "3");
}

#[test]
fn a_hostile_value_begins_no_field_and_no_line() {
    let (_dir, socket, journal) = journal();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(journal));
    let hostile = "x\nPRIORITY=0\nMESSAGE=all is well\n\u{1b}[2J=";
    tracing::info!(error = hostile, "a request failed");
    let fields = receive(&socket);
    assert_eq!(value(&fields, "NACHTWACHT_ERROR"), hostile, "byte for byte");
    assert_eq!(value(&fields, "PRIORITY"), "6");
    assert!(!value(&fields, "MESSAGE").contains(['\n', '\u{1b}']), "{fields:?}");
}

#[test]
fn long_values_are_cut_and_an_entry_is_one_datagram() {
    let (_dir, socket, journal) = journal();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(journal));
    let long = "é".repeat(1 << 20);
    tracing::info!(a = long, b = long, c = long, "long");
    let fields = receive(&socket);
    assert_eq!(value(&fields, "NACHTWACHT_C").len(), LONGEST);
    assert!((LONGEST - 1..=LONGEST).contains(&value(&fields, "MESSAGE").len()), "no character is cut in two");
}

#[test]
fn a_stream_is_known_by_device_and_inode() {
    assert!(is_stream("8:4711", 8, 4_711));
    for other in ["8:4712", "9:4711", "8", "", "8:4711:1", "a:b"] {
        assert!(!is_stream(other, 8, 4_711), "{other}");
    }
}

#[test]
fn names_are_such_as_the_journal_takes() {
    assert_eq!(field_name("target_id"), "NACHTWACHT_TARGET_ID");
    assert_eq!(field_name("log.file"), "NACHTWACHT_LOG_FILE");
    assert_eq!(field_name(&"x".repeat(100)).len(), 64);
}

proptest! {
    #[test]
    fn whatever_is_put_in_is_read_again(values in proptest::collection::vec("(.|\n|=){0,60}", 0..12)) {
        let named: Vec<(String, String)> =
            values.into_iter().enumerate().map(|(n, value)| (format!("FIELD_{n}"), value)).collect();
        let mut entry = Vec::new();
        for (name, value) in &named {
            put(&mut entry, name, value);
        }
        prop_assert_eq!(read(&entry), named);
    }
}

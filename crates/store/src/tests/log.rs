//! The evidence log: what is a leaf, what proves it, and that damage is named.

use proof::{Leaf, LeafKind, leaf_hash, verify_consistency, verify_inclusion};

use super::*;
use crate::{Depth, Report, part};

fn verified(store: &Store) -> Report {
    store.verify(Depth::Full, &mut |_| true).unwrap()
}

#[tokio::test]
async fn every_capture_is_a_leaf_that_can_be_proven() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..20 {
        store.record(finished("marketplace", &format!("/{n}"), b"page")).await.unwrap();
    }
    let before = store.log_head();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.log_head(), before, "the log is where it was");
    for n in 20..37 {
        store.record(finished("cybercrime", &format!("/{n}"), b"page")).await.unwrap();
    }
    let head = store.log_head();
    assert_eq!((before.size, head.size), (20, 37));
    for index in 0..head.size {
        let entry = store.log_leaf(index).unwrap().unwrap();
        let path = store.inclusion_proof(index, head.size).unwrap();
        verify_inclusion(&leaf_hash(&entry), index, head.size, &path, &head.root).unwrap();
    }
    let path = store.consistency_proof(before.size, head.size).unwrap();
    verify_consistency(before.size, head.size, &path, &before.root, &head.root).unwrap();
    assert_eq!(store.log_root(before.size).unwrap(), before.root);
    assert!(matches!(store.inclusion_proof(0, head.size + 1), Err(Error::Log(_))), "a log that is not there yet");
    assert!(matches!(store.inclusion_proof(head.size, head.size), Err(Error::Log(_))));
}

#[tokio::test]
async fn a_disclosure_opens_the_leaf_part_by_part() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.record(finished("marketplace", "/a", b"page")).await.unwrap();
    let id = CaptureId { theme: theme("marketplace"), seq: Seq(1) };
    let disclosure = store.disclosure(&reader(), id).unwrap().unwrap();
    let leaf = Leaf::decode(&disclosure.entry).unwrap();
    assert_eq!((leaf.kind, leaf.seq, disclosure.leaf), (LeafKind::Capture, 0, 0));
    let capture = store.capture(&reader(), id).unwrap().unwrap();
    let parts: [(&str, &[u8]); 5] = [
        (part::URI, capture.uri.as_str().as_bytes()),
        (part::REQUEST, &capture.request),
        (part::RESPONSE, &capture.block(b"page")),
        (part::PAYLOAD, b"page"),
        (part::RECORD, &disclosure.record),
    ];
    assert_eq!(leaf.parts.len(), parts.len());
    for (name, bytes) in parts {
        let commit = |salt| proof::Commitment::of(salt, bytes);
        assert_eq!(leaf.parts[name], commit(&disclosure.salts[name]), "{name}");
        let (other, salt) = disclosure.salts.iter().find(|(other, _)| **other != name).unwrap();
        assert_ne!(leaf.parts[name], commit(salt), "{name} opens with the salt of {other}");
    }
    store.record(finished("marketplace", "/a", b"page")).await.unwrap();
    let again = Leaf::decode(&store.log_leaf(1).unwrap().unwrap()).unwrap();
    assert_ne!(leaf.parts[part::PAYLOAD], again.parts[part::PAYLOAD], "equal content can be told by its commitments");
}

#[tokio::test]
async fn a_page_that_changes_is_kept_as_what_changed_and_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let market = theme("marketplace");
    let page = |n: u32| {
        let lines: String = (0..300u32).map(|line| format!("<p>{}</p>", line.wrapping_mul(0x9e37_79b9))).collect();
        format!("{lines}<b>{n}</b>").into_bytes()
    };
    for n in 0..40 {
        let visit = finished("marketplace", "/a", &page(n));
        let evidence = store.evidence(market, visit.evidence.capture().clone(), &page(n)).unwrap();
        store.record(FinishedVisit { evidence, ..visit }).await.unwrap();
    }
    let size: usize = store.raw_rows(&reader(), Table::Payloads).unwrap().iter().map(|(_, row)| row.len()).sum();
    assert!(size < 6 * page(0).len(), "40 versions of {} bytes take {size}", page(0).len());
    for n in 0..40 {
        let id = CaptureId { theme: market, seq: Seq(u64::from(n) + 1) };
        let capture = store.capture(&reader(), id).unwrap().unwrap();
        assert_eq!(store.payload(&reader(), market, &capture).unwrap(), page(n));
    }
    let report = verified(&store);
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.leaves, report.captures), (40, 40));
}

/// Changes one bit of one row and says what the check finds.
fn with_a_flipped_bit(store: &Store, table: Table, row: usize, bit: usize) -> (String, Report) {
    let (key, mut value) = store.raw_rows(&reader(), table).unwrap()[row].clone();
    let good = value.clone();
    value[bit / 8] ^= 1 << (bit % 8);
    let put = |value: &[u8]| {
        let mut batch = rocksdb::WriteBatch::default();
        batch.put_cf(store.tables.family(table), &key, value);
        store.tables.write_synced(batch).unwrap();
    };
    put(&value);
    let report = verified(store);
    put(&good);
    (key.iter().map(|byte| format!("{byte:02x}")).collect(), report)
}

#[tokio::test]
async fn a_flipped_bit_in_the_evidence_is_named_by_table_and_key() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add_target(&store);
    for n in 0..5 {
        store.record(finished("marketplace", &format!("/{n}"), format!("page {n}").as_bytes())).await.unwrap();
    }
    assert!(verified(&store).is_sound());
    for table in [Table::LogLeaves, Table::LogHashes, Table::Captures, Table::Payloads, Table::Acts] {
        let rows = store.raw_rows(&reader(), table).unwrap();
        for (row, (_, value)) in rows.iter().enumerate() {
            for bit in (0..value.len() * 8).step_by(1 + value.len() / 3) {
                let (key, report) = with_a_flipped_bit(&store, table, row, bit);
                let is_named =
                    report.findings.iter().any(|finding| finding.table == table.name() && finding.key == key);
                assert!(is_named, "bit {bit} of {table} {key}: {:?}", report.findings);
            }
        }
    }
    assert!(verified(&store).is_sound(), "the rows are as they were");
}

#[tokio::test]
async fn a_capture_that_is_taken_away_or_slipped_in_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..3 {
        store.record(finished("marketplace", &format!("/{n}"), b"page")).await.unwrap();
    }
    let (key, value) = store.raw_rows(&reader(), Table::Captures).unwrap()[1].clone();
    let mut batch = rocksdb::WriteBatch::default();
    batch.delete_cf(store.tables.family(Table::Captures), &key);
    let elsewhere = crate::key::Key::theme(theme("cybercrime")).seq(Seq(1));
    batch.put_cf(store.tables.family(Table::Captures), &elsewhere, value);
    store.tables.write_synced(batch).unwrap();
    let findings = verified(&store).findings;
    assert!(findings.iter().any(|finding| finding.problem == "the capture is missing"), "{findings:?}");
    assert!(findings.iter().any(|finding| finding.problem.contains("does not tell of this capture")), "{findings:?}");
}

#[tokio::test]
async fn a_quick_check_looks_at_the_end_and_a_check_can_be_called_off() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..10 {
        store.record(finished("marketplace", &format!("/{n}"), b"page")).await.unwrap();
    }
    let report = store.verify(Depth::Tail(3), &mut |_| true).unwrap();
    assert_eq!((report.leaves, report.captures, report.is_sound()), (3, 3, true));
    assert!(matches!(store.verify(Depth::Full, &mut |_| false), Err(Error::Closing)));
}

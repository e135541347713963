use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use model::{CaptureId, Grant, Purpose, Seq, ThemeId, Timestamp};

use super::*;
use crate::{
    CredentialKey, Depth, ErasedCapture, ErasureList, Error, Table,
    tests::{finished, open},
};

const DAY: Duration = Duration::from_hours(24);

fn key(byte: u8) -> BackupKey {
    BackupKey::from_bytes(&[byte; 32])
}

fn at(day: i64) -> Timestamp {
    Timestamp::from_micros(day * 86_400_000_000)
}

fn term(day: i64) -> Term {
    Term { made_at: at(day), expires_at: at(day).after(10 * DAY) }
}

fn backup(store: &Store, to: &Path, day: i64) -> BackedUp {
    store.backup(to, &key(1), term(day), &mut |_| true).unwrap()
}

fn restored(order: &RestoreOrder<'_>, byte: u8) -> Result<(Store, Restored), BackupError> {
    restore(order, &key(byte), &crate::Config::default(), CredentialKey::from_bytes(&[7; 32]), &mut |_| {})
}

fn everything(store: &Store) -> Vec<(Table, Vec<(Vec<u8>, Vec<u8>)>)> {
    let grant = Grant::system(Purpose::Maintenance);
    Table::ALL.iter().map(|table| (*table, store.raw_rows(&grant, *table).unwrap())).collect()
}

fn pieces(vault: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(vault.join("pieces")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_backup_comes_back_equal_and_a_second_one_adds_only_what_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let (store, vault) = (open(&dir.path().join("store")), dir.path().join("vault"));
    for n in 0..30 {
        store.record(finished("marketplace", &format!("/{n}"), &vec![n; 50_000])).await.unwrap();
    }
    let before = everything(&store);
    let first = backup(&store, &vault, 1);
    assert_eq!((first.leaves, first.new_bytes), (30, first.bytes));
    store.record(finished("marketplace", "/one-more", b"page")).await.unwrap();
    let second = backup(&store, &vault, 2);
    assert!(second.new_bytes < first.bytes / 2, "{second:?}");

    let erasures = store.erasure_list(at(3)).unwrap();
    let into = dir.path().join("restored");
    let order = RestoreOrder { from: &vault, at: Some(at(1)), into: &into, erasures: &erasures, now: at(3) };
    let (again, told) = restored(&order, 1).unwrap();
    assert_eq!((told.made_at, told.leaves, told.erased), (at(1), 30, 0));
    assert_eq!(everything(&again), before);
    assert!(again.verify(Depth::Full, &mut |_| true).unwrap().is_sound());
    assert!(matches!(restored(&order, 1), Err(BackupError::NotEmpty(_))), "a restore writes over a store");
    let into = dir.path().join("newest");
    let (newest, told) = restored(&RestoreOrder { at: None, into: &into, ..order }, 1).unwrap();
    assert_eq!((told.made_at, newest.log_head()), (at(2), store.log_head()));
}

#[tokio::test]
async fn a_backup_expires_and_takes_along_what_nobody_else_needs() {
    let dir = tempfile::tempdir().unwrap();
    let (store, vault) = (open(&dir.path().join("store")), dir.path().join("vault"));
    store.record(finished("marketplace", "/a", &vec![1; 50_000])).await.unwrap();
    backup(&store, &vault, 1);
    let first = pieces(&vault);
    store.record(finished("marketplace", "/b", &vec![2; 50_000])).await.unwrap();
    assert_eq!(backup(&store, &vault, 5).deleted, 0);
    let erasures = store.erasure_list(at(12)).unwrap();
    let into = dir.path().join("restored");
    let order = RestoreOrder { from: &vault, at: Some(at(2)), into: &into, erasures: &erasures, now: at(12) };
    assert!(matches!(restored(&order, 1), Err(BackupError::Expired { .. })), "a backup of old came back");
    assert!(!into.exists());
    assert_eq!(backup(&store, &vault, 12).deleted, 1);
    assert!(matches!(restored(&order, 1), Err(BackupError::None(_))));
    assert!(!first.is_subset(&pieces(&vault)), "nothing of the expired backup went");
    restored(&RestoreOrder { at: None, ..order }, 1).unwrap();
}

#[tokio::test]
async fn nobody_reads_a_backup_without_the_key_and_damage_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (store, vault) = (open(&dir.path().join("store")), dir.path().join("vault"));
    let secret: Vec<u8> = (0..9_000u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect();
    store.record(finished("marketplace", "/unusual-path", &secret)).await.unwrap();
    backup(&store, &vault, 1);
    let mut sealed = 0;
    for name in pieces(&vault) {
        let bytes = fs::read(vault.join("pieces").join(name)).unwrap();
        sealed += bytes.len();
        for clear in [&secret[100..140], b"unusual-path"] {
            assert!(!bytes.windows(clear.len()).any(|window| window == clear), "it lies there in the clear");
        }
    }
    assert!(sealed > secret.len(), "the page is somewhere else");
    let erasures = store.erasure_list(at(2)).unwrap();
    let into = dir.path().join("restored");
    let order = RestoreOrder { from: &vault, at: None, into: &into, erasures: &erasures, now: at(2) };
    assert!(matches!(restored(&order, 2), Err(BackupError::Damaged(_))), "another key opened it");
    for name in pieces(&vault) {
        let path = vault.join("pieces").join(name);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        fs::write(&path, &bad).unwrap();
        assert!(matches!(restored(&order, 1), Err(BackupError::Damaged(_))), "{} is damaged", path.display());
        assert!(!into.exists(), "half a store stands there");
        fs::write(&path, &good).unwrap();
    }
    restored(&order, 1).unwrap();
}

#[tokio::test]
async fn what_was_erased_since_is_erased_again() {
    let dir = tempfile::tempdir().unwrap();
    let (store, vault) = (open(&dir.path().join("store")), dir.path().join("vault"));
    let market: ThemeId = "marketplace".parse().unwrap();
    let page = |n: u32| {
        let lines: String = (0..300u32).map(|line| format!("<p>{}</p>", line.wrapping_mul(0x9e37_79b9))).collect();
        format!("{lines}<b>{n}</b>").into_bytes()
    };
    // The second builds on the first, which goes.
    for n in 0..3 {
        let visit = finished("marketplace", "/a", &page(n));
        let evidence = store.evidence(market, visit.evidence.capture().clone(), &page(n)).unwrap();
        store.record(crate::FinishedVisit { evidence, ..visit }).await.unwrap();
    }
    let list = store.erasure_list(at(1)).unwrap();
    backup(&store, &vault, 1);
    let erased = ErasedCapture { capture: CaptureId { theme: market, seq: Seq(1) }, leaf: 0, erasure: 40 };
    let later = ErasedCapture { capture: CaptureId { theme: market, seq: Seq(9) }, leaf: 30, erasure: 41 };
    let erasures = ErasureList { leaves: 42, captures: vec![erased, later], ..list.clone() };
    assert_eq!(ErasureList::from_json(&erasures.to_json()).unwrap(), erasures);

    let into = dir.path().join("restored");
    let order = RestoreOrder { from: &vault, at: None, into: &into, erasures: &erasures, now: at(2) };
    let older = ErasureList { leaves: 2, ..list.clone() };
    let refused = restored(&RestoreOrder { erasures: &older, ..order }, 1);
    assert!(matches!(refused, Err(BackupError::Erasures(_))), "a list from before the backup was taken");
    let of_another = ErasureList { captures: vec![ErasedCapture { leaf: 1, ..erased }], ..erasures.clone() };
    let refused = restored(&RestoreOrder { erasures: &of_another, ..order }, 1);
    assert!(matches!(refused, Err(BackupError::Erasures(_))), "a list of another log was taken");

    let (again, told) = restored(&order, 1).unwrap();
    assert_eq!((told.erased, told.leaves), (1, 4), "one act tells of it");
    let grant = Grant::system(Purpose::Maintenance);
    assert!(matches!(again.capture(&grant, erased.capture), Err(Error::Erased(_, 3))));
    for n in 1..3 {
        let id = CaptureId { theme: market, seq: Seq(u64::from(n) + 1) };
        let capture = again.capture(&grant, id).unwrap().unwrap();
        assert_eq!(again.payload(&grant, market, &capture).unwrap(), page(n));
    }
    assert_eq!(again.raw_rows(&grant, Table::Payloads).unwrap().len(), 2, "the payload is still there");
    let report = again.verify(Depth::Full, &mut |_| true).unwrap();
    assert!(report.is_sound() && report.erased == 1, "{report:?}");
    assert_eq!(again.erasure_list(at(3)).unwrap().captures, [ErasedCapture { erasure: 3, ..erased }]);
}

#[tokio::test]
async fn a_backup_that_is_called_off_leaves_no_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let (store, vault) = (open(&dir.path().join("store")), dir.path().join("vault"));
    store.record(finished("marketplace", "/a", b"page")).await.unwrap();
    let called_off = store.backup(&vault, &key(1), term(1), &mut |_| false);
    assert!(matches!(called_off, Err(BackupError::CalledOff)));
    assert_eq!(fs::read_dir(vault.join("manifests")).unwrap().count(), 0);
    assert!(!checkpoint_dir(&dir.path().join("store")).exists());
}

use model::{Authority, Timestamp};
use proof::{Fact, Leaf, LeafKind};

use super::*;
use crate::{Depth, tests::open};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn act(who: &str, theme: Option<&str>, seconds: i64) -> Act {
    let act = Act::new(theme.map(|theme| theme.parse().unwrap()), LeafKind::Access, at(seconds));
    act.fact("who", who).fact("action", "search").part("query", b"passport".to_vec())
}

fn whole_house() -> Grant {
    Authority::of_this_process().audit("auditor", None)
}

fn leaves(page: &AuditPage) -> Vec<u64> {
    page.acts.iter().map(|act| act.leaf).collect()
}

#[test]
fn what_was_done_is_found_by_who_theme_and_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for (seconds, (who, theme)) in
        [("anna", Some("marketplace")), ("bram", Some("cybercrime")), ("anna", None)].into_iter().enumerate()
    {
        store.audit(act(who, theme, i64::try_from(seconds).unwrap()), false).unwrap();
    }
    let page = |theme: Option<&str>, filter: &AuditFilter, before, limit| {
        let theme = theme.map(|theme| theme.parse().unwrap());
        let grant = Authority::of_this_process().audit("auditor", theme);
        store.audit_page(&grant, theme, filter, before, limit).unwrap()
    };
    let all = page(None, &AuditFilter::default(), None, 10);
    assert_eq!((leaves(&all), all.next), (vec![2, 1, 0], None));
    assert_eq!(all.acts[0].parts["query"], b"passport");
    assert_eq!(leaves(&page(Some("cybercrime"), &AuditFilter::default(), None, 10)), [1]);
    let of_anna = AuditFilter { who: Some("anna".into()), ..AuditFilter::default() };
    assert_eq!(leaves(&page(None, &of_anna, None, 10)), [2, 0]);
    let since = AuditFilter { from: Some(at(1)), until: Some(at(2)), ..AuditFilter::default() };
    assert_eq!(leaves(&page(None, &since, None, 10)), [1]);
    let first = page(None, &AuditFilter::default(), None, 2);
    assert_eq!((leaves(&first), first.next), (vec![2, 1], Some(1)));
    assert_eq!(leaves(&page(None, &AuditFilter::default(), first.next, 2)), [0]);
    let (theirs, ours) = ("marketplace".parse().unwrap(), "cybercrime".parse().unwrap());
    let of_a_theme = Authority::of_this_process().audit("auditor", Some(ours));
    assert!(matches!(
        store.audit_page(&of_a_theme, Some(theirs), &AuditFilter::default(), None, 1),
        Err(Error::NotGranted(_))
    ));
    assert!(matches!(
        store.audit_page(&of_a_theme, None, &AuditFilter::default(), None, 1),
        Err(Error::NotGrantedEverywhere)
    ));
    let analyst = Authority::of_this_process().grant("analyst", ours, Phase::Analysis);
    assert!(store.audit_page(&analyst, Some(ours), &AuditFilter::default(), None, 1).is_err());
}

#[test]
fn those_who_come_together_all_get_a_leaf() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut indexes: Vec<u64> = std::thread::scope(|scope| {
        let ask = |n: i64| {
            let store = &store;
            scope.spawn(move || store.audit(act("anna", None, n), n % 2 == 0).unwrap())
        };
        let asked: Vec<_> = (0..40).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    indexes.sort_unstable();
    assert_eq!(indexes, (0..40).collect::<Vec<_>>());
    let page = store.audit_page(&whole_house(), None, &AuditFilter::default(), None, 100).unwrap();
    let seconds: std::collections::BTreeSet<i64> =
        page.acts.iter().map(|act| Leaf::decode(&act.entry).unwrap().time_us / 1_000_000).collect();
    assert_eq!(seconds, (0..40).collect());
    drop(store);
    assert_eq!(open(dir.path()).audit_head().size, 40);
}

#[test]
fn texts_are_forgotten_and_leaves_stay() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for seconds in 0..4 {
        store.audit(act("anna", None, seconds), false).unwrap();
    }
    let head = store.audit_head();
    assert_eq!(store.forget_audited_texts(at(3)).unwrap(), 3);
    assert_eq!(store.forget_audited_texts(at(3)).unwrap(), 0);
    assert_eq!(store.audit_head(), head);
    let page = store.audit_page(&whole_house(), None, &AuditFilter::default(), None, 10).unwrap();
    let kept: Vec<bool> = page.acts.iter().map(|act| act.parts.contains_key("query")).collect();
    assert_eq!(kept, [true, false, false, false]);
    assert!(store.verify(Depth::Full, &mut |_| true).unwrap().is_sound());
}

#[test]
fn the_evidence_log_covers_the_audit_log() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.anchor_audit(at(0)).unwrap();
    assert_eq!(store.log_head().size, 0, "there is nothing to cover yet");
    for seconds in 0..5 {
        store.audit(act("anna", None, seconds), false).unwrap();
    }
    store.anchor_audit(at(9)).unwrap();
    store.anchor_audit(at(10)).unwrap();
    assert_eq!(store.log_head().size, 1, "what is told is not told again");
    store.audit(act("anna", None, 11), false).unwrap();
    let report = store.verify(Depth::Full, &mut |_| true).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.leaves, 7);

    // The whole of the audit log is made anew, with one question less: consistent in itself, and not with what was anchored.
    for table in [Table::AuditLeaves, Table::AuditHashes, Table::AuditActs, Table::AuditHead] {
        let mut batch = WriteBatch::default();
        for row in store.tables.scan(table, &Key::default(), None) {
            let (key, _) = row.unwrap();
            if key != anchor_key().as_ref() {
                batch.delete_cf(store.tables.family(table), key);
            }
        }
        store.tables.write_synced(batch).unwrap();
    }
    drop(store);
    let store = open(dir.path());
    for seconds in 0..6 {
        store.audit(act("bram", None, seconds), false).unwrap();
    }
    // The next anchor heals nothing, also where nobody remembers the last one.
    store.anchor_audit(at(20)).unwrap();
    assert_eq!(store.log_head().size, 1);
    let mut batch = WriteBatch::default();
    batch.delete_cf(store.tables.family(Table::AuditHead), anchor_key());
    store.tables.write_synced(batch).unwrap();
    store.anchor_audit(at(21)).unwrap();
    assert_eq!(store.log_head().size, 2);
    let report = store.verify(Depth::Full, &mut |_| true).unwrap();
    let problems: Vec<&str> = report.findings.iter().map(|finding| finding.problem.as_str()).collect();
    assert_eq!(problems, ["its first 5 leaves are not those that leaf 0 of the evidence log saw"]);
}

#[test]
fn a_changed_leaf_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for seconds in 0..3 {
        store.audit(act("anna", None, seconds), false).unwrap();
    }
    let mut leaf = Leaf::decode(&store.tables.get_raw(Table::AuditLeaves, &leaf_key(1)).unwrap().unwrap()).unwrap();
    leaf.facts.insert("who".into(), Fact::Text("nobody".into()));
    let mut batch = WriteBatch::default();
    batch.put_cf(store.tables.family(Table::AuditLeaves), leaf_key(1), leaf.encode().unwrap());
    store.tables.write_synced(batch).unwrap();
    let report = store.verify(Depth::Full, &mut |_| true).unwrap();
    assert!(!report.is_sound());
    assert!(report.findings.iter().any(|finding| finding.table == "audit_leaves" && finding.key.ends_with("01")));
}

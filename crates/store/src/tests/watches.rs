//! Watches and alerts: acts, exactly once, over every crash between two steps.

use model::{Authority, Grouping, Phase, Watch};
use proof::{Leaf, LeafKind};

use super::*;
use crate::{AlertFilter, KeptWatch, NewWatch, WatchChange, WatchRun, WatchState};

fn watch(name: &str) -> Watch {
    Watch {
        name: name.into(),
        owner: "ann".into(),
        reason: "lanterns are stolen".into(),
        purpose: Some("case 17".into()),
        query: "q=lantern".into(),
        trigger: "daily:06:30".parse().unwrap(),
        grouping: Grouping::Hit,
        quiet: Some("22:00-06:00".parse().unwrap()),
        is_paused: false,
    }
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn market() -> ThemeId {
    theme("marketplace")
}

fn add(store: &Store, watch: &Watch) -> u64 {
    store.add_watch(&reader(), market(), &NewWatch { watch, after: Seq(3), most: 2, at: at(1) }).unwrap()
}

/// A run that found these captures, each an alert of its own, and that came to `up_to`.
fn run<'a>(watch: &'a KeptWatch, after: u64, up_to: u64, found: &[u64]) -> WatchRun<'a> {
    WatchRun {
        watch,
        after: Seq(after),
        state: WatchState {
            cursor: Seq(up_to),
            ran_at: Some(at(9)),
            hits: found.len() as u64,
            ..WatchState::default()
        },
        found: found.iter().map(|seq| vec![Seq(*seq)]).collect(),
        at: at(9),
    }
}

fn all(store: &Store) -> Vec<(u64, String)> {
    let page = store.alerts_from(&reader(), market(), AlertFilter::default(), 0, 100).unwrap();
    page.alerts.iter().map(|alert| (alert.number, alert.id())).collect()
}

#[test]
fn a_watch_is_made_changed_and_deleted_and_each_is_a_leaf() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let id = add(&store, &watch("lanterns"));
    let kept = store.watch(&reader(), market(), id).unwrap().unwrap();
    assert_eq!((kept.id, kept.version, &kept.watch), (id, id, &watch("lanterns")));
    assert_eq!(store.watch_state(market(), id).unwrap().cursor, Seq(3));

    let oil = Watch { query: "q=oil".into(), ..watch("oil") };
    let change = WatchChange { watch: Some(&oil), replaces: Some(id), reason: "better word", at: at(2) };
    let version = store.change_watch(&reader(), market(), id, &change).unwrap().unwrap();
    assert!(
        matches!(store.change_watch(&reader(), market(), id, &change), Err(Error::WatchChanged(now)) if now == version)
    );
    let kept = store.watch(&reader(), market(), id).unwrap().unwrap();
    assert_eq!((kept.id, kept.version, kept.made_at, kept.changed_at), (id, version, at(1), at(2)));
    assert_eq!(store.watch_state(market(), id).unwrap().cursor, Seq(3), "it goes on from where it was");

    let delete = WatchChange { watch: None, replaces: None, reason: "the case is closed", at: at(3) };
    let deleted = store.change_watch(&reader(), market(), id, &delete).unwrap().unwrap();
    assert_eq!(store.change_watch(&reader(), market(), id, &delete).unwrap(), None);
    assert_eq!(
        (store.watch(&reader(), market(), id).unwrap(), store.watches(&reader(), market()).unwrap()),
        (None, vec![])
    );

    let history = store.watch_history(&reader(), market(), id).unwrap();
    let told: Vec<_> = history.iter().map(|step| (step.leaf, step.change.as_str(), step.reason.as_deref())).collect();
    assert_eq!(
        told,
        [
            (id, "made", Some("lanterns are stolen")),
            (version, "changed", Some("better word")),
            (deleted, "deleted", Some("the case is closed"))
        ]
    );
    assert_eq!(history[1].watch, Some(oil));
    assert_eq!((history[2].watch.as_ref(), history[2].who.as_deref()), (None, Some("system:maintenance")));
    let leaf = Leaf::decode(&store.log_leaf(deleted).unwrap().unwrap()).unwrap();
    assert_eq!(leaf.kind, LeafKind::Watch);
}

#[test]
fn a_theme_has_so_many_watches_and_another_theme_knows_of_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let first = add(&store, &watch("one"));
    add(&store, &watch("two"));
    let third = watch("three");
    let new = NewWatch { watch: &third, after: Seq(0), most: 2, at: at(1) };
    assert!(matches!(store.add_watch(&reader(), market(), &new), Err(Error::TooManyWatches(2))));
    let delete = WatchChange { watch: None, replaces: None, reason: "r", at: at(3) };
    store.change_watch(&reader(), market(), first, &delete).unwrap();
    store.add_watch(&reader(), market(), &new).unwrap();

    let stranger = Authority::of_this_process().grant("eve", theme("cybercrime"), Phase::Analysis);
    assert!(matches!(store.watches(&stranger, market()), Err(Error::NotGranted(_))));
    assert!(matches!(store.add_watch(&stranger, market(), &new), Err(Error::NotGranted(_))));
    assert!(matches!(store.change_watch(&stranger, market(), first, &delete), Err(Error::NotGranted(_))));
    assert!(matches!(store.alert(&stranger, market(), 1), Err(Error::NotGranted(_))));
    assert_eq!(store.watch(&stranger, theme("cybercrime"), first).unwrap(), None);
}

/// A run is written whole or not at all, and only once, whatever is tried again after a crash.
#[test]
fn what_a_run_found_is_told_exactly_once() {
    let dir = tempfile::tempdir().unwrap();
    let id = {
        let store = open(dir.path());
        let id = add(&store, &watch("lanterns"));
        let kept = store.watch(&reader(), market(), id).unwrap().unwrap();
        assert!(store.note_run(&reader(), market(), run(&kept, 3, 7, &[4, 6])).unwrap());
        id
    };
    // The process died before it could tell that the run was written.
    let store = open(dir.path());
    let kept = store.watch(&reader(), market(), id).unwrap().unwrap();
    assert!(!store.note_run(&reader(), market(), run(&kept, 3, 7, &[4, 6])).unwrap());
    let expected = [(1, format!("{id}-{id}-4")), (2, format!("{id}-{id}-6"))];
    assert_eq!(all(&store), expected);
    assert_eq!(store.watch_state(market(), id).unwrap().cursor, Seq(7));

    // It was changed while it ran: what the old query found is not told, and the new one looks at the same captures.
    let changed = Watch { query: "q=oil".into(), ..watch("lanterns") };
    let change = WatchChange { watch: Some(&changed), replaces: None, reason: "r", at: at(5) };
    let version = store.change_watch(&reader(), market(), id, &change).unwrap().unwrap();
    assert!(!store.note_run(&reader(), market(), run(&kept, 7, 9, &[8])).unwrap());
    drop(store);
    let store = open(dir.path());
    assert_eq!(all(&store), expected);
    let kept = store.watch(&reader(), market(), id).unwrap().unwrap();
    assert!(store.note_run(&reader(), market(), run(&kept, 7, 9, &[8])).unwrap());
    assert_eq!(all(&store).last(), Some(&(3, format!("{id}-{version}-8"))));
}

#[test]
fn alerts_are_listed_filtered_and_acknowledged_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let ids = [add(&store, &watch("one")), add(&store, &watch("two"))];
    for (id, found) in ids.into_iter().zip([&[4, 5, 6][..], &[5, 7]]) {
        let kept = store.watch(&reader(), market(), id).unwrap().unwrap();
        store.note_run(&reader(), market(), run(&kept, 3, 9, found)).unwrap();
    }
    let numbers =
        |page: crate::AlertPage| (page.alerts.iter().map(|alert| alert.number).collect::<Vec<_>>(), page.next);
    let from = |filter, from, limit| numbers(store.alerts_from(&reader(), market(), filter, from, limit).unwrap());
    let back = |filter, from, limit| numbers(store.alerts_back(&reader(), market(), filter, from, limit).unwrap());
    let any = AlertFilter::default();
    assert_eq!(from(any, 0, 3), (vec![1, 2, 3], Some(4)));
    assert_eq!(from(any, 4, 3), (vec![4, 5], None));
    assert_eq!(back(any, None, 2), (vec![5, 4], Some(3)));
    assert_eq!(back(any, Some(3), 9), (vec![3, 2, 1], None));
    assert_eq!(from(AlertFilter { watch: Some(ids[1]), ..any }, 0, 9), (vec![4, 5], None));

    let seen = store.acknowledge(&reader(), market(), 2, Some("known"), at(20)).unwrap().unwrap().acknowledged.unwrap();
    assert_eq!((seen.who.as_str(), seen.at, seen.note.as_deref()), ("system:maintenance", at(20), Some("known")));
    assert!(matches!(store.acknowledge(&reader(), market(), 2, None, at(21)), Err(Error::Acknowledged(2))));
    assert_eq!(store.acknowledge(&reader(), market(), 9, None, at(21)).unwrap(), None);
    assert_eq!(from(AlertFilter { is_acknowledged: Some(true), ..any }, 0, 9), (vec![2], None));
    assert_eq!(from(AlertFilter { is_acknowledged: Some(false), ..any }, 0, 9), (vec![1, 3, 4, 5], None));
}

#[tokio::test]
async fn of_erased_and_sealed_captures_an_alert_tells_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for path in ["/a", "/b", "/c"] {
        let seq = store.record(finished("marketplace", path, path.as_bytes())).await.unwrap();
        store.put_analyses(market(), &[], seq).unwrap();
    }
    let order = crate::ErasureOrder {
        subject: model::Subject::Capture(Seq(1)),
        ground: "g".into(),
        at: at(9),
        forgets_uris: false,
    };
    store.erase(&reader(), market(), &order).unwrap();
    store.set_seal(&reader(), market(), Seq(2), "r", at(9)).unwrap();
    let told = store.told(market(), &[Seq(1), Seq(2), Seq(3)]).unwrap();
    assert_eq!(told, crate::Told { open: vec![Seq(3)], erased: 1, sealed: 1 });
}

use model::Purpose;

use super::*;
use crate::{Analysis, tests::open};

const A: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
const B: &str = "sp3k262uwy4r2k3ycr5awluarykdpag6a7y33jxop4cs2lu5uz5sseqd.onion";

fn theme(name: &str) -> ThemeId {
    name.parse().unwrap()
}

fn grant() -> Grant {
    Grant::system(Purpose::Maintenance)
}

fn sketch(host: &str, path: &str, wallets: &[&str]) -> Sketch {
    let wallet = |wallet: &&str| (ObservableKind::Btc, Grade::Verified, (*wallet).to_owned());
    Sketch {
        host: host.into(),
        seen: Timestamp::from_micros(1),
        kind: PageKind::Vendor,
        is_content: true,
        place: Mark::of("place", &[path]),
        title: "t".into(),
        text: 7,
        shape: 0,
        runs: vec![u64::MAX],
        listing: None,
        vendor: Some("Red Hen".into()),
        observables: wallets.iter().map(wallet).collect(),
        mentions: vec![Mention { host: B.into(), is_called_mirror: true }],
    }
}

fn put(store: &Store, name: &str, seq: u64, sketch: Sketch) {
    let hint = model::CrawlHint {
        target: model::TargetId::from_u64(7),
        uri: model::UriId::of("x"),
        outcome: model::Outcome::Ok,
        kind: sketch.kind,
        refresh: None,
        has_changed: true,
        is_quarantined: false,
    };
    let analysis =
        Analysis { seq: Seq(seq), hint, document: None, sketch: Some(sketch), version: None, findings: Vec::new() };
    store.put_analyses(theme(name), &[analysis], Seq(seq)).unwrap();
}

fn elements(store: &Store, kind: Option<ElementKind>, from: Option<(ElementKind, &str)>, limit: usize) -> Vec<String> {
    let service = ServiceId::of(A);
    let found = store.elements(&grant(), theme("marketplace"), service, kind, from, limit).unwrap();
    let told = |it: &Element| format!("{} {} {} {}-{}", it.kind, it.value, it.captures, it.first, it.last);
    found.iter().map(told).collect()
}

#[test]
fn what_a_service_shows_is_listed_in_pages_with_first_and_last() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    put(&store, "marketplace", 1, sketch(A, "/a", &["one", "two"]));
    put(&store, "marketplace", 2, sketch(B, "/a", &["one"]));
    put(&store, "marketplace", 3, sketch(A, "/a", &["two"]));
    put(&store, "cybercrime", 1, sketch(A, "/a", &["elsewhere"]));
    let all = elements(&store, None, None, 10);
    assert_eq!(all.len(), 4, "{all:?}");
    for expect in ["btc one 1 1-1", "btc two 2 1-3", &format!("mention {B} 2 1-3"), &format!("called-mirror {B} 2 1-3")]
    {
        assert!(all.iter().any(|told| told == expect), "{expect}: {all:?}");
    }
    let btc = Some(ElementKind::Observable(ObservableKind::Btc));
    let wallets = elements(&store, btc, None, 10);
    assert_eq!(wallets.len(), 2);
    // One after the other gives the same as all at once, whether or not the kind is given.
    for (kind, expect) in [(None, all), (btc, wallets)] {
        let mut paged: Vec<String> = Vec::new();
        let mut from: Option<(ElementKind, String)> = None;
        loop {
            let at = from.as_ref().map(|(kind, value)| (*kind, value.as_str()));
            let page = store.elements(&grant(), theme("marketplace"), ServiceId::of(A), kind, at, 2).unwrap();
            paged.extend(elements(&store, kind, at, 1));
            from = page.get(1).map(|next| (next.kind, next.value.clone()));
            if from.is_none() {
                break;
            }
        }
        assert_eq!(paged, expect);
    }
}

#[test]
fn services_places_and_traces_are_found_and_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let market = theme("marketplace");
    for (seq, host, path) in [(1, A, "/a"), (2, A, "/b"), (3, A, "/a"), (4, B, "/a")] {
        put(&store, "marketplace", seq, sketch(host, path, &["one"]));
    }
    let services = store.services(&grant(), market, None, 10).unwrap();
    assert_eq!(BTreeSet::from_iter(services.clone()), BTreeSet::from([ServiceId::of(A), ServiceId::of(B)]));
    assert_eq!(store.services(&grant(), market, Some(services[1]), 10).unwrap(), services[1..]);
    let places = |limit| store.places(&grant(), market, ServiceId::of(A), Seq(u64::MAX), 4, limit).unwrap();
    let mut captures = places(10).captures;
    captures.sort();
    assert_eq!((captures, places(10).is_cut), (vec![vec![Seq(2)], vec![Seq(3), Seq(1)]], false));
    assert!(places(1).is_cut);
    let mark = Mark::vendor("red hen");
    assert_eq!(store.services_with(&grant(), market, mark, Seq(u64::MAX), 10).unwrap(), services);
    // As of an earlier capture nothing later is there.
    assert_eq!(store.services_with(&grant(), market, mark, Seq(3), 1).unwrap(), [ServiceId::of(A)]);
    assert_eq!(
        store.places(&grant(), market, ServiceId::of(A), Seq(1), 4, 1).unwrap(),
        Places { captures: vec![vec![Seq(1)]], is_cut: false }
    );
    assert_eq!(
        store.places(&grant(), market, ServiceId::of(B), Seq(3), 4, 1).unwrap().captures,
        Vec::<Vec<Seq>>::new()
    );
    let pages = |up_to| {
        store.pages_of(&grant(), market, ServiceId::of(A), Seq(up_to)).unwrap().collect::<Result<BTreeSet<_>, _>>()
    };
    assert_eq!((pages(9).unwrap().len(), pages(2).unwrap()), (3, [Seq(1), Seq(2)].into()));
    assert_eq!(store.captures_with(&grant(), market, mark, ServiceId::of(A), 2).unwrap(), [Seq(3), Seq(2)]);
    assert_eq!(store.services_with(&grant(), theme("cybercrime"), mark, Seq(u64::MAX), 10).unwrap(), []);
    for seq in 1..=4 {
        let mut batch = WriteBatch::default();
        store.forget_sketch(&mut batch, market, Seq(seq)).unwrap();
        store.tables.write(batch).unwrap();
    }
    for table in [Table::Sketches, Table::PagesByService, Table::ElementsByService, Table::Traces] {
        assert_eq!(store.raw_rows(&grant(), table).unwrap(), [], "{table}");
    }
}

#[test]
fn a_grant_for_another_theme_reads_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let market = theme("marketplace");
    put(&store, "marketplace", 1, sketch(A, "/a", &["one"]));
    let other = model::Authority::of_this_process().grant("somebody", theme("cybercrime"), model::Phase::Analysis);
    let (service, mark) = (ServiceId::of(A), Mark::vendor("red hen"));
    assert!(matches!(store.services(&other, market, None, 1), Err(Error::NotGranted(_))));
    assert!(matches!(store.places(&other, market, service, Seq(9), 1, 1), Err(Error::NotGranted(_))));
    assert!(matches!(store.pages_of(&other, market, service, Seq(9)), Err(Error::NotGranted(_))));
    assert!(matches!(store.sketch(&other, market, Seq(1)), Err(Error::NotGranted(_))));
    assert!(matches!(store.services_with(&other, market, mark, Seq(9), 1), Err(Error::NotGranted(_))));
    assert!(matches!(store.captures_with(&other, market, mark, service, 1), Err(Error::NotGranted(_))));
    assert!(matches!(store.elements(&other, market, service, None, None, 1), Err(Error::NotGranted(_))));
}

#[test]
fn names_are_equal_however_they_are_set() {
    assert_eq!(folded("  RED--Hen™ "), "red hen");
    assert_eq!(folded("Красная.Курица"), "красная курица");
    assert_eq!(folded("!!"), "");
}

proptest::proptest! {
    #[test]
    fn parts_of_a_mark_never_run_together(a in ".{0,4}", b in ".{0,4}", c in ".{0,4}", d in ".{0,4}") {
        let is_same = (&a, &b) == (&c, &d);
        proptest::prop_assert_eq!(Mark::of("x", &[&a, &b]) == Mark::of("x", &[&c, &d]), is_same);
    }

    #[test]
    fn the_successor_is_the_next_in_order(part: [u8; 3]) {
        let number = |part: [u8; 3]| u32::from_be_bytes([0, part[0], part[1], part[2]]);
        let expect = Some(number(part) + 1).filter(|next| *next < 1 << 24);
        proptest::prop_assert_eq!(successor(part).map(number), expect);
    }
}

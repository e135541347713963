//! Exports of a real store, checked as a stranger checks them.

mod house;
mod stamp;

use std::collections::BTreeMap;

use house::{House, MARKET, PAGE, TARGET, everything, noon, theme};
use model::{Seq, TargetId, Timestamp};
use proof::{Fact, Leaf, LeafKind};

use crate::{Error, Export, Format, Order, Selection};

fn order(selection: Selection) -> Order {
    Order { selection, format: Format::Warc, purpose: "case 17".into(), with_revisits: false, checkpoint: None }
}

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_micros(noon().as_micros() + minute * 60_000_000)
}

#[tokio::test]
async fn every_capture_of_an_export_holds() {
    let house = House::with_captures().await;
    for format in [Format::Warc, Format::Wacz] {
        for with_revisits in [false, true] {
            let export = house.order(&Order { format, with_revisits, ..order(everything()) }).unwrap();
            let (summary, lines) = house.verify(&export, &house.bytes(&export, 0));
            assert_eq!((summary.captures, summary.fails), (8, 0), "{lines:#?}");
            // What cannot be checked is known, by capture.
            let mut expected = vec!["the part payload: the response is cut short", "the part payload: its salt is not"];
            expected.extend(["metadata records", "it bears no time-stamp"]);
            expected.extend(with_revisits.then_some("a revisit does not hold the whole response"));
            let unchecked = lines.iter().filter(|line| line.starts_with("unchecked"));
            for line in unchecked {
                assert!(expected.iter().any(|known| line.contains(known)), "{line}");
            }
            for known in expected {
                assert!(lines.iter().any(|line| line.contains(known)), "{known}: {lines:#?}");
            }
        }
    }
}

/// The values of a field, each with the type of its record.
fn values<'a>(records: &'a [house::Record], name: &'a str) -> Vec<(&'a str, &'a str)> {
    let of = |record: &'a house::Record| {
        let kind = record.header.get("WARC-Type").unwrap_or_default();
        record.header.fields().all(name).map(move |value| (kind, value))
    };
    records.iter().flat_map(of).collect()
}

#[tokio::test]
async fn what_records_say() {
    let house = House::with_captures().await;
    let export = house.order(&Order { with_revisits: true, ..order(everything()) }).unwrap();
    let records = house::records(&house.bytes(&export, 0));
    let kinds: Vec<Vec<&str>> = records
        .chunk_by(|_, next| next.header.get("WARC-Concurrent-To").is_some())
        .map(|capture| capture.iter().map(|record| record.header.get("WARC-Type").unwrap()).collect())
        .collect();
    let whole = ["response", "request", "metadata", "resource"];
    let again = ["revisit", "request", "metadata", "resource"];
    assert_eq!(
        kinds,
        [
            &["warcinfo"][..],
            &whole,
            &again,
            &whole,
            &["request", "metadata", "resource"],
            &["metadata", "resource"],
            &whole,
            &whole,
            &whole
        ]
    );
    let all = |name: &'static str| values(&records, name);
    assert!(all("WARC-IP-Address").is_empty());
    assert_eq!(all("WARC-Truncated"), [("revisit", "length"), ("response", "disconnect"), ("response", "unspecified")]);
    let tls: Vec<_> = all("WARC-Protocol").into_iter().filter(|(_, protocol)| protocol.starts_with("tls")).collect();
    assert_eq!(tls, [("response", "tls/1.3"), ("request", "tls/1.3")]);
    assert_eq!(records[0].header.get("WARC-Filename"), Some(export.filename().as_str()));
    // The secret is gone, and what stands for it is flagged.
    let cut = records.iter().find(|record| record.header.get("Nachtwacht-Redacted").is_some()).unwrap();
    assert!(cut.block.ends_with(b"Cookie: session=\r\n\r\n"));
    let says = cut.header.get("Nachtwacht-Redacted").unwrap();
    assert!(says.starts_with("6 bytes at 47: sha256:"), "{says}");
    let metadata: Vec<String> = records
        .iter()
        .filter(|record| record.header.get("WARC-Type") == Some("metadata"))
        .map(|record| String::from_utf8(record.block.clone()).unwrap())
        .collect();
    assert_eq!(
        metadata[4],
        format!(
            "via: {}\r\nhopsFromSeed: LL\r\nfetchTimeMs: 1500\r\nnachtwacht-capture: 5\r\nnachtwacht-outcome: DescriptorNotFound\r\n\
             nachtwacht-outcome-detail: no  descriptor\r\n",
            house::uri("/")
        )
    );
}

#[tokio::test]
async fn an_export_is_a_leaf_before_it_leaves() {
    let house = House::with_captures().await;
    let before = house.store.log_head().size;
    let export = house.order(&order(Selection::Captures(vec![Seq(2), Seq(1), Seq(2)]))).unwrap();
    assert_eq!((export.leaf, house.store.log_head().size), (before, before + 1));
    let act = house.store.acts(&house.grant(), theme(MARKET), export.leaf, 1).unwrap().pop().unwrap();
    let leaf = Leaf::decode(&act.entry).unwrap();
    assert_eq!((leaf.kind, leaf.time_us), (LeafKind::Export, noon().as_micros()));
    let bytes = house.bytes(&export, 0);
    let int = |number: usize| Fact::Int(i64::try_from(number).unwrap());
    let facts = [
        ("bytes", int(bytes.len())),
        ("captures", int(2)),
        ("digest", Fact::Bytes(model::Digest::of(&bytes).as_bytes().to_vec())),
        ("format", "warc".into()),
        ("log_size", int(usize::try_from(before).unwrap())),
        ("revisits", false.into()),
        ("theme", MARKET.into()),
        ("timestamps", int(0)),
    ];
    assert_eq!(leaf.facts, BTreeMap::from(facts.map(|(name, fact)| (name.to_owned(), fact))));
    let parts: Vec<_> = act.parts.iter().map(|(name, part)| (name.as_str(), str::from_utf8(part).unwrap())).collect();
    assert_eq!(parts, [("purpose", "case 17"), ("selection", "{\"captures\":[1,2]}"), ("who", "somebody")]);
    assert_eq!(house.exporter.find(&house.grant(), theme(MARKET), export.leaf).unwrap(), Some(export.clone()));
    for leaf in [0, 1, export.leaf + 1] {
        assert_eq!(house.exporter.find(&house.grant(), theme(MARKET), leaf).unwrap(), None);
    }
}

#[tokio::test]
async fn the_same_selection_at_the_same_checkpoint_gives_the_same_bytes() {
    let house = House::with_captures().await;
    let first = house.order(&Order { format: Format::Wacz, ..order(everything()) }).unwrap();
    house.page("/later", PAGE, |_| {}).await;
    let again = Order { format: Format::Wacz, checkpoint: Some(first.log_size), ..order(everything()) };
    let second = house.order(&again).unwrap();
    assert_eq!((first.digest, first.captures, first.filename()), (second.digest, second.captures, second.filename()));
    assert_ne!(first.leaf, second.leaf);
    let now = house.order(&Order { checkpoint: None, ..again }).unwrap();
    assert_eq!(now.captures, first.captures + 1);
    assert_ne!(now.filename(), first.filename());
}

#[tokio::test]
async fn an_export_goes_on_where_it_broke_off() {
    let house = House::with_captures().await;
    for format in [Format::Warc, Format::Wacz] {
        let export = house.order(&Order { format, ..order(everything()) }).unwrap();
        let whole = house.bytes(&export, 0);
        assert_eq!((whole.len() as u64, model::Digest::of(&whole)), (export.bytes, export.digest));
        for offset in (0..whole.len()).step_by(997).chain([whole.len() - 1, whole.len()]) {
            assert!(house.bytes(&export, offset as u64) == whole[offset..], "{format:?} from {offset}");
        }
    }
}

#[tokio::test]
async fn what_is_no_longer_the_same_is_not_passed_off_as_it() {
    let house = House::with_captures().await;
    let export = house.order(&order(everything())).unwrap();
    let other = Export { digest: model::Digest::of(b"other"), ..export.clone() };
    let mut out = Vec::new();
    assert!(matches!(house.exporter.write(&house.grant(), &other, 0, &mut out), Err(Error::Changed(_))));
    assert!((out.len() as u64) < export.bytes, "all of it was handed out");
    house.exporter.check(&house.grant(), &export).unwrap();
    let fewer = Export { captures: export.captures + 1, ..export };
    assert!(matches!(house.exporter.check(&house.grant(), &fewer), Err(Error::Changed(_))));
}

#[tokio::test]
async fn a_selection_takes_what_it_names_and_nothing_else() {
    let house = House::with_captures().await;
    let count = |selection| house.order(&order(selection)).map(|export| export.captures);
    let target = |from, until| Selection::Target { id: TARGET, from, until };
    assert_eq!(count(target(None, None)).unwrap(), 8);
    assert_eq!(count(target(Some(minute(2)), None)).unwrap(), 7);
    assert_eq!(count(target(Some(minute(2)), Some(minute(3)))).unwrap(), 1);
    assert_eq!(count(Selection::Captures(vec![Seq(3)])).unwrap(), 1);
    // Both captures of `/` have one version; any of them names it.
    house.analyse(Seq(1), Seq(2));
    for seq in [1, 2] {
        let export = house.order(&order(Selection::Version { first: Seq(seq), last: None })).unwrap();
        assert_eq!(export.captures, 2);
        let act = house.store.acts(&house.grant(), theme(MARKET), export.leaf, 1).unwrap().pop().unwrap();
        assert_eq!(act.parts["selection"], br#"{"version":{"first":1,"last":2}}"#);
    }
}

#[tokio::test]
async fn a_dossier_goes_out_as_it_was_and_its_leaf_is_named() {
    let house = House::with_captures().await;
    house.analyse(Seq(1), Seq(2));
    let (grant, market) = (house.grant(), theme(MARKET));
    let new = store::NewDossier {
        title: "Lanterns",
        purpose: "case 17",
        recipient: "bob",
        note: None,
        versions: &[Seq(2)],
        at: noon(),
    };
    let id = house.store.release_dossier(&grant, market, &new).unwrap();
    let selection = Selection::Dossier { id, captures: Vec::new() };
    for format in [Format::Warc, Format::Wacz] {
        let export = house.order(&Order { format, ..order(selection.clone()) }).unwrap();
        let (summary, lines) = house.verify(&export, &house.bytes(&export, 0));
        assert_eq!((export.captures, summary.captures, summary.fails), (2, 2, 0), "{lines:#?}");
        let act = house.store.acts(&grant, market, export.leaf, 1).unwrap().pop().unwrap();
        let leaf = Leaf::decode(&act.entry).unwrap();
        assert_eq!(leaf.facts["dossier"], Fact::Int(i64::try_from(id).unwrap()));
        let selected = format!(r#"{{"dossier":{{"id":{id},"captures":[1,2]}}}}"#);
        assert_eq!(str::from_utf8(&act.parts["selection"]).unwrap(), selected);
        assert_eq!(house.exporter.find(&grant, market, export.leaf).unwrap(), Some(export));
    }
    let refused = |id| house.order(&order(Selection::Dossier { id, captures: vec![Seq(5)] })).unwrap_err().to_string();
    assert_eq!(refused(99), "there is no dossier 99 in this theme");
    house.store.withdraw_dossier(&grant, market, id, "r", noon()).unwrap();
    assert!(refused(id).contains("was withdrawn"));
}

#[tokio::test]
async fn an_order_that_cannot_be_met_leaves_no_trace() {
    let house = House::with_captures().await;
    house.analyse(Seq(1), Seq(2));
    let early = house.order(&order(everything())).unwrap().log_size;
    house.page("/later", PAGE, |_| {}).await;
    house.notary.sign(noon()).unwrap();
    let before = house.store.log_head();
    let check = |order: Order, expected: &str| {
        assert_eq!(house.order(&order).unwrap_err().to_string(), expected);
    };
    check(Order { purpose: " ".into(), ..order(everything()) }, "an export needs a purpose");
    check(order(Selection::Captures(vec![])), "nothing is selected");
    check(order(Selection::Target { id: TargetId::from_u64(9), from: None, until: None }), "nothing is selected");
    check(order(Selection::Captures(vec![Seq(1), Seq(99)])), "there is no capture marketplace/99");
    check(order(Selection::Version { first: Seq(99), last: None }), "there is no capture marketplace/99");
    check(order(Selection::Version { first: Seq(3), last: None }), "capture marketplace/3 belongs to no version");
    check(Order { checkpoint: Some(77), ..order(everything()) }, "there is no checkpoint of 77 leaves");
    check(
        Order { checkpoint: Some(early), ..order(Selection::Captures(vec![Seq(9)])) },
        &format!("capture marketplace/9 came after the checkpoint of {early} leaves"),
    );
    assert_eq!(house.store.log_head(), before);
}

#[tokio::test]
async fn another_themes_grant_exports_nothing() {
    let house = House::with_captures().await;
    let export = house.order(&order(everything())).unwrap();
    let stranger = house.grant_for("cybercrime");
    let refused = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Store(store::Error::NotGranted(_)))));
    refused(house.exporter.order(&stranger, theme(MARKET), &order(everything()), noon()).map(drop));
    refused(house.exporter.find(&stranger, theme(MARKET), export.leaf).map(drop));
    refused(house.exporter.write(&stranger, &export, 0, Vec::new()));
    assert_eq!(house.exporter.find(&stranger, theme("cybercrime"), export.leaf).unwrap(), None);
}

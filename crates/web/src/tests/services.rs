//! Services, their mirrors, items, sellers and proposals over the API.

use axum::http::Method;
use model::{
    Document, Field, Grade, ListingFields, Observable, ObservableKind, PageKind, Price, Seq, Source, VendorFields,
};
use serde_json::{Value, json};

use super::{
    CYBER, House, MARKET,
    evidence::{TARGET, document},
    targets::new_target,
};

/// The host of the target.
const HOST: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
const MIRROR: &str = "sp3k262uwy4r2k3ycr5awluarykdpag6a7y33jxop4cs2lu5uz5sseqd.onion";
const CALLED: &str = "xa4r2iadxm55fbnqgwwi5mymqdcofiu3w6rpbtqn7b2dyn7mgwj64jyd.onion";

fn observable(kind: ObservableKind, value: &str) -> Observable {
    Observable { kind, grade: Grade::Verified, value: value.into(), at: 0..1, key: None }
}

fn field<T>(value: T) -> Field<T> {
    Field { value, confidence: 90, source: Source::Label }
}

/// Words that no other page has in this order.
fn text(number: usize) -> String {
    const WORDS: [&str; 7] = ["lantern", "oil", "wick", "harbour", "ferry", "amber", "rope"];
    (0..40).map(|at| format!("{} ", WORDS[(at * at + at * number) % WORDS.len()])).collect()
}

fn offer(number: usize, amount: &str) -> Document {
    let listing = ListingFields {
        title: Some(field(format!("Offer {number}"))),
        vendor: Some(field("Red Hen".into())),
        price: Some(field(Price { amount: amount.into(), currency: "EUR".into() })),
        ..ListingFields::default()
    };
    let fields = model::Fields { listing: Some(Box::new(listing)), ..model::Fields::default() };
    Document { fields, ..document(&format!("Offer {number}"), &text(number)) }
}

fn seller(name: &str, number: usize) -> Document {
    let vendor = VendorFields { name: Some(field(name.into())), ..VendorFields::default() };
    let fields = model::Fields { vendor: Some(Box::new(vendor)), ..model::Fields::default() };
    let observables =
        vec![observable(ObservableKind::PgpFingerprint, "AB12"), observable(ObservableKind::Phone, "+31612345678")];
    Document { kind: PageKind::Vendor, fields, observables, ..document(name, &text(number)) }
}

impl House {
    async fn shows(&self, host: &str, path: &str, document: Document) -> Seq {
        let uri = format!("http://{host}{path}");
        let seq = self.record(MARKET, TARGET, &uri, model::Outcome::Ok).await;
        self.analyse(MARKET, seq, &uri, Some(document), false);
        seq
    }

    async fn of_theme(&self, theme: &str, path: &str) -> super::Answer {
        self.get(&format!("/themes/{theme}{path}")).await
    }

    async fn of_market(&self, path: &str) -> Value {
        self.of_theme(MARKET, path).await.json(200)
    }
}

/// A market on two addresses: seven offers, of which the first became dearer on one of them, and a seller who names a third address.
async fn house() -> House {
    let house = House::new();
    for host in [HOST, MIRROR] {
        for number in 0..7 {
            house.shows(host, &format!("/offer/{number}"), offer(number, "10.00")).await;
        }
        let link =
            model::Link { uri: format!("http://{CALLED}/").parse().unwrap(), anchor: "our mirror".into(), rel: None };
        let page = Document { links: vec![link], ..seller("Red Hen", 8) };
        house.shows(host, "/vendor/red-hen", page).await;
    }
    house.shows(HOST, "/offer/0", offer(0, "12.50")).await;
    house
}

#[tokio::test]
async fn a_service_tells_what_it_shows_and_with_whom_it_is_alike() {
    let house = house().await;
    let listed = house.of_market("/services?limit=1").await;
    let next = listed["next"].as_str().unwrap();
    let rest = house.of_market(&format!("/services?from={next}")).await;
    let hosts: std::collections::BTreeSet<&str> =
        [&listed, &rest].iter().map(|page| page["services"][0]["host"].as_str().unwrap()).collect();
    assert_eq!((hosts, &rest["next"]), ([HOST, MIRROR].into(), &Value::Null));

    let shown = house.of_market(&format!("/services/www.{HOST}")).await;
    assert_eq!((&shown["host"], &shown["pages"], &shown["targets"]), (&json!(HOST), &json!(8), &json!([])));
    let at = json!({ "capture": format!("{MARKET}/8"), "seen": "2026-06-01T12:00:00.000000Z" });
    let element =
        |kind: &str, value: &str| json!({ "kind": kind, "value": value, "captures": 1, "first": at, "last": at });
    let expect = [
        element("called-mirror", CALLED),
        element("mention", CALLED),
        element("pgp-fingerprint", "AB12"),
        element("phone", "+31612345678"),
    ];
    assert_eq!(shown["elements"], json!(expect));
    assert_eq!((&shown["alike"][0]["b"], &shown["alike"][0]["verdict"]), (&json!(MIRROR), &json!("mirror")));

    let first = house.of_market(&format!("/services/{HOST}?limit=3")).await;
    assert_eq!(first["next"], "phone:+31612345678");
    let second = house.of_market(&format!("/services/{HOST}?from=phone:%2B31612345678")).await;
    assert_eq!((&second["elements"][0]["kind"], &second["next"]), (&json!("phone"), &Value::Null));
    let of_kind = house.of_market(&format!("/services/{HOST}?kind=mention")).await;
    assert_eq!(of_kind["elements"], json!([element("mention", CALLED)]));

    // The pages of the mirror still link to the address that they were copied from.
    let last = json!({ "capture": format!("{MARKET}/15"), "seen": "2026-06-01T12:00:00.000000Z" });
    assert_eq!(shown["named_by"], json!([{ "host": MIRROR, "last": last }]));
    house.of_theme(MARKET, "/services/nowhere.example").await.problem(404, "unknown-service");
    house.of_theme(CYBER, &format!("/services/{HOST}")).await.problem(404, "unknown-service");
    assert_eq!(house.of_theme(CYBER, "/services").await.json(200)["services"], json!([]));
    house.of_theme(MARKET, &format!("/services/{HOST}?kind=x")).await.problem(400, "bad-parameter");
    house.of_theme(MARKET, &format!("/services/{HOST}?from=x")).await.problem(400, "bad-parameter");
    house.of_theme(MARKET, "/services?format=xls").await.problem(400, "bad-parameter");
}

#[tokio::test]
async fn lists_are_tables_too_and_nothing_in_them_is_a_formula() {
    let house = house().await;
    let table = house.of_theme(MARKET, &format!("/services/{HOST}?format=csv&limit=2")).await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(table.header("content-disposition"), "attachment; filename=\"service.csv\"");
    assert_eq!(table.header("nachtwacht-next"), "pgp-fingerprint%3AAB12");
    let table = house.of_theme(MARKET, &format!("/services/{HOST}?format=csv&kind=phone")).await;
    let text = String::from_utf8(table.body.to_vec()).unwrap();
    let expect = format!(
        "host,kind,value,captures,first,first_seen,last,last_seen\r\n\
         {HOST},phone,\"'+31612345678\",1,{MARKET}/8,2026-06-01T12:00:00.000000Z,{MARKET}/8,2026-06-01T12:00:00.000000Z\r\n"
    );
    assert_eq!(text, expect);
    for path in ["/services", "/clusters", "/proposals", "/captures/1/item", "/vendors?name=red+hen"] {
        let join = if path.contains('?') { '&' } else { '?' };
        let table = house.of_theme(MARKET, &format!("{path}{join}format=csv")).await;
        assert_eq!(
            (table.status.as_u16(), table.header("content-type")),
            (200, "text/csv; charset=utf-8; header=present")
        );
        let text = String::from_utf8(table.body.to_vec()).unwrap();
        assert!(text.lines().next().is_some_and(|line| line.contains(',')), "{text}");
    }
    let sightings = house.of_theme(MARKET, "/observables?kind=phone&value=%2B31612345678&format=csv").await;
    assert_eq!(String::from_utf8(sightings.body.to_vec()).unwrap().lines().count(), 3);
}

#[tokio::test]
async fn clusters_items_sellers_and_proposals_are_told() {
    let house = house().await;
    house.add().await;
    let clusters = house.of_market("/clusters").await;
    let mut hosts = [HOST, MIRROR];
    hosts.sort_unstable();
    assert_eq!((&clusters["clusters"][0]["hosts"], &clusters["up_to"]), (&json!(hosts), &json!(17)));
    let pair = &clusters["clusters"][0]["pairs"][0];
    assert_eq!(
        (&pair["verdict"], &pair["alike"], &pair["differing"][0]["kind"]),
        (&json!("mirror"), &json!(8), &json!("address"))
    );
    assert_eq!(house.of_theme(CYBER, "/clusters").await.json(200)["clusters"], json!([]));

    let item = house.of_market("/captures/1/item?limit=2").await;
    assert_eq!((&item["title"], &item["vendor"]), (&json!("Offer 0"), &json!("Red Hen")));
    let price =
        |run: &Value| format!("{} {} {}", run["host"].as_str().unwrap(), run["price"].as_str().unwrap(), run["first"]);
    let mut prices: Vec<String> = item["prices"].as_array().unwrap().iter().map(price).collect();
    prices.sort();
    assert_eq!(
        prices,
        [format!("{HOST} 10.00 EUR 1"), format!("{HOST} 12.50 EUR 17"), format!("{MIRROR} 10.00 EUR 9")]
    );
    assert_eq!((item["captures"].as_array().unwrap().len(), &item["next"]), (2, &json!(17)));
    let rest = house.of_market("/captures/1/item?from=17").await;
    assert_eq!(rest["captures"][0]["price"], "12.50 EUR");
    house.of_theme(MARKET, "/captures/8/item").await.problem(404, "no-item");
    house.of_theme(MARKET, "/captures/99/item").await.problem(404, "unknown-capture");

    let vendor = house.of_market("/vendors?name=RED+HEN").await;
    assert_eq!((&vendor["keys"][0]["fingerprint"], &vendor["keys"][0]["is_shared"]), (&json!("AB12"), &json!(false)));
    assert_eq!(vendor["keys"][0]["pages"].as_array().unwrap().len(), 2);
    house.of_theme(MARKET, "/vendors?name=!").await.problem(400, "bad-parameter");

    let proposals = house.of_market("/proposals").await["proposals"].clone();
    let hosts: Vec<&str> = proposals.as_array().unwrap().iter().map(|it| it["host"].as_str().unwrap()).collect();
    assert_eq!(hosts, [MIRROR, CALLED]);
    assert_eq!(proposals[1]["called_by"][0]["first"]["capture"], format!("{MARKET}/8"));
    assert_eq!(proposals[1]["found_in"], json!({ "capture": 8, "service": HOST, "link": format!("http://{CALLED}/") }));
    // What is proposed by a person is listed no more, and carries where it was found.
    let mut new = new_target();
    new["terms"]["seeds"] = json!([format!("http://{CALLED}/")]);
    new["found_in"] = proposals[1]["found_in"].clone();
    let added = house.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new).await.json(201);
    assert_eq!(added["open_proposals"][0]["found_in"], proposals[1]["found_in"]);
    assert_eq!(house.of_market("/proposals").await["proposals"].as_array().unwrap().len(), 1);
    // A proposal about the mirror says of what it is one.
    new["terms"]["seeds"] = json!([format!("http://{MIRROR}/")]);
    let mirror = house.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new).await.json(201);
    let (id, proposal) = (mirror["id"].as_str().unwrap(), &mirror["open_proposals"][0]["proposal"]);
    let detail = house.of_market(&format!("/targets/{id}/proposals/{proposal}")).await;
    assert_eq!((&detail["hints"][0]["kind"], &detail["hints"][0]["other"]), (&json!("mirror"), &json!(HOST)));
    assert_eq!(house.of_market("/proposals").await["proposals"], json!([]));
    assert_eq!(house.of_theme(CYBER, "/proposals").await.json(200)["proposals"], json!([]));
}

#[tokio::test]
async fn what_is_erased_or_sealed_is_in_no_pivot() {
    let house = house().await;
    let send = async |path: &str, body| house.send(Method::POST, &format!("/themes/{MARKET}{path}"), &body).await;
    send("/erasures", json!({ "subject": "capture:8", "ground": "g", "forgets_uris": false })).await.json(200);
    assert_eq!(house.of_market(&format!("/services/{HOST}")).await["elements"], json!([]));
    let vendor = house.of_market("/vendors?name=red+hen").await;
    assert_eq!(vendor["pages"].as_array().unwrap().len(), 1);
    send("/erasures", json!({ "subject": "capture:17", "ground": "g", "forgets_uris": false })).await.json(200);
    let item = house.of_market("/captures/1/item").await;
    assert!(!item.to_string().contains("12.50"), "{item}");
    // All captures of the mirror have payloads like those of the target, so that one seal hides them all.
    send("/captures/9/seal", json!({ "reason": "r" })).await.json(200);
    assert_eq!(house.of_market("/services").await["services"], json!([]));
    assert_eq!(house.of_market("/clusters").await["clusters"], json!([]));
}

#[tokio::test]
async fn matches_are_counted_by_clusters_as_of_the_generation() {
    let house = house().await;
    house.add().await;
    house.index(MARKET, &[("/offer", 0, "lantern"); 17]);
    let counted = async |query: &str| {
        let answer = house.of_market(&format!("/search?q=lantern&facets=cluster&limit=0&{query}")).await;
        (answer["facets"][0]["values"].clone(), answer["generation"].as_str().unwrap().to_owned())
    };
    let first = HOST.min(MIRROR);
    assert_eq!(counted("up_to=8").await.0, json!([]), "the mirror was not known yet");
    let (all, generation) = counted("").await;
    assert_eq!(all, json!([{ "value": first, "count": 17 }]));
    assert_eq!(counted("up_to=12").await.0, json!([{ "value": first, "count": 12 }]));
    // A third address changes the answer of now, and not that of then.
    for number in 0..7 {
        house.shows(CALLED, &format!("/offer/{number}"), offer(number, "10.00")).await;
    }
    house.index(MARKET, &[("/offer", 0, "lantern"); 24]);
    let least = first.min(CALLED);
    assert_eq!(counted("").await.0, json!([{ "value": least, "count": 24 }]));
    assert_eq!(counted(&format!("generation={generation}")).await.0, all);
    // What is like what depends on what is taken away.
    let seal = format!("/themes/{MARKET}/captures/9/seal");
    house.send(Method::POST, &seal, &json!({ "reason": "r" })).await.json(200);
    let path = format!("/search?q=lantern&facets=cluster&limit=0&generation={generation}");
    house.of_theme(MARKET, &path).await.problem(410, "generation-retired");
}

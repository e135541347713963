use model::{Digest, Outcome, Seq, TargetId};
use serde_json::{Value, json};

use super::{
    CYBER, House, MARKET,
    evidence::{HEAD, PAGE, TARGET, block, document, uri},
};
use crate::api;

const OTHER: TargetId = TargetId::from_u64(2);

async fn listed(house: &House, query: &str) -> (Vec<u64>, Value) {
    let page = house.get(&format!("/themes/{MARKET}/captures{query}")).await.json(200);
    let numbers = page["captures"].as_array().unwrap().iter().map(|capture| capture["seq"].as_u64().unwrap()).collect();
    (numbers, page["next"].clone())
}

#[tokio::test]
async fn captures_are_listed_newest_first_by_target_and_uri() {
    let house = House::new();
    for (target, path) in [(TARGET, "/a"), (OTHER, "/b"), (TARGET, "/a"), (OTHER, "/a")] {
        house.record(MARKET, target, path, Outcome::Ok).await;
    }
    house.record(CYBER, TARGET, "/a", Outcome::Ok).await;
    assert_eq!(listed(&house, "").await, (vec![4, 3, 2, 1], Value::Null));
    assert_eq!(listed(&house, "?limit=3").await, (vec![4, 3, 2], json!(1)));
    assert_eq!(listed(&house, "?limit=3&from=1").await, (vec![1], Value::Null));
    assert_eq!(listed(&house, &format!("?target={TARGET}")).await, (vec![3, 1], Value::Null));
    assert_eq!(listed(&house, &format!("?uri={}", uri("/a"))).await, (vec![4, 3, 1], Value::Null));
    assert_eq!(listed(&house, &format!("?uri={}&target={OTHER}", uri("/a"))).await, (vec![4], Value::Null));
    assert_eq!(listed(&house, &format!("?uri={}", uri("/nowhere"))).await, (vec![], Value::Null));

    let page: api::Captures =
        serde_json::from_value(house.get(&format!("/themes/{MARKET}/captures?limit=1")).await.json(200)).unwrap();
    let newest = &page.captures[0];
    assert_eq!((newest.capture.to_string().as_str(), newest.payload_len), ("marketplace/4", PAGE.len() as u64));
}

#[tokio::test]
async fn bad_parameters_of_a_list_are_named() {
    let house = House::new();
    for (query, detail) in [
        ("?limit=101", "limit: 101 is more than 100"),
        ("?limit=x", "limit: "),
        ("?target=17", "target: "),
        ("?uri=ftp://example.com/", "uri: "),
        ("?from=-1", "from: "),
        ("?page=2", "page: there is no such parameter"),
        ("?limit=1&limit=2", "limit: given more than once"),
    ] {
        let told = house.get(&format!("/themes/{MARKET}/captures{query}")).await.problem(400, "bad-parameter");
        assert!(told.starts_with(detail), "{told}");
    }
}

#[tokio::test]
async fn a_capture_tells_all_but_its_bytes() {
    let house = House::new();
    let seq = house.record(MARKET, TARGET, "/a", Outcome::Ok).await;
    let path = format!("/themes/{MARKET}/captures/{seq}");
    let capture: api::Capture = serde_json::from_value(house.get(&path).await.json(200)).unwrap();
    assert_eq!(data_encoding::BASE64.decode(capture.response_head.as_bytes()).unwrap(), HEAD);
    assert_eq!((capture.block_digest, capture.block_len), (Digest::of(&block()), block().len() as u64));
    assert_eq!((capture.payload_digest, capture.is_chunked, capture.epoch), (Digest::of(PAGE), true, 3));
    assert_eq!((capture.uri, capture.outcome, capture.status), (uri("/a"), Outcome::Ok, Some(200)));
    assert_eq!(capture.analysis, None);
    house.analyse(MARKET, seq, "/a", Some(document("t", "x")), false);
    let analysis = house.get(&path).await.json(200)["analysis"].clone();
    assert_eq!(analysis, json!({ "kind": "listing", "has_changed": true, "is_quarantined": false }));
}

#[tokio::test]
async fn raw_bytes_are_those_that_were_received_and_cannot_run() {
    let house = House::new();
    let seq = house.record(MARKET, TARGET, "/a", Outcome::Ok).await;
    for (what, bytes, name) in [("raw", block(), "block"), ("payload", PAGE.to_vec(), "payload")] {
        let answer = house.get(&format!("/themes/{MARKET}/captures/{seq}/{what}")).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (200, bytes.as_slice()));
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"marketplace-1-{name}.bin\""));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; sandbox");
    }
}

#[tokio::test]
async fn a_failed_attempt_is_a_capture_without_bytes() {
    let house = House::new();
    let seq = house.record(MARKET, TARGET, "/a", Outcome::DescriptorNotFound).await;
    assert_eq!(house.get(&format!("/themes/{MARKET}/captures/{seq}")).await.json(200)["outcome"], "DescriptorNotFound");
    for what in ["raw", "payload"] {
        let answer = house.get(&format!("/themes/{MARKET}/captures/{seq}/{what}")).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    }
}

#[tokio::test]
async fn text_is_text_and_never_a_page() {
    let house = House::new();
    let seq = house.record(MARKET, TARGET, "/a", Outcome::Ok).await;
    let hostile = "<script>alert(1)</script>\nлампа";
    house.analyse(MARKET, seq, "/a", Some(document("<b>title</b>", hostile)), false);
    let answer = house.get(&format!("/themes/{MARKET}/captures/{seq}/text")).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (200, hostile.as_bytes()));
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");

    let answer = house.get(&format!("/themes/{MARKET}/captures/{seq}/document")).await;
    assert_eq!(answer.header("content-type"), "application/json");
    let shown: api::Document = serde_json::from_value(answer.json(200)).unwrap();
    assert_eq!((shown.title.as_str(), shown.text.as_str()), ("<b>title</b>", hostile));
    assert_eq!((shown.language.as_deref(), shown.links[0].uri.clone()), (Some("eng"), uri("/next")));
}

#[tokio::test]
async fn why_there_is_no_document_is_told() {
    let house = House::new();
    for _ in 0..3 {
        house.record(MARKET, TARGET, "/a", Outcome::Ok).await;
    }
    house.analyse(MARKET, Seq(1), "/a", None, false);
    house.analyse(MARKET, Seq(2), "/a", None, true);
    for (seq, detail) in [(1, "no content"), (2, "quarantined"), (3, "not analysed yet")] {
        for what in ["text", "document"] {
            let told = house.get(&format!("/themes/{MARKET}/captures/{seq}/{what}")).await.problem(404, "no-document");
            assert!(told.contains(detail), "{told}");
        }
    }
}

#[tokio::test]
async fn a_capture_of_another_theme_is_not_there() {
    let house = House::new();
    let seq = house.record(MARKET, TARGET, "/a", Outcome::Ok).await;
    house.analyse(MARKET, seq, "/a", Some(document("t", "x")), false);
    for what in ["", "/raw", "/payload", "/text", "/document"] {
        assert_eq!(house.get(&format!("/themes/{MARKET}/captures/{seq}{what}")).await.status.as_u16(), 200, "{what}");
        house.get(&format!("/themes/{CYBER}/captures/{seq}{what}")).await.problem(404, "unknown-capture");
        house.get(&format!("/themes/{MARKET}/captures/99{what}")).await.problem(404, "unknown-capture");
        house.get(&format!("/themes/{MARKET}/captures/x{what}")).await.problem(404, "unknown-capture");
    }
}

//! Search results that leave the house.

use axum::{
    body::Body,
    http::{Method, header},
};
use model::{Digest, Grant, Purpose, Seq};
use proof::{Fact, Leaf, LeafKind};
use serde_json::{Value, json};

use super::{Answer, CYBER, House, MARKET, request, theme};
use crate::authentication::Peer;

fn house() -> House {
    let house = House::new();
    let entries =
        [("/a1", 0, "=lantern(1)"), ("/b2", 10, "blue, \"lantern\""), ("/a3", 20, "red rope"), ("/a4", 30, "lantern")];
    house.index(MARKET, &entries);
    house
}

async fn export(house: &House, format: &str, body: &Value) -> Answer {
    house.send(Method::POST, &format!("/themes/{MARKET}/search/export{format}"), body).await
}

fn wanted(query: &str) -> Value {
    json!({ "query": query, "purpose": "case 17" })
}

#[tokio::test]
async fn results_leave_as_a_table_and_as_lines_and_the_log_knows() {
    let house = house();
    for (format, extension) in [("", "csv"), ("?format=csv", "csv"), ("?format=jsonl", "jsonl")] {
        let before = house.store.log_head().size;
        let answer = export(&house, format, &wanted("q=lantern&sort=oldest")).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.header("nachtwacht-leaf"), before.to_string());
        assert_eq!(answer.header("etag"), format!("\"{}\"", Digest::of(&answer.body)));
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        let disposition = format!("attachment; filename=\"{MARKET}-search-{before}.{extension}\"");
        assert_eq!(answer.header("content-disposition"), disposition);
        let system = Grant::system(Purpose::Maintenance);
        let act = house.store.acts(&system, theme(MARKET), before, 1).unwrap().pop().unwrap();
        let leaf = Leaf::decode(&act.entry).unwrap();
        assert_eq!((leaf.kind, &leaf.facts["hits"]), (LeafKind::Export, &Fact::Int(3)));
        assert!(matches!(&leaf.facts["generation"], Fact::Text(generation) if generation.starts_with('g')));
        assert_eq!(leaf.facts["digest"], Fact::Bytes(Digest::of(&answer.body).as_bytes().to_vec()));
        assert_eq!(
            (&act.parts["purpose"][..], &act.parts["query"][..]),
            (&b"case 17"[..], &b"q=lantern&sort=oldest"[..])
        );
        // It holds no captures, and is none of the exports that do.
        house.get(&format!("/themes/{MARKET}/exports/{before}")).await.problem(404, "unknown-export");
    }
}

#[tokio::test]
async fn no_cell_is_run_and_every_line_is_a_hit() {
    let house = house();
    let table = export(&house, "?format=csv", &wanted("q=lantern&sort=oldest")).await.body;
    let table = String::from_utf8(table.to_vec()).unwrap();
    let rows: Vec<&str> = table.split_terminator("\r\n").collect();
    assert_eq!(rows[0], "capture,captured_at,target,uri,outcome,kind,language,title,snippet");
    assert_eq!(rows.len(), 4);
    assert!(rows[1].starts_with("marketplace/1,") && rows[1].ends_with(",\"'=lantern(1)\""), "{}", rows[1]);
    assert!(rows[2].ends_with(",\"blue, \"\"lantern\"\"\""), "{}", rows[2]);
    let lines = export(&house, "?format=jsonl", &wanted("q=lantern&sort=newest")).await.body;
    let hits: Vec<Value> = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let searched = house.get(&format!("/themes/{MARKET}/search?q=lantern&sort=newest")).await.json(200);
    assert_eq!(json!(hits), searched["hits"]);
}

/// More than one page of hits, so that the answer is put together.
#[tokio::test]
async fn all_pages_are_there() {
    let house = House::new();
    let entries: Vec<_> = (0..2_345).map(|minute| ("/a", minute, "lantern")).collect();
    house.index(MARKET, &entries);
    let lines = export(&house, "?format=jsonl", &wanted("q=lantern")).await.body;
    let mut found: Vec<u64> = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice::<Value>(line).unwrap()["seq"].as_u64().unwrap())
        .collect();
    found.sort_unstable();
    assert_eq!(found, (1..=2_345).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_export_that_cannot_be_leaves_no_trace() {
    let house = house();
    let before = house.store.log_head();
    export(&house, "?format=pdf", &wanted("q=lantern")).await.problem(400, "bad-parameter");
    export(&house, "", &wanted("q=%28lantern")).await.problem(400, "bad-query");
    export(&house, "", &wanted("q=nothing")).await.problem(422, "invalid");
    export(&house, "", &json!({ "query": "q=lantern", "purpose": " " })).await.problem(422, "invalid");
    let elsewhere = house.send(Method::POST, &format!("/themes/{CYBER}/search/export"), &wanted("q=lantern")).await;
    elsewhere.problem(422, "invalid");
    let file = json!({ "query": "q=lantern", "purpose": "p", "file": "/tmp/x.csv" });
    export(&house, "", &file).await.problem(403, "socket-only");
    assert_eq!(house.store.log_head(), before);
}

/// An erasure deletes one day what is noted here.
#[tokio::test]
async fn the_file_that_results_are_carried_to_is_noted() {
    let house = house();
    let dir = tempfile::tempdir().unwrap();
    let (file, other) = (dir.path().join("lanterns.csv"), dir.path().join("lanterns.txt"));
    for path in [&file, &other] {
        std::fs::write(path, "").unwrap();
    }
    let carry = async |file: &std::path::Path| {
        let body = json!({ "query": "q=lantern", "purpose": "p", "file": file });
        let request = request(Method::POST, &format!("/themes/{MARKET}/search/export"));
        let request = request.header(header::CONTENT_TYPE, "application/json").extension(Peer::Socket);
        house.ask(request.body(Body::from(body.to_string())).unwrap()).await
    };
    carry(&other).await.problem(422, "invalid");
    carry(&dir.path().join("missing.csv")).await.problem(422, "invalid");
    assert_eq!(carry(&file).await.status.as_u16(), 200);
    let copies = house.store.copies(&Grant::system(Purpose::Maintenance), theme(MARKET)).unwrap();
    assert_eq!((&copies[0].path, copies[0].captures.as_slice()), (&file, &[Seq(1), Seq(2), Seq(4)][..]));
}

//! Exports over the API: ordered, read, read on.

use axum::{
    body::Body,
    http::{Method, header},
};
use model::{Digest, Outcome, Seq};
use serde_json::{Value, json};

use super::{Answer, CYBER, House, MARKET, evidence::TARGET, request, theme};
use crate::authentication::Peer;

async fn house() -> House {
    let house = House::new();
    for n in 0..3 {
        house.record(MARKET, TARGET, &format!("/{n}"), Outcome::Ok).await;
    }
    house.record(MARKET, TARGET, "/gone", Outcome::DescriptorNotFound).await;
    house
}

fn wanted(selection: &Value, format: &str) -> Value {
    json!({ "selection": selection, "format": format, "purpose": "case 17" })
}

async fn order(house: &House, order: &Value) -> Answer {
    house.send(Method::POST, &format!("/themes/{MARKET}/exports"), order).await
}

#[tokio::test]
async fn an_export_is_ordered_and_read_and_read_on() {
    let house = house().await;
    for (format, extension) in [("warc", ".warc.gz"), ("wacz", ".wacz")] {
        let answer = order(&house, &wanted(&json!({ "target": { "id": TARGET } }), format)).await;
        let export = answer.json(201);
        let path = export["path"].as_str().unwrap();
        assert_eq!(answer.header("location"), format!("/api/v1{path}"));
        assert_eq!((&export["captures"], &export["format"]), (&json!(4), &json!(format)));
        let whole = house.get(path).await;
        assert_eq!(whole.status.as_u16(), 200);
        assert_eq!(export["bytes"], whole.body.len());
        assert_eq!(export["digest"], Digest::of(&whole.body).to_string());
        assert_eq!(whole.header("etag"), format!("\"{}\"", Digest::of(&whole.body)));
        assert_eq!(whole.header("content-type"), "application/octet-stream");
        let filename = export["filename"].as_str().unwrap();
        assert!(filename.starts_with(MARKET) && filename.ends_with(extension), "{filename}");
        assert_eq!(whole.header("content-disposition"), format!("attachment; filename=\"{filename}\""));

        let len = whole.body.len();
        for start in [0, 1, len / 2, len - 1] {
            let ask = request(Method::GET, path).header("range", format!("bytes={start}-"));
            let rest = house.ask(ask.body(Body::empty()).unwrap()).await;
            assert_eq!(
                (rest.status.as_u16(), rest.header("content-range")),
                (206, &*format!("bytes {start}-{}/{len}", len - 1))
            );
            assert_eq!(rest.header("content-length"), (len - start).to_string());
            assert!(rest.body == whole.body[start..]);
        }
        let beyond = request(Method::GET, path).header("range", format!("bytes={len}-"));
        let beyond = house.ask(beyond.body(Body::empty()).unwrap()).await;
        assert_eq!(beyond.problem(416, "beyond-end"), format!("the export has {len} bytes"));
        assert_eq!(beyond.header("content-range"), format!("bytes */{len}"));
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_met_is_a_problem() {
    let house = house().await;
    let refused = async |wanted: &Value, status, kind: &str| order(&house, wanted).await.problem(status, kind);
    assert_eq!(
        refused(&wanted(&json!({ "captures": [9] }), "warc"), 404, "unknown-capture").await,
        "there is no capture marketplace/9"
    );
    assert_eq!(refused(&wanted(&json!({ "captures": [] }), "warc"), 422, "invalid").await, "nothing is selected");
    refused(&wanted(&json!({ "version": 1 }), "warc"), 404, "unknown-version").await;
    refused(&wanted(&json!({ "captures": [1] }), "pdf"), 400, "bad-body").await;
    let mut order = wanted(&json!({ "captures": [1] }), "warc");
    order["checkpoint"] = 77.into();
    refused(&order, 404, "unknown-checkpoint").await;
    order["checkpoint"] = Value::Null;
    order["purpose"] = "".into();
    assert_eq!(refused(&order, 422, "invalid").await, "an export needs a purpose");
}

#[tokio::test]
async fn another_theme_knows_nothing_of_an_export() {
    let house = house().await;
    let export = order(&house, &wanted(&json!({ "captures": [1] }), "warc")).await.json(201);
    house.get(&format!("/themes/{CYBER}/exports/{}", export["leaf"])).await.problem(404, "unknown-export");
    for leaf in ["1", "99", "x"] {
        house.get(&format!("/themes/{MARKET}/exports/{leaf}")).await.problem(404, "unknown-export");
    }
}

/// The daemon deletes one day what is noted here: so only the command line may, and only what looks like an export.
#[tokio::test]
async fn the_file_of_an_export_is_noted() {
    let house = house().await;
    let export = order(&house, &wanted(&json!({ "captures": [1, 3] }), "wacz")).await.json(201);
    let dir = tempfile::tempdir().unwrap();
    let (file, other) = (dir.path().join("case.wacz"), dir.path().join("case.txt"));
    for path in [&file, &other] {
        std::fs::write(path, "bytes").unwrap();
    }
    let path = format!("{}/file", export["path"].as_str().unwrap());
    let body = |file: &std::path::Path| json!({ "path": file });
    house.send(Method::PUT, &path, &body(&file)).await.problem(403, "socket-only");
    let note = async |file: &std::path::Path| {
        let request =
            request(Method::PUT, &path).header(header::CONTENT_TYPE, "application/json").extension(Peer::Socket);
        house.ask(request.body(Body::from(body(file).to_string())).unwrap()).await
    };
    for (refused, why) in [
        (std::path::PathBuf::from("case.wacz"), "absolute"),
        (other, "must end with .wacz"),
        (dir.path().join("missing.wacz"), "sees no file"),
        (dir.path().to_owned(), "must end with"),
    ] {
        let problem = note(&refused).await.problem(422, "invalid");
        assert!(problem.contains(why), "{problem}");
    }
    assert_eq!(note(&file).await.status.as_u16(), 204);
    let grant = model::Grant::system(model::Purpose::Maintenance);
    let copies = house.store.copies(&grant, theme(MARKET)).unwrap();
    assert_eq!(copies.len(), 1);
    assert_eq!((&copies[0].path, copies[0].captures.as_slice()), (&file, &[Seq(1), Seq(3)][..]));
    let pending = house.get(&format!("/themes/{MARKET}/erasures")).await.json(200);
    assert_eq!(pending, json!({ "pending": [], "files_left": [] }));
}

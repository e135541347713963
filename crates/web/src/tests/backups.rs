use axum::{Extension, http::Method};
use model::Outcome;
use serde_json::{Value, json};

use super::{House, MARKET, evidence::TARGET, noon};
use crate::authentication::Peer;

#[tokio::test]
async fn a_backup_is_made_for_the_socket_and_nobody_else() {
    let (app, mut house) = House::with_app();
    house.router = crate::router(app);
    house.record(MARKET, TARGET, "/a", Outcome::Ok).await;
    let vault = house.dir.path().join("vault");
    let order = json!({ "to": vault, "keep_days": 30 });
    house.send(Method::POST, "/backups", &order).await.problem(403, "socket-only");
    assert!(!vault.exists());

    house.router = house.router.layer(Extension(Peer::Socket));
    let answer = house.send(Method::POST, "/backups", &order).await;
    let lines: Vec<Value> = answer
        .body
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert!(lines.len() > 1 && lines[0]["progress"]["total"].as_u64() > Some(0), "{lines:?}");
    let backup = &lines.last().unwrap()["backup"];
    assert_eq!((&backup["leaves"], &backup["made_at"]), (&json!(2), &json!(noon())));
    assert_eq!(backup["expires_at"], "2026-07-01T12:00:00.000000Z");
    assert_eq!(std::fs::read_dir(vault.join("manifests")).unwrap().count(), 1);

    let bad = json!({ "to": "vault", "keep_days": 30 });
    house.send(Method::POST, "/backups", &bad).await.problem(422, "invalid");
}

#[tokio::test]
async fn the_list_of_erasures_is_one_that_a_restore_reads() {
    let house = House::new();
    house.record(MARKET, TARGET, "/a", Outcome::Ok).await;
    let answer = house.get("/erasures").await;
    assert_eq!(answer.status.as_u16(), 200);
    let list = store::ErasureList::from_json(&answer.body).unwrap();
    assert_eq!((list.leaves, list.captures.len()), (2, 0));
}

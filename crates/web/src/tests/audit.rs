//! What the audit log keeps of what was asked.

use axum::{
    body::Body,
    http::{Method, Request},
};
use model::Role;
use serde_json::{Value, json};

use super::{CYBER, House, MARKET, evidence::TARGET, people::role};

/// The facts of the newest entry that are told to be.
async fn newest(house: &House, names: &[&str]) -> Value {
    let entry = house.audited(1).await.remove(0);
    names
        .iter()
        .map(|name| ((*name).to_owned(), entry["facts"][*name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[tokio::test]
async fn every_question_is_a_leaf_before_it_is_answered() {
    let house = House::new();
    let seq = house.record(MARKET, TARGET, "/a", model::Outcome::Ok).await;
    let anna = house.person("anna", vec![role(Role::Analyst, Some(MARKET))]);
    let names = ["who", "action", "status", "theme", "seq", "refused"];
    let ask = async |path: &str| house.ask_as(&anna, Method::GET, path, None).await;

    ask(&format!("/themes/{MARKET}/captures/{seq}/raw")).await;
    let read = json!({
        "who": "anna", "action": "GET /themes/{theme}/captures/{seq}/raw", "status": 200, "theme": MARKET,
        "seq": seq.to_string(), "refused": null,
    });
    assert_eq!(newest(&house, &names).await, read);

    ask(&format!("/themes/{CYBER}/captures/{seq}/raw")).await.problem(404, "unknown-theme");
    let refused = json!({
        "who": "anna", "action": "GET /themes/{theme}/captures/{seq}/raw", "status": 404, "theme": CYBER,
        "seq": seq.to_string(), "refused": "unknown-theme",
    });
    assert_eq!(newest(&house, &names).await, refused);

    ask("/audit").await.problem(403, "no-role");
    assert_eq!(newest(&house, &["who", "refused"]).await, json!({ "who": "anna", "refused": "no-role" }));

    ask(&format!("/themes/{MARKET}/search?q=passport&kind=listing")).await.json(200);
    let entry = house.audited(1).await.remove(0);
    assert_eq!(entry["texts"]["query"], "q=passport&kind=listing");
    assert!(!entry["facts"].to_string().contains("passport"), "the leaf commits to the text, and does not hold it");
    assert_eq!(entry["commits_to"], json!(["query"]));

    let before = house.store.audit_head().size;
    ask("/status").await.json(200);
    ask("/themes").await.json(200);
    assert_eq!(house.store.audit_head().size, before, "what is asked every second and tells no content");
    ask("/nowhere").await.problem(404, "not-found");
    assert_eq!(house.store.audit_head().size, before + 1);
}

#[tokio::test]
async fn a_theme_that_asks_for_a_purpose_gets_one() {
    let (app, mut house) = House::with_app();
    let mut themes = app.themes.now().to_vec();
    for theme in &mut themes {
        theme.requires_purpose = theme.id.as_str() == MARKET;
    }
    app.themes.replace(themes);
    house.router = crate::router(app);
    let path = format!("/themes/{MARKET}/search?q=a");
    house.get(&path).await.problem(403, "purpose-needed");
    house.get(&format!("/themes/{MARKET}/targets")).await.json(200);
    house.get(&format!("/themes/{CYBER}/search?q=a")).await.json(200);
    let with = |purpose: &str| {
        let request = super::request(Method::GET, &path).header("nachtwacht-purpose", purpose);
        request.body(Body::empty()).unwrap()
    };
    house.ask(with(" ")).await.problem(422, "invalid");
    house.ask(with("case 2026-113, café")).await.json(200);
    assert_eq!(house.audited(1).await[0]["texts"]["purpose"], "case 2026-113, café");
}

#[tokio::test]
async fn an_auditor_of_a_theme_reads_of_that_theme_alone() {
    let house = House::new();
    let auditor = house.person("aud", vec![role(Role::Auditor, Some(MARKET))]);
    for theme in [MARKET, CYBER, MARKET] {
        house.get(&format!("/themes/{theme}/captures")).await.json(200);
    }
    let page = house.ask_as(&auditor, Method::GET, &format!("/themes/{MARKET}/audit"), None).await.json(200);
    let entries = page["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry["facts"]["theme"] == MARKET));
    assert_eq!(page["size"], Value::Null, "how busy the house is, is none of theirs");
    house.ask_as(&auditor, Method::GET, "/audit", None).await.problem(403, "no-role");
    house.ask_as(&auditor, Method::GET, &format!("/themes/{CYBER}/audit"), None).await.problem(404, "unknown-theme");
    let filtered = format!("/audit?who=test&action={}&limit=1", "GET%20/themes/%7Btheme%7D/captures");
    let page = house.get(&filtered).await.json(200);
    assert_eq!(page["entries"].as_array().unwrap().len(), 1);
    let next = page["next"].as_u64().unwrap();
    let page = house.get(&format!("{filtered}&before={next}")).await.json(200);
    assert_eq!(page["entries"][0]["facts"]["theme"], CYBER);
    house.get("/audit?whom=test").await.problem(400, "bad-parameter");
}

#[tokio::test]
async fn strangers_leave_no_leaf() {
    let house = House::new();
    let before = house.store.audit_head().size;
    let ask = async |token: &str| {
        let request = Request::builder().uri("/api/v1/account").header("authorization", format!("Bearer {token}"));
        house.ask(request.body(Body::empty()).unwrap()).await
    };
    for _ in 0..20 {
        ask("nw_wrong").await.problem(401, "unauthenticated");
    }
    assert_eq!(house.store.audit_head().size, before);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_answered() {
    // No disk has so much room.
    let full = store::Config { floor_mb: 1 << 30, reserve_mb: 0, ..store::Config::default() };
    let (app, mut house) = House::on(&full, tempfile::tempdir().unwrap());
    house.router = crate::router(app);
    let before = house.store.audit_head().size;
    let answer = house.get(&format!("/themes/{MARKET}/captures")).await;
    let detail = answer.problem(503, "unaudited");
    assert_eq!(detail, "what is asked cannot be recorded in the audit log, and so it is not answered");
    house.get("/status").await.json(200);
    let run = json!({ "dry_run": true });
    house.send(Method::POST, &format!("/themes/{MARKET}/retention"), &run).await.json(200);
    assert_eq!(house.store.audit_head().size, before + 1, "what makes room, and nothing else");
}

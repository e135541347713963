//! What makes the API one that programs can rely on: requests that may be sent again, states that are not overwritten unseen, limits that say so, answers
//! that are compressed, and a page that explains it all.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};

use super::{Answer, House, MARKET, request, rules::OIL, targets::new_target};

/// Sends JSON with an idempotency key.
async fn keyed(house: &House, key: &str, path: &str, body: &Value) -> Answer {
    let request = request(Method::POST, path).header(header::CONTENT_TYPE, "application/json");
    house.ask(request.header("idempotency-key", key).body(Body::from(body.to_string())).unwrap()).await
}

async fn count_targets(house: &House) -> usize {
    house.get(&format!("/themes/{MARKET}/targets")).await.json(200)["targets"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_request_with_a_key_is_carried_out_once() {
    let house = House::new();
    let (path, body) = (format!("/themes/{MARKET}/targets"), new_target());
    let first = keyed(&house, "\"one\"", &path, &body).await;
    let again = keyed(&house, "one", &path, &body).await;
    assert_eq!((first.json(201), first.header("location")), (again.json(201), again.header("location")));
    assert_eq!(count_targets(&house).await, 1);
    keyed(&house, "two", &path, &body).await.json(201);
    assert_eq!(count_targets(&house).await, 2, "another key is another request");
    let mut other = new_target();
    other["name"] = "other".into();
    keyed(&house, "one", &path, &other).await.problem(422, "key-reused");
    keyed(&house, "not a key", &path, &body).await.problem(400, "bad-parameter");
    // What was refused may be mended and sent again.
    keyed(&house, "three", &path, &json!({})).await.json(400);
    keyed(&house, "three", &path, &body).await.json(201);
    // After a day a key is a new one.
    house.clock.advance(std::time::Duration::from_hours(25));
    keyed(&house, "one", &path, &body).await.json(201);
    assert_eq!(count_targets(&house).await, 4);
}

#[tokio::test]
async fn a_secret_is_told_once_whatever_the_key() {
    let house = House::new();
    let body = json!({"label": "job", "ends_at": "2026-07-01T00:00:00Z"});
    keyed(&house, "one", "/account/tokens", &body).await.json(201);
    let detail = keyed(&house, "one", "/account/tokens", &body).await.problem(409, "done-already");
    assert!(detail.contains("201"), "{detail}");
    // One that was begun when the power failed may have been done.
    let begun = store::KeyedRequest { answer: None, ..house.store.keyed_request(&key_of("one")).unwrap().unwrap() };
    house.store.put_keyed_request(&key_of("one"), &begun).unwrap();
    keyed(&house, "one", "/account/tokens", &body).await.problem(409, "outcome-unknown");
}

fn key_of(key: &str) -> model::Digest {
    model::Digest::of(format!("{}\n{key}", super::people::EVERYBODY).as_bytes())
}

#[tokio::test]
async fn one_persons_key_is_not_anothers() {
    let house = House::new();
    let body = json!({"label": "job", "ends_at": "2026-07-01T00:00:00Z"});
    keyed(&house, "one", "/account/tokens", &body).await.json(201);
    let request = Request::builder().method(Method::POST).uri("/api/v1/account/tokens");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {}", super::people::SECOND));
    let request = request.header(header::CONTENT_TYPE, "application/json").header("idempotency-key", "one");
    house.ask(request.body(Body::from(body.to_string())).unwrap()).await.json(201);
}

/// Sends a body that depends on the state that was read.
async fn if_match(house: &House, method: Method, path: &str, tag: &str, media: &str, body: String) -> Answer {
    let request = request(method, path).header(header::IF_MATCH, tag).header(header::CONTENT_TYPE, media);
    house.ask(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_rule_that_has_changed_since_is_not_overwritten() {
    let house = House::new();
    let path = format!("/themes/{MARKET}/indicators/oil");
    let put = async |tag: &str| if_match(&house, Method::PUT, &path, tag, "application/toml", OIL.to_owned()).await;
    assert!(put("*").await.problem(412, "precondition-failed").contains("nothing"));
    let made = house.ask(request(Method::PUT, &path).body(Body::from(OIL)).unwrap()).await;
    made.json(200);
    let first = made.header("etag").to_owned();
    let other = OIL.replace("Lantern oil is offered.", "Oil is offered.");
    let put = async |tag: &str| if_match(&house, Method::PUT, &path, tag, "application/toml", other.clone()).await;
    assert_eq!(house.get(&path).await.header("etag"), first);
    let second = put(&first).await;
    second.json(200);
    assert_ne!(second.header("etag"), first);
    let detail = put(&first).await.problem(412, "precondition-failed");
    assert!(detail.contains(second.header("etag")), "{detail}");
    put("17").await.problem(400, "bad-parameter");
    let gone = if_match(&house, Method::DELETE, &path, second.header("etag"), "application/toml", String::new()).await;
    gone.json(200);
}

#[tokio::test]
async fn a_target_that_has_changed_since_keeps_its_name() {
    let house = House::new();
    let made = house.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new_target()).await.json(201);
    let path = format!("/themes/{MARKET}/targets/{}", made["id"].as_str().unwrap());
    let tag = house.get(&path).await.header("etag").to_owned();
    let rename = |tag: String, name: &str| {
        let body = json!({"name": name}).to_string();
        let (house, path) = (&house, path.clone());
        async move { if_match(house, Method::PATCH, &path, &tag, "application/json", body).await }
    };
    let renamed = rename(tag.clone(), "second").await;
    assert_eq!(renamed.json(200)["name"], "second");
    rename(tag, "third").await.problem(412, "precondition-failed");
    rename(renamed.header("etag").to_owned(), "third").await.json(200);
}

#[tokio::test]
async fn whoever_asks_too_much_is_told_when_to_go_on_and_recorded_once() {
    let (mut app, mut house) = House::with_app();
    app.config.requests_per_second = 1;
    app.config.requests_at_once = 3;
    house.router = crate::router(app);
    let before = house.store.audit_head().size;
    for left in ["2", "1", "0"] {
        let answer = house.get("/account").await;
        assert_eq!(answer.header("ratelimit-policy"), "\"requests\";q=3;w=3");
        assert!(answer.header("ratelimit").starts_with(&format!("\"requests\";r={left};t=")), "{left}");
        answer.json(200);
    }
    for _ in 0..5 {
        let answer = house.get("/account").await;
        answer.problem(429, "too-many-requests");
        assert!(!answer.header("retry-after").is_empty());
    }
    assert_eq!(house.store.audit_head().size, before + 1, "and not once for each");
    let other = house.ask_as(super::people::SECOND, Method::GET, "/account", None).await;
    other.json(200);
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_take_it() {
    let house = House::new();
    let ask = |coding: &'static str| {
        let request = Request::builder().uri("/api/v1/openapi.json").header(header::ACCEPT_ENCODING, coding);
        house.ask(request.body(Body::empty()).unwrap())
    };
    let plain = ask("identity").await;
    let gzip = ask("gzip").await;
    let zstd = ask("zstd").await;
    assert_eq!(
        (plain.header("content-encoding"), gzip.header("content-encoding"), zstd.header("content-encoding")),
        ("", "gzip", "zstd")
    );
    assert!(gzip.body.starts_with(&[0x1f, 0x8b]) && zstd.body.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    assert!(gzip.body.len() * 4 < plain.body.len() && zstd.body.len() * 4 < plain.body.len());
    let short = house
        .ask(request(Method::GET, "/account").header(header::ACCEPT_ENCODING, "gzip").body(Body::empty()).unwrap());
    assert_eq!(short.await.header("content-encoding"), "");
}

#[tokio::test]
async fn the_reference_is_a_page_that_runs_and_fetches_nothing() {
    let house = House::new();
    let answer = house.ask(Request::builder().uri("/api/v1/reference").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn figures_are_documented_and_tell_of_no_theme() {
    let house = House::new();
    house.record(MARKET, super::evidence::TARGET, "/a", model::Outcome::Ok).await;
    house.get("/nowhere").await.problem(404, "not-found");
    let answer = house.get("/metrics").await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is missing")).parse::<f64>().unwrap()
    };
    assert!((value("nachtwacht_lag_captures{stage=\"analysis\"}") - 1.0).abs() < 0.1);
    assert!((value("nachtwacht_http_answers_total{class=\"4xx\"}") - 1.0).abs() < 0.1);
    assert!(value("nachtwacht_audit_log_leaves") >= 1.0 && value("process_open_fds") > 3.0);
    assert!(!text.contains(MARKET) && !text.contains(super::people::EVERYBODY), "{text}");
    let documented = include_str!("../../../../docs/monitoring.md");
    for name in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert!(documented.contains(&format!("`{name}`")), "{name} is not in docs/monitoring.md");
    }
}

#[tokio::test]
async fn what_holds_a_secret_or_makes_room_leaves_no_key_behind() {
    let house = House::new();
    let erasure = json!({ "subject": "capture:1", "ground": "order", "dry_run": true });
    for path in [format!("/themes/{MARKET}/erasures"), format!("/themes/{MARKET}/retention")] {
        let body = if path.ends_with("erasures") { erasure.clone() } else { json!({ "dry_run": true }) };
        keyed(&house, "one", &path, &body).await;
        assert_eq!(house.store.keyed_request(&key_of("one")).unwrap(), None, "{path}");
    }
    let body = json!({ "old": "wrong", "new": "correct horse battery staple" });
    let request = request(Method::PUT, "/account/password").header(header::CONTENT_TYPE, "application/json");
    house.ask(request.header("idempotency-key", "one").body(Body::from(body.to_string())).unwrap()).await;
    assert_eq!(house.store.keyed_request(&key_of("one")).unwrap(), None);
}

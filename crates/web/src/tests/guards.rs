//! What keeps strangers, other themes and bad requests out.

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::json;

use super::{House, MARKET, TOKEN, request, targets::new_target};
use crate::request::MAX_BODY;

fn stranger(path: &str, authorization: Option<&str>) -> Request<Body> {
    let request = Request::builder().uri(path);
    let request = authorization.into_iter().fold(request, |request, value| request.header("authorization", value));
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn nobody_gets_in_without_the_token() {
    let house = House::new();
    let seq = house.record(MARKET, super::evidence::TARGET, "/a", model::Outcome::Ok).await;
    let paths = [
        "/api/v1/status".to_owned(),
        "/api/v1/themes".to_owned(),
        format!("/api/v1/themes/{MARKET}/targets"),
        format!("/api/v1/themes/{MARKET}/captures/{seq}/raw"),
        format!("/api/v1/themes/{MARKET}/search?q=x"),
        "/api/v1/themes/unknown/targets".to_owned(),
        "/api/v1/nowhere".to_owned(),
        "/".to_owned(),
    ];
    let wrong = [
        None,
        Some("Bearer nw_wrong"),
        Some("Bearer "),
        Some(TOKEN),
        Some("Basic bncxOng="),
        Some("Bearer nw_0123456789abcdeF"),
    ];
    for path in &paths {
        // Who guesses is slowed; it is another hour.
        house.clock.advance(std::time::Duration::from_hours(1));
        for authorization in wrong {
            let answer = house.ask(stranger(path, authorization)).await;
            assert_eq!(answer.problem(401, "unauthenticated"), "log in, or send a valid bearer token", "{path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    for path in &paths[..5] {
        assert_eq!(house.ask(stranger(path, Some(&format!("Bearer {TOKEN}")))).await.status.as_u16(), 200, "{path}");
    }
    for path in ["/livez", "/readyz", "/api/v1/openapi.json"] {
        assert_eq!(house.ask(stranger(path, None)).await.status.as_u16(), 200, "{path}");
    }
}

#[tokio::test]
async fn every_answer_is_hardened() {
    let house = House::new();
    for (request, status) in [
        (stranger("/livez", None), 200),
        (stranger("/api/v1/status", None), 401),
        (request(Method::GET, "/status").body(Body::empty()).unwrap(), 200),
        (request(Method::GET, "/nowhere").body(Body::empty()).unwrap(), 404),
        (request(Method::DELETE, "/status").body(Body::empty()).unwrap(), 405),
        (request(Method::GET, "/status").header("origin", "http://example.com").body(Body::empty()).unwrap(), 200),
    ] {
        let answer = house.ask(request).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; sandbox");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
    }
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_problems() {
    let house = House::new();
    house.get("/nowhere").await.problem(404, "not-found");
    house.get(&format!("/themes/{MARKET}/targets/")).await.problem(404, "not-found");
    let answer = house.ask(request(Method::DELETE, "/status").body(Body::empty()).unwrap()).await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
    let answer = house.ask(Request::builder().method(Method::POST).uri("/livez").body(Body::empty()).unwrap()).await;
    answer.problem(405, "method-not-allowed");
    house.get("/themes/%ff/targets").await.problem(404, "not-found");
}

#[tokio::test]
async fn an_unknown_theme_says_the_same_everywhere() {
    let house = House::new();
    let expected = house.get("/themes/unknown/targets").await;
    assert_eq!(expected.problem(404, "unknown-theme"), "there is no such theme");
    for path in [
        "/themes/Not-A-Name/targets",
        "/themes/unknown/targets/00000000000007f3",
        "/themes/unknown/targets/nonsense",
        "/themes/unknown/captures",
        "/themes/unknown/captures/1",
        "/themes/unknown/captures/nonsense/raw",
        "/themes/unknown/search?q=a",
    ] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.body), (expected.status, expected.body.clone()), "{path}");
    }
    assert_eq!(house.send(Method::POST, "/themes/unknown/targets", &new_target()).await.body, expected.body);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_with_the_place() {
    let house = House::new();
    let post = async |kind: &str, body: String| {
        let request = request(Method::POST, &format!("/themes/{MARKET}/targets")).header("content-type", kind);
        house.ask(request.body(Body::from(body)).unwrap()).await
    };
    let detail = post("application/json", "{\"name\": \"x\",\n oops}".into()).await.problem(400, "bad-body");
    assert!(detail.contains("line 2 column 2"), "{detail}");
    let mut unknown = new_target();
    unknown["colour"] = json!("red");
    assert!(
        post("application/json", unknown.to_string()).await.problem(400, "bad-body").contains("unknown field `colour`")
    );
    let mut unknown = new_target();
    unknown["terms"]["scope"] = json!({ "depth": 3 });
    assert!(
        post("application/json", unknown.to_string()).await.problem(400, "bad-body").contains("unknown field `depth`")
    );
    let mut onion = new_target();
    onion["terms"]["seeds"] = json!([format!("http://{}.onion/", "a".repeat(56))]);
    assert!(post("application/json", onion.to_string()).await.problem(400, "bad-body").contains("onion address"));
    post("text/plain", new_target().to_string()).await.problem(415, "media-type");
    post("application/x-www-form-urlencoded", "name=x".into()).await.problem(415, "media-type");
    assert_eq!(post("application/json; charset=utf-8", new_target().to_string()).await.status.as_u16(), 201);
}

#[tokio::test]
async fn a_body_of_one_mebibyte_is_read_and_a_larger_one_is_not() {
    let house = House::new();
    let post = async |len: usize| {
        let body = new_target().to_string();
        let padded = format!("{body}{}", " ".repeat(len - body.len()));
        let request =
            request(Method::POST, &format!("/themes/{MARKET}/targets")).header("content-type", "application/json");
        house.ask(request.body(Body::from(padded)).unwrap()).await
    };
    assert_eq!(post(MAX_BODY).await.status.as_u16(), 201);
    assert_eq!(post(MAX_BODY + 1).await.problem(413, "too-large"), "the body is larger than 1 MiB");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_not_waited_for() {
    let house = House::new();
    let never = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let request =
        request(Method::POST, &format!("/themes/{MARKET}/targets")).header("content-type", "application/json");
    house.ask(request.body(Body::from_stream(never)).unwrap()).await.problem(408, "too-slow");
}

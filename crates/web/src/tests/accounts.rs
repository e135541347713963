//! Logging in, passwords, tokens, roles.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use model::{Role, RoleGrant};
use serde_json::{Value, json};

use super::{
    Answer, House, MARKET,
    people::{later, role},
};

const GOOD: &str = "correct horse battery";

/// A browser: it has a cookie, perhaps.
struct Browser<'a> {
    house: &'a House,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    const fn new(house: &'a House) -> Self {
        Self { house, cookie: None }
    }

    async fn ask(&mut self, method: Method, path: &str, body: Option<Value>, origin: Option<&str>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}")).header("host", "nw");
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("nachtwacht={cookie}"));
        }
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = self.house.ask(request.header("content-type", "application/json").body(body).unwrap()).await;
        if let Some(set) = answer.headers.get(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            assert!(set.ends_with("; HttpOnly; Secure; SameSite=Strict"), "{set}");
            let value = set.split(';').next().unwrap().strip_prefix("nachtwacht=").unwrap();
            self.cookie = Some(value.to_owned()).filter(|value| !value.is_empty());
        }
        answer
    }

    async fn log_in(&mut self, name: &str, password: &str) -> Answer {
        self.ask(Method::POST, "/sessions", Some(json!({ "name": name, "password": password })), None).await
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, None, None).await
    }
}

/// Makes an account; returns its one-time password.
async fn make(house: &House, name: &str) -> String {
    let body = json!({ "name": name, "full_name": name });
    let made = house.send(Method::POST, "/accounts", &body).await.json(201);
    made["password"].as_str().unwrap().to_owned()
}

/// An account with a password of its own, and a browser that is logged in with it.
async fn settled<'a>(house: &'a House, name: &str) -> Browser<'a> {
    let once = make(house, name).await;
    let mut browser = Browser::new(house);
    assert_eq!(browser.log_in(name, &once).await.json(200)["must_change_password"], true);
    let change = json!({ "old": once, "new": GOOD });
    assert_eq!(browser.ask(Method::PUT, "/account/password", Some(change), None).await.status, 204);
    assert_eq!(browser.log_in(name, GOOD).await.json(200)["must_change_password"], false);
    browser
}

#[tokio::test]
async fn an_account_begins_with_a_password_that_is_good_for_nothing_else() {
    let house = House::new();
    let once = make(&house, "anna").await;
    let give = json!({ "role": "analyst", "theme": MARKET, "qualification": "course 7", "ends_at": later(900) });
    house.send(Method::POST, "/accounts/anna/roles", &give).await.json(200);
    let mut browser = Browser::new(&house);
    browser.log_in("anna", &once).await.json(200);
    let refused = browser.get(&format!("/themes/{MARKET}/captures")).await;
    refused.problem(403, "password-change-needed");
    for bad in ["short", GOOD.get(..14).unwrap(), &once] {
        let change = json!({ "old": once, "new": bad });
        let answer = browser.ask(Method::PUT, "/account/password", Some(change), None).await;
        assert_eq!(answer.status, 422, "{bad}");
    }
    let change = json!({ "old": "wrong", "new": GOOD });
    browser.ask(Method::PUT, "/account/password", Some(change), None).await.problem(401, "wrong-password");
    let change = json!({ "old": once, "new": GOOD });
    assert_eq!(browser.ask(Method::PUT, "/account/password", Some(change), None).await.status, 204);
    browser.get("/account").await.problem(401, "unauthenticated");
    browser.log_in("anna", &once).await.problem(401, "wrong-password");
    let own = browser.log_in("anna", GOOD).await.json(200);
    assert_eq!(own["roles"], json!([{ "role": "analyst", "theme": MARKET, "may_search": false }]));
    browser.get(&format!("/themes/{MARKET}/captures")).await.json(200);
    assert_eq!(browser.ask(Method::DELETE, "/session", None, None).await.status, 204);
    assert_eq!(browser.cookie, None);
    browser.get("/account").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_session_changes_its_secret_and_ends_by_itself() {
    let house = House::new();
    let mut browser = settled(&house, "anna").await;
    let first = browser.cookie.clone().unwrap();
    house.clock.advance(Duration::from_mins(14));
    browser.get("/account").await.json(200);
    assert_eq!(browser.cookie.as_ref(), Some(&first));
    house.clock.advance(Duration::from_mins(2));
    browser.get("/account").await.json(200);
    let second = browser.cookie.clone().unwrap();
    assert_ne!(second, first);
    let mut old = Browser { house: &house, cookie: Some(first) };
    let under_way = old.get("/account").await;
    assert_eq!(under_way.status, 200, "what was under way ends well");
    assert!(under_way.headers.get(header::SET_COOKIE).is_none(), "the browser keeps the new secret");
    house.clock.advance(Duration::from_secs(61));
    old.get("/account").await.problem(401, "unauthenticated");
    house.clock.advance(Duration::from_mins(28));
    browser.get("/account").await.json(200);
    house.clock.advance(Duration::from_mins(31));
    browser.get("/account").await.problem(401, "unauthenticated");

    let mut busy = Browser::new(&house);
    busy.log_in("anna", GOOD).await.json(200);
    for _ in 0..23 {
        house.clock.advance(Duration::from_mins(25));
        busy.get("/account").await.json(200);
    }
    house.clock.advance(Duration::from_mins(26));
    busy.get("/account").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_cookie_is_no_token_and_another_page_changes_nothing() {
    let house = House::new();
    let mut browser = settled(&house, "anna").await;
    let cookie = browser.cookie.clone().unwrap();
    house.ask_as(&cookie, Method::GET, "/account", None).await.problem(401, "unauthenticated");
    let mut with_token = Browser { house: &house, cookie: Some(super::TOKEN.to_owned()) };
    with_token.get("/account").await.problem(401, "unauthenticated");
    let evil = browser.ask(Method::DELETE, "/session", None, Some("https://evil.example")).await;
    evil.problem(403, "cross-origin");
    assert_eq!(browser.ask(Method::DELETE, "/session", None, Some("https://nw")).await.status, 204);
}

#[tokio::test]
async fn guesses_are_slowed_and_tell_nothing() {
    let house = House::new();
    settled(&house, "anna").await;
    let mut browser = Browser::new(&house);
    let unknown = browser.log_in("nobody", GOOD).await;
    unknown.problem(401, "wrong-password");
    for _ in 0..5 {
        assert_eq!(browser.log_in("anna", "wrong wrong wrong").await.body, unknown.body);
    }
    let slowed = browser.log_in("anna", GOOD).await;
    slowed.problem(429, "too-many-attempts");
    assert_eq!(slowed.header("retry-after"), "1");
    house.clock.advance(Duration::from_secs(1));
    browser.log_in("anna", GOOD).await.json(200);
    let audited = house.audited(3).await;
    assert_eq!(audited[0]["facts"]["who"], "anna");
    assert_eq!((&audited[0]["facts"]["status"], &audited[1]["facts"]["status"]), (&json!(200), &json!(401)));
    assert_eq!(audited[0]["facts"]["action"], "POST /sessions");
}

#[tokio::test]
async fn a_token_does_no_more_than_it_is_made_for() {
    let house = House::new();
    let anna = vec![role(Role::Analyst, Some(MARKET)), role(Role::Operator, Some(MARKET))];
    let whole = house.person("anna", anna);
    let new = |scopes: Value, ends_at| json!({ "label": "export job", "scopes": scopes, "ends_at": ends_at });
    let operator = json!([{ "role": "operator", "theme": MARKET }]);
    let make = async |token: &str, body: Value| house.ask_as(token, Method::POST, "/account/tokens", Some(&body)).await;
    let made = make(&whole, new(operator.clone(), later(900))).await.json(201);
    let secret = made["secret"].as_str().unwrap();
    let captures = format!("/themes/{MARKET}/captures");
    let search = format!("/themes/{MARKET}/search?q=a");
    house.ask_as(secret, Method::GET, &captures, None).await.json(200);
    house.ask_as(secret, Method::GET, &search, None).await.problem(403, "no-role");
    house.ask_as(&whole, Method::GET, &search, None).await.json(200);
    let analyst = json!([{ "role": "analyst", "theme": MARKET }]);
    make(secret, new(analyst, later(900))).await.problem(422, "invalid");
    let same = make(secret, new(json!([]), later(900))).await.json(201);
    assert_eq!(same["scopes"], operator, "a token makes none that may do more");
    make(secret, new(json!([]), later(901))).await.problem(422, "invalid");
    let brief = RoleGrant { ends_at: later(60), ..role(Role::Operator, Some(MARKET)) };
    let both = house.person("both", vec![role(Role::Analyst, Some(MARKET)), brief]);
    let limited = make(&both, new(operator.clone(), later(800))).await.json(201);
    house.clock.advance(Duration::from_mins(1));
    let limited = limited["secret"].as_str().unwrap();
    let child = make(limited, new(json!([]), later(800))).await.json(201);
    assert_eq!(child["scopes"], operator, "also when nothing is left of what it may do");
    let child = child["secret"].as_str().unwrap();
    house.ask_as(child, Method::GET, &captures, None).await.problem(404, "unknown-theme");
    make(&whole, new(json!([]), later(0))).await.problem(422, "invalid");
    make(&whole, new(json!([]), later(366 * 24 * 60 * 60))).await.problem(422, "invalid");
    let tokens = house.ask_as(&whole, Method::GET, "/account/tokens", None).await.json(200);
    assert_eq!(tokens["tokens"].as_array().unwrap().len(), 3);
    assert!(!tokens.to_string().contains(secret), "a secret is told once");
    let path = format!("/account/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(house.ask_as(&whole, Method::DELETE, &path, None).await.status, 204);
    house.ask_as(secret, Method::GET, &captures, None).await.problem(401, "unauthenticated");
    house.ask_as(&whole, Method::DELETE, &path, None).await.problem(404, "unknown-token");
    house.clock.advance(Duration::from_mins(14));
    let same = same["secret"].as_str().unwrap();
    house.ask_as(same, Method::GET, &captures, None).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn roles_are_given_with_a_reason_and_an_end_and_never_to_oneself() {
    let house = House::new();
    make(&house, "bram").await;
    let give = async |name: &str, change: &dyn Fn(&mut Value)| {
        let mut body =
            json!({ "role": "analyst", "theme": MARKET, "qualification": "course 7", "ends_at": later(900) });
        change(&mut body);
        house.send(Method::POST, &format!("/accounts/{name}/roles"), &body).await
    };
    for (field, value) in [
        ("qualification", json!(" ")),
        ("theme", json!(null)),
        ("theme", json!("unknown")),
        ("role", json!("administrator")),
        ("may_search", json!(true)),
        ("ends_at", json!(later(0))),
    ] {
        let answer = give("bram", &|body| body[field] = value.clone()).await;
        answer.problem(422, "invalid");
    }
    give("bram", &|body| body["role"] = json!("root")).await.problem(400, "bad-body");
    give("nobody", &|_| ()).await.problem(404, "unknown-account");
    give("test", &|_| ()).await.problem(403, "oneself");
    let given = give("bram", &|_| ()).await.json(200);
    assert_eq!((&given["roles"][0]["number"], &given["roles"][0]["given_by"]), (&json!(1), &json!("test")));
    let audited = house.audited(1).await;
    assert_eq!(audited[0]["facts"]["action"], "POST /accounts/{name}/roles");
    let account = &house.audited(3).await[2];
    assert_eq!((&account["kind"], &account["facts"]["action"]), (&json!("account"), &json!("give role")));
    assert_eq!(account["texts"]["qualification"], "course 7");
    let end = json!({ "reason": "left the team" });
    let ended = house.send(Method::POST, "/accounts/bram/roles/1/end", &end).await.json(200);
    assert_eq!(ended["roles"][0]["is_in_force"], false);
    assert_eq!(ended["roles"][0]["ended_because"], "left the team");
    house.send(Method::POST, "/accounts/bram/roles/1/end", &end).await.problem(404, "unknown-role");
    let taken = json!({ "name": "bram", "full_name": "Another" });
    house.send(Method::POST, "/accounts", &taken).await.problem(409, "account-taken");
    let local = json!({ "name": "local", "full_name": "Nobody" });
    house.send(Method::POST, "/accounts", &local).await.problem(422, "invalid");
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once() {
    let house = House::new();
    let anna = house.person("anna", vec![role(Role::Analyst, Some(MARKET))]);
    house.ask_as(&anna, Method::GET, "/account", None).await.json(200);
    let why = json!({ "reason": "lost the laptop" });
    house.send(Method::POST, "/accounts/test/disable", &why).await.problem(403, "oneself");
    house.send(Method::POST, "/accounts/anna/disable", &why).await.json(200);
    house.ask_as(&anna, Method::GET, "/account", None).await.problem(401, "unauthenticated");
    house.send(Method::POST, "/accounts/anna/enable", &why).await.json(200);
    house.ask_as(&anna, Method::GET, "/account", None).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn whoever_opens_the_socket_as_root_gives_roles_and_reads_nothing() {
    use crate::authentication::Peer;
    let house = House::new();
    let ask = async |method: Method, path: &str| {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}")).extension(Peer::Administrator);
        house.ask(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(ask(Method::GET, "/account").await.json(200)["name"], "local");
    ask(Method::GET, "/accounts").await.json(200);
    ask(Method::GET, &format!("/themes/{MARKET}/captures")).await.problem(404, "unknown-theme");
    ask(Method::GET, "/audit").await.problem(403, "no-role");
    ask(Method::GET, "/account/tokens").await.problem(409, "no-account");
    let request = Request::builder().uri("/api/v1/account").extension(Peer::Socket).body(Body::empty()).unwrap();
    house.ask(request).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn the_first_accounts_are_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let key = store::CredentialKey::from_bytes(&[7; 32]);
    let store = store::Store::open(dir.path(), &store::Config::default(), key).unwrap();
    let house = House::with_app().0;
    let first = crate::first_accounts(&store, &house.themes.now(), super::noon()).unwrap();
    let names: Vec<&str> = first.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, ["administrator", "approver"]);
    assert!(first.iter().all(|account| account.password.len() == 23));
    assert_eq!(crate::first_accounts(&store, &house.themes.now(), super::noon()).unwrap(), []);
    for theme in house.themes.now().iter() {
        assert!(store.has_approver(theme.id, super::noon()).unwrap());
    }
}

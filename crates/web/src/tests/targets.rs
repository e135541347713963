use std::time::Duration;

use axum::{body::Body, http::Method};
use model::{Attention, Outcome, Stage, Target, TargetId};
use serde_json::{Value, json};
use store::{CrawlBatch, TemplateRecord};
use tokio_util::sync::CancellationToken;

use super::{Answer, CYBER, House, MARKET, noon, people::SECOND, request, theme};
use crate::api;

const SEED: &str = "http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion/";

pub(super) fn terms() -> Value {
    json!({
        "seeds": [SEED],
        "grounds": "named by a seized ledger",
        "expected_value": "vendors of lantern oil",
        "legal_basis": "section 1",
        "necessity": "the site is behind no other door",
        "proportionality": "nothing but shop pages",
        "review_at": "2026-06-15T00:00:00Z",
        "ends_at": "2026-07-01T00:00:00Z",
    })
}

pub(super) fn new_target() -> Value {
    json!({ "name": "lantern market", "terms": terms() })
}

impl House {
    /// Sends JSON as a second person.
    pub(super) async fn send_as_second(&self, path: &str, body: &Value) -> Answer {
        self.ask_as(SECOND, Method::POST, path, Some(body)).await
    }

    /// A target that somebody proposed; with its proposal.
    pub(super) async fn propose(&self) -> (TargetId, u64) {
        let answer = self.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new_target()).await.json(201);
        let proposal = answer["open_proposals"][0]["proposal"].as_u64().unwrap();
        (answer["id"].as_str().unwrap().parse().unwrap(), proposal)
    }

    /// A target that one person proposed and another approved.
    pub(super) async fn add(&self) -> TargetId {
        let (id, proposal) = self.propose().await;
        let path = format!("/themes/{MARKET}/targets/{id}/proposals/{proposal}/approve");
        self.send_as_second(&path, &json!({ "reasons": "it is needed" })).await.json(200);
        id
    }

    fn kept(&self, id: TargetId) -> Target {
        self.store.target(theme(MARKET), id).unwrap().unwrap()
    }

    fn needs_attention(&self, id: TargetId) {
        let attention = Attention { since: noon(), reason: "a login wall".into(), seen_in: None };
        self.store.update_target(theme(MARKET), id, |target| target.attention = Some(attention)).unwrap();
    }
}

fn path(id: TargetId) -> String {
    format!("/themes/{MARKET}/targets/{id}")
}

#[tokio::test]
async fn a_target_is_proposed_and_shown() {
    let house = House::new();
    let mut new = new_target();
    new["terms"]["scope"] = json!({ "include": ["^/shop/"], "max_depth": 3 });
    new["terms"]["pace"] = json!({ "delay_ms": 500 });
    new["terms"]["robots"] = json!("obey");
    new["terms"]["reliability"] = json!("C");
    new["terms"]["credibility"] = json!(3);
    let answer = house.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new).await;
    let added: api::TargetDetail = serde_json::from_value(answer.json(201)).unwrap();
    assert_eq!(answer.header("location"), format!("/api/v1/themes/{MARKET}/targets/{}", added.target.id));
    let target = &added.target;
    assert_eq!((target.name.as_str(), target.added_at, target.decision_in_force), ("lantern market", noon(), None));
    assert_eq!((target.decisions.as_slice(), added.login.as_ref(), added.traps.len()), ([].as_slice(), None, 0));
    let [proposal] = added.open_proposals.as_slice() else { panic!("{added:?}") };
    assert_eq!((proposal.state.as_str(), proposal.by.as_str(), proposal.at), ("open", "test", noon()));
    let terms = proposal.terms.as_ref().unwrap();
    assert_eq!((terms.scope.include.as_slice(), terms.scope.max_depth), (["^/shop/".to_owned()].as_slice(), 3));
    assert_eq!((terms.scope.pages_per_day, terms.pace.delay_ms, terms.pace.concurrency), (50_000, 500, 2));
    assert_eq!((terms.robots, terms.media), (model::RobotsPolicy::Obey, model::MediaPolicy::TextOnly));
    assert_eq!((terms.reliability.as_str(), terms.credibility, terms.seeds[0].as_str()), ("C", 3, SEED));

    let shown: api::TargetDetail = serde_json::from_value(house.get(&path(target.id)).await.json(200)).unwrap();
    assert_eq!(shown.target, *target);
    let list: api::Targets =
        serde_json::from_value(house.get(&format!("/themes/{MARKET}/targets")).await.json(200)).unwrap();
    assert_eq!(list.targets.as_slice(), std::slice::from_ref(target));
    let kept = house.kept(target.id);
    assert_eq!((kept.theme, kept.epoch, kept.decisions.len()), (theme(MARKET), 0, 0));
}

#[tokio::test]
async fn a_proposal_that_lacks_something_is_refused_with_the_name_of_the_field() {
    let house = House::new();
    let refused = async |change: fn(&mut Value), detail: &str| {
        let mut new = new_target();
        change(&mut new);
        let answer = house.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new).await;
        let told = answer.problem(422, "invalid");
        assert!(told.contains(detail), "{told}");
    };
    refused(|new| new["terms"]["grounds"] = json!("  "), "grounds: must not be empty").await;
    refused(|new| new["terms"]["expected_value"] = json!(""), "expected_value: must not be empty").await;
    refused(|new| new["terms"]["legal_basis"] = json!(""), "legal_basis: must not be empty").await;
    refused(|new| new["terms"]["necessity"] = json!(""), "necessity: must not be empty").await;
    refused(|new| new["terms"]["proportionality"] = json!(""), "proportionality: must not be empty").await;
    refused(|new| new["terms"]["proportionality"] = json!("x".repeat(10_001)), "proportionality: 10001").await;
    refused(|new| new["terms"]["ends_at"] = json!("2026-06-01T12:00:00Z"), "ends_at: must be in the future").await;
    refused(|new| new["terms"]["review_at"] = json!("2026-07-02T00:00:00Z"), "review_at: ").await;
    refused(|new| new["terms"]["review_at"] = Value::Null, "review_at: is missing").await;
    refused(|new| new["terms"]["retention_days"] = json!(30), "retention_days: 30 is not shorter than the 30").await;
    refused(|new| new["name"] = json!(" "), "name: is empty").await;
    refused(|new| new["name"] = json!("a\u{1b}[2J"), "control characters").await;
    refused(|new| new["name"] = json!("x".repeat(201)), "longer than 200").await;
    refused(|new| new["terms"]["seeds"] = json!([]), "seeds: ").await;
    refused(
        |new| new["terms"]["seeds"] = json!(["http://example.com/"]),
        "seeds: http://example.com/ is on the clear net",
    )
    .await;
    refused(|new| new["terms"]["scope"] = json!({ "include": ["("] }), "scope.include: ").await;
    refused(|new| new["terms"]["scope"] = json!({ "exclude": ["(a{1000}){1000}"] }), "scope.exclude: ").await;
    refused(
        |new| new["terms"]["scope"] = json!({ "hosts": ["example.com"] }),
        "scope.hosts: example.com is on the clear net",
    )
    .await;
    refused(|new| new["terms"]["scope"] = json!({ "hosts": ["127.0.0.1"] }), "scope.hosts: ").await;
    refused(|new| new["terms"]["pace"] = json!({ "concurrency": 0 }), "pace.concurrency: ").await;
    refused(|new| new["found_in"] = json!({}), "found_in: say").await;
    refused(|new| new["found_in"] = json!({ "capture": 17 }), "found_in: there is no such capture").await;
    let malformed = async |field: &str, value: Value| {
        let mut new = new_target();
        new["terms"][field] = value;
        let answer = house.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new).await;
        answer.problem(400, "bad-body")
    };
    assert!(malformed("reliability", json!("G")).await.contains("unknown variant `G`"));
    assert!(malformed("credibility", json!(7)).await.contains("credibility (1 to 6)"));
    malformed("author", json!("A. Tester")).await;
    let answer = house.send(Method::POST, &format!("/themes/{MARKET}/targets"), &json!({ "name": "x" })).await;
    assert!(answer.problem(400, "bad-body").contains("missing field `terms`"));
    assert!(house.store.all_targets().unwrap().is_empty());
}

#[tokio::test]
async fn only_the_name_changes_without_a_decision() {
    let house = House::new();
    let id = house.add().await;
    let changed = house.send(Method::PATCH, &path(id), &json!({ "name": " other name " })).await.json(200);
    assert_eq!(changed["name"], "other name");
    let before = house.kept(id);
    house.send(Method::PATCH, &path(id), &json!({ "name": "" })).await.problem(422, "invalid");
    for field in ["scope", "pace", "seeds", "state", "terms"] {
        let wider = json!({ "name": "third name", field: {} });
        house.send(Method::PATCH, &path(id), &wider).await.problem(400, "bad-body");
    }
    assert_eq!(house.kept(id), before);
}

#[tokio::test]
async fn a_target_rests_goes_on_and_ends() {
    let house = House::new();
    let id = house.add().await;
    assert_eq!(house.post(&format!("{}/pause", path(id))).await.json(200)["state"], "paused");
    house.needs_attention(id);
    assert_eq!(house.get(&path(id)).await.json(200)["attention"]["reason"], "a login wall");
    let resumed = house.post(&format!("{}/resume", path(id))).await.json(200);
    assert_eq!((&resumed["state"], &resumed["attention"]), (&json!("active"), &Value::Null));
    assert_eq!(house.post(&format!("{}/retire", path(id))).await.json(200)["state"], "retired");
    let retired = house.kept(id);
    for answer in [
        house.post(&format!("{}/resume", path(id))).await,
        house.post(&format!("{}/pause", path(id))).await,
        house.send(Method::PATCH, &path(id), &json!({ "name": "x" })).await,
        house.send(Method::POST, &format!("{}/proposals", path(id)), &json!({ "terms": {} })).await,
        house
            .send(Method::PUT, &format!("{}/login", path(id)), &json!({ "cookies": [{ "name": "a", "value": "b" }] }))
            .await,
    ] {
        assert!(answer.problem(409, "retired").contains(&id.to_string()));
    }
    assert_eq!(house.kept(id), retired);
    assert!(house.store.login(theme(MARKET), id).unwrap().is_empty(), "nothing was kept for a retired target");
}

#[tokio::test]
async fn a_login_goes_in_and_only_its_names_come_out() {
    let house = House::new();
    let id = house.add().await;
    house.needs_attention(id);
    let login = json!({ "cookies": [{ "name": "session", "value": "s3cr3t-v4lue" }, { "name": "csrf", "value": "0ther-s3cr3t" }] });
    let answer = house.send(Method::PUT, &format!("{}/login", path(id)), &login).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    let kept = house.kept(id);
    assert_eq!((kept.epoch, kept.attention), (1, None));
    assert_eq!(house.store.login(theme(MARKET), id).unwrap()[0].value, "s3cr3t-v4lue");
    for path in [path(id), format!("/themes/{MARKET}/targets"), "/status".into()] {
        let answer = house.get(&path).await;
        assert!(!String::from_utf8_lossy(&answer.body).contains("s3cr3t"), "{path}");
    }
    let shown = house.get(&path(id)).await.json(200);
    assert_eq!(shown["login"], json!({ "count": 2, "names": ["session", "csrf"], "is_usable": true }));

    let bad = json!({ "cookies": [{ "name": "session", "value": "s3cr3t\r\nX: y" }] });
    let told = house.send(Method::PUT, &format!("{}/login", path(id)), &bad).await.problem(422, "invalid");
    assert!(told.contains("session") && !told.contains("s3cr3t"), "{told}");
    assert_eq!(house.kept(id).epoch, 1);

    let request = request(Method::DELETE, &format!("{}/login", path(id))).body(Body::empty()).unwrap();
    assert_eq!(house.ask(request).await.status.as_u16(), 204);
    assert_eq!((house.get(&path(id)).await.json(200)["login"].clone(), house.kept(id).epoch), (Value::Null, 2));
    assert!(house.store.login(theme(MARKET), id).unwrap().is_empty());
}

#[tokio::test]
async fn traps_are_shown() {
    let house = House::new();
    let id = house.add().await;
    let record = |template: &str, refused| (id, TemplateRecord { template: template.into(), admitted: 7, refused });
    let batch =
        CrawlBatch { templates: vec![record("/calendar/{n}", 3), record("/item/{n}", 0)], ..CrawlBatch::default() };
    house.store.apply(theme(MARKET), &batch).unwrap();
    let shown = house.get(&path(id)).await.json(200);
    assert_eq!(shown["traps"], json!([{ "template": "/calendar/{n}", "admitted": 7, "refused": 3 }]));
}

#[tokio::test]
async fn a_target_of_another_theme_is_not_there() {
    let house = House::new();
    let id = house.add().await;
    let elsewhere = format!("/themes/{CYBER}/targets/{id}");
    house.get(&elsewhere).await.problem(404, "unknown-target");
    house.post(&format!("{elsewhere}/pause")).await.problem(404, "unknown-target");
    house
        .send(Method::PUT, &format!("{elsewhere}/login"), &json!({ "cookies": [{ "name": "a", "value": "b" }] }))
        .await
        .problem(404, "unknown-target");
    house.get(&format!("/themes/{MARKET}/targets/nonsense")).await.problem(404, "unknown-target");
    assert_eq!(house.get(&format!("/themes/{CYBER}/targets")).await.json(200), json!({ "targets": [] }));
    assert!(house.store.login(theme(CYBER), id).unwrap().is_empty());
}

#[tokio::test]
async fn the_crawl_hears_of_a_change_and_its_state_is_shown() {
    let mut house = House::new();
    let crawler = house.crawler.take().unwrap();
    let mut status = crawler.handle().status();
    let stop = CancellationToken::new();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(crawler.run(stop.clone()));
    let id = house.add().await;
    let until = async |status: &mut tokio::sync::watch::Receiver<crawl::CrawlStatus>, waits: Option<&str>| {
        let is_there = |status: &crawl::CrawlStatus| {
            status
                .targets
                .iter()
                .any(|target| target.id == id && target.queued > 0 && target.waits_because.as_deref() == waits)
        };
        tokio::time::timeout(Duration::from_secs(20), status.wait_for(is_there)).await.unwrap().unwrap();
    };
    until(&mut status, Some("Tor is not ready")).await;
    assert_eq!(house.post(&format!("{}/pause", path(id))).await.json(200)["state"], "paused");
    until(&mut status, Some("paused")).await;
    let shown = house.get(&path(id)).await.json(200);
    assert_eq!((&shown["crawl"]["waits_because"], &shown["crawl"]["captures"]), (&json!("paused"), &json!(0)));
    assert!(shown["crawl"]["queued"].as_u64().unwrap() > 0);
    let overall = house.get("/status").await.json(200);
    assert_eq!(overall["crawl"]["targets"][0]["id"], id.to_string());
    stop.cancel();
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_source_that_fails_says_why_and_since_when() {
    let house = House::new();
    let made = house.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new_target()).await.json(201);
    let id = made["id"].as_str().unwrap().parse().unwrap();
    let health = async || {
        let health = house.get(&format!("/themes/{MARKET}/source-health")).await.json(200);
        let source = health["sources"][0].clone();
        (health["need_attention"].clone(), source["state"].clone(), source["cause"].clone())
    };
    assert_eq!(health().await, (json!(1), json!("waiting"), json!("nothing was asked for yet")));
    house.record(MARKET, id, "/a", Outcome::Ok).await;
    assert_eq!(health().await, (json!(0), json!("well"), json!("what is asked for comes")));
    for outcome in [Outcome::HttpError(404), Outcome::TimedOut(Stage::Connect), Outcome::DescriptorNotFound] {
        house.record(MARKET, id, "/b", outcome).await;
    }
    assert_eq!(health().await.1, "well", "two in a row may be chance, and a page that is gone is no failure");
    house.record(MARKET, id, "/c", Outcome::HttpError(503)).await;
    assert_eq!(health().await, (json!(1), json!("failing"), json!("the web server says that it is broken")));
    house.record(MARKET, id, "/c", Outcome::Ok).await;
    assert_eq!(health().await.1, "well");
}

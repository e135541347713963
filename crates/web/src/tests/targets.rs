use std::time::Duration;

use axum::http::Method;
use model::{Attention, Target, TargetId};
use serde_json::{Value, json};
use store::{CrawlBatch, TemplateRecord};
use tokio_util::sync::CancellationToken;

use super::{CYBER, House, MARKET, noon, theme};
use crate::api;

const SEED: &str = "http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion/";

pub(super) fn decision() -> Value {
    json!({ "grounds": "expected vendors", "legal_basis": "section 1", "author": "A. Tester", "ends_at": "2026-07-01T00:00:00Z" })
}

pub(super) fn new_target() -> Value {
    json!({ "name": "lantern market", "seeds": [SEED], "decision": decision() })
}

impl House {
    pub(super) async fn add(&self) -> TargetId {
        let answer = self.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new_target()).await;
        answer.json(201)["id"].as_str().unwrap().parse().unwrap()
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
async fn a_target_is_added_and_shown() {
    let house = House::new();
    let mut new = new_target();
    new["scope"] = json!({ "include": ["^/shop/"], "max_depth": 3 });
    new["pace"] = json!({ "delay_ms": 500 });
    new["decision"]["robots"] = json!("obey");
    let answer = house.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new).await;
    let added: api::TargetDetail = serde_json::from_value(answer.json(201)).unwrap();
    assert_eq!(answer.header("location"), format!("/api/v1/themes/{MARKET}/targets/{}", added.target.id));
    let target = &added.target;
    assert_eq!((target.name.as_str(), target.added_at, target.decision_in_force), ("lantern market", noon(), Some(1)));
    assert_eq!((target.scope.include.as_slice(), target.scope.max_depth), (["^/shop/".to_owned()].as_slice(), 3));
    assert_eq!((target.scope.pages_per_day, target.pace.delay_ms, target.pace.concurrency), (50_000, 500, 2));
    let decision = &target.decisions[0];
    assert_eq!((decision.number, decision.made_at, decision.robots), (1, noon(), model::RobotsPolicy::Obey));
    assert_eq!((added.login, added.traps.len()), (None, 0));

    let shown: api::TargetDetail = serde_json::from_value(house.get(&path(target.id)).await.json(200)).unwrap();
    assert_eq!(shown.target, *target);
    let list: api::Targets =
        serde_json::from_value(house.get(&format!("/themes/{MARKET}/targets")).await.json(200)).unwrap();
    assert_eq!(list.targets.as_slice(), std::slice::from_ref(target));
    let kept = house.kept(target.id);
    assert_eq!((kept.seeds[0].as_str(), kept.theme, kept.epoch), (SEED, theme(MARKET), 0));
}

#[tokio::test]
async fn a_target_without_grounds_seeds_or_a_future_is_refused() {
    let house = House::new();
    let refused = async |change: fn(&mut Value), detail: &str| {
        let mut new = new_target();
        change(&mut new);
        let answer = house.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new).await;
        let told = answer.problem(422, "invalid");
        assert!(told.contains(detail), "{told}");
    };
    refused(|new| new["decision"]["grounds"] = json!("  "), "grounds must not be empty").await;
    refused(|new| new["decision"]["legal_basis"] = json!(""), "legal basis must not be empty").await;
    refused(|new| new["decision"]["author"] = json!(""), "author must not be empty").await;
    refused(|new| new["decision"]["ends_at"] = json!("2026-06-01T12:00:00Z"), "not in the future").await;
    refused(|new| new["name"] = json!(" "), "name must not be empty").await;
    refused(|new| new["name"] = json!("a\u{1b}[2J"), "control characters").await;
    refused(|new| new["name"] = json!("x".repeat(201)), "more than 200").await;
    refused(|new| new["seeds"] = json!([]), "seeds must not be empty").await;
    refused(|new| new["seeds"] = json!(["http://example.com/"]), "clear net").await;
    refused(|new| new["scope"] = json!({ "include": ["("] }), "scope.include").await;
    refused(|new| new["scope"] = json!({ "exclude": ["(a{1000}){1000}"] }), "scope.exclude").await;
    refused(|new| new["scope"] = json!({ "hosts": ["example.com"] }), "clear net").await;
    refused(|new| new["scope"] = json!({ "hosts": ["127.0.0.1"] }), "scope.hosts").await;
    refused(|new| new["pace"] = json!({ "concurrency": 0 }), "concurrency").await;
    let mut new = new_target();
    new.as_object_mut().unwrap().remove("decision");
    let answer = house.send(Method::POST, &format!("/themes/{MARKET}/targets"), &new).await;
    assert!(answer.problem(400, "bad-body").contains("missing field `decision`"));
    assert!(house.store.all_targets().unwrap().is_empty());
}

#[tokio::test]
async fn a_change_is_made_as_a_whole_or_not_at_all() {
    let house = House::new();
    let id = house.add().await;
    let change = json!({ "name": " other name ", "scope": { "exclude": ["logout"] }, "pace": { "concurrency": 1 } });
    let changed = house.send(Method::PATCH, &path(id), &change).await.json(200);
    assert_eq!((&changed["name"], &changed["scope"]["exclude"]), (&json!("other name"), &json!(["logout"])));
    assert_eq!((&changed["pace"]["concurrency"], &changed["pace"]["delay_ms"]), (&json!(1), &json!(2000)));
    let before = house.kept(id);
    let bad = json!({ "name": "third name", "scope": { "include": ["["] } });
    house.send(Method::PATCH, &path(id), &bad).await.problem(422, "invalid");
    house.send(Method::PATCH, &path(id), &json!({ "state": "paused" })).await.problem(400, "bad-body");
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
        house.send(Method::POST, &format!("{}/decision", path(id)), &decision()).await,
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
async fn decisions_are_counted_and_lapse() {
    let house = House::new();
    let id = house.add().await;
    house.clock.advance(Duration::from_hours(40 * 24));
    assert_eq!(house.get(&path(id)).await.json(200)["decision_in_force"], Value::Null);
    let old = house.send(Method::POST, &format!("{}/decision", path(id)), &decision()).await;
    assert!(old.problem(422, "invalid").contains("not in the future"));
    let mut new = decision();
    new["ends_at"] = json!("2026-12-31T00:00:00+01:00");
    new["allows_exit"] = json!(true);
    let decided = house.send(Method::POST, &format!("{}/decision", path(id)), &new).await.json(200);
    assert_eq!(decided["decision_in_force"], 2);
    assert_eq!(decided["decisions"][0]["number"], 1);
    assert_eq!(decided["decisions"][1]["ends_at"], "2026-12-30T23:00:00.000000Z");
    assert_eq!((house.kept(id).decisions.len(), house.kept(id).decisions[1].allows_exit), (2, true));
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

    let request =
        super::request(Method::DELETE, &format!("{}/login", path(id))).body(axum::body::Body::empty()).unwrap();
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

use axum::{body::Body, http::Request};
use fetch::{ProofsOfWork, TorStatus};
use model::Outcome;
use serde_json::{Value, json};

use super::{CYBER, House, MARKET, evidence::TARGET};
use crate::api;

async fn open(house: &House, path: &str) -> super::Answer {
    house.ask(Request::builder().uri(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_status_tells_of_every_part() {
    let house = House::new();
    for path in ["/a", "/b", "/c"] {
        house.record(MARKET, TARGET, path, Outcome::Ok).await;
    }
    house.analyse(MARKET, model::Seq(1), "/a", None, false);
    house.analyse(MARKET, model::Seq(2), "/b", None, false);
    house.index(MARKET, &[("/a", 0, "text")]);
    let bootstrapping = TorStatus {
        percent: 40,
        is_ready: false,
        blocked_because: Some("no relay answers".into()),
        failed_attempts: 2,
        proofs_of_work: ProofsOfWork { waiting: 3, under_way: 1, made: 7, given_up: 5 },
    };
    house.tor.send_replace(bootstrapping);
    let status = house.get("/status").await.json(200);
    assert_eq!(status["version"], "1.2.3");
    let tor = json!({
        "percent": 40, "is_ready": false, "blocked_because": "no relay answers", "failed_attempts": 2,
        "proofs_of_work": { "waiting": 3, "under_way": 1, "made": 7, "given_up": 5 },
    });
    assert_eq!(status["tor"], tor);
    assert_eq!(
        status["analysis"],
        json!([
            { "theme": CYBER, "captured": 0, "analysed": 0, "indexed": 0, "followed": 0 },
            { "theme": MARKET, "captured": 3, "analysed": 2, "indexed": 1, "followed": 0 },
        ])
    );
    assert_eq!(status["without_approver"], json!([]));
    assert!(status["disk"]["store_bytes"].as_u64().unwrap() > 0);
    let read: api::Status = serde_json::from_value(status).unwrap();
    assert_eq!((read.crawl.in_flight, read.crawl.targets.len()), (0, 0));
}

#[tokio::test]
async fn a_lack_of_memory_is_told() {
    let mut house = House::new();
    let crawler = house.crawler.take().unwrap().measuring_memory_by(|| 901 << 20);
    let (handle, stop) = (crawler.handle(), tokio_util::sync::CancellationToken::new());
    let mut running = tokio::task::JoinSet::new();
    running.spawn(crawler.run(stop.clone()));
    let told = async |ceiling_mb: u64, has_room: bool| {
        handle.memory_limited(u32::try_from(ceiling_mb).unwrap());
        let is_there = |status: &crawl::CrawlStatus| status.memory.ceiling_bytes == Some(ceiling_mb << 20);
        handle.status().wait_for(is_there).await.unwrap();
        let expect = json!({ "used_bytes": 901 << 20, "ceiling_bytes": ceiling_mb << 20, "has_room": has_room });
        assert_eq!(house.get("/status").await.json(200)["memory"], expect);
        let figures = house.get("/metrics").await;
        let figure = format!("\nnachtwacht_memory_ceiling_bytes {}\n", ceiling_mb << 20);
        assert!(String::from_utf8_lossy(&figures.body).contains(&figure));
    };
    told(1_000, false).await;
    let missing = open(&house, "/readyz").await.json(503)["missing"].clone();
    assert_eq!(missing, json!(["memory: nothing new is fetched until there is more"]));
    told(2_000, true).await;
    assert_eq!(open(&house, "/readyz").await.json(200), json!({ "status": "ready" }));
    stop.cancel();
    while let Some(ended) = running.join_next().await {
        ended.unwrap().unwrap();
    }
}

#[tokio::test]
async fn themes_are_those_that_are_configured() {
    let themes = House::new().get("/themes").await.json(200);
    assert_eq!(themes["themes"][0], json!({ "id": CYBER, "title": "CYBERCRIME", "description": "All cybercrime." }));
    assert_eq!(themes["themes"][1]["id"], MARKET);
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let mut house = House::new();
    assert_eq!(open(&house, "/livez").await.json(200), json!({ "status": "alive" }));
    assert_eq!(open(&house, "/readyz").await.json(200), json!({ "status": "ready" }));
    let reason = Some("bridge 192.0.2.1 does not answer".to_owned());
    house.tor.send_replace(TorStatus { percent: 15, blocked_because: reason, ..TorStatus::default() });
    let answer = open(&house, "/readyz").await;
    answer.problem(503, "not-ready");
    assert_eq!(answer.json(503)["missing"], json!(["Tor is bootstrapped to 15 %"]));
    assert!(!String::from_utf8_lossy(&answer.body).contains("192.0.2.1"), "strangers learn nothing of bridges");
    assert_ne!(answer.header("retry-after"), "");

    house.crawler = None;
    let missing = open(&house, "/readyz").await.json(503)["missing"].clone();
    assert_eq!(missing, json!(["Tor is bootstrapped to 15 %", "the crawl has stopped"]));
    house.tor = tokio::sync::watch::Sender::default();
    let missing = open(&house, "/readyz").await.json(503)["missing"].clone();
    assert_eq!(missing, json!(["the Tor client has stopped", "the crawl has stopped"]));
    assert_eq!(open(&house, "/livez").await.json(200)["status"], Value::from("alive"));
}

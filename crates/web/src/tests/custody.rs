//! Holds, seals, erasure and retention over the API.

use std::time::Duration;

use axum::{body::Body, http::Method};
use model::{Outcome, Role, Seq};
use serde_json::{Value, json};

use super::{
    Answer, CYBER, House, MARKET,
    evidence::{TARGET, document},
    people::role,
    theme,
};

const PARTS: [&str; 6] = ["", "/raw", "/payload", "/text", "/document", "/proof"];

async fn house() -> House {
    let house = House::new();
    for (path, outcome) in [("/a", Outcome::Ok), ("/b", Outcome::Ok), ("/c", Outcome::DescriptorNotFound)] {
        let seq = house.record(MARKET, TARGET, path, outcome).await;
        let document = (outcome == Outcome::Ok).then(|| document("t", "lantern oil"));
        house.analyse(MARKET, seq, path, document, false);
    }
    house.index(MARKET, &[("/a", 0, "lantern oil"), ("/b", 1, "lantern oil"), ("/c", 2, "")]);
    house
}

impl House {
    async fn do_in_market(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, &format!("/themes/{MARKET}{path}"), &body).await
    }

    async fn found(&self) -> Value {
        let answer = self.get(&format!("/themes/{MARKET}/search?q=lantern")).await.json(200);
        json!([answer["total"], answer["erased"]])
    }

    /// What derive does, as far as the API shows it.
    fn follow(&self) {
        for change in self.store.view_changes(theme(MARKET)).unwrap() {
            let sequences: Vec<Seq> = change.captures.iter().map(|capture| capture.seq).collect();
            self.indexes.theme(theme(MARKET)).unwrap().replace(&sequences, &[]).unwrap();
            self.store.views_followed(theme(MARKET), &change).unwrap();
        }
    }
}

#[tokio::test]
async fn an_erased_capture_is_gone_from_every_route() {
    let house = house().await;
    let order = json!({ "subject": "capture:1", "ground": "article 17" });
    let tried =
        house.do_in_market("/erasures", json!({ "subject": "capture:1", "ground": "g", "dry_run": true })).await;
    let told = tried.json(200);
    assert_eq!((&told["captures"], &told["leaves"], &told["held"]), (&json!(1), &json!([]), &Value::Null));
    assert_eq!(house.found().await, json!([2, 0]));
    let told = house.do_in_market("/erasures", order.clone()).await.json(200);
    assert_eq!((&told["captures"], &told["leaves"]), (&json!(1), &json!([4])));
    for part in PARTS {
        let told = house.get(&format!("/themes/{MARKET}/captures/1{part}")).await.problem(410, "erased");
        assert_eq!(told, "capture marketplace/1 was erased; leaf 4 of the evidence log says when and on what ground");
    }
    let listed = house.get(&format!("/themes/{MARKET}/captures")).await.json(200);
    assert_eq!(listed["captures"].as_array().unwrap().len(), 2);
    let search = house.get(&format!("/themes/{MARKET}/search?q=lantern")).await;
    search.problem(503, "erasing");
    assert_eq!(search.header("retry-after"), "5");
    assert_eq!(house.get(&format!("/themes/{CYBER}/search?q=lantern")).await.json(200)["total"], 0);
    let pending = house.get(&format!("/themes/{MARKET}/erasures")).await.json(200);
    assert_eq!(
        pending,
        json!({ "pending": [{ "leaf": 4, "change": "erased", "captures": 1, "views_follow": false }], "files_left": [] })
    );
    house.follow();
    assert_eq!(house.found().await, json!([1, 1]));
    house.do_in_market("/erasures", order).await.problem(410, "erased");
    let report = house.post("/log/verification").await.body;
    assert!(String::from_utf8_lossy(&report).contains("\"problems\":0"));
}

#[tokio::test]
async fn a_seal_hides_from_every_route_and_only_the_command_line_lifts_it() {
    let house = house().await;
    let why = json!({ "reason": "unlawful content" });
    house.do_in_market("/captures/9/seal", why.clone()).await.problem(404, "unknown-capture");
    let told = house.do_in_market("/captures/1/seal", why.clone()).await.json(200);
    assert_eq!(told, json!({ "leaves": [4], "captures": 2 }), "the other page with this payload too");
    for part in PARTS {
        for seq in [1, 2] {
            let told = house.get(&format!("/themes/{MARKET}/captures/{seq}{part}")).await.problem(451, "sealed");
            assert!(told.contains("leaf 4 of the evidence log"), "{told}");
        }
    }
    house.get(&format!("/themes/{MARKET}/search?q=lantern")).await.problem(503, "erasing");
    house.follow();
    assert_eq!(house.found().await, json!([0, 0]));
    let seals = house.get(&format!("/themes/{MARKET}/seals")).await.json(200);
    assert_eq!(seals["seals"].as_array().unwrap().len(), 2);
    assert_eq!((&seals["seals"][0]["capture"], &seals["seals"][0]["who"]), (&json!("marketplace/1"), &json!("test")));

    let erasure = json!({ "subject": "capture:1", "ground": "unlawful" });
    let analyst = house.person("ann", vec![role(Role::Analyst, Some(MARKET))]);
    for (path, body) in [("/captures/1/unseal", &why), ("/erasures", &erasure)] {
        let path = format!("/themes/{MARKET}{path}");
        house.ask_as(&analyst, Method::POST, &path, Some(body)).await.problem(403, "no-role");
    }
    assert_eq!(house.do_in_market("/erasures", erasure).await.json(200)["captures"], 1);
    assert_eq!(house.do_in_market("/captures/2/unseal", why).await.json(200)["captures"], 1);
    house.get(&format!("/themes/{MARKET}/captures/1")).await.problem(410, "erased");
    assert_eq!(house.get(&format!("/themes/{MARKET}/captures/2")).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_hold_is_set_beats_retention_and_is_lifted() {
    let house = house().await;
    house.clock.advance(Duration::from_hours(24 * 31));
    let hold = house.do_in_market("/holds", json!({ "subject": "capture:2", "reason": "a trial" })).await.json(200);
    let tried = house.do_in_market("/retention", json!({ "dry_run": true })).await.json(200);
    let expected = json!({
        "content_days": 30, "attempts_days": null, "content": 1, "content_bytes": 56, "attempts": 0, "held": 1, "sealed": 0,
        "leaves": [],
    });
    assert_eq!(tried, expected);
    let told =
        house.do_in_market("/erasures", json!({ "subject": "capture:2", "ground": "g" })).await.problem(409, "held");
    assert!(told.contains("leaf 4"), "{told}");
    let run = house.do_in_market("/retention", json!({})).await.json(200);
    assert_eq!((&run["content"], &run["leaves"]), (&json!(1), &json!([5, 6])));
    house.get(&format!("/themes/{MARKET}/captures/1")).await.problem(410, "erased");
    let held = house.get(&format!("/themes/{MARKET}/holds")).await.json(200);
    assert_eq!((&held["holds"][0]["subject"], &held["holds"][0]["leaf"]), (&json!("capture:2"), &hold["leaves"][0]));
    house.do_in_market("/holds/99/lift", json!({ "reason": "r" })).await.problem(404, "unknown-hold");
    house.do_in_market("/holds/4/lift", json!({ "reason": "it is over" })).await.json(200);
    assert_eq!(house.get(&format!("/themes/{MARKET}/holds")).await.json(200), json!({ "holds": [] }));
    house.do_in_market("/retention", json!({})).await.problem(503, "erasing");
    house.follow();
    assert_eq!(house.do_in_market("/retention", json!({})).await.json(200)["content"], 1);
}

#[tokio::test]
async fn what_is_not_said_or_not_understood_is_refused() {
    let house = house().await;
    house.do_in_market("/captures/1/seal", json!({ "reason": " " })).await.problem(422, "invalid");
    house.do_in_market("/erasures", json!({ "subject": "capture:1", "ground": "" })).await.problem(422, "invalid");
    house.do_in_market("/erasures", json!({ "subject": "capture:x", "ground": "g" })).await.problem(400, "bad-body");
    house.do_in_market("/holds", json!({ "subject": "dossier:1", "reason": "r" })).await.problem(400, "bad-body");
    let strangers =
        axum::http::Request::builder().method(Method::POST).uri(format!("/api/v1/themes/{MARKET}/retention"));
    house.ask(strangers.body(Body::empty()).unwrap()).await.problem(401, "unauthenticated");
    let late = house.record(MARKET, TARGET, "/late", Outcome::Ok).await;
    let order = json!({ "subject": format!("capture:{late}"), "ground": "g" });
    house.do_in_market("/erasures", order).await.problem(409, "not-analysed");
}

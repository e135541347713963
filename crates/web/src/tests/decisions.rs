//! Proposals, the answers to them, probes and the history, as people meet them.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, header},
};
use model::TargetId;
use serde_json::{Value, json};

use super::{Answer, CYBER, House, MARKET, request, targets::new_target};

const WHY: &str = "it is needed";

fn path(id: TargetId) -> String {
    format!("/themes/{MARKET}/targets/{id}")
}

fn why() -> Value {
    json!({ "reasons": WHY })
}

impl House {
    /// Proposes a change of the terms with the token.
    async fn propose_change(&self, id: TargetId, terms: Value) -> Answer {
        self.send(Method::POST, &format!("{}/proposals", path(id)), &json!({ "terms": terms })).await
    }

    async fn proposal(&self, id: TargetId, proposal: u64) -> Value {
        self.get(&format!("{}/proposals/{proposal}", path(id))).await.json(200)
    }
}

fn leaf(answer: &Value) -> u64 {
    answer["proposal"].as_u64().unwrap()
}

#[tokio::test]
async fn nobody_decides_on_what_he_proposed() {
    let house = House::new();
    let (id, proposal) = house.propose().await;
    let of = |verb: &str| format!("{}/proposals/{proposal}/{verb}", path(id));
    for verb in ["approve", "reject"] {
        let told = house.send(Method::POST, &of(verb), &why()).await.problem(403, "own-proposal");
        assert!(told.contains("second person"), "{told}");
    }
    house.send_as_second(&of("withdraw"), &why()).await.problem(403, "not-your-proposal");
    house.send_as_second(&of("approve"), &json!({ "reasons": " " })).await.problem(422, "invalid");
    house.send_as_second(&of("approve"), &json!({})).await.problem(400, "bad-body");
    assert_eq!(house.get(&path(id)).await.json(200)["decision_in_force"], Value::Null);

    let approved = house.send_as_second(&of("approve"), &why()).await.json(200);
    assert_eq!((&approved["state"], &approved["answer"]["decision"]), (&json!("approved"), &json!(1)));
    assert_eq!((&approved["answer"]["by"], &approved["answer"]["reasons"]), (&json!("second"), &json!(WHY)));
    let target = house.get(&path(id)).await.json(200);
    assert_eq!((&target["decision_in_force"], &target["open_proposals"]), (&json!(1), &json!([])));
    let decision = &target["decisions"][0];
    assert_eq!((&decision["proposed_by"], &decision["approved_by"]), (&json!("test"), &json!("second")));
    assert_eq!((&decision["proposal"], &decision["probe"]), (&json!(proposal), &Value::Null));
    for verb in ["approve", "reject"] {
        house.send_as_second(&of(verb), &why()).await.problem(409, "answered");
    }
    house.send(Method::POST, &of("withdraw"), &why()).await.problem(409, "answered");
}

#[tokio::test]
async fn a_change_is_told_by_what_differs_and_waits_for_its_approval() {
    let house = House::new();
    let id = house.add().await;
    let change = json!({ "scope": { "max_depth": 3 }, "media": "text-and-images", "retention_days": 7 });
    let proposed = house.propose_change(id, change).await.json(201);
    assert_eq!(
        proposed["changes"],
        json!([
            { "field": "scope.max_depth", "from": "64", "to": "3" },
            { "field": "media", "from": "text only", "to": "text and images" },
            { "field": "retention_days", "from": "as the theme says", "to": "7" },
        ])
    );
    assert_eq!((&proposed["replaces"], &proposed["state"]), (&json!(1), &json!("open")));
    let rival = house.propose_change(id, json!({ "grounds": "other grounds" })).await.json(201);
    let before = house.get(&path(id)).await.json(200);
    assert_eq!((&before["decision_in_force"], before["decisions"].as_array().unwrap().len()), (&json!(1), 1));
    let open = house.get(&format!("/themes/{MARKET}/open-proposals")).await.json(200);
    let open: Vec<_> = open["proposals"].as_array().unwrap().iter().map(|it| it["proposal"].clone()).collect();
    assert_eq!(open, [proposed["proposal"].clone(), rival["proposal"].clone()]);
    assert_eq!(house.get(&format!("/themes/{CYBER}/open-proposals")).await.json(200), json!({ "proposals": [] }));

    let approve = |proposal: &Value| format!("{}/proposals/{}/approve", path(id), leaf(proposal));
    house.send_as_second(&approve(&proposed), &why()).await.json(200);
    let after = house.get(&path(id)).await.json(200);
    assert_eq!(
        (&after["decision_in_force"], &after["decisions"][1]["terms"]["scope"]["max_depth"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(
        after["decisions"][0]["terms"]["scope"]["max_depth"], 64,
        "what was decided before stays in the history"
    );
    house.send_as_second(&approve(&rival), &why()).await.problem(409, "overtaken");
    house.propose_change(id, json!({ "scope": { "include": ["["] } })).await.problem(422, "invalid");
}

#[tokio::test]
async fn a_lapse_and_an_end_are_final_and_a_review_is_only_told() {
    let house = House::new();
    let id = house.add().await;
    house.clock.advance(Duration::from_hours(14 * 24));
    let reviewed = house.get(&path(id)).await.json(200);
    assert_eq!(reviewed["crawl"]["review_overdue"], "2026-06-15T00:00:00.000000Z");
    assert_eq!(reviewed["decision_in_force"], 1, "an overdue review stops nothing");
    house.clock.advance(Duration::from_hours(30 * 24));
    let lapsed = house.get(&path(id)).await.json(200);
    assert_eq!((&lapsed["decision_in_force"], &lapsed["crawl"]["review_overdue"]), (&Value::Null, &Value::Null));
    let told = house.propose_change(id, json!({ "grounds": "still" })).await.problem(422, "invalid");
    assert!(told.contains("ends_at: must be in the future"), "{told}");
    let later = json!({ "review_at": "2026-09-01T00:00:00Z", "ends_at": "2026-12-31T00:00:00+01:00" });
    let proposed = house.propose_change(id, later).await.json(201);
    assert_eq!(proposed["terms"]["ends_at"], "2026-12-30T23:00:00.000000Z");
    house.send_as_second(&format!("{}/proposals/{}/approve", path(id), leaf(&proposed)), &why()).await.json(200);
    assert_eq!(house.get(&path(id)).await.json(200)["decision_in_force"], 2);

    let end = |decision: u32| json!({ "decision": decision, "reasons": "the case is closed" });
    let of = format!("{}/end-decision", path(id));
    house.send_as_second(&of, &end(1)).await.problem(409, "not-in-force");
    let ended = house.send_as_second(&of, &end(2)).await.json(200);
    assert_eq!((&ended["decision_in_force"], &ended["decisions"][1]["ended"]["by"]), (&Value::Null, &json!("second")));
    house.send_as_second(&of, &end(2)).await.problem(409, "not-in-force");
}

#[tokio::test]
async fn a_probe_is_a_small_decision_and_its_result_stands_with_the_proposal() {
    let house = House::new();
    let (id, proposal) = house.propose().await;
    let uri = "http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion/";
    let probe = json!({ "uri": uri, "grounds": "is it alive?", "legal_basis": "section 1" });
    let mut bad = probe.clone();
    bad["grounds"] = json!("");
    let probes = format!("{}/probes", path(id));
    assert!(house.send(Method::POST, &probes, &bad).await.problem(422, "invalid").contains("grounds"));
    bad = json!({ "uri": "http://example.com/", "grounds": "g", "legal_basis": "l" });
    assert!(house.send(Method::POST, &probes, &bad).await.problem(422, "invalid").contains("clear net"));
    let look = house.send(Method::POST, &probes, &probe).await.json(201);
    assert_eq!((&look["probe"]["ends_at"], &look["terms"]), (&json!("2026-06-08T12:00:00.000000Z"), &Value::Null));
    let approve = format!("{}/proposals/{}/approve", path(id), leaf(&look));
    house.send(Method::POST, &approve, &why()).await.problem(403, "own-proposal");
    house.send_as_second(&approve, &why()).await.json(200);
    let target = house.get(&path(id)).await.json(200);
    assert_eq!((&target["decision_in_force"], &target["decisions"][0]["probe"]["uri"]), (&Value::Null, &json!(uri)));

    house.record_probe(id, "/").await;
    let detail = house.proposal(id, proposal).await;
    assert_eq!(detail["probes"][0]["result"], json!({ "capture": format!("{MARKET}/1"), "outcome": "Ok" }));
    assert_eq!(house.get(&format!("/themes/{MARKET}/captures/1")).await.json(200)["decision"], 1);
}

#[tokio::test]
async fn hints_tell_of_duplicates_and_of_addresses_that_look_alike() {
    let house = House::new();
    let (first, _) = house.propose().await;
    let (id, proposal) = house.propose().await;
    let hints = house.proposal(id, proposal).await["hints"].clone();
    assert_eq!((&hints[0]["kind"], hints.as_array().unwrap().len()), (&json!("duplicate"), 1));
    assert!(hints[0]["because"].as_str().unwrap().contains(&first.to_string()));
}

#[tokio::test]
async fn the_history_prints_as_one_document() {
    let house = House::new();
    let (id, proposal) = house.propose().await;
    let of = |proposal: u64, verb: &str| format!("{}/proposals/{proposal}/{verb}", path(id));
    house.send_as_second(&of(proposal, "approve"), &json!({ "reasons": "first line\n# no heading" })).await.json(200);
    let change = house.propose_change(id, json!({ "scope": { "max_depth": 3 } })).await.json(201);
    house.send_as_second(&of(leaf(&change), "reject"), &json!({ "reasons": "too deep" })).await.json(200);
    house.post(&format!("{}/pause", path(id))).await.json(200);
    let other = house.propose_change(id, json!({ "scope": { "max_depth": 9 } })).await.json(201);
    house.send(Method::POST, &of(leaf(&other), "withdraw"), &json!({ "reasons": "a mistake" })).await.json(200);

    let history = house.get(&format!("{}/history", path(id))).await.json(200);
    let steps: Vec<_> = history["steps"].as_array().unwrap().iter().map(|it| it["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["proposed", "approved", "proposed", "rejected", "paused", "proposed", "withdrawn"]);
    assert_eq!(history["steps"][2]["changes"], json!([{ "field": "scope.max_depth", "from": "64", "to": "3" }]));
    let printed = house.get(&format!("{}/history.md", path(id))).await;
    assert_eq!((printed.status.as_u16(), printed.header("content-type")), (200, "text/markdown; charset=utf-8"));
    let asked =
        request(Method::GET, &format!("{}/history", path(id))).header(header::ACCEPT, "text/markdown, */*;q=0.1");
    assert_eq!(house.ask(asked.body(Body::empty()).unwrap()).await.body, printed.body);
    let text = String::from_utf8(printed.body.to_vec()).unwrap().replace(&id.to_string(), "ID");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn what_is_not_there_is_refused_as_such_and_no_theme_tells_of_another() {
    let house = House::new();
    let (id, proposal) = house.propose().await;
    let elsewhere = format!("/themes/{CYBER}/targets/{id}");
    let one = format!("proposals/{proposal}");
    for path in ["proposals", one.as_str(), "history", "history.md"] {
        house.get(&format!("{elsewhere}/{path}")).await.problem(404, "unknown-target");
    }
    for verb in ["approve", "reject", "withdraw"] {
        house.send_as_second(&format!("{elsewhere}/{one}/{verb}"), &why()).await.problem(404, "unknown-target");
    }
    let end = json!({ "decision": 1, "reasons": WHY });
    house.send(Method::POST, &format!("{elsewhere}/end-decision"), &end).await.problem(404, "unknown-target");
    house
        .send(Method::POST, &format!("{elsewhere}/proposals"), &json!({ "terms": {} }))
        .await
        .problem(404, "unknown-target");
    house.get(&format!("{}/proposals/9999", path(id))).await.problem(404, "unknown-proposal");
    house.get(&format!("{}/proposals/x", path(id))).await.problem(404, "unknown-proposal");
    let rejected = format!("{}/proposals/9999/reject", path(id));
    house.send_as_second(&rejected, &why()).await.problem(404, "unknown-proposal");
    // After a rejection the next proposal begins where the last one was.
    house.send_as_second(&format!("{}/proposals/{proposal}/reject", path(id)), &why()).await.json(200);
    let again = house.propose_change(id, json!({ "grounds": "better grounds" })).await.json(201);
    assert_eq!(
        (&again["terms"]["grounds"], &again["terms"]["seeds"]),
        (&json!("better grounds"), &new_target()["terms"]["seeds"])
    );
}

//! Pivots over the API: where an observable was seen, and with which others.

use axum::http::Method;
use model::{Grade, Observable, ObservableKind, Outcome, Role, RoleGrant};
use serde_json::json;

use super::{
    CYBER, House, MARKET,
    evidence::{TARGET, document},
    people::role,
};

const WALLET: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

fn observable(kind: ObservableKind, value: &str) -> Observable {
    Observable { kind, grade: Grade::Verified, value: value.into(), at: 5..7, key: None }
}

/// Three captures: the wallet on the first and the last, twice there, with a mailbox on the last.
async fn house() -> House {
    let house = House::new();
    let wallet = || observable(ObservableKind::Eth, WALLET);
    let pages = [
        vec![wallet()],
        vec![observable(ObservableKind::Email, "b@example.org")],
        vec![wallet(), wallet(), observable(ObservableKind::Email, "a@example.org")],
    ];
    for (n, observables) in pages.into_iter().enumerate() {
        let path = format!("/{n}");
        let seq = house.record(MARKET, TARGET, &path, Outcome::Ok).await;
        let document = model::Document { observables, ..document("t", "naïve wallet") };
        house.analyse(MARKET, seq, &path, Some(document), false);
    }
    house
}

#[tokio::test]
async fn an_observable_leads_to_where_it_was_seen_and_with_what() {
    let house = house().await;
    let ask = async |query: &str| house.get(&format!("/themes/{MARKET}/observables?{query}")).await;
    // However it is written.
    let answer = ask(&format!("kind=eth&value={}", WALLET.to_lowercase())).await.json(200);
    let capture = |n: u64| json!(format!("{MARKET}/{n}"));
    assert_eq!((&answer["kind"], &answer["value"]), (&json!("eth"), &json!(WALLET)));
    assert_eq!((&answer["first"]["capture"], &answer["last"]["capture"]), (&capture(1), &capture(3)));
    assert_eq!(answer["captures"].as_array().unwrap().len(), 2);
    assert_eq!((&answer["captures"][0]["capture"], &answer["next"]), (&capture(3), &json!(null)));
    assert_eq!(answer["others"], json!([{ "kind": "email", "value": "a@example.org", "captures": 1 }]));

    let first = ask(&format!("kind=eth&value={WALLET}&limit=1")).await.json(200);
    assert_eq!((&first["captures"][0]["capture"], &first["next"]), (&capture(3), &json!(1)));
    let second = ask(&format!("kind=eth&value={WALLET}&limit=1&from=1")).await.json(200);
    assert_eq!((&second["captures"][0]["capture"], &second["next"]), (&capture(1), &json!(null)));
    assert_eq!(second["others"], json!([]));

    let unseen = ask("kind=email&value=nobody@example.org").await.json(200);
    assert_eq!((&unseen["first"], &unseen["captures"]), (&json!(null), &json!([])));
    let elsewhere = house.get(&format!("/themes/{CYBER}/observables?kind=eth&value={WALLET}")).await.json(200);
    assert_eq!(elsewhere["captures"], json!([]), "another theme knows nothing of it");
    ask("kind=bitcoin&value=x").await.problem(400, "bad-parameter");
    ask("kind=btc").await.problem(400, "bad-parameter");
}

#[tokio::test]
async fn what_is_erased_or_sealed_was_not_seen() {
    let house = house().await;
    let send = async |path: &str, body| house.send(Method::POST, &format!("/themes/{MARKET}{path}"), &body).await;
    send("/erasures", json!({ "subject": "capture:3", "ground": "g", "forgets_uris": false })).await.json(200);
    send("/captures/1/seal", json!({ "reason": "r" })).await.json(200);
    let answer = house.get(&format!("/themes/{MARKET}/observables?kind=eth&value={WALLET}")).await.json(200);
    assert_eq!((&answer["first"], &answer["last"], &answer["captures"]), (&json!(null), &json!(null), &json!([])));
}

/// Places are counted in characters, as highlights are.
#[tokio::test]
async fn a_document_shows_its_observables() {
    let house = house().await;
    let document = house.get(&format!("/themes/{MARKET}/captures/1/document")).await.json(200);
    let expected = json!([{ "kind": "eth", "grade": "verified", "value": WALLET, "at": { "start": 4, "end": 6 } }]);
    assert_eq!(document["observables"], expected);
}

#[tokio::test]
async fn a_document_shows_what_is_hidden_and_in_which_languages() {
    let house = House::new();
    let seq = house.record(MARKET, TARGET, "/", Outcome::Ok).await;
    let document = model::Document {
        hidden: vec![7..9, 10..13],
        languages: vec![model::Spoken { at: 0..6, language: "fra".into() }],
        images: vec!["data:image/png, 4 bytes".into()],
        ..document("t", "naïve\nÉ\nabc")
    };
    house.analyse(MARKET, seq, "/", Some(document), false);
    let shown = house.get(&format!("/themes/{MARKET}/captures/1/document")).await.json(200);
    assert_eq!(shown["hidden"], json!([{ "start": 6, "end": 7 }, { "start": 8, "end": 11 }]));
    assert_eq!(shown["languages"], json!([{ "at": { "start": 0, "end": 5 }, "language": "fra" }]));
    assert_eq!(shown["images"], json!(["data:image/png, 4 bytes"]));
}

#[tokio::test]
async fn a_pivot_goes_over_the_themes_that_one_reads_and_no_others() {
    let house = House::new();
    for theme in [MARKET, CYBER] {
        let seq = house.record(theme, TARGET, "/a", Outcome::Ok).await;
        house.analyse(
            theme,
            seq,
            "/a",
            Some(model::Document {
                observables: vec![observable(ObservableKind::Eth, WALLET)],
                ..document("t", "naïve wallet")
            }),
            false,
        );
    }
    let investigator = |may_search| RoleGrant { may_search, ..role(Role::Investigator, Some(CYBER)) };
    let people = [
        (house.person("both", vec![role(Role::Analyst, Some(MARKET)), investigator(true)]), vec![CYBER, MARKET]),
        (house.person("one", vec![role(Role::Analyst, Some(MARKET)), investigator(false)]), vec![MARKET]),
        (house.person("none", vec![role(Role::Operator, Some(MARKET))]), vec![]),
    ];
    for (token, expected) in people {
        let before = house.store.audit_head().size;
        let path = format!("/observables?kind=eth&value={WALLET}");
        let answer = house.ask_as(&token, Method::GET, &path, None).await.json(200);
        let themes: Vec<&str> =
            answer["themes"].as_array().unwrap().iter().map(|found| found["theme"].as_str().unwrap()).collect();
        assert_eq!(themes, expected);
        assert_eq!(
            house.store.audit_head().size - before,
            expected.len() as u64 + 1,
            "a leaf for each theme, and the request"
        );
    }
}

//! Dossiers over the API: released, read, added to, withdrawn, exported.

use axum::http::Method;
use model::{Observable, Role};
use serde_json::{Value, json};

use super::{
    Answer, CYBER, House, MARKET,
    evidence::{PAGE, document},
    people::role,
};

/// Three versions of a page; the first shows an observable.
async fn house() -> House {
    let house = House::new();
    let observable = Observable {
        kind: model::ObservableKind::Email,
        grade: model::Grade::ShapeOnly,
        value: "a@example.org".into(),
        at: 0..7,
        key: None,
    };
    let first = model::Document { observables: vec![observable], ..document("Lanterns", "lantern oil") };
    for (number, document) in (1..).zip([first, document("Ropes", "rope"), document("Tar", "tar")]) {
        house.version(number, document).await;
    }
    house
}

impl House {
    async fn release(&self, versions: &[u64]) -> Answer {
        let body = json!({
            "title": "Lanterns", "purpose": "case 17", "recipient": "unit-4", "note": "stolen", "versions": versions,
        });
        self.send(Method::POST, &format!("/themes/{MARKET}/dossiers"), &body).await
    }

    async fn released(&self, versions: &[u64]) -> (String, Value) {
        let answer = self.release(versions).await;
        let dossier = answer.json(201);
        let path = format!("/themes/{MARKET}/dossiers/{}", dossier["dossier"]["id"]);
        assert_eq!(answer.header("location"), format!("/api/v1{path}"));
        (path, dossier)
    }
}

#[tokio::test]
async fn what_is_released_is_read_through_the_dossier_and_nothing_else() {
    let house = house().await;
    let (path, dossier) = house.released(&[1, 2]).await;
    let told = &dossier["dossier"];
    assert_eq!(
        (&told["recipient"], &told["released_by"], &told["versions"], &told["withdrawn"]),
        (&json!("unit-4"), &json!("test"), &json!(2), &Value::Null)
    );
    let first = &dossier["versions"][0];
    assert_eq!(
        (&first["version"], &first["captures"], &first["leaf"]),
        (&json!("marketplace/1"), &json!(["marketplace/1"]), &told["id"])
    );
    assert_eq!(house.get(&path).await.json(200), dossier);
    let text = house.get(&format!("{path}/captures/1/text")).await;
    assert_eq!((text.status.as_u16(), &text.body[..]), (200, &b"lantern oil"[..]));
    let payload = house.get(&format!("{path}/captures/2/payload")).await;
    assert_eq!((payload.header("content-type"), &payload.body[..]), ("application/octet-stream", PAGE));
    assert_eq!(house.get(&format!("{path}/captures/1")).await.json(200)["capture"], "marketplace/1");
    let document = house.get(&format!("{path}/captures/1/document")).await.json(200);
    assert_eq!(document["observables"][0]["value"], "a@example.org");
    for part in ["", "/text", "/payload", "/document"] {
        for seq in ["3", "9", "x"] {
            house.get(&format!("{path}/captures/{seq}{part}")).await.problem(404, "unknown-capture");
        }
        let elsewhere = path.replace(MARKET, CYBER);
        house.get(&format!("{elsewhere}/captures/1{part}")).await.problem(404, "unknown-dossier");
    }
    house.get(&path.replace(MARKET, CYBER)).await.problem(404, "unknown-dossier");
}

#[tokio::test]
async fn a_dossier_grows_is_listed_and_is_withdrawn() {
    let house = house().await;
    let (first, _) = house.released(&[1]).await;
    let (second, _) = house.released(&[3]).await;
    let grown = house.send(Method::POST, &format!("{first}/versions"), &json!({ "versions": [2] })).await.json(200);
    assert_eq!(grown["versions"].as_array().unwrap().len(), 2);
    assert_eq!(house.get(&format!("{first}/captures/2/text")).await.status.as_u16(), 200);
    let why = json!({ "reason": "wrong unit" });
    let gone = house.send(Method::POST, &format!("{first}/withdraw"), &why).await.json(200);
    assert_eq!((&gone["versions"], &gone["dossier"]["withdrawn"]["reason"]), (&json!([]), &json!("wrong unit")));
    let steps: Vec<_> =
        gone["history"].as_array().unwrap().iter().map(|step| step["change"].as_str().unwrap()).collect();
    assert_eq!(steps, ["released", "added", "withdrawn"]);
    house.get(&format!("{first}/captures/1/text")).await.problem(410, "withdrawn");
    house.send(Method::POST, &format!("{first}/versions"), &json!({ "versions": [3] })).await.problem(410, "withdrawn");
    house.send(Method::POST, &format!("{first}/withdraw"), &why).await.problem(410, "withdrawn");

    let list = async |query: &str| {
        let page = house.get(&format!("/themes/{MARKET}/dossiers{query}")).await.json(200);
        let ids: Vec<_> = page["dossiers"].as_array().unwrap().iter().map(|dossier| dossier["id"].clone()).collect();
        (ids, page["next"].clone())
    };
    let id = |path: &str| json!(path.rsplit('/').next().unwrap().parse::<u64>().unwrap());
    assert_eq!(list("").await, (vec![id(&second), id(&first)], Value::Null));
    assert_eq!(list("?limit=1").await, (vec![id(&second)], id(&first)));
    assert_eq!(list(&format!("?limit=1&from={}", id(&first))).await, (vec![id(&first)], Value::Null));
    assert_eq!(list("?recipient=unit-5").await.0, Vec::<Value>::new());
    let elsewhere = house.get(&format!("/themes/{CYBER}/dossiers")).await.json(200);
    assert_eq!(elsewhere, json!({ "dossiers": [], "next": null }));
}

/// A release is no hold, and the answer says what that means.
#[tokio::test]
async fn the_answer_says_how_long_a_version_is_kept() {
    let house = house().await;
    let (path, dossier) = house.released(&[1]).await;
    let kept =
        |dossier: &Value| (dossier["versions"][0]["kept_until"].clone(), dossier["versions"][0]["held_by"].clone());
    assert_eq!(kept(&dossier), (json!("2026-07-01T12:00:00.000000Z"), Value::Null));
    let hold = json!({ "subject": "version:1", "reason": "a trial" });
    let hold = house.send(Method::POST, &format!("/themes/{MARKET}/holds"), &hold).await.json(200);
    assert_eq!(kept(&house.get(&path).await.json(200)).1, hold["leaves"][0]);
}

#[tokio::test]
async fn what_is_erased_is_gone_from_a_dossier() {
    let house = house().await;
    let (path, _) = house.released(&[1, 2]).await;
    let order = json!({ "subject": "capture:1", "ground": "g" });
    house.send(Method::POST, &format!("/themes/{MARKET}/erasures"), &order).await.json(200);
    house.get(&format!("{path}/captures/1/text")).await.problem(410, "erased");
    let seal = json!({ "reason": "r" });
    house.send(Method::POST, &format!("/themes/{MARKET}/captures/2/seal"), &seal).await.json(200);
    house.get(&format!("{path}/captures/2/text")).await.problem(451, "sealed");
    let dossier = house.get(&path).await.json(200);
    for version in dossier["versions"].as_array().unwrap() {
        assert_eq!((&version["captures"], &version["uri"]), (&json!([]), &Value::Null));
    }
}

#[tokio::test]
async fn a_dossier_is_exported_by_its_name() {
    let house = house().await;
    let (_, dossier) = house.released(&[1, 3]).await;
    let order = |id: &Value| json!({ "selection": { "dossier": id }, "format": "warc", "purpose": "case 17" });
    let path = format!("/themes/{MARKET}/exports");
    let export = house.send(Method::POST, &path, &order(&dossier["dossier"]["id"])).await.json(201);
    assert_eq!(export["captures"], 2);
    let bytes = house.get(export["path"].as_str().unwrap()).await;
    assert_eq!(export["digest"], model::Digest::of(&bytes.body).to_string());
    house.send(Method::POST, &path, &order(&json!(99))).await.problem(404, "unknown-dossier");
}

#[tokio::test]
async fn a_release_that_says_too_little_is_refused() {
    let house = house().await;
    house.release(&[]).await.problem(422, "invalid");
    house.release(&[9]).await.problem(404, "unknown-version");
    for field in ["title", "purpose", "recipient"] {
        let mut body = json!({ "title": "t", "purpose": "p", "recipient": "r", "versions": [1] });
        body[field] = " ".into();
        house.send(Method::POST, &format!("/themes/{MARKET}/dossiers"), &body).await.problem(422, "invalid");
    }
    house.get(&format!("/themes/{MARKET}/dossiers/1")).await.problem(404, "unknown-dossier");
    house.get(&format!("/themes/{MARKET}/dossiers/x")).await.problem(404, "unknown-dossier");
}

#[tokio::test]
async fn an_investigator_reads_what_was_released_to_them_and_nothing_else() {
    let house = house().await;
    let ivan = house.person("ivan", vec![role(Role::Investigator, Some(MARKET))]);
    let release = async |recipient: &str| {
        let body = json!({ "title": "t", "purpose": "p", "recipient": recipient, "versions": [1] });
        house.send(Method::POST, &format!("/themes/{MARKET}/dossiers"), &body).await.json(201)["dossier"]["id"].clone()
    };
    let (theirs, others) = (release("ivan").await, release("unit-4").await);
    let ask = async |path: String| house.ask_as(&ivan, Method::GET, &format!("/themes/{MARKET}{path}"), None).await;
    let list = ask("/dossiers".into()).await.json(200);
    let ids: Vec<&Value> = list["dossiers"].as_array().unwrap().iter().map(|dossier| &dossier["id"]).collect();
    assert_eq!(ids, [&theirs]);
    for part in ["", "/captures/1", "/captures/1/text", "/captures/1/payload", "/captures/1/document"] {
        assert_eq!(ask(format!("/dossiers/{theirs}{part}")).await.status, 200, "{part}");
        ask(format!("/dossiers/{others}{part}")).await.problem(404, "unknown-dossier");
    }
    ask("/captures/1".into()).await.problem(403, "no-role");
    ask("/search?q=a".into()).await.problem(403, "no-role");
}

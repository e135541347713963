//! Indicators, site profiles, findings and labels over the API.

use axum::{body::Body, http::Method};
use model::{Contribution, Finding, Outcome, Place, Role, Seq, Span};
use serde_json::{Value, json};
use store::Analysis;

use super::{
    Answer, CYBER, House, MARKET,
    evidence::{TARGET, document},
    people::role,
    request, theme,
};

pub(super) const OIL: &str = r#"
name = "oil"
why = "Lantern oil is offered."
[[any]]
terms = ["lantern oil"]
weight = 2
[[example]]
text = "Buy lantern oil here."
flags = true
[[example]]
text = "Buy a lantern here."
flags = false
"#;

impl House {
    async fn put(&self, path: &str, text: &str) -> Answer {
        let request = request(Method::PUT, &format!("/themes/{MARKET}{path}"));
        self.ask(request.body(Body::from(text.to_owned())).unwrap()).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.ask(request(Method::DELETE, &format!("/themes/{MARKET}{path}")).body(Body::empty()).unwrap()).await
    }

    async fn ask_for(&self, path: &str) -> Value {
        self.get(&format!("/themes/{MARKET}{path}")).await.json(200)
    }

    /// A captured and analysed page on which versions of the indicator `oil` have found these scores.
    async fn flagged(&self, path: &str, scores: &[(u64, i64)]) -> Seq {
        let seq = self.record(MARKET, TARGET, path, Outcome::Ok).await;
        self.analyse(MARKET, seq, path, Some(document("Zöé’s", "naïve lantern oil")), false);
        let finding = |(version, score): &(u64, i64)| Finding {
            indicator: "oil".into(),
            version: *version,
            score: *score,
            contributions: vec![Contribution {
                condition: "the words “lantern oil”".into(),
                weight: *score,
                spans: vec![Span { place: Place::Text, at: 7..18 }],
                matches: 1,
            }],
        };
        let found = scores.iter().map(finding).collect();
        self.store.put_findings(theme(MARKET), &[(seq, found)], &[]).unwrap();
        seq
    }
}

fn version(answer: &Value) -> u64 {
    answer["version"].as_u64().unwrap()
}

#[tokio::test]
async fn an_indicator_is_written_shown_changed_and_taken_away() {
    let house = House::new();
    let first = house.put("/indicators/oil", OIL).await.json(200);
    assert_eq!((&first["is_in_force"], &first["text"]), (&json!(true), &json!(OIL)));
    let changed = OIL.replace("weight = 2", "weight = 4");
    let path = format!("/indicators/oil?replaces={}", version(&first));
    let second = house.put(&path, &changed).await.json(200);
    house.put(&path, OIL).await.problem(409, "rule-changed");
    let list = house.ask_for("/indicators").await;
    assert_eq!(list["set"], second["version"]);
    let rule = &list["rules"][0];
    assert_eq!(
        (&rule["name"], &rule["author"], &rule["why"]),
        (&json!("oil"), &json!("test"), &json!("Lantern oil is offered."))
    );
    let old = house.ask_for(&format!("/indicators/oil?version={}", version(&first))).await;
    assert_eq!((&old["text"], &old["is_in_force"]), (&json!(OIL), &json!(false)));
    let removed = house.delete("/indicators/oil").await.json(200);
    assert_eq!((&removed["text"], removed["history"].as_array().unwrap().len()), (&json!(null), 3));
    assert_eq!(house.ask_for("/indicators").await["rules"], json!([]));
    house.delete("/indicators/oil").await.problem(409, "rule-changed");
    house.delete("/indicators/none").await.problem(404, "unknown-rule");
    assert_eq!(house.get(&format!("/themes/{CYBER}/indicators")).await.json(200), json!({ "set": 0, "rules": [] }));
    house.get(&format!("/themes/{CYBER}/indicators/oil")).await.problem(404, "unknown-rule");
}

#[tokio::test]
async fn what_is_no_indicator_is_refused_and_says_why() {
    let house = House::new();
    let refused = async |path: &str, text: &str| house.put(path, text).await.problem(422, "invalid");
    assert!(refused("/indicators/oil", "name = \"oil\"").await.contains("why"));
    assert!(refused("/indicators/tar", OIL).await.contains("calls itself oil"));
    let wrong = OIL.replace("flags = false", "flags = true");
    assert!(refused("/indicators/oil", &wrong).await.starts_with("example: "));
    house.put("/indicators/oil?author=ann", OIL).await.problem(400, "bad-parameter");
    let mut large = vec![b'#'; (8 << 20) + 1];
    large.push(b'\n');
    house.put("/indicators/oil", &String::from_utf8(large).unwrap()).await.problem(413, "too-large");
    assert_eq!(house.ask_for("/indicators").await["rules"], json!([]));
}

#[tokio::test]
async fn a_trial_tells_what_a_rule_would_flag_and_keeps_nothing() {
    let house = House::new();
    house.flagged("/a", &[]).await;
    let request = request(Method::POST, &format!("/themes/{MARKET}/indicator-trials"));
    let trial = house.ask(request.body(Body::from(OIL)).unwrap()).await.json(200);
    assert_eq!((&trial["looked_at"], &trial["flagged"], &trial["failures"]), (&json!(1), &json!(1), &json!([])));
    let span = &trial["findings"][0]["contributions"][0]["spans"][0];
    assert_eq!(span, &json!({ "place": "text", "at": { "start": 6, "end": 17 }, "matched": "lantern oil" }));
    assert_eq!(house.ask_for("/indicators").await["rules"], json!([]));
    assert_eq!(house.ask_for("/captures/1/findings").await["findings"], json!([]));
}

#[tokio::test]
async fn a_capture_says_why_it_is_flagged() {
    let house = House::new();
    let old = version(&house.put("/indicators/oil", OIL).await.json(200));
    let new = version(&house.put("/indicators/oil", &OIL.replace("weight = 2", "weight = 4")).await.json(200));
    house.flagged("/a", &[(old, 2), (new, 4)]).await;
    let answer = house.ask_for("/captures/1/findings").await;
    assert_eq!(answer["score"], 4, "what is no longer in force does not count");
    let finding = &answer["findings"][0];
    assert_eq!((&finding["version"], &finding["why"]), (&json!(new), &json!("Lantern oil is offered.")));
    let expected = json!([{
        "condition": "the words “lantern oil”", "weight": 4, "matches": 1,
        "spans": [{ "place": "text", "at": { "start": 6, "end": 17 }, "matched": "lantern oil" }],
    }]);
    assert_eq!(finding["contributions"], expected);
    assert_eq!(
        (&answer["findings"][1]["version"], &answer["findings"][1]["is_in_force"]),
        (&json!(old), &json!(false))
    );
    house.get(&format!("/themes/{CYBER}/captures/1/findings")).await.problem(404, "unknown-capture");
}

#[tokio::test]
async fn a_report_tells_what_became_flagged_and_what_ceased_to_be() {
    let house = House::new();
    let old = version(&house.put("/indicators/oil", OIL).await.json(200));
    for path in ["/a", "/b", "/c", "/d"] {
        house.record(MARKET, TARGET, path, Outcome::Ok).await;
    }
    let new = version(&house.put("/indicators/oil", &OIL.replace("weight = 2", "weight = 4")).await.json(200));
    for (seq, scores) in (1..).zip([vec![(old, 2)], vec![(new, 4)], vec![(old, 2), (new, 2)], vec![(old, 2), (new, 4)]])
    {
        let path = format!("/{seq}");
        house.analyse(MARKET, Seq(seq), &path, Some(document("t", "lantern oil")), false);
        let found = scores.into_iter().map(|(version, score)| Finding {
            indicator: "oil".into(),
            version,
            score,
            contributions: Vec::new(),
        });
        house.store.put_findings(theme(MARKET), &[(Seq(seq), found.collect())], &[]).unwrap();
    }
    let report = house.ask_for("/indicators/oil/report").await;
    assert_eq!((&report["up_to"], &report["changes"]), (&json!(0), &json!([])), "nothing was looked at yet");
    let done = [(old, store::Scoring::UpTo(Seq(4))), (new, store::Scoring::Follows)];
    house.store.put_findings(theme(MARKET), &[], &done).unwrap();
    let report = house.ask_for("/indicators/oil/report").await;
    let counts =
        ["became", "ceased", "rescored", "unchanged", "up_to", "of"].map(|name| report[name].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 1, 1, 4, 4]);
    let change = |seq: u64, before: Option<i64>, after: Option<i64>| json!({ "capture": format!("{MARKET}/{seq}"), "before": before, "after": after });
    assert_eq!(
        report["changes"],
        json!([change(1, Some(2), None), change(2, None, Some(4)), change(4, Some(2), Some(4))])
    );
    let page = house.ask_for("/indicators/oil/flagged?limit=2").await;
    let captures: Vec<&Value> =
        page["captures"].as_array().unwrap().iter().map(|flag| &flag["capture"]["capture"]).collect();
    assert_eq!((captures, &page["next"]), (vec![&json!("marketplace/4"), &json!("marketplace/3")], &json!(2)));
    let progress = &house.ask_for("/indicators/oil").await["progress"];
    assert_eq!(progress, &json!({ "up_to": 4, "of": 4, "flagged": 3 }));
}

#[tokio::test]
async fn searches_are_filtered_by_indicator_and_label() {
    let house = House::new();
    let oil = version(&house.put("/indicators/oil", OIL).await.json(200));
    house.flagged("/a", &[(oil, 2)]).await;
    house.flagged("/b", &[]).await;
    house.flagged("/c", &[(oil, 2)]).await;
    house.index(MARKET, &[("/a", 0, "lantern"), ("/b", 1, "lantern"), ("/c", 2, "lantern")]);
    let found = async |query: &str| {
        let answer = house.ask_for(&format!("/search?q=lantern&sort=oldest&{query}")).await;
        answer["hits"].as_array().unwrap().iter().map(|hit| hit["seq"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(found("indicator=oil").await, Vec::<u64>::new(), "nothing was looked at yet");
    let search = format!("/themes/{MARKET}/search?indicator=oil");
    house.store.put_findings(theme(MARKET), &[], &[(oil, store::Scoring::UpTo(Seq(2)))]).unwrap();
    assert_eq!(
        (found("indicator=oil").await, house.get(&search).await.json(200)["up_to"].clone()),
        (vec![1], json!(2))
    );
    house.get(&format!("{search}&up_to=3")).await.problem(409, "not-yet-indexed");
    house.store.put_findings(theme(MARKET), &[], &[(oil, store::Scoring::Follows)]).unwrap();
    assert_eq!(found("indicator=oil").await, [1, 3]);
    let first = house.ask_for("/search?q=lantern&sort=oldest&indicator=oil&limit=1").await;
    let next = first["next"].as_str().unwrap();
    assert_eq!(found(&format!("indicator=oil&after={next}")).await, [3]);
    house.get(&format!("/themes/{MARKET}/search?q=lantern&sort=oldest&after={next}")).await.problem(400, "bad-cursor");
    house.get(&format!("/themes/{MARKET}/search?indicator=none")).await.problem(404, "unknown-rule");
    house.get(&format!("/themes/{MARKET}/search?label=good")).await.problem(400, "bad-parameter");

    house.put_version("/b", Seq(2));
    let label = json!({ "label": "relevant", "note": "n" });
    let labels = house.send(Method::POST, &format!("/themes/{MARKET}/versions/2/labels"), &label).await.json(200);
    assert_eq!(labels["labels"][0]["label"], "relevant");
    assert_eq!(found("label=relevant").await, [2]);
    assert_eq!(found("label=relevant&indicator=oil").await, Vec::<u64>::new());
    assert_eq!(found("label=not-relevant").await, Vec::<u64>::new());
}

#[tokio::test]
async fn labels_are_their_authors_and_are_compared() {
    let house = House::new();
    house.put("/indicators/oil", OIL).await.json(200);
    for (path, seq) in [("/a", 1), ("/b", 2), ("/c", 3)] {
        house.flagged(path, &[]).await;
        house.put_version(path, Seq(seq));
    }
    for name in ["ann", "bob"] {
        house.person(name, vec![role(Role::Analyst, Some(MARKET))]);
    }
    let say = async |seq: u64, author: &str, label: Option<&str>, indicator: Option<&str>| {
        let body = json!({ "label": label, "indicator": indicator });
        let path = format!("/themes/{MARKET}/versions/{seq}/labels");
        house.ask_as(&format!("nw_{author}"), Method::POST, &path, Some(&body)).await
    };
    for (seq, ann, bob) in [(1, "relevant", "relevant"), (2, "relevant", "not-relevant"), (3, "unsure", "unsure")] {
        say(seq, "ann", Some(ann), None).await.json(200);
        say(seq, "bob", Some(bob), None).await.json(200);
    }
    let agreement = house.ask_for("/labels/agreement?a=ann&b=bob").await;
    assert_eq!(
        (&agreement["both"], &agreement["alike"], &agreement["differing"]),
        (&json!(3), &json!(2), &json!(["marketplace/2"]))
    );
    assert_eq!(format!("{:.6}", agreement["kappa"].as_f64().unwrap()), "0.500000");
    // Another word takes the place of the one before.
    let labels = say(2, "bob", Some("relevant"), None).await.json(200);
    assert_eq!((labels["labels"].as_array().unwrap().len(), labels["history"].as_array().unwrap().len()), (2, 3));
    say(3, "bob", None, None).await.json(200);
    assert_eq!(house.ask_for("/labels/agreement?a=ann&b=bob").await["alike"], 2);
    say(1, "ann", Some("unsure"), Some("oil")).await.json(200);
    say(1, "ann", Some("unsure"), Some("none")).await.problem(404, "unknown-rule");
    say(9, "ann", Some("unsure"), None).await.problem(404, "unknown-capture");
    let list = house.ask_for("/labels?author=ann&label=unsure&limit=1").await;
    assert_eq!((&list["total"], &list["labels"][0]["indicator"]), (&json!(2), &json!("oil")));
    assert_eq!(house.get(&format!("/themes/{CYBER}/labels")).await.json(200)["total"], 0);
}

const STALL: &str = r#"
name = "stall"
hosts = ["pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"]
[[page]]
kind = "listing"
when = { selector = "p" }
require = ["title"]
[page.fields]
title = "p"
"#;

#[tokio::test]
async fn a_site_profile_is_tried_written_and_tells_when_a_site_has_drifted() {
    let house = House::new();
    house.flagged("/a", &[]).await;
    let try_out = async |text: &str| {
        let request = request(Method::POST, &format!("/themes/{MARKET}/site-profile-trials"));
        house.ask(request.body(Body::from(text.to_owned())).unwrap()).await
    };
    let trial = try_out(STALL).await.json(200);
    assert_eq!(["looked_at", "fits", "drifted"].map(|name| trial[name].as_u64().unwrap()), [1, 1, 0]);
    assert_eq!(trial["pages"][0]["fields"]["listing"]["title"]["value"], "lantern oil");
    let drifted = try_out(&STALL.replace("title = \"p\"", "title = \"em\"")).await.json(200);
    assert_eq!(["fits", "drifted"].map(|name| drifted[name].as_u64().unwrap()), [1, 1]);
    assert!(try_out(&STALL.replace("\"listing\"", "\"stall\"")).await.problem(422, "invalid").contains("stall"));

    house.put("/site-profiles/stall", STALL).await.json(200);
    assert_eq!(house.ask_for("/site-profiles").await["rules"][0]["name"], "stall");
    house.put("/site-profiles/stand", STALL).await.problem(422, "invalid");
    house.delete("/site-profiles/stall").await.json(200);
    assert_eq!(house.ask_for("/site-profiles").await["rules"], json!([]));
}

#[tokio::test]
async fn a_target_tells_that_a_profile_fits_no_more() {
    let house = House::new();
    let id = house.add().await;
    for (path, matched) in [("/a", true), ("/b", false), ("/c", false)] {
        let seq = house.record(MARKET, id, path, Outcome::Ok).await;
        let mut page = document("t", "lantern oil");
        page.fields.profile = Some(model::ProfileUse { name: "stall".into(), matched });
        house.analyse(MARKET, seq, path, Some(page), false);
    }
    let detail = house.ask_for(&format!("/targets/{id}")).await;
    assert_eq!(detail["drifts"], json!([{ "profile": "stall", "missed": 2, "of": 3, "seen_in": 3 }]));
}

impl House {
    /// Makes a capture a version of its own.
    fn put_version(&self, path: &str, seq: Seq) {
        let uri = super::evidence::uri(path).id();
        let version = store::Version {
            number: 1,
            digest_rule: 1,
            first: seq,
            last: seq,
            captures: 1,
            first_seen: super::noon(),
            last_seen: super::noon(),
            content_digest: model::Digest::of(b"x"),
        };
        let hint = self.store.crawl_hint(theme(MARKET), seq).unwrap().unwrap();
        let (document, version) = (Some(document("t", "naïve lantern oil")), Some((uri, version)));
        let analysis = Analysis { seq, hint, document, sketch: None, version, findings: Vec::new() };
        let up_to = self.store.derive_cursor(theme(MARKET)).unwrap();
        self.store.put_analyses(theme(MARKET), &[analysis], up_to).unwrap();
    }
}

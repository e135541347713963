use axum::http::Method;
use model::{CrawlHint, Document, Outcome, Seq};
use serde_json::{Value, json};
use store::{Analysis, Version};

use super::{
    CYBER, House, MARKET,
    evidence::{TARGET, document, uri},
    noon, theme,
};
use crate::api;

impl House {
    /// Records a page at `/a` that is a version of its own, and says what was read in it.
    pub(super) async fn version(&self, number: u32, document: Document) -> Seq {
        let seq = self.record(MARKET, TARGET, "/a", Outcome::Ok).await;
        let version = Version {
            number,
            digest_rule: 1,
            first: seq,
            last: seq,
            captures: 1,
            first_seen: noon(),
            last_seen: noon(),
            content_digest: document.content_digest,
        };
        self.analysed(seq, Some(document), version);
        seq
    }

    /// Records that the service answered 304, which continues `version`.
    async fn unchanged(&self, version: Version) -> Seq {
        let seq = self.record(MARKET, TARGET, "/a", Outcome::NotModified).await;
        self.analysed(seq, None, Version { last: seq, captures: version.captures + 1, ..version });
        seq
    }

    fn analysed(&self, seq: Seq, document: Option<Document>, version: Version) {
        let hint = CrawlHint {
            target: TARGET,
            uri: uri("/a").id(),
            outcome: Outcome::Ok,
            kind: model::PageKind::Listing,
            refresh: None,
            has_changed: true,
            is_quarantined: false,
        };
        let version = Some((uri("/a").id(), version));
        let analysis = Analysis { seq, hint, document, sketch: None, version, findings: Vec::new() };
        self.store.put_analyses(theme(MARKET), &[analysis], seq).unwrap();
    }

    async fn name(&self, seq: Seq, name: &str) -> super::Answer {
        let body = json!({ "name": name });
        self.send(Method::PUT, &format!("/themes/{MARKET}/versions/{seq}/name"), &body).await
    }

    async fn unname(&self, seq: Seq) -> super::Answer {
        let path = format!("/themes/{MARKET}/versions/{seq}/name");
        self.ask(super::request(Method::DELETE, &path).body(axum::body::Body::empty()).unwrap()).await
    }
}

fn listing() -> String {
    format!("/themes/{MARKET}/versions?uri={}", uri("/a"))
}

#[tokio::test]
async fn versions_of_a_uri_are_listed_newest_first_with_number_times_and_name() {
    let house = House::new();
    let first = house.version(1, document("Stall", "red")).await;
    let second = house.version(2, document("Stall", "green")).await;
    house.name(first, "Before the raid").await.json(200);
    let answer: api::Versions = serde_json::from_value(house.get(&listing()).await.json(200)).unwrap();
    let told = |version: &api::Version| {
        let names: Vec<_> = version.names.iter().filter_map(|naming| naming.name.clone()).collect();
        (version.number, version.first, version.captures, names.join(","))
    };
    let versions: Vec<_> = answer.versions.iter().map(told).collect();
    assert_eq!(versions, [(2, second, 1, String::new()), (1, first, 1, "Before the raid".into())]);
    assert_eq!((answer.next, answer.versions[0].first_seen), (None, noon()));
    let page = house.get(&format!("{}&limit=1", listing())).await.json(200);
    assert_eq!((&page["versions"][0]["number"], &page["next"]), (&json!(2), &json!(1)));
    let page = house.get(&format!("{}&limit=1&from=1", listing())).await.json(200);
    assert_eq!((&page["versions"][0]["number"], &page["next"]), (&json!(1), &Value::Null));
    let told = house.get(&format!("/themes/{MARKET}/versions")).await.problem(400, "bad-parameter");
    assert_eq!(told, "uri: which URI's versions?");
}

#[tokio::test]
async fn a_name_belongs_to_the_version_and_its_history_stays() {
    let house = House::new();
    let first = house.version(1, document("Stall", "red")).await;
    let (_, version) = house
        .store
        .version_of(
            &model::Grant::system(model::Purpose::Maintenance),
            model::CaptureId { theme: theme(MARKET), seq: first },
        )
        .unwrap()
        .unwrap();
    let again = house.unchanged(version).await;
    assert_eq!(house.unname(first).await.problem(404, "unknown-name"), "the version has no name");
    house.name(first, "  Before the raid ").await.json(200);
    let named = house.name(again, "The day before").await.json(200);
    assert_eq!((&named["version"], &named["captures"]), (&json!("marketplace/1"), &json!(2)));
    assert_eq!(named["names"][0]["name"], "The day before");
    let shown = house.unname(again).await.json(200);
    let detail: api::VersionDetail = serde_json::from_value(shown).unwrap();
    assert_eq!(detail.version.names, []);
    let told = |naming: &api::Naming| (naming.name.clone(), naming.author.clone().unwrap(), naming.is_removal);
    let expect = [
        (Some("Before the raid".into()), "test".to_owned(), false),
        (Some("The day before".into()), "test".to_owned(), false),
        (None, "test".to_owned(), true),
    ];
    assert_eq!(detail.history.iter().map(told).collect::<Vec<_>>(), expect);
    assert_eq!(detail.history[0].leaf + 1, detail.history[1].leaf, "each naming is a leaf");
}

#[tokio::test]
async fn what_is_no_name_is_refused() {
    let house = House::new();
    let first = house.version(1, document("Stall", "red")).await;
    for (name, why) in [("", "is empty"), ("  ", "is empty"), ("a\u{1b}b", "control"), (&"x".repeat(201), "longer")] {
        let told = house.name(first, name).await.problem(422, "invalid");
        assert!(told.starts_with("name: ") && told.contains(why), "{told}");
    }
    assert_eq!(house.store.log_head().size, 2, "the key and the capture, and nothing of what was refused");
}

#[tokio::test]
async fn a_comparison_is_data_by_words_fields_and_links() {
    let house = House::new();
    let old = house.version(1, document("Stall", "Apples\nPrice: 10 EUR\nServer time: 14:05:06 UTC")).await;
    let mut changed = document("Market", "Apples\nPrice: 12 EUR\nServer time: 14:09:41 UTC");
    changed.links[0].uri = uri("/other");
    let new = house.version(2, changed).await;
    let answer = house.get(&format!("/themes/{MARKET}/versions/{old}/compare/{new}")).await;
    assert_eq!(answer.header("content-type"), "application/json");
    let answer: api::Comparison = serde_json::from_value(answer.json(200)).unwrap();
    assert_eq!((answer.old.number, answer.new.number, answer.is_same_content), (1, 2, false));
    assert_eq!((answer.fields.len(), answer.fields[0].field.as_str()), (1, "title"));
    assert_eq!((&answer.links.added[0].uri, &answer.links.removed[0].uri), (&uri("/other"), &uri("/next")));
    let told = |change: &api::TextChange| (change.deleted.clone(), change.inserted.clone(), change.is_noise);
    let changes: Vec<_> = answer.text.changes.iter().map(told).collect();
    assert_eq!(changes, [("10".into(), "12".into(), false), ("14:05:06".into(), "14:09:41".into(), true)]);
    assert_eq!(
        (answer.text.granularity.as_str(), answer.text.changes[0].old),
        ("word", api::Span { start: 14, end: 16 })
    );
    let same = house.get(&format!("/themes/{MARKET}/versions/{new}/compare/{new}")).await.json(200);
    assert_eq!(
        (&same["is_same_content"], &same["text"]["changes"], &same["fields"]),
        (&json!(true), &json!([]), &json!([]))
    );
}

#[tokio::test]
async fn a_304_stands_for_the_page_that_it_vouches_for() {
    let house = House::new();
    let old = house.version(1, document("Stall", "red")).await;
    let new = house.version(2, document("Stall", "green")).await;
    let grant = model::Grant::system(model::Purpose::Maintenance);
    let id = model::CaptureId { theme: theme(MARKET), seq: new };
    let again = house.unchanged(house.store.version_of(&grant, id).unwrap().unwrap().1).await;
    let answer = house.get(&format!("/themes/{MARKET}/versions/{old}/compare/{again}")).await.json(200);
    assert_eq!((&answer["new"]["capture"], &answer["new"]["number"]), (&json!("marketplace/2"), &json!(2)));
    assert_eq!(answer["text"]["changes"][0]["inserted"], "green");
}

#[tokio::test]
async fn what_is_no_version_and_what_is_another_themes_is_not_there() {
    let house = House::new();
    let seq = house.version(1, document("Stall", "red")).await;
    let failed = house.record(MARKET, TARGET, "/a", Outcome::DescriptorNotFound).await;
    for path in [format!("versions/{failed}"), format!("versions/{seq}/compare/{failed}")] {
        house.get(&format!("/themes/{MARKET}/{path}")).await.problem(404, "unknown-version");
    }
    house.name(failed, "x").await.problem(404, "unknown-version");
    for path in [format!("versions/{seq}"), format!("versions/{seq}/compare/{seq}"), "versions/x".to_owned()] {
        house.get(&format!("/themes/{CYBER}/{path}")).await.problem(404, "unknown-capture");
    }
    let elsewhere = house.get(&format!("/themes/{CYBER}/versions?uri={}", uri("/a"))).await.json(200);
    assert_eq!(elsewhere, json!({ "versions": [], "next": null }));
}

//! Watches and alerts, over the API and with a clock that a test sets.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::Method};
use model::{Authority, Outcome, Phase, Role, Seq};
use proof::SignerKey;
use serde_json::{Value, json};

use super::{
    Answer, CYBER, House, MARKET,
    evidence::{TARGET, document},
    people::role,
    request, theme,
};
use crate::{WatchConfig, app::Running, router::serving, watching::Watcher};

const LANTERNS: [(&str, i64, &str); 5] = [
    ("/a1", 0, "red lantern oil"),
    ("/b2", 10, "blue lantern"),
    ("/a3", 20, "red rope"),
    ("/a1", 30, "a lantern again"),
    ("/b5", 40, "one more lantern"),
];

/// A house with a watcher that looks when it is told to, and owners whose grants can be taken away.
struct Night {
    house: House,
    watcher: Watcher,
    is_granted: Arc<AtomicBool>,
}

impl Night {
    fn new() -> Self {
        Self::with(tempfile::tempdir().unwrap(), 1_000)
    }

    fn with(dir: tempfile::TempDir, hits_per_run: usize) -> Self {
        let (mut app, mut house) = House::on(&store::Config::default(), dir);
        app.watches = WatchConfig { hits_per_run, per_theme: 3, ..app.watches };
        let running = Running::new(app);
        house.router = serving(Arc::clone(&running));
        let is_granted = Arc::new(AtomicBool::new(true));
        let granted = Arc::clone(&is_granted);
        let owners = move |who: &str, theme| {
            let authority = Authority::of_this_process();
            granted.load(Ordering::SeqCst).then(|| authority.grant(who, theme, Phase::Analysis))
        };
        Self { house, watcher: Watcher::new(running, Arc::new(owners)), is_granted }
    }

    /// Ends everything and begins again with what is on the disk.
    fn again(self) -> Self {
        let closed = |Self { house, watcher, .. }: Self| {
            drop(watcher);
            house.dir
        };
        Self::with(closed(self), 1_000)
    }

    fn spool(&self) -> std::path::PathBuf {
        self.house.dir.path().join("spool")
    }

    /// Makes a watch for lanterns, with these fields changed.
    async fn watch(&self, change: Value) -> Value {
        let answer = self.make(change).await;
        let made = answer.json(201);
        assert_eq!(answer.header("location"), format!("/api/v1/themes/{MARKET}/watches/{}", made["watch"]["id"]));
        made["watch"].clone()
    }

    async fn make(&self, change: Value) -> Answer {
        self.house.send(Method::POST, &format!("/themes/{MARKET}/watches"), &lanterns(&change)).await
    }

    /// Indexes the first pages.
    fn index(&self, count: usize) {
        self.house.index(MARKET, &LANTERNS[..count]);
    }

    /// Looks until there is nothing more to do.
    fn look(&self) {
        while self.watcher.look().unwrap() {}
    }

    async fn get(&self, path: &str) -> Value {
        self.house.get(&format!("/themes/{MARKET}{path}")).await.json(200)
    }

    /// The sequences of the captures of each alert, in the order in which the alerts came.
    async fn told(&self) -> Vec<Vec<u64>> {
        let alerts = self.get("/alerts?after=0").await;
        alerts["alerts"].as_array().unwrap().iter().map(captures).collect()
    }

    async fn state(&self, watch: &Value) -> Value {
        self.get(&format!("/watches/{}", watch["id"])).await["watch"].clone()
    }
}

fn captures(alert: &Value) -> Vec<u64> {
    let seq = |capture: &Value| capture.as_str().unwrap().split_once('/').unwrap().1.parse().unwrap();
    alert["captures"].as_array().unwrap().iter().map(seq).collect()
}

fn lanterns(change: &Value) -> Value {
    let mut watch = json!({
        "name": "lanterns", "reason": "they are stolen", "query": "q=lantern", "trigger": "arrival", "grouping": "hit",
    });
    for (field, value) in change.as_object().unwrap() {
        watch[field] = value.clone();
    }
    watch
}

fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

#[tokio::test]
async fn a_watch_tells_of_what_arrives_and_of_nothing_twice() {
    let night = Night::new();
    night.index(1);
    let watch = night.watch(json!({ "purpose": "case 17" })).await;
    assert_eq!(
        (&watch["owner"], &watch["looked_at_up_to"], &watch["waits_because"], &watch["next_at"]),
        (&json!("test"), &json!(1), &Value::Null, &Value::Null)
    );
    night.look();
    assert!(night.told().await.is_empty(), "what was there before");
    night.index(4);
    night.look();
    assert_eq!(night.told().await, [[2], [4]]);
    night.look();
    night.index(5);
    night.look();
    assert_eq!(night.told().await, [[2], [4], [5]]);
    let state = night.state(&watch).await;
    assert_eq!((&state["looked_at_up_to"], &state["hits"], &state["has_more"]), (&json!(5), &json!(1), &json!(false)));
    let alert = night.get("/alerts/1").await;
    let id = format!("{MARKET}-{0}-{0}-2", watch["id"]);
    assert_eq!(
        (&alert["id"], &alert["name"], &alert["count"], &alert["acknowledged"]),
        (&json!(id), &json!("lanterns"), &json!(1), &Value::Null)
    );
    night.house.get(&format!("/themes/{CYBER}/alerts/1")).await.problem(404, "unknown-alert");
    night.house.get(&format!("/themes/{CYBER}/watches/{}", watch["id"])).await.problem(404, "unknown-watch");
    let elsewhere = night.house.get(&format!("/themes/{CYBER}/alerts")).await.json(200);
    assert_eq!(elsewhere, json!({ "alerts": [], "next": null, "newest": 0 }));
}

#[tokio::test]
async fn hits_are_grouped_as_the_watch_says() {
    let night = Night::new();
    for grouping in ["uri", "target", "run"] {
        night.watch(json!({ "grouping": grouping, "name": grouping })).await;
    }
    night.index(5);
    night.look();
    let told = night.told().await;
    // A watch after the other; within one by the first capture.
    assert_eq!(told, [vec![1, 4], vec![2], vec![5], vec![1, 4], vec![2, 5], vec![1, 2, 4, 5]]);
}

#[tokio::test]
async fn a_full_run_says_so_and_goes_on_in_the_next() {
    let night = Night::with(tempfile::tempdir().unwrap(), 2);
    let watch = night.watch(json!({ "grouping": "run" })).await;
    night.index(5);
    assert!(night.watcher.look().unwrap(), "there is more to do");
    let state = night.state(&watch).await;
    assert_eq!((&state["looked_at_up_to"], &state["has_more"]), (&json!(3), &json!(true)));
    assert_eq!(night.get("/alerts/1").await["has_more"], true);
    night.look();
    assert_eq!(night.told().await, [[1, 2], [4, 5]]);
    assert_eq!(night.state(&watch).await["has_more"], false);
}

#[tokio::test]
async fn a_schedule_waits_for_its_time_and_quiet_hours_hold_alerts_back() {
    // It is noon.
    let night = Night::new();
    let daily = night.watch(json!({ "trigger": "daily:18:00", "name": "daily", "grouping": "run" })).await;
    let quiet = night.watch(json!({ "quiet": "11:00-20:00", "name": "quiet", "grouping": "run" })).await;
    assert_eq!(daily["next_at"], "2026-06-01T18:00:00.000000Z");
    assert_eq!(quiet["waits_because"], "its quiet hours last until 2026-06-01T20:00:00.000000Z");
    night.index(3);
    night.look();
    assert!(night.told().await.is_empty());
    night.house.clock.advance(hours(6));
    night.look();
    assert_eq!(night.told().await, [[1, 2]]);
    assert_eq!(night.state(&daily).await["next_at"], "2026-06-02T18:00:00.000000Z");
    night.index(5);
    night.house.clock.advance(hours(2));
    night.look();
    assert_eq!(night.told().await, [vec![1, 2], vec![1, 2, 4, 5]], "held back, and none is lost");
    assert_eq!(night.state(&quiet).await["waits_because"], Value::Null);
    night.house.clock.advance(hours(22));
    night.look();
    assert_eq!(night.told().await.last(), Some(&vec![4, 5]));
}

/// A watch runs under its owner's grant as it is at that moment, and loses nothing while there is none.
#[tokio::test]
async fn without_a_grant_a_watch_waits() {
    let night = Night::new();
    let watch = night.watch(json!({})).await;
    night.is_granted.store(false, Ordering::SeqCst);
    night.index(2);
    night.look();
    let state = night.state(&watch).await;
    assert_eq!(state["waits_because"], "its owner has no grant for this theme at present");
    assert!(night.told().await.is_empty());
    night.is_granted.store(true, Ordering::SeqCst);
    night.index(4);
    night.look();
    assert_eq!(night.told().await, [[1], [2], [4]]);
    assert_eq!(night.state(&watch).await["waits_because"], Value::Null);
}

#[tokio::test]
async fn what_a_query_asks_for_may_come_later_or_go_and_nothing_is_lost() {
    let night = Night::new();
    let rule = "name = \"oil\"\nwhy = \"w\"\n[[any]]\nterms = [\"oil\"]\n[[example]]\ntext = \"oil\"\nflags = true\n\
                [[example]]\ntext = \"x\"\nflags = false\n";
    let put = request(Method::PUT, &format!("/themes/{MARKET}/indicators/oil"));
    let version = night.house.ask(put.body(Body::from(rule)).unwrap()).await.json(200)["version"].as_u64().unwrap();
    let watch = night.watch(json!({ "query": "indicator=oil" })).await;
    night.index(3);
    night.look();
    assert_eq!(night.state(&watch).await["looked_at_up_to"], 0, "the indicator has looked at nothing");
    for (path, _, text) in &LANTERNS[..3] {
        let seq = night.house.record(MARKET, TARGET, path, Outcome::Ok).await;
        night.house.analyse(MARKET, seq, path, Some(document("t", text)), false);
    }
    let finding = model::Finding { indicator: "oil".into(), version, score: 1, contributions: Vec::new() };
    let follows = [(version, store::Scoring::Follows)];
    night.house.store.put_findings(theme(MARKET), &[(Seq(2), vec![finding])], &follows).unwrap();
    night.look();
    assert_eq!(night.told().await, [[2]]);

    let remove = request(Method::DELETE, &format!("/themes/{MARKET}/indicators/oil"));
    night.house.ask(remove.body(Body::empty()).unwrap()).await.json(200);
    night.index(5);
    night.look();
    let state = night.state(&watch).await;
    assert_eq!(
        (&state["waits_because"], &state["looked_at_up_to"]),
        (&json!("there is no such rule in this theme"), &json!(3))
    );
}

#[tokio::test]
async fn what_was_told_is_told_once_over_every_restart() {
    let mut night = Night::new();
    night.watch(json!({})).await;
    night.index(2);
    // It died before it looked, after it had looked, and after it had told.
    night = night.again();
    night.look();
    night = night.again();
    assert_eq!(night.told().await, [[1], [2]]);
    let spool = night.get("/watches").await["spool"].clone();
    assert_eq!((&spool["is_on"], &spool["waiting"]), (&json!(true), &json!(2)));
    assert!(spool["problem"].as_str().unwrap().contains("No such file or directory"), "{spool}");

    fs::create_dir(night.spool()).unwrap();
    night.index(4);
    night.look();
    assert_eq!(night.told().await, [[1], [2], [4]]);
    let files = read_all(&night.spool());
    assert_eq!(files.len(), 7, "three alerts, a signature for each, and a key");
    assert_eq!(night.get("/watches").await["spool"], json!({ "is_on": true, "waiting": 0, "problem": null }));
    // The power went before the note of it was on the disk.
    night.house.store.put_spool_state(theme(MARKET), &store::SpoolState::default()).unwrap();
    night = night.again();
    night.look();
    assert_eq!(read_all(&night.spool()), files, "the same files, and no other ones");
    assert_eq!(night.told().await, [[1], [2], [4]]);
}

/// The files of a directory, by name.
fn read_all(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())
    };
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(read).collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_file_in_the_spool_directory_is_signed_and_says_what_the_alert_says() {
    let night = Night::new();
    fs::create_dir(night.spool()).unwrap();
    let watch = night.watch(json!({ "grouping": "uri" })).await;
    night.index(5);
    night.look();
    let name = format!("{MARKET}-{0}-{0}-1", watch["id"]);
    let bytes = fs::read(night.spool().join(format!("{name}.json"))).unwrap();
    let told: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        (&told["id"], &told["captures"], &told["watch"]["owner"]),
        (&json!(name), &json!([format!("{MARKET}/1"), format!("{MARKET}/4")]), &json!("test"))
    );
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(!text.contains("lantern oil") && !text.contains("onion"), "nothing of what a page says");

    let signature = fs::read(night.spool().join(format!("{name}.json.sig"))).unwrap();
    let signer = SignerKey::from_secret("nachtwacht/test", &[1; 32]).unwrap();
    assert!(signer.verifier().accepts(&bytes, &signature));
    assert!(!signer.verifier().accepts(&[&bytes[..], b" "].concat(), &signature));
    let pem = fs::read_to_string(night.spool().join(told["key"].as_str().unwrap())).unwrap();
    let der = data_encoding::BASE64.decode(pem.lines().nth(1).unwrap().as_bytes()).unwrap();
    assert!(der.ends_with(signer.verifier().public_key()) && der.len() == 44);
}

#[tokio::test]
async fn of_what_is_erased_or_sealed_an_alert_tells_nothing() {
    let night = Night::new();
    night.watch(json!({})).await;
    for path in ["/a", "/b"] {
        let seq = night.house.record(MARKET, TARGET, path, Outcome::Ok).await;
        night.house.analyse(MARKET, seq, path, Some(document("t", "lantern")), false);
    }
    night.index(2);
    night.look();
    assert_eq!(night.told().await, [[1], [2]]);
    let send = async |path: &str, body| night.house.send(Method::POST, &format!("/themes/{MARKET}{path}"), &body).await;
    send("/erasures", json!({ "subject": "capture:1", "ground": "g", "forgets_uris": false })).await.json(200);
    send("/captures/2/seal", json!({ "reason": "r" })).await.json(200);
    let alerts = night.get("/alerts").await;
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1);
    let alert = &alerts["alerts"][0];
    assert_eq!(
        (&alert["alert"], &alert["count"], &alert["erased"], &alert["captures"]),
        (&json!(1), &json!(1), &json!(1), &json!([]))
    );
    night.house.get(&format!("/themes/{MARKET}/alerts/2")).await.problem(404, "unknown-alert");
    send("/alerts/2/acknowledge", json!({})).await.problem(404, "unknown-alert");
}

#[tokio::test]
async fn alerts_are_paged_both_ways_filtered_and_seen_to_once() {
    let night = Night::new();
    let watch = night.watch(json!({})).await;
    night.index(5);
    night.look();
    let page = async |query: &str| {
        let page = night.get(&format!("/alerts?{query}")).await;
        let numbers: Vec<_> =
            page["alerts"].as_array().unwrap().iter().map(|alert| alert["alert"].as_u64().unwrap()).collect();
        (numbers, page["next"].as_u64(), page["newest"].as_u64().unwrap())
    };
    assert_eq!(page("limit=3").await, (vec![4, 3, 2], Some(1), 4));
    assert_eq!(page("limit=3&from=1").await, (vec![1], None, 4));
    assert_eq!(page("limit=3&after=0").await, (vec![1, 2, 3], Some(3), 4));
    assert_eq!(page("limit=3&after=3").await, (vec![4], None, 4));
    assert_eq!(page(&format!("watch={}", watch["id"])).await.0, [4, 3, 2, 1]);
    assert_eq!(page("watch=99").await.0, [0; 0]);

    let acknowledge = async |alert: u64, body: Value| {
        night.house.send(Method::POST, &format!("/themes/{MARKET}/alerts/{alert}/acknowledge"), &body).await
    };
    let seen = acknowledge(2, json!({ "note": "known" })).await.json(200);
    assert_eq!(seen["acknowledged"], json!({ "who": "test", "at": "2026-06-01T12:00:00.000000Z", "note": "known" }));
    acknowledge(2, json!({})).await.problem(409, "acknowledged");
    acknowledge(9, json!({})).await.problem(404, "unknown-alert");
    acknowledge(3, json!({ "note": " " })).await.problem(422, "invalid");
    assert_eq!(page("state=acknowledged").await.0, [2]);
    assert_eq!(page("state=open").await.0, [4, 3, 1]);
    for query in ["state=seen", "from=1&after=1", "limit=101", "watch=x"] {
        night.house.get(&format!("/themes/{MARKET}/alerts?{query}")).await.problem(400, "bad-parameter");
    }
}

#[tokio::test]
async fn a_watch_is_changed_paused_and_deleted_with_a_reason() {
    let night = Night::new();
    let watch = night.watch(json!({})).await;
    let path = format!("/themes/{MARKET}/watches/{}", watch["id"]);
    let change = |fields: Value, replaces: &Value| json!({ "watch": lanterns(&fields), "reason": "too much", "replaces": replaces });
    // Whoever writes it owns it.
    let iris = night.house.person("iris", vec![role(Role::Analyst, Some(MARKET))]);
    let paused = change(json!({ "is_paused": true }), &watch["version"]);
    let paused = night.house.ask_as(&iris, Method::PUT, &path, Some(&paused)).await.json(200);
    assert_eq!(
        (&paused["watch"]["owner"], &paused["watch"]["waits_because"]),
        (&json!("iris"), &json!("it is paused"))
    );
    let late = change(json!({}), &watch["version"]);
    night.house.send(Method::PUT, &path, &late).await.problem(409, "watch-changed");
    night.index(2);
    night.look();
    assert!(night.told().await.is_empty());
    let resumed = change(json!({}), &Value::Null);
    let resumed = night.house.send(Method::PUT, &path, &resumed).await.json(200);
    assert_eq!(resumed["watch"]["owner"], "test");
    night.look();
    assert_eq!(night.told().await, [[1], [2]]);

    let delete = async |query: &str| {
        let path = format!("/themes/{MARKET}/watches/{}{query}", watch["id"]);
        let request = super::request(Method::DELETE, &path);
        night.house.ask(request.body(Body::empty()).unwrap()).await
    };
    delete("").await.problem(422, "invalid");
    assert_eq!(delete("?reason=done").await.status.as_u16(), 204);
    delete("?reason=done").await.problem(404, "unknown-watch");
    night.house.get(&path).await.problem(404, "unknown-watch");
    night.index(5);
    night.look();
    assert_eq!(night.told().await, [[1], [2]], "its alerts stay, and no others come");
    assert_eq!(night.get("/watches").await["watches"], json!([]));
}

#[tokio::test]
async fn a_watch_that_cannot_run_is_not_kept() {
    let night = Night::new();
    for (change, status, kind) in [
        (json!({ "query": "q=%28lantern" }), 400, "bad-query"),
        (json!({ "query": "kinds=listing" }), 400, "bad-parameter"),
        (json!({ "query": "indicator=none" }), 404, "unknown-rule"),
        (json!({ "query": "q=x&limit=5" }), 422, "invalid"),
        (json!({ "query": "q=x&after=0" }), 422, "invalid"),
        (json!({ "query": format!("q={}", "x".repeat(9_000)) }), 422, "invalid"),
        (json!({ "name": "" }), 422, "invalid"),
        (json!({ "reason": " " }), 422, "invalid"),
        (json!({ "purpose": "a\nb" }), 422, "invalid"),
        (json!({ "trigger": "hourly" }), 400, "bad-body"),
        (json!({ "grouping": "all" }), 400, "bad-body"),
        (json!({ "quiet": "22:00" }), 400, "bad-body"),
        (json!({ "owner": "eve" }), 400, "bad-body"),
    ] {
        let answer = night.make(change.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{change}");
        answer.problem(status, kind);
    }
    for _ in 0..3 {
        night.watch(json!({})).await;
    }
    night.make(json!({})).await.problem(409, "too-many");
}

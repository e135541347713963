use serde_json::{Value, json};

use super::{CYBER, House, MARKET, evidence::TARGET};
use crate::api;

fn house() -> House {
    let house = House::new();
    let entries =
        [("/a1", 0, "red lantern oil"), ("/b2", 10, "blue lantern"), ("/a3", 20, "red rope"), ("/b4", 30, "")];
    house.index(MARKET, &entries);
    house.index(CYBER, &[("/a1", 0, "lantern lantern lantern")]);
    house
}

async fn found(house: &House, query: &str) -> Vec<u64> {
    let answer = house.get(&format!("/themes/{MARKET}/search?{query}")).await.json(200);
    let hits: Vec<u64> = answer["hits"].as_array().unwrap().iter().map(|hit| hit["seq"].as_u64().unwrap()).collect();
    assert_eq!(answer["total"].as_u64().unwrap(), hits.len() as u64);
    hits
}

#[tokio::test]
async fn hits_say_where_and_why() {
    let house = house();
    let path = format!("/themes/{MARKET}/search?q=%22red+lantern%22");
    let answer: api::SearchAnswer = serde_json::from_value(house.get(&path).await.json(200)).unwrap();
    assert_eq!((answer.total, answer.up_to.0, answer.next), (1, 4, None));
    let hit = &answer.hits[0];
    assert_eq!(
        (hit.capture.to_string().as_str(), hit.target, hit.language.as_deref()),
        ("marketplace/1", TARGET, Some("nld"))
    );
    assert_eq!((hit.title.as_str(), hit.snippet.as_str()), ("Page <b>/a1</b>", "red lantern oil"));
    let marked: Vec<String> = hit
        .highlights
        .iter()
        .map(|span| hit.snippet.chars().skip(span.start).take(span.end - span.start).collect())
        .collect();
    assert_eq!(marked.join(" "), "red lantern");
    assert!(hit.score.is_some_and(|score| score > 0.0));
}

#[tokio::test]
async fn filters_narrow_and_sort_orders() {
    let house = house();
    assert_eq!(found(&house, "sort=oldest").await, [1, 2, 3, 4]);
    assert_eq!(found(&house, "q=lantern&sort=newest").await, [2, 1]);
    assert_eq!(found(&house, "q=lantern+NOT+blue").await, [1]);
    assert_eq!(found(&house, &format!("sort=oldest&target={TARGET}")).await, [1, 3]);
    assert_eq!(found(&house, &format!("sort=oldest&target={TARGET},0000000000000002")).await, [1, 2, 3, 4]);
    assert_eq!(found(&house, "sort=oldest&outcome=HttpError(404)").await, [4]);
    assert_eq!(found(&house, "sort=oldest&outcome=Ok&outcome=HttpError(404)").await, [1, 2, 3, 4]);
    assert_eq!(found(&house, "language=eng").await, Vec::<u64>::new());
    assert_eq!(found(&house, "kind=vendor").await, Vec::<u64>::new());
    assert_eq!(found(&house, "sort=oldest&kind=vendor,listing&language=nld").await, [1, 2, 3, 4]);
    assert_eq!(found(&house, "sort=oldest&from=2026-06-01T12:10:00Z&until=2026-06-01T12:30:00Z").await, [2, 3]);
    assert_eq!(found(&house, "sort=oldest&up_to=2").await, [1, 2]);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let house = house();
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let answer = house.get(&format!("/themes/{MARKET}/search?sort=newest&limit=3{after}")).await.json(200);
        assert_eq!(answer["total"], 4);
        seen.extend(answer["hits"].as_array().unwrap().iter().map(|hit| hit["seq"].as_u64().unwrap()));
        match answer["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [4, 3, 2, 1]);
    let counted = house.get(&format!("/themes/{MARKET}/search?limit=0")).await.json(200);
    assert_eq!((&counted["total"], &counted["hits"]), (&json!(4), &json!([])));
    let next = after.trim_start_matches("&after=");
    let elsewhere = house.get(&format!("/themes/{MARKET}/search?q=red&after={next}")).await;
    assert!(elsewhere.problem(400, "bad-cursor").contains("another query"));
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused_with_the_place() {
    let house = house();
    let answer = house.get(&format!("/themes/{MARKET}/search?q=red+AND+(lantern")).await;
    let told = answer.problem(400, "bad-query");
    assert!(told.contains("never closed"), "{told}");
    assert_eq!(answer.json(400)["at"], 9);
    assert_eq!(house.get("/nowhere").await.json(404)["at"], Value::Null, "no other problem has a place");
}

#[tokio::test]
async fn bad_parameters_of_a_search_are_named() {
    let house = house();
    for (query, detail) in [
        ("sort=best", "sort: "),
        ("kind=shop", "kind: "),
        ("outcome=Fine", "outcome: "),
        ("target=x", "target: "),
        ("from=yesterday", "from: "),
        ("limit=1001", "limit: "),
        ("after=x", "after: not a cursor"),
        ("query=x", "query: there is no such parameter"),
    ] {
        let told = house.get(&format!("/themes/{MARKET}/search?{query}")).await.problem(400, "bad-parameter");
        assert!(told.starts_with(detail), "{told}");
    }
    let many = vec!["Ok"; 300].join(",");
    house.get(&format!("/themes/{MARKET}/search?outcome={many}")).await.problem(400, "bad-parameter");
    house.get(&format!("/themes/{MARKET}/search?up_to=5")).await.problem(409, "not-yet-indexed");
}

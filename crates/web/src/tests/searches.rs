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
async fn facets_count_all_matches_and_a_generation_repeats_them() {
    let house = house();
    let path = format!("/themes/{MARKET}/search?q=lantern&facets=target,outcome,day&limit=1");
    let first = house.get(&path).await.json(200);
    let facet = |name: &str| {
        let facets = first["facets"].as_array().unwrap();
        facets.iter().find(|facet| facet["facet"] == name).unwrap().clone()
    };
    assert_eq!(facet("outcome"), json!({ "facet": "outcome", "values": [{ "value": "Ok", "count": 2 }], "other": 0 }));
    assert_eq!(facet("target")["values"].as_array().unwrap().len(), 2);
    assert_eq!(facet("day")["values"], json!([{ "value": "2026-06-01", "count": 2 }]));
    let generation = first["generation"].as_str().unwrap();
    assert_eq!(house.get(&format!("{path}&generation={generation}")).await.json(200), first);
    let after = first["next"].as_str().unwrap();
    let second = house.get(&format!("{path}&after={after}")).await.json(200);
    assert_eq!((&second["generation"], &second["next"]), (&first["generation"], &Value::Null));
    let elsewhere = house.get(&format!("/themes/{CYBER}/search?generation={generation}")).await;
    elsewhere.problem(410, "generation-retired");
    house.store.put_extractor(super::theme(MARKET), 1).unwrap();
    let told = house.get(&format!("{path}&generation={generation}")).await.problem(410, "generation-retired");
    assert!(told.contains("another version of the program"), "{told}");
}

#[tokio::test]
async fn a_page_is_found_as_it_was() {
    let house = House::new();
    house.index(MARKET, &[("/a", 0, "lantern"), ("/a", 10, "lantern oil"), ("/a", 20, "rope"), ("/a", 30, "")]);
    assert_eq!(found(&house, "q=lantern&versions=latest").await, [2]);
    assert_eq!(found(&house, "versions=latest&q=-outcome:HttpError").await, [3]);
    assert_eq!(found(&house, "as_of=2026-06-01T12:15:00Z").await, [2]);
    assert_eq!(found(&house, "q=lantern&as_of=2026-06-01T12:20:00Z").await, Vec::<u64>::new());
    assert_eq!(found(&house, "as_of=2026-06-01T11:00:00Z").await, Vec::<u64>::new());
}

#[tokio::test]
async fn what_no_rule_names_is_unknown_and_a_query_that_costs_too_much_is_refused() {
    let house = house();
    house.get(&format!("/themes/{MARKET}/search?q=indicator:none")).await.problem(404, "unknown-rule");
    house.get(&format!("/themes/{MARKET}/search?indicator=none")).await.problem(404, "unknown-rule");
    assert_eq!(found(&house, "q=observable:someone@example.org+OR+label:relevant").await, Vec::<u64>::new());
    assert_eq!(found(&house, "sort=score").await, [4, 3, 2, 1]);
}

#[tokio::test]
async fn similar_pages_share_words_or_an_item() {
    let house = House::new();
    let text = "a lantern of brass with a wick of cotton and a glass that is blown by hand in the old harbour";
    for (path, text) in [
        ("/a", text.to_owned()),
        ("/b", text.replace("brass", "copper")),
        ("http://other.example/c", text.to_owned()),
        (
            "/d",
            "quite another page that says nothing of all that but speaks of boats and of ropes and of the sea".into(),
        ),
        ("/b", text.replace("brass", "tin")),
    ] {
        let seq = house.record(MARKET, super::evidence::TARGET, path, model::Outcome::Ok).await;
        house.analyse(MARKET, seq, path, Some(super::evidence::document("Lantern", &text)), false);
    }
    let similar = async |seq: u64| house.get(&format!("/themes/{MARKET}/captures/{seq}/similar")).await.json(200);
    let pages = |answer: &Value| -> Vec<String> {
        let pages = answer["pages"].as_array().unwrap().iter();
        pages.map(|page| page["capture"].as_str().unwrap().to_owned()).collect()
    };
    let answer = similar(1).await;
    assert_eq!(pages(&answer), ["marketplace/3", "marketplace/5"], "{answer}");
    assert_eq!((&answer["pages"][0]["differing_bits"], &answer["is_cut"]), (&json!(0), &json!(false)));
    assert_eq!(pages(&similar(4).await), Vec::<String>::new());
    house.get(&format!("/themes/{MARKET}/captures/9/similar")).await.problem(404, "unknown-capture");
    house.get(&format!("/themes/{CYBER}/captures/1/similar")).await.problem(404, "unknown-capture");
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
        ("versions=some", "versions: "),
        ("facets=size", "facets: "),
        ("generation=g00", "generation: not a generation"),
        ("as_of=then", "as_of: "),
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

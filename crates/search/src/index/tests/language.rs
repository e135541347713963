//! The query language over an index: other forms of words, beginnings, mistakes, neighbours; and what it may cost.

use model::{Label, Price};

use super::*;
use crate::{Captures, Facet};

#[test]
fn other_forms_of_a_word_are_found_behind_the_word_itself() {
    let english = |seq, text| Entry { language: Some("eng".into()), ..entry(seq, text) };
    let bench = Bench::with(&[
        english(1, "two lanterns here"),
        english(2, "one lantern here"),
        Entry { language: None, ..entry(3, "two lanterns here") },
        entry(4, "lantaarns"),
        Entry { language: Some("eng".into()), title: "Lanterns".into(), ..entry(5, "") },
    ]);
    assert_eq!(sequences(&bench.search(&query("lantern"))), [2, 5, 1]);
    assert_eq!(bench.find("lanterns"), [1, 2, 3, 5]);
    assert_eq!(bench.find("\"lantern\""), [2]);
    assert_eq!(bench.find("title:lantern"), [5]);
    assert_eq!(bench.find("-lantern"), [3, 4]);
    assert_eq!(bench.find("lantaarn"), [4]);
    let page = bench.search(&query("text:lantern"));
    let hit = page.hits.iter().find(|hit| hit.seq == Seq(1)).unwrap();
    assert_eq!(
        (hit.snippet.as_str(), hit.highlights.len(), hit.highlights.first().cloned()),
        ("two lanterns here", 1, Some(4..12))
    );
}

#[test]
fn beginnings_and_mistakes_stand_for_words_that_are_there() {
    let bench = Bench::with(&[
        entry(1, "passport"),
        entry(2, "password"),
        entry(3, "pass"),
        entry(4, "paspsort"),
        entry(5, "compass"),
    ]);
    assert_eq!(bench.find("pass*"), [1, 2, 3]);
    assert_eq!(bench.find("passport~"), [1, 4]);
    assert_eq!(bench.find("passport~2"), [1, 2, 4]);
    assert_eq!(sequences(&bench.search(&query("passport~")))[0], 1, "the word itself comes first");
    let hit = &bench.search(&query("passport~ -passport")).hits[0];
    assert_eq!((hit.seq, hit.highlights.len(), hit.highlights.first().cloned()), (Seq(4), 1, Some(0..8)));
}

#[test]
fn words_are_near_each_other_in_any_order() {
    let bench = Bench::with(&[
        entry(1, "oil of one lantern"),
        entry(2, "lantern oil"),
        entry(3, "lantern and many other words before oil"),
        Entry { title: "lantern".into(), ..entry(4, "oil") },
    ]);
    assert_eq!(bench.find("\"lantern oil\"~2"), [1, 2]);
    assert_eq!(bench.find("\"lantern oil\"~1"), [2]);
    assert_eq!(bench.find("\"lantern oil\"~5"), [1, 2, 3]);
}

#[test]
fn what_means_too_many_words_or_costs_too_much_is_refused() {
    let many: Vec<String> = (0..1001).map(|n| format!("aa{n}")).collect();
    let bench = Bench::with(&[entry(1, &many[..1000].join(" ")), entry(2, "bb")]);
    assert_eq!(bench.find("aa*"), [1]);
    bench.fill(&[entry(3, &many[1000])]);
    let refused = |text: &str, up_to| bench.index.search(&grant(), &Query { up_to, ..query(text) }).unwrap_err();
    let told = "the query cannot be read: at character 4: more than 1000 words are meant; say more of the word";
    assert_eq!(refused("bb aa*", None).to_string(), told);
    assert_eq!(bench.search(&Query { up_to: Some(Seq(2)), ..query("aa*") }).total, 1, "as it was before");
    let poor = Index { query_cost: 2, ..open(&bench.path()) };
    assert_eq!(poor.search(&grant(), &Query { sort: Sort::Newest, ..query("\"bb\"") }).unwrap().total, 1);
    let told = poor.search(&grant(), &Query { sort: Sort::Newest, ..query("seq:[1 TO 2]") }).unwrap_err();
    assert!(matches!(told, Error::TooCostly { limit: 2 }), "{told}");
}

#[test]
fn what_is_joined_is_asked_for_and_found() {
    let bench = Bench::with(&[entry(1, "a"), entry(2, "a"), entry(3, "a")]);
    let asking =
        Query { sort: Sort::Score, facets: vec![Facet::Label], ..query("-label:unsure observable:x indicator:i") };
    let asked = asking.asked().unwrap();
    assert_eq!((asked.labels.len(), asked.indicators.len(), asked.observables.len()), (1, 1, 1));
    assert!(asked.every_label && asked.every_indicator);
    assert!(!asked.clusters && !query("observable:btc").asked().unwrap().every_label);
    let by_cluster = Query { facets: vec![Facet::Cluster], ..query("a") };
    assert!(by_cluster.asked().unwrap().clusters && by_cluster.depends_on_withheld().unwrap());
    let labels = [(Label::Unsure, [Seq(2)].into_iter().collect::<Captures>())];
    let joined =
        Arc::new(Joined { labels: labels.into(), scores: vec![(Seq(1), 5), (Seq(3), -5)], ..Joined::default() });
    let query = |text: &str| Query { joined: Arc::clone(&joined), sort: Sort::Score, ..super::query(text) };
    let page = bench.search(&query("a"));
    assert_eq!(
        page.hits.iter().map(|hit| (hit.seq.0, hit.flagged)).collect::<Vec<_>>(),
        [(1, Some(5)), (2, Some(0)), (3, Some(-5))]
    );
    assert_eq!(sequences(&bench.search(&query("-label:unsure"))), [1, 3]);
    assert_eq!(bench.search(&query("label:relevant")).total, 0);
}

#[test]
fn a_hit_tells_its_price() {
    let price = Price { amount: "12.50".into(), currency: "EUR".into() };
    let bench = Bench::with(&[Entry { price: Some(price.clone()), ..entry(1, "a") }]);
    assert_eq!(bench.search(&query("currency:eur price:12.5")).hits[0].price, Some(price));
}

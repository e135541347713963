//! What is fetched follows from what two people decided, and nothing else is.

use model::{MediaPolicy, Probe, Seq};
use store::Steering;

use super::*;

const PAGES: [(&str, &str); 4] = [
    ("/", "<a href=/a>a</a> <a href=/b/c>c</a> <img src=/i.png>"),
    ("/a", "a"),
    ("/b/c", "<a href=/b/d>d</a>"),
    ("/b/d", "d"),
];

/// Waits until the crawl has looked at every target: a page of another one, which is decided about here, is captured by then, and whatever else the crawl could
/// start it has started.
async fn look_around(house: &House, witness: u64) {
    let id = TargetId::from_u64(1_000 + witness);
    let page = front().join(&format!("/witness/{witness}")).unwrap();
    let scope = model::Scope { include: vec![format!("^/witness/{witness}$")], ..model::Scope::default() };
    let terms = Terms { seeds: vec![page], scope, ..terms(house.clock.now()) };
    samples::add_target(&house.store, theme(), id, terms, house.clock.now()).unwrap();
    house.crawl.targets_changed();
    let is_seen = |house: &House| house.store.crawl_state(theme(), id).unwrap().captures > 0;
    house.until("the witness is captured", is_seen).await;
}

/// The requests that were made for the target of the test.
fn asked(house: &House) -> usize {
    let of_witness = |request: &&String| site::path_of(request).starts_with("/witness/");
    house.site.requests().iter().filter(|request| !of_witness(request)).count()
}

fn probe(house: &House, path: &str) -> Probe {
    Probe {
        uri: front().join(path).unwrap(),
        grounds: "is it alive?".into(),
        legal_basis: "none is needed".into(),
        allows_exit: false,
        ends_at: house.clock.now().after(HOUR),
    }
}

/// Proposes a probe and approves it.
fn decide_probe(house: &House, path: &str) {
    let matter = Matter::Probe(probe(house, path));
    samples::decide(&house.store, theme(), TARGET, matter, house.clock.now()).unwrap();
    house.crawl.targets_changed();
}

fn probed(house: &House, decision: u32) -> Option<Seq> {
    house.store.probe_capture(theme(), TARGET, decision).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_for_before_a_second_person_has_approved() {
    let house = House::open(Site::pages(&PAGES).await, quick());
    let proposal = house.propose(|_| {});
    let waits = Some("no decision to crawl it was made".to_owned());
    house.until("the crawl says why it waits", |house| house.waits_because() == waits).await;
    look_around(&house, 1).await;
    assert_eq!(asked(&house), 0, "not even robots.txt");
    house.approve(proposal);
    house.until_idle().await;
    assert_eq!(house.paths(), ["/", "/a", "/b/c", "/b/d", "/robots.txt"], "and no image");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_and_a_withdrawn_proposal_fetch_nothing() {
    let house = House::open(Site::pages(&PAGES).await, quick());
    let answer = |proposal| store::NewAnswer { proposal, reasons: "no", at: house.clock.now() };
    let rejected = house.propose(|_| {});
    house.store.reject(&samples::person("approver", theme()), theme(), TARGET, &answer(rejected)).unwrap();
    let proposer = samples::person("proposer", theme());
    let again = samples::proposal(Matter::Probe(probe(&house, "/")), house.clock.now());
    let withdrawn = house.store.propose(&proposer, theme(), TARGET, again).unwrap().leaf;
    house.store.withdraw(&proposer, theme(), TARGET, &answer(withdrawn)).unwrap();
    look_around(&house, 2).await;
    assert_eq!(asked(&house), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_scope_holds_from_its_approval_on_wider_or_narrower() {
    let house = House::open(Site::pages(&PAGES).await, quick());
    house.add(|terms| terms.scope.exclude = vec!["^/b/".into()]);
    house.until_idle().await;
    assert_eq!(house.paths(), ["/", "/a", "/robots.txt"]);
    // Proposed alone it changes nothing.
    let mut wider = house.target().terms().unwrap().clone();
    wider.scope.exclude = vec!["^/a".into()];
    let new = samples::proposal(Matter::Crawl(Box::new(wider)), house.clock.now());
    let proposal = house.store.propose(&samples::person("proposer", theme()), theme(), TARGET, new).unwrap().leaf;
    house.clock.advance(2 * HOUR);
    house.until("the front page is visited again", |house| count(house, "/") == 2).await;
    house.until_idle().await;
    assert_eq!((count(&house, "/a"), count(&house, "/b/c")), (2, 0));
    house.approve(proposal);
    house.clock.advance(9 * HOUR);
    house.until("what is in scope now is captured", |house| count(house, "/b/d") == 1).await;
    house.until_idle().await;
    assert_eq!((count(&house, "/a"), count(&house, "/")), (2, 3), "what is out of it now is visited no more");
    let decisions: Vec<u32> = house.all_captures().iter().map(|capture| capture.decision).collect();
    assert!(decisions.is_sorted() && decisions.contains(&2), "{decisions:?}");
    house.close().await;
}

fn count(house: &House, path: &str) -> usize {
    house.paths().iter().filter(|captured| *captured == path).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_decision_ends_the_crawl_at_once_and_says_so() {
    let house = House::open(Site::pages(&PAGES).await, quick());
    house.site.pause();
    house.add(|_| {});
    house.until("requests are in flight", |house| house.site.in_flight() == 2).await;
    let approver = samples::person("approver", theme());
    let now = house.clock.now();
    house.store.end_decision(&approver, theme(), TARGET, 1, ("the case is closed", now)).unwrap();
    house.crawl.targets_changed();
    let ended = Some(format!("decision 1 was ended at {now}"));
    house.until("the crawl says that it ended", |house| house.waits_because() == ended).await;
    house.until("nothing is in flight", |house| house.crawl.status().borrow().in_flight == 0).await;
    house.site.resume();
    look_around(&house, 3).await;
    assert_eq!(house.captures(), []);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_review_is_told_and_stops_nothing() {
    let house = House::open(Site::pages(&PAGES).await, quick());
    let review = house.clock.now().after(HOUR);
    house.add(|terms| terms.review_at = review);
    house.until_idle().await;
    let overdue = |house: &House| house.crawl.status().borrow().targets[0].review_overdue;
    assert_eq!(overdue(&house), None);
    house.clock.advance(2 * HOUR);
    house.until("the front page is visited again", |house| count(house, "/") == 2).await;
    house.until("the review is overdue", |house| overdue(house) == Some(review)).await;
    house.until_idle().await;
    assert_eq!(house.waits_because(), None);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_is_one_capture_and_nothing_follows_from_it() {
    let house = House::open(Site::pages(&PAGES).await, quick());
    let proposal = house.propose(|_| {});
    decide_probe(&house, "/");
    house.until("the probe is made", |house| probed(house, 1).is_some()).await;
    house.until_idle().await;
    look_around(&house, 4).await;
    house.clock.advance(24 * HOUR);
    look_around(&house, 5).await;
    assert_eq!(house.captures(), [("/".to_owned(), Outcome::Ok)]);
    assert_eq!(asked(&house), 1, "and robots.txt was not asked for");
    assert_eq!((house.all_captures()[0].decision, probed(&house, 1)), (1, Some(Seq(1))));
    // The crawl begins afresh, the page that was probed included.
    house.approve(proposal);
    house.until_idle().await;
    assert_eq!(house.paths(), ["/", "/", "/a", "/b/c", "/b/d", "/robots.txt"]);
    // A probe of a page that the crawl knows leaves the crawl as it was.
    let before = house.store.uri(theme(), TARGET, front().join("/a").unwrap().id()).unwrap();
    decide_probe(&house, "/a");
    house.until("the second probe is made", |house| probed(house, 3).is_some()).await;
    house.until_idle().await;
    assert_eq!(house.store.uri(theme(), TARGET, front().join("/a").unwrap().id()).unwrap(), before);
    assert_eq!(count(&house, "/a"), 2);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_is_called_off_with_its_decision_and_not_made_for_a_paused_target() {
    let house = House::open(Site::pages(&PAGES).await, quick());
    house.propose(|_| {});
    let steer = |what| {
        let person = samples::person("proposer", theme());
        house.store.steer(&person, theme(), TARGET, &what, house.clock.now()).unwrap();
        house.crawl.targets_changed();
    };
    steer(Steering::Pause);
    decide_probe(&house, "/");
    look_around(&house, 6).await;
    assert_eq!(asked(&house), 0, "the target rests");
    house.site.pause();
    steer(Steering::Resume);
    house.until("the probe is in flight", |house| house.site.in_flight() == 1).await;
    house.until("that is told", |house| house.crawl.status().borrow().in_flight == 1).await;
    let now = house.clock.now();
    let approver = samples::person("approver", theme());
    house.store.end_decision(&approver, theme(), TARGET, 1, ("a mistake", now)).unwrap();
    house.crawl.targets_changed();
    house.until("it is called off", |house| house.crawl.status().borrow().in_flight == 0).await;
    house.site.resume();
    look_around(&house, 7).await;
    assert_eq!((house.captures(), probed(&house, 1)), (Vec::new(), None));
    // One that lapsed before it could be made is not made either.
    house.site.pause();
    steer(Steering::Pause);
    decide_probe(&house, "/a");
    house.clock.advance(HOUR);
    house.site.resume();
    steer(Steering::Resume);
    look_around(&house, 8).await;
    assert_eq!(house.captures(), []);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_fetched_where_the_decision_says_so() {
    let house = House::open(
        Site::answering(|request| match site::path_of(request) {
            "/" => ("HTTP/1.1 200 OK\r\nContent-Type: text/html".into(), "<img src=/i.png>".into()),
            "/i.png" => ("HTTP/1.1 200 OK\r\nContent-Type: image/png".into(), "png".into()),
            _ => ("HTTP/1.1 404 Not Found".into(), String::new()),
        })
        .await,
        quick(),
    );
    house.add(|_| {});
    house.until_idle().await;
    assert_eq!(house.paths(), ["/", "/robots.txt"]);
    house.decide(|terms| terms.media = MediaPolicy::TextAndImages);
    house.clock.advance(9 * HOUR);
    house.until("the image is captured", |house| house.captures().contains(&("/i.png".into(), Outcome::Ok))).await;
    house.until_idle().await;
    house.close().await;
}

/// Whatever people do in whatever order, a fetch begins only while a decision on it is in force.
#[tokio::test(flavor = "multi_thread")]
async fn every_capture_names_a_decision_that_was_in_force_when_it_began() {
    for seed in 1..=3 {
        let mut chance = tests::Chance::of(seed, 0);
        let house = House::open(Site::pages(&PAGES).await, quick());
        house.propose(|_| {});
        for turn in 0..25 {
            act(&house, &mut chance);
            house.crawl.targets_changed();
            look_around(&house, turn).await;
            // Nothing is about to start when the clock moves next.
            house.until_idle().await;
        }
        let target = house.target();
        for capture in house.all_captures() {
            let decision = target.decisions.iter().find(|decision| decision.number == capture.decision).unwrap();
            let ended = decision.ended.as_ref().map_or(decision.matter.ends_at(), |ending| ending.at);
            let begun = capture.started_at;
            assert!(decision.made_at <= begun && begun <= ended.min(decision.matter.ends_at()), "{seed}: {capture:?}");
            let one_page = target.probes().find(|(probe, _)| probe.number == capture.decision);
            assert!(one_page.is_none_or(|(_, probe)| probe.uri == capture.uri), "{seed}: {capture:?}");
        }
        house.close().await;
    }
}

/// Does something that people do.
fn act(house: &House, chance: &mut tests::Chance) {
    let now = house.clock.now();
    let (proposer, approver) = (samples::person("proposer", theme()), samples::person("approver", theme()));
    let end = now.after(Duration::from_secs(60 * (1 + chance.below(180))));
    let (store, target) = (&house.store, house.target());
    let open = || store.proposals(&grant(), theme(), Some(TARGET)).unwrap().into_iter().find(|it| it.answer.is_none());
    match chance.below(8) {
        0 | 1 => {
            let mut terms = terms(now);
            (terms.review_at, terms.ends_at) = (end, end);
            let new = samples::proposal(Matter::Crawl(Box::new(terms)), now);
            store.propose(&proposer, theme(), TARGET, new).map(drop).unwrap();
        }
        2 => {
            let probe = Probe { ends_at: end, ..probe(house, "/a") };
            let new = samples::proposal(Matter::Probe(probe), now);
            store.propose(&proposer, theme(), TARGET, new).map(drop).unwrap();
        }
        3 | 4 => {
            if let Some(open) = open() {
                let answer = store::NewAnswer { proposal: open.leaf, reasons: "r", at: now };
                // It may be overtaken, or lapsed.
                if store.approve(&approver, theme(), TARGET, &answer).is_err() {
                    store.reject(&approver, theme(), TARGET, &answer).map(drop).unwrap();
                }
            }
        }
        5 => {
            if let Some((decision, _)) = target.decision_in_force(now) {
                store.end_decision(&approver, theme(), TARGET, decision.number, ("r", now)).map(drop).unwrap();
            }
        }
        6 => {
            let what = if target.state == model::TargetState::Paused { Steering::Resume } else { Steering::Pause };
            store.steer(&proposer, theme(), TARGET, &what, now).map(drop).unwrap();
        }
        _ => house.clock.advance(Duration::from_secs(60 * chance.below(90))),
    }
}

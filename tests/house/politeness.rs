use super::*;

fn fan(n: usize) -> String {
    (0..n).map(|n| format!("<a href='/{n}'>{n}</a> ")).collect()
}

async fn fan_site(n: usize) -> Site {
    let front = fan(n);
    let paths: Vec<String> = (0..n).map(|n| format!("/{n}")).collect();
    let pages: Vec<(&str, &str)> =
        paths.iter().map(|path| (path.as_str(), "<p>a page")).chain([("/", front.as_str())]).collect();
    Site::pages(&pages).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_captured_once_and_no_more_at_once_than_the_pace_allows() {
    let house = House::open(fan_site(40).await, quick());
    house.site.pause();
    house.add(|terms| terms.pace.concurrency = 3);
    house.until("seed and robots.txt are in flight", |house| house.site.in_flight() == 2).await;
    house.site.resume();
    house.until_idle().await;
    let mut expected: Vec<String> =
        (0..40).map(|n| format!("/{n}")).chain(["/".into(), "/robots.txt".into()]).collect();
    expected.sort();
    assert_eq!(house.paths(), expected);
    assert_eq!(house.site.requests().len(), expected.len(), "one request a capture");
    assert!(house.site.most_in_flight() <= 3, "{}", house.site.most_in_flight());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_of_the_day_holds_and_the_next_day_goes_on() {
    let house = House::open(fan_site(10).await, quick());
    house.add(|terms| terms.scope.pages_per_day = 5);
    house.until_idle().await;
    assert_eq!(house.captures().len(), 5);
    assert_eq!(house.waits_because().as_deref(), Some("the pages of the day are used up"));
    house.clock.advance(24 * HOUR);
    house.until("the next day's pages are captured", |house| house.captures().len() == 10).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lapse_ends_even_a_fetch_in_flight_and_the_visit_is_still_owed() {
    let house = House::open(fan_site(3).await, quick());
    house.site.pause();
    let end = house.clock.now().after(HOUR);
    house.add(|terms| (terms.review_at, terms.ends_at) = (end, end));
    house.until("requests are in flight", |house| house.site.in_flight() == 2).await;
    house.clock.advance(HOUR);
    let lapsed = Some(format!("decision 1 lapsed at {end}"));
    house.until("the crawl is called off", |house| house.waits_because() == lapsed).await;
    house.until("nothing is in flight", |house| house.crawl.status().borrow().in_flight == 0).await;
    house.site.resume();
    assert_eq!(house.captures(), []);
    let end = end.after(HOUR);
    house.decide(|terms| (terms.review_at, terms.ends_at) = (end, end));
    house.until_idle().await;
    assert_eq!(house.paths(), ["/", "/0", "/1", "/2", "/robots.txt"]);
    assert!(house.all_captures().iter().all(|capture| capture.decision == 2));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_makes_the_service_rest_as_long_as_it_asks() {
    let site = Site::answering(|request| match site::path_of(request) {
        "/robots.txt" => ("HTTP/1.1 404 Not Found".into(), String::new()),
        _ => ("HTTP/1.1 503 Busy\r\nRetry-After: 1800\r\nContent-Type: text/html".into(), "<p>busy".into()),
    })
    .await;
    let house = House::open(site, quick());
    house.add(|terms| terms.pace.concurrency = 1);
    house.until("the seed is refused", |house| house.captures().contains(&("/".into(), Outcome::HttpError(503)))).await;
    house.clock.advance(Duration::from_secs(1_700));
    house.until("the service rests", |house| house.waits_because().is_some_and(|why| why.contains("rests"))).await;
    let before = house.captures().iter().filter(|(path, _)| path == "/").count();
    assert_eq!(before, 1);
    house.clock.advance(Duration::from_secs(200));
    house
        .until("the seed is tried again", |house| house.captures().iter().filter(|(path, _)| path == "/").count() == 2)
        .await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_on_the_page_is_no_change_and_a_price_is() {
    let visits = std::sync::atomic::AtomicU32::new(0);
    let site = Site::answering(move |request| {
        if site::path_of(request) != "/" {
            return ("HTTP/1.1 404 Not Found".into(), String::new());
        }
        let visit = visits.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let price = if visit < 2 { "10.00" } else { "12.50" };
        let body = format!("<title>Stall</title><p>Apples <b>{price} EUR</b><footer>Server time: 2031-02-03 14:05:{visit:02} UTC</footer>");
        ("HTTP/1.1 200 OK\r\nContent-Type: text/html".into(), body)
    })
    .await;
    let house = House::open(site, quick());
    house.add(|_| {});
    let front = front();
    let visits = |house: &House| house.captures().iter().filter(|(path, _)| path == "/").count();
    let interval = |house: &House| house.store.uri(theme(), TARGET, front.id()).unwrap().unwrap().interval_s;
    for (visit, expected) in [(1, 3_600), (2, 7_200), (3, 3_600)] {
        house.until("the next visit is made", |house| visits(house) == visit).await;
        house.until_idle().await;
        assert_eq!(interval(&house), expected, "after visit {visit}");
        house.clock.advance(Duration::from_secs(expected.into()));
    }
    house.close().await;
}

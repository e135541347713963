use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_the_scope_is_asked_for() {
    let other = OnionAddress::from_public_key([8; 32]);
    let front = format!(
        "<a href='/shop/1'>in</a> <a href='/admin'>out</a> <a href='http://{other}/shop/2'>elsewhere</a> <a href='//example.com/shop/3'>clear net</a>
         <a href='http://127.0.0.1/shop/4'>local</a> <a href='javascript:alert(1)'>script</a>"
    );
    let house = House::open(Site::pages(&[("/", &front), ("/shop/1", "<p>one"), ("/admin", "<p>no")]).await, quick());
    house.add(|terms| terms.scope.exclude = vec!["^/admin".into()]);
    house.until_idle().await;
    assert_eq!(house.paths(), ["/", "/robots.txt", "/shop/1"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_is_bounded_and_reported() {
    let site = Site::answering(|request| {
        let page: u64 = site::path_of(request).rsplit('/').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let body = format!("<a href='/calendar/{}'>next</a> <a href='x/x/x/x/x'>deeper</a>", page + 1);
        ("HTTP/1.1 200 OK\r\nContent-Type: text/html".into(), body)
    })
    .await;
    let house = House::open(site, crawl::Config { uris_per_template: 7, ..quick() });
    house.add(|terms| terms.scope.exclude = vec!["robots".into()]);
    house.until_idle().await;
    let calendar = house.paths().iter().filter(|path| path.starts_with("/calendar/") && !path.contains('x')).count();
    assert_eq!(calendar, 7);
    let traps = house.store.traps(theme(), TARGET, 10).unwrap();
    assert!(
        traps.iter().any(|trap| trap.template.ends_with("/calendar/{n}") && trap.admitted == 7 && trap.refused > 0),
        "{traps:?}"
    );
    assert!(traps.iter().any(|trap| trap.template == "(a path segment that repeats)"), "{traps:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_binds_where_the_decision_says_so() {
    for (policy, expected) in [
        (RobotsPolicy::Obey, vec!["/", "/open", "/robots.txt"]),
        (RobotsPolicy::Record, vec!["/", "/open", "/private", "/robots.txt"]),
    ] {
        let pages = [
            ("/", "<a href=/open>o</a><a href=/private>p</a>"),
            ("/open", "o"),
            ("/private", "p"),
            ("/robots.txt", "User-agent: *\nDisallow: /private\n"),
        ];
        let house = House::open(Site::pages(&pages).await, quick());
        house.add(|terms| terms.robots = policy);
        house.until_idle().await;
        assert_eq!(house.paths(), expected, "{policy:?}");
        assert!(site::path_of(&house.site.requests()[0]) == "/robots.txt" || policy == RobotsPolicy::Record);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_and_refreshes_lead_to_visits_of_their_own() {
    let site = Site::answering(|request| {
        let ok = |body: &str| ("HTTP/1.1 200 OK\r\nContent-Type: text/html".to_owned(), body.to_owned());
        match site::path_of(request) {
            "/" => ok("<a href=/moved>m</a><a href=/out>o</a><a href=/loop-a>l</a><a href=/meta>r</a>"),
            "/moved" => ("HTTP/1.1 302 Found\r\nLocation: /new?id=1".into(), String::new()),
            "/out" => ("HTTP/1.1 301 Moved\r\nLocation: http://example.com/".into(), String::new()),
            "/loop-a" => ("HTTP/1.1 302 Found\r\nLocation: /loop-b".into(), String::new()),
            "/loop-b" => ("HTTP/1.1 302 Found\r\nLocation: /loop-a".into(), String::new()),
            "/meta" => ok("<meta http-equiv=refresh content='0;url=/fresh'>"),
            _ => ok("<p>here"),
        }
    })
    .await;
    let house = House::open(site, quick());
    house.add(|_| {});
    house.until_idle().await;
    let mut captures = house.captures();
    captures.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("/", Outcome::Ok),
        ("/fresh", Outcome::Ok),
        ("/loop-a", Outcome::Redirect),
        ("/loop-b", Outcome::RedirectRefused),
        ("/meta", Outcome::Ok),
        ("/moved", Outcome::Redirect),
        ("/new?id=1", Outcome::Ok),
        ("/out", Outcome::RedirectRefused),
        ("/robots.txt", Outcome::Ok),
    ];
    assert_eq!(captures, expected.map(|(path, outcome)| (path.to_owned(), outcome)));
    house.close().await;
}

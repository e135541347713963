mod client;
mod hostile;
mod tls;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use encoding_rs::WINDOWS_1251;
use model::Uri;

use self::client::{get, try_connect};
use super::{Site, Sites, forum::Forum, html::Noise, market::Market};

const SEED: u64 = 7;
/// Any valid address: the sites do not look at the host.
const BASE: &str = "http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion/";

/// The targets of a page's `a` elements within its own site, canonical.
fn links(base: &Uri, html: &str) -> BTreeSet<String> {
    let anchors = html.split("<a ").skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag);
    let hrefs = anchors
        .filter_map(|tag| tag.split_once("href=\"")?.1.split_once('"'))
        .map(|(href, _)| href.replace("&amp;", "&"));
    let uris = hrefs.map(|href| base.join(&href).unwrap());
    uris.filter(|uri| uri.host() == base.host()).map(|uri| uri.path_and_query()).collect()
}

/// Follows every link from `/`, each once, and gives every page by its path.
async fn crawl(site: &Site) -> BTreeMap<String, Vec<u8>> {
    let base: Uri = BASE.parse().unwrap();
    let (mut found, mut due) = (BTreeMap::new(), vec!["/".to_owned()]);
    while let Some(target) = due.pop() {
        if found.contains_key(&target) {
            continue;
        }
        let answer = get(site.http(), &target).await;
        assert_eq!(answer.status, 200, "{target} of {}", site.name());
        let here = base.join(&target).unwrap();
        due.extend(links(&here, &String::from_utf8_lossy(&answer.body)));
        found.insert(target, answer.body);
    }
    found
}

async fn check_closed(site: &Site) {
    let found = crawl(site).await;
    let pages = site.pages();
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), pages, "{}", site.name());
    assert!((350..=450).contains(&pages.len()), "{} has {} pages", site.name(), pages.len());

    let sizes: Vec<usize> = found.values().map(Vec::len).collect();
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!((8_000..25_000).contains(&mean), "pages of {} have {mean} bytes on average", site.name());
    assert!(sizes.iter().all(|size| (2_500..60_000).contains(size)), "{sizes:?}");

    assert!(pages.iter().all(|page| site.requests(page) == 1));
    assert_eq!(site.all_requests().len(), pages.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_lead_to_every_page_and_nowhere_else() {
    let sites = Sites::start(SEED).await.unwrap();
    check_closed(sites.market()).await;
    check_closed(sites.forum()).await;
    assert!(sites.mirror().all_requests().is_empty());
    check_closed(sites.mirror()).await;

    sites.market().set_step(3);
    sites.market().reset_counters();
    check_closed(sites.market()).await;
    sites.stop().await;
}

#[test]
fn a_seed_decides_everything() {
    for step in [0, 5] {
        assert!(Market::new(SEED).pages(step) == Market::new(SEED).pages(step));
    }
    assert!(Forum::new(SEED).pages() == Forum::new(SEED).pages());
    assert!(Market::new(SEED).pages(0) != Market::new(SEED + 1).pages(0));
    assert!(Forum::new(SEED).pages() != Forum::new(SEED + 1).pages());
}

#[test]
fn a_step_changes_prices_and_a_few_listings_and_nothing_else() {
    let market = Market::new(SEED);
    let (before, after) = (market.pages(0), market.pages(1));
    let listings = |pages: &super::book::Pages| -> BTreeSet<String> {
        pages.keys().filter(|path| path.starts_with("/listing/")).cloned().collect()
    };
    let (old, new) = (listings(&before), listings(&after));
    assert_eq!(old.difference(&new).count(), 4);
    assert_eq!(new.difference(&old).count(), 4);

    let noise = Noise::of(0, "test", 0);
    let price = |page: &super::html::Page| {
        let html = String::from_utf8(page.bytes(&noise)).unwrap();
        html.split_once("<td class=\"price\">").unwrap().1.split_once('<').unwrap().0.to_owned()
    };
    let changed = old.intersection(&new).filter(|path| price(&before[*path]) != price(&after[*path])).count();
    assert!((5..60).contains(&changed), "{changed} prices changed");

    let same = old.intersection(&new).filter(|path| before[*path] == after[*path]).count();
    assert!(same > 150, "only {same} listings are as they were");
    for fixed in ["/rules", "/help", "/vendors"] {
        assert!(before[fixed] == after[fixed], "{fixed}");
    }
}

#[test]
fn the_forum_passes_on_addresses_out_of_its_scope() {
    let noise = Noise::of(0, "test", 0);
    let pages = Forum::new(SEED).pages();
    let quoting = pages
        .values()
        .filter(|page| String::from_utf8_lossy(&page.bytes(&noise)).contains("<a href=\"http://"))
        .count();
    assert!(quoting > 20, "only {quoting} pages link to another site");
}

#[tokio::test]
async fn what_has_vanished_is_not_found_and_the_mirror_agrees() {
    let sites = Sites::start(SEED).await.unwrap();
    let before: BTreeSet<String> = sites.market().pages().into_iter().collect();
    assert_eq!(sites.market().advance(), 1);
    let after: BTreeSet<String> = sites.mirror().pages().into_iter().collect();
    let gone = before.difference(&after).find(|path| path.starts_with("/listing/")).unwrap();
    let born = after.difference(&before).find(|path| path.starts_with("/listing/")).unwrap();
    for site in [sites.market(), sites.mirror()] {
        assert_eq!(get(site.http(), gone).await.status, 404);
        assert_eq!(get(site.http(), born).await.status, 200);
        assert_eq!(site.requests(gone), 1);
    }
    sites.stop().await;
}

#[tokio::test]
async fn each_load_brings_another_token_and_clock() {
    let sites = Sites::start(SEED).await.unwrap();
    let mut seen = BTreeSet::new();
    for site in [sites.market(), sites.market(), sites.mirror(), sites.forum()] {
        let html = String::from_utf8(get(site.http(), "/rules").await.body).unwrap();
        let token = html.split_once("name=\"csrf-token\" content=\"").unwrap().1.split_once('"').unwrap().0;
        assert_eq!(token.len(), 40);
        assert!(html.contains(&format!("name=\"csrf\" value=\"{token}\"")));
        let clock = html.split_once("Server time: ").unwrap().1.split_once(" UTC").unwrap().0;
        assert!(seen.insert((token.to_owned(), clock.to_owned())));
    }
    sites.stop().await;
}

#[tokio::test]
async fn one_board_is_in_windows_1251_and_does_not_say_so() {
    let sites = Sites::start(SEED).await.unwrap();
    let answer = get(sites.forum().http(), "/board/torgovlya").await;
    assert_eq!(answer.field("content-type"), Some("text/html"));
    assert!(String::from_utf8(answer.body.clone()).is_err());
    let (text, _, had_errors) = WINDOWS_1251.decode(&answer.body);
    assert!(!had_errors && text.contains("Торговля") && !text.contains("charset") && !text.contains("&#"), "{text}");

    let other = get(sites.forum().http(), "/board/obshchiy").await;
    assert_eq!(other.field("content-type"), Some("text/html; charset=utf-8"));
    assert!(String::from_utf8(other.body).unwrap().contains("Общий раздел"));
    sites.stop().await;
}

#[tokio::test]
async fn assets_and_posts_are_counted_apart() {
    let sites = Sites::start(SEED).await.unwrap();
    let market = sites.market();
    assert_eq!(get(market.http(), "/robots.txt").await.field("content-type"), Some("text/plain"));
    assert_eq!(get(market.http(), "/img/41.png").await.field("content-type"), Some("image/png"));
    assert_eq!(client::send(market.http(), "POST", "/logout").await.status, 200);
    assert_eq!(market.requests("/logout"), 0);
    assert_eq!(market.all_requests().get("POST /logout"), Some(&1));
    market.reset_counters();
    assert!(market.all_requests().is_empty());
    sites.stop().await;
}

#[tokio::test]
async fn a_paused_site_takes_requests_and_answers_later() {
    let sites = Sites::start(SEED).await.unwrap();
    for site in [sites.forum(), sites.hostile()] {
        site.pause();
        let mut asked = std::pin::pin!(get(site.http(), "/"));
        assert!(tokio::time::timeout(Duration::from_millis(200), &mut asked).await.is_err());
        assert_eq!(site.requests("/"), 1);
        site.resume();
        assert_eq!(asked.await.status, 200);
    }
    sites.stop().await;
}

#[tokio::test]
async fn a_refusing_site_has_a_closed_port() {
    let sites = Sites::start(SEED).await.unwrap();
    for site in [sites.forum(), sites.hostile()] {
        site.refuse(true).await;
        assert_eq!(try_connect(site.http()).await.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
        site.refuse(false).await;
        assert_eq!(get(site.http(), "/").await.status, 200);
    }
    sites.stop().await;
}

#[tokio::test]
async fn nothing_listens_after_the_stop() {
    let sites = Sites::start(SEED).await.unwrap();
    let mut ports: Vec<_> = sites.all().iter().map(|site| site.http()).collect();
    ports.extend(sites.hostile().https());
    // A paused request must not hold the stop up.
    sites.market().pause();
    let mut asked = std::pin::pin!(get(sites.market().http(), "/"));
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut asked).await.is_err());
    sites.stop().await;
    for port in ports {
        assert!(try_connect(port).await.is_err(), "{port}");
    }
}

//! Memory that is used up under the crawl.

use super::*;

#[tokio::test]
async fn a_lack_of_memory_stops_the_crawl_and_more_of_it_lets_it_go_on() {
    let site = Site::pages(&[("/", "<a href=/a>a</a>"), ("/a", "a")]).await;
    let house = House::open(site, crawl::Config { memory_mb: 1_000, ..quick() });
    let hold = async |mb: u64| {
        house.memory.store(mb << 20, Relaxed);
        let is_measured = |house: &House| house.crawl.status().borrow().memory.used_bytes == mb << 20;
        house.until("the crawl has measured it", is_measured).await;
    };
    hold(900).await;
    house.add(|_| {});
    house.until_idle().await;
    let once = ["/", "/a", "/robots.txt"];
    assert_eq!(house.paths(), once);
    assert_eq!(house.waits_because(), None);

    hold(901).await;
    let short = Some("nearly all memory is used".to_owned());
    assert_eq!(house.waits_because(), short);
    house.clock.advance(9 * HOUR);
    // What it measured it measured in a turn, in which both pages were due.
    hold(902).await;
    hold(801).await;
    assert_eq!(house.waits_because(), short, "to go on takes more than to stop");
    assert_eq!(house.paths(), once, "something was fetched without memory");

    hold(800).await;
    let times = |house: &House, path: &str| house.paths().iter().filter(|captured| *captured == path).count();
    house.until("both pages are captured again", |house| times(house, "/") == 2 && times(house, "/a") == 2).await;
    house.until_idle().await;
    assert_eq!(house.waits_because(), None);

    // Another ceiling counts at once.
    house.crawl.memory_limited(800);
    house.until("the crawl stops below the new ceiling", |house| house.waits_because() == short).await;
    house.crawl.memory_limited(2_000);
    house.until("the crawl goes on", |house| house.waits_because().is_none()).await;
    assert!(house.store.verify(store::Depth::Full, &mut |_| true).unwrap().is_sound());
    house.close().await;
}

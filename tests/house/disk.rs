//! A disk that fills up under the crawl.

use tests::crash::SmallDisk;

use super::*;

#[tokio::test]
async fn a_full_disk_stops_the_crawl_and_room_lets_it_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path(), 256).unwrap() else {
        let skipped = b"\nSKIPPED: a full disk under the crawl, for want of the right to mount\n";
        std::io::Write::write_all(&mut std::io::stderr().lock(), skipped).unwrap();
        return;
    };
    let site = Site::pages(&[("/", "<a href=/a>a</a>"), ("/a", "a")]).await;
    let kept = store::Config { floor_mb: 48, reserve_mb: 16, ..store::Config::default() };
    let house = House::open_in(dir, site, quick(), &kept);
    house.add(|_| {});
    house.until_idle().await;
    let once = ["/", "/a", "/robots.txt"];
    assert_eq!(house.paths(), once);
    assert_eq!((house.store.room(), house.store.disk_use().space.reserve_bytes), (store::Room::ForAll, 16 << 20));

    disk.fill(36).unwrap();
    let full = Some("the disk has too little room".to_owned());
    house.until("the crawl says that the disk is full", |house| house.waits_because() == full).await;
    house.clock.advance(9 * HOUR);
    // A decision is an act, for which there is the reserve.
    disk.fill(0).unwrap();
    house.until("the disk has room for acts alone", |house| house.store.room() == store::Room::ForActs).await;
    let acts = house.store.log_head().size;
    house.decide(|_| {});
    assert_eq!(house.store.log_head().size, acts + 2, "a proposal and its approval");
    assert_eq!(house.store.disk_use().space.reserve_bytes, 0, "the reserve was not needed");
    assert_eq!(house.paths(), once, "something was fetched on a full disk");
    assert_eq!(house.waits_because(), full);

    // An erasure is one too, and what follows it fits there: so whoever must make room can.
    let erase = |seq| {
        let order = store::ErasureOrder {
            subject: model::Subject::Capture(model::Seq(seq)),
            ground: "article 17".into(),
            at: house.clock.now(),
            forgets_uris: false,
        };
        house.store.erase(&grant(), theme(), &order)
    };
    assert_eq!(erase(1).unwrap().captures, 1);
    let is_complete = |house: &House| house.store.view_changes(theme()).unwrap().is_empty();
    house.until("the erasure is complete on the full disk", is_complete).await;

    disk.empty().unwrap();
    let twice = |house: &House, path: &str| house.paths().iter().filter(|captured| *captured == path).count() == 2;
    house.until("both pages are captured again", |house| twice(house, "/") && twice(house, "/a")).await;
    house.until_idle().await;
    assert_eq!(house.waits_because(), None);
    assert!(house.store.verify(store::Depth::Full, &mut |_| true).unwrap().is_sound());
    house.close().await;
}

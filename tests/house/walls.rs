use super::*;

const LOGIN: &str = "<title>Sign in</title><form method=post action=/login><input name=user><input type=password name=pass><button>Sign in</button></form>";

/// A site that shows a login to everybody without the right cookie.
async fn walled() -> Site {
    Site::answering(|request| {
        let is_known = request.contains("Cookie: session=hush-hush");
        let body = if is_known { "<p>welcome <a href=/inside>in</a>" } else { LOGIN };
        ("HTTP/1.1 200 OK\r\nContent-Type: text/html".into(), body.into())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_wall_waits_for_a_person_who_may_hand_over_a_session() {
    let house = House::open(walled().await, quick());
    house.add(|_| {});
    house.until("the target needs attention", |house| house.target().attention.is_some()).await;
    house.until_idle().await;
    assert!(house.target().attention.unwrap().reason.contains("login"));
    let before = house.captures().len();
    let cookies = [store::Cookie { name: "session".into(), value: "hush-hush".into() }];
    house.store.set_login(theme(), TARGET, &cookies).unwrap();
    house.change(|target| {
        target.epoch += 1;
        target.attention = None;
    });
    house.clock.advance(HOUR);
    house.until("the inside is captured", |house| house.paths().contains(&"/inside".to_owned())).await;
    let with_session = house.all_captures().split_off(before);
    for capture in &with_session {
        assert!(!capture.request.windows(9).any(|window| window == b"hush-hush"), "the secret is kept in the clear");
        assert_eq!(capture.secrets.len(), 1, "a commitment stands for it");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_linked_as_a_login_is_no_wall() {
    let pages = [("/", "<p>welcome <a href=/login>sign in</a> <a href=/a>a</a>"), ("/login", LOGIN), ("/a", "<p>a")];
    let house = House::open(Site::pages(&pages).await, quick());
    house.add(|_| {});
    house.until_idle().await;
    assert_eq!(house.target().attention, None);
    assert_eq!(house.paths(), ["/", "/a", "/login", "/robots.txt"]);
    house.close().await;
}

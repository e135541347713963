use store::{Table, Version};

use super::*;

/// The versions of the front page, oldest first.
fn versions(house: &House) -> Vec<Version> {
    let front = front().id();
    let mut versions = house.store.versions(&grant(), theme(), front, None, 100).unwrap().versions;
    versions.reverse();
    versions
}

fn visits(house: &House) -> Vec<Outcome> {
    house.captures().into_iter().filter(|(path, _)| path == "/").map(|(_, outcome)| outcome).collect()
}

/// Requests for the front page, each with its validators.
fn conditions(house: &House) -> Vec<Option<String>> {
    let of = |request: &String| {
        let line = request.lines().find(|line| line.to_ascii_lowercase().starts_with("if-none-match:"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    house.site.requests().iter().filter(|request| site::path_of(request) == "/").map(of).collect()
}

/// A front page of two contents, with a validator each, that answers 304 where it has not changed.
async fn validating_site(step: Arc<std::sync::atomic::AtomicU32>) -> Site {
    Site::answering(move |request| {
        if site::path_of(request) != "/" {
            return ("HTTP/1.1 404 Not Found".into(), String::new());
        }
        let step = step.load(std::sync::atomic::Ordering::SeqCst);
        let etag = format!("\"step-{step}\"");
        if request.contains(&etag) {
            return (format!("HTTP/1.1 304 Not Modified\r\nETag: {etag}"), String::new());
        }
        (format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: {etag}"), format!("<p>Apples, {step} EUR"))
    })
    .await
}

/// Makes the next visit and waits for it.
async fn next_visit(house: &House) {
    let before = visits(house).len();
    house.clock.advance(9 * HOUR);
    house.until("the next visit is made", |house| visits(house).len() > before).await;
    house.until_idle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_304_continues_the_version_and_counts_as_seen() {
    let step = Arc::new(std::sync::atomic::AtomicU32::new(1));
    let house = House::open(validating_site(Arc::clone(&step)).await, quick());
    house.add(|terms| terms.allows_conditional_requests = true);
    house.until_idle().await;
    next_visit(&house).await;
    next_visit(&house).await;
    let seen = house.clock.now();
    step.store(2, std::sync::atomic::Ordering::SeqCst);
    next_visit(&house).await;
    next_visit(&house).await;
    let unchanged = Outcome::NotModified;
    assert_eq!(visits(&house), [Outcome::Ok, unchanged, unchanged, Outcome::Ok, unchanged]);
    let first = Some("\"step-1\"".to_owned());
    let second = Some("\"step-2\"".to_owned());
    assert_eq!(conditions(&house), [None, first.clone(), first.clone(), first, second]);
    let versions = versions(&house);
    assert_eq!(versions.iter().map(|version| (version.number, version.captures)).collect::<Vec<_>>(), [(1, 3), (2, 2)]);
    assert_eq!((versions[0].last_seen, versions[1].last_seen), (seen, house.clock.now()));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_leave_no_validator_is_sent_and_an_equal_payload_is_kept_once() {
    let step = Arc::new(std::sync::atomic::AtomicU32::new(1));
    let house = House::open(validating_site(step).await, quick());
    house.add(|_| {});
    house.until_idle().await;
    let payloads = |house: &House| house.store.raw_rows(&grant(), Table::Payloads).unwrap().len();
    let before = payloads(&house);
    next_visit(&house).await;
    next_visit(&house).await;
    assert_eq!(visits(&house), [Outcome::Ok; 3]);
    assert_eq!(conditions(&house), [None, None, None]);
    assert_eq!(payloads(&house), before, "the payload is held already");
    assert_eq!(versions(&house).iter().map(|version| version.captures).collect::<Vec<_>>(), [3]);
    let digests: std::collections::BTreeSet<_> = house
        .all_captures()
        .iter()
        .filter(|capture| capture.uri.path() == "/")
        .map(|capture| capture.payload_digest.to_string())
        .collect();
    assert_eq!(digests.len(), 1);
    house.close().await;
}

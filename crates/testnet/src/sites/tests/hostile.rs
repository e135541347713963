use std::{collections::BTreeSet, time::Duration};

use model::Uri;

use super::{
    BASE,
    client::{exchange, get, request, try_connect},
    links,
};
use crate::sites::{
    Site, Sites,
    hostile::{
        self,
        case::Request,
        script::{Script, Step},
    },
};

/// How much of an answer without an end is compared, in bytes.
const ENOUGH: usize = 300_000;

/// What a script sends, as far as it is compared, and whether it ends by itself.
fn flatten(script: &Script) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    for step in &script.steps {
        match step {
            Step::Bytes(more) => bytes.extend(more),
            Step::Repeat { bytes: part, times } => bytes.extend(part.repeat(usize::try_from(*times).unwrap())),
            Step::Forever(part) => {
                bytes.extend(part.repeat(ENOUGH / part.len() + 1));
                return (bytes, false);
            }
            Step::Drip { .. } | Step::Silence => return (bytes, false),
        }
    }
    (bytes, true)
}

/// What a site says that it sent; a request that is not answered may still be on its way.
async fn noted(site: &Site, target: &str) -> Vec<u8> {
    let wait = async {
        loop {
            match site.sent(target) {
                Some(sent) => return sent,
                None => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("{target} was never asked for"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_sends_exactly_its_bytes() {
    let sites = Sites::start(super::SEED).await.unwrap();
    let site = sites.hostile();
    for case in hostile::cases() {
        let text = request("GET", case.path);
        let mut asked = Request::parse(&text).unwrap();
        (asked.turn, asked.load) = (1, 1);
        let (expected, ends) = flatten(&hostile::script(&asked));
        let enough = if ends { usize::MAX } else { expected.len().min(ENOUGH) };
        let received = exchange(try_connect(site.http()).await.unwrap(), &text, enough).await;

        let compared = received.len().min(expected.len());
        assert!(received[..compared] == expected[..compared], "{} sends other bytes", case.path);
        assert!(
            if ends { received.len() == expected.len() } else { received.len() >= enough },
            "{}: {}",
            case.path,
            received.len()
        );
        let noted = noted(site, case.path).await;
        let compared = received.len().min(noted.len());
        assert!(compared == received.len() || noted.len() == 4 << 20, "{} notes only {}", case.path, noted.len());
        assert!(received[..compared] == noted[..compared], "{} notes other bytes", case.path);
        assert_eq!(site.requests(case.path), 1, "{}", case.path);
    }
    sites.stop().await;
}

#[tokio::test]
async fn the_front_page_links_to_what_is_linked() {
    let sites = Sites::start(super::SEED).await.unwrap();
    let site = sites.hostile();
    let base: Uri = BASE.parse().unwrap();
    let found = links(&base, &String::from_utf8(get(site.http(), "/").await.body).unwrap());
    let linked: BTreeSet<String> =
        hostile::cases().filter(|case| case.linked).map(|case| case.path.to_owned()).collect();
    assert_eq!(found, linked);
    assert_eq!(site.pages().into_iter().collect::<BTreeSet<_>>(), &linked | &BTreeSet::from(["/".to_owned()]));

    let paths: BTreeSet<&str> = hostile::cases().map(|case| case.path).collect();
    assert_eq!(paths.len(), hostile::cases().count(), "two cases on one path");
    for path in paths {
        assert_eq!(base.join(path).unwrap().path_and_query(), path, "not canonical");
    }
    sites.stop().await;
}

#[tokio::test]
async fn every_length_that_should_be_right_is_right() {
    let sites = Sites::start(super::SEED).await.unwrap();
    // `get` checks the length.
    for path in [
        "/head/odd-case",
        "/head/latin-one",
        "/head/no-reason",
        "/head/many-fields",
        "/head/leading-newlines",
        "/broken/no-colon",
        "/type/none",
        "/cookie/many",
        "/head/huge",
        "/encoding/br",
        "/landing/anywhere",
        "/m/1",
    ] {
        let bytes =
            exchange(try_connect(sites.hostile().http()).await.unwrap(), &request("GET", path), usize::MAX).await;
        let at = bytes.windows(4).rposition(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&bytes[..at]).to_ascii_lowercase();
        let length = head.rsplit_once("content-length: ").unwrap().1.lines().next().unwrap().to_owned();
        assert_eq!((bytes.len() - at - 4).to_string(), length, "{path}");
    }
    sites.stop().await;
}

#[tokio::test]
async fn a_cookie_opens_the_page_behind_it() {
    let sites = Sites::start(super::SEED).await.unwrap();
    let http = sites.hostile().http();
    assert_eq!(get(http, "/cookie/kept").await.status, 403);
    let set = get(http, "/cookie").await;
    assert_eq!((set.status, set.field("location")), (302, Some("/cookie/kept")));
    let cookie = set.field("set-cookie").unwrap().split(';').next().unwrap();
    let text =
        request("GET", "/cookie/kept").replace("Connection", &format!("Cookie: other=1; {cookie}\r\nConnection"));
    let bytes = exchange(try_connect(http).await.unwrap(), &text, usize::MAX).await;
    assert!(bytes.starts_with(b"HTTP/1.1 200"));
    sites.stop().await;
}

#[tokio::test]
async fn a_limited_connection_ends_after_its_second_answer() {
    let sites = Sites::start(super::SEED).await.unwrap();
    let ask = request("GET", "/connection/limited").replace("Connection: close\r\n", "");
    let stream = try_connect(sites.hostile().http()).await.unwrap();
    let bytes = exchange(stream, &ask.repeat(3), usize::MAX).await;
    assert_eq!(bytes.windows(15).filter(|window| window == b"HTTP/1.1 200 OK").count(), 2);
    sites.stop().await;
}

#[tokio::test]
async fn traps_have_no_end() {
    let sites = Sites::start(super::SEED).await.unwrap();
    let base: Uri = BASE.parse().unwrap();
    for start in ["/calendar/2031/01", "/again/", "/query?a=0", "/item/1", "/session", "/maze?x=0&y=0"] {
        let (mut at, mut seen) = (start.to_owned(), BTreeSet::new());
        for _ in 0..20 {
            let html = String::from_utf8(get(sites.hostile().http(), &at).await.body).unwrap();
            assert!(seen.insert(at.clone()), "{start} comes back to {at}");
            let next = links(&base.join(&at).unwrap(), &html);
            at = next.into_iter().rfind(|link| !seen.contains(link)).unwrap_or_else(|| panic!("{at} ends {start}"));
        }
    }
    sites.stop().await;
}

#[tokio::test]
async fn a_redirect_to_a_broken_onion_is_to_no_address() {
    let sites = Sites::start(super::SEED).await.unwrap();
    let http = sites.hostile().http();
    let location = |path: &'static str| async move { get(http, path).await.field("location").unwrap().to_owned() };
    assert!(location("/redirect/other-onion").await.parse::<Uri>().is_ok());
    assert!(location("/redirect/broken-onion").await.parse::<Uri>().is_err());
    assert!(location("/redirect/loopback").await.parse::<Uri>().is_err());
    assert_eq!(location("/redirect/chain/41").await, "/redirect/chain/42");
    sites.stop().await;
}

#[test]
fn a_drip_is_one_byte_a_second() {
    let script = hostile::script(&Request::parse("GET /slow/drip HTTP/1.1").unwrap());
    let Some(Step::Drip { bytes, every }) = script.steps.last() else { panic!("{:?}", script.steps) };
    assert_eq!((bytes.len(), *every), (1, Duration::from_secs(1)));
}

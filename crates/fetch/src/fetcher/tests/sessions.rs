//! Cookies, validators, and the address policy.

use super::*;
use crate::{LoginCookie, Validators};

const PAGE: &str = "HTTP/1.1 200 OK\r\nSet-Cookie: seen=1; Path=/\r\nContent-Length: 0\r\n\r\n";

fn cookie_line(exchange: &Exchange) -> Option<String> {
    text(&exchange.request).lines().find_map(|line| line.strip_prefix("Cookie: ").map(str::to_owned))
}

#[tokio::test]
async fn cookies_stay_with_their_target() {
    let fetcher = fetcher(&serve_and_hold(PAGE));
    assert_eq!(cookie_line(&fetcher.fetch(&request("/")).await), None);
    let second = fetcher.fetch(&request("/")).await;
    assert_eq!(cookie_line(&second).as_deref(), Some("seen=1"));
    assert!(text(&second.request).contains("Connection: keep-alive\r\nCookie: seen=1\r\nUpgrade"));
    let other = Request { isolation: Isolation { target: TargetId::from_u64(2), epoch: 0 }, ..request("/") };
    assert_eq!(cookie_line(&fetcher.fetch(&other).await), None);
    fetcher.forget(GROUP.target);
    assert_eq!(cookie_line(&fetcher.fetch(&request("/")).await), None);
}

#[tokio::test]
async fn a_login_is_sent_and_only_a_commitment_kept() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let loopback = Loopback::new(move |_, mut stream| {
        let ear = Arc::clone(&ear);
        async move {
            while let Some(request) = read_request(&mut stream).await {
                lock(&ear).push(request);
                stream.write_all(PAGE.as_bytes()).await.unwrap();
            }
        }
    });
    let fetcher = fetcher(&loopback);
    let login = LoginCookie { name: "sid".to_owned(), value: "hush-hush".to_owned() };
    fetcher.set_cookies(GROUP.target, vec![uri("/").host_str().to_owned()], vec![login]);
    let first = fetcher.fetch(&request("/")).await;
    let second = fetcher.fetch(&request("/")).await;
    assert!(text(&lock(&heard)[0]).contains("Cookie: sid=hush-hush\r\n"));
    assert!(text(&lock(&heard)[1]).contains("Cookie: seen=1; sid=hush-hush\r\n"));
    for (exchange, heard) in [&first, &second].into_iter().zip(lock(&heard).iter()) {
        assert!(!text(&exchange.request).contains("hush"));
        let [secret] = exchange.secrets.as_slice() else { panic!("{:?}", exchange.secrets) };
        let mut whole = exchange.request.clone();
        let at = usize::try_from(secret.offset).unwrap();
        whole.splice(at..at, b"hush-hush".iter().copied());
        assert_eq!(text(&whole), text(heard));
        assert_eq!(secret.commitment, Digest::of_parts(&[secret.salt.unwrap().as_bytes(), b"hush-hush"]));
    }
    assert_ne!(first.secrets[0].salt, second.secrets[0].salt);
}

#[tokio::test]
async fn validators_make_a_request_conditional() {
    let fetcher = fetcher(&serve("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n"));
    let validators = Validators { etag: Some("\"a\"".to_owned()), last_modified: Some("bad\r\nX: y".to_owned()) };
    let exchange = fetcher.fetch(&Request { validators: Some(validators), ..request("/") }).await;
    assert_eq!(exchange.outcome, Outcome::NotModified);
    assert!(
        text(&exchange.request).ends_with("Priority: u=0, i\r\nIf-None-Match: \"a\"\r\n\r\n"),
        "{}",
        text(&exchange.request)
    );
}

#[tokio::test]
async fn blocked_addresses_are_never_dialled() {
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), "# nothing yet\n").unwrap();
    let loopback = serve(PAGE);
    let fetcher = fetcher_with(&loopback, |config| config.block_lists.push(list.path().to_owned()));
    assert_eq!(fetcher.fetch(&request("/")).await.outcome, Outcome::Ok);
    let opened = loopback.opened();

    let domain = uri("/").host().to_string();
    std::fs::write(list.path(), Digest::of(domain.as_bytes()).to_string()).unwrap();
    let lists = [list.path().to_owned()];
    assert_eq!(fetcher.replace_block_lists(&lists).unwrap(), 1);
    let blocked = fetcher.fetch(&request("/")).await;
    assert_eq!((blocked.outcome, blocked.request.len()), (Outcome::Blocked, 0));

    std::fs::remove_file(list.path()).unwrap();
    fetcher.replace_block_lists(&lists).unwrap_err();
    assert_eq!(fetcher.fetch(&request("/")).await.outcome, Outcome::Blocked, "the list of before stays in force");
    assert_eq!(loopback.opened(), opened);
    assert_eq!(fetcher.replace_block_lists(&[]).unwrap(), 0);
    assert_eq!(fetcher.fetch(&request("/")).await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_missing_list_blocks_from_the_start() {
    let loopback = serve(PAGE);
    let fetcher = fetcher_with(&loopback, |config| config.block_lists.push("/nowhere/list".into()));
    let closed = fetcher.fetch(&request("/")).await;
    assert_eq!(closed.outcome, Outcome::Blocked);
    assert!(closed.detail.is_some_and(|detail| detail.contains("cannot read")));
    fetcher.replace_block_lists(&["/nowhere/else".into()]).unwrap_err();
    assert_eq!(fetcher.fetch(&request("/")).await.outcome, Outcome::Blocked, "a failure opens nothing");
    assert_eq!(loopback.opened(), 0);
}

#[tokio::test]
async fn the_clear_net_needs_the_exit() {
    let loopback = serve(PAGE);
    let clear = Request::new("http://shop.example/".parse().unwrap(), GROUP);
    assert_eq!(fetcher(&loopback).fetch(&clear).await.outcome, Outcome::Blocked);
    assert_eq!(loopback.opened(), 0);
    assert_eq!(fetcher(&loopback).fetch(&Request { allows_exit: true, ..clear }).await.outcome, Outcome::Ok);
}

#[test]
fn the_request_head_is_checked() {
    let loopback = serve("");
    let try_with = |name: &str, value: &str| {
        let mut config = Config::default();
        config.http.request_headers.push((name.to_owned(), value.to_owned()));
        let transport: Arc<dyn Transport> = Arc::<Loopback>::clone(&loopback);
        Fetcher::new(transport, Arc::new(ManualClock::at(NOW)), &config).map(|_| ())
    };
    try_with("DNT", "1").unwrap();
    for (name, value) in [("Host", "x"), ("Cookie", "a=b"), ("Accept", "*/*"), ("a b", "c"), ("A", "b\r\nC: d")] {
        assert!(try_with(name, value).is_err(), "{name}");
    }
}

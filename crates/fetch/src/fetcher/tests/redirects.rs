use model::Host;

use super::*;

#[tokio::test]
async fn redirects_lead_on_and_are_not_followed_here() {
    let loopback = serve("HTTP/1.1 302 Found\r\nLocation: /next?a=b#c\r\nContent-Length: 2\r\n\r\nok");
    let exchange = fetcher(&loopback).fetch(&request("/")).await;
    assert_eq!((exchange.outcome, exchange.redirect_to), (Outcome::Redirect, Some(uri("/next?a=b"))));
    assert_eq!((loopback.opened(), text(&exchange.payload).as_str()), (1, "ok"));
}

#[tokio::test]
async fn a_redirect_with_a_picture_is_a_redirect() {
    let answer = "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Type: image/gif\r\nContent-Length: 9\r\n\r\n";
    let exchange = fetcher(&serve_and_hold(answer)).fetch(&request("/")).await;
    assert_eq!((exchange.outcome, exchange.redirect_to), (Outcome::Redirect, Some(uri("/next"))));
}

#[tokio::test]
async fn redirects_out_are_refused_with_a_reason() {
    for to in
        ["https://shop.example/", "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "/", "ftp://x/", "http://"]
    {
        let exchange = check(format!("HTTP/1.1 301 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")).await;
        assert_eq!((exchange.outcome, exchange.redirect_to), (Outcome::RedirectRefused, None), "{to}");
        assert!(exchange.detail.is_some());
    }
}

#[tokio::test]
async fn a_redirect_to_a_blocked_service_is_refused() {
    let other = OnionAddress::from_public_key([2; 32]);
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), Digest::of(other.to_string().as_bytes()).to_string()).unwrap();
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: http://{other}/\r\nContent-Length: 0\r\n\r\n");
    let named = Request { hosts: vec![Host::Onion(other).to_string()], ..request("/") };
    let open = fetcher(&serve(answer.clone())).fetch(&named).await;
    assert_eq!(open.outcome, Outcome::Redirect);
    let blocked =
        fetcher_with(&serve(answer), |config| config.block_lists.push(list.path().to_owned())).fetch(&named).await;
    assert_eq!(blocked.outcome, Outcome::RedirectRefused);
}

#[tokio::test]
async fn refreshes_are_redirects_unless_they_wait_or_stay() {
    let refresh = |value: &str| check(format!("HTTP/1.1 200 OK\r\nRefresh: {value}\r\nContent-Length: 2\r\n\r\nok"));
    let exchange = refresh("3; url=/next").await;
    assert_eq!((exchange.outcome, exchange.redirect_to), (Outcome::Redirect, Some(uri("/next"))));
    assert_eq!(refresh("31; url=/next").await.outcome, Outcome::Ok);
    assert_eq!(refresh("5").await.outcome, Outcome::Ok);
    assert_eq!(refresh("5; url=/").await.outcome, Outcome::Ok);
    assert_eq!(refresh("0; url=https://shop.example/").await.outcome, Outcome::RedirectRefused);
}

#[tokio::test]
async fn a_chain_ends() {
    let long = Request { redirects: (0..8).map(|n| uri(&format!("/{n}"))).collect(), ..request("/now") };
    let loopback = serve("HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(fetcher(&loopback).fetch(&long).await.outcome, Outcome::RedirectRefused);
    let short = Request { redirects: long.redirects[1..].to_vec(), ..long };
    assert_eq!(fetcher(&loopback).fetch(&short).await.outcome, Outcome::Redirect);
}

use model::OnionAddress;

use super::*;

const TARGET: TargetId = TargetId::from_u64(1);
const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn uri(rest: &str) -> Uri {
    format!("http://{}{rest}", OnionAddress::from_public_key([1; 32])).parse().unwrap()
}

fn login(name: &str, value: &str) -> LoginCookie {
    LoginCookie { name: name.to_owned(), value: value.to_owned() }
}

/// What a later request for `later` sends after `fields` came with `/shop/list`.
#[track_caller]
fn check(fields: &[&str], later: &Uri, sent: Option<&str>) {
    let mut cookies = Cookies::default();
    cookies.store(TARGET, &uri("/shop/list"), fields.iter().map(|field| field.as_bytes()), NOW);
    let header = cookies.header(TARGET, later, NOW).map(|header| header.value);
    assert_eq!(header.as_deref(), sent, "{fields:?}");
    assert_eq!(cookies.header(TargetId::from_u64(2), later, NOW), None);
}

#[test]
fn paths_and_hosts_bound_a_cookie() {
    check(&["a=1; Path=/", "b=2"], &uri("/shop/x"), Some("b=2; a=1"));
    check(&["a=1; Path=/", "b=2"], &uri("/shopping"), Some("a=1"));
    check(&["a=1; Path=/; Secure; HttpOnly; SameSite=Lax"], &uri("/"), Some("a=1"));
    let other: Uri = format!("http://{}/shop/x", OnionAddress::from_public_key([2; 32])).parse().unwrap();
    check(&["a=1; Path=/"], &other, None);
    check(&["a=1; Path=/; Domain=onion"], &uri("/"), None);
    check(&[&format!("a=1; Path=/; Domain={}", other.host_str())], &other, None);
    let below: Uri = format!("http://www.{}/", uri("/").host_str()).parse().unwrap();
    check(&["a=1; Path=/"], &below, None);
    check(&[&format!("a=1; Path=/; Domain={}", uri("/").host_str())], &below, Some("a=1"));
}

#[test]
fn the_end_of_a_cookie_is_kept() {
    check(&["a=1; Path=/; Max-Age=60"], &uri("/"), Some("a=1"));
    check(&["a=1; Path=/; Max-Age=0"], &uri("/"), None);
    check(&["a=1; Path=/", "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], &uri("/"), None);
    check(&["a=1; Path=/", "a=2; Path=/"], &uri("/"), Some("a=2"));
    let mut cookies = Cookies::default();
    cookies.store(TARGET, &uri("/"), [b"a=1; Max-Age=60".as_slice()].into_iter(), NOW);
    assert_eq!(cookies.header(TARGET, &uri("/"), NOW.after(std::time::Duration::from_secs(61))), None);
}

#[test]
fn a_site_cannot_fill_the_memory_or_split_the_header() {
    let many: Vec<String> = (0..80).map(|n| format!("c{n}=x; Path=/")).collect();
    let fields: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut cookies = Cookies::default();
    cookies.store(TARGET, &uri("/"), fields.iter().map(|field| field.as_bytes()), NOW);
    let header = cookies.header(TARGET, &uri("/"), NOW).unwrap();
    assert_eq!(header.value.split("; ").count(), MAX_COOKIES);
    check(&[&format!("a={}", "x".repeat(5000))], &uri("/shop/x"), None);
    check(&["a=1\r\nX: y; Path=/"], &uri("/"), None);
    check(&["a b=1; Path=/"], &uri("/"), None);
}

#[test]
fn a_login_goes_to_its_hosts_only_and_ends_the_session_before() {
    let mut cookies = Cookies::default();
    let here = uri("/");
    cookies.store(TARGET, &here, [b"old=1; Path=/".as_slice()].into_iter(), NOW);
    cookies.set_login(TARGET, vec![here.host_str().to_owned()], vec![login("sid", "secret")]);
    assert_eq!(
        cookies.header(TARGET, &here, NOW).unwrap(),
        CookieHeader { value: "sid=secret".to_owned(), secrets: std::iter::once(4..10).collect() }
    );
    let mirror: Uri = format!("http://{}/", OnionAddress::from_public_key([2; 32])).parse().unwrap();
    assert_eq!(cookies.header(TARGET, &mirror, NOW), None);
    cookies.store(TARGET, &here, [b"sid=fresh; Path=/".as_slice()].into_iter(), NOW);
    assert_eq!(
        cookies.header(TARGET, &here, NOW).unwrap(),
        CookieHeader { value: "sid=fresh".to_owned(), secrets: vec![] }
    );
    cookies.forget(TARGET);
    assert_eq!(cookies.header(TARGET, &here, NOW), None);
}

#[test]
fn an_open_connection_to_the_clear_net_gets_no_login() {
    let mut cookies = Cookies::default();
    cookies.set_login(TARGET, vec!["shop.example".to_owned()], vec![login("sid", "secret")]);
    assert_eq!(cookies.header(TARGET, &"http://shop.example/".parse().unwrap(), NOW), None);
    assert!(cookies.header(TARGET, &"https://shop.example/".parse().unwrap(), NOW).is_some());
}

#[test]
fn secrets_are_cut_out_and_committed_to() {
    let header = CookieHeader { value: "a=1; sid=secret; tok=hush".to_owned(), secrets: vec![9..15, 21..25] };
    let mut request = b"GET / HTTP/1.1\r\nCookie: a=1; sid=secret; tok=hush\r\n\r\n".to_vec();
    let salts = [Digest::of(b"one"), Digest::of(b"two")];
    let secrets = header.cut_out(&mut request, &salts);
    assert_eq!(request, b"GET / HTTP/1.1\r\nCookie: a=1; sid=; tok=\r\n\r\n");
    let commitment = Digest::of_parts(&[salts[1].as_bytes(), b"hush"]);
    assert_eq!(secrets[1], Secret { offset: 39, len: 4, commitment, salt: Some(salts[1]) });
    let mut half = b"GET / HTTP/1.1\r\nCookie: a=1; sid=sec".to_vec();
    let secrets = header.cut_out(&mut half, &salts);
    assert_eq!(half, b"GET / HTTP/1.1\r\nCookie: a=1; sid=");
    assert_eq!((secrets.len(), secrets[0].len), (1, 3));
}

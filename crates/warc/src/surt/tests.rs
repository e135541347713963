use proptest::prelude::*;

use super::*;

/// What the `surt` of the Internet Archive makes of them (0.3.1).
#[test]
fn keys_are_those_of_the_internet_archive() {
    let rows = [
        ("http://a.onion", "onion,a)/"),
        ("http://a.onion/", "onion,a)/"),
        ("http://a.onion?x", "onion,a)/?x"),
        ("http://a.onion/?", "onion,a)/"),
        ("HTTP-X://b", "b)/"),
        ("http://WWW.Example.COM:80/A/B/?b=2&a=1&a=0&c", "com,example)/a/b?a=0&a=1&b=2&c"),
        ("https://www2.example.com:443/", "com,example)/"),
        ("https://example.com:8443/x/", "com,example:8443)/x"),
        ("http://example.com:443/x//y/./z/../q", "com,example:443)/x/y/q"),
        ("http://user:pass@example.com/../a", "com,example)/../a"),
        ("http://example.com/%2541%20b%C3%A9/é?Q=%26&q=%2", "com,example)/a%20b%c3%a9/%c3%a9?&q=&q=%252"),
        ("http://example.com/a#frag", "com,example)/a"),
        ("http://example.com/?sid=0123456789abcdef0123456789ABCDEF&a=b", "com,example)/?a=b"),
        ("http://example.com/?a=b&PHPSESSID=0123456789abcdef0123456789abcdef", "com,example)/?&a=b"),
        ("http://example.com/?a=b&phpsessid=0123", "com,example)/?a=b&phpsessid=0123"),
        ("http://example.com/?jsessionid=0123456789abcdef0123456789abcdef", "com,example)/"),
        ("http://example.com/?a=1&ASPSESSIONIDABCDEFGH=abcdefghijklmnopqrstuvwx&b=2", "com,example)/?a=1&b=2"),
        ("http://example.com/?cfid=1&cftoken=2&z=1&a=2", "com,example)/?a=2&z=1"),
        ("http://example.com/(S(abcdefghijklmnopqrstuvwx))/page.aspx?x=1", "com,example)/page.aspx?x=1"),
        ("http://example.com/(abcdefghijklmnopqrstuvwx)/page.aspx", "com,example)/page.aspx"),
        (
            "http://example.com/(abcdefghijklmnopqrstuvwx)/page.html",
            "com,example)/(abcdefghijklmnopqrstuvwx)/page.html",
        ),
        ("http://www.com/www.x", "com)/www.x"),
        ("http://example.com../x", "com,example)/x"),
        ("http://127.0.0.1:8080/a", "1,0,0,127:8080)/a"),
        ("http://[::1]:8080/a", "::1:8080)/a"),
        ("http://example.com/a%2Fb%3Fc?d%23e", "com,example)/a/b?c?d%23e"),
        ("urn:X:Certificate", "urn:x:certificate"),
        ("dns:example.com", "dns:example.com"),
        ("http://example.com:99999/", "http://example.com:99999/"),
        ("http://example.com/?&", "com,example)/?&"),
        ("http://example.com/?b=&a&a=&=x", "com,example)/?=x&a&a=&b="),
        ("http://xn--bcher-kva.example/", "example,xn--bcher-kva)/"),
        ("http://example.com/%", "com,example)/%25"),
        ("http://example.com/a;b=c,d'e!f$g(h)*i", "com,example)/a;b=c,d'e!f$g(h)*i"),
        ("http://example.com/%7Euser/%5B%5D%7C", "com,example)/~user/[]|"),
        ("ftp://example.com:21/x", "com,example:21)/x"),
    ];
    for (uri, expected) in rows {
        assert_eq!(key(uri), expected, "{uri}");
    }
}

#[test]
fn escapes_within_escapes_cost_linear_time() {
    let nested = format!("http://a.onion/%{}41", "25".repeat(500_000));
    assert_eq!(key(&nested), "onion,a)/a");
}

proptest! {
    #[test]
    fn any_address_has_a_key_without_white_space(uri in "([a-z]{1,5}:)?(//)?[ -~é]{0,40}", any in any::<String>()) {
        let key_of = |uri: &str| if canonical(uri).is_some() { key(uri) } else { String::new() };
        prop_assert!(!key_of(&uri).contains(char::is_whitespace));
        prop_assert!(!key_of(&any).contains(char::is_whitespace));
    }
}

//! Where a response leads: `Location`, `Refresh` and `Retry-After`.

use std::time::Duration;

use http::{HeaderMap, header};
use model::{Host, Timestamp, Uri};

use crate::{Request, policy, policy::Blocks};

/// The longest `Retry-After` that is taken at its word.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(366 * 24);

/// Whether `reference` may be followed from this request, and to where; the reason when it may not.
pub(crate) fn follow(reference: &str, request: &Request, most: usize, blocks: &Blocks) -> Result<Uri, String> {
    let next = request.uri.join(reference).map_err(|error| format!("the redirect leads nowhere: {error}"))?;
    if next == request.uri || request.redirects.contains(&next) {
        return Err(format!("the redirect leads in a circle, to {next}"));
    }
    if request.redirects.len() >= most {
        return Err(format!("more than {most} redirects"));
    }
    let is_named = request.hosts.iter().any(|host| host == next.host_str() || *host == next.host().to_string());
    if next.service() != request.uri.service() && !is_named {
        return Err(format!("the redirect leaves the service, to {}", next.host()));
    }
    if matches!(next.host(), Host::ClearNet(_)) && !request.allows_exit {
        return Err(format!("the redirect leads to the clear net, to {}", next.host()));
    }
    match policy::objection(&next, request.allows_exit, blocks) {
        Some(objection) => Err(objection),
        None => Ok(next),
    }
}

/// The value of `Location`.
pub(crate) fn location(headers: &HeaderMap) -> Option<String> {
    text(headers, &header::LOCATION)
}

/// The delay and the reference of a `Refresh` field, read as the HTML standard reads its `meta` twin ("shared declarative
/// refresh steps"). A refresh without a reference reloads the page and leads nowhere.
pub(crate) fn refresh(headers: &HeaderMap) -> Option<(Duration, String)> {
    let value = text(headers, &header::REFRESH)?;
    let value = value.trim();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (delay, rest) = value.split_at(digits);
    // A delay that is too long for a number is as good as for ever; without digits a point may begin one.
    let delay = if delay.is_empty() && rest.starts_with('.') {
        0
    } else {
        delay.parse().ok().or((digits > 0).then_some(u64::MAX))?
    };
    let rest = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit()).trim_start();
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_start();
    let named = rest.get(..3).filter(|name| name.eq_ignore_ascii_case("url")).and_then(|_| rest.get(3..));
    let reference = named.and_then(|after| after.trim_start().strip_prefix('=')).map_or(rest, str::trim_start);
    let reference = match reference.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            reference.get(1..).and_then(|inner| inner.split(quote).next()).unwrap_or_default()
        }
        _ => reference,
    };
    (!reference.is_empty()).then(|| (Duration::from_secs(delay), reference.to_owned()))
}

/// How long the service asks to be left alone (RFC 9110, section 10.2.3): seconds, or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = text(headers, &header::RETRY_AFTER)?;
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs).min(MAX_RETRY_AFTER));
    }
    let moment = httpdate::parse_http_date(value).ok()?;
    let micros = moment.duration_since(std::time::UNIX_EPOCH).ok()?.as_micros();
    let moment = Timestamp::from_micros(i64::try_from(micros).ok()?);
    Some(moment.since(now).min(MAX_RETRY_AFTER))
}

fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use model::{Isolation, OnionAddress, TargetId};

    use super::*;
    use crate::block_list::BlockList;

    fn uri(key: u8, rest: &str) -> Uri {
        format!("http://{}{rest}", OnionAddress::from_public_key([key; 32])).parse().unwrap()
    }

    fn request() -> Request {
        Request::new(uri(1, "/a/b"), Isolation { target: TargetId::from_u64(1), epoch: 0 })
    }

    fn try_follow(reference: &str, request: &Request) -> Result<Uri, String> {
        follow(reference, request, 3, &Ok(BlockList::default()))
    }

    #[test]
    fn redirects_stay_with_the_service() {
        assert_eq!(try_follow("c?d", &request()), Ok(uri(1, "/a/c?d")));
        assert_eq!(
            try_follow("//shop.example/", &request()).unwrap_err(),
            "the redirect leaves the service, to shop.example"
        );
        assert!(try_follow("http://127.0.0.1/", &request()).is_err());
        assert!(try_follow("javascript:alert(1)", &request()).is_err());
        assert!(try_follow(uri(2, "/").as_str(), &request()).is_err());
        let with_mirror = Request { hosts: vec![uri(2, "/").host().to_string()], ..request() };
        assert_eq!(try_follow(uri(2, "/x").as_str(), &with_mirror), Ok(uri(2, "/x")));
    }

    #[test]
    fn the_clear_net_needs_scope_and_decision() {
        let named = Request { hosts: vec!["shop.example".to_owned()], ..request() };
        assert!(try_follow("https://shop.example/", &named).is_err());
        assert!(try_follow("https://shop.example/", &Request { allows_exit: true, ..request() }).is_err());
        assert!(try_follow("https://shop.example/", &Request { allows_exit: true, ..named }).is_ok());
    }

    #[test]
    fn circles_and_long_chains_end() {
        assert!(try_follow("/a/b#top", &request()).unwrap_err().contains("circle"));
        let chain = Request { redirects: vec![uri(1, "/1"), uri(1, "/2")], ..request() };
        assert!(try_follow("/1", &chain).unwrap_err().contains("circle"));
        assert!(try_follow("/4", &chain).is_ok());
        let long = Request { redirects: vec![uri(1, "/1"), uri(1, "/2"), uri(1, "/3")], ..request() };
        assert!(try_follow("/5", &long).unwrap_err().contains("more than 3"));
    }

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn refresh_fields_are_read_like_browsers_do() {
        let check = |value: &str, expect: Option<(u64, &str)>| {
            let got = refresh(&headers(header::REFRESH, value));
            assert_eq!(got, expect.map(|(s, to)| (Duration::from_secs(s), to.to_owned())), "{value}");
        };
        check("5; url=/x", Some((5, "/x")));
        check("0;URL='/x y'z", Some((0, "/x y")));
        check("3.5 , Url = \"/x\"", Some((3, "/x")));
        check("1 /x", Some((1, "/x")));
        check("7;urlx", Some((7, "urlx")));
        check("99999999999999999999999; url=/x", Some((u64::MAX, "/x")));
        check("5", None);
        check("5;", None);
        check("soon; url=/x", None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_micros(784_111_777_000_000);
        let check = |value: &str, expect: Option<u64>| {
            assert_eq!(
                retry_after(&headers(header::RETRY_AFTER, value), now),
                expect.map(Duration::from_secs),
                "{value}"
            );
        };
        check("120", Some(120));
        check("Sun, 06 Nov 1994 08:51:37 GMT", Some(120));
        check("Sun, 06 Nov 1994 08:00:00 GMT", Some(0));
        check("99999999999999999999", Some(366 * 86_400));
        check("later", None);
        check("-1", None);
    }
}

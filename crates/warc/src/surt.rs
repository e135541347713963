//! The key under which an index sorts an address: its host turned round, and the address made canonical (SURT).
//!
//! The rules are those that the Internet Archive's tools share, so that every index agrees on the key. Addresses are taken as a URL parser
//! leaves them: hosts in ASCII, IPv4 addresses as four decimal numbers.

/// The key of an address; the address itself where it has no scheme, or its port is no number.
pub(crate) fn key(uri: &str) -> String {
    canonical(uri).unwrap_or_else(|| uri.to_owned())
}

fn canonical(uri: &str) -> Option<String> {
    let uri = uri.trim_matches(|character: char| character.is_ascii_whitespace());
    let (scheme, rest) = uri.split_once(':').filter(|(scheme, _)| is_scheme(scheme))?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let Some(rest) = rest.strip_prefix("//") else {
        // Without a host the path has no directories.
        let path = lower(escape(&unescape(rest.as_bytes())));
        return Some(format!("{scheme}:{}{}", without_slash(&path), query_key(query)));
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = host_and_port(authority)?;
    let default_port = match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    let port = port.filter(|port| Some(*port) != default_port && *port > 0).map(|port| format!(":{port}"));
    Some(format!("{}{}){}{}", host_key(host), port.unwrap_or_default(), path_key(path), query_key(query)))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
}

fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let address = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':').unwrap_or_default()),
        None => address.split_once(':').unwrap_or((address, "")),
    };
    if port.is_empty() { Some((host, None)) } else { Some((host, Some(port.parse().ok()?))) }
}

fn host_key(host: &str) -> String {
    let host = lower(escape(&unescape(host.as_bytes()))).replace("..", ".");
    let host = host.trim_matches('.');
    let labels: Vec<&str> = without_www(host).rsplit('.').collect();
    labels.join(",")
}

/// Sites name the same pages with `www`, `www2` and so on, and without.
fn without_www(host: &str) -> &str {
    let rest = host.strip_prefix("www").map(|rest| rest.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    rest.and_then(|rest| rest.strip_prefix('.')).unwrap_or(host)
}

fn path_key(path: &str) -> String {
    let path = unescape(path.as_bytes());
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/').skip(1) {
        match part {
            b"." => {}
            b".." if !kept.is_empty() => {
                kept.pop();
            }
            _ => kept.push(part),
        }
    }
    let last = kept.pop().unwrap_or_default();
    kept.retain(|part| !part.is_empty());
    let mut path = Vec::new();
    for part in kept.into_iter().chain([last]) {
        path.push(b'/');
        path.extend_from_slice(part);
    }
    without_slash(&without_path_session(&lower(escape(&path)))).to_owned()
}

/// A slash at the end makes no difference, unless it is the whole path.
fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path)
}

/// ASP.NET can carry a session as a part of the path, in brackets, before the name of the page; there are two ways to write it.
fn without_path_session(path: &str) -> String {
    let is_token = |text: &str| is_run(text, 24, u8::is_ascii_alphanumeric);
    let is_group = |group: &str| {
        let token = group.get(1..).and_then(|group| group.strip_prefix('(')).and_then(|group| group.strip_suffix(')'));
        group.starts_with(|first: char| first.is_ascii_alphabetic()) && token.is_some_and(is_token)
    };
    let is_groups = |text: &str| !text.is_empty() && text.split_inclusive(')').all(is_group);
    let path = without_part(path, is_groups);
    without_part(&path, is_token)
}

/// The path without the last part in brackets that is a session, if a page's name follows.
fn without_part(path: &str, is_session: impl Fn(&str) -> bool) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    let is_page = |rest: &[&str]| {
        let rest = rest.join("/");
        rest.split('?').next().and_then(|rest| rest.rfind(".aspx")).is_some_and(|at| at > 0)
    };
    let in_brackets =
        |part: &str| part.strip_prefix('(').and_then(|part| part.strip_suffix(')')).is_some_and(&is_session);
    let found = (1..parts.len()).rev().find(|&at| in_brackets(parts[at]) && is_page(&parts[at + 1..]));
    if let Some(at) = found {
        parts.remove(at);
    }
    parts.join("/")
}

fn query_key(query: &str) -> String {
    let query = lower(without_query_session(&escape(&unescape(query.as_bytes()))));
    if query.is_empty() {
        return query;
    }
    let mut arguments: Vec<(&str, Option<&str>)> = query
        .split('&')
        .map(|argument| argument.split_once('=').map_or((argument, None), |(name, value)| (name, Some(value))))
        .collect();
    arguments.sort_unstable();
    let arguments: Vec<String> = arguments
        .into_iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.to_owned(),
        })
        .collect();
    format!("?{}", arguments.join("&"))
}

/// Sessions in a query make no other page. Each kind is looked for once, from the end.
fn without_query_session(query: &str) -> String {
    let query = without_argument(query, "jsessionid=", |value| is_run(value, 32, u8::is_ascii_alphanumeric));
    let query = without_argument(&query, "phpsessid=", |value| is_run(value, 32, u8::is_ascii_alphanumeric));
    let query = without_argument(&query, "sid=", |value| is_run(value, 32, u8::is_ascii_alphanumeric));
    let query = without_argument(&query, "aspsessionid", |value| {
        value.split_once('=').is_some_and(|(name, value)| {
            is_run(name, 8, u8::is_ascii_alphabetic) && is_run(value, 24, u8::is_ascii_alphabetic)
        })
    });
    without_cold_fusion(&query)
}

fn is_run(text: &str, len: usize, is_right: impl Fn(&u8) -> bool) -> bool {
    text.len() == len && text.as_bytes().iter().all(is_right)
}

/// The query without the last argument that begins so (in either case) and goes on, up to the next `&`, as `is_session` wants it.
fn without_argument(query: &str, name: &str, is_session: impl Fn(&str) -> bool) -> String {
    for at in occurrences(query, name) {
        let (value, rest) = split_argument(&query[at + name.len()..]);
        if is_session(value) {
            return format!("{}{rest}", &query[..at]);
        }
    }
    query.to_owned()
}

/// The same for the pair of `cfid` and `cftoken`.
fn without_cold_fusion(query: &str) -> String {
    for at in occurrences(query, "cfid=") {
        let (value, rest) = split_argument(&query[at + 5..]);
        let token =
            rest.get(..8).filter(|name| name.eq_ignore_ascii_case("cftoken=")).map(|_| split_argument(&rest[8..]));
        if let Some((token, rest)) = token
            && !value.is_empty()
            && !token.is_empty()
        {
            return format!("{}{rest}", &query[..at]);
        }
    }
    query.to_owned()
}

/// Where a name begins in a query, from the end.
fn occurrences<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_here = |at: &usize| query.get(*at..at + name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name));
    (0..query.len()).rev().filter(is_here)
}

fn split_argument(text: &str) -> (&str, &str) {
    text.split_once('&').unwrap_or((text, ""))
}

/// Undoes percent-encoding until nothing is left of it.
fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut plain: Vec<u8> = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        plain.push(byte);
        // What has just been decoded may complete another escape.
        while let [.., b'%', high, low] = plain.as_slice()
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            plain.truncate(plain.len() - 3);
            plain.push(high << 4 | low);
        }
    }
    plain
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| digit.try_into().ok())
}

/// Encodes what is not visible ASCII, and `#` and `%`.
fn escape(bytes: &[u8]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#' && byte != b'%';
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if is_plain(byte) { text.push(char::from(byte)) } else { text.push_str(&format!("%{byte:02X}")) }
    }
    text
}

fn lower(mut text: String) -> String {
    text.make_ascii_lowercase();
    text
}

#[cfg(test)]
mod tests;

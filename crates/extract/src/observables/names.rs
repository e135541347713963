//! What has a name of a host in it: URLs, e-mail and XMPP addresses, services of Tor and I2P, domains, and IP addresses.

use model::{Grade, ObservableKind, OnionAddress};

use super::{
    Finds, Found, handles,
    hosts::{self, Host, Joint},
    ips::{ipv4, ipv6},
    mail::{MAX_LOCAL, local_piece, mail},
    words::Words,
};

/// The longest URL, in bytes.
const MAX_URL: usize = 2048;

pub(super) fn find(words: &Words<'_>, out: &mut Finds) {
    // What lies before belongs to a name that was read, or cannot be the local part of an address.
    let (mut until, mut no_local_until) = (0, 0);
    for word in 0..words.len() {
        let at = words.at(word);
        if at.start < until {
            continue;
        }
        if let Err(end) = begins_name(words, word) {
            until = end;
            continue;
        }
        if let Some((found, host)) = url(words, word) {
            until = found.at.end;
            push_url(words, found, host.as_ref(), out);
        } else if let Some((found, host)) = mail(words, at.start, &mut no_local_until) {
            until = found.at.end;
            out.extend(service(&host));
            out.push(found);
        } else if let Some((at, address)) = ipv4(words, at.start) {
            until = at.end;
            out.push(Found::new(ObservableKind::Ipv4, Grade::ShapeOnly, at, address.to_string()));
        } else if let Some((at, address)) = ipv6(words, at.start) {
            until = at.end;
            out.push(Found::new(ObservableKind::Ipv6, Grade::Verified, at, address.to_string()));
        } else if let Some(host) = bare_host(words, at.start) {
            until = name(words, &host, out);
        }
    }
}

/// Whether what begins with a word may be part of a name, or else where the next thing may begin that is; most words end here.
fn begins_name(words: &Words<'_>, word: usize) -> Result<(), usize> {
    let start = words.at(word).start;
    let piece = local_piece(words, start);
    let end = start + piece.len();
    let may_go_on = match words.byte(end) {
        b'@' | b'[' | b'(' | b'{' | b'<' | b':' => true,
        b' ' => match words.byte(end + 1) {
            b'[' | b'(' | b'{' | b'<' | b'@' | b'*' | b'_' | b'-' | b'|' => true,
            byte => !byte.is_ascii() || hosts::may_be_sign(words, end + 1),
        },
        _ => false,
    };
    let has_dot = piece.trim_end_matches('.').contains('.');
    if may_go_on || has_dot || piece.len() > MAX_LOCAL { Ok(()) } else { Err(end) }
}

/// A URL with its scheme, also `hxxp` and with brackets in the place of signs, and its host if that has a name.
fn url(words: &Words<'_>, word: usize) -> Option<(Found, Option<Host>)> {
    let at = words.at(word);
    if !(3..=5).contains(&at.len()) || !matches!(words.byte(at.end), b':' | b'[' | b'(') {
        return None;
    }
    let scheme = match words.word(word).to_ascii_lowercase().as_str() {
        "http" | "hxxp" | "http1" => "http",
        "https" | "hxxps" => "https",
        "ftp" | "fxp" => "ftp",
        _ => return None,
    };
    let rest = words.after(at.end, 8);
    let separator =
        ["://", "[:]//", "[://]", "(:)//", "(://)", ":\\\\"].into_iter().find(|sign| rest.starts_with(sign))?;
    let start = at.end + separator.len();
    let authority = words.after(start, MAX_LOCAL);
    let user = authority.find(['/', '?', '#', ' ']).map_or(authority, |end| authority.get(..end).unwrap_or_default());
    let user = user.rfind('@').map_or(0, |at| at + 1);
    let (host_at, name, host) = if let Some((at, address)) = ipv4(words, start + user) {
        (at, address.to_string(), None)
    } else {
        let host = hosts::any_host(words, start + user, Joint::Bracketed)?;
        (host.at.clone(), host.name.clone(), Some(host))
    };
    let end = url_end(words, host_at.end);
    let value = format!("{scheme}://{}{name}{}", words.slice(start..start + user), words.slice(host_at.end..end));
    Some((Found::new(ObservableKind::Url, Grade::Verified, at.start..end, value), host))
}

/// Where a URL ends whose host ends at `from`: before white space and what is seldom in URLs, and before the punctuation of the sentence around it.
fn url_end(words: &Words<'_>, from: usize) -> usize {
    let rest = words.after(from, MAX_URL);
    let port = rest.strip_prefix(':').map_or(0, |rest| rest.bytes().take(6).take_while(u8::is_ascii_digit).count());
    let port = if (1..=5).contains(&port) { port + 1 } else { 0 };
    let tail = rest.get(port..).unwrap_or_default();
    if !tail.starts_with(['/', '?', '#']) {
        return from + port;
    }
    let ends = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^')
            || (!c.is_ascii() && !c.is_alphanumeric())
    };
    let mut tail = tail.find(ends).map_or(tail, |end| tail.get(..end).unwrap_or_default());
    // A list of URLs without spaces.
    if let Some(next) = [",http", ";http"].into_iter().filter_map(|next| tail.find(next)).min() {
        tail = tail.get(..next).unwrap_or_default();
    }
    loop {
        let shorter = tail.trim_end_matches(['.', ',', ';', ':', '!', '\'', '*', '?']);
        let shorter = match shorter.strip_suffix(')') {
            Some(open) if !open.contains('(') => open,
            _ => shorter.strip_suffix(']').filter(|open| !open.contains('[')).unwrap_or(shorter),
        };
        if shorter.len() == tail.len() {
            return from + port + tail.len();
        }
        tail = shorter;
    }
}

fn push_url(words: &Words<'_>, found: Found, host: Option<&Host>, out: &mut Finds) {
    if let Some(host) = host {
        out.extend(service(host));
        out.extend(handles::in_url(words, host, found.at.end));
    }
    out.push(found);
}

/// A name outside of URLs; a word for a dot counts in names that people hide for being so.
fn bare_host(words: &Words<'_>, start: usize) -> Option<Host> {
    hosts::host(words, start, Joint::Worded)
        .filter(|host| host.joint < Joint::Worded || host.is_hidden())
        .or_else(|| hosts::host(words, start, Joint::Bracketed))
}

/// A name by itself: a URL without scheme where it begins with `www.` or has a path, otherwise a service or a domain.
///
/// Returns where it ends.
fn name(words: &Words<'_>, host: &Host, out: &mut Finds) -> usize {
    let service = service(host);
    if host.is_hidden() && service.is_none() {
        return host.at.end;
    }
    let has_path = words.byte(host.at.end) == b'/' && is_path(words.byte(host.at.end + 1));
    let is_www = host.name.starts_with("www.") && host.labels() > 2;
    if host.joint < Joint::Worded && (has_path || is_www) {
        let end = url_end(words, host.at.end);
        let value = format!("{}{}", host.name, words.slice(host.at.end..end));
        let found = Found::new(ObservableKind::Url, Grade::ShapeOnly, host.at.start..end, value);
        push_url(words, found, Some(host), out);
        return end;
    }
    if let Some(service) = service {
        out.push(service);
    } else if is_domain(host) {
        out.push(Found::new(ObservableKind::Domain, Grade::ShapeOnly, host.at.clone(), host.name.clone()));
    }
    host.at.end
}

/// Whether a name is one of a domain and not `www.` before a word, or the number of an item.
fn is_domain(host: &Host) -> bool {
    !host.name.starts_with("www.")
        && host.name.bytes().take_while(|&byte| byte != b'.').any(|byte| byte.is_ascii_alphabetic())
}

fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'~' | b'@' | b'?' | b'#' | b'+' | b'%')
}

/// The service of Tor or I2P that a name leads to.
fn service(host: &Host) -> Option<Found> {
    let inner = host.name.rsplit('.').nth(1)?;
    let is_base32 = |label: &str| label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    let (kind, grade, value) = match host.tld() {
        "onion" if inner.len() == 56 && is_base32(inner) => {
            let is_sound = inner.parse::<OnionAddress>().is_ok();
            let grade = if is_sound { Grade::Verified } else { Grade::ShapeOnly };
            (ObservableKind::OnionV3, grade, format!("{inner}.onion"))
        }
        "onion" if inner.len() == 16 && is_base32(inner) => {
            (ObservableKind::OnionV2, Grade::ShapeOnly, format!("{inner}.onion"))
        }
        "i2p" => (ObservableKind::I2p, Grade::ShapeOnly, host.name.clone()),
        _ => return None,
    };
    Some(Found::within(kind, grade, host.at.clone(), value))
}

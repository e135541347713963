//! What has a name of a host in it: URLs, e-mail and XMPP addresses, services of Tor and I2P, domains, and IP addresses.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use model::{Grade, ObservableKind, OnionAddress};

use super::{
    Found,
    handles::{self, everyday::is_everyday},
    hosts::{self, Host, Joint},
    words::Words,
};

/// The longest URL, in bytes.
const MAX_URL: usize = 2048;

/// The longest local part of an address (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;

pub(super) fn find(words: &Words<'_>, out: &mut Vec<Found>) {
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
            until = host.at.end;
            name(words, &host, out);
            until = until.max(out.last().map_or(0, |found| found.at.end));
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

fn push_url(words: &Words<'_>, found: Found, host: Option<&Host>, out: &mut Vec<Found>) {
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
fn name(words: &Words<'_>, host: &Host, out: &mut Vec<Found>) {
    let service = service(host);
    if host.is_hidden() && service.is_none() {
        return;
    }
    let has_path = words.byte(host.at.end) == b'/' && is_path(words.byte(host.at.end + 1));
    let is_www = host.name.starts_with("www.") && host.labels() > 2;
    if host.joint < Joint::Worded && (has_path || is_www) {
        let end = url_end(words, host.at.end);
        let value = format!("{}{}", host.name, words.slice(host.at.end..end));
        let found = Found::new(ObservableKind::Url, Grade::ShapeOnly, host.at.start..end, value);
        push_url(words, found, Some(host), out);
    } else if let Some(service) = service {
        out.push(service);
    } else if is_domain(host) {
        out.push(Found::new(ObservableKind::Domain, Grade::ShapeOnly, host.at.clone(), host.name.clone()));
    }
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

/// An e-mail or XMPP address that begins at `start`, and its host.
fn mail(words: &Words<'_>, start: usize, no_local_until: &mut usize) -> Option<(Found, Host)> {
    if start < *no_local_until {
        return None;
    }
    let (mut local, mut end) = (String::new(), start);
    let (len, joint) = loop {
        let piece = local_piece(words, end);
        if piece.is_empty() || local.len() + piece.len() > MAX_LOCAL {
            *no_local_until = end + piece.len();
            return None;
        }
        local.push_str(piece);
        end += piece.len();
        let rest = words.after(end, MAX_LOCAL);
        if let Some(found) = hosts::at_sign(rest) {
            break found;
        }
        let Some((len, Joint::Bracketed)) = hosts::dot(rest) else {
            *no_local_until = end;
            return None;
        };
        local.push('.');
        end += len;
    };
    let most = if joint == Joint::Spaced { Joint::Spaced } else { Joint::Worded };
    let host = hosts::host(words, end + len, most)?;
    let near = words.before(start, NEAR);
    let is_provider = PROVIDERS.contains(&host.name.as_str());
    let is_made = local.bytes().any(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-'));
    let is_address = match joint {
        Joint::Plain | Joint::Bracketed => true,
        // `at` and `@` between spaces are words as well.
        Joint::Worded => {
            let is_hidden = host.joint >= Joint::Bracketed && !host.is_hidden();
            !is_everyday(&local) && (is_hidden || speaks_of_mail(near) || (is_provider && is_made))
        }
        Joint::Spaced => {
            let is_even = words.byte(end) == b'@' || words.byte(end + 2) == b' ';
            !is_everyday(&local) && (is_even || (is_provider && is_made))
        }
    };
    if !is_address || local.ends_with('.') || local.starts_with('.') {
        return None;
    }
    let kind = if is_xmpp(words, start, &host) { ObservableKind::Xmpp } else { ObservableKind::Email };
    let is_plain = joint == Joint::Plain && kind == ObservableKind::Email;
    let grade = if is_plain { Grade::ShapeOnly } else { Grade::Contextual };
    let value = format!("{local}@{}", host.name);
    Some((Found::new(kind, grade, start..host.at.end, value), host))
}

/// Characters of a local part that need no quotes and that people use; hyphens and dots at its end are punctuation.
fn local_piece<'a>(words: &Words<'a>, start: usize) -> &'a str {
    let rest = words.text.as_bytes().get(start..).unwrap_or_default();
    let is_local = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-');
    let len = rest.iter().take(MAX_LOCAL + 1).take_while(is_local).count();
    words.slice(start..start + len)
}

/// How far before an address its kind may be named, in bytes.
const NEAR: usize = 40;

const XMPP_NAMES: [&str; 7] = ["jabber", "xmpp", "jid", "jabb3r", "otr", "жабер", "джаббер"];
const MAIL_NAMES: [&str; 6] = ["mail", "m@il", "почта", "tutanota", "proton", "smtp"];

fn speaks_of_mail(near: &str) -> bool {
    let near = near.to_lowercase();
    MAIL_NAMES.iter().any(|name| near.contains(name))
}

/// Whether an address is one of XMPP: what was named last before it decides, and where nothing was, its server.
fn is_xmpp(words: &Words<'_>, start: usize, host: &Host) -> bool {
    let mut near = words.before(start, NEAR);
    if near.chars().all(|c| !c.is_alphanumeric()) {
        // A label above its value.
        near = words.before(start.saturating_sub(near.len() + 1), NEAR);
    }
    let near = near.to_lowercase();
    // What stands before another address belongs to that, and what stands in another sentence to nothing here.
    let near = near.rsplit('@').next().unwrap_or_default();
    let near = [". ", "! ", "? "].into_iter().fold(near, |near, end| near.rsplit(end).next().unwrap_or_default());
    let is_whole = |at: usize, name: &str| {
        name.len() > 3
            || (!near.get(..at).is_some_and(|near| near.ends_with(char::is_alphanumeric))
                && !near.get(at + name.len()..).is_some_and(|near| near.starts_with(char::is_alphanumeric)))
    };
    let place = |name: &&str| near.rfind(*name).filter(|&at| is_whole(at, name));
    let last = |names: &[&str]| names.iter().filter_map(place).max();
    match (last(&XMPP_NAMES), last(&MAIL_NAMES)) {
        (Some(xmpp), Some(mail)) => xmpp > mail,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => {
            host.name.split(['.', '-']).any(|label| ["jabber", "xmpp", "jabb", "jabbim", "xabber"].contains(&label))
                || XMPP_SERVERS.contains(&host.name.as_str())
        }
    }
}

/// Servers that offer XMPP and no mail.
const XMPP_SERVERS: [&str; 16] = [
    "exploit.im",
    "thesecure.biz",
    "404.city",
    "creep.im",
    "conversations.im",
    "hot-chilli.net",
    "hot-chilli.eu",
    "dukgo.com",
    "draugr.de",
    "sure.im",
    "securejabber.me",
    "chatme.im",
    "jabme.de",
    "suchat.org",
    "yax.im",
    "blah.im",
];

/// Hosts of mailboxes for everybody: `name at host` is an address there even without a further sign of one.
const PROVIDERS: [&str; 26] = [
    "gmail.com",
    "googlemail.com",
    "protonmail.com",
    "protonmail.ch",
    "proton.me",
    "pm.me",
    "tutanota.com",
    "tutanota.de",
    "tutamail.com",
    "tuta.io",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "live.com",
    "icloud.com",
    "gmx.de",
    "gmx.net",
    "gmx.com",
    "web.de",
    "mail.ru",
    "yandex.ru",
    "safe-mail.net",
    "secmail.pro",
    "mail2tor.com",
    "cock.li",
    "riseup.net",
];

/// Four numbers up to 255, the dots plain or in brackets; no part of a longer row of numbers.
fn ipv4(words: &Words<'_>, start: usize) -> Option<(Range<usize>, Ipv4Addr)> {
    if matches!(words.byte_before(start), b'.' | b'-' | b'_') {
        return None;
    }
    let mut octets = [0; 4];
    let mut at = start;
    for (place, octet) in octets.iter_mut().enumerate() {
        if place > 0 {
            let (len, joint) = hosts::dot(words.after(at, 8))?;
            at += if joint <= Joint::Bracketed { len } else { return None };
        }
        let rest = words.text.as_bytes().get(at..).unwrap_or_default();
        let len = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let digits = words.slice(at..at + len);
        *octet = digits.parse::<u8>().ok().filter(|_| len == 1 || !digits.starts_with('0'))?;
        at += len;
    }
    let goes_on = words.byte(at).is_ascii_alphanumeric()
        || (words.byte(at) == b'.' && words.byte(at + 1).is_ascii_alphanumeric());
    (!goes_on).then(|| (start..at, Ipv4Addr::from(octets)))
}

/// An IPv6 address (RFC 4291, section 2.2) that begins with a number, of at least three groups.
fn ipv6(words: &Words<'_>, start: usize) -> Option<(Range<usize>, Ipv6Addr)> {
    if matches!(words.byte_before(start), b':' | b'.') {
        return None;
    }
    let rest = words.text.as_bytes().get(start..).unwrap_or_default();
    let len = rest.iter().take(46).take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')).count();
    let text = words.slice(start..start + len).trim_end_matches('.');
    let end = start + text.len();
    if words.byte(end).is_ascii_alphanumeric() || text.matches(':').count() < 3 {
        return None;
    }
    Some((start..end, text.parse().ok()?))
}

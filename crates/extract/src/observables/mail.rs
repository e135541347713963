//! Addresses of mailboxes and of XMPP.

use model::{Grade, ObservableKind};

use super::{
    Found,
    handles::everyday::is_everyday,
    hosts::{self, Host, Joint},
    words::Words,
};

/// The longest local part of an address (RFC 5321, section 4.5.3.1.1).
pub(super) const MAX_LOCAL: usize = 64;

/// An e-mail or XMPP address that begins at `start`, and its host.
pub(super) fn mail(words: &Words<'_>, start: usize, no_local_until: &mut usize) -> Option<(Found, Host)> {
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
pub(super) fn local_piece<'a>(words: &Words<'a>, start: usize) -> &'a str {
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

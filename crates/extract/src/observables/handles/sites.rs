//! Handles in the addresses of messengers' own sites.

use model::{Grade, ObservableKind};

use super::{
    super::{Found, hosts::Host, words::Words},
    everyday::is_everyday,
    name_at,
};

/// The handle that an address of a messenger's own site leads to.
pub(in super::super) fn in_url(words: &Words<'_>, host: &Host, end: usize) -> Option<Found> {
    let start = host.at.end;
    let path = words.slice(start..end);
    let name = |skip: usize, kind: ObservableKind| {
        let found = name_at(words, start + skip, kind)?;
        let ends = found.at.end >= end || matches!(words.byte(found.at.end), b'/' | b'?' | b'#' | b'.' | b',');
        (ends && !is_everyday(&found.value) && !RESERVED.contains(&found.value.as_str()))
            .then_some(Found { may_nest: true, ..found })
    };
    let digits = |skip: usize, kind: ObservableKind| {
        let digits: String =
            path.get(skip..)?.trim_start_matches('+').chars().take_while(char::is_ascii_digit).collect();
        let shown = path.get(skip..)?.starts_with('+');
        let at = start + skip..start + skip + usize::from(shown) + digits.len();
        let value = if kind == ObservableKind::Icq { digits } else { format!("+{digits}") };
        (5..=16).contains(&value.len()).then(|| Found::within(kind, Grade::Contextual, at, value))
    };
    let tail = |prefix: &str| path.strip_prefix(prefix).map(|_| prefix.len());
    match host.name.strip_prefix("www.").unwrap_or(&host.name) {
        "t.me" | "telegram.me" | "telegram.dog" => {
            name(tail("/s/").or_else(|| tail("/@")).or_else(|| tail("/"))?, ObservableKind::Telegram)
        }
        "wa.me" => digits(tail("/")?, ObservableKind::Whatsapp),
        "api.whatsapp.com" | "web.whatsapp.com" => digits(path.find("phone=")? + 6, ObservableKind::Whatsapp),
        "twitter.com" | "x.com" | "mobile.twitter.com" => {
            name(tail("/@").or_else(|| tail("/"))?, ObservableKind::Twitter)
        }
        "kik.me" => name(tail("/")?, ObservableKind::Kik),
        "icq.im" => digits(tail("/")?, ObservableKind::Icq),
        "icq.com" => digits(tail("/people/")?, ObservableKind::Icq),
        "threema.id" => name(tail("/")?, ObservableKind::Threema),
        "signal.me" => digits(tail("/#p/")?, ObservableKind::Signal),
        _ if is_dread(&host.name) => name(tail("/u/")?, ObservableKind::Dread),
        _ => None,
    }
}

/// Pages of messengers' own sites that are nobody's.
const RESERVED: [&str; 12] = [
    "joinchat",
    "addstickers",
    "share",
    "intent",
    "home",
    "search",
    "hashtag",
    "explore",
    "settings",
    "socks",
    "setlanguage",
    "tos",
];

/// The addresses that Dread has had.
fn is_dread(host: &str) -> bool {
    matches!(
        host,
        "dreadditevelidot.onion"
            | "dreadytofatroptsdj6io7l3xptbet6onoyno2yv7jicoxknyazubrad.onion"
            | "g66ol3eb5ujdckzqqfmjsbpdjufmjd5nsgdipvxmsh7rckzlhywlzlqd.onion"
    )
}

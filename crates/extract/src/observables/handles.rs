//! Names in messengers and forums: nothing but what stands beside them tells them from words.
//!
//! A label (`Wickr`, also `W1ckr`) leads to a name over words that only connect (`me`, `id`, `is`). After a sign such as `:` any name counts that is
//! no everyday word; after mere space only one that no word looks like.

pub(super) mod everyday;
mod labels;
mod sites;

use model::{Grade, ObservableKind};

pub(super) use self::sites::in_url;
use self::{
    everyday::{is_connecting, is_everyday, is_lead, is_noun},
    labels::label,
};
use super::{
    Finds, Found,
    hosts::{self, Joint},
    phones,
    words::{self, Words},
};

/// How many words may stand between a label and its name.
const MAX_CONNECTING: usize = 8;

/// The longest name, in bytes.
const MAX_NAME: usize = 40;

/// How far to the end of a line a name may stand after a label, in bytes.
const MAX_REST: usize = 80;

pub(super) fn find(words: &Words<'_>, regions: &[String], out: &mut Finds) {
    for word in 0..words.len() {
        let at = words.at(word);
        if at.len() == 1 && words.word(word).eq_ignore_ascii_case("u") {
            out.extend(dread_user(words, at.end));
        }
        let Some((kind, last)) = label(words, word) else { continue };
        out.extend(marked_before(words, word, kind));
        out.extend(after_label(words, last, kind, regions));
    }
}

/// How firmly what stands before a name says that it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    /// Mere space.
    Space,
    /// A word such as `username`, a bracket or a quote.
    Noun,
    /// A sign such as `:`.
    Sign,
    /// `@` right before the name.
    At,
}

impl Tie {
    fn of(gap: &str) -> Self {
        if gap.ends_with('@') {
            Self::At
        } else if is_sign(gap) {
            Self::Sign
        } else if gap.ends_with(['(', '[', '"', '“', '„', '\'']) {
            Self::Noun
        } else {
            Self::Space
        }
    }
}

fn after_label(words: &Words<'_>, label_end: usize, kind: ObservableKind, regions: &[String]) -> Option<Found> {
    let mut tie = Tie::Space;
    let (mut connecting, mut stray) = (0, 0);
    for word in label_end + 1..=label_end + 1 + MAX_CONNECTING {
        let gap = words.gap(word - 1);
        let at = words.at(word);
        if at.is_empty()
            || (gap.contains('\n') && tie < Tie::Sign && !is_sign(gap) && !stands_above(words, label_end, word))
        {
            break;
        }
        tie = tie.max(Tie::of(gap));
        if tie == Tie::Space && (gap.contains(['.', '!', '?']) || (gap.contains(',') && connecting > 0)) {
            break;
        }
        // Far from the label only a long number is one of its people.
        let number = number(words, at.start, kind, tie, regions).filter(|found| stray == 0 || found.value.len() >= 8);
        if number.is_some() {
            return number;
        }
        let text = words.word(word);
        if label(words, word).is_some() {
            // `Wickr / Telegram: name`
            if tie < Tie::Sign {
                continue;
            }
            break;
        }
        if is_connecting(text) && tie != Tie::At && !goes_on_as_name(words, at.end) {
            if is_noun(text) {
                tie = tie.max(Tie::Noun);
            }
            connecting += 1;
            continue;
        }
        if kind == ObservableKind::Icq {
            stray += 1;
            continue;
        }
        let found = name_at(words, at.start, kind);
        if let Some(found) = found.filter(|found| is_meant(words, label_end, found, kind, tie)) {
            return Some(found);
        }
        break;
    }
    at_end_of_line(words, label_end, kind)
}

/// Whether what stands between two words says that the second is the value of the first.
fn is_sign(gap: &str) -> bool {
    gap.contains([':', ';', '\t', '=', '…', '–', '—', '→', '»', '>', '#', '@', '➡', '➜', '👉', '⇒', '~'])
        || gap.contains("..")
        || gap.contains("- ")
        || gap.contains(" -")
        || gap == "-"
        || gap.char_indices().any(|(at, c)| c == 'â' && gap.get(at..).is_some_and(words::is_mojibake))
}

/// Whether a label has a line for itself and the name one below it.
fn stands_above(words: &Words<'_>, label: usize, name: usize) -> bool {
    let is_alone = words.before(words.at(label).start, 24).chars().all(|c| !c.is_alphanumeric());
    let end = words.at(name).end;
    is_alone
        && words.gap(name - 1) == "\n"
        && words.after(end, MAX_NAME).chars().all(|c| !c.is_whitespace())
        && looks_made_up(words.word(name))
}

/// Whether a connecting word is only the beginning of a name, as in `me_and_you` or `id2go`.
fn goes_on_as_name(words: &Words<'_>, end: usize) -> bool {
    words.byte(end) == b'_' || (matches!(words.byte(end), b'-' | b'.') && words.byte(end + 1).is_ascii_alphanumeric())
}

/// The name that begins at `start`, if its messenger may have such a name.
fn name_at(words: &Words<'_>, start: usize, kind: ObservableKind) -> Option<Found> {
    let rest = words.text.as_bytes().get(start..).unwrap_or_default();
    let is_part = |byte: &&u8| {
        byte.is_ascii_alphanumeric()
            || **byte == b'_'
            || (matches!(byte, b'.' | b'-')
                && matches!(
                    kind,
                    ObservableKind::Wickr | ObservableKind::Kik | ObservableKind::Signal | ObservableKind::Dread
                ))
    };
    let len = rest.iter().take(MAX_NAME + 1).take_while(is_part).count();
    let name = words.slice(start..start + len).trim_end_matches(['.', '-']);
    let name = if name.ends_with("__") { name.trim_end_matches('_') } else { name };
    let end = start + name.len();
    // `name@host` and `name.onion/…` are addresses; `don't` is a word.
    let goes_on = matches!(words.byte(end), b'@' | b'\'') || words.after(end, 4).starts_with('’');
    let is_host = hosts::host(words, start, Joint::Plain)
        .is_some_and(|host| host.at.end > end || words.byte(host.at.end) == b'/');
    let has_letter = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    let fits = match kind {
        ObservableKind::Telegram => {
            (4..=32).contains(&name.len()) && name.starts_with(|c: char| c.is_ascii_alphabetic())
        }
        ObservableKind::Twitter => (3..=15).contains(&name.len()),
        ObservableKind::Kik => (2..=30).contains(&name.len()),
        ObservableKind::Wickr | ObservableKind::Dread => (3..=32).contains(&name.len()),
        ObservableKind::Signal => name.rsplit_once('.').is_some_and(|(name, digits)| {
            name.len() >= 3 && (2..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        }),
        ObservableKind::Threema => {
            name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        }
        _ => false,
    };
    let stands = fits && has_letter && !goes_on && !is_host && !words.after(end, 3).starts_with("://");
    stands.then(|| Found::new(kind, Grade::Contextual, start..end, name.to_owned()))
}

/// Whether a name after a label is meant as one.
fn is_meant(words: &Words<'_>, label_end: usize, found: &Found, kind: ObservableKind, tie: Tie) -> bool {
    let name = found.value.as_str();
    if kind == ObservableKind::Threema || kind == ObservableKind::Signal {
        return tie > Tie::Noun || name.bytes().any(|byte| byte.is_ascii_digit());
    }
    if tie == Tie::At {
        return !is_everyday(name) || kind == ObservableKind::Telegram;
    }
    if is_everyday(name) || is_measure(name) {
        return false;
    }
    match tie {
        _ if matches!(kind, ObservableKind::Twitter | ObservableKind::Dread) && tie < Tie::Sign => false,
        _ if looks_made_up(name) => true,
        Tie::Sign => !goes_on_as_sentence(words, found.at.end),
        Tie::Noun => is_unlike_words(name) && !goes_on_as_sentence(words, found.at.end),
        _ => {
            let lead = words.before(words.at(label_end).start, 16);
            let lead = lead.rsplit(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default();
            kind != ObservableKind::Kik && is_lead(lead) && is_unlike_words(name) && ends_here(words, found.at.end)
        }
    }
}

/// Letters with digits, with capitals after small letters, or with an underscore: no word is written so.
fn looks_made_up(name: &str) -> bool {
    let bytes = name.as_bytes();
    let has_digit = bytes.iter().any(u8::is_ascii_digit);
    let has_inner_capital =
        bytes.windows(2).any(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    name.len() >= 4 && (has_digit || has_inner_capital || name.trim_end_matches('_').contains('_'))
}

/// `24h`, `100g`, `x100`: numbers with a unit.
fn is_measure(name: &str) -> bool {
    let letters = name.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_counted = letters.len() < name.len() && letters.len() <= 3;
    let is_times =
        name.strip_prefix(['x', 'X', 'v', 'V']).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    is_counted || is_times
}

/// Whether an everyday word follows, so that what looks like a name is the beginning of a sentence.
fn goes_on_as_sentence(words: &Words<'_>, end: usize) -> bool {
    let Some(rest) = words.after(end, 24).strip_prefix(' ') else { return false };
    let next: &str = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    is_everyday(next) && next.starts_with(|c: char| c.is_lowercase())
}

/// Whether letters are none of a word that could follow a label in a sentence.
fn is_unlike_words(name: &str) -> bool {
    const ENDINGS: [&str; 14] =
        ["ing", "ly", "ed", "tion", "tions", "ment", "able", "ers", "ness", "ity", "ies", "ever", "ally", "ous"];
    let lower = name.to_ascii_lowercase();
    name.len() >= 6 && !ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

fn ends_here(words: &Words<'_>, end: usize) -> bool {
    let rest = words.after(end, 24);
    let text = rest.trim_start_matches(' ');
    text.is_empty() || !text.starts_with(char::is_alphanumeric)
}

/// `Wickr support day and night – name`: the lone word at the end of the line, after a sign.
fn at_end_of_line(words: &Words<'_>, label_end: usize, kind: ObservableKind) -> Option<Found> {
    if !matches!(kind, ObservableKind::Wickr | ObservableKind::Telegram | ObservableKind::Kik) {
        return None;
    }
    let start = words.at(label_end).end;
    let rest = words.after(start, MAX_REST);
    if rest.len() >= MAX_REST || rest.contains(['.', '!', '?', ';']) {
        return None;
    }
    let trimmed = rest.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let gap_end = trimmed.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let name_start = gap_end + trimmed.get(gap_end..)?.chars().next()?.len_utf8();
    let between = rest.get(..name_start)?;
    let gap = between.get(between.trim_end_matches(|c: char| !c.is_alphanumeric() || c == 'â').len()..)?;
    let found = name_at(words, start + name_start, kind)?;
    let name = found.value.as_str();
    let is_meant = is_sign(gap) && !is_everyday(name) && !is_measure(name) && (looks_made_up(name) || name.len() >= 8);
    is_meant.then_some(found)
}

/// `@name on Telegram`, `@name (Telegram)`.
fn marked_before(words: &Words<'_>, label: usize, kind: ObservableKind) -> Option<Found> {
    if !matches!(kind, ObservableKind::Telegram | ObservableKind::Twitter | ObservableKind::Wickr) {
        return None;
    }
    let near = words.before(words.at(label).start, MAX_NAME + 8);
    let near = near.trim_end_matches([' ', '(', '[']);
    let near = ["on", "op", "via", "at", "in", "в", "на"]
        .into_iter()
        .find_map(|word| near.strip_suffix(word)?.strip_suffix(' '))
        .or_else(|| words.gap(label.checked_sub(1)?).contains(['(', '[']).then_some(near))?;
    let name = near
        .get(near.rfind('@')? + 1..)
        .filter(|name| !name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_'))?;
    let before = near.get(..near.len() - name.len() - 1)?;
    if before.ends_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    // `near` is the end of the text before the label without its tail.
    let line = words.before(words.at(label).start, MAX_NAME + 8);
    let start = words.at(label).start - line.len() + before.len() + 1;
    name_at(words, start, kind)
}

/// A number after a label: one of ICQ, or a telephone number where the messenger knows people by it.
fn number(words: &Words<'_>, start: usize, kind: ObservableKind, tie: Tie, regions: &[String]) -> Option<Found> {
    match kind {
        ObservableKind::Icq => icq_number(words, start),
        ObservableKind::Whatsapp | ObservableKind::Signal => {
            let (at, value) = phones::after_label(words, start, regions)?;
            Some(Found::within(kind, Grade::Contextual, at, value))
        }
        ObservableKind::Telegram if tie > Tie::Space => {
            let (at, value) = phones::after_label(words, start, regions).filter(|(_, value)| value.starts_with('+'))?;
            Some(Found::within(kind, Grade::Contextual, at, value))
        }
        _ => None,
    }
}

/// Five to ten digits, together, in groups or one by one.
fn icq_number(words: &Words<'_>, start: usize) -> Option<Found> {
    let (mut value, mut end) = (String::new(), start);
    let mut at = start;
    while value.len() <= 10 && words.byte(at).is_ascii_digit() {
        value.push(char::from(words.byte(at)));
        end = at + 1;
        at = end + usize::from(matches!(words.byte(end), b' ' | b'-' | b'.') && words.byte(end + 1).is_ascii_digit());
    }
    let stands = (5..=10).contains(&value.len()) && !words.byte(end).is_ascii_alphanumeric();
    stands.then(|| Found::new(ObservableKind::Icq, Grade::Contextual, start..end, value))
}

/// `u/name` near the name of Dread.
fn dread_user(words: &Words<'_>, end: usize) -> Option<Found> {
    let near = 60;
    if words.byte(end) != b'/' {
        return None;
    }
    let speaks = |text: &str| text.to_ascii_lowercase().contains("dread");
    let found = name_at(words, end + 1, ObservableKind::Dread)?;
    let names_dread = speaks(words.before(end, near)) || speaks(words.after(found.at.end, near));
    names_dread.then_some(Found { may_nest: true, ..found })
}

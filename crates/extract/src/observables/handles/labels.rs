//! The names of messengers, also in leet spelling and in Cyrillic.

use model::ObservableKind;

use super::super::words::Words;

/// The messenger that a word names, and the last word of its name.
pub(super) fn label(words: &Words<'_>, word: usize) -> Option<(ObservableKind, usize)> {
    let at = words.at(word);
    if at.len() == 1 {
        // `W!ckr`, `w|ckr`
        let is_split = matches!(words.slice(at.clone()), "w" | "W")
            && matches!(words.gap(word), "!" | "|" | "¡")
            && words.word(word + 1).get(..3).is_some_and(|rest| rest.eq_ignore_ascii_case("ckr"));
        return is_split.then_some((ObservableKind::Wickr, word + 1));
    }
    if !(2..=20).contains(&at.len()) {
        return None;
    }
    let text = words.word(word);
    if !text.is_ascii() {
        return Some((foreign_label(&text.to_lowercase())?, word));
    }
    if !may_be_label(text.as_bytes()) {
        return None;
    }
    let mut room = [0; 12];
    let room = room.get_mut(..text.len())?;
    for (plain, byte) in room.iter_mut().zip(text.bytes()) {
        *plain = without_leet(byte);
    }
    let kind = match std::str::from_utf8(room).unwrap_or_default() {
        "wickr" | "wikr" | "wickrme" | "wickrid" | "wicker" | "wickerme" | "wickrpro" => ObservableKind::Wickr,
        "teiegram" | "teiegramm" | "teiegrm" | "teiegramid" | "teieg" | "tg" => ObservableKind::Telegram,
        "whatsapp" | "whatsap" | "watsapp" | "watsap" | "wapp" | "whatssapp" => ObservableKind::Whatsapp,
        "what" | "whats" if words.gap(word).len() <= 1 && words.word(word + 1).eq_ignore_ascii_case("app") => {
            return Some((ObservableKind::Whatsapp, word + 1));
        }
        "kik" => ObservableKind::Kik,
        "icq" | "icqid" => ObservableKind::Icq,
        "threema" => ObservableKind::Threema,
        "signai" => ObservableKind::Signal,
        "dread" => ObservableKind::Dread,
        "twitter" => ObservableKind::Twitter,
        _ => return None,
    };
    Some((kind, word))
}

/// Whether a word begins as a label does, at a glance: most do not.
fn may_be_label(word: &[u8]) -> bool {
    let first = |n: usize| word.get(n).copied().map_or(0, without_leet);
    match word.len() {
        2 => [first(0), first(1)] == *b"tg",
        3 => matches!([first(0), first(1)], [b'k', b'i'] | [b'i', b'c']),
        _ => match [first(0), first(1), first(2)] {
            [b'w', b'i', third] => matches!(third, b'c' | b'k'),
            [b'w', second, _] => matches!(second, b'h' | b'a'),
            start => matches!(&start, b"tei" | b"thr" | b"twi" | b"sig" | b"dre" | b"icq"),
        },
    }
}

/// A letter in the place of the digit that is written for it; `l`, too, is one of those that stand for `i`.
fn without_leet(byte: u8) -> u8 {
    match byte.to_ascii_lowercase() {
        b'1' | b'l' => b'i',
        b'3' => b'e',
        b'0' => b'o',
        b'4' => b'a',
        b'5' => b's',
        b'7' => b't',
        other => other,
    }
}

fn foreign_label(text: &str) -> Option<ObservableKind> {
    Some(match text {
        "телеграм" | "телеграмм" | "телега" | "тг" | "тлг" => ObservableKind::Telegram,
        "викр" | "виккр" => ObservableKind::Wickr,
        "ватсап" | "вотсап" | "вацап" | "ватсапп" | "уотсап" => ObservableKind::Whatsapp,
        "сигнал" => ObservableKind::Signal,
        "аська" => ObservableKind::Icq,
        "трима" => ObservableKind::Threema,
        _ => return None,
    })
}

//! What differs from one load of a page to the next without the page having changed.

use std::{ops::Range, sync::LazyLock};

use regex::{Regex, RegexBuilder};

/// Stands for whatever was left out.
pub(crate) const MASK: &str = "\u{FFFC}";

/// Room for the automaton that is built while it runs; with less it is thrown away and built again.
const DFA_BYTES: usize = 16 << 20;

// Word boundaries are those of ASCII, `(?-u:\b)`, here `B`: with the boundaries of Unicode the regex engine falls back to its slowest method on any
// text that is not ASCII. Russian words do without.

/// A time of day, with its zone.
const TIME: &str = r"[0-2]?[0-9]:[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]{1,9})?)?(?:\s?[ap]\.?mB\.?)?(?:\s?(?:utc|gmt|cet|cest|msk|z)B|\s?мск)?(?:\s?[+-](?:0[0-9]|1[0-4]):?[0-9]{2}B)?";

/// A date in figures, or with the name of a month; the day of the week before it.
const DATE: &str = r"(?:WEEKDAY,?\s)?(?:B[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|B[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2})|MONTH\s[0-9]{1,2}(?:st|nd|rd|th)?,?\s[0-9]{4}|B[0-9]{1,2}(?:st|nd|rd|th)?\.?\sMONTH,?\s[0-9]{4})";

const WEEKDAY: &str = r"(?:B(?:mon|tue|wed|thu|fri|sat|sun|maa|din|woe|don|vri|zat|zon)[a-z]*\.?|(?:понедельник|вторник|сред|четверг|пятниц|суббот|воскресен)L*|B(?:ma|di|wo|do|vr|za|zo)\.?|(?:пн|вт|ср|чт|пт|сб|вс)\.?)";

const MONTH: &str = r"(?:B(?:jan|feb|mar|maart|mrt|apr|may|mei|jun|jul|aug|sep|oct|okt|nov|dec)[a-z]*\.?|(?:янв|фев|мар|апр|май|мая|июн|июл|авг|сен|окт|ноя|дек)L*\.?)";

/// A letter. Anything beyond ASCII counts as one: the exact class would make the automaton a hundred times larger. Both cases stand here, since
/// folding the cases of a class this wide takes longer than reading a thousand pages.
const LETTER: &str = r"(?-i:[A-Za-z\x{80}-\x{10FFFF}])";

/// What may stand between a date and a time of day.
const BETWEEN: &str = r"(?:[ \t,;|T-]|BatB|BomB|в )*";

/// A clock's name, and its date.
const CLOCK: &str = r"(?:B(?:server|current|local|market|system|huidige)[ ]?(?:time|date|tijd|datum)|текущL* (?:время|дата)|(?:время|дата) сервера|Bservertijd)[ \t]*[:=]?[ \t]*";

const AGE: &str = r"(?:(?:B(?:[0-9]+|an?|een|one|few|paar)|één|один|одну)\s+)?(?:B(?:sec(?:ond)?s?|min(?:ute)?s?|h(?:ou)?rs?|days?|weeks?|months?|seconden|seconde|minuten|minuut|uur|uren|dagen|dag|weken|week|maanden|maand)\s+(?:ago|geleden)B|(?:секунд|минут|час|дн|день|недел|месяц)L*\s+назад)|B(?:just now|moments ago|zojuist)B|только что";

const DURATION: &str = r"(?:B(?:generated|rendered|executed|processed|served|loaded|execution|load|loading|render|response|generation|gegenereerd|gemaakt|opgebouwd|geladen|laadtijd)B|(?:сгенерирован|создан|загружен|выполнен)L*)[^\n0-9]{0,30}[0-9]+(?:[.,][0-9]+)?\s?(?:(?:ms|msecs?|milliseconds?|milliseconden|us|s|secs?|seconds?|seconden)B|µs|мс|секL*|с)";

const COUNTED_BEFORE: &str = r"(?:B(?:online|visitors?|visits?|guests?|users|members|hits|views?|viewed|pageviews?|bezoekers?|gasten|gebruikers|leden|weergaven|bekeken)|(?:просмотр|посетител|гост|пользовател)L*|онлайн)(?:[ \t](?:online|now|today|nu|vandaag|сейчас|сегодня|онлайн))?[ \t]*[:=(]?[ \t]*COUNT";

const COUNTED_AFTER: &str = r"BCOUNT[ \t]+(?:(?:L+[ \t]+)?B(?:online|visitors?|visits|guests?|users|views?|hits|bezoekers?|gasten|gebruikers|weergaven|keer bekeken)B|(?:L+[ \t]+)?(?:просмотр|посетител|гост|пользовател)L*|(?:L+[ \t]+)?онлайн)";

/// A count, its thousands parted or not.
const COUNT: &str = r"(?:[0-9]{1,3}(?:[., \u{A0}][0-9]{3}B)+|[0-9]+B)";

const TOKEN: &str =
    r"B(?:csrf|xsrf|token|nonce|session|request|ray|trace)[ _-]?(?:id|token|key)?[ \t]*[:=#][ \t]*[0-9a-z+/_=-]{8,}";

static NOISE: LazyLock<Regex> = LazyLock::new(|| {
    let moment = format!("(?:{DATE}{BETWEEN}|B){TIME}(?:[ \\t,;]+{DATE})?");
    let clock = format!("{CLOCK}{DATE}(?:{BETWEEN}{TIME})?");
    let pattern = format!("(?i){clock}|{moment}|{AGE}|{DURATION}|{COUNTED_BEFORE}|{COUNTED_AFTER}|{TOKEN}");
    let pattern = pattern
        .replace("COUNT", COUNT)
        .replace("WEEKDAY", WEEKDAY)
        .replace("MONTH", MONTH)
        .replace('L', LETTER)
        .replace('B', r"(?-u:\b)");
    #[expect(clippy::expect_used, reason = "the pattern is a constant, and tests compile it")]
    RegexBuilder::new(&pattern).dfa_size_limit(DFA_BYTES).build().expect("the pattern of noise")
});

/// Where noise lies in a text, in bytes, in order.
pub fn noise(text: &str) -> impl Iterator<Item = Range<usize>> {
    NOISE.find_iter(text).map(|found| found.range())
}

/// Gives the parts of `text` in order, noise replaced.
pub(crate) fn masked<'a>(text: &'a str, mut part: impl FnMut(&'a str)) {
    let mut from = 0;
    for found in noise(text) {
        part(text.get(from..found.start).unwrap_or_default());
        part(MASK);
        from = found.end;
    }
    part(text.get(from..).unwrap_or_default());
}

/// Whether a parameter of a query is different on each load: by its name, or by a value that is long and random.
pub(crate) fn is_noisy_parameter(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let by_name = matches!(
        name.as_str(),
        "sid"
            | "sess"
            | "phpsessid"
            | "jsessionid"
            | "_"
            | "_t"
            | "ts"
            | "time"
            | "timestamp"
            | "rand"
            | "random"
            | "rnd"
            | "cb"
            | "nocache"
            | "cache"
            | "sig"
            | "auth"
    ) || ["csrf", "xsrf", "token", "nonce", "session"].iter().any(|word| name.contains(word));
    by_name || is_random(value)
}

/// Sixteen or more characters of hexadecimal or Base64 that no word looks like.
fn is_random(value: &str) -> bool {
    if value.len() < 16
        || !value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-' | b'=' | b'%'))
    {
        return false;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let is_hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_both_cases =
        value.bytes().any(|byte| byte.is_ascii_uppercase()) && value.bytes().any(|byte| byte.is_ascii_lowercase());
    // Words joined by hyphens have neither digits within nor capitals.
    (is_hex && digits > 0 && digits < value.len()) || (digits >= 2 && has_both_cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let mut out = String::new();
        masked(text, |part| out.push_str(part));
        assert_eq!(out.replace(MASK, "~"), expect);
    }

    #[test]
    fn clocks() {
        check("Server time: 2031-02-03 14:05:06 UTC", "~");
        check("Server time: Friday, Feb 03, 2031 22:46:36", "~");
        check("Now 3:07 pm, order now", "Now ~, order now");
        check("2031-02-03T14:05:06.123Z", "~");
        check("14:05 03.02.2031 end", "~ end");
        check("Servertijd: 3 februari 2031 om 14:05", "~");
        check("Время сервера: 03.02.2031, 14:05:06 МСК", "~");
        check("Current date: 2031-02-03", "~");
    }

    #[test]
    fn ages_and_durations() {
        check("posted 3 minutes ago by x", "posted ~ by x");
        check("een uur geleden, 5 минут назад, just now", "~, ~, ~");
        check("Page generated in 12 ms", "Page ~");
        check("Page generated in 0.012 seconds.", "Page ~.");
        check("Сгенерировано за 0,5 сек.", "~.");
    }

    #[test]
    fn counters_and_tokens() {
        check("Users online: 1,234", "~");
        check("online: 123 users", "~ users");
        check("57 visitors online", "~");
        check("Views 1 234 today", "~ today");
        check("Просмотров: 77", "~");
        check("Request ID: 3f2a-77b1c0de", "~");
    }

    #[test]
    fn what_matters_stays() {
        for text in [
            "Price: 120.50 EUR",
            "0.05199685 BTC/112g",
            "In stock: 17",
            "sold 1,335",
            "Member since 2019-04-15",
            "Ships within 2 days",
            "ratio 4:75",
            "0x52908400098527886E0F7030069857D2E4169EE7",
            "views of 2 cities",
            "Page 3 of 12",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn parameters() {
        for (name, value) in [
            ("csrf", "1"),
            ("form_token", "x"),
            ("PHPSESSID", "1"),
            ("x", "3f2a77b1c0de99ab"),
            ("x", "aB3dE5gH7jK9mN1p"),
        ] {
            assert!(is_noisy_parameter(name, value), "{name}={value}");
        }
        for (name, value) in [
            ("id", "12"),
            ("id", "1234567890123456789"),
            ("page", "3"),
            ("c", "counterfeit-goods-of-all-kinds"),
            ("q", "deadbeef"),
        ] {
            assert!(!is_noisy_parameter(name, value), "{name}={value}");
        }
    }
}

mod spoken;

use model::Spoken;

/// How many bytes of text the guess sees: trigrams of more would cost time and add nothing.
const SAMPLE_BYTES: usize = 600;

/// A line of this many words is prose more often than a menu.
const PROSE_WORDS: usize = 6;

/// How many lines are weighed.
const MAX_LINES: usize = 2000;

/// The language of `text` as ISO 639-3, where there is enough of it to tell, and the languages of its parts.
pub(crate) fn of(text: &str) -> (Option<String>, Vec<Spoken>) {
    let whole = guess(text);
    (whole.map(str::to_owned), spoken::spoken(text, whole))
}

fn guess(text: &str) -> Option<&'static str> {
    let sample = sample(text);
    if spoken::is_english(&sample) { Some("eng") } else { certain(&sample) }
}

/// The language of a text, told by its letters, if it can hardly be another.
fn certain(text: &str) -> Option<&'static str> {
    let info = whatlang::detect(text)?;
    info.is_reliable().then(|| info.lang().code())
}

/// The longest lines of prose where there are some, since menus and names are in any language; anything otherwise. Keys and digests, which are one
/// long word, never.
fn sample(text: &str) -> String {
    let readable = |line: &&str| line.contains([' ', '\t']) || line.len() < 40;
    let (mut prose, words): (Vec<&str>, Vec<&str>) =
        text.lines().filter(readable).take(MAX_LINES).partition(|line| line.split(' ').nth(PROSE_WORDS - 1).is_some());
    prose.sort_by_key(|line| std::cmp::Reverse(line.len()));
    // A vendor's standing words are on each offer in a list.
    prose.dedup();
    let mut sample = String::new();
    for line in prose.into_iter().chain(words) {
        let room = SAMPLE_BYTES.saturating_sub(sample.len());
        sample.push_str(line.get(..line.floor_char_boundary(room)).unwrap_or_default());
        sample.push('\n');
        if sample.len() >= SAMPLE_BYTES {
            break;
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(guess(text), expect, "{text}");
    }

    #[test]
    fn the_languages_of_the_trade() {
        check(
            "This listing ships from Germany within two days, and the vendor answers every message before the evening.",
            Some("eng"),
        );
        check(
            "Deze aanbieding wordt binnen twee dagen vanuit Duitsland verzonden en de verkoper beantwoordt elk bericht nog voor de avond.",
            Some("nld"),
        );
        check(
            "Этот товар отправляется из Германии в течение двух дней, продавец отвечает на каждое сообщение до вечера.",
            Some("rus"),
        );
    }

    #[test]
    fn a_language_that_could_be_another_is_none() {
        check("Отправка из Нидерландов, продавец отвечает в течение суток, оплата через гаранта.", None);
        check(
            "Ez a termék két napon belül Németországból indul, és az eladó minden üzenetre még este előtt válaszol a vevőnek.",
            Some("hun"),
        );
    }

    #[test]
    fn prose_outweighs_the_menu() {
        let menu = "Home\nLogin\nRegister\nSearch the market\nForum\n".repeat(60);
        let post = "Ik heb vorige week besteld en het pakket is nog steeds niet aangekomen, heeft iemand anders dit ook met deze verkoper meegemaakt?";
        check(&format!("{menu}{post}\n{menu}"), Some("nld"));
    }

    #[test]
    fn words_said_again_and_again_count_once() {
        let standing = "Elke bestelling wordt dezelfde dag nog verzonden en u krijgt altijd bericht zodra het pakket de deur uit is gegaan.\n";
        let offers = "A lamp of brass for the hall of your house.\nAnother lamp, of copper, for the table by the window.\nShades of paper for all of our lamps.\n\
                      Oil that burns without smoke, enough for a whole winter of long evenings.\nWicks that fit every one of the lamps in this shop.\n";
        check(&format!("{}{offers}", standing.repeat(20)), Some("eng"));
    }

    #[test]
    fn too_little_to_tell() {
        check("", None);
        check("12:30 0.5", None);
    }
}

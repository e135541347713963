use std::collections::HashMap;

use model::Spoken;

use super::{PROSE_WORDS, certain};
use crate::observables::offset;

/// Lines that are looked at.
const MAX_LINES: usize = 5000;

/// A line shorter than this many bytes says too little to be told by its letters.
const LEAST_BYTES: usize = 100;

/// How many bytes of a line are told by their letters, and by their words.
const SAMPLE_BYTES: usize = 300;

/// How many lines are told by their letters, which takes a tenth of a millisecond each: these, and one more for so many bytes of text, up to a limit.
const FEW_LINES: usize = 2;
const BYTES_A_LINE: usize = 8192;
const MANY_LINES: usize = 32;

/// Nor is more asked where so many more lines could not be told than could: then it is names and numbers, and no prose.
const MAX_MISSES: usize = 1;

/// The parts of a text that are in one language each, given the language of the whole.
///
/// A line of prose with little words of the language of the whole, and with no more of another's, is taken to be in it. Of the rest the longest are
/// told by their letters. What lies between two lines of one language goes with them.
pub(super) fn spoken(text: &str, whole: Option<&'static str>) -> Vec<Spoken> {
    let prose: Vec<&str> = text.lines().take(MAX_LINES).filter(|line| is_prose(line)).collect();
    let mut languages: Vec<Option<&'static str>> =
        prose.iter().map(|line| whole.filter(|whole| sounds_like(line, whole))).collect();
    let mut doubtful: Vec<usize> = (0..prose.len())
        .filter(|&at| languages.get(at) == Some(&None) && prose.get(at).is_some_and(|line| line.len() >= LEAST_BYTES))
        .collect();
    doubtful.sort_by_key(|&at| std::cmp::Reverse(prose.get(at).map_or(0, |line| line.len())));
    let budget = (FEW_LINES + text.len() / BYTES_A_LINE).min(MANY_LINES);
    let mut told: HashMap<&str, Option<&'static str>> = HashMap::new();
    let mut misses = 0;
    for at in doubtful {
        let (Some(line), Some(language)) = (prose.get(at), languages.get_mut(at)) else { continue };
        let sample = beginning(line);
        if told.len() < budget && 2 * misses <= told.len() + MAX_MISSES && !told.contains_key(sample) {
            let found = certain(sample);
            misses += usize::from(found.is_none());
            told.insert(sample, found);
        }
        *language = told.get(sample).copied().flatten();
    }
    let mut runs: Vec<Spoken> = Vec::new();
    for (line, language) in prose.into_iter().zip(languages) {
        let Some(language) = language else { continue };
        let start = line.as_ptr().addr() - text.as_ptr().addr();
        let at = offset(start)..offset(start + line.len());
        match runs.last_mut() {
            Some(run) if run.language == language => run.at.end = at.end,
            _ => runs.push(Spoken { at, language: language.to_owned() }),
        }
    }
    runs
}

fn is_prose(line: &str) -> bool {
    line.split(' ').nth(PROSE_WORDS - 1).is_some()
}

fn beginning(line: &str) -> &str {
    line.get(..line.floor_char_boundary(SAMPLE_BYTES)).unwrap_or_default()
}

/// Whether a line has little words of a language, and no more of any other.
fn sounds_like(line: &str, language: &str) -> bool {
    let Some(own) = LANGUAGES.iter().position(|known| *known == language) else { return false };
    let counts = little_words(beginning(line));
    let count = counts.get(own).copied().unwrap_or_default();
    count > 0 && counts.iter().enumerate().all(|(at, &other)| at == own || other < count)
}

/// How many little words of each language a text has.
fn little_words(text: &str) -> [u32; LANGUAGES.len()] {
    let mut counts = [0; LANGUAGES.len()];
    for languages in languages_of_words(text).filter(|&languages| languages != 0) {
        for (at, count) in counts.iter_mut().enumerate() {
            *count += u32::from(languages >> at & 1);
        }
    }
    counts
}

fn languages_of_words(text: &str) -> impl Iterator<Item = u8> {
    text.split([' ', '\n', '\t']).map(|word| languages_of(word.trim_matches(|c: char| c.is_ascii_punctuation())))
}

/// Whether a text has many little words of English and hardly one that is none: most pages have, and it is told a hundred times faster than by letters.
pub(super) fn is_english(text: &str) -> bool {
    let (mut own, mut foreign) = (0, 0);
    for languages in languages_of_words(text) {
        own += u32::from(languages & ENG != 0);
        foreign += u32::from(languages != 0 && languages & ENG == 0);
    }
    own >= 6 && 3 * foreign < own
}

const ENG: u8 = 1;
const NLD: u8 = 1 << 1;
const DEU: u8 = 1 << 2;
const FRA: u8 = 1 << 3;
const SPA: u8 = 1 << 4;
const RUS: u8 = 1 << 5;

/// Languages by the place of their bit.
const LANGUAGES: [&str; 6] = ["eng", "nld", "deu", "fra", "spa", "rus"];

/// The languages that a little word is one of the most frequent in.
fn languages_of(word: &str) -> u8 {
    let mut lower = [0; 8];
    let Some(lower) = lower.get_mut(..word.len()) else { return 0 };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    match std::str::from_utf8(lower).unwrap_or_default() {
        "the" | "and" | "of" | "to" | "you" | "for" | "with" | "this" | "that" | "are" | "not" | "have" | "from"
        | "your" | "be" | "or" | "it" | "will" | "all" | "by" | "if" => ENG,
        "het" | "een" | "van" | "niet" | "met" | "voor" | "op" | "dat" | "zijn" | "ook" | "naar" | "te" | "wij"
        | "bij" | "nog" | "aan" | "uit" => NLD,
        "der" | "und" | "das" | "ist" | "nicht" | "mit" | "ein" | "eine" | "auf" | "von" | "zu" | "wir" | "den"
        | "sie" | "ich" | "auch" => DEU,
        "le" | "les" | "et" | "des" | "est" | "pas" | "pour" | "une" | "dans" | "vous" | "nous" | "avec" | "sur" => FRA,
        "el" | "los" | "y" | "es" | "para" | "con" | "por" | "del" | "las" | "su" | "una" | "como" => SPA,
        "is" | "in" | "we" => ENG | NLD,
        "was" => ENG | NLD | DEU,
        "die" => NLD | DEU,
        "de" | "en" => NLD | FRA | SPA,
        "la" | "que" => FRA | SPA,
        "и" | "в" | "не" | "на" | "с" | "что" | "по" | "это" | "для" | "за" | "из" | "мы" | "вы" | "как" | "от" => {
            RUS
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: &str =
        "This listing ships from Germany within two days, and the vendor answers every message before the evening.";
    const DUTCH: &str = "Deze aanbieding wordt binnen twee dagen vanuit Duitsland verzonden en de verkoper beantwoordt elk bericht nog voor de avond.";
    const RUSSIAN: &str =
        "Этот товар отправляется из Германии в течение двух дней, продавец отвечает на каждое сообщение до вечера.";
    const HUNGARIAN: &str = "Ez a termék két napon belül Németországból indul, és az eladó minden üzenetre még este előtt válaszol a vevőnek.";

    /// The parts of a text with their languages.
    fn parts<'a>(text: &'a str, whole: Option<&'static str>) -> Vec<(&'a str, String)> {
        let part = |run: Spoken| (&text[run.at.start as usize..run.at.end as usize], run.language);
        spoken(text, whole).into_iter().map(part).collect()
    }

    #[test]
    fn lines_of_one_language_are_one_run() {
        let text = format!("Home\n{ENGLISH}\nPrice\n{ENGLISH}\nHelp");
        let run = format!("{ENGLISH}\nPrice\n{ENGLISH}");
        assert_eq!(parts(&text, Some("eng")), [(run.as_str(), "eng".to_owned())]);
    }

    #[test]
    fn another_language_begins_another_run() {
        let text = format!("{ENGLISH}\n{DUTCH}\n{RUSSIAN}\n{HUNGARIAN}\n{ENGLISH}{}", "\nHome".repeat(5000));
        let found: Vec<String> = parts(&text, Some("eng")).into_iter().map(|(_, language)| language).collect();
        assert_eq!(found, ["eng", "nld", "rus", "hun", "eng"]);
        let found: Vec<String> = parts(&text, None).into_iter().map(|(_, language)| language).collect();
        assert_eq!(found, ["eng", "nld", "rus", "hun", "eng"]);
    }

    #[test]
    fn what_is_too_short_or_no_language_is_in_none() {
        assert_eq!(parts("one two three four five six", None), []);
        assert_eq!(parts("", Some("eng")), []);
        let table = "12.50 0.3 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39";
        assert_eq!(parts(table, Some("eng")), []);
    }

    #[test]
    fn a_long_text_costs_a_bounded_number_of_guesses() {
        let lines: Vec<String> = (0..20_000).map(|number| format!("{number} {HUNGARIAN}")).collect();
        let runs = spoken(&lines.join("\n"), Some("eng"));
        assert_eq!(runs.len(), 1);
    }
}

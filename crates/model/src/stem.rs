use std::{borrow::Cow, fmt};

use frostem::{Algorithm, Stemmer};

/// A language whose words can be stemmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Language(&'static Stemmed);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Stemmed {
    code: &'static str,
    name: &'static str,
    algorithm: Algorithm,
}

const fn stemmed(code: &'static str, name: &'static str, algorithm: Algorithm) -> Stemmed {
    Stemmed { code, name, algorithm }
}

static LANGUAGES: [Stemmed; 15] = [
    stemmed("dan", "Danish", Algorithm::Danish),
    stemmed("deu", "German", Algorithm::German),
    stemmed("eng", "English", Algorithm::English),
    stemmed("fin", "Finnish", Algorithm::Finnish),
    stemmed("fra", "French", Algorithm::French),
    stemmed("ita", "Italian", Algorithm::Italian),
    stemmed("nld", "Dutch", Algorithm::Dutch),
    stemmed("nor", "Norwegian", Algorithm::Norwegian),
    stemmed("pol", "Polish", Algorithm::Polish),
    stemmed("por", "Portuguese", Algorithm::Portuguese),
    stemmed("ron", "Romanian", Algorithm::Romanian),
    stemmed("rus", "Russian", Algorithm::Russian),
    stemmed("spa", "Spanish", Algorithm::Spanish),
    stemmed("swe", "Swedish", Algorithm::Swedish),
    stemmed("tur", "Turkish", Algorithm::Turkish),
];

impl Language {
    /// The language with this code, ISO 639-3.
    pub fn of_code(code: &str) -> Option<Self> {
        LANGUAGES.iter().find(|language| language.code == code).map(Self)
    }

    /// The codes of all of them.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        LANGUAGES.iter().map(|language| language.code)
    }

    /// The code, ISO 639-3.
    pub fn code(self) -> &'static str {
        self.0.code
    }

    /// The stem of a word that is folded as [`crate::words`] folds it (Snowball's algorithms).
    ///
    /// It is a function of the folded word, so that the words of an index can be told by their stems. Folding takes the
    /// breve off the Russian й, which endings need; it is put back where it follows a vowel. Dutch plurals such as `wapens`
    /// lose only their s at first, where the singular loses its `en`; so Dutch is stemmed twice.
    pub fn stem(self, folded: &str) -> Cow<'_, str> {
        let is_cyrillic = folded.chars().next().is_some_and(|c| ('\u{400}'..='\u{52f}').contains(&c));
        match (self.0.algorithm, is_cyrillic) {
            (Algorithm::Russian, true) => {
                let word = with_short_i(folded);
                Cow::Owned(Stemmer::new(Algorithm::Russian).stem(&word).into_owned())
            }
            (Algorithm::Russian, false) | (_, true) => Cow::Borrowed(folded),
            (Algorithm::Dutch, false) => {
                let stemmer = Stemmer::new(Algorithm::Dutch);
                Cow::Owned(stemmer.stem(&stemmer.stem(folded)).into_owned())
            }
            (algorithm, false) => Stemmer::new(algorithm).stem(folded),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

/// The word with й for each и that follows a vowel at its end, or before an ending of the imperative.
fn with_short_i(folded: &str) -> String {
    let (body, ending) = ["те", "ся", "тесь"]
        .iter()
        .find_map(|ending| folded.strip_suffix(ending).filter(|body| ends_short(body)).map(|body| (body, *ending)))
        .unwrap_or((folded, ""));
    match body.strip_suffix('и').filter(|_| ends_short(body)) {
        Some(body) => format!("{body}й{ending}"),
        None => folded.to_owned(),
    }
}

/// Whether a word ends in и after a vowel.
fn ends_short(word: &str) -> bool {
    let mut backwards = word.chars().rev();
    backwards.next() == Some('и')
        && backwards.next().is_some_and(|c| matches!(c, 'а' | 'е' | 'и' | 'о' | 'у' | 'ы' | 'э' | 'ю' | 'я'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Words;

    fn stem(code: &str, word: &str) -> String {
        let mut words = Words::of(word);
        let folded = words.advance().unwrap().folded.unwrap().to_owned();
        Language::of_code(code).unwrap().stem(&folded).into_owned()
    }

    fn check(code: &str, words: &[&str]) {
        let stems: Vec<String> = words.iter().map(|word| stem(code, word)).collect();
        assert!(stems.iter().all(|stem| *stem == stems[0]), "{words:?} have {stems:?}");
    }

    #[test]
    fn forms_of_a_word_have_one_stem() {
        check("nld", &["pistool", "pistolen"]);
        check("nld", &["wapen", "wapens", "Wapenen"]);
        check("eng", &["pistol", "Pistols"]);
        check("eng", &["stressers", "stresser"]);
        check("rus", &["пистолет", "пистолета", "пистолеты"]);
        check("rus", &["поддельный", "поддельные", "поддельная", "поддельных"]);
        check("rus", &["украденный", "украденной", "украденные"]);
        check("rus", &["покупайте", "покупай"]);
        check("rus", &["ПОЛИЦИЯ", "полиции"]);
        check("deu", &["Pässe", "passe"]);
    }

    #[test]
    fn different_words_and_scripts_stay_apart() {
        assert_ne!(stem("nld", "wapen"), stem("nld", "water"));
        assert_eq!(stem("rus", "listings"), "listings");
        assert_eq!(stem("eng", "пистолеты"), "пистолеты");
        assert!(Language::of_code("english").is_none() && Language::of_code("").is_none());
    }

    #[test]
    fn codes_are_in_order_and_known() {
        assert!(Language::codes().is_sorted());
        assert!(Language::codes().all(|code| Language::of_code(code).is_some_and(|language| language.code() == code)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_stem(word in "\\PC{0,140}") {
            for language in LANGUAGES.iter().map(Language) {
                language.stem(&word);
            }
        }
    }
}

use std::collections::HashMap;

use model::Language;
use tantivy::tokenizer::{TokenStream, Tokenizer};

use crate::analyzer::{Analyzer, Tokens};

/// The name under which the engine knows the tokenizer of stems; like that of the analyzer, it stands in the schema of every index.
pub(crate) const NAME: &str = "stems-1";

/// The length of the code of a language.
const CODE: usize = 3;

/// The most stems that are remembered: most words of a text have been met before, and to stem takes longer than to look up.
const MOST_REMEMBERED: usize = 50_000;

/// Makes of a text, which the code of its language stands before, the stems of its words, each behind that code: words of two languages never share
/// a stem.
#[derive(Clone, Default)]
pub(crate) struct Stems {
    analyzer: Analyzer,
    remembered: Remembered,
}

/// Words that were met before, and what their stems are found by, for each language apart: texts of several languages come in turn.
#[derive(Clone, Default)]
struct Remembered(HashMap<Language, HashMap<Box<str>, Box<str>>>);

impl Remembered {
    /// The words of a language. All are forgotten where they have become too many.
    fn of(&mut self, language: Language) -> &mut HashMap<Box<str>, Box<str>> {
        if self.0.values().map(HashMap::len).sum::<usize>() > MOST_REMEMBERED {
            self.0.clear();
        }
        self.0.entry(language).or_default()
    }
}

/// What the stem of a word is found by.
pub(crate) fn term(language: Language, word: &str) -> String {
    format!("{}{}", language.code(), language.stem(word))
}

/// A text as [`Stems`] takes it; `None` where the language has no stems, or is not known.
pub(crate) fn in_language(code: Option<&str>, text: &str) -> Option<String> {
    let language = Language::of_code(code?)?;
    Some(format!("{}{text}", language.code()))
}

impl Tokenizer for Stems {
    type TokenStream<'a> = StemStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> StemStream<'a> {
        let (code, text) = text.split_at_checked(CODE).unwrap_or(("", text));
        let known = Language::of_code(code).map(|language| (language, self.remembered.of(language)));
        StemStream { words: self.analyzer.token_stream(text), known }
    }
}

/// The stems of a text.
pub(crate) struct StemStream<'a> {
    words: Tokens<'a>,
    known: Option<(Language, &'a mut HashMap<Box<str>, Box<str>>)>,
}

impl TokenStream for StemStream<'_> {
    fn advance(&mut self) -> bool {
        let Some((language, remembered)) = &mut self.known else { return false };
        if !self.words.advance() {
            return false;
        }
        let text = &mut self.words.token_mut().text;
        if let Some(known) = remembered.get(text.as_str()) {
            text.clear();
            text.push_str(known);
        } else {
            let stem = term(*language, text);
            remembered.insert(text.as_str().into(), stem.as_str().into());
            *text = stem;
        }
        true
    }

    fn token(&self) -> &tantivy::tokenizer::Token {
        self.words.token()
    }

    fn token_mut(&mut self) -> &mut tantivy::tokenizer::Token {
        self.words.token_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tokenizer: &mut Stems, code: &str, text: &str, expect: &[&str]) {
        let text = in_language(Some(code), text).unwrap();
        let mut stream = tokenizer.token_stream(&text);
        let mut stems = Vec::new();
        while stream.advance() {
            stems.push(stream.token().text.clone());
        }
        assert_eq!(stems, expect, "{text:?}");
    }

    #[test]
    fn words_become_stems_of_their_language() {
        let mut tokenizer = Stems::default();
        check(&mut tokenizer, "eng", "Two pistols, one pistol", &["engtwo", "engpistol", "engone", "engpistol"]);
        check(&mut tokenizer, "nld", "pistolen pistool", &["nldpistool", "nldpistool"]);
        check(&mut tokenizer, "rus", "пистолеты two", &["rusпистолет", "rustwo"]);
        // A word that two languages have is remembered for each of them apart.
        check(&mut tokenizer, "eng", "pistolen", &["engpistolen"]);
        check(&mut tokenizer, "nld", "pistolen", &["nldpistool"]);
        assert_eq!((in_language(None, "a"), in_language(Some("und"), "a")), (None, None));
    }
}

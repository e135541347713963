//! The words of a text, cut and folded in one way for the index, for queries and for indicators.
//!
//! A word is a run of letters and digits. It is decomposed for compatibility (NFKD, UAX #15), lower-cased, and loses
//! diacritics and invisible characters, with which sites hide words from a search: `Café`, `cafe` and `ca<ZWSP>fe`
//! are one word. A change of these rules needs a new name for the analyzer of the index.

use std::ops::Range;

use icu_normalizer::DecomposingNormalizerBorrowed;

/// The longest word that is indexed, in characters: an onion address has 56, a Monero address 95, an integrated one 106.
pub const MAX_WORD_CHARS: usize = 128;

/// The words of a text, in order.
#[derive(Debug)]
pub struct Words<'a> {
    text: &'a str,
    /// Where the text goes on, in bytes.
    at: usize,
    folded: String,
}

/// One word of a text.
#[derive(Debug)]
pub struct Word<'a> {
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    /// Its folded form; `None` when it is longer than what is indexed.
    pub folded: Option<&'a str>,
}

impl<'a> Words<'a> {
    /// Begins at the start of `text`.
    pub fn of(text: &'a str) -> Self {
        Self { text, at: 0, folded: String::new() }
    }

    /// The next word. It lends its folded form, which is overwritten by the one after.
    pub fn advance(&mut self) -> Option<Word<'_>> {
        let (range, fits) = self.fold_next()?;
        Some(Word { range, folded: fits.then_some(self.folded.as_str()) })
    }

    /// Folds the next word; says where it stands, and whether it is short enough to be indexed.
    fn fold_next(&mut self) -> Option<(Range<usize>, bool)> {
        loop {
            let start = self.pass(|byte| !byte.is_ascii_alphanumeric(), |c| !is_of_a_word(c));
            let end = self.pass(u8::is_ascii_alphanumeric, |c| is_of_a_word(c) || is_dropped(c));
            let word = self.text.get(start..end).filter(|word| !word.is_empty())?;
            let fits = fold_into(word, &mut self.folded);
            // What folds away entirely is no word.
            if !fits || !self.folded.is_empty() {
                return Some((start..end, fits));
            }
        }
    }

    /// Passes by characters, most of which are ASCII and told by their byte; says where it stopped.
    fn pass(&mut self, passes_ascii: impl Fn(&u8) -> bool, passes_other: impl Fn(char) -> bool) -> usize {
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.at += rest.iter().take_while(|&byte| byte.is_ascii() && passes_ascii(byte)).count();
            match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
                Some(c) if !c.is_ascii() && passes_other(c) => self.at += c.len_utf8(),
                _ => return self.at,
            }
        }
    }
}

/// Whether a character is a letter or a digit; most that are not ASCII are Cyrillic.
fn is_of_a_word(c: char) -> bool {
    matches!(c, 'А'..='я') || c.is_alphanumeric()
}

/// Writes the folded form of `word`; false when it is too long.
fn fold_into(word: &str, folded: &mut String) -> bool {
    folded.clear();
    if word.is_ascii() {
        folded.push_str(word.get(..MAX_WORD_CHARS).unwrap_or(word));
        folded.make_ascii_lowercase();
        return word.len() <= MAX_WORD_CHARS;
    }
    for (count, c) in word.chars().enumerate() {
        match folded_at_once(c) {
            Some(_) if count == MAX_WORD_CHARS => return false,
            Some(c) => folded.push(c),
            None => return fold_by_tables(word, folded),
        }
    }
    true
}

/// What the tables make of the letters of everyday text.
const fn folded_at_once(c: char) -> Option<char> {
    match c {
        '0'..='9' | 'a'..='z' | 'A'..='Z' => Some(c.to_ascii_lowercase()),
        'й' | 'Й' => Some('и'),
        'ё' | 'Ё' => Some('е'),
        'а'..='я' => Some(c),
        'А'..='Я' => char::from_u32(c as u32 + 0x20),
        _ => None,
    }
}

/// Folds by the tables of Unicode.
fn fold_by_tables(word: &str, folded: &mut String) -> bool {
    folded.clear();
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(word.chars());
    let lower = decomposed.filter(|&c| !is_dropped(c)).flat_map(char::to_lowercase).filter(|&c| !is_dropped(c));
    for (count, c) in lower.enumerate() {
        if count == MAX_WORD_CHARS {
            return false;
        }
        match undecomposable(c) {
            Some(plain) => folded.push_str(plain),
            None => folded.push(c),
        }
    }
    true
}

/// Letters that people write without their stroke or as two, and that Unicode does not decompose.
const fn undecomposable(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        'ħ' => "h",
        'ı' => "i",
        'ς' => "σ",
        _ => return None,
    })
}

/// Diacritics of Latin, Greek, Cyrillic, Hebrew and Arabic, and characters that are not seen.
const fn is_dropped(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let mut words = Words::of(text);
        let mut folded = Vec::new();
        while let Some(word) = words.advance() {
            folded.extend(word.folded.map(str::to_owned));
        }
        assert_eq!(folded, expect, "{text:?}");
    }

    #[test]
    fn words_are_folded() {
        check("Crème BRÛLÉE, naïve-ly", &["creme", "brulee", "naive", "ly"]);
        check("Straße Łódź smørrebrød", &["strasse", "lodz", "smorrebrod"]);
        check("cre\u{300}me", &["creme"]);
        check("ﬁne ３５ ①", &["fine", "35", "1"]);
        check("", &[]);
        check("-- ... \u{301}", &[]);
    }

    #[test]
    fn cyrillic_and_greek_and_arabic_survive() {
        check("Продаю Ёлки", &["продаю", "елки"]);
        check("ΣΊΣΥΦΟΣ σίσυφος", &["σισυφοσ", "σισυφοσ"]);
        check("مُحَمَّد محمد", &["محمد", "محمد"]);
    }

    #[test]
    fn invisible_characters_hide_no_word() {
        check("pa\u{200b}ss\u{ad}port", &["passport"]);
        check("\u{202e}word\u{202c}s", &["words"]);
        check("𝓹𝓪𝓼𝓼", &["pass"]);
    }

    #[test]
    fn everyday_letters_fold_as_the_tables_say() {
        let mut folded = String::new();
        for c in ('\0'..='\u{500}').filter(|&c| folded_at_once(c).is_some()) {
            assert!(c.is_alphanumeric() && fold_by_tables(&c.to_string(), &mut folded));
            assert_eq!(folded_at_once(c).map(String::from), Some(folded.clone()), "{c}");
        }
        check(&"я".repeat(MAX_WORD_CHARS + 1), &[]);
        check(&"я".repeat(MAX_WORD_CHARS), &["я".repeat(MAX_WORD_CHARS).as_str()]);
    }

    proptest::proptest! {
        #[test]
        fn ranges_are_of_the_text_and_folding_is_a_fixed_point(text in "\\PC{0,60}") {
            let mut words = Words::of(&text);
            while let Some(word) = words.advance() {
                proptest::prop_assert!(text.get(word.range.clone()).is_some());
                let folded = word.folded.unwrap_or_default().to_owned();
                let mut again = Words::of(&folded);
                if let Some(word) = again.advance() {
                    proptest::prop_assert!(word.folded.is_some());
                }
            }
        }
    }
}

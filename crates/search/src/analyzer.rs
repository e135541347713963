use model::words::Words;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// The name under which the engine knows the analyzer. It stands in the schema of every index: a change of the rules
/// for words needs a new name, and so makes every index be built again.
pub(crate) const NAME: &str = "folded-words-1";

/// Cuts text into words and folds them, as [`model::words`] says, for the index, for queries and for highlights alike.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Analyzer;

impl Tokenizer for Analyzer {
    type TokenStream<'a> = Tokens<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens<'a> {
        Tokens { words: Words::of(text), next_position: 0, token: Token::default() }
    }
}

/// The words of a text as the engine takes them. A word that is too long leaves a gap, so that no phrase bridges it.
pub(crate) struct Tokens<'a> {
    words: Words<'a>,
    next_position: usize,
    token: Token,
}

impl TokenStream for Tokens<'_> {
    fn advance(&mut self) -> bool {
        while let Some(word) = self.words.advance() {
            let position = self.next_position;
            self.next_position += 1;
            if let Some(folded) = word.folded {
                self.token.position = position;
                self.token.offset_from = word.range.start;
                self.token.offset_to = word.range.end;
                self.token.text.clear();
                self.token.text.push_str(folded);
                return true;
            }
        }
        false
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use model::words::MAX_WORD_CHARS;

    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let mut stream = Analyzer;
        let mut stream = stream.token_stream(text);
        let mut words = Vec::new();
        while stream.advance() {
            words.push(stream.token().text.clone());
        }
        assert_eq!(words, expect, "{text:?}");
    }

    #[test]
    fn addresses_are_words_and_what_is_longer_leaves_a_gap() {
        let onion = "p".repeat(56);
        let wallet = "4".repeat(106);
        check(&format!("{onion}.onion {wallet}"), &[&onion, "onion", &wallet]);
        let long = "x".repeat(MAX_WORD_CHARS + 1);
        let text = format!("one {long} two {}", "é".repeat(MAX_WORD_CHARS + 1));
        check(&text, &["one", "two"]);
        let mut analyzer = Analyzer;
        let mut stream = analyzer.token_stream(&text);
        assert!(stream.advance() && stream.advance());
        assert_eq!(stream.token().position, 2);
    }
}

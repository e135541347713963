/// What lies between two words, the stronger of two winning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// Nothing: they are one word.
    None,
    /// White space.
    Space,
    /// The border of two cells in a row.
    Cell,
    /// The border of two blocks.
    Block,
}

/// Visible text in the making: white space collapsed, one block a line, bounded.
#[derive(Debug)]
pub(crate) struct Text {
    out: String,
    gap: Gap,
    limit: usize,
    is_full: bool,
}

impl Text {
    pub(crate) fn new(limit: usize) -> Self {
        Self { out: String::new(), gap: Gap::None, limit, is_full: false }
    }

    /// What comes next stands apart.
    pub(crate) fn part(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    /// Where the next word will stand, in bytes, or a little before that.
    pub(crate) fn position(&self) -> usize {
        self.out.len()
    }

    /// The text from a position on.
    pub(crate) fn since(&self, position: usize) -> &str {
        self.out.get(position..).unwrap_or_default().trim()
    }

    /// Whether something was left out.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(crate) fn into_string(self) -> String {
        self.out
    }

    /// Appends text, and tells how many words it began. Line breaks in it part blocks where `keeps_lines`.
    pub(crate) fn push(&mut self, text: &str, keeps_lines: bool) -> usize {
        let mut words = 0;
        let mut rest = text;
        loop {
            let word_start = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
            let (space, from_word) = rest.split_at(word_start);
            if !space.is_empty() {
                self.part(if keeps_lines && space.contains('\n') { Gap::Block } else { Gap::Space });
            }
            if from_word.is_empty() {
                return words;
            }
            let (stretch, spaces) = tidy(from_word);
            let end =
                if stretch == 0 { from_word.find(char::is_whitespace).unwrap_or(from_word.len()) } else { stretch };
            let (stretch, after) = from_word.split_at(end);
            words += spaces + usize::from(self.gap > Gap::None || self.out.is_empty());
            if !self.push_words(stretch) {
                return words;
            }
            rest = after;
        }
    }

    /// Appends words that are one space apart; false when not all of them had room.
    fn push_words(&mut self, words: &str) -> bool {
        let separator = match self.gap {
            _ if self.out.is_empty() => "",
            Gap::None => "",
            Gap::Space => " ",
            Gap::Cell => "\t",
            Gap::Block => "\n",
        };
        let room = self.limit.saturating_sub(self.out.len() + separator.len());
        let is_cut = words.len() > room;
        let words = words.get(..words.floor_char_boundary(room)).unwrap_or_default().trim_end_matches(' ');
        if self.is_full || words.is_empty() {
            self.is_full = true;
            return false;
        }
        self.is_full = is_cut;
        self.out.push_str(separator);
        self.gap = Gap::None;
        if words.contains(is_invisible) {
            self.out.extend(words.chars().filter(|&c| !is_invisible(c)));
        } else {
            self.out.push_str(words);
        }
        !is_cut
    }
}

/// The length of the beginning of `text` that can be taken as it stands, and the spaces in it: words one space apart, the last of which may go on.
fn tidy(text: &str) -> (usize, usize) {
    let (mut spaces, mut before) = (0, b'.');
    let is_tidy = |byte: &&u8| {
        let byte = **byte;
        let is_space = byte == b' ';
        let goes_on = !may_be_odd(byte) && (!is_space || before != b' ');
        spaces += usize::from(is_space && goes_on);
        before = byte;
        goes_on
    };
    let len = text.as_bytes().iter().take_while(is_tidy).count();
    let ends_in_space = text.as_bytes().get(..len).is_some_and(|tidy| tidy.ends_with(b" "));
    (len - usize::from(ends_in_space), spaces - usize::from(ends_in_space))
}

/// Whether a character that begins with this byte may be white space other than ` `, or invisible. Beyond ASCII all of these begin so in UTF-8.
fn may_be_odd(byte: u8) -> bool {
    byte < b' ' || matches!(byte, 0xC2 | 0xE1..=0xE3 | 0xEF)
}

/// Characters without width that are put into words to hide them from a search: soft hyphen, zero width space, word joiner, byte order mark.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// Text that has no structure but its lines.
pub(crate) fn plain(text: &str, limit: usize) -> (String, bool) {
    let mut out = Text::new(limit);
    out.push(text, true);
    let is_full = out.is_full();
    (out.into_string(), is_full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_collapses_and_the_stronger_gap_wins() {
        let mut text = Text::new(100);
        text.part(Gap::Block);
        assert_eq!(text.push("  a\u{A0} b", false), 2);
        assert_eq!(text.push("c ", false), 0);
        text.part(Gap::Cell);
        text.part(Gap::Block);
        text.part(Gap::Space);
        assert_eq!(text.push("d\n e", false), 2);
        text.part(Gap::Cell);
        text.push("f\n g", true);
        assert_eq!(text.into_string(), "a bc\nd e\tf\ng");
    }

    #[test]
    fn text_ends_at_the_limit_and_says_so() {
        assert_eq!(plain("aa bb cc", 5), ("aa bb".to_owned(), true));
        assert_eq!(plain("aa bb", 5), ("aa bb".to_owned(), false));
        assert_eq!(plain("xxé", 3), ("xx".to_owned(), true));
    }

    /// Word by word, as the rule is told.
    fn by_words(text: &str, limit: usize) -> String {
        let mut out = String::new();
        for word in text.split_whitespace() {
            let separator = if out.is_empty() { "" } else { " " };
            let room = limit.saturating_sub(out.len() + separator.len());
            let kept = &word[..word.floor_char_boundary(room)];
            if !kept.is_empty() {
                out.push_str(separator);
                out.extend(kept.chars().filter(|&c| !is_invisible(c)));
            }
            if kept.len() < word.len() {
                break;
            }
        }
        out
    }

    proptest::proptest! {
        #[test]
        fn stretches_are_words_taken_at_once(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "word", "a", "é", "Б", " ", "  ", "\n", "\t", "\u{1}", "\u{7F}", "\u{A0}", "\u{85}", "\u{1680}", "\u{2003}", "\u{2028}",
                    "\u{3000}", "\u{200B}", "\u{AD}", "\u{2060}", "\u{FEFF}", "“", "→", "ￃ", "🙂",
                ]),
                0..30,
            ),
            limit in 0..80_usize,
        ) {
            let text = parts.concat();
            let mut out = Text::new(limit);
            let words = out.push(&text, false);
            proptest::prop_assert_eq!(&out.out, &by_words(&text, limit));
            if !out.is_full() && !text.contains(is_invisible) {
                proptest::prop_assert_eq!(words, text.split_whitespace().count());
            }
        }
    }

    #[test]
    fn invisible_characters_hide_nothing() {
        assert_eq!(plain("es\u{200B}cr\u{AD}ow", 100).0, "escrow");
    }
}

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
            let word_end = from_word.find(char::is_whitespace).unwrap_or(from_word.len());
            let (word, after) = from_word.split_at(word_end);
            words += usize::from(self.gap > Gap::None || self.out.is_empty());
            if !self.push_word(word) {
                return words;
            }
            rest = after;
        }
    }

    fn push_word(&mut self, word: &str) -> bool {
        let separator = match self.gap {
            _ if self.out.is_empty() => "",
            Gap::None => "",
            Gap::Space => " ",
            Gap::Cell => "\t",
            Gap::Block => "\n",
        };
        let room = self.limit.saturating_sub(self.out.len() + separator.len());
        let is_cut = word.len() > room;
        let word = word.get(..word.floor_char_boundary(room)).unwrap_or_default();
        if self.is_full || word.is_empty() {
            self.is_full = true;
            return false;
        }
        self.is_full = is_cut;
        self.out.push_str(separator);
        self.gap = Gap::None;
        if word.contains(is_invisible) {
            self.out.extend(word.chars().filter(|&c| !is_invisible(c)));
        } else {
            self.out.push_str(word);
        }
        !is_cut
    }
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

    #[test]
    fn invisible_characters_hide_nothing() {
        assert_eq!(plain("es\u{200B}cr\u{AD}ow", 100).0, "escrow");
    }
}

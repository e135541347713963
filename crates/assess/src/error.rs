use thiserror::Error;

use crate::indicator::{MAX_SET, MAX_TEXT};

/// Why a text is no indicator.
#[derive(Debug, Error)]
pub enum InvalidIndicator {
    /// It is no TOML, a key is unknown or missing, or a value is of the wrong kind.
    #[error("indicator does not parse: line {line}: {what}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, and what was expected; cut short where it quotes much.
        what: String,
    },
    /// It is longer than any indicator may be.
    #[error("indicator is longer than {MAX_TEXT} bytes; split its list of values into several indicators")]
    TooLong,
    /// A file of indicators is longer than any may be.
    #[error("file of indicators is longer than {MAX_SET} bytes; split it")]
    SetTooLong,
    /// A key holds what it cannot.
    #[error("indicator {indicator}: {place}: {what}")]
    Rule {
        /// The indicator's name, as far as it has one.
        indicator: String,
        /// Where in it: `any 2: terms`.
        place: String,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// A pattern does not compile, or takes too much room.
    #[error("indicator {indicator}: {place}: {source}")]
    Pattern {
        /// The indicator's name.
        indicator: String,
        /// Where in it.
        place: String,
        /// What is wrong with it.
        #[source]
        source: Box<regex::Error>,
    },
    /// Two indicators of a file share a name.
    #[error("indicator {0} stands twice in the file")]
    Twice(String),
    /// A file of indicators is not laid out so that it can be cut into its indicators.
    #[error(
        "indicator {0} of the file, counted from 1, cannot be cut out: write `[[indicator]]`, and the headers `[[indicator.any]]` and so on below it, on lines of their own"
    )]
    Layout(usize),
}

/// The longest account of what is wrong with the syntax, in characters.
const MAX_WHAT: usize = 500;

impl InvalidIndicator {
    /// What TOML says of `text`, without the line itself: it may be as long as the text.
    pub(crate) fn syntax(error: &toml::de::Error, text: &str) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        Self::Syntax { line, what: error.message().chars().take(MAX_WHAT).collect() }
    }
}

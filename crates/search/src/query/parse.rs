use std::str::FromStr;

use model::{Label, Outcome, PageKind, Timestamp, words::Words};

use super::{
    Clause, Place, QueryError, QueryProblem as Problem, is_language,
    range::{self, Quantity},
};
use crate::{joined::Observed, price, schema::outcome_terms};

/// The longest text of a query, in characters.
pub(super) const MAX_CHARS: usize = 1000;
/// The deepest nesting of parentheses and negations.
pub(super) const MAX_DEPTH: usize = 32;
/// The most words and filters.
pub(super) const MAX_WORDS: usize = 64;
/// The most other words among those that stand near each other.
pub(super) const MAX_OTHERS: u32 = 1000;
/// The fewest letters of a word that goes on somehow.
pub(super) const LEAST_PREFIX: usize = 2;
/// The fewest letters of a word with one mistake, and of one with two.
const LEAST_FUZZY: [usize; 2] = [3, 6];

type Parsed = Result<Clause, QueryError>;

/// Reads the query language; an empty text is the clause that everything fulfils.
pub(super) fn parse(text: &str) -> Parsed {
    let chars: Vec<char> = text.chars().take(MAX_CHARS + 1).collect();
    if chars.len() > MAX_CHARS {
        return Err(QueryError { at: MAX_CHARS + 1, problem: Problem::TooLong });
    }
    let mut parser = Parser { chars, at: 0, words: 0 };
    parser.skip_space();
    if parser.peek().is_none() {
        return Ok(Clause::All(Vec::new()));
    }
    let clause = parser.any(0, "")?;
    match parser.peek() {
        None => Ok(clause),
        Some(_) => Err(parser.problem(Problem::UnopenedParenthesis)),
    }
}

/// The words that join terms.
const AND: &str = "AND";
const OR: &str = "OR";
const NOT: &str = "NOT";

/// What can stand before a colon.
#[derive(Clone, Copy)]
enum Field {
    Words(Place, &'static str),
    Target,
    Language,
    Kind,
    Outcome,
    After,
    Before,
    Range(Quantity, &'static str),
    Currency,
    Observable,
    Label,
    Indicator,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "title" => Self::Words(Place::Title, "title"),
            "text" => Self::Words(Place::Text, "text"),
            "uri" => Self::Words(Place::Uri, "uri"),
            "target" => Self::Target,
            "lang" | "language" => Self::Language,
            "kind" => Self::Kind,
            "outcome" => Self::Outcome,
            "after" => Self::After,
            "before" => Self::Before,
            "captured" => Self::Range(Quantity::Time, "captured"),
            "seq" => Self::Range(Quantity::Seq, "seq"),
            "price" => Self::Range(Quantity::Price, "price"),
            "currency" => Self::Currency,
            "observable" => Self::Observable,
            "label" => Self::Label,
            "indicator" => Self::Indicator,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Words(_, name) | Self::Range(_, name) => name,
            Self::Target => "target",
            Self::Language => "lang",
            Self::Kind => "kind",
            Self::Outcome => "outcome",
            Self::After => "after",
            Self::Before => "before",
            Self::Currency => "currency",
            Self::Observable => "observable",
            Self::Label => "label",
            Self::Indicator => "indicator",
        }
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    words: usize,
}

impl Parser {
    /// Alternatives. `after` is what stands before them, for the message when nothing follows it.
    fn any(&mut self, depth: usize, after: &'static str) -> Parsed {
        let mut clauses = vec![self.all(depth, after)?];
        while self.takes_keyword(OR) {
            clauses.push(self.all(depth, OR)?);
        }
        Ok(single_or(clauses, Clause::Any))
    }

    fn all(&mut self, depth: usize, after: &'static str) -> Parsed {
        let mut clauses = vec![self.one(depth, after)?];
        loop {
            if self.takes_keyword(AND) {
                clauses.push(self.one(depth, AND)?);
            } else if matches!(self.peek(), None | Some(')')) || self.is_keyword(OR) {
                return Ok(single_or(clauses, Clause::All));
            } else {
                clauses.push(self.one(depth, "")?);
            }
        }
    }

    /// A term, a negation or a group, and the space behind it.
    fn one(&mut self, depth: usize, after: &'static str) -> Parsed {
        self.skip_space();
        if depth > MAX_DEPTH {
            return Err(self.problem(Problem::TooDeep));
        }
        if self.takes_keyword(NOT) {
            return Ok(Clause::Not(Box::new(self.one(depth + 1, NOT)?)));
        }
        let clause = match self.peek() {
            Some('-') => {
                self.at += 1;
                if self.peek().is_none_or(char::is_whitespace) {
                    return Err(self.problem(Problem::ExpectedAfter("-")));
                }
                Clause::Not(Box::new(self.one(depth + 1, "-")?))
            }
            Some('(') => self.group(depth)?,
            None | Some(')') => return Err(self.missing(after, "a closing parenthesis")),
            Some('"') => self.phrase(Place::Page)?,
            Some(_) if self.is_keyword(AND) => return Err(self.missing(after, AND)),
            Some(_) if self.is_keyword(OR) => return Err(self.missing(after, OR)),
            Some(_) => self.term()?,
        };
        self.skip_space();
        Ok(clause)
    }

    fn group(&mut self, depth: usize) -> Parsed {
        let opened = self.at;
        self.at += 1;
        let clause = self.any(depth + 1, "an opening parenthesis")?;
        if self.peek() != Some(')') {
            return Err(Self::problem_at(opened, Problem::UnclosedParenthesis));
        }
        self.at += 1;
        Ok(clause)
    }

    /// A text in quotation marks.
    fn phrase(&mut self, place: Place) -> Parsed {
        let opened = self.at;
        let text = self.quoted()?;
        let words = self.folded(&text, opened)?;
        if self.peek() != Some('~') {
            return Ok(Clause::Words { place, words });
        }
        self.at += 1;
        let digits: String = self.chars.iter().skip(self.at).take_while(|c| c.is_ascii_digit()).collect();
        let others = digits.parse().ok().filter(|others| *others <= MAX_OTHERS);
        let others = others.ok_or_else(|| self.problem(Problem::ExpectedDistance))?;
        self.at += digits.len();
        Ok(Clause::Near { place, words, others })
    }

    /// A bare word, or a field with its value.
    fn term(&mut self) -> Parsed {
        let start = self.at;
        while let Some(c) = self.peek().filter(|&c| is_bare(c)) {
            if c == ':' {
                let name: String = self.chars.iter().skip(start).take(self.at - start).collect();
                let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
                match (is_name, Field::named(&name)) {
                    (true, Some(field)) => {
                        self.at += 1;
                        return self.field(field, start);
                    }
                    (true, None) if self.chars.get(self.at + 1).is_some_and(|&next| is_value_start(next)) => {
                        return Err(Self::problem_at(start, Problem::UnknownField(name)));
                    }
                    _ => {}
                }
            }
            self.at += 1;
        }
        let text: String = self.chars.iter().skip(start).take(self.at - start).collect();
        self.bare(&text, Place::Page, start)
    }

    fn field(&mut self, field: Field, start: usize) -> Parsed {
        const TIMES: &str = "a day (2031-01-31) or a time (2031-01-31T12:00:00Z)";
        let value_at = self.at;
        let value = match (self.peek(), field) {
            (Some('"'), Field::Words(place, _)) => return self.phrase(place),
            (Some('"'), _) => self.quoted()?,
            (Some('[' | '{'), Field::Range(..)) => self.bracketed()?,
            _ => self.bare_value(matches!(field, Field::Outcome)),
        };
        if value.is_empty() {
            return Err(Self::problem_at(value_at, Problem::ExpectedValue(field.name())));
        }
        let (clause, expected) = match field {
            Field::Words(place, _) => return self.bare(&value, place, value_at),
            Field::Target => {
                (value.to_ascii_lowercase().parse().map(Clause::Target).ok(), "a target: 16 hexadecimal digits")
            }
            Field::Language => (
                Some(value.to_ascii_lowercase()).filter(|l| is_language(l)).map(Clause::Language),
                "a language: three letters, ISO 639-3",
            ),
            Field::Kind => (PageKind::from_str(&value.to_ascii_lowercase()).map(Clause::Kind).ok(), "a kind of page"),
            Field::Outcome => (outcome(&value).map(Clause::Outcome), "an outcome"),
            Field::After => (time(&value).map(Clause::From), TIMES),
            Field::Before => (time(&value).map(Clause::Until), TIMES),
            Field::Range(quantity, _) => {
                let expected = match quantity {
                    Quantity::Seq => "a sequence such as 17, or a range such as [17 TO 42]",
                    Quantity::Price => "an amount such as 25.50, or a range such as [10 TO 50}",
                    Quantity::Time => "a day, a time, or a range such as [2031-01-01 TO 2031-02-01}",
                };
                (range::clause(quantity, &value), expected)
            }
            Field::Currency => {
                (price::currency(&value).map(Clause::Currency), "a currency: letters such as EUR or XMR")
            }
            Field::Observable => (Some(Clause::Observable(observed(&value))), ""),
            Field::Label => (
                Label::from_str(&value.to_ascii_lowercase()).map(Clause::Label).ok(),
                "a label: relevant, not-relevant or unsure",
            ),
            Field::Indicator => (Some(Clause::Indicator(value.clone())), ""),
        };
        self.count_words(1, start)?;
        clause.ok_or_else(|| Self::problem_at(value_at, Problem::InvalidValue { value: shortened(&value), expected }))
    }

    /// A value without quotation marks. An outcome may carry its detail in parentheses.
    fn bare_value(&mut self, with_detail: bool) -> String {
        let mut value = String::new();
        let mut in_detail = false;
        while let Some(c) = self.peek() {
            let is_part = match c {
                '(' if with_detail && !in_detail => {
                    in_detail = true;
                    true
                }
                ')' if in_detail => {
                    self.at += 1;
                    value.push(c);
                    return value;
                }
                c => is_bare(c),
            };
            if !is_part {
                return value;
            }
            value.push(c);
            self.at += 1;
        }
        value
    }

    /// A range with its brackets, white space made single.
    fn bracketed(&mut self) -> Result<String, QueryError> {
        let opened = self.at;
        let text: String = self.chars.iter().skip(opened + 1).take_while(|c| !matches!(c, ']' | '}')).collect();
        let closed = opened + 1 + text.chars().count();
        let (Some(open), Some(close)) = (self.chars.get(opened), self.chars.get(closed)) else {
            return Err(Self::problem_at(opened, Problem::InvalidRange));
        };
        let inner = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.at = closed + 1;
        Ok(format!("{open}{inner}{close}"))
    }

    /// What stands between the quotation mark here and the next one.
    fn quoted(&mut self) -> Result<String, QueryError> {
        let opened = self.at;
        let text: String = self.chars.iter().skip(opened + 1).take_while(|&&c| c != '"').collect();
        let closed = opened + 1 + text.chars().count();
        if self.chars.get(closed).is_none() {
            return Err(Self::problem_at(opened, Problem::UnclosedQuotation));
        }
        self.at = closed + 1;
        Ok(text)
    }

    /// A word without quotation marks: with a star where it goes on, with a tilde where it has mistakes. Several words are as if in quotation marks.
    fn bare(&mut self, text: &str, place: Place, start: usize) -> Parsed {
        let has_words = |text: &str| text.chars().any(char::is_alphanumeric);
        if let Some(written) = text.strip_suffix('*').filter(|written| has_words(written)) {
            let prefix = self.one_word(written, start, "*")?;
            let is_long = prefix.chars().count() >= LEAST_PREFIX;
            let clause = Clause::Prefix { place, prefix, at: start };
            return if is_long { Ok(clause) } else { Err(Self::problem_at(start, Problem::PrefixTooShort)) };
        }
        if let Some((written, mistakes)) = text.rsplit_once('~').filter(|(written, _)| has_words(written))
            && mistakes.bytes().all(|byte| byte.is_ascii_digit())
        {
            let word = self.one_word(written, start, "~")?;
            let mistakes = match mistakes {
                "" | "1" => Some(1),
                "2" => Some(2),
                _ => None,
            };
            let least = |mistakes: u8| LEAST_FUZZY.get(usize::from(mistakes - 1)).copied().unwrap_or(usize::MAX);
            let mistakes = mistakes.filter(|&mistakes| word.chars().count() >= least(mistakes));
            let mistakes = mistakes.ok_or_else(|| Self::problem_at(start, Problem::InvalidMistakes))?;
            return Ok(Clause::Fuzzy { place, word, mistakes, at: start });
        }
        let mut words = self.folded(text, start)?;
        match (words.len(), place) {
            (1, Place::Page | Place::Title | Place::Text) => Ok(Clause::Stemmed { place, word: words.remove(0) }),
            _ => Ok(Clause::Words { place, words }),
        }
    }

    /// The only word of a text.
    fn one_word(&mut self, text: &str, start: usize, sign: &'static str) -> Result<String, QueryError> {
        let mut words = self.folded(text, start)?;
        let is_one = words.len() == 1 && text.ends_with(char::is_alphanumeric);
        if is_one { Ok(words.remove(0)) } else { Err(Self::problem_at(start, Problem::ExpectedOneWord(sign))) }
    }

    /// The words of a text, folded; there is one at least.
    fn folded(&mut self, text: &str, start: usize) -> Result<Vec<String>, QueryError> {
        let mut words = Vec::new();
        let mut found = Words::of(text);
        while let Some(word) = found.advance() {
            let word = word.folded.ok_or_else(|| Self::problem_at(start, Problem::WordTooLong))?;
            words.push(word.to_owned());
        }
        if words.is_empty() {
            return Err(Self::problem_at(start, Problem::NothingToLookFor(shortened(text))));
        }
        self.count_words(words.len(), start)?;
        Ok(words)
    }

    fn count_words(&mut self, count: usize, start: usize) -> Result<(), QueryError> {
        self.words += count;
        if self.words > MAX_WORDS { Err(Self::problem_at(start, Problem::TooManyWords)) } else { Ok(()) }
    }

    fn takes_keyword(&mut self, keyword: &str) -> bool {
        let is_here = self.is_keyword(keyword);
        if is_here {
            self.at += keyword.len();
            self.skip_space();
        }
        is_here
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        let mut rest = self.chars.iter().skip(self.at);
        keyword.chars().all(|c| rest.next() == Some(&c))
            && rest.next().is_none_or(|&c| c.is_whitespace() || matches!(c, '(' | ')' | '"'))
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// A term is missing here, after `after` where that says anything, before `found` otherwise.
    fn missing(&self, after: &'static str, found: &'static str) -> QueryError {
        self.problem(if after.is_empty() { Problem::ExpectedBefore(found) } else { Problem::ExpectedAfter(after) })
    }

    fn problem(&self, problem: Problem) -> QueryError {
        Self::problem_at(self.at, problem)
    }

    const fn problem_at(at: usize, problem: Problem) -> QueryError {
        QueryError { at: at + 1, problem }
    }
}

fn single_or(mut clauses: Vec<Clause>, several: impl FnOnce(Vec<Clause>) -> Clause) -> Clause {
    match clauses.len() {
        1 => clauses.remove(0),
        _ => several(clauses),
    }
}

/// Whether a character can be part of a word that stands without quotation marks.
fn is_bare(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '(' | ')' | '"')
}

/// Whether a colon before this character makes a field of what stands before the colon. `note: x` and `http://x` are text.
fn is_value_start(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '/' | ')')
}

/// The term of an outcome or of a family of outcomes, whatever the case in which it was written.
fn outcome(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let status = lower.strip_prefix("httperror(").and_then(|rest| rest.strip_suffix(')'));
    if let Some(status) = status {
        return status.parse().ok().and_then(|status| outcome_terms(Outcome::HttpError(status)).next());
    }
    Outcome::NAMED.into_iter().chain([Outcome::HttpError(0)]).flat_map(outcome_terms).find(|term| *term == lower)
}

/// A kind, a kind with a value behind `=`, or a value of any kind.
fn observed(text: &str) -> Observed {
    let kind = |name: &str| name.to_ascii_lowercase().parse().ok();
    if let Some(kind) = kind(text) {
        return Observed { kind: Some(kind), value: None };
    }
    let with_kind = text.split_once('=').and_then(|(name, value)| Some((kind(name)?, value)));
    let (kind, value) = with_kind.map_or((None, text), |(kind, value)| (Some(kind), value));
    Observed { kind, value: Some(value.to_owned()) }
}

/// A day, which means its beginning in UTC, or a time.
fn time(text: &str) -> Option<Timestamp> {
    let upper = text.to_ascii_uppercase();
    upper.parse().or_else(|_| format!("{upper}T00:00:00Z").parse()).ok()
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod examples;
#[cfg(test)]
mod tests;

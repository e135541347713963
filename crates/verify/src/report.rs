use std::fmt;

use serde::Serialize;

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is as it should be.
    Holds,
    /// What is needed to check it is not here.
    Unchecked,
    /// It is not as it should be.
    Fails,
}

/// One line of a report. Text form: verdict, subject, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What came of it.
    pub verdict: Verdict,
    /// Of what: a file, a checkpoint, or a capture by its record.
    pub subject: String,
    /// What was checked, or why it fails or cannot be checked.
    pub what: String,
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Holds => "holds",
            Verdict::Unchecked => "unchecked",
            Verdict::Fails => "FAILS",
        };
        write!(f, "{verdict:<9}  {}: {}", Plain(&self.subject), Plain(&self.what))
    }
}

/// Text of a stranger, without what could steer a terminal or turn the order of the letters.
struct Plain<'t>(&'t str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '"' | '\'' | '\\' => write!(f, "{letter}"),
            _ => write!(f, "{}", letter.escape_debug()),
        })
    }
}

/// How many statements of each kind there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Captures found.
    pub captures: u64,
    /// What holds.
    pub holds: u64,
    /// What could not be checked.
    pub unchecked: u64,
    /// What fails.
    pub fails: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { captures, fails, unchecked, .. } = self;
        match fails {
            0 => write!(
                f,
                "{captures} captures: all that could be checked holds, {unchecked} things could not be checked"
            ),
            _ => write!(f, "{captures} captures: {fails} findings, {unchecked} things could not be checked"),
        }
    }
}

/// Where statements go while they are counted.
pub(crate) struct Report<'s> {
    pub(crate) summary: Summary,
    say: &'s mut dyn FnMut(&Statement),
}

impl<'s> Report<'s> {
    pub(crate) fn new(say: &'s mut dyn FnMut(&Statement)) -> Self {
        Self { summary: Summary::default(), say }
    }

    pub(crate) fn holds(&mut self, subject: &str, what: impl Into<String>) {
        self.summary.holds += 1;
        self.state(Verdict::Holds, subject, what.into());
    }

    pub(crate) fn unchecked(&mut self, subject: &str, why: impl Into<String>) {
        self.summary.unchecked += 1;
        self.state(Verdict::Unchecked, subject, why.into());
    }

    pub(crate) fn fails(&mut self, subject: &str, why: impl Into<String>) {
        self.summary.fails += 1;
        self.state(Verdict::Fails, subject, why.into());
    }

    fn state(&mut self, verdict: Verdict, subject: &str, what: String) {
        (self.say)(&Statement { verdict, subject: subject.into(), what });
    }
}

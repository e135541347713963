use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::InvalidId;

/// A person's word on whether a version of a page matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say all there is to say")]
pub enum Label {
    Relevant,
    NotRelevant,
    Unsure,
}

impl Label {
    /// Every label.
    pub const ALL: [Self; 3] = [Self::Relevant, Self::NotRelevant, Self::Unsure];

    /// The name, as everywhere outside the code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relevant => "relevant",
            Self::NotRelevant => "not-relevant",
            Self::Unsure => "unsure",
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Label {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|label| label.as_str() == text).ok_or_else(|| InvalidId::new("label", text))
    }
}

use std::{fmt, str::FromStr};

use model::{ObservableKind, Seq};
use serde::{Deserialize, Serialize};

/// What a service shows, or whom it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// What it is.
    pub kind: ElementKind,
    /// Its normal form; of a service its address.
    pub value: String,
    /// On how many captures, counted up to [`crate::MOST_COUNTED`].
    pub captures: usize,
    /// The first of them.
    pub first: Seq,
    /// The last.
    pub last: Seq,
}

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ElementKind {
    /// An observable.
    Observable(ObservableKind),
    /// Another onion service that a page links to or names.
    Mention,
    /// Another onion service that a page calls a mirror, or names in what it signs.
    CalledMirror,
}

impl ElementKind {
    /// The name, as everywhere outside the code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observable(kind) => kind.as_str(),
            Self::Mention => "mention",
            Self::CalledMirror => "called-mirror",
        }
    }

    /// The name as a part of keys, at its full length; no name is longer.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(self.as_str().bytes()) {
            *to = from;
        }
        bytes
    }
}

impl fmt::Display for ElementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ElementKind {
    type Err = model::InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "mention" => Ok(Self::Mention),
            "called-mirror" => Ok(Self::CalledMirror),
            observable => observable.parse().map(Self::Observable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_keys_and_read_back() {
        let observables = ObservableKind::ALL.into_iter().map(ElementKind::Observable);
        for kind in observables.chain([ElementKind::Mention, ElementKind::CalledMirror]) {
            assert!(kind.as_str().len() <= 16, "{kind}");
            assert_eq!(kind.as_str().parse::<ElementKind>().unwrap(), kind);
        }
        assert!("nothing".parse::<ElementKind>().is_err());
    }
}

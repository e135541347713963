use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Seq, TargetId, Uri};

/// What a hold keeps or an erasure takes, within a theme. Text form: `capture:17`, `version:17`, `uri:http://…/`, `target:00000000000007f3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One capture.
    Capture(Seq),
    /// The version that this capture belongs to; its first capture names it best.
    Version(Seq),
    /// Every capture of a URI.
    Uri(Uri),
    /// Every capture that was made for a target.
    Target(TargetId),
}

/// A text that names no subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of capture:<sequence>, version:<sequence>, uri:<URI> and target:<id>")]
pub struct InvalidSubject(String);

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture(seq) => write!(f, "capture:{seq}"),
            Self::Version(first) => write!(f, "version:{first}"),
            Self::Uri(uri) => write!(f, "uri:{uri}"),
            Self::Target(target) => write!(f, "target:{target}"),
        }
    }
}

impl FromStr for Subject {
    type Err = InvalidSubject;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let subject = text.split_once(':').and_then(|(kind, of)| match kind {
            "capture" => of.parse().map(|seq| Self::Capture(Seq(seq))).ok(),
            "version" => of.parse().map(|seq| Self::Version(Seq(seq))).ok(),
            "uri" => of.parse().map(Self::Uri).ok(),
            "target" => of.parse().map(Self::Target).ok(),
            _ => None,
        });
        subject.ok_or_else(|| InvalidSubject(text.chars().take(80).collect()))
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_survives_its_text_form() {
        for text in ["capture:17", "version:3", "uri:http://example.com/a:b", "target:00000000000007f3"] {
            let subject: Subject = text.parse().unwrap();
            assert_eq!(subject.to_string(), text);
        }
        for bad in ["", "capture", "capture:x", "uri:", "target:7", "dossier:1", "capture:-1"] {
            assert!(bad.parse::<Subject>().is_err(), "{bad:?}");
        }
    }
}

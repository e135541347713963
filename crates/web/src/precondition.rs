//! Entity tags (RFC 9110, section 8.8.3) of what people change, and `If-Match` (section 13.1.1): whoever has read an older state changes nothing.

use std::fmt::Display;

use axum::{
    extract::FromRequestParts,
    http::{
        HeaderName,
        header::{ETAG, IF_MATCH},
        request::Parts,
    },
};

use crate::{app::Shared, refusal::Refusal, request::refused};

/// The field that says which state an answer shows.
pub(crate) fn tagged(version: impl Display) -> [(HeaderName, String); 1] {
    [(ETAG, tag(version))]
}

fn tag(version: impl Display) -> String {
    format!("\"{version}\"")
}

/// The states that whoever asks would change; `None`: whatever there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// Refuses where what is there is none of the states that were named.
    pub(crate) fn demand(&self, present: impl Display) -> Result<(), Refusal> {
        let present = tag(present);
        match &self.0 {
            Some(named) if !named.iter().any(|tag| *tag == present || tag == "*") => {
                Err(Refusal::PreconditionFailed(present))
            }
            _ => Ok(()),
        }
    }

    /// Refuses also where there is nothing at all.
    pub(crate) fn demand_one(&self, present: Option<impl Display>) -> Result<(), Refusal> {
        match present {
            Some(present) => self.demand(present),
            None if self.is_given() => Err(Refusal::PreconditionFailed("nothing".to_owned())),
            None => Ok(()),
        }
    }

    /// Whether anything was demanded.
    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }
}

impl FromRequestParts<Shared> for IfMatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Refusal> {
        let mut named = Vec::new();
        for value in parts.headers.get_all(IF_MATCH) {
            let text = value.to_str().map_err(|_| refused(IF_MATCH.as_str(), "is no list of entity tags"))?;
            named.extend(read(text)?);
        }
        Ok(Self(parts.headers.contains_key(IF_MATCH).then_some(named)))
    }
}

/// The tags of a list. Weak ones match nothing (RFC 9110, section 8.8.3.2), and stay as they are.
fn read(text: &str) -> Result<Vec<String>, Refusal> {
    let tags = text.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    let is_tag = |tag: &str| {
        let opaque = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || (opaque.len() >= 2 && opaque.starts_with('"') && opaque.ends_with('"'))
    };
    tags.map(|tag| {
        if is_tag(tag) {
            Ok(tag.to_owned())
        } else {
            Err(refused(IF_MATCH.as_str(), "is no list of entity tags, such as \"17\""))
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, present: u64, is_met: bool) {
        assert_eq!(IfMatch(Some(read(text).unwrap())).demand(present).is_ok(), is_met, "{text}");
    }

    #[test]
    fn only_a_state_that_was_named_is_changed() {
        check("\"17\"", 17, true);
        check("\"16\", \"17\"", 17, true);
        check("*", 17, true);
        check("\"16\"", 17, false);
        check("W/\"17\"", 17, false);
        check("", 17, false);
        assert!(IfMatch(None).demand(17).is_ok());
        assert!(read("17").is_err() && read("\"").is_err());
    }
}

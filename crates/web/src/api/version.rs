use model::{CaptureId, Digest, Seq, Timestamp, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Link, Span};

/// A run of captures of a URI whose content is the same but for noise. It is identified by its first capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// Theme and sequence of its first capture.
    #[schema(value_type = String, example = "marketplace/17")]
    pub version: CaptureId,
    /// What was captured.
    #[schema(value_type = String)]
    pub uri: Uri,
    /// Its place among the versions of the URI, from 1 on, as the digest rule tells them apart.
    pub number: u32,
    /// The version of the rule for what counts as a change.
    pub digest_rule: u32,
    /// The sequence of its first capture.
    #[schema(value_type = u64)]
    pub first: Seq,
    /// The sequence of its last capture so far.
    #[schema(value_type = u64)]
    pub last: Seq,
    /// How many captures it has, those included that were answered with 304.
    pub captures: u32,
    /// When the first attempt of the run began.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// When the last one so far began.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
    /// SHA-256 over text and structure without noise.
    #[schema(value_type = String)]
    pub content_digest: Digest,
    /// Its name, if it has one; several where the digest rule in force makes one version of what were several when they were named.
    pub names: Vec<Naming>,
}

/// A version that was named, renamed, or lost its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Naming {
    /// What was named.
    #[schema(value_type = String, example = "marketplace/17")]
    pub version: CaptureId,
    /// The name; null when it was taken away or has been erased.
    pub name: Option<String>,
    /// Who did it; null when that has been erased.
    pub author: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Whether the name was taken away.
    pub is_removal: bool,
    /// The leaf of the evidence log that tells of it.
    pub leaf: u64,
}

/// The versions of a URI, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Versions {
    /// The versions.
    pub versions: Vec<Version>,
    /// What to give as `from` for the next page, if there is one.
    #[schema(value_type = Option<u64>)]
    pub next: Option<Seq>,
}

/// A version, and how it came to its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionDetail {
    /// The version.
    #[serde(flatten)]
    pub version: Version,
    /// Every naming, those of one version in order.
    pub history: Vec<Naming>,
}

/// A name for a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewName {
    /// The name.
    pub name: String,
}

/// What differs between two captures. Its texts are a site's own: hostile, and not HTML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// What is compared.
    pub old: Compared,
    /// What it is compared with.
    pub new: Compared,
    /// Whether the content is the same but for noise.
    pub is_same_content: bool,
    /// The fields that differ.
    pub fields: Vec<FieldChange>,
    /// The links that differ, but for noise.
    pub links: LinkChanges,
    /// Where the visible texts differ.
    pub text: TextChanges,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Compared {
    /// Theme and sequence of the capture.
    #[schema(value_type = String, example = "marketplace/17")]
    pub capture: CaptureId,
    /// What was captured.
    #[schema(value_type = String)]
    pub uri: Uri,
    /// The number of its version.
    pub number: u32,
    /// The version of the rule for noise.
    pub digest_rule: u32,
    /// The version of the extractor: a difference may also be one of extractors.
    pub extractor: u32,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// The name of the field.
    #[schema(example = "title")]
    pub field: String,
    /// What it was, if it was there.
    pub old: Option<String>,
    /// What it is, if it is there.
    pub new: Option<String>,
}

/// Links that differ, in the order of their page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkChanges {
    /// Those that the old page has not.
    pub added: Vec<Link>,
    /// Those that the new page has not.
    pub removed: Vec<Link>,
}

/// Where two texts differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TextChanges {
    /// How finely the texts were compared: by `word`; by `line` or as a `whole` where they are too large for it.
    #[schema(example = "word")]
    pub granularity: String,
    /// The changes in order. Each stretch of the old text replaced by what was inserted gives the new text.
    pub changes: Vec<TextChange>,
}

/// A stretch of a text that became another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TextChange {
    /// Where it lies in the old text.
    pub old: Span,
    /// Where it lies in the new text.
    pub new: Span,
    /// What was there.
    pub deleted: String,
    /// What is there instead.
    pub inserted: String,
    /// What stands before it on the same line, at most 40 characters.
    pub before: String,
    /// What stands behind it on the same line, at most 40 characters.
    pub after: String,
    /// Whether only what the digest rule takes for noise has changed, such as a clock.
    pub is_noise: bool,
}

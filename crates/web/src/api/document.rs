use model::{CaptureId, CharsetSource, Digest, FormKind, PageKind, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema;

/// What the extractor made of a capture. Its texts are a site's own: hostile, and not HTML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Document {
    /// Theme and sequence of the capture.
    #[schema(value_type = String, example = "marketplace/17")]
    pub capture: CaptureId,
    /// The version of the extractor.
    pub extractor: u32,
    /// The character encoding that the text was read in.
    pub charset: String,
    /// How the encoding was found: `byte-order-mark`, `header`, `meta` or `guess`.
    #[schema(value_type = String)]
    pub charset_source: CharsetSource,
    /// The title.
    pub title: String,
    /// The visible text, one block a line.
    pub text: String,
    /// The language of the text, ISO 639-3, where it is long enough to tell.
    pub language: Option<String>,
    /// What the page is.
    #[schema(schema_with = schema::page_kind)]
    pub kind: PageKind,
    /// Links in the order of the page, each target once.
    pub links: Vec<Link>,
    /// The client-side redirect, if there is one.
    pub refresh: Option<Refresh>,
    /// What the forms of the page ask for: `login`, `search`, `captcha` or `post`.
    #[schema(value_type = Vec<String>)]
    pub forms: Vec<FormKind>,
    /// SHA-256 over text and structure without noise.
    #[schema(value_type = String)]
    pub content_digest: Digest,
    /// The version of the rule for noise.
    pub digest_rule: u32,
}

/// A link of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Link {
    /// Where it leads.
    #[schema(value_type = String)]
    pub uri: Uri,
    /// Its visible text.
    pub anchor: String,
    /// The value of its `rel` attribute, if any.
    pub rel: Option<String>,
}

/// A client-side redirect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refresh {
    /// The delay in whole seconds.
    pub delay_s: u32,
    /// Where it leads, as it was written where that may never be fetched; null reloads the page.
    pub to: Option<String>,
    /// Whether that may be fetched.
    pub is_fetchable: bool,
}

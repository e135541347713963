use model::{CaptureId, CharsetSource, Digest, Fields, FormKind, Grade, ObservableKind, PageKind, Timestamp, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{schema, search::Span};

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
    /// The visible text, one block a line; below it the text of hidden elements.
    pub text: String,
    /// What of the text a visitor does not see, ascending: the text of each hidden element.
    pub hidden: Vec<Span>,
    /// The language of the visible text, ISO 639-3, where it is long enough to tell.
    pub language: Option<String>,
    /// The language of parts of it that are long enough to tell by themselves, ascending.
    pub languages: Vec<Spoken>,
    /// What the page is.
    #[schema(schema_with = schema::page_kind)]
    pub kind: PageKind,
    /// Why it is held to be that.
    pub cues: Vec<Cue>,
    /// What was read of offers, sellers, rows and posts: each field with its value, a confidence in per cent, and how it was found.
    #[schema(value_type = Object)]
    pub fields: Fields,
    /// Links in the order of the page, each target once.
    pub links: Vec<Link>,
    /// The pictures that the page refers to, each once; only a decision lets any be fetched. Of pictures within the page their media type and length.
    pub images: Vec<String>,
    /// The client-side redirect, if there is one.
    pub refresh: Option<Refresh>,
    /// What the forms of the page ask for: `login`, `search`, `captcha` or `post`.
    #[schema(value_type = Vec<String>)]
    pub forms: Vec<FormKind>,
    /// What leads to a person, a service or money, in the order of the text: of the kinds that the theme allows.
    pub observables: Vec<Observable>,
    /// SHA-256 over text and structure without noise.
    #[schema(value_type = String)]
    pub content_digest: Digest,
    /// The version of the rule for noise.
    pub digest_rule: u32,
}

/// That a part of a text is in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Spoken {
    /// Where it stands in the text.
    pub at: Span,
    /// The language, ISO 639-3.
    pub language: String,
}

/// One of the reasons why a page is held to be of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cue {
    /// What was seen.
    pub what: String,
    /// How much it counts.
    pub weight: u32,
}

/// Something in a text that leads to a person, a service or money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Observable {
    /// What it is, such as `btc` or `pgp-fingerprint`.
    #[schema(value_type = String, example = "onion-v3")]
    pub kind: ObservableKind,
    /// How sure that is: `verified` by a checksum or a strict reading, `contextual` by what stands beside it, or `shape-only`.
    #[schema(value_type = String)]
    pub grade: Grade,
    /// The normal form, the same for every way of writing it.
    pub value: String,
    /// Where it stands in the text.
    pub at: Span,
    /// What a PGP key says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PgpKey>,
}

/// A PGP key (RFC 9580). Nothing of it is proven but what the fingerprint covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PgpKey {
    /// The primary key.
    pub primary: PgpKeyPart,
    /// The user ids, as they stand there.
    pub user_ids: Vec<String>,
    /// The subkeys.
    pub subkeys: Vec<PgpKeyPart>,
}

/// A key of a PGP key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PgpKeyPart {
    /// The fingerprint, in hexadecimal digits.
    pub fingerprint: String,
    /// The algorithm.
    pub algorithm: String,
    /// When it says that it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
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

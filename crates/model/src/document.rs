use std::{borrow::Cow, fmt, ops::Range, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Digest, Fields, Observable, Uri};

/// What one extractor version made of a capture. Derived: deleted and made again at will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The version of the extractor that made it.
    pub extractor: u32,
    /// The character encoding that the text was read in, by its name in the WHATWG Encoding Standard.
    pub charset: String,
    /// How the encoding was found.
    pub charset_source: CharsetSource,
    /// The text of the first `title` element, white space collapsed.
    pub title: String,
    /// The visible text, one block a line, white space collapsed within a line; below it the text of hidden elements.
    pub text: String,
    /// What of the text a visitor does not see, in bytes, ascending: the text of each hidden element. It counts for observables, and neither for
    /// what the page is, nor for its language, nor for the content digest. Extractors before version 3 did not tell it from the rest.
    #[serde(default)]
    pub hidden: Vec<Range<u32>>,
    /// The language of the visible text, ISO 639-3, where it is long enough to tell.
    pub language: Option<String>,
    /// The language of parts of it that are long enough to tell by themselves, ascending; some lines are in none.
    #[serde(default)]
    pub languages: Vec<Spoken>,
    /// What the page is, by structure and words.
    pub kind: PageKind,
    /// Why it is held to be that.
    #[serde(default)]
    pub cues: Vec<Cue>,
    /// What it says of offers, sellers and posts.
    #[serde(default)]
    pub fields: Fields,
    /// Links in document order, each target once, resolved and canonical. What is not a fetchable URI is left out.
    pub links: Vec<Link>,
    /// The pictures that the page refers to, each once, in document order; only a decision lets any be fetched. Canonical URIs where there is one, else the
    /// reference as it stands, shortened; of pictures within the page their media type and how long they are.
    #[serde(default)]
    pub images: Vec<String>,
    /// The first `meta http-equiv=refresh`, if any.
    pub refresh: Option<Refresh>,
    /// The forms of the page; hidden ones come last.
    pub forms: Vec<FormKind>,
    /// What leads to a person, a service or money, as it stands in the text. Extractors before version 2 looked for none.
    #[serde(default)]
    pub observables: Vec<Observable>,
    /// A simhash of the elements, how they stand within each other, and their classes: pages of one template differ in few bits. 0 is that of no
    /// elements.
    #[serde(default)]
    pub shape: u64,
    /// SHA-256 over visible text and structure without noise (counters, tokens, clocks) under `digest_rule`.
    pub content_digest: Digest,
    /// The version of the rule for noise.
    pub digest_rule: u32,
}

/// That a part of a text is in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// Where it stands in the text, in bytes: from the beginning of one line to the end of another.
    pub at: Range<u32>,
    /// The language, ISO 639-3.
    pub language: String,
}

impl Document {
    /// The text that a visitor sees.
    pub fn visible_text(&self) -> &str {
        let end = self.hidden.first().and_then(|hidden| usize::try_from(hidden.start).ok());
        end.and_then(|end| self.text.get(..end)).unwrap_or(&self.text)
    }
}

/// Something that speaks for the kind that a page was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// What was seen, in plain words.
    pub what: Cow<'static, str>,
    /// How much it weighed; walls, statuses and the like decide alone and weigh nothing.
    pub weight: u32,
}

/// How the character encoding of a page was found, in the order in which it is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CharsetSource {
    /// A byte order mark.
    ByteOrderMark,
    /// The `charset` parameter of `Content-Type`.
    Header,
    /// A `meta` element within the first 1024 bytes.
    Meta,
    /// Guessed from the bytes.
    Guess,
}

/// A link of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Where it leads.
    pub uri: Uri,
    /// Its visible text, white space collapsed, at most 200 characters.
    pub anchor: String,
    /// The value of its `rel` attribute, if any.
    pub rel: Option<String>,
}

/// A client-side redirect: a `meta` refresh (HTML, section 4.2.5.3) or a `Refresh` header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// The delay in whole seconds.
    pub delay_s: u32,
    /// Where it leads; `None` reloads the page. A place that may never be fetched is kept as it was written.
    pub to: Option<Result<Uri, String>>,
}

/// What a form asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormKind {
    /// A name and a password.
    Login,
    /// Words to look for.
    Search,
    /// Proof of being human.
    Captcha,
    /// Anything else.
    Post,
}

/// What a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the field's and say all there is to say")]
pub enum PageKind {
    Listing,
    Vendor,
    Index,
    Search,
    Feedback,
    Pgp,
    Board,
    Thread,
    Login,
    Captcha,
    AntiDdos,
    NotFound,
    MetaRefresh,
    Error,
    Other,
}

impl PageKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Listing,
        Self::Vendor,
        Self::Index,
        Self::Search,
        Self::Feedback,
        Self::Pgp,
        Self::Board,
        Self::Thread,
        Self::Login,
        Self::Captcha,
        Self::AntiDdos,
        Self::NotFound,
        Self::MetaRefresh,
        Self::Error,
        Self::Other,
    ];

    /// The name, as everywhere outside the code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Vendor => "vendor",
            Self::Index => "index",
            Self::Search => "search",
            Self::Feedback => "feedback",
            Self::Pgp => "pgp",
            Self::Board => "board",
            Self::Thread => "thread",
            Self::Login => "login",
            Self::Captcha => "captcha",
            Self::AntiDdos => "anti-ddos",
            Self::NotFound => "not-found",
            Self::MetaRefresh => "meta-refresh",
            Self::Error => "error",
            Self::Other => "other",
        }
    }

    /// Whether the page stands between the crawler and the site, so that a person must look.
    pub const fn is_wall(self) -> bool {
        matches!(self, Self::Login | Self::Captcha | Self::AntiDdos)
    }
}

impl fmt::Display for PageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PageKind {
    type Err = crate::InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| crate::InvalidId::new("page kind", text))
    }
}

/// Something about a page that could not be read as it stands. Told beside the document, never instead of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// The content encoding ended early or does not decode; what came out until then was read.
    Encoding,
    /// Bytes that are not of the character encoding were replaced.
    Charset,
    /// The page is larger than what is read of it.
    TooLong,
    /// Elements nested deeper than the limit were flattened.
    TooDeep,
    /// There are more links than the limit; the first ones were kept.
    TooManyLinks,
    /// There are more pictures than the limit; the first ones were kept.
    TooManyImages,
    /// There are more observables than the limit; the first ones were kept.
    TooManyObservables,
    /// The content is not text.
    NotText,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_earlier_extractors_are_read() {
        let digest = serde_json::to_string(&Digest::of(b"t")).unwrap();
        let text = format!(
            r#"{{"extractor":1,"charset":"UTF-8","charset_source":"guess","title":"t","text":"t","language":null,"kind":"other","links":[],
               "refresh":null,"forms":["search"],"content_digest":{digest},"digest_rule":1}}"#
        );
        let document: Document = serde_json::from_str(&text).unwrap();
        assert_eq!((document.extractor, document.shape, document.forms), (1, 0, vec![FormKind::Search]));
        assert!(document.hidden.is_empty() && document.languages.is_empty() && document.images.is_empty());
    }
}

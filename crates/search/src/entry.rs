use model::{ObservableKind, Outcome, PageKind, Price, Seq, TargetId, Timestamp, Uri};

/// What the index takes in of one capture and its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The capture's sequence within the theme.
    pub seq: Seq,
    /// The target that it was made for.
    pub target: TargetId,
    /// What was asked for.
    pub uri: Uri,
    /// When the attempt began.
    pub captured_at: Timestamp,
    /// How the attempt ended.
    pub outcome: Outcome,
    /// What the page is.
    pub kind: PageKind,
    /// The language of the text, ISO 639-3, where it is known.
    pub language: Option<String>,
    /// What the page offers costs this, where it is about one offer.
    pub price: Option<Price>,
    /// The observables in the document, in their normal forms. They are found, and not given back.
    pub observables: Vec<(ObservableKind, String)>,
    /// The title of the page.
    pub title: String,
    /// Its visible text.
    pub text: String,
}
